"""Changelog: who changed what of an application, and when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..audit import APPLICATION_ACTIONS, Action
from ..flows.webapps import history
from ..models import Application, AuditEvent, Principal, Right
from .application_page import ApplicationPage
from .changed_values import Line, line

PER_PAGE = 20  # events; one may hold 2,000 permissions twice


@dataclass(frozen=True, slots=True)
class Entry:
    """One event, as people read it."""

    at: datetime
    who: str
    what: str
    lines: Sequence[Line]
    #: Where the beginning of an application is told, only what it began with.
    is_beginning: bool = False


class ChangelogPage(ApplicationPage):
    """The application's own events, newest first."""

    name = "changelog"
    title = _("Changelog")
    template_name = "admin/oidc_pkce/application/changelog.html"

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """A page of events."""
        events = Paginator(history.of(application), PER_PAGE).get_page(request.GET.get("p"))
        entries = [_entry(event) for event in events]
        return self.render(request, application, rights, {"entries": entries, "events": events})


def _entry(event: AuditEvent) -> Entry:
    is_beginning = event.action == Action.APPLICATION_CREATED
    changes = event.details.get("changes", {}) if event.action in APPLICATION_ACTIONS else {}
    return Entry(
        at=event.at,
        who=event.actor_name,
        what=_what(event),
        lines=tuple(_lines(changes, is_beginning)),
        is_beginning=is_beginning,
    )


def _lines(changes: Mapping[str, Any], is_beginning: bool) -> Iterator[Line]:
    for name, pair in changes.items():
        if not is_beginning or pair["after"] not in (None, "", [], {}, False):
            yield line(name, pair["before"], pair["after"])


def _what(event: AuditEvent) -> str:
    departed = event.details.get("departed")
    if departed:
        names = {"name": departed["name"]}
        if departed["principal"] == Principal.GROUP:
            return gettext("The group “%(name)s” was deleted") % names
        return gettext("The user “%(name)s” was deleted") % names
    if expires_at := event.details.get("expires_at"):
        ends = {"action": Action(event.action).label, "date": expires_at[:10]}
        return gettext("%(action)s, until %(date)s") % ends
    return str(Action(event.action).label)
