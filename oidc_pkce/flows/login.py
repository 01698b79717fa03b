"""Sign a person in by the host project's own backends, within the limits on failed attempts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import audit, throttling
from ..models import ServiceUser
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.errors import AccessDenied, TemporarilyUnavailable

MAX_USERNAME = 254
MAX_PASSWORD = 4096  # what a slow hasher is given is bounded


class SignInRefused(Exception):
    """User name or password is wrong, or the user may not sign in: all look alike."""


class SignInBlocked(SignInRefused):
    """Too many attempts failed lately."""


@check(
    "login.attempts",
    spec="RFC 6749 §10.10",
    fix="Wait until the failed attempts are forgotten (ATTEMPT_WINDOW), then sign in.",
)
def attempts_are_left(refusal: SignInBlocked) -> None:
    """Not too many sign-ins into this account, or from this address, failed lately."""
    raise AccessDenied(detail="too many attempts failed lately") from refusal


@check(
    "login.credentials",
    spec="OpenID Connect Core §3.1.2.3",
    fix="Type the login name and the password of an active user; no service user signs in here.",
)
def credentials_are_right(refusal: SignInRefused) -> None:
    """User name and password are those of somebody who may sign in as a person."""
    raise AccessDenied(detail="user name or password is wrong, or may not sign in") from refusal


SIGN_IN_PAGE_CHECKS = (attempts_are_left, credentials_are_right)


def explain(refusal: SignInRefused, trace: Trace) -> None:
    """Keep why the sign-in page is shown again: the answer is a page, and no error of OAuth."""
    with suppress(AccessDenied):
        if isinstance(refusal, SignInBlocked):
            trace.take(attempts_are_left, refusal)
        trace.take(credentials_are_right, refusal)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody typed, where, and when; perhaps into a client, which then names itself."""

    username: str = field(repr=False)  # people type passwords there, too
    password: str = field(repr=False)
    address: str
    application: ApplicationFacts
    now: datetime
    client_id: str = ""


def sign_in(attempt: Attempt, authenticate: Callable[..., Any]) -> Any:
    """The user whose credentials these are. Raises :class:`SignInRefused`.

    ``authenticate`` asks the host project's backends. The attempt is counted before they are asked
    and forgiven when it succeeds, so that no number of parallel guesses slips through.
    """
    counters = throttling.sign_in_counters(attempt.username, attempt.address)
    if not throttling.reserve(counters):
        raise SignInBlocked
    try:
        user = _authenticate(attempt, authenticate)
    except TemporarilyUnavailable:  # nothing was looked at: it is no failed attempt
        throttling.release(counters)
        raise
    if user is None:
        _record(audit.Action.SIGN_IN_FAILED, attempt)
        if throttling.blocked(counters):  # said once: what is refused from now on writes nothing
            _record(audit.Action.SIGN_IN_BLOCKED, attempt)
        raise SignInRefused
    throttling.release(counters)
    _record(audit.Action.SIGNED_IN, attempt, user)
    return user


def _authenticate(attempt: Attempt, authenticate: Callable[..., Any]) -> Any:
    """The user, or ``None``: unknown, wrong, inactive and service users all alike."""
    too_long = len(attempt.username) > MAX_USERNAME or len(attempt.password) > MAX_PASSWORD
    if too_long or "\0" in attempt.username:
        return None
    with throttling.password_slot():
        user = authenticate(username=attempt.username, password=attempt.password)
    if user is None or ServiceUser.objects.filter(pk=user.pk).exists():
        return None
    return user


def _record(action: audit.Action, attempt: Attempt, user: Any = None) -> None:
    """What was typed as a user name is not kept: people type passwords there."""
    audit.record(
        action,
        now=attempt.now,
        actor_pk=user.pk if user else None,
        actor_name=user.get_username() if user else "",
        application_pk=attempt.application.pk,
        application_name=attempt.application.name,
        client_id=attempt.client_id,
        details={"address": throttling.network_of(attempt.address)},
    )
