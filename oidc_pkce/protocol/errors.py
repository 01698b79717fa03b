"""Every error that an endpoint may answer, as classes with their wire codes.

The TYPE decides where an error may travel, never an ``if``::

    OAuthError
    ├── DirectError          a page for the person; never leaves by a redirect
    │   ├── UnknownApplication, UnknownClient, UnusableRedirectUri, UnreadableRequest, StalePage,
    │       ForeignForm
    ├── TemporarilyUnavailable   nothing is wrong with the request: a page, or JSON
    │   ├── KeysUnavailable
    ├── RedirectableError    may travel to a verified redirect URI; JSON on the back channel
    │   ├── InvalidRequest, InvalidScope, InvalidTarget, UnsupportedResponseType
    │   ├── RequestNotSupported, RequestUriNotSupported, InvalidRequestObject
    │   ├── AccessDenied, LoginRequired, ConsentRequired, InteractionRequired,
    │       UnmetAuthenticationRequirements
    └── BackChannelError     JSON from the token endpoint and its siblings
        ├── InvalidClient, InvalidGrant, UnauthorizedClient, UnsupportedGrantType
        └── BearerError      a resource's answer with WWW-Authenticate (RFC 6750 §3)
            ├── MissingToken, InvalidToken, InsufficientScope
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import ClassVar

from .credential import Credential
from .near_miss import NearMiss


class OAuthError(Exception):
    """A refusal. ``description`` is public; everything else is for the trace only.

    ``received`` and ``expected`` are what a check compared; a check never puts a credential there,
    but into ``credential``. ``near_misses`` name how the two differ, where that is a known mistake;
    ``elsewhere`` is the key of the application to which what was presented belongs.
    """

    error: ClassVar[str] = "server_error"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    default_description: ClassVar[str] = ""

    def __init__(
        self,
        description: str = "",
        *,
        received: str | None = None,
        expected: Sequence[str] | None = None,
        detail: str = "",
        near_misses: Sequence[NearMiss] = (),
        credential: Credential | None = None,
        elsewhere: int | None = None,
    ) -> None:
        self.description = description or self.default_description
        self.received = received
        self.expected = expected
        self.detail = detail
        self.near_misses = tuple(near_misses)
        self.credential = credential
        self.elsewhere = elsewhere
        super().__init__(f"{self.error}: {self.description}")


class DirectError(OAuthError):
    """Shown to the person as a page: the redirect URI cannot be trusted (RFC 6749 §4.1.2.1)."""

    error = "invalid_request"


class UnknownApplication(DirectError):
    """No enabled or disabled application has this Application ID."""

    status = HTTPStatus.NOT_FOUND
    default_description = "unknown app"


class UnknownClient(DirectError):
    """The ``client_id`` is not one that this application serves."""

    error = "unauthorized_client"
    default_description = "unknown client"


class UnusableRedirectUri(DirectError):
    """The ``redirect_uri`` is missing, malformed or not registered."""

    default_description = "unusable redirect_uri"


class UnreadableRequest(DirectError):
    """The parameters that decide where an answer goes cannot be read."""

    default_description = "unreadable request"


class StalePage(DirectError):
    """A sign-in or consent page was posted too late, or from another browser session."""

    default_description = "this page is no longer valid"


class ForeignForm(DirectError):
    """A form of ours was posted without the token that this browser was given with the page."""

    error = "access_denied"
    status = HTTPStatus.FORBIDDEN
    default_description = "this form did not come from this page"


class TemporarilyUnavailable(OAuthError):
    """Too much at once, or the storage does not answer; ``retry_after`` is in seconds."""

    error = "temporarily_unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    default_description = "the server is busy, try again in a moment"
    retry_after: ClassVar[int] = 2


class KeysUnavailable(TemporarilyUnavailable):
    """The keys of another server, which issued the access token, cannot be fetched just now."""

    default_description = "the keys of the token's issuer cannot be fetched, try again in a moment"
    retry_after = 30


class RedirectableError(OAuthError):
    """May be sent to the client's redirect URI once that has been verified."""


class InvalidRequest(RedirectableError):
    """A parameter is missing, repeated, malformed or oversized (RFC 6749 §4.1.2.1, §5.2)."""

    error = "invalid_request"


class InvalidScope(RedirectableError):
    """A scope is unknown, malformed, or wider than what was granted."""

    error = "invalid_scope"


class InvalidTarget(RedirectableError):
    """A ``resource`` is malformed or wider than what was granted (RFC 8707 §2)."""

    error = "invalid_target"


class UnsupportedResponseType(RedirectableError):
    """The ``response_type`` is unknown, or this application does not offer it."""

    error = "unsupported_response_type"


class RequestNotSupported(RedirectableError):
    """The ``request`` parameter is not offered (OpenID Connect Core §6.1)."""

    error = "request_not_supported"
    default_description = "request objects are not supported"


class RequestUriNotSupported(RedirectableError):
    """The ``request_uri`` parameter is not offered (OpenID Connect Core §6.2)."""

    error = "request_uri_not_supported"
    default_description = "request_uri is not supported"


class InvalidRequestObject(RedirectableError):
    """The request object is forged, out of time, another client's, or no object (RFC 9101 §7)."""

    error = "invalid_request_object"
    default_description = "the request object is not valid"


class AccessDenied(RedirectableError):
    """The person refused, or may not use the application."""

    error = "access_denied"
    default_description = "access denied"


class LoginRequired(RedirectableError):
    """``prompt=none``, but somebody would have to sign in."""

    error = "login_required"
    default_description = "sign-in is needed"


class ConsentRequired(RedirectableError):
    """``prompt=none``, but this user has not allowed this client."""

    error = "consent_required"
    default_description = "consent is needed"


class InteractionRequired(RedirectableError):
    """``prompt=none``, but the person would have to prove more than the password."""

    error = "interaction_required"
    default_description = "a stronger sign-in is needed"


class UnmetAuthenticationRequirements(RedirectableError):
    """The essential ``acr`` cannot be reached (Core Unmet Authentication Requirements §2)."""

    error = "unmet_authentication_requirements"
    default_description = "none of the requested acr values can be reached"


class BackChannelError(OAuthError):
    """Answered as JSON to the client itself, never through a browser (RFC 6749 §5.2)."""


class InvalidClient(BackChannelError):
    """The client is unknown, or did not prove itself as it must.

    ``challenge`` says that Basic was used, so that the answer is a 401 (RFC 6749 §5.2).
    """

    error = "invalid_client"
    default_description = "invalid client creds"
    challenge: bool = False


class InvalidGrant(BackChannelError):
    """The code or refresh token is unknown, spent, expired, or another client's."""

    error = "invalid_grant"
    default_description = "supplied code does not match known request"


class UnauthorizedClient(BackChannelError):
    """The application does not offer this grant to this client."""

    error = "unauthorized_client"


class UnsupportedGrantType(BackChannelError):
    """The ``grant_type`` is not one that this server knows."""

    error = "unsupported_grant_type"
    default_description = "invalid grant type"


class BearerError(BackChannelError):
    """A protected resource's refusal, carried by ``WWW-Authenticate`` (RFC 6750 §3)."""

    status = HTTPStatus.UNAUTHORIZED


class MissingToken(BearerError):
    """No access token was sent: the challenge carries no error code (RFC 6750 §3.1)."""

    error = "missing_token"
    default_description = "an access token is needed"


class InvalidToken(BearerError):
    """The access token is malformed, expired, revoked, or another application's."""

    error = "invalid_token"
    default_description = "the access token is not valid"


class InsufficientScope(BearerError):
    """The access token is good, but its scopes do not open this (RFC 6750 §3.1).

    ``scopes`` are those that would, all of them; none where a path decides.
    """

    error = "insufficient_scope"
    status = HTTPStatus.FORBIDDEN
    default_description = "the scopes of the access token do not open this"
    scopes: Sequence[str] = ()
