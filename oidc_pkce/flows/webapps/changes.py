"""What is to be changed of an application, and what an application is, as values to compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ...models import Application, Permission, Principal, Right, Scope
from . import durations
from .logo import LogoChange, etag_of

_MANAGED = frozenset({"id", "version", "created_at", "updated_at", "subject_salt", "watched_until"})

#: The columns that a change may set, in the order of the screens.
FIELDS: tuple[str, ...] = tuple(
    column.name for column in Application._meta.concrete_fields if column.name not in _MANAGED
)


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """A scope as it shall be."""

    name: str
    description: str = ""
    rest_patterns: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Scope) -> ScopeChange:
        """A stored scope as it is."""
        return cls(row.name, row.description, tuple(row.rest_patterns))

    def row(self) -> Scope:
        """The scope, not saved."""
        return Scope(
            name=self.name, description=self.description, rest_patterns=list(self.rest_patterns)
        )


@dataclass(frozen=True, slots=True)
class PermissionChange:
    """One principal's rights as they shall be; ``pk`` is the user's or the group's."""

    principal: Principal
    rights: frozenset[Right]
    name: str = "Everybody"
    pk: Any = None

    @classmethod
    def of(cls, row: Permission) -> PermissionChange:
        """A stored row as it is; it reads the user or the group."""
        return cls(Principal(row.principal), row.rights, row.principal_name, row.principal_key)

    def row(self) -> Permission:
        """The permission, not saved; Manage and Delete bring View along."""
        row = Permission(
            principal=self.principal,
            user_id=self.pk if self.principal == Principal.USER else None,
            group_id=self.pk if self.principal == Principal.GROUP else None,
            **{right.value: right in self.rights for right in Right},
        )
        row.clean()
        return row


@dataclass(frozen=True, slots=True)
class Changes:
    """What to set. A field that is not named, and ``None``, keep what is stored."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    scopes: tuple[ScopeChange, ...] | None = None
    permissions: tuple[PermissionChange, ...] | None = None
    logo: LogoChange | None = None


def set_fields(application: Application, changes: Changes) -> None:
    """Set the named fields. Raises ``TypeError`` for one that no change may set."""
    for name, value in changes.fields.items():
        if name not in FIELDS:
            raise TypeError(f"an application has no field {name} that can be set")
        setattr(application, name, value)


def fields_of(application: Application) -> dict[str, Any]:
    """Every field, as JSON."""
    return {name: _as_json(getattr(application, name)) for name in FIELDS}


def scopes_of(rows: Iterable[Scope]) -> list[dict[str, Any]]:
    """Scopes as JSON, in their order: the consent page shows them so."""
    return [
        {"name": row.name, "description": row.description, "rest_patterns": row.rest_patterns}
        for row in rows
    ]


def permissions_of(rows: Iterable[tuple[str, Permission]]) -> list[dict[str, Any]]:
    """Permissions as JSON, from names and rows. Their order means nothing, so it is by name."""
    listed = [
        {"principal": str(row.principal), "name": name, "rights": rights_of(row)}
        for name, row in rows
    ]
    return sorted(listed, key=lambda entry: (entry["principal"], entry["name"]))


def rights_of(row: Permission) -> list[str]:
    """The names of the columns that are ticked."""
    return [right.value for right in Right if getattr(row, right.value)]


def snapshot(application: Application) -> dict[str, Any]:
    """Everything that is stored of an application but its secrets; of its logo, which one."""
    return {
        **fields_of(application),
        "scopes": scopes_of(application.scopes.all()),
        "permissions": granted(application),
        "logo": etag_of(application),
    }


def granted(application: Application) -> list[dict[str, Any]]:
    """The stored permissions as JSON."""
    stored = application.permissions.select_related("user", "group")
    return permissions_of((row.principal_name, row) for row in stored)


def intended(
    before: Mapping[str, Any], application: Application, changes: Changes
) -> dict[str, Any]:
    """The snapshot that the changes lead to; ``application`` has their fields already."""
    after = {**before, **fields_of(application)}
    if changes.scopes is not None:
        after["scopes"] = scopes_of(change.row() for change in changes.scopes)
    if changes.permissions is not None:
        pairs = ((change.name, change.row()) for change in changes.permissions)
        after["permissions"] = permissions_of(pairs)
    if changes.logo is not None:
        after["logo"] = changes.logo.etag
    return after


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field, what was and what is."""
    return {
        name: {"before": before.get(name), "after": after.get(name)}
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, timedelta):
        return durations.render(value)
    return str(value) if isinstance(value, str) else value
