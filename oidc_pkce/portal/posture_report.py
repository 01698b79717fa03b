"""A report about posture in words: what a rule says, what was seen, what keeping it would break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..flows.posture import Report
from ..models import Application
from ..protocol import posture
from ..protocol.application import Template
from ..protocol.posture import Affected, Effect, Finding, Level, Specification, Verdict
from ..protocol.usage import Feature

NAMED_CLIENTS = 5

VERDICTS: Mapping[Verdict, tuple[Any, str, str]] = {
    Verdict.MET: (_("met"), "good", "✓"),
    Verdict.NOT_MET: (_("not met"), "bad", "✗"),
    Verdict.NOT_SEEN: (_("not seen yet"), "muted", "?"),
}
LEVELS: Mapping[Level, Any] = {Level.MUST: _("required"), Level.SHOULD: _("recommended")}
FEATURES: Mapping[Feature, Any] = {
    Feature.RESPONSE_TYPE: _("response_type"),
    Feature.RESPONSE_MODE: _("response_mode"),
    Feature.CODE_CHALLENGE: _("PKCE"),
    Feature.REQUEST_OBJECT: _("Request objects"),
    Feature.GRANT_TYPE: _("grant_type"),
    Feature.CLIENT_AUTHENTICATION: _("Client authentication"),
    Feature.ALGORITHM: _("Algorithm of access tokens"),
    Feature.RESOURCE: _("resource"),
    Feature.REDIRECT_URI: _("Redirect URIs"),
}
#: The page on which a field is changed; those of clients and redirects depend on the type.
PAGES: Mapping[str, tuple[str, Any]] = {
    **dict.fromkeys(
        (
            "requires_pkce",
            "allows_plain_pkce",
            "flows",
            "token_type",
            "access_token_typ",
            "access_token_lifetime",
            "rotates_refresh_tokens",
        ),
        ("tokens", _("Tokens")),
    ),
    "requires_consent": ("scope", _("Scope")),
    "client_id_type": ("general_usage", _("General Usage")),
    "audience": ("general_usage", _("General Usage")),
    "require_client_secret": ("trust", _("Trust")),
    "client_jwks": ("trust", _("Trust")),
}
_TRUST, _GENERAL_USAGE = ("trust", _("Trust")), ("general_usage", _("General Usage"))


@dataclass(frozen=True)
class Row:
    """One rule as people read it, within one specification or without any."""

    finding: Finding
    report: Report
    specification: Specification | None = None

    @property
    def id(self) -> str:
        """The rule's name."""
        return self.finding.rule.id

    @property
    def sentence(self) -> str:
        """What must be true."""
        return gettext(self.finding.rule.sentence)

    @property
    def is_met(self) -> bool:
        """Whether there is nothing to do."""
        return self.finding.verdict is Verdict.MET

    @property
    def verdict(self) -> tuple[Any, str, str]:
        """Its word, its colour and its sign."""
        return VERDICTS[self.finding.verdict]

    @property
    def reason(self) -> str:
        """Why the verdict is what it is."""
        judgement = self.finding.judgement
        return gettext(judgement.sentence) % judgement.values

    @property
    def cure(self) -> str:
        """What to change."""
        return gettext(self.finding.rule.cure)

    @property
    def place(self) -> tuple[str, Any] | None:
        """The page of this application where it is changed."""
        return page_of(self.finding.rule.field_of(self.report.application), self.report)

    @property
    def setting(self) -> str:
        """The setting that decides for the whole server."""
        return self.finding.rule.setting

    @property
    def is_enforced(self) -> bool:
        """Whether the application's own profile keeps it so."""
        return self.id in self.report.enforced

    @property
    def clauses(self) -> list[tuple[str, str, Any]]:
        """Label, address and level: of one specification, or of all."""
        wanted = self.finding.rule.clauses
        if self.specification is not None:
            wanted = tuple(one for one in wanted if one.specification is self.specification)
        return [(one.label, one.address, LEVELS[one.level]) for one in wanted]

    @cached_property
    def traffic(self) -> list[tuple[Any, list[str]]]:
        """What was seen, feature by feature."""
        return [(FEATURES[name], list(self._seen(name))) for name in self.finding.rule.shows]

    @cached_property
    def breaks(self) -> str:
        """What keeping the rule would break; nothing where it is kept or cannot be."""
        affected = self.finding.affected
        return "" if affected is None or self.is_met else breaks(affected)

    def _seen(self, feature: Feature) -> Iterator[str]:
        for seen in self.finding.seen:
            if seen.feature is feature:
                told = ngettext(
                    "%(value)s: %(count)s request, last on %(last)s",
                    "%(value)s: %(count)s requests, last on %(last)s",
                    seen.count,
                )
                yield told % {
                    "value": seen.value,
                    "count": number_format(seen.count, force_grouping=True),
                    "last": day(seen.last_seen_at),
                }


@dataclass(frozen=True)
class Section:
    """What one specification asks, and how much of that is kept."""

    specification: Specification
    rows: Sequence[Row]

    @property
    def title(self) -> str:
        """The specification's name."""
        return self.specification.heading

    @property
    def tally(self) -> posture.Tally:
        """How many rules are kept."""
        return posture.tally([row.finding for row in self.rows])

    @property
    def open(self) -> list[Row]:
        """Those that somebody should look at."""
        return [row for row in self.rows if not row.is_met]

    @property
    def kept(self) -> list[Row]:
        """The others."""
        return [row for row in self.rows if row.is_met]


def sections(report: Report) -> list[Section]:
    """The report, grouped by specification."""
    return [
        Section(one, [Row(found, report, one) for found in report.of(one)]) for one in Specification
    ]


def standouts(report: Report) -> list[Row]:
    """What the application itself could do better, and some specification requires."""
    return [
        row
        for row in (Row(found, report) for found in report.findings)
        if row.finding.verdict is Verdict.NOT_MET
        and row.place is not None
        and any(one.level is Level.MUST for one in row.finding.rule.clauses)
    ]


def secrets(report: Report) -> list[dict[str, str]]:
    """The live secrets, without what is secret."""
    return [
        {
            "client": each.client_id,
            "made": day(each.created_at),
            "used": day(each.last_used_at) if each.last_used_at else gettext("never"),
            "ends": day(each.expires_at) if each.expires_at else gettext("never"),
        }
        for each in report.secrets
    ]


def breaks(affected: Affected) -> str:
    """How many real requests keeping a rule would touch."""
    if not affected.observed:
        return gettext("No such request was seen yet, so nobody knows what it would break.")
    values = {
        "observed": number_format(affected.observed, force_grouping=True),
        "count": number_format(affected.count, force_grouping=True),
        "since": day(affected.since),
        "last": day(affected.last_seen_at),
        "clients": client_words(affected.clients),
    }
    if not affected.count:
        return gettext("Nothing: none of the %(observed)s requests since %(since)s.") % values
    if affected.effect is Effect.REFUSED:
        told = ngettext(
            "%(count)s of %(observed)s requests since %(since)s would be refused, the last on"
            " %(last)s: %(clients)s.",
            "%(count)s of %(observed)s requests since %(since)s would be refused, the last on"
            " %(last)s: %(clients)s.",
            affected.count,
        )
    else:
        told = ngettext(
            "Nothing would be refused; %(count)s of %(observed)s requests since %(since)s would be"
            " answered otherwise, the last on %(last)s: %(clients)s.",
            "Nothing would be refused; %(count)s of %(observed)s requests since %(since)s would be"
            " answered otherwise, the last on %(last)s: %(clients)s.",
            affected.count,
        )
    return told % values


def day(at: datetime | None) -> str:
    """A date as people write it; nothing for none."""
    return date_format(localtime(at), "DATE_FORMAT") if at else ""


def client_words(clients: Sequence[tuple[str, int]]) -> str:
    """The busiest clients, each with its count."""
    others = gettext("others")
    named = [
        f"{name or others} ({number_format(count, force_grouping=True)})"
        for name, count in clients[:NAMED_CLIENTS]
    ]
    more = len(clients) - NAMED_CLIENTS
    if more > 0:
        named.append(
            ngettext("%(count)d more client", "%(count)d more clients", more) % {"count": more}
        )
    return ", ".join(named)


def page_of(field: str, report: Report) -> tuple[str, Any] | None:
    """The route and the title of the page where a field is changed."""
    if field in ("redirect_uris", "issuer"):
        is_openid = report.application.template is Template.OPENID_CONNECT
        return _TRUST if is_openid else _GENERAL_USAGE
    return PAGES.get(field)


def profile_name(value: str) -> str:
    """What the pages call a profile."""
    column: Any = Application._meta.get_field("profile")
    return str(dict(column.flatchoices)[value])
