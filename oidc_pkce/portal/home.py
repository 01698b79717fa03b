"""The portal's home: what is configured, who signs in, and what somebody should look at.

Everything is limited to the screens that this administrator may open, and to the applications
that this administrator may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..audit import NEWEST_FAILURES
from ..flows import administration, home
from ..flows.home import HourOfSignIns
from ..models import (
    Application,
    AuditEvent,
    Grant,
    RequestTrace,
    Role,
    ServiceUser,
    SigningKey,
    Status,
)
from .home_warnings import Warnings

BAR, GAP, HEIGHT = 8, 2, 100  # of the drawing, in its own units


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a card: a number, where it leads, and the colour of what it counts."""

    words: Any
    count: int
    address: str
    colour: str = "muted"


@dataclass(frozen=True, slots=True)
class Card:
    """What is there of one kind."""

    title: Any
    address: str
    count: int
    lines: Sequence[Line] = ()
    note: Any = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour of the drawing; failures stand upon sign-ins."""

    hour: HourOfSignIns
    x: int
    signed_in: int
    failed: int

    @property
    def signed_in_y(self) -> int:
        """Where the lower part begins."""
        return HEIGHT - self.signed_in

    @property
    def failed_y(self) -> int:
        """Where the upper part begins."""
        return HEIGHT - self.signed_in - self.failed


@dataclass(frozen=True)
class Chart:
    """The sign-ins and failures of the last day, drawn and as a table."""

    hours: Sequence[HourOfSignIns]
    bar: int = BAR
    height: int = HEIGHT

    @property
    def width(self) -> int:
        """Of the drawing."""
        return len(self.hours) * (BAR + GAP)

    @property
    def signed_in(self) -> int:
        """All sign-ins."""
        return sum(hour.signed_in for hour in self.hours)

    @property
    def failed(self) -> int:
        """All failures."""
        return sum(hour.failed for hour in self.hours)

    @property
    def forgets(self) -> bool:
        """Whether there were so many failures that earlier ones are thrown away."""
        return self.failed >= NEWEST_FAILURES

    @property
    def peak(self) -> int:
        """The busiest hour."""
        return max(hour.signed_in + hour.failed for hour in self.hours)

    @property
    def marks(self) -> Sequence[HourOfSignIns]:
        """The hours that are written below the drawing."""
        return self.hours[::6]

    def bars(self) -> Iterator[Bar]:
        """What is drawn; whatever happened at all can be seen."""
        for number, hour in enumerate(self.hours):
            x = number * (BAR + GAP) + GAP // 2
            yield Bar(hour, x, self._scaled(hour.signed_in), self._scaled(hour.failed))

    def _scaled(self, count: int) -> int:
        return max(2, count * (HEIGHT - 2) // self.peak) if count else 0


@dataclass(frozen=True)
class Home:
    """What ``admin/oidc_pkce/app_index.html`` shows; each part is read when it is asked for."""

    request: HttpRequest
    screens: Iterable[dict[str, Any]] = field(repr=False)

    @cached_property
    def cards(self) -> list[Card]:
        """What is configured and deployed."""
        makers = (
            (Application, self._applications),
            (ServiceUser, self._service_users),
            (Role, self._roles),
            (SigningKey, self._keys),
        )
        return [make(self.list_of(model)) for model, make in makers if self.list_of(model)]

    @cached_property
    def chart(self) -> Chart | None:
        """The last day, for whoever may read the audit log."""
        return Chart(home.sign_ins(timezone.now())) if self.list_of(AuditEvent) else None

    @cached_property
    def warnings(self) -> Warnings:
        """What somebody should look at."""
        return Warnings(self)

    @cached_property
    def shortcuts(self) -> list[tuple[str, Any]]:
        """Where administrators often go."""
        wanted = (
            (self.adding(Application), _("Add Web Apps")),
            (self.adding(ServiceUser), _("Add service user")),
            (self.list_of(Grant), _("Grants and tokens")),
            (self.list_of(SigningKey), _("Signing keys")),
            (self.list_of(RequestTrace), _("Requests")),
            (self.list_of(AuditEvent), _("Audit log")),
        )
        return [(address, words) for address, words in wanted if address]

    @cached_property
    def why(self) -> str:
        """Where a request ID leads to an explanation; empty for who sees no requests."""
        return self.address("requesttrace_why") if self.list_of(RequestTrace) else ""

    @property
    def audit_log(self) -> str:
        """Where every event stands."""
        return self.list_of(AuditEvent)

    def list_of(self, model: type[Model]) -> str:
        """The address of a screen; empty for whoever may not open it."""
        return str(self._screens.get(model, {}).get("admin_url") or "")

    def adding(self, model: type[Model]) -> str:
        """Where something is added; empty for whoever may not."""
        return str(self._screens.get(model, {}).get("add_url") or "")

    def address(self, route: str, *args: Any) -> str:
        """The address of a page of this administration site."""
        current = getattr(self.request, "current_app", None)
        return reverse(f"admin:oidc_pkce_{route}", args=args, current_app=current)

    @cached_property
    def applications(self) -> Any:
        """Those that this administrator may see."""
        return administration.holding(self.request.user)

    @cached_property
    def _screens(self) -> dict[Any, dict[str, Any]]:
        return {screen["model"]: screen for screen in self.screens}

    def _applications(self, address: str) -> Card:
        found = home.deployment(self.applications)
        colours = {Status.DEPLOYED: "good", Status.READY_TO_DEPLOY: "warning"}
        lines = [
            Line(
                status.label,
                found.by_status[status],
                f"{address}?status={status.value}&enabled__exact=1",
                colours.get(status, "muted"),
            )
            for status in reversed(Status)
        ]
        if found.disabled:
            lines.append(Line(_("Disabled"), found.disabled, f"{address}?enabled__exact=0", "bad"))
        return Card(_("Web Apps"), address, found.total, lines if found.total else ())

    def _service_users(self, address: str) -> Card:
        found = home.service_users()
        lines = [Line(_("Active"), found.active, f"{address}?active=1", "good")]
        if found.total > found.active:
            inactive = found.total - found.active
            lines.append(Line(_("Inactive"), inactive, f"{address}?active=0"))
        return Card(_("Service users"), address, found.total, lines if found.total else ())

    def _roles(self, address: str) -> Card:
        note = _("Everybody is built in.")
        return Card(_("Roles"), address, Role.objects.count(), note=note)

    def _keys(self, address: str) -> Card:
        published = SigningKey.objects.published(timezone.now()).order_by("algorithm")
        algorithms = list(published.values_list("algorithm", flat=True))
        note = ", ".join(dict.fromkeys(algorithms)) or _("The first token makes one.")
        return Card(_("Signing keys"), address, len(algorithms), note=note)
