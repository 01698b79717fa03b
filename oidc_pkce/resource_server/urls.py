"""The metadata of the project's API, at the host's root, where RFC 9728 §3 looks for it::

path("", include("oidc_pkce.resource_server.urls"))
"""

from __future__ import annotations

import re

from django.urls import re_path

from ..protocol.protected_resource import WELL_KNOWN
from .metadata import ProtectedResourceView

app_name = "oidc_pkce_resource_server"

urlpatterns = [
    re_path(
        f"^{re.escape(WELL_KNOWN)}(?P<path>/.*)?$",
        ProtectedResourceView.as_view(),
        name="protected-resource",
    ),
]
