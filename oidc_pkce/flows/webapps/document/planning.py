"""What an import would do: which applications it creates, changes or leaves as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from ....models import Application, Principal
from ....models.application import TEMPLATE_NAMES
from ....protocol.application import ClientIdType, Template
from ...client_secret import has_secret
from ..changes import (
    Changes,
    PermissionChange,
    differences,
    fields_of,
    intended,
    set_fields,
    snapshot,
)
from ..impersonation import impersonations
from ..owning import owned_by
from ..problems import Place, Problem, problems
from .keys import INNER_PATHS, PATHS
from .permitting import Permit
from .reading import Entry, NamedPermission
from .report import Notice, Notices, join, shown


class Kind(StrEnum):
    """What happens to an application."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to one application."""

    kind: Kind
    name: str
    application: Application | None
    changes: Changes
    client_secret: str | None
    told: Mapping[str, Any]
    sets_secret: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do; with errors, it cannot be done."""

    steps: tuple[Step, ...]
    warnings: tuple[Notice, ...]
    errors: tuple[Notice, ...]


def plan(entries: Sequence[Entry], notices: Notices, now: datetime, user: Any = None) -> Plan:
    """Compare the entries with what is stored; writes nothing.

    What ``user`` may not do is an error; without one, everything is allowed.
    """
    planner = _Planner(notices, now, user)
    steps = tuple(planner.step(entry) for entry in entries)
    return Plan(steps, tuple(notices.warnings), tuple(notices.errors))


class _Planner:
    """Plans one entry after the other, and remembers the names that earlier ones took."""

    def __init__(self, notices: Notices, now: datetime, user: Any) -> None:
        self.notices = notices
        self.now = now
        self.user = user
        self.names: set[str] = set()
        self.client_ids: set[str] = set()

    def step(self, entry: Entry) -> Step:
        stored = _stored(entry.service_name)
        permit = Permit(self.user, stored)
        if not permit.sees:
            return self._unseen(entry)
        if not permit.may_be_there:
            return self._refused(entry, "you may not add applications.")
        before: dict[str, Any] = snapshot(stored) if stored else {}
        application = stored or Application()
        template = entry.template or (Template(stored.template) if stored else None)
        template = template or entry.likely_template
        changes = self._changes(entry, stored, template)
        set_fields(application, changes)
        self._warn(entry, application, before.get("template"))
        actor_pk = self.user.pk if self.user else None
        names = impersonations(actor_pk, application, before)
        self._note(entry, (*problems(application, changes), *names))
        self._note_repetitions(entry, application)
        secret = self._secret(entry, template)
        after = intended(before, application, changes)
        told = differences(before, after) if stored else _of_new(after, changes)
        if fault := permit.refusal(told, changes, has_secret=secret is not None):
            self.notices.error(join(entry.path, PATHS[fault[0]]), fault[1])
        sets = secret is not None and not (stored and has_secret(stored, secret, self.now))
        kind = Kind.UPDATED if stored else Kind.CREATED
        if stored and not told and not sets:
            kind = Kind.UNCHANGED
        name = application.application_id
        return Step(kind, name, stored, changes, secret, told, sets)

    def _unseen(self, entry: Entry) -> Step:
        """Nothing is said of an application that the user may not see."""
        name = shown(entry.service_name)
        return self._refused(entry, f"you may not change the application “{name}”.")

    def _refused(self, entry: Entry, sentence: str) -> Step:
        """Nothing is judged for whoever may do nothing: patterns alone could take minutes."""
        self.notices.error(join(entry.path, PATHS["application_id"]), sentence)
        return Step(Kind.UNCHANGED, entry.service_name, None, Changes(), None, {}, False)

    def _changes(self, entry: Entry, stored: Application | None, template: Template) -> Changes:
        fields = {**entry.fields, "template": template.value}
        if stored is None:
            fields = {**_defaults(template), "application_id": entry.service_name, **fields}
        if (chosen := _client_id_type(entry, stored)) is not None:
            fields["client_id_type"] = chosen.value
        if entry.client_id and template is Template.OPENID_CONNECT:
            fields["openid_client_id"] = entry.client_id
        changes = Changes(fields, entry.scopes, self._permissions(entry))
        return owned_by(self.user, changes) if self.user and stored is None else changes

    def _permissions(self, entry: Entry) -> tuple[PermissionChange, ...] | None:
        if entry.permissions is None:
            return None
        keys = _principal_keys(entry.permissions)
        found = []
        for row in entry.permissions:
            key = keys.get((row.principal, row.name))
            if row.principal != Principal.EVERYBODY and key is None:
                path = join(entry.path, f"Permissions[{row.position}].Principal")
                kind = Principal(row.principal).value
                self.notices.error(path, f"there is no {kind} “{shown(row.name)}”.")
            else:
                found.append(PermissionChange(row.principal, row.rights, row.name, key))
        return tuple(found)

    def _secret(self, entry: Entry, template: Template) -> str | None:
        if template is Template.OPENID_CONNECT:
            return entry.client_secret
        path = join(entry.path, "OAuthProfile")
        for key, value in (("ClientId", entry.client_id), ("ClientSecret", entry.client_secret)):
            if value:
                sentence = "left out: only an OpenID Connect application has one of its own."
                self.notices.warn(join(path, key), sentence)
        return None

    def _warn(self, entry: Entry, application: Application, earlier: str | None) -> None:
        template = application.template
        if earlier and earlier != template:
            change = f"{TEMPLATE_NAMES[earlier]} to {TEMPLATE_NAMES[template]}"
            self._say(entry, "template", f"the application's type changes from {change}.")
        issuer = application.issuer
        if "issuer" in entry.fields and issuer and issuer != application.locations.issuer:
            sentence = (
                "clients find this issuer by discovery only if that address serves the metadata"
                f" of {application.locations.discovery}; leave it empty for this server's own."
            )
            self._say(entry, "issuer", sentence)
        types = (entry.type_name, entry.type_number)
        if template != Template.OPENID_CONNECT and types != (None, None):
            self._warn_about_type(entry, application)

    def _warn_about_type(self, entry: Entry, application: Application) -> None:
        if entry.type_name is not None and entry.type_number not in (
            None,
            type_number(entry.type_name),
        ):
            sentence = f"ClientIDTypeName says {entry.type_name.value}, and that counts."
            self._say(entry, "client_id_type", sentence)
        if application.client_id_type == ClientIdType.ANYTHING:
            sentence = "Anything lets whoever asks be a client; for PKCE, List is the safe setting."
            self._say(entry, "client_id_type", sentence)

    def _say(self, entry: Entry, field: str, sentence: str) -> None:
        self.notices.warn(join(entry.path, PATHS[field]), sentence)

    def _note(self, entry: Entry, found: Iterable[Problem]) -> None:
        for problem in found:
            path = _path(entry, problem.place)
            self.notices.error(join(entry.path, path) if path else entry.path, problem.sentence)

    def _note_repetitions(self, entry: Entry, application: Application) -> None:
        name, client_id = entry.service_name.lower(), application.openid_client_id
        if name in self.names:
            sentence = "an earlier document of this file has the same Application ID."
            self.notices.error(join(entry.path, "ServiceName"), sentence)
        elif client_id in self.client_ids:
            sentence = "an earlier document of this file has the same client ID."
            self.notices.error(join(entry.path, PATHS["openid_client_id"]), sentence)
        self.names.add(name)
        self.client_ids.add(client_id)


def _of_new(after: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """What tells a new application from one that nobody has configured yet."""
    lists: dict[str, Any] = {name: [] for name in ("scopes", "permissions") if name in after}
    blank = {**fields_of(Application()), **lists}
    # A client id is made anew whenever somebody looks.
    is_told = "openid_client_id" in changes.fields
    blank["openid_client_id"] = "" if is_told else after["openid_client_id"]
    return differences(blank, after)


def type_number(client_id_type: ClientIdType) -> int:
    """How a document counts the types: 0 is Anything and List, 1 is Confidential."""
    return 0 if client_id_type.is_public else 1


def _stored(service_name: str) -> Application | None:
    return Application.objects.named(service_name).select_for_update().first()


def _defaults(template: Template) -> dict[str, Any]:
    return {
        "name": TEMPLATE_NAMES[template.value],
        "show_in_user_app_list": template is Template.OPENID_CONNECT,
    }


def _client_id_type(entry: Entry, stored: Application | None) -> ClientIdType | None:
    """The name wins over the number; 0 is List where there is a list (ours or the stored one)."""
    if entry.type_name is not None:
        return entry.type_name
    if entry.type_number is None:
        return None
    if entry.type_number == 1:
        return ClientIdType.CONFIDENTIAL
    listed = entry.fields.get("client_ids", stored.client_ids if stored else [])
    return ClientIdType.LIST if listed else ClientIdType.ANYTHING


def _principal_keys(rows: Sequence[NamedPermission]) -> Mapping[tuple[Principal, str], Any]:
    """The keys of the users and groups that there are: one statement for each kind."""
    users: Any = get_user_model()
    return {
        **dict(_keys_of(rows, Principal.USER, users, users.USERNAME_FIELD)),
        **dict(_keys_of(rows, Principal.GROUP, Group, "name")),
    }


def _keys_of(
    rows: Sequence[NamedPermission], principal: Principal, model: Any, column: str
) -> Iterator[tuple[tuple[Principal, str], Any]]:
    names = [row.name for row in rows if row.principal == principal]
    if names:
        found = model._default_manager.filter(**{f"{column}__in": names})
        for name, pk in found.values_list(column, "pk"):
            yield (principal, name), pk


def _path(entry: Entry, place: Place) -> str:
    """Where the document says what a problem is about; a place starts with a field's name."""
    if not place:
        return ""
    field, *rest = place
    path = PATHS.get(str(field), "")
    if field == "flows":
        return path
    if field in ("scopes", "permissions") and rest:
        rest[0] = _position(entry, str(field), int(rest[0]))
    for part in rest:
        path += f"[{part}]" if isinstance(part, int) else f".{INNER_PATHS[part]}"
    return path


def _position(entry: Entry, field: str, index: int) -> int:
    """Entries of a wrong type were left out, so positions have shifted."""
    if field == "scopes":
        return entry.scope_positions[index]
    return [row.position for row in entry.permissions or ()][index]
