"""Give a client tokens of its own (RFC 6749 §4.4): nothing is written, unless they are opaque."""

from __future__ import annotations

from ...models import ClientAuthentication, Grant
from ...protocol import scope
from ...protocol.access import ITSELF, Access
from ...protocol.grants.client_credentials import (
    CLIENT_CREDENTIALS_CHECKS,
    ClientCredentialsQuestion,
)
from ...protocol.token import SCOPE_CHECKS, ScopeRequest, TokenResponse
from .. import access, issuing
from ..access import Known
from ..subject import subject_of
from .order import GrantOrder

_NOBODY = Known(None, None, Access(False, False, is_service_user=False, interactive=False))


def exchange(order: GrantOrder) -> TokenResponse:
    """Validate everything, then issue. Raises ``UnauthorizedClient`` or ``InvalidScope``."""
    order.user_pk = order.client.user_pk
    known = _known(order)
    question = ClientCredentialsQuestion(
        order.application, order.client, known.access, order.address
    )
    order.trace.run(CLIENT_CREDENTIALS_CHECKS, question)
    request = ScopeRequest.read(order.application, order.parameters, about_a_person=False)
    order.trace.run(SCOPE_CHECKS, request)
    signers = issuing.signers(order.application, order.now)
    return issuing.issue(_issue(order, request, known), signers)


def _known(order: GrantOrder) -> Known:
    """The service user, before this application."""
    if order.client.user_pk is None:
        return Known(None, None, ITSELF)
    found = access.find(order.client.client_id, order.application.pk, interactive=False)
    return found or _NOBODY  # deleted since it was authenticated


def _issue(order: GrantOrder, request: ScopeRequest, known: Known) -> issuing.Issue:
    application, client_id, user = order.application, order.client.client_id, known.user
    never_stored = Grant(
        application_id=application.pk,
        user=user,
        client_id=client_id,
        client_authentication=ClientAuthentication.SECRET,
        subject=client_id if user is None else subject_of(application, user, known.identifier),
        auth_time=order.now,
    )
    return issuing.Issue(
        application=application,
        grant=never_stored,
        user=user,
        scopes=scope.parse(request.scope),
        resources=request.resources,
        now=order.now,
    )
