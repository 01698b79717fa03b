"""Who may call the management API: people of the administration, and bearers with the scope."""

from __future__ import annotations

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from ..conf import settings
from ..flows import administration
from ..flows.resource_server import Accepts, BearerToken
from ..protocol.access_token import challenge
from ..protocol.errors import BearerError, InvalidRequest, MissingToken
from ..resource_server import admission
from ..resource_server.admission import Refused
from ..resource_server.authentication import BearerRefused, OAuth2Authentication


class ManagementBearer(OAuth2Authentication):
    """Take tokens of the applications that ``MANAGEMENT_API`` names; without it, none.

    Of others the scope would say nothing: whoever manages an application can define any scope.
    """

    def authenticate(self, request: Request) -> tuple[Any, BearerToken] | None:
        """The user and the token; ``None`` when none was sent or none is taken."""
        if settings.management_api is None:
            return None
        try:
            return admission.identify(
                request._request, self.accepts(), self.user_for, required=False
            )
        except Refused as refused:
            raise _as_exception(refused) from None

    def authenticate_header(self, request: Request) -> str:
        """The challenge to a request without a token; nothing where no token is taken."""
        return challenge(MissingToken()) if settings.management_api else ""

    def accepts(self) -> Accepts:
        """Tokens of the named applications and of no other server."""
        configured = settings.management_api
        return admission.accepted(configured.applications if configured else (), "", ())


class ManagementSession(SessionAuthentication):
    """A person who signed in to the administration; a change needs the CSRF token."""


class MayAdminister(BasePermission):
    """Staff and service users; a bearer needs the management scope besides.

    What each may do is asked of :mod:`oidc_pkce.flows.administration`, per object.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether this user may come in at all. Raises ``BearerRefused``."""
        configured = settings.management_api
        if isinstance(request.auth, BearerToken) and configured:
            try:
                admission.require_scopes(request.user, request.auth, (configured.scope,))
            except Refused as refused:
                raise _as_exception(refused) from None
        return administration.may_administer(request.user)


def _as_exception(refused: Refused) -> BearerRefused:
    """The exception to raise; ``RESOURCE_SERVER`` and its metadata are about other APIs."""
    made = BearerRefused(refused)
    if made.auth_header and isinstance(refused.refusal, BearerError | InvalidRequest):
        made.auth_header = challenge(refused.refusal)
    return made
