"""Why did this fail? One request as one value, for the page and for ``oidc_doctor explain``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from importlib import import_module
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import audit
from ..models import Application, RequestTrace
from ..protocol import clause
from ..protocol.authorization.destination import DESTINATION_CHECKS
from ..protocol.authorization.request import REQUEST_CHECKS
from ..protocol.checks import Check, registry
from ..protocol.clause import Clause
from ..protocol.client_authentication import CLIENT_CHECKS
from ..protocol.grants.authorization_code import CODE_CHECKS
from ..protocol.grants.client_credentials import CLIENT_CREDENTIALS_CHECKS
from ..protocol.grants.password import PASSWORD_CHECKS, PERSON_CHECKS
from ..protocol.grants.refresh_token import REFRESH_CHECKS
from ..protocol.introspection import INTROSPECTION_CHECKS
from ..protocol.near_miss import NearMiss
from ..protocol.policy import NETWORK_CHECKS
from ..protocol.presented_token import PRESENTED_TOKEN_CHECKS
from ..protocol.request_object import OBJECT_CHECKS
from ..protocol.revocation import REVOCATION_CHECKS
from ..protocol.token import GRANT_CHECKS, TOKEN_CHECKS
from . import administration
from .actor import Actor
from .bearer import BEARER_CHECKS
from .comparison import Comparison, compare
from .login import SIGN_IN_PAGE_CHECKS
from .reasons import NEAR_MISSES, OTHER_REASON, reason
from .tracing import MAX_TEXT

Table = Sequence[Check[..., Any]]

#: What each endpoint checks, in order, as far as that is the same for every request to it.
TABLES: Mapping[str, Sequence[Table]] = {
    "authorize": ((*DESTINATION_CHECKS, *REQUEST_CHECKS, *NETWORK_CHECKS), OBJECT_CHECKS),
    "token": (
        (*TOKEN_CHECKS, *CLIENT_CHECKS, *GRANT_CHECKS),
        CODE_CHECKS,
        REFRESH_CHECKS,
        CLIENT_CREDENTIALS_CHECKS,
        (*PASSWORD_CHECKS, *PERSON_CHECKS),
    ),
    "introspect": ((*PRESENTED_TOKEN_CHECKS, *CLIENT_CHECKS), INTROSPECTION_CHECKS),
    "revoke": ((*PRESENTED_TOKEN_CHECKS, *CLIENT_CHECKS), REVOCATION_CHECKS),
    "userinfo": (BEARER_CHECKS,),
}

_SAME_ANSWER = gettext_lazy(
    "The client was told nothing of this: the answer is 200, whatever the token is."
)
_PAGE_AGAIN = gettext_lazy(
    "The client was told nothing of this: the person was shown the sign-in page again."
)

#: What no client learns, and what happened instead (RFC 7662 §2.2, RFC 7009 §2.2).
UNTOLD = {
    **{check.id: _SAME_ANSWER for check in (*INTROSPECTION_CHECKS, *REVOCATION_CHECKS)},
    **{check.id: _PAGE_AGAIN for check in SIGN_IN_PAGE_CHECKS},
}


class State(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True, slots=True)
class Step:
    """One check of the request; ``sentence`` is empty for one that this version does not have."""

    check: str
    state: State
    sentence: str = ""
    cure: str = ""
    clauses: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class Nearness:
    """A known mistake, by its name, and what to do about it."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ShownCredential:
    """A credential as two people can compare it; ``sentence`` says how it compares with others."""

    name: str
    length: int
    fingerprint: str
    stored: tuple[str, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is to be said of one request; what is empty has nothing to say."""

    request_id: str
    at: datetime
    endpoint: str
    application: str
    application_id: str
    client_id: str
    user: str
    succeeded: bool
    reason: str
    failed_check: str = ""
    error: str = ""
    description: str = ""
    near_misses: tuple[Nearness, ...] = ()
    elsewhere: str = ""
    detail: str = ""
    comparison: Comparison | None = None
    notes: tuple[str, ...] = ()
    credential: ShownCredential | None = None
    cure: str = ""
    steps: tuple[Step, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {**asdict(self), "at": self.at.isoformat()}


def find(text: str, among: Any) -> RequestTrace | None:
    """The request of this id, in whichever case and with whatever spaces somebody typed it."""
    named = "".join(text.split())
    if not (named.isascii() and named.isalnum()):
        return None
    found: RequestTrace | None = among.filter(request_id__in={named, named.upper()}).first()
    return found


def read(trace: RequestTrace, *, user: Any, actor: Actor, now: datetime) -> Explanation:
    """Explain a request to somebody, and keep that it was explained."""
    application = trace.application
    audit.record(
        audit.Action.REQUEST_EXPLAINED,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=application.pk if application else None,
        application_name=application.name if application else "",
        details={"request": trace.request_id},
    )
    return explain(trace, user=user)


def explain(trace: RequestTrace, *, user: Any) -> Explanation:
    """What is to be said of a request. ``user`` is who reads it; ``None`` sees every application.

    Whether they may read it at all is asked before: ``flows.records.requests``.
    """
    failures = (each for each in trace.outcomes if not each["passed"])
    failed = next((each for each in failures if each["check"] == trace.failed_check), None)
    application, person = trace.application, trace.user
    frame: dict[str, Any] = {
        "request_id": trace.request_id,
        "at": trace.at,
        "endpoint": trace.endpoint,
        "application": application.name if application else "",
        "application_id": application.application_id if application else "",
        "client_id": trace.client_id,
        "user": person.get_username() if person else "",
        "succeeded": trace.succeeded,
        "failed_check": trace.failed_check,
        "steps": tuple(_steps(trace)),
    }
    if failed is None:
        passed = _("Answered: every check passed.")
        return Explanation(reason=passed if trace.succeeded else str(OTHER_REASON), **frame)
    return Explanation(**frame, **_of_failure(failed, user))


def every_check() -> list[Step]:
    """The registry, for the reference page, in alphabetical order."""
    return [_step(name, State.PASSED) for name in sorted(_registered())]


# --- what is wrong -----------------------------------------------------------------------------


def _of_failure(failed: Mapping[str, Any], user: Any) -> dict[str, Any]:
    known = _registered().get(failed["check"])
    near = [name for name in failed.get("near_misses") or () if name in set(NearMiss)]
    comparison = _comparison(failed)
    untold = UNTOLD.get(failed["check"])
    return {
        "reason": reason(failed["check"], failed.get("detail", ""), failed.get("description", "")),
        "error": "" if untold else failed.get("error") or "",
        "description": "" if untold else failed.get("description") or "",
        "near_misses": tuple(Nearness(name, str(NEAR_MISSES[NearMiss(name)])) for name in near),
        "elsewhere": _elsewhere(failed.get("elsewhere"), user),
        "detail": failed.get("detail") or "",
        "comparison": comparison,
        "notes": tuple(_notes(comparison, untold)),
        "credential": _credential(failed.get("credential")),
        "cure": _(known.fix) if known else "",
    }


def _comparison(failed: Mapping[str, Any]) -> Comparison | None:
    received, expected = failed.get("received"), failed.get("expected") or ()
    if received is None and not expected:
        return None
    return compare(received or "", expected)


def _notes(comparison: Comparison | None, untold: Any = None) -> Iterator[str]:
    """What the marks cannot say."""
    if untold:
        yield str(untold)
    if comparison is None:
        return
    if comparison.is_withheld:
        yield _(
            "What was received may be a credential in the wrong place: only its length is kept."
        )
    elif comparison.is_marked:
        yield _("The first difference is at character %(number)s.") % {
            "number": comparison.first_difference
        }
    elif comparison.closest and comparison.received and not comparison.is_unlike:
        yield _("What is kept of both is the same: they differ where nothing is kept.")
    if comparison.hides_values:
        yield _("Values in the query of an address are not kept; they may differ, too.")
    if comparison.is_cut:
        yield _("Only the first %(number)s characters are kept, and only they are compared.") % {
            "number": MAX_TEXT
        }


def _credential(kept: Mapping[str, Any] | None) -> ShownCredential | None:
    if not kept:
        return None
    stored = tuple(kept.get("stored") or ())
    sentence = ""
    if stored and kept["fingerprint"] in stored:
        sentence = _("It is one of those that are stored.")
    elif stored:
        sentence = _("It is none of those that are stored.")
    return ShownCredential(kept["name"], kept["length"], kept["fingerprint"], stored, sentence)


def _elsewhere(pk: int | None, user: Any) -> str:
    """The application to which what was presented belongs, for whoever may see that."""
    if pk is None:
        return ""
    seen = Application.objects.all() if user is None else administration.holding(user)
    name = seen.filter(pk=pk).values_list("name", flat=True).first()
    if name is None:
        return _("It belongs to an application that you may not see, or that is gone.")
    return _("It belongs to the application “%(name)s”.") % {"name": name}


# --- the checks, in order ----------------------------------------------------------------------


def _steps(trace: RequestTrace) -> Iterator[Step]:
    for outcome in trace.outcomes:
        yield _step(outcome["check"], State.PASSED if outcome["passed"] else State.FAILED)
    for check in _not_reached(trace):
        yield _step(check, State.NOT_REACHED)


def _not_reached(trace: RequestTrace) -> Iterator[str]:
    """The rest of the table in which the request ended, where it is clear which one that is."""
    ran = {outcome["check"] for outcome in trace.outcomes}
    tables = [[check.id for check in table] for table in TABLES.get(trace.endpoint, ())]
    holding = [table for table in tables if trace.failed_check in table]
    if not holding:
        return
    table = max(holding, key=lambda names: len(ran.intersection(names)))
    yield from (name for name in table[table.index(trace.failed_check) :] if name not in ran)


def _step(name: str, state: State) -> Step:
    known = _registered().get(name)
    if known is None:
        return Step(name, state)
    clauses = tuple(clause.read(known.spec))
    return Step(name, state, _(known.sentence), _(known.fix), clauses)


def _registered() -> Mapping[str, Check[..., Any]]:
    """Every check. They register themselves when their modules are loaded, which a command's are
    not before somebody asks for an address.
    """
    for module in ("oidc_pkce.urls", "oidc_pkce.resource_server.admission"):
        import_module(module)
    return registry()
