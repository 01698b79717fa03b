"""Permissions of an application: who holds which rights on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..flows import webapps
from ..flows.webapps import Changes, PermissionChange
from ..flows.webapps.changes import granted
from ..flows.webapps.succession import require_successor
from ..models import Application, Principal, Right
from . import preconditions, problems
from .base import ManagementView
from .fields import Choice, StrictSerializer, Text
from .problems import Fault, Problem
from .schema import ETAG, ID, IF_MATCH, operation, path_parameter

EVERYBODY = "Everybody"
CHANGING = (problems.NOT_FOUND, problems.STALE, problems.UNCONDITIONAL, problems.CONFLICT)
PRINCIPAL = path_parameter(
    "principal", {"type": "string", "enum": Principal.values}, "What kind of principal."
)
NAME = path_parameter(
    "name", {"type": "string"}, "Login name or group name; Everybody for everybody."
)


class RightsSerializer(StrictSerializer):
    """The rights of one principal."""

    rights = serializers.ListField(child=Choice(choices=Right.values))


class PermissionSerializer(RightsSerializer):
    """One principal's rights."""

    principal = Choice(choices=Principal.values)
    name = Text(max_length=255, help_text="Login name or group name; Everybody for everybody.")


class PermissionsSerializer(StrictSerializer):
    """All rows."""

    permissions = PermissionSerializer(many=True)


class Permissions(ManagementView):
    """All rows of an application."""

    chapter = "Permissions"

    @operation(
        "list_permissions",
        "List an application's permissions",
        answer=PermissionsSerializer,
        headers=[ID, ETAG],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the address's word
        """Who holds what."""
        self.query()
        return _told(self.application(id))

    @operation(
        "replace_permissions",
        "Replace an application's permissions",
        body=PermissionsSerializer,
        answer=PermissionsSerializer,
        example={
            "permissions": [
                {"principal": "everybody", "name": EVERYBODY, "rights": ["can_view", "can_run"]}
            ]
        },
        headers=[ID, IF_MATCH, ETAG],
        kinds=[*CHANGING, problems.INVALID],
    )
    def put(self, request: Request, id: int) -> Response:  # noqa: A002
        """Set all rows."""
        self.query()
        application = self.application(id, Right.GRANT)
        version = preconditions.expected_version(request, application)
        rows = changes_of(self.read(PermissionsSerializer)["permissions"])
        return _save(self, application, rows, version)


class OnePermission(ManagementView):
    """The row of one principal."""

    chapter = "Permissions"

    @operation(
        "read_permission",
        "Read one principal's rights",
        answer=PermissionSerializer,
        headers=[ID, PRINCIPAL, NAME, ETAG],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, id: int, principal: str, name: str) -> Response:  # noqa: A002
        """Which rights the row gives."""
        self.query()
        application = self.application(id)
        rows = granted(application)
        row = next(
            (one for one in rows if (one["principal"], one["name"]) == (principal, name)), None
        )
        if row is None:
            raise Problem(problems.NOT_FOUND)
        return Response(row, headers={"ETag": preconditions.etag(application)})

    @operation(
        "set_permission",
        "Set one principal's rights",
        body=RightsSerializer,
        answer=PermissionsSerializer,
        example={"rights": ["can_view", "can_run", "is_deployed"]},
        headers=[ID, PRINCIPAL, NAME, IF_MATCH, ETAG],
        kinds=[*CHANGING, problems.INVALID],
        may_create=True,
    )
    def put(self, request: Request, id: int, principal: str, name: str) -> Response:  # noqa: A002
        """Add the row, or change it."""
        self.query()
        application = self.application(id, Right.GRANT)
        _expect(request, application)
        members = {**self.read(RightsSerializer), "principal": principal, "name": name}
        (mine,) = changes_of([members], named_in_address=True)
        rows = stored(application)
        others = [row for row in rows if not _is_same(row, mine)]
        told = _save(self, application, (*others, mine), application.version)
        told.status_code = 201 if len(others) == len(rows) else 200  # RFC 9110 §9.3.4
        return told

    @operation(
        "delete_permission",
        "Take one principal's rights away",
        status=204,
        headers=[ID, PRINCIPAL, NAME, IF_MATCH],
        kinds=[*CHANGING, problems.INVALID],
    )
    def delete(self, request: Request, id: int, principal: str, name: str) -> Response:  # noqa: A002
        """Delete the row."""
        self.query()
        application = self.application(id, Right.GRANT)
        _expect(request, application)
        rows = stored(application)
        others = [row for row in rows if (row.principal, row.name) != (principal, name)]
        if len(others) == len(rows):
            raise Problem(problems.NOT_FOUND)
        _save(self, application, others, application.version)
        return Response(status=204)


def stored(application: Application) -> list[PermissionChange]:
    """The rows as they are, to be written again with one of them changed."""
    return list(map(PermissionChange.of, application.permissions.select_related("user", "group")))


def changes_of(
    rows: Sequence[Mapping[str, Any]], *, named_in_address: bool = False
) -> tuple[PermissionChange, ...]:
    """The rows that a body names. Raises ``Problem`` 422 for principals that do not exist."""
    keys = dict(_keys(rows))
    missing = [index for index, row in enumerate(rows) if _key(row) not in keys]
    if missing and named_in_address:
        raise Problem(problems.NOT_FOUND, _("There is no such principal."))
    if missing:
        raise Problem(problems.INVALID, faults=_missing(rows, missing))
    return tuple(
        PermissionChange(
            Principal(row["principal"]),
            frozenset(map(Right, row["rights"])),
            row["name"],
            keys[_key(row)],
        )
        for row in rows
    )


def _missing(rows: Sequence[Mapping[str, Any]], missing: Iterable[int]) -> Iterator[Fault]:
    for index in missing:
        named = {
            "kind": Principal(rows[index]["principal"]).label,
            "name": rows[index]["name"][:80],
        }
        sentence = _("There is no %(kind)s “%(name)s”.") % named
        yield Fault(f"/permissions/{index}/name", sentence)


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["principal"], row["name"]


def _keys(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[tuple[str, str], Any]]:
    """The keys of the principals that there are: one statement for each kind."""
    users: Any = get_user_model()
    yield (Principal.EVERYBODY.value, EVERYBODY), None
    for principal, model, column in (
        (Principal.USER, users, users.USERNAME_FIELD),
        (Principal.GROUP, Group, "name"),
    ):
        names = [row["name"] for row in rows if row["principal"] == principal]
        if names:
            there = model._default_manager.filter(**{f"{column}__in": names})
            for name, pk in there.values_list(column, "pk"):
                yield (principal.value, name), pk


def _is_same(row: PermissionChange, other: PermissionChange) -> bool:
    return (row.principal, row.pk) == (other.principal, other.pk)


def _expect(request: Request, application: Application) -> None:
    """A row is written among the others that were read: whatever If-Match says, none may change."""
    preconditions.expected_version(request, application)


def _save(
    view: ManagementView,
    application: Application,
    rows: Iterable[PermissionChange],
    version: int | None,
) -> Response:
    permissions = tuple(rows)
    require_successor(view.request.user, permissions)
    saved = webapps.update(
        application,
        Changes(permissions=permissions),
        actor=view.actor,
        now=view.now,
        expected_version=version,
    )
    return _told(saved)


def _told(application: Application) -> Response:
    etag = preconditions.etag(application)
    return Response({"permissions": granted(application)}, headers={"ETag": etag})
