"""What is wrong with an application as it shall be: every fault, with the place where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _

from ...models import Application
from .changes import Changes
from .logo import logo_problem

MAX_SCOPES = 500
MAX_PERMISSIONS = 2000
MAX_PATTERNS = 2000  # of all scopes together: each is compiled, and tried against each path

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: a field, perhaps with positions in lists, and a sentence."""

    place: Place
    sentence: str


class Unsound(ValidationError):
    """An application that cannot be: sentences by field, and in ``problems`` each exact place."""

    def __init__(self, found: Sequence[Problem]) -> None:
        self.problems = tuple(found)
        faults: dict[str, list[str]] = {}
        for problem in found:
            field = str(problem.place[0]) if problem.place else NON_FIELD_ERRORS
            listed = field if field not in ("scopes", "permissions") else NON_FIELD_ERRORS
            faults.setdefault(listed, []).append(problem.sentence)
        super().__init__(faults)


def require_sound(
    application: Application, changes: Changes, further: Iterable[Problem] = ()
) -> None:
    """Raise ``Unsound`` when there is a problem, or a ``further`` one."""
    if found := (*problems(application, changes), *further):
        raise Unsound(found)


def problems(application: Application, changes: Changes) -> Iterator[Problem]:
    """Every problem of the application, of its new scopes and permissions, and of its new logo."""
    try:
        application.full_clean()
    except ValidationError as fault:
        yield from _located((), fault)
    yield from _of_scopes(changes)
    yield from _of_permissions(changes)
    if changes.logo is not None and (sentence := logo_problem(changes.logo)):
        yield Problem(("logo",), sentence)


def _of_scopes(changes: Changes) -> Iterator[Problem]:
    scopes = changes.scopes or ()
    if len(scopes) > MAX_SCOPES:
        yield Problem(("scopes",), _("At most %(max)s entries are possible.") % {"max": MAX_SCOPES})
        return
    names: set[str] = set()
    patterns = 0
    for index, scope in enumerate(scopes):
        patterns += len(scope.rest_patterns)
        if patterns > MAX_PATTERNS:
            sentence = _("At most %(max)s entries are possible.") % {"max": MAX_PATTERNS}
            yield Problem(("scopes", index, "rest_patterns"), sentence)
            return
        try:
            scope.row().clean_fields(exclude={"application"})
        except ValidationError as fault:
            yield from _located(("scopes", index), fault)
        if scope.name in names:
            sentence = _("The scope “%(name)s” is listed twice.") % {"name": scope.name[:200]}
            yield Problem(("scopes", index, "name"), sentence)
        names.add(scope.name)


def _of_permissions(changes: Changes) -> Iterator[Problem]:
    permissions = changes.permissions or ()
    if len(permissions) > MAX_PERMISSIONS:
        sentence = _("At most %(max)s entries are possible.") % {"max": MAX_PERMISSIONS}
        yield Problem(("permissions",), sentence)
        return
    seen: set[tuple[str, Any]] = set()
    for index, permission in enumerate(permissions):
        key = (permission.principal, permission.pk)
        if key in seen:
            sentence = _("“%(name)s” is listed twice.") % {"name": permission.name[:200]}
            yield Problem(("permissions", index, "principal"), sentence)
        seen.add(key)


def _located(place: Place, fault: ValidationError) -> Iterator[Problem]:
    for field, errors in fault.error_dict.items():
        for error in errors:
            where: Place = _of_constraint(error) if field == NON_FIELD_ERRORS else (field,)
            params = error.params if isinstance(error.params, dict) else {}
            index: Place = (params["index"],) if "index" in params else ()
            yield Problem((*place, *where, *index), error.messages[0])


def _of_constraint(error: ValidationError) -> Place:
    """The field of a constraint that is about one column, but in any case of letters."""
    taken = next(c for c in Application._meta.constraints if c.name == "oidc_pkce_application_id")
    is_taken = error.messages == [str(taken.get_violation_error_message())]
    return ("application_id",) if is_taken else ()
