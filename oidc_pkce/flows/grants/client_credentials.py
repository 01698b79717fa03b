"""Give a client tokens of its own (RFC 6749 §4.4): nothing is written, unless they are opaque."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import F

from ...models import ClientAuthentication, Grant
from ...protocol import scope
from ...protocol.access import Access
from ...protocol.application import ApplicationFacts
from ...protocol.grants.client_credentials import (
    CLIENT_CREDENTIALS_CHECKS,
    ClientCredentialsQuestion,
)
from ...protocol.token import SCOPE_CHECKS, ScopeRequest, TokenResponse
from .. import access, issuing
from ..subject import subject_of
from .order import GrantOrder

#: An OpenID Connect client is no user: the application is its own, so only that is asked.
_ITSELF = Access(user_is_active=True, has_run_right=True, is_service_user=False, interactive=False)
_NOBODY = Access(
    user_is_active=False, has_run_right=False, is_service_user=False, interactive=False
)


def exchange(order: GrantOrder) -> TokenResponse:
    """Validate everything, then issue. Raises ``UnauthorizedClient`` or ``InvalidScope``."""
    user = _service_user(order.application, order.client.user_pk)
    order.user_pk = order.client.user_pk
    may = _access(order, user)
    question = ClientCredentialsQuestion(order.application, order.client, may)
    order.trace.run(CLIENT_CREDENTIALS_CHECKS, question)
    request = ScopeRequest.read(order.application, order.parameters, about_a_person=False)
    order.trace.run(SCOPE_CHECKS, request)
    signers = issuing.signers(order.application, order.now)
    return issuing.issue(_issue(order, request, user), signers)


def _service_user(application: ApplicationFacts, pk: Any) -> Any:
    """The user with what is asked of it, in one statement; ``None`` where there is none."""
    if pk is None:
        return None
    users = get_user_model()._base_manager.filter(pk=pk)
    answers = access.expressions(user="pk", application=application.pk)
    return users.annotate(subject=F("oidc_pkce_subject__identifier"), **answers).first()


def _access(order: GrantOrder, user: Any) -> Access:
    if order.client.user_pk is None:
        return _ITSELF
    if user is None:  # deleted since it was authenticated
        return _NOBODY
    return access.answer(
        user,
        has_run_right=user.has_run_right,
        is_service_user=user.is_service_user,
        interactive=False,
    )


def _issue(order: GrantOrder, request: ScopeRequest, user: Any) -> issuing.Issue:
    application, client_id = order.application, order.client.client_id
    never_stored = Grant(
        application_id=application.pk,
        user=user,
        client_id=client_id,
        client_authentication=ClientAuthentication.SECRET,
        subject=client_id if user is None else subject_of(application, user, user.subject),
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
