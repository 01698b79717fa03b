"""Authentication by access token for Django REST framework (RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from ..flows.resource_server import Accepts, BearerToken
from . import admission
from .admission import Refused

__all__ = ["BearerRefused", "BearerToken", "OAuth2Authentication", "RemoteIssuerAuthentication"]


class BearerRefused(APIException):
    """A refusal as REST framework answers it: status, members and headers are RFC 6750's."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.body, code=refused.refusal.error)
        self.status_code = refused.status
        self.auth_header = refused.challenge
        self.wait = refused.retry_after


class OAuth2Authentication(BaseAuthentication):
    """Take access tokens that this server issued: from its own database, without a request.

    ``request.user`` is the user, ``request.auth`` a :class:`BearerToken`. What is ``None`` here is
    as ``OIDC_PKCE["RESOURCE_SERVER"]`` says; one of the two must name ``applications`` or an
    ``audience``. Tokens of ``issuers``, other servers, are taken beside our own.
    """

    applications: ClassVar[Sequence[str] | None] = None
    audience: ClassVar[str | None] = None
    issuers: ClassVar[Sequence[str] | None] = None
    takes_own: ClassVar[bool] = True

    def authenticate(self, request: Request) -> tuple[Any, BearerToken] | None:
        """The user and the token; ``None`` when none was sent. Raises ``BearerRefused``."""
        try:
            return admission.identify(
                request._request, self.accepts(), self.user_for, required=False
            )
        except Refused as refused:
            raise as_exception(refused, request) from None

    def authenticate_header(self, request: Request) -> str:
        """The challenge to a request without a token (RFC 6750 §3)."""
        forbid_caching(request)
        return admission.bare_challenge(request._request, self.accepts())

    def accepts(self) -> Accepts:
        """Whose tokens are taken. Raises ``ImproperlyConfigured`` when nothing says so."""
        return admission.accepted(
            self.applications, self.audience, self.issuers, takes_own=self.takes_own
        )

    def user_for(self, claims: Mapping[str, Any]) -> Any:
        """The user of this project whom another server's token stands for.

        ``None`` stands for nobody here: ``request.user`` is then a ``TokenUser``. A subject is
        unique within its issuer only: look at ``iss`` AND ``sub``.
        """
        return None


class RemoteIssuerAuthentication(OAuth2Authentication):
    """Take access tokens of other servers only, and look at no table."""

    takes_own = False


def as_exception(refused: Refused, request: Request) -> BearerRefused:
    """The exception to raise for a refusal, whose answer no cache keeps."""
    forbid_caching(request)
    return BearerRefused(refused)


def forbid_caching(request: Request) -> None:
    """Keep the answer that is about to be given out of every cache."""
    view = (request.parser_context or {}).get("view")
    if view is not None and hasattr(view, "headers"):
        view.headers["Cache-Control"] = "no-store"
