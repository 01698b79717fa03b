"""Trade a refresh token for fresh tokens (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction

from ... import audit, identifiers
from ...conf import settings
from ...models import ClientAuthentication, Grant, RefreshToken
from ...protocol.application import ApplicationFacts
from ...protocol.errors import InvalidGrant
from ...protocol.grants.refresh_token import (
    REFRESH_CHECKS,
    RefreshQuestion,
    RefreshRequest,
    RefreshTokenFacts,
    SpentRefreshToken,
    successors,
    token_is_unspent,
)
from ...protocol.token import TokenResponse
from .. import issuing, revocation
from ..actor import Actor
from .order import GrantOrder
from .stored import Found, Stored

_tokens = Stored(RefreshToken)


def begin(application: ApplicationFacts, grant: Grant, now: datetime) -> str | None:
    """The first refresh token of a grant, where the application issues any."""
    if not application.issues_refresh_tokens:
        return None
    token = identifiers.new_secret()
    # The grant's end was written when the person said yes; lifetimes may have changed since.
    expires_at = min(now + application.refresh_token_lifetime, grant.expires_at)
    _store(token, grant, now, expires_at=expires_at)
    return token


def exchange(order: GrantOrder) -> TokenResponse:
    """Validate everything, then claim the token with one conditional write, then issue.

    Raises ``InvalidRequest``, ``InvalidClient``, ``InvalidScope``, ``InvalidTarget`` or
    ``InvalidGrant``. An otherwise valid use of a token that was used too long ago revokes the
    grant, and that outlives the refusal.
    """
    request = RefreshRequest.read(order.parameters)
    found = _tokens.find(request.token)
    order.user_pk = found.grant.user_id if found else None
    question = _question(order, request, found)
    try:
        order.trace.run(REFRESH_CHECKS, question)
        assert found is not None  # noqa: S101 - token_is_known has just passed
        return _refresh(order, question, found)
    except SpentRefreshToken:
        assert found is not None  # noqa: S101 - only a known token can be spent
        # A transaction of its own: the refusal that follows must not undo it (RFC 9700 §4.14.2).
        client = Actor(name=order.client.client_id)
        reason = audit.Action.REFRESH_TOKEN_REPLAYED
        revocation.revoke(found.grant, actor=client, now=order.now, reason=reason)
        raise


def _question(
    order: GrantOrder, request: RefreshRequest, found: Found[RefreshToken] | None
) -> RefreshQuestion:
    return RefreshQuestion(
        request=request,
        application=order.application,
        client=order.client,
        token=_facts(found) if found else None,
        access=found.access if found else None,
        window=settings.refresh_token_reuse_window,
        now=order.now,
    )


def _facts(found: Found[RefreshToken]) -> RefreshTokenFacts:
    token, grant = found.row, found.grant
    return RefreshTokenFacts(
        application_pk=grant.application_id,
        client_id=grant.client_id,
        was_authenticated=grant.client_authentication == ClientAuthentication.SECRET,
        scope=grant.scope,
        resources=tuple(grant.resources),
        seed=bytes(token.seed),
        expires_at=token.expires_at,
        used_at=token.used_at,
        grant_is_revoked=grant.revoked_at is not None,
    )


def _refresh(
    order: GrantOrder, question: RefreshQuestion, found: Found[RefreshToken]
) -> TokenResponse:
    """Sign only what was claimed: a signature that fails leaves the token usable."""
    signers = issuing.signers(order.application, order.now)
    with transaction.atomic():
        refresh_token = _rotate(order, question, found) if question.rotates else _same(question)
        _remember_secret(order, question, found)
        return issuing.issue(_issue(order, question, found, refresh_token), signers)


def _remember_secret(
    order: GrantOrder, question: RefreshQuestion, found: Found[RefreshToken]
) -> None:
    """What is issued to a secret from now on is never refreshed without one."""
    if order.client.is_authenticated and not question.stored.was_authenticated:
        proved = ClientAuthentication.SECRET
        Grant.objects.filter(pk=found.grant.pk).update(client_authentication=proved)


def _same(question: RefreshQuestion) -> str | None:
    return question.request.token


def _rotate(order: GrantOrder, question: RefreshQuestion, found: Found[RefreshToken]) -> str:
    """The successor: stored by the one request that spends the token, derived by all others."""
    token, seed = question.request.token or "", question.stored.seed
    derived = successors(token, seed, settings.refresh_token_secrets)
    if question.stored.used_at is None and RefreshToken.objects.claim(
        bytes(found.row.digest), order.now
    ):
        successor = next(derived)
        _store(successor, found.grant, order.now, expires_at=question.stored.expires_at)
        return successor
    if question.window <= timedelta(0):
        raise _spent(order)
    return _stored_one(order, derived)


def _stored_one(order: GrantOrder, derived: Iterator[str]) -> str:
    """Of the successors under each server secret the one that was stored.

    A server that lost the secret cannot name it: it refuses, but a reuse this early ends nothing.
    """
    for successor in derived:
        if RefreshToken.objects.filter(pk=_digest(successor)).exists():
            return successor
    refusal = InvalidGrant(
        detail="the secret that derived its successor is not in SECRET_KEY_FALLBACKS"
    )
    order.trace.refused(token_is_unspent.id, refusal)
    raise refusal


def _spent(order: GrantOrder) -> SpentRefreshToken:
    refusal = SpentRefreshToken(detail="the refresh token was used at the same moment")
    order.trace.refused(token_is_unspent.id, refusal)
    return refusal


def _digest(token: str) -> bytes:
    return identifiers.digest(token)


def _store(token: str, grant: Grant, now: datetime, *, expires_at: datetime) -> None:
    RefreshToken.objects.create(
        digest=_digest(token), grant=grant, created_at=now, expires_at=expires_at
    )


def _issue(
    order: GrantOrder,
    question: RefreshQuestion,
    found: Found[RefreshToken],
    refresh_token: str | None,
) -> issuing.Issue:
    return issuing.Issue(
        application=order.application,
        grant=found.grant,
        user=found.user,
        scopes=question.scopes,
        resources=question.request.resources or question.stored.resources,
        now=order.now,
        is_refresh=True,
        refresh_token=refresh_token,
    )
