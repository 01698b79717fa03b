"""The portal's home: what is there, who signs in, and what somebody should look at.

Every function costs one statement, however much is stored; none of them counts grants or tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from itertools import permutations
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Count, Exists, F, Min, OuterRef, Q
from django.db.models.functions import TruncHour

from .. import audit
from ..conf import settings
from ..models import AuditEvent, ClientSecret, ServiceUser, SigningKey, Status
from ..models.application import ApplicationQuerySet
from ..protocol.application import ClientIdType, Flow, Template
from . import cleanup, keys
from .service_user import can_be_deactivated

HOUR = timedelta(hours=1)
HOURS = 24
CLEANED_WITHIN = timedelta(days=2)  # cleaning is due daily; one run may be missed
SECRETS_AHEAD = timedelta(days=14)
KEYS_AHEAD = timedelta(days=7)
NAMED_SECRETS = 5


@dataclass(frozen=True, slots=True)
class Deployment:
    """How many applications stand where. A disabled one counts as disabled alone."""

    by_status: Mapping[Status, int]
    disabled: int

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_status.values()) + self.disabled


def deployment(applications: ApplicationQuerySet) -> Deployment:
    """How far these applications are."""
    with_status: Any = applications.with_status().order_by()
    rows = with_status.values_list("status", "enabled").annotate(n=Count("pk"))
    by_status, disabled = dict.fromkeys(Status, 0), 0
    for status, enabled, count in rows:
        if enabled:
            by_status[Status(status)] += count
        else:
            disabled += count
    return Deployment(by_status, disabled)


class Weakness(Enum):
    """What makes an application easier to attack, or useless."""

    NO_PKCE = auto()
    ANYTHING = auto()
    PLAIN_PKCE = auto()
    NOBODY_LISTED = auto()


@dataclass(frozen=True, slots=True)
class Finding:
    """How many enabled applications have a weakness, and the first of them."""

    weakness: Weakness
    count: int
    pk: int
    name: str


def weaknesses(applications: ApplicationQuerySet) -> list[Finding]:
    """What should be looked at among these applications, the gravest first."""
    wanted: dict[str, Any] = {}
    for weakness, condition in _conditions().items():
        wanted[f"{weakness.name}_count"] = Count("pk", filter=condition)
        wanted[f"{weakness.name}_pk"] = Min("pk", filter=condition)
        wanted[f"{weakness.name}_name"] = Min("name", filter=condition)
    found = applications.filter(enabled=True).order_by().aggregate(**wanted)
    return [
        Finding(
            weakness,
            found[f"{weakness.name}_count"],
            found[f"{weakness.name}_pk"],
            found[f"{weakness.name}_name"],
        )
        for weakness in Weakness
        if found[f"{weakness.name}_count"]
    ]


def _conditions() -> Mapping[Weakness, Q]:
    oauth2 = ~Q(template=Template.OPENID_CONNECT)
    others = [flow.value for flow in Flow if flow is not Flow.AUTHORIZATION_CODE]
    codeless = [list(some) for n in range(len(others) + 1) for some in permutations(others, n)]
    issues_codes = ~Q(flows__in=codeless)
    return {
        Weakness.ANYTHING: oauth2 & Q(client_id_type=ClientIdType.ANYTHING),
        Weakness.NO_PKCE: issues_codes & Q(requires_pkce=False),
        Weakness.PLAIN_PKCE: issues_codes & Q(allows_plain_pkce=True),
        Weakness.NOBODY_LISTED: oauth2 & Q(client_id_type=ClientIdType.LIST, client_ids=[]),
    }


@dataclass(frozen=True, slots=True)
class Tally:
    """How many there are, and how many of them are active."""

    total: int
    active: int


def service_users() -> Tally:
    """All service users."""
    condition = Q(user__is_active=True) if can_be_deactivated() else Q()
    found = ServiceUser.objects.aggregate(total=Count("pk"), active=Count("pk", filter=condition))
    return Tally(found["total"], found["active"])


@dataclass(frozen=True, slots=True)
class HourOfSignIns:
    """What happened at the sign-in pages within one hour."""

    starts: datetime
    signed_in: int = 0
    failed: int = 0


def sign_ins(now: datetime) -> list[HourOfSignIns]:
    """The last day, hour by hour up to this one. Old failures may be forgotten sooner than that."""
    this = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [this - HOUR * back for back in reversed(range(HOURS))]
    counted = _counted_by_hour(hours[0])
    return [
        HourOfSignIns(
            hour,
            counted.get((hour, audit.Action.SIGNED_IN), 0),
            sum(counted.get((hour, action), 0) for action in audit.FAILURES),
        )
        for hour in hours
    ]


def _counted_by_hour(since: datetime) -> dict[tuple[datetime, str], int]:
    events = AuditEvent.objects.filter(
        at__gte=since, action__in=(audit.Action.SIGNED_IN, *audit.FAILURES)
    )
    rows = (
        events.order_by()
        .values(hour=TruncHour("at", tzinfo=UTC), what=F("action"))
        .annotate(n=Count("pk"))
    )
    return {(row["hour"], row["what"]): row["n"] for row in rows}


def expiring_secrets(
    applications: ApplicationQuerySet, now: datetime, *, of_service_users: bool
) -> list[ClientSecret]:
    """The first secrets that expire soon and that no later one outlives."""
    mine = Q(application__in=applications.order_by().values("pk"))
    if of_service_users:
        mine |= Q(service_user__isnull=False)
    soon = ClientSecret.objects.filter(
        mine, expires_at__gt=now, expires_at__lte=now + SECRETS_AHEAD
    )
    outlives = Q(expires_at=None) | Q(expires_at__gt=OuterRef("expires_at"))
    same = Q(application=OuterRef("application")) | Q(service_user=OuterRef("service_user"))
    heirs = ClientSecret.objects.filter(outlives, same)
    named = soon.exclude(Exists(heirs)).select_related("application", "service_user__user")
    return list(named.order_by("expires_at", "pk")[:NAMED_SECRETS])


class KeyTrouble(Enum):
    """What is wrong with the keys of an algorithm."""

    UNREADABLE = auto()
    OVERDUE = auto()
    DUE_SOON = auto()
    OLDER_SECRET = auto()
    NONE = auto()


@dataclass(frozen=True, slots=True)
class KeyConcern:
    """A key that somebody should look at; ``due`` is when it should be replaced."""

    trouble: KeyTrouble
    key: SigningKey | None = None
    due: datetime | None = None


def key_concerns(now: datetime) -> list[KeyConcern]:
    """What is wrong with the newest key of each algorithm, or that there is none yet."""
    newest: dict[str, SigningKey] = {}
    for key in SigningKey.objects.published(now).order_by("generation"):
        newest[key.algorithm] = key
    if not newest:
        return [KeyConcern(KeyTrouble.NONE)]
    return [concern for key in newest.values() for concern in _concerns_about(key, now)]


def _concerns_about(key: SigningKey, now: datetime) -> Collection[KeyConcern]:
    due = key.signs_from + settings.signing_key_lifetime
    protection = keys.protection(key.private_key)
    if protection is keys.Protection.UNKNOWN_SECRET:
        return (KeyConcern(KeyTrouble.UNREADABLE, key),)
    if due <= now:
        return (KeyConcern(KeyTrouble.OVERDUE, key, due),)
    if due <= now + KEYS_AHEAD:
        return (KeyConcern(KeyTrouble.DUE_SOON, key, due),)
    if protection is keys.Protection.OLDER_SECRET:
        return (KeyConcern(KeyTrouble.OLDER_SECRET, key),)
    return ()


def cleanup_is_overdue(user: Any, now: datetime) -> bool:
    """Whether anything that has long expired is still there.

    One statement asks about every kind; the user's row is there to hang it on.
    """
    long_ago = now - CLEANED_WITHIN
    left = Q()
    for model in cleanup.DATED:
        left |= Q(Exists(cleanup.expired(model, long_ago)))
    return get_user_model()._base_manager.filter(left, pk=user.pk).exists()
