"""What the Profile of an application forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext

from ..protocol import posture
from ..protocol.application import ApplicationFacts, Profile
from .application_facts import FACTS, facts_of

if TYPE_CHECKING:
    from .application import Application


def problems(application: Application) -> dict[str, str]:
    """A sentence beside each field that breaks a rule which the profile enforces."""
    if not _enforces(application.profile):
        return {}
    facts = _facts(application)
    if facts is None:
        return {}
    found: dict[str, str] = {}
    for finding in posture.breaches(facts):
        name = finding.rule.field_of(facts) or "profile"
        found[name] = " ".join(filter(None, (found.get(name), _sentence(application, finding))))
    return found


def _enforces(profile: str) -> bool:
    return profile in list(Profile) and bool(posture.PROFILES[Profile(profile)].enforced)


def _facts(application: Application) -> ApplicationFacts | None:
    """The application as it shall be; ``None`` where a field holds what is no value at all.

    Such a field has a fault of its own, and no scope decides about what profiles enforce.
    """
    values = [() if name == "scope_names" else getattr(application, name) for name in FACTS]
    try:
        return facts_of(values)
    except (TypeError, ValueError):
        return None


def _sentence(application: Application, finding: posture.Finding) -> str:
    told = gettext(
        "The profile %(profile)s forbids this: “%(rule)s” (%(clause)s). %(cure)s Or choose another"
        " profile on the Posture page."
    )
    return told % {
        "profile": application.get_profile_display(),
        "rule": gettext(finding.rule.sentence),
        "clause": _clause(application.profile, finding.rule),
        "cure": gettext(finding.rule.cure),
    }


def _clause(profile: str, rule: posture.Rule) -> str:
    """The clause of the profile's own specification."""
    clause = rule.clause_of(posture.Specification(profile)) or rule.clauses[0]
    return clause.label
