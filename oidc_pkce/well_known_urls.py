"""The metadata documents at the host's root, where RFC 8414 §3 looks for them::

path("", include("oidc_pkce.well_known_urls"))
"""

from __future__ import annotations

from django.urls import re_path

from .endpoints.discovery import WellKnownEndpoint

app_name = "oidc_pkce_well_known"

urlpatterns = [
    re_path(
        r"^\.well-known/(?:oauth-authorization-server|openid-configuration)"
        r"/(?P<application_id>.+?)/?$",
        WellKnownEndpoint.mounted(),
        name="metadata",
    ),
]
