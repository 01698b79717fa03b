"""What the traffic of an application used, feature by feature: what posture is judged on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from . import jose, redirect_uri, token
from .application import ApplicationFacts, TokenType
from .authorization import AuthorizationRequest
from .parameters import Parameters
from .response_type import KNOWN, ResponseType

NONE, NAMED = "none", "named"


class Feature(StrEnum):
    """One thing that a granted request did in one of several ways; the values stand beside it."""

    RESPONSE_TYPE = "response_type"  # as KNOWN spells it: "code", "id_token token"
    RESPONSE_MODE = "response_mode"  # query, fragment, form_post
    CODE_CHALLENGE = "code_challenge"  # none, plain, S256; only where a code was issued
    REQUEST_OBJECT = "request_object"  # none, or the algorithm that signed it
    GRANT_TYPE = "grant_type"  # as it was sent: authorization_code, refresh_token, password
    CLIENT_AUTHENTICATION = "client_authentication"  # none, basic, post
    ALGORITHM = "algorithm"  # of the access token: RS256, ES256, or Opaque
    RESOURCE = "resource"  # named, or none (RFC 8707); not noted of a refresh, which inherits it
    REDIRECT_URI = "redirect_uri"  # https, loopback, custom


Used = Mapping[Feature, str]


def of_authorization(
    application: ApplicationFacts, request: AuthorizationRequest, signed_with: str
) -> Used:
    """What an authorization request used that was granted; ``signed_with`` of its object."""
    asked, challenge = request.response_type, request.challenge
    used = {
        Feature.RESPONSE_TYPE: _spelled(asked),
        Feature.RESPONSE_MODE: str(request.response_mode),
        Feature.REQUEST_OBJECT: signed_with or NONE,
        Feature.RESOURCE: NAMED if request.resources else NONE,
        Feature.REDIRECT_URI: redirect_uri.kind(request.redirect_uri),
    }
    if asked.has_code:
        used[Feature.CODE_CHALLENGE] = challenge.method if challenge else NONE
    if asked.has_token:
        used[Feature.ALGORITHM] = _algorithm(application)
    return used


def of_token_request(
    application: ApplicationFacts, parameters: Parameters, *, proved: bool, by_header: bool
) -> Used:
    """What a token request used that was granted: the client ``proved`` itself, or it is public."""
    grant_type = parameters.get("grant_type") or ""
    used = {
        Feature.GRANT_TYPE: grant_type,
        Feature.CLIENT_AUTHENTICATION: _way(by_header) if proved else NONE,
        Feature.ALGORITHM: _algorithm(application),
    }
    if grant_type != token.REFRESH_TOKEN:
        used[Feature.RESOURCE] = NAMED if "resource" in parameters.names else NONE
    return used


def algorithm_of_object(parameters: Parameters) -> str:
    """What a request object is signed with that was verified; nothing where there is none."""
    sent = parameters.get("request")
    return str(jose.unverified_header(sent).get("alg", "")) if sent else ""


def _spelled(asked: ResponseType) -> str:
    return next(each.sent for each in KNOWN if each.wanted == asked.wanted)


def _way(by_header: bool) -> str:
    return "basic" if by_header else "post"


def _algorithm(application: ApplicationFacts) -> str:
    kind = application.token_type
    return str(kind) if kind is TokenType.OPAQUE else kind.algorithm
