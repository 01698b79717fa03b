"""What an access token turns out to be, whoever presents it: JWT or opaque, of a person or not."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.utils.functional import SimpleLazyObject

from .. import identifiers
from ..models import AccessToken, Application, Grant, RevokedToken, Right, Subject, has_right
from ..models.application_facts import FACTS, facts_of, scope_names
from ..models.statement import Statement, columns, instance
from ..protocol import jose
from ..protocol.access import ITSELF, Access
from ..protocol.access_token import AT_JWT, JWT, is_access_token
from ..protocol.application import ApplicationFacts
from . import access, account_mapping, application, keys
from .subject import subject_of

NO_ACCESS_TOKEN = "this is not an access token"  # noqa: S105 - a sentence of the trace


@dataclass(frozen=True, slots=True)
class Bearer:
    """A live access token: whose it is, and what it opens. Times are seconds since the epoch.

    ``user`` is ``None`` where an OpenID Connect client acts for itself, and ``grant_id`` for every
    client that does; a service user is read when somebody looks at it. ``client_exists`` and
    ``access`` are still to be asked: whether a Confidential application has the client, and whether
    the user may, NOW.
    """

    application: ApplicationFacts
    user: Any
    user_pk: Any
    login_name: str
    subject: str
    client_id: str
    audience: tuple[str, ...]
    scopes: tuple[str, ...]
    auth_time: int
    issued_at: int
    expires_at: int
    client_exists: bool
    access: Access
    grant_id: uuid.UUID | None
    requested_claims: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def find(token: str, now: datetime) -> Bearer:
    """The bearer of a live token of any application: one statement.

    A token with dots is a JWT, any other one opaque. Raises ``jose.InvalidJWT`` for both; the
    reason is private.
    """
    if "." not in token:
        return _from_row(token, now)
    claims = live_claims(token, now)
    bearer = _of_grant(claims, now) if "gid" in claims else _of_client(claims, now)
    if claims.get("iss") != bearer.application.issuer:
        raise jose.InvalidJWT("another issuer issued this token")
    if claims.get("app_id") != bearer.application.application_id:
        raise jose.InvalidJWT("another application issued this token")
    return bearer


def verified_claims(token: str, now: datetime) -> dict[str, Any]:
    """The claims of an access token that we signed, whether or not it is still live.

    Raises ``jose.InvalidJWT``.
    """
    claims = keys.verify(token, now, typ=(JWT, AT_JWT))
    if not is_access_token(claims):
        raise jose.InvalidJWT(NO_ACCESS_TOKEN)
    return claims


def live_claims(token: str, now: datetime) -> dict[str, Any]:
    """The same of a token that has not expired."""
    claims = verified_claims(token, now)
    jose.check_times(claims, now=int(now.timestamp()))
    return claims


# --- the token of a person: its grant is live, and it was not revoked singly ----------------------

_APPLICATION = tuple(f"application__{column}" for column in FACTS[:-1])
_ANSWERS = ("has_run_right", "is_service_user", "client_exists")


def _grant_query(grant_id: uuid.UUID, jti: uuid.UUID, now: datetime) -> Any:
    answers = access.expressions(user="user_id", application=OuterRef("application_id"))
    answers["client_exists"] = application.is_client(OuterRef("client_id"))
    revoked = Exists(RevokedToken.objects.naming(jti, now))
    return (
        Grant.objects.live(now)
        .filter(~revoked, pk=grant_id)
        .annotate(**answers, **scope_names("application_id"))
        .values_list(
            *_ANSWERS,
            *columns(Grant),
            *columns(get_user_model(), "user__"),
            *_APPLICATION,
            "scope_names",
        )
    )


_live_grant = Statement(
    _grant_query,
    grant_id=models.UUIDField(),
    jti=models.UUIDField(),
    now=models.DateTimeField(),
)


def _of_grant(claims: Mapping[str, Any], now: datetime) -> Bearer:
    grant_id, jti = as_uuid(claims.get("gid")), as_uuid(claims.get("jti"))
    rows = _live_grant.rows(grant_id=grant_id, jti=jti, now=now) if grant_id and jti else []
    if not rows:
        raise jose.InvalidJWT("the grant is revoked or gone, or the token was revoked")
    values = iter(rows[0])
    has_run_right, is_service_user, client_exists = islice(values, len(_ANSWERS))
    grant, user = instance(Grant, values), instance(get_user_model(), values)
    return Bearer(
        application=facts_of(list(values)),
        user=user,
        user_pk=user.pk,
        login_name=str(claims.get("unique_name", "")),
        subject=grant.subject,
        client_id=grant.client_id,
        audience=_audience(claims),
        scopes=tuple(str(claims["scope"]).split()),
        auth_time=int(grant.auth_time.timestamp()),
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
        client_exists=bool(client_exists),
        access=access.answer(user, has_run_right=has_run_right, is_service_user=is_service_user),
        grant_id=grant.pk,
        requested_claims=grant.requested_claims,
    )


# --- the token of a client that acts for itself: no grant, revoked singly or with its user --------


def _client_query(name: str, client: str, jti: uuid.UUID, now: datetime) -> Any:
    run = has_right(Right.RUN, user="service_user", application=OuterRef("pk"))
    subject = Subject.objects.filter(user=OuterRef("service_user")).values("identifier")
    return (
        Application.objects.named(name)
        .order_by()
        .filter(~Exists(RevokedToken.objects.naming(jti, now)))
        .annotate(**application.service_user(client), **scope_names())
        .annotate(has_run_right=run, known_subject=Subquery(subject[:1]))
        .values_list("service_user", "known_subject", "user_is_active", "has_run_right", *FACTS)
    )


_client_of_application = Statement(
    _client_query,
    name=models.CharField(),
    client=models.CharField(),
    jti=models.UUIDField(),
    now=models.DateTimeField(),
)


def _of_client(claims: Mapping[str, Any], now: datetime) -> Bearer:
    jti, client_id = as_uuid(claims.get("jti")), str(claims["client_id"])
    named = {"name": str(claims["app_id"]).lower(), "client": client_id}
    rows = _client_of_application.rows(**named, jti=jti, now=now) if jti else []
    if not rows:
        raise jose.InvalidJWT("the application is gone, or the token was revoked")
    pk, subject, annotated, has_run_right, *facts = rows[0]
    found = facts_of(facts)
    is_itself = found.is_openid_connect and client_id == found.openid_client_id
    user = None if is_itself else _service_user(found, pk, subject, claims)
    service_users = Access(
        application.is_active(pk, annotated),
        bool(has_run_right),
        is_service_user=True,
        interactive=False,
    )
    return Bearer(
        application=found,
        user=user,
        user_pk=None if is_itself else pk,
        login_name=str(claims.get("unique_name", "")),
        subject=str(claims.get("sub")),
        client_id=client_id,
        audience=_audience(claims),
        scopes=tuple(str(claims["scope"]).split()),
        auth_time=int(claims.get("auth_time", claims["iat"])),
        issued_at=int(claims["iat"]),
        expires_at=int(claims["exp"]),
        client_exists=True,
        access=ITSELF if is_itself else service_users,
        grant_id=None,
    )


def _service_user(
    found: ApplicationFacts, pk: Any, known: object, claims: Mapping[str, Any]
) -> Any:
    """The user of the token, read when somebody looks at it: who has its name may be another."""
    if pk is None:
        raise jose.InvalidJWT("the service user is gone")
    user = SimpleLazyObject(lambda: get_user_model()._base_manager.get(pk=pk))
    if claims.get("sub") != subject_of(found, user, known):
        raise jose.InvalidJWT("the service user of this name has another subject")
    return user


# --- an opaque token: a row --------------------------------------------------------------------

#: What a stored token says of itself and its grant, in the order in which it is read.
STORED = (
    *("grant_id", "grant__auth_time", "grant__revoked_at", "grant__requested_claims"),
    *("client_id", "subject", "scope", "audience", "issued_at", "expires_at"),
)


def stored(tokens: Any, own: Sequence[str], *, holder: str = "") -> Any:
    """A query for ``own`` columns of tokens, then for what :func:`of_row` reads beside them.

    ``holder`` leads from a token to what has its user and its application.
    """
    user, application_id = f"{holder}user", f"{holder}application_id"
    answers = access.expressions(user=f"{user}_id", application=OuterRef(application_id))
    answers["client_exists"] = application.is_client(OuterRef(f"{holder}client_id"))
    return tokens.annotate(**answers, **scope_names(application_id)).values_list(
        *own,
        *_ANSWERS,
        *columns(get_user_model(), f"{user}__"),
        *(f"{holder}{column}" for column in _APPLICATION),
        "scope_names",
    )


_by_digest = Statement(
    lambda digest: stored(AccessToken.objects.filter(pk=digest), STORED),
    digest=models.BinaryField(),
)


def _from_row(token: str, now: datetime) -> Bearer:
    rows = _by_digest.rows(digest=identifiers.digest(token))
    if not rows:
        raise jose.InvalidJWT("no such token, or it was revoked")
    return of_row(iter(rows[0]), now)


def of_row(values: Iterator[Any], now: datetime) -> Bearer:
    """The bearer of a token that is a row. Raises ``jose.InvalidJWT``; the reason is private."""
    token = dict(zip(STORED, islice(values, len(STORED)), strict=True))
    has_run_right, is_service_user, client_exists = islice(values, len(_ANSWERS))
    read: Any = instance(get_user_model(), values)
    user = None if read.pk is None else read
    is_a_persons = token["grant_id"] is not None
    if token["grant__revoked_at"] is not None:
        raise jose.InvalidJWT("the grant is revoked")
    if now >= token["expires_at"]:
        raise jose.InvalidJWT("the token has expired")
    if user is not None and not is_a_persons and not is_service_user:
        raise jose.InvalidJWT("the service user is gone")
    may = ITSELF
    if user is not None:
        may = access.answer(
            user,
            has_run_right=has_run_right,
            is_service_user=is_service_user,
            interactive=is_a_persons,
        )
    found = facts_of(list(values))
    return Bearer(
        application=found,
        user=user,
        user_pk=read.pk,
        login_name=_login_name(found, user, token["client_id"]),
        subject=token["subject"],
        client_id=token["client_id"],
        audience=tuple(token["audience"]),
        scopes=tuple(token["scope"].split()),
        auth_time=int((token["grant__auth_time"] or token["issued_at"]).timestamp()),
        issued_at=int(token["issued_at"].timestamp()),
        expires_at=int(token["expires_at"].timestamp()),
        client_exists=bool(client_exists),
        access=may,
        grant_id=token["grant_id"],
        requested_claims=token["grant__requested_claims"] or {},
    )


def _login_name(found: ApplicationFacts, user: Any, client_id: str) -> str:
    return client_id if user is None else account_mapping.user_name(found, user)


def _audience(claims: Mapping[str, Any]) -> tuple[str, ...]:
    audience = claims.get("aud") or ()
    return (audience,) if isinstance(audience, str) else tuple(audience)


def as_uuid(value: Any) -> uuid.UUID | None:
    """The UUID that a claim spells, or ``None``."""
    try:
        return uuid.UUID(hex=str(value))
    except ValueError:
        return None
