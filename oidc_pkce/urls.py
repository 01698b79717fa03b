"""The endpoints. Include this wherever ``ISSUER_BASE`` points::

    path("", include("oidc_pkce.urls"))

Paths match whatever their case, with or without a trailing slash. An inline ``(?i)`` would break
``reverse()`` for every URL of the host project, so the case is spelled out in character classes;
our own public addresses come from ``protocol.metadata``.
"""

from __future__ import annotations

import re

from django.urls import URLPattern, re_path

from .endpoints.authorization import AuthorizeEndpoint
from .endpoints.base import Endpoint
from .endpoints.confirm import ConfirmPage
from .endpoints.discovery import DiscoveryEndpoint
from .endpoints.end_session import EndSessionPage
from .endpoints.introspection import IntrospectEndpoint
from .endpoints.jwks import KeysEndpoint
from .endpoints.login import LoginPage
from .endpoints.logo import LogoEndpoint
from .endpoints.revocation import RevokeEndpoint
from .endpoints.token import TokenEndpoint
from .endpoints.userinfo import UserInfoEndpoint
from .protocol.metadata import PATHS

app_name = "oidc_pkce"

APPLICATION = r"/(?P<application_id>[^/]+)"

ENDPOINTS: dict[str, type[Endpoint]] = {
    "token": TokenEndpoint,
    "authorize": AuthorizeEndpoint,
    "userinfo": UserInfoEndpoint,
    "introspect": IntrospectEndpoint,
    "revoke": RevokeEndpoint,
    "keys": KeysEndpoint,
    "confirm": ConfirmPage,
    "login": LoginPage,
    "logo": LogoEndpoint,
    "end_session": EndSessionPage,
}


def caseless(path: str) -> str:
    """A pattern that matches ``path`` whatever its case."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else re.escape(c) for c in path)


def _endpoint(name: str) -> URLPattern:
    pattern = f"^{caseless(PATHS[name])}{APPLICATION}/?$"
    made: URLPattern = re_path(pattern, ENDPOINTS[name].mounted(), name=name)
    return made


_openid = caseless(".well-known/openid-configuration")
_oauth = caseless(".well-known/oauth-authorization-server")

urlpatterns = [
    *(_endpoint(name) for name in ENDPOINTS),
    re_path(
        f"^{caseless(PATHS['end_session'])}/?$",
        EndSessionPage.mounted(),
        name="end_sessions",
    ),
    re_path(
        f"^(?P<application_id>[^/]+)/(?:{_openid}|{_oauth})/?$",
        DiscoveryEndpoint.mounted(),
        name="discovery",
    ),
]
