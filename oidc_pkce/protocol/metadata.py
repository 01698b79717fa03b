"""Where each endpoint is, and the metadata documents that say so.

OpenID Connect Discovery §3, RFC 8414 §2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from . import id_token, redirect_uri, request_object
from .application import ApplicationFacts, Flow
from .authorization import PROMPTS, RESPONSE_MODES, challenge_methods
from .redirect_uri import origin
from .response_type import offered
from .scope import OPENID
from .token import offered_grants

IMPLICIT = "implicit"
PATHS = {
    "authorize": "OAuth2/Authorize",
    "confirm": "OAuth2/Confirm",
    "login": "OAuth2/Login",
    "logo": "OAuth2/Logo",
    "token": "OAuth2/Token",
    "keys": "OAuth2/Keys",
    "userinfo": "OAuth2/UserInfo",
    "introspect": "OAuth2/Introspect",
    "revoke": "OAuth2/Revoke",
    "end_session": "OAuth2/EndSession",
}

OWN_CLAIMS = (
    *("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "unique_name"),
    *("acr", "amr", "azp", "sid"),
)


@dataclass(frozen=True, slots=True)
class Locations:
    """The public URLs of one application under a base URL that ends without a slash."""

    base: str
    application_id: str

    @property
    def issuer(self) -> str:
        """The default issuer, with its trailing slash."""
        return f"{self.base}/{self.application_id}/"

    @property
    def discovery(self) -> str:
        """The OpenID Connect metadata document."""
        return f"{self.issuer}.well-known/openid-configuration"

    def of(self, endpoint: str) -> str:
        """The URL of an endpoint named in ``PATHS``."""
        return f"{self.base}/{PATHS[endpoint]}/{self.application_id}"


def issuer_problem(issuer: str) -> str | None:
    """Why a text cannot be an issuer (RFC 8414 §2): a fragment of a sentence, or ``None``."""
    parts = urlsplit(issuer)
    if redirect_uri.problem(issuer) or redirect_uri.kind(issuer) == "custom":
        return "it must be an https address, or http on this machine"
    if parts.query or "?" in issuer:
        return "it must not hold a query"
    return None


def document(
    application: ApplicationFacts,
    locations: Locations,
    *,
    claims: Sequence[str],
    acr_values: Sequence[str],
    locales: Sequence[str],
) -> dict[str, Any]:
    """The metadata of one application: exactly what works, and nothing else."""
    return {
        "issuer": application.issuer,
        "authorization_endpoint": locations.of("authorize"),
        "token_endpoint": locations.of("token"),
        "userinfo_endpoint": locations.of("userinfo"),
        "jwks_uri": locations.of("keys"),
        "end_session_endpoint": locations.of("end_session"),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "revocation_endpoint": locations.of("revoke"),
        "revocation_endpoint_auth_methods_supported": authentication_methods(application),
        **_introspection(application, locations),
        "response_types_supported": list(offered(application)),
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": grant_types(application),
        "scopes_supported": list(application.known_scopes),
        "claims_supported": list(dict.fromkeys((*OWN_CLAIMS, *claims))),
        "subject_types_supported": [application.subject_type.value],
        "id_token_signing_alg_values_supported": [id_token.ALGORITHM],
        "code_challenge_methods_supported": list(challenge_methods(application)),
        "token_endpoint_auth_methods_supported": authentication_methods(application),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": bool(application.client_jwks),
        "request_uri_parameter_supported": False,
        **_request_objects(application),
        **_sign_in(application, acr_values),
        "prompt_values_supported": list(PROMPTS),
        "ui_locales_supported": list(locales),
    }


def _request_objects(application: ApplicationFacts) -> dict[str, list[str]]:
    """What may sign a request object, where the application knows its client's keys."""
    if not application.client_jwks:
        return {}
    return {"request_object_signing_alg_values_supported": list(request_object.ALGORITHMS)}


def _sign_in(application: ApplicationFacts, acr_values: Sequence[str]) -> dict[str, Any]:
    """What only a request with openid can ask for."""
    if OPENID not in application.known_scopes:
        return {"claims_parameter_supported": False}
    return {"claims_parameter_supported": True, "acr_values_supported": list(acr_values)}


def grant_types(application: ApplicationFacts) -> list[str]:
    """The grants that the Tokens page ticks and this server answers."""
    implicit = [IMPLICIT] if Flow.IMPLICIT in application.flows else []
    return [*offered_grants(application), *implicit]


def authentication_methods(application: ApplicationFacts) -> list[str]:
    """How a client of this application may prove itself at the token and revocation endpoints."""
    with_secret = ["client_secret_basic", "client_secret_post"]
    if application.is_openid_connect:
        return with_secret if application.require_client_secret else [*with_secret, "none"]
    return ["none"] if application.client_id_type.is_public else with_secret


def _introspection(application: ApplicationFacts, locations: Locations) -> dict[str, Any]:
    """Only a client with a secret may ask; where no client has one, there is nothing to list."""
    methods = [name for name in authentication_methods(application) if name != "none"]
    if not methods:
        return {}
    return {
        "introspection_endpoint": locations.of("introspect"),
        "introspection_endpoint_auth_methods_supported": methods,
    }


def script_origins(application: ApplicationFacts) -> frozenset[str]:
    """The browser origins that may call this application's endpoints (Fetch, CORS protocol)."""
    redirects = (origin(uri) for uri in application.redirect_uris)
    return frozenset((*filter(None, redirects), *application.trusted_origins))
