"""Who presents an access token to an API of the project, and what it may do there.

RFC 6750, RFC 9068 §4. A token of our own costs one statement and no request; one of another server
costs neither while its issuer's keys are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ..models import Application
from ..protocol import remote_issuer as remote_token
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.errors import InsufficientScope, InvalidToken
from . import bearer as bearers
from . import remote_issuer, rest_patterns
from .access_token import Bearer


@dataclass(frozen=True, slots=True)
class Accepts:
    """Whose tokens an API takes.

    Of our own tokens: those of ``applications`` (Application IDs, without case) and, where an
    ``audience`` is given, only those that name it. Of other servers' tokens: those of ``issuers``
    that name the ``audience``.
    """

    applications: tuple[str, ...] = ()
    audience: str = ""
    issuers: tuple[str, ...] = ()
    takes_own: bool = True

    @property
    def problem(self) -> str | None:
        """Why nobody could be let in safely, as a sentence; ``None`` when all is well."""
        if self.takes_own and not (self.applications or self.audience):
            return "it must name the APPLICATIONS or the AUDIENCE whose tokens it takes"
        if not self.takes_own and not self.issuers:
            return "it must name the ISSUERS whose tokens it takes"
        if self.issuers and not self.audience:
            return "it must name the AUDIENCE that the tokens of its ISSUERS are for"
        return None


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A live access token, as a view sees it. Times are seconds since the epoch.

    ``application_id`` is empty for a token of another server. ``claims`` are those of the JWT; for
    an opaque token they are made of what is stored. ``passed`` names the checks that let it in: a
    later refusal is told with them.
    """

    issuer: str
    application_id: str
    client_id: str
    subject: str
    audience: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: int
    claims: Mapping[str, Any] = field(repr=False)
    application_pk: int | None = field(default=None, repr=False)
    passed: tuple[str, ...] = field(default=(), repr=False, compare=False)

    def has_scopes(self, *names: str) -> bool:
        """Whether ALL of these scopes were granted."""
        return set(names) <= set(self.scopes)


@dataclass(frozen=True, slots=True)
class Identified:
    """A token, and the user of this project whom it stands for, if there is one.

    A service user is read from the database when somebody looks at it; its key is known before.
    ``watched_until`` is until when somebody watches the requests of the application.
    """

    token: BearerToken
    user: Any
    user_pk: Any
    watched_until: datetime | None = None


@check(
    "resource_server.application",
    spec="RFC 9068 §4",
    fix="Send a token of an application that this API takes, or name it in APPLICATIONS.",
)
def application_is_accepted(application: ApplicationFacts, accepts: Accepts) -> None:
    """The token was issued by an application whose tokens this API takes."""
    folded = [name.lower() for name in accepts.applications]
    if folded and application.application_id.lower() not in folded:
        raise InvalidToken(received=application.application_id, expected=accepts.applications)


@check(
    "resource_server.audience",
    spec="RFC 9068 §4",
    fix="Ask for a token with this API as resource, or make it the application's Audience.",
)
def audience_is_accepted(audience: Sequence[str], accepts: Accepts) -> None:
    """The token was issued for this API."""
    if accepts.audience and accepts.audience not in audience:
        raise InvalidToken(received=" ".join(audience), expected=(accepts.audience,))


@check(
    "resource_server.user",
    spec="RFC 6750 §3.1",
    fix="Activate the user, or let user_for() find one for this subject.",
)
def user_is_active(user: Any) -> None:
    """The user whom another server's token stands for is active here."""
    if user is not None and not getattr(user, "is_active", True):
        raise InvalidToken(detail="the user is not active")


@check(
    "resource_server.scope",
    spec="RFC 6750 §3.1",
    fix="Ask for a token with all of these scopes, and let the person grant them.",
)
def scopes_are_granted(token: BearerToken, needed: Sequence[str]) -> None:
    """Every scope that the view needs was granted."""
    if not token.has_scopes(*needed):
        refusal = InsufficientScope(received=" ".join(token.scopes), expected=tuple(needed))
        refusal.scopes = tuple(needed)
        raise refusal


@check(
    "resource_server.path",
    spec="RFC 6750 §3.1",
    fix="Give one of the granted scopes a REST pattern that opens the path.",
)
def path_is_opened(token: BearerToken, path: str) -> None:
    """A granted scope has a REST pattern that matches the path."""
    pk = token.application_pk
    if pk is None:
        raise InsufficientScope(detail="the scopes of another server have no REST patterns here")
    if not rest_patterns.opens(pk, token.scopes, path):
        granted = " ".join(token.scopes) or "nothing"
        raise InsufficientScope(received=path, detail=f"no pattern matches; granted: {granted}")


def identify(
    token: str | None,
    *,
    accepts: Accepts,
    now: datetime,
    trace: Trace,
    user_for: Callable[[Mapping[str, Any]], Any],
) -> Identified:
    """Who presents this token to an API. Raises a ``BearerError``, or ``KeysUnavailable``.

    ``user_for`` finds the user of another server's claims, or gives ``None``.
    """
    if token is not None and _is_remote(token, accepts):
        return _identify_remote(token, accepts=accepts, now=now, trace=trace, user_for=user_for)
    bearer = bearers.identify(token, now=now, trace=trace)
    trace.take(application_is_accepted, bearer.application, accepts)
    trace.take(audience_is_accepted, bearer.audience, accepts)
    own = _own(bearer, token or "", tuple(trace.passed))
    return Identified(own, bearer.user, bearer.user_pk, bearer.application.watched_until)


def issuers(applications: Sequence[str]) -> tuple[str, ...]:
    """The issuers of these applications of ours, those that are enabled; one statement for each."""
    named = (Application.objects.named(name).filter(enabled=True).first() for name in applications)
    return tuple(found.issuer or found.locations.issuer for found in named if found is not None)


def application_pk(token: str | None, accepts: Accepts) -> int | None:
    """Whose trace a refusal goes into: the application that it claims, or the only one accepted."""
    claimed = str(remote_token.claimed(token or "").get("app_id", "")).lower()
    folded = [name.lower() for name in accepts.applications]
    name = claimed if claimed in folded else folded[0] if len(folded) == 1 else None
    if name is None or not accepts.takes_own:
        return None
    return Application.objects.named(name).values_list("pk", flat=True).first()


def _is_remote(token: str, accepts: Accepts) -> bool:
    """Whom to ask: what the token claims decides nothing else."""
    return not accepts.takes_own or (
        bool(accepts.issuers) and remote_token.claimed(token).get("iss") in accepts.issuers
    )


def _identify_remote(
    token: str,
    *,
    accepts: Accepts,
    now: datetime,
    trace: Trace,
    user_for: Callable[[Mapping[str, Any]], Any],
) -> Identified:
    issuers, audience = accepts.issuers, accepts.audience
    claims = remote_issuer.identify(token, issuers=issuers, audience=audience, now=now, trace=trace)
    frozen = MappingProxyType(claims)
    user = user_for(frozen)
    trace.take(user_is_active, user)
    found = _remote(frozen, tuple(trace.passed))
    return Identified(found, user, getattr(user, "pk", None))


def _own(bearer: Bearer, token: str, passed: tuple[str, ...]) -> BearerToken:
    stored = {
        "iss": bearer.application.issuer,
        "sub": bearer.subject,
        "aud": bearer.audience[0] if len(bearer.audience) == 1 else list(bearer.audience),
        "client_id": bearer.client_id,
        "app_id": bearer.application.application_id,
        "unique_name": bearer.login_name,
        "auth_time": bearer.auth_time,
        "iat": bearer.issued_at,
        "exp": bearer.expires_at,
        "scope": " ".join(bearer.scopes),
    }
    return BearerToken(
        issuer=bearer.application.issuer,
        application_id=bearer.application.application_id,
        client_id=bearer.client_id,
        subject=bearer.subject,
        audience=bearer.audience,
        scopes=bearer.scopes,
        expires_at=bearer.expires_at,
        # The signature has been judged: what the JWT says beyond that is ours.
        claims=MappingProxyType({**stored, **remote_token.claimed(token)}),
        application_pk=bearer.application.pk,
        passed=passed,
    )


def _remote(claims: Mapping[str, Any], passed: tuple[str, ...]) -> BearerToken:
    return BearerToken(
        issuer=str(claims["iss"]),
        application_id="",
        client_id=str(claims["client_id"]),
        subject=str(claims["sub"]),
        audience=remote_token.audience(claims),
        scopes=tuple(str(claims.get("scope", "")).split()),
        expires_at=int(claims["exp"]),
        claims=claims,
        passed=passed,
    )
