"""The metadata documents at the host's root, where RFC 8414 §3 looks for them::

path("", include("oidc_pkce.well_known_urls"))
"""

from __future__ import annotations

from django.urls import re_path

from .endpoints.discovery import WellKnownEndpoint
from .urls import caseless

app_name = "oidc_pkce_well_known"

_folder = caseless(".well-known")
_openid = caseless("openid-configuration")
_oauth = caseless("oauth-authorization-server")

urlpatterns = [
    re_path(
        f"^{_folder}/(?:{_oauth}|{_openid})/(?P<application_id>.+?)/?$",
        WellKnownEndpoint.mounted(),
        name="metadata",
    ),
]
