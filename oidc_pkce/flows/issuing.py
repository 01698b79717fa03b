"""Build and sign tokens: the only place that does."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .. import identifiers
from ..conf import settings
from ..models import AccessToken, Grant
from ..protocol import access_token, id_token, jose
from ..protocol.access_token import TokenFacts
from ..protocol.application import ApplicationFacts, TokenType
from ..protocol.token import TokenResponse
from . import keys

OPENID = "openid"


@dataclass(frozen=True, slots=True)
class Signers:
    """The parsed keys of one request, fetched before its transaction begins."""

    access_token: jose.SigningKey
    id_token: jose.SigningKey


@dataclass(frozen=True, slots=True)
class Issue:
    """Everything that the tokens of one answer are made of.

    A client that acts for itself has a grant, too, which is never stored; ``user`` is ``None``
    where it is no service user. ``refresh_token`` goes along with the answer.
    """

    application: ApplicationFacts
    grant: Grant
    user: Any
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    now: datetime
    is_refresh: bool = False
    refresh_token: str | None = field(default=None, repr=False)

    @property
    def is_about_a_person(self) -> bool:
        """Whether somebody granted this, so that there is a grant to find and to revoke."""
        return not self.grant._state.adding


def signers(application: ApplicationFacts, now: datetime) -> Signers:
    """The keys for this application. Making a missing one writes, so ask outside a transaction."""
    return Signers(
        access_token=keys.signer(application.algorithm, now),
        id_token=keys.signer(id_token.ALGORITHM, now),
    )


def issue(order: Issue, by: Signers) -> TokenResponse:
    """The answer of the token endpoint: an access token, and an ID token for ``openid``."""
    facts = token_facts(order)
    token = _access_token(order, facts, by)
    wants_id_token = OPENID in order.scopes and order.is_about_a_person
    return TokenResponse(
        access_token=token,
        expires_in=facts.expires_at - facts.issued_at,
        scope=facts.scope,
        id_token=_id_token(order, facts, token, by) if wants_id_token else None,
        refresh_token=order.refresh_token,
    )


def token_facts(order: Issue) -> TokenFacts:
    """What every token of this answer says."""
    application, grant = order.application, order.grant
    issued_at = int(order.now.timestamp())
    return TokenFacts(
        issuer=application.issuer,
        subject=grant.subject,
        client_id=grant.client_id,
        grant_id=grant.pk.hex if order.is_about_a_person else None,
        application_id=application.application_id,
        audience=audience(application, grant.client_id, order.resources),
        login_name=_login_name(order),
        auth_time=int(grant.auth_time.timestamp()),
        issued_at=issued_at,
        expires_at=issued_at + int(application.access_token_lifetime.total_seconds()),
        scope=" ".join(order.scopes),
        nonce=grant.nonce or None,
        sid=grant.sid,
        amr=tuple(grant.amr),
    )


def _login_name(order: Issue) -> str:
    if order.user is None:
        return order.grant.client_id
    return str(settings.claims_provider.login_name(order.user))


def audience(
    application: ApplicationFacts, client_id: str, resources: Sequence[str]
) -> tuple[str, ...]:
    """Whom an access token is for: the resources asked for, else Audience, else the client."""
    return tuple(resources) or (application.audience or client_id,)


def _access_token(order: Issue, facts: TokenFacts, by: Signers) -> str:
    if order.application.token_type is TokenType.OPAQUE:
        return _opaque(order, facts)
    provider, user = settings.claims_provider, order.user
    extra = {} if user is None else provider.access_token(user, order.scopes)
    claims = access_token.claims(facts, jti=uuid.uuid4().hex, extra=extra)
    return jose.sign(claims, by.access_token, typ=order.application.access_token_typ)


def _opaque(order: Issue, facts: TokenFacts) -> str:
    token = identifiers.new_secret()
    AccessToken.objects.create(
        digest=identifiers.digest(token),
        grant=order.grant if order.is_about_a_person else None,
        application_id=order.application.pk,
        user_id=order.grant.user_id,
        client_id=facts.client_id,
        subject=facts.subject,
        scope=facts.scope,
        audience=list(facts.audience),
        issued_at=order.now,
        expires_at=order.now + order.application.access_token_lifetime,
    )
    return token


def _id_token(order: Issue, facts: TokenFacts, token: str, by: Signers) -> str:
    # Whoever refreshes sent no nonce with it (OpenID Connect Core §12.2).
    claims = id_token.claims(
        replace(facts, nonce=None) if order.is_refresh else facts,
        algorithm=by.id_token.algorithm,
        access_token=token,
        extra=settings.claims_provider.id_token(order.user, order.scopes),
    )
    return jose.sign(claims, by.id_token, typ=id_token.TYP)
