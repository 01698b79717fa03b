"""Find out which client sends a request, and whether it proved that (RFC 6749 §2.3)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import Error
from django.db.models import Q

from .. import throttling
from ..models import ClientSecret
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.client_authentication import (
    Client,
    ClientQuestion,
    ClientRecord,
    client_proves_itself,
    identify,
    service_user_is_fit,
)
from ..protocol.credentials import PresentedCredentials
from ..protocol.errors import InvalidClient

logger = logging.getLogger(__name__)

LAST_USED_STEP = timedelta(hours=1)  # a secret's last use is shown to people, not counted


@check(
    "client.attempts",
    spec="RFC 6749 §2.3.1",
    fix="Wait until the failed attempts are forgotten, then send the right secret.",
)
def attempts_are_left(counters: tuple[throttling.Counter, ...]) -> None:
    """Not too many wrong secrets came from here lately."""
    if counters and throttling.blocked(counters):
        raise InvalidClient(detail="too many wrong secrets were sent lately")


ATTEMPT_CHECKS = (attempts_are_left,)


def authenticate(
    application: ApplicationFacts,
    presented: PresentedCredentials,
    records: Sequence[ClientRecord],
    *,
    address: str,
    now: datetime,
    trace: Trace,
) -> Client:
    """The client that sent the request.

    ``records`` were read along with the application. Raises ``InvalidRequest`` or
    ``InvalidClient``; after too many wrong secrets, also for the right one.
    """
    counters = _counters(application, presented, address)
    question = ClientQuestion(application, presented, records, now)
    try:
        trace.run(ATTEMPT_CHECKS, counters)
        return identify(question, trace)
    except InvalidClient as refusal:
        refusal.challenge = presented.in_header
        failed = trace.failed.check if trace.failed else ""
        if failed == client_proves_itself.id:
            throttling.failed(counters)
        if failed == service_user_is_fit.id and (proved := question.find()):
            trace.user_pk = proved.user_pk
        raise


def note_use(client: Client, now: datetime) -> None:
    """Keep when a secret was last used, to the hour: hardly any request writes it."""
    secret, before = client.secret, now - LAST_USED_STEP
    if secret is None or (secret.last_used_at is not None and secret.last_used_at >= before):
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=before)
    try:
        ClientSecret.objects.filter(stale, pk=secret.pk).update(last_used_at=now)
    except Error:  # the tokens are issued: nobody may lose them over a note
        logger.exception("the last use of a client secret was not kept")


def _counters(
    application: ApplicationFacts, presented: PresentedCredentials, address: str
) -> tuple[throttling.Counter, ...]:
    """Only a guess at a secret counts: a public client's request has nothing to guess."""
    client_id, secret = presented.candidates[0] if presented.candidates else ("", None)
    if secret is None:
        return ()
    return throttling.client_counters(application.application_id, client_id, address)
