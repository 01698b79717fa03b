"""A refused request before an administrator, with its application as it is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...models import Application, RequestTrace, Right
from ...protocol.application import ApplicationFacts
from .. import administration, tracing, webapps
from ..webapps import Changes
from .cure import Cure, Place, Sentence

#: The pages of an application on which something is cured, by the route of each.
PAGES: Mapping[str, Any] = {
    "general_usage": _("General Usage"),
    "trust": _("Trust"),
    "tokens": _("Tokens"),
    "scope": _("Scope"),
    "permissions": _("Permissions"),
    "policy": _("Policy"),
    "changelog": _("Changelog"),
}

_MARKS = ("…", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True)
class Case:
    """What a recipe sees; it reads the database afresh, for what is stored may be cured already."""

    administrator: Any
    trace: RequestTrace
    application: Application
    failed: Mapping[str, Any]

    @cached_property
    def facts(self) -> ApplicationFacts:
        """The application as the rules see it."""
        return self.application.facts()

    @cached_property
    def rights(self) -> frozenset[Right]:
        """What the administrator may do with the application."""
        return administration.rights(self.administrator, self.application)

    @property
    def received(self) -> str:
        """What the request brought, as far as it was kept; empty when it brought nothing."""
        return str(self.failed.get("received") or "")

    @property
    def is_whole(self) -> bool:
        """Whether what was kept is what was sent: values may be masked, and long texts are cut."""
        text = self.received
        is_counted = text.startswith("(") and text.endswith(" characters)")
        is_cut = len(text) >= tracing.MAX_TEXT
        return bool(text) and not is_cut and not is_counted and not any(m in text for m in _MARKS)

    @property
    def not_whole(self) -> str:
        """Why nothing can be made of what was kept."""
        if self.is_whole:
            return ""
        return gettext(
            "There is no button for it: requests are kept without the values of a query, without"
            " what may be a secret, and shortened, so that the whole text is not known here."
        )

    def edit(
        self,
        name: str,
        sentence: Sentence,
        change: Changes | Callable[[], Changes],
        *,
        page: str,
        right: Right = Right.MANAGE,
        **more: Any,
    ) -> Cure:
        """A cure that changes the application, as its page would: same flow, same version."""
        return Cure(
            name=name,
            trace_pk=self.trace.pk,
            sentence=sentence,
            is_allowed=right in self.rights,
            place=self.page(page),
            seen=str(self.application.version),
            change=partial(self._update, change),
            **{
                **more,
                "warning": " ".join(filter(None, (self._slip, more.get("warning")))),
                "obstacle": more.get("obstacle") or self._missing(right),
            },
        )

    def by_hand(self, name: str, words: str, page: str) -> Cure:
        """Something that is no matter of one click: why, and the page where it can be done."""
        sentence = Sentence.about(words, application=self.application.name)
        return Cure(name, self.trace.pk, sentence, place=self.page(page))

    def page(self, route: str) -> Place | None:
        """A page of the application, for whoever may see it."""
        if Right.VIEW not in self.rights:
            return None
        return Place(f"application_{route}", self.application.pk, PAGES[route])

    @property
    def _slip(self) -> str:
        """What was sent nearly right is better mended where it was sent."""
        if not self.failed.get("near_misses"):
            return ""
        return gettext("It is nearly what is there already: if that is a slip, mend the client.")

    def _missing(self, right: Right) -> str:
        if right in self.rights:
            return ""
        return gettext(
            "You cannot do this: it needs the right %(right)s on %(application)s. Ask somebody"
            " who has it."
        ) % {"right": right.label, "application": self.application.name}

    def _update(self, change: Changes | Callable[[], Changes], actor: Any, now: Any) -> None:
        webapps.update(
            self.application,
            change if isinstance(change, Changes) else change(),
            actor=actor,
            now=now,
            expected_version=self.application.version,
        )
