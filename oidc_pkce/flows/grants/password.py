"""Trade a person's password for tokens (RFC 6749 §4.3): only where an administrator ticked it."""

from __future__ import annotations

from django.db import transaction

from ...models import ClientAuthentication, Grant
from ...protocol import scope
from ...protocol.grants.password import (
    PASSWORD_CHECKS,
    PERSON_CHECKS,
    PasswordQuestion,
    PasswordRequest,
    PersonQuestion,
)
from ...protocol.token import SCOPE_CHECKS, ScopeRequest, TokenResponse
from .. import access, issuing, login, step_up
from ..access import Known
from ..login import Attempt, SignInBlocked, SignInRefused
from ..subject import subject_of
from . import refresh_token
from .order import GrantOrder

AMR = ("pwd",)  # RFC 8176 §2


def exchange(order: GrantOrder) -> TokenResponse:
    """Judge the request, then the password, then issue.

    Whatever is wrong with name, password or right is answered alike. Raises ``InvalidRequest``,
    ``UnauthorizedClient``, ``InvalidScope``, ``InvalidGrant`` or ``TemporarilyUnavailable``.
    """
    request = PasswordRequest.read(order.parameters)
    order.trace.run(PASSWORD_CHECKS, _question(order, request))
    asked = ScopeRequest.read(order.application, order.parameters, about_a_person=True)
    order.trace.run(SCOPE_CHECKS, asked)
    person, reason = _recognise(order, request)
    may = person.access if person else None
    order.trace.run(PERSON_CHECKS, PersonQuestion(order.application, may, reason))
    assert person is not None  # noqa: S101 - person_is_recognised has just passed
    return _grant(order, asked, person)


def _question(order: GrantOrder, request: PasswordRequest) -> PasswordQuestion:
    return PasswordQuestion(
        request=request,
        client=order.client,
        application=order.application,
        address=order.address,
        is_strong_enough=step_up.password_is_enough(order.application),
    )


def _recognise(order: GrantOrder, request: PasswordRequest) -> tuple[Known | None, str]:
    """Whose password it is; or nobody, and the reason for the trace."""
    attempt = Attempt(
        username=request.name,
        password=request.password or "",
        address=order.address,
        application=order.application,
        now=order.now,
        client_id=order.client.client_id,
    )
    try:
        user = login.sign_in(attempt, order.authenticate)
    except SignInBlocked:
        return None, "too many attempts failed lately"
    except SignInRefused:
        return None, "user name or password is wrong, or the user may not sign in"
    order.user_pk = user.pk
    found = access.find(user.get_username(), order.application.pk, interactive=True)
    return found, "the user is gone"  # deleted since the password was looked at


def _grant(order: GrantOrder, asked: ScopeRequest, person: Known) -> TokenResponse:
    application, scopes = order.application, scope.parse(asked.scope)
    signers = issuing.signers(application, order.now)
    with transaction.atomic():
        grant = Grant.objects.create(
            application_id=application.pk,
            user=person.user,
            client_id=order.client.client_id,
            client_authentication=ClientAuthentication.SECRET,
            scope=scope.render(scopes),
            resources=list(asked.resources),
            subject=subject_of(application, person.user, person.identifier),
            amr=list(AMR),
            auth_time=order.now,
            created_at=order.now,
            expires_at=order.now + application.longest_grant,
        )
        issue = issuing.Issue(
            application=application,
            grant=grant,
            user=person.user,
            scopes=scopes,
            resources=asked.resources,
            now=order.now,
            refresh_token=refresh_token.begin(application, grant, order.now),
        )
        return issuing.issue(issue, signers)
