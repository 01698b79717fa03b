"""Which rules applications keep, what their traffic used, and what another profile would change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from ..conf import settings
from ..models import Application, ClientSecret, Right, Usage
from ..models.application import ApplicationQuerySet
from ..models.application_facts import FACTS, facts_of, scope_names
from ..protocol import posture
from ..protocol.application import ApplicationFacts, ClientIdType, Profile
from ..protocol.metadata import Locations, authentication_methods, document
from ..protocol.posture import Finding, Question, SecretFacts, ServerFacts, Use, Verdict
from ..protocol.usage import Feature
from . import usage
from .webapps import Changes

BATCH = 25  # applications; each batch costs three statements and at most 200 clients of each
_FEATURES = frozenset(Feature)


@dataclass(frozen=True, slots=True)
class Report:
    """What every rule says of one application."""

    application: ApplicationFacts
    findings: tuple[Finding, ...]
    secrets: tuple[SecretFacts, ...]
    uses: tuple[Use, ...] = field(repr=False)

    @property
    def since(self) -> datetime | None:
        """Since when its requests are counted; ``None`` when none was seen."""
        return min((use.first_seen_at for use in self.uses), default=None)

    def of(self, specification: posture.Specification) -> tuple[Finding, ...]:
        """What the rules of one specification say."""
        return posture.of_specification(self.findings, specification)

    @property
    def enforced(self) -> tuple[str, ...]:
        """The rules that its profile enforces."""
        return posture.PROFILES[self.application.profile].enforced

    @property
    def breaches(self) -> tuple[Finding, ...]:
        """Where it does not keep its own profile: only what bypassed the forms can be here."""
        return tuple(
            each
            for each in self.findings
            if each.rule.id in self.enforced and each.verdict is Verdict.NOT_MET
        )

    @property
    def without_names(self) -> Report:
        """The same, counted, without the names of clients and without their secrets."""
        return replace(self, findings=tuple(map(_nameless, self.findings)), secrets=())


@dataclass(frozen=True, slots=True)
class Switch:
    """What choosing a profile does to an application."""

    profile: Profile
    #: By field what was and what shall be, in the order of the screens; the profile is the last.
    fields: Mapping[str, tuple[Any, Any]]
    #: The application as it shall be.
    report: Report
    #: Rules that count from then on, as they were kept until now.
    enforced: tuple[Finding, ...]

    @property
    def changes(self) -> Changes:
        """The one change that leads there."""
        return Changes({name: after for name, (_, after) in self.fields.items()})

    @property
    def without_names(self) -> Switch:
        """The same, without the names of clients."""
        enforced = tuple(map(_nameless, self.enforced))
        return replace(self, report=self.report.without_names, enforced=enforced)

    @property
    def unmet(self) -> tuple[Finding, ...]:
        """Rules of the specification that the profile is named after, and that stay unmet."""
        if self.profile.value not in list(posture.Specification):
            return ()
        findings = self.report.of(posture.Specification(self.profile.value))
        return tuple(each for each in findings if each.verdict is Verdict.NOT_MET)

    @property
    def affected(self) -> tuple[Finding, ...]:
        """Rules that are not kept yet, with the real requests that keeping them touches."""
        return tuple(
            each
            for each in self.enforced
            if each.verdict is Verdict.NOT_MET and each.affected is not None
        )


def names_clients(user: Any, application: Application, rights: Collection[Right]) -> bool:
    """Whether a report tells this user which clients came.

    Where they are service users, only whoever may see those, or the requests that they sent.
    """
    facts = application.facts()
    if facts.is_openid_connect or facts.client_id_type is not ClientIdType.CONFIDENTIAL:
        return True
    kinds = ("view_serviceuser", "change_serviceuser", "view_requesttrace")
    return Right.MANAGE in rights or any(user.has_perm(f"oidc_pkce.{kind}") for kind in kinds)


def report(application: Application, now: datetime) -> Report:
    """What every rule says of this application, in three statements."""
    usage.flush(application.pk)
    return next(_reports([application.facts()], now))


def reports(applications: ApplicationQuerySet, now: datetime) -> Iterator[Report]:
    """The same of many, a batch at a time: three statements for each batch."""
    usage.flush()
    ordered = applications.order_by("pk").annotate(**scope_names()).values_list(*FACTS)
    after = 0
    while rows := list(ordered.filter(pk__gt=after)[:BATCH]):
        after = rows[-1][0]
        yield from _reports([facts_of(row) for row in rows], now)


def switch(application: Application, profile: Profile, now: datetime) -> Switch:
    """What choosing this profile would change, break, and leave unmet."""
    before = report(application, now)
    rules = posture.PROFILES[profile]
    wanted = {**rules.presets(before.application), "profile": profile.value}
    pairs = {name: (getattr(application, name), value) for name, value in wanted.items()}
    fields = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    candidate = Application.objects.get(pk=application.pk)
    for name, (_, shall_be) in fields.items():
        setattr(candidate, name, shall_be)
    after = _report(candidate.facts(), before.uses, before.secrets, now)
    enforced = tuple(each for each in before.findings if each.rule.id in rules.enforced)
    return Switch(profile, fields, after, enforced)


def _nameless(finding: Finding) -> Finding:
    affected = finding.affected
    if affected is None or not affected.clients:
        return finding
    return replace(finding, affected=replace(affected, clients=((usage.OTHERS, affected.count),)))


def _reports(batch: Sequence[ApplicationFacts], now: datetime) -> Iterator[Report]:
    uses = _uses(batch)
    secrets = _secrets(batch, uses, now)
    for application in batch:
        yield _report(application, uses[application.pk], tuple(secrets[application.pk]), now)


def _report(
    application: ApplicationFacts,
    uses: Sequence[Use],
    secrets: Sequence[SecretFacts],
    now: datetime,
) -> Report:
    server = _server(application)
    question = Question(application, server, tuple(uses), tuple(secrets), now)
    return Report(application, posture.examine(question), question.secrets, question.uses)


def _server(application: ApplicationFacts) -> ServerFacts:
    places = Locations(settings.issuer_base, application.application_id)
    published = document(application, places, claims=(), acr_values=(), locales=())
    resource = settings.resource_server
    return ServerFacts(
        base=settings.issuer_base,
        code_lifetime=settings.authorization_code_lifetime,
        metadata=frozenset(name for name, value in published.items() if value),
        authentication_methods=frozenset(authentication_methods(application)),
        resource=resource.resource,
        resource_applications=frozenset(resource.applications),
    )


def _uses(batch: Sequence[ApplicationFacts]) -> Mapping[int, list[Use]]:
    rows = Usage.objects.filter(application__in=[each.pk for each in batch], count__gt=0)
    columns = ("client_id", "feature", "value", "count", "first_seen_at", "last_seen_at")
    found: dict[int, list[Use]] = defaultdict(list)
    for pk, client_id, feature, *counted in rows.order_by().values_list("application_id", *columns):
        if feature in _FEATURES:
            found[pk].append(Use(client_id, Feature(feature), *counted))
    return found


def _secrets(
    batch: Iterable[ApplicationFacts], uses: Mapping[int, list[Use]], now: datetime
) -> Mapping[int, list[SecretFacts]]:
    """The live secrets of OpenID Connect applications, and of the service users that came."""
    owners: dict[int, str] = {}
    visitors: dict[str, list[int]] = defaultdict(list)
    for each in batch:
        if each.is_openid_connect:
            owners[each.pk] = each.openid_client_id
        elif each.client_id_type is ClientIdType.CONFIDENTIAL:
            for client_id in {use.client_id for use in uses[each.pk]}:
                visitors[client_id].append(each.pk)
    login = f"service_user__user__{get_user_model().USERNAME_FIELD}"
    wanted = Q(application__in=owners) | Q(**{f"{login}__in": list(visitors)})
    columns = ("application_id", login, "created_at", "last_used_at", "expires_at")
    found: dict[int, list[SecretFacts]] = defaultdict(list)
    rows = ClientSecret.objects.live(now).filter(wanted).order_by("-pk").values_list(*columns)
    for pk, client_id, *times in rows:
        for application in [pk] if pk is not None else visitors[client_id]:
            found[application].append(SecretFacts(owners.get(application, client_id), *times))
    return found
