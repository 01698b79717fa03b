"""Tell applications that a browser session has ended (OpenID Connect Back-Channel Logout).

Each logout token waits in the outbox until it was taken. Whoever posts one has claimed it for a
while; should that process die, the claim ends and another posts it again.
"""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from .. import audit, outbound
from ..models import LogoutDelivery
from ..outbound import OutboundError
from ..protocol import back_channel_logout as rules
from ..protocol import id_token, jose
from . import keys

LEASE = timedelta(minutes=2)  # longer than a post can take, the name server's answer included
TIME_LIMIT = 5.0  # seconds
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)
TURN = timedelta(seconds=10)  # of one application in one round: the others wait for it
AT_ONCE = 1000
TAKEN = (200, 204)  # Back-Channel Logout §2.8
MAX_ERROR = 300

Clock = Callable[[], datetime]


class Outcome(StrEnum):
    """What became of one delivery."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNWANTED = "unwanted"  # the application no longer names an address
    ELSEWHERE = "elsewhere"  # another process has claimed it


def deliver_due(clock: Clock, is_stopping: Callable[[], bool] = lambda: False) -> Counter[Outcome]:
    """Post every logout token that is due, application by application; what became of them.

    One that cannot be reached is left alone for the rest of the round, and a slow one has its turn:
    however many tokens wait for it, the others come next.
    """
    outcomes: Counter[Outcome] = Counter()
    waiting = LogoutDelivery.objects.due(clock()).order_by("application_id")
    for application in list(waiting.values_list("application_id", flat=True).distinct()):
        outcomes += _deliver_to(application, clock, is_stopping)
    return outcomes


def _deliver_to(
    application: Any, clock: Clock, is_stopping: Callable[[], bool]
) -> Counter[Outcome]:
    outcomes: Counter[Outcome] = Counter()
    began = clock()
    due = LogoutDelivery.objects.due(began).filter(application=application)
    for pk in list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:AT_ONCE]):
        if is_stopping() or outcomes[Outcome.UNREACHABLE] or clock() - began > TURN:
            break
        outcomes[attempt(pk, clock())] += 1
    return outcomes


def attempt(pk: uuid.UUID, now: datetime) -> Outcome:
    """Claim one delivery, post its token, and forget it when it was taken."""
    until = now + LEASE
    if not LogoutDelivery.objects.claim(pk, now, until):
        return Outcome.ELSEWHERE
    delivery = LogoutDelivery.objects.select_related("application").filter(pk=pk).first()
    if delivery is None:
        return Outcome.ELSEWHERE
    outcome, problem = _post(delivery, now)
    if problem:
        _postpone(delivery, until, problem, now)
    else:
        delivery.delete()
    return outcome


def _post(delivery: LogoutDelivery, now: datetime) -> tuple[Outcome, str]:
    """Post it; a sentence when it has to be posted again."""
    address = delivery.application.backchannel_logout_uri
    if not address:
        return Outcome.UNWANTED, ""
    body = urlencode({"logout_token": _token(delivery, now)}).encode()
    try:
        answer = outbound.post(address, body, time_limit=TIME_LIMIT)
    except OutboundError as problem:
        return Outcome.UNREACHABLE, str(problem)
    if answer.status in TAKEN:
        return Outcome.DELIVERED, ""
    return Outcome.REFUSED, f"The application answered {answer.status}."


def _token(delivery: LogoutDelivery, now: datetime) -> str:
    """Made for this attempt: it is valid for two minutes."""
    claims = rules.logout_token(
        delivery.application.facts(),
        client_id=delivery.client_id,
        subject=delivery.subject,
        sid=delivery.sid,
        jti=uuid.uuid4().hex,
        now=int(now.timestamp()),
    )
    key = keys.signer(id_token.ALGORITHM, now)
    return jose.sign(claims, key, typ=rules.TYP)


def _postpone(delivery: LogoutDelivery, until: datetime, problem: str, now: datetime) -> None:
    """Try again later, unless the claim has ended meanwhile and another process has it."""
    mine = LogoutDelivery.objects.filter(pk=delivery.pk, next_attempt_at=until)
    mine.update(next_attempt_at=now + _pause(delivery.attempts), last_error=problem[:MAX_ERROR])


def _pause(attempts: int) -> timedelta:
    """Twice as long each time, and not at one moment for all that failed at one moment."""
    doublings = min(attempts - 1, 20)
    longest: timedelta = min(FIRST_RETRY * 2**doublings, LONGEST_RETRY)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - nobody gains by guessing it


def note_given_up(deliveries: Collection[uuid.UUID], now: datetime) -> None:
    """Audit the deliveries that go because nobody took them in time, one event per client."""
    lost = LogoutDelivery.objects.filter(pk__in=deliveries).select_for_update(of=("self",))
    by_client: dict[tuple[Any, str], list[LogoutDelivery]] = {}
    for each in lost.select_related("application").order_by("created_at"):
        by_client.setdefault((each.application, each.client_id), []).append(each)
    for (application, client_id), some in by_client.items():
        audit.record(
            audit.Action.LOGOUT_GIVEN_UP,
            now=now,
            application_pk=application.pk,
            application_name=application.name,
            client_id=client_id,
            details={"deliveries": len(some), "last_error": some[-1].last_error},
        )
