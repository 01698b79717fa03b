"""Trade an authorization code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.6)."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import OuterRef

from ... import audit, signals
from ...models import AuthorizationCode, ClientAuthentication, Grant
from ...protocol.checks import Trace
from ...protocol.token import CODE_CHECKS, CodeQuestion, CodeRequest, SpentCode, TokenResponse
from .. import access, issuing
from .order import GrantOrder


def exchange(order: GrantOrder) -> TokenResponse:
    """Validate everything, then claim the code with one conditional write, then issue.

    Raises ``InvalidRequest``, ``InvalidClient``, ``InvalidTarget`` or ``InvalidGrant``. A second,
    otherwise valid use revokes the grant, and that outlives the refusal.
    """
    request = CodeRequest.read(order.parameters)
    code = _find(request.code)
    order.user_pk = code.grant.user_id if code else None
    try:
        order.trace.run(CODE_CHECKS, _question(order, request, code))
        assert code is not None  # noqa: S101 - code_is_known has just passed
        return _redeem(order, request, code)
    except SpentCode:
        assert code is not None  # noqa: S101 - only a known code can be spent
        _revoke(order, code.grant)
        raise


def _find(code: str | None) -> Any:
    """The code with its grant, its user and whether that user may: one statement."""
    if code is None:
        return None
    application = OuterRef("grant__application_id")
    return (
        AuthorizationCode.objects.for_code(code)
        .select_related("grant", "grant__user")
        .annotate(**access.expressions(user="grant__user_id", application=application))
        .first()
    )


def _question(order: GrantOrder, request: CodeRequest, code: Any) -> CodeQuestion:
    return CodeQuestion(
        request=request,
        application=order.application,
        client=order.client,
        code=code.facts() if code else None,
        access=access.of(code, code.grant.user) if code else None,
        now=order.now,
    )


def _redeem(order: GrantOrder, request: CodeRequest, code: AuthorizationCode) -> TokenResponse:
    signers = issuing.signers(order.application, order.now)
    with transaction.atomic():
        _claim(order, code, order.trace)
        return issuing.issue(_issue(order, request, code.grant), signers)


def _claim(order: GrantOrder, code: AuthorizationCode, trace: Trace) -> None:
    """Spend the code. Of all requests that got this far at once, one goes on."""
    if not AuthorizationCode.objects.filter(pk=code.pk).claim(order.now):
        refusal = SpentCode(detail="the code was redeemed at the same moment")
        trace.outcomes.pop()
        trace.refused("code.single_use", refusal)
        raise refusal
    _remember_authentication(order, code.grant)


def _remember_authentication(order: GrantOrder, grant: Grant) -> None:
    """What was issued to a secret is never refreshed or revoked without one.

    Only where an application serves both kinds of client does that have to be written down.
    """
    if order.application.is_openid_connect and order.client.is_authenticated:
        Grant.objects.filter(pk=grant.pk).update(client_authentication=ClientAuthentication.SECRET)


def _issue(order: GrantOrder, request: CodeRequest, grant: Grant) -> issuing.Issue:
    return issuing.Issue(
        application=order.application,
        grant=grant,
        user=grant.user,
        scopes=tuple(grant.scope.split()),
        resources=request.resources or tuple(grant.resources),
        now=order.now,
    )


def _revoke(order: GrantOrder, grant: Grant) -> None:
    """Take back what the first use gave (RFC 6749 §4.1.2); a transaction of its own."""
    with transaction.atomic():
        if not Grant.objects.filter(pk=grant.pk).revoke(order.now):
            return
        audit.record(
            audit.Action.CODE_REPLAYED,
            now=order.now,
            actor_pk=grant.user_id,
            application_pk=order.application.pk,
            application_name=order.application.name,
            client_id=order.client.client_id,
            details={"grant": str(grant.pk)},
        )
        transaction.on_commit(partial(_announce, grant))


def _announce(grant: Grant) -> None:
    signals.grant_revoked.send_robust(
        sender=Grant, grant_id=str(grant.pk), reason=audit.Action.CODE_REPLAYED.value
    )
