"""Build and sign tokens: the only place that does."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .. import identifiers
from ..models import AccessToken, Grant
from ..protocol import access_token, id_token, jose
from ..protocol.access_token import TokenFacts
from ..protocol.application import ApplicationFacts, TokenType
from ..protocol.response_mode import Fields
from ..protocol.response_type import ID_TOKEN, ResponseType
from ..protocol.scope import OPENID
from ..protocol.subject import session_for
from ..protocol.token import TokenResponse
from . import account_mapping, claims, keys


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
        id_token=_id_token(order, facts, by, access_token=token) if wants_id_token else None,
        refresh_token=order.refresh_token,
    )


def front_channel(order: Issue, asked: ResponseType, code: str | None, by: Signers) -> Fields:
    """The tokens in an answer of the authorization endpoint (OpenID Connect Core §3.3.2.5).

    Never a refresh token. ``code`` is that of the same answer: the ID token is bound to it.
    """
    facts = token_facts(order)
    token = _access_token(order, facts, by) if asked.has_token else None
    fields: Fields = ()
    if token is not None:
        answer = TokenResponse(token, facts.expires_at - facts.issued_at, facts.scope)
        fields = tuple((name, str(value)) for name, value in answer.members().items())
    if asked.has_id_token:
        # Without an access token nobody can ask UserInfo (Core §5.4).
        alone = asked.wanted == {ID_TOKEN}
        made = _id_token(order, facts, by, access_token=token, code=code, tells_scopes=alone)
        fields += ((ID_TOKEN, made),)
    return fields


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
        sid=session_for(application, grant.sid),
        amr=tuple(grant.amr),
        acr=grant.acr,
    )


def _login_name(order: Issue) -> str:
    if order.user is None:
        return order.grant.client_id
    return account_mapping.user_name(order.application, order.user)


def audience(
    application: ApplicationFacts, client_id: str, resources: Sequence[str]
) -> tuple[str, ...]:
    """Whom an access token is for: the resources asked for, else Audience, else the client."""
    return tuple(resources) or (application.audience or client_id,)


def _access_token(order: Issue, facts: TokenFacts, by: Signers) -> str:
    if order.application.token_type is TokenType.OPAQUE:
        return _opaque(order, facts)
    application, user = order.application, order.user
    extra = {} if user is None else claims.access_token(application, user, order.scopes)
    members = access_token.claims(facts, jti=uuid.uuid4().hex, extra=extra)
    return jose.sign(members, by.access_token, typ=application.access_token_typ)


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


def _id_token(
    order: Issue,
    facts: TokenFacts,
    by: Signers,
    *,
    access_token: str | None,
    code: str | None = None,
    tells_scopes: bool = False,
) -> str:
    # Whoever refreshes sent no nonce with it (OpenID Connect Core §12.2).
    extra = claims.id_token(
        order.application,
        order.user,
        order.scopes,
        order.grant.requested_claims,
        tells_scopes=tells_scopes or order.application.claims_in_id_token,
    )
    members = id_token.claims(
        replace(facts, nonce=None) if order.is_refresh else facts,
        algorithm=by.id_token.algorithm,
        access_token=access_token,
        code=code,
        extra=extra,
    )
    return jose.sign(members, by.id_token, typ=id_token.TYP)
