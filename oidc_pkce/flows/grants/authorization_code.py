"""Trade an authorization code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.6)."""

from __future__ import annotations

from django.db import models, transaction

from ... import audit
from ...models import AuthorizationCode, ClientAuthentication, Grant
from ...models.statement import UpdateStatement
from ...protocol.credential import Credential
from ...protocol.grants.authorization_code import (
    CODE_CHECKS,
    CodeQuestion,
    CodeRequest,
    SpentCode,
)
from ...protocol.token import TokenResponse
from .. import issuing, revocation
from ..actor import Actor
from . import refresh_token
from .order import GrantOrder
from .stored import Found, Stored

_codes = Stored(AuthorizationCode)


def exchange(order: GrantOrder) -> TokenResponse:
    """Validate everything, then claim the code with one conditional write, then issue.

    Raises ``InvalidRequest``, ``InvalidClient``, ``InvalidTarget`` or ``InvalidGrant``. A second,
    otherwise valid use revokes the grant, and that outlives the refusal.
    """
    request = CodeRequest.read(order.parameters)
    found = _codes.find(request.code)
    order.user_pk = found.grant.user_id if found else None
    try:
        order.trace.run(CODE_CHECKS, _question(order, request, found))
        assert found is not None  # noqa: S101 - code_is_known has just passed
        return _redeem(order, request, found)
    except SpentCode:
        assert found is not None  # noqa: S101 - only a known code can be spent
        # A transaction of its own: the refusal that follows must not undo it (RFC 6749 §4.1.2).
        client = Actor(name=order.client.client_id)
        reason = audit.Action.CODE_REPLAYED
        revocation.revoke(found.grant, actor=client, now=order.now, reason=reason)
        raise


def _question(
    order: GrantOrder, request: CodeRequest, found: Found[AuthorizationCode] | None
) -> CodeQuestion:
    return CodeQuestion(
        request=request,
        application=order.application,
        client=order.client,
        code=found.row.facts() if found else None,
        access=found.access if found else None,
        now=order.now,
    )


def _redeem(
    order: GrantOrder, request: CodeRequest, found: Found[AuthorizationCode]
) -> TokenResponse:
    """Sign only what was claimed: a signature that fails leaves the code usable."""
    signers = issuing.signers(order.application, order.now)
    with transaction.atomic():
        _claim(order, found)
        return issuing.issue(_issue(order, request, found), signers)


def _claim(order: GrantOrder, found: Found[AuthorizationCode]) -> None:
    """Spend the code. Of all requests that got this far at once, one goes on."""
    if not AuthorizationCode.objects.claim(bytes(found.row.digest), order.now):
        code = Credential("code", order.parameters.get("code") or "")
        refusal = SpentCode(detail="the code was redeemed at the same moment", credential=code)
        order.trace.refused("code.single_use", refusal)
        raise refusal
    _remember_authentication(order, found.grant)


_remember = UpdateStatement(
    lambda grant_id, proved: (
        Grant.objects.filter(pk=grant_id),
        {"client_authentication": proved},
    ),
    grant_id=models.UUIDField(),
    proved=models.CharField(),
)


def _remember_authentication(order: GrantOrder, grant: Grant) -> None:
    """What was issued to a secret is never refreshed or revoked without one.

    Authorize has written what it expected; only what turned out otherwise costs a statement.
    """
    authenticated = order.client.is_authenticated
    proved = ClientAuthentication.SECRET if authenticated else ClientAuthentication.NONE
    if grant.client_authentication != proved:
        _remember.run(grant_id=grant.pk, proved=proved.value)


def _issue(
    order: GrantOrder, request: CodeRequest, found: Found[AuthorizationCode]
) -> issuing.Issue:
    return issuing.Issue(
        application=order.application,
        grant=found.grant,
        user=found.user,
        scopes=tuple(found.grant.scope.split()),
        resources=request.resources or tuple(found.grant.resources),
        now=order.now,
        refresh_token=refresh_token.begin(order.application, found.grant, order.now),
    )
