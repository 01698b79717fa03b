"""An application as JSON: the columns of the model, by their names, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models
from rest_framework import serializers

from ..flows.webapps import Changes, ScopeChange
from ..flows.webapps.changes import FIELDS, fields_of, scopes_of
from ..models import Application, Status
from ..models.fields import StringListField
from ..protocol.metadata import PATHS
from .fields import Choice, Flag, Lifetime, Object, StrictSerializer, Text, Texts

READ_ONLY = ("openid_client_id",)
WRITABLE = tuple(name for name in FIELDS if name not in READ_ONLY)
ENDPOINTS = tuple(name for name in PATHS if name not in ("confirm", "login", "logo"))


class ScopeSerializer(StrictSerializer):
    """A scope that an application defines."""

    name = Text(max_length=255)
    description = Text(max_length=500, allow_blank=True, required=False)
    rest_patterns = Texts(required=False, help_text="Regular expressions for paths.")


def _field(column: Any) -> serializers.Field[Any, Any, Any, Any]:
    """A field for a column; whether its value can be, the model says."""
    given: dict[str, Any] = {
        "required": not column.has_default() and not column.blank and not _is_completed(column),
        "help_text": str(column.help_text or column.verbose_name),
    }
    if column.null:
        given["allow_null"] = True
    if column.choices:
        return Choice(choices=[(value, value) for value, _ in column.flatchoices], **given)
    if isinstance(column, models.BooleanField):
        return Flag(**given)
    if isinstance(column, StringListField):
        return Texts(**given)
    if isinstance(column, models.JSONField):
        return Object(**given)
    if isinstance(column, models.DurationField):
        return Lifetime(**given)
    return Text(max_length=column.max_length, allow_blank=column.blank, **given)


def _is_completed(column: Any) -> bool:
    """Whether the template decides where nothing is said."""
    return bool(column.name == "access_token_typ")


def _fields() -> Iterator[tuple[str, Any]]:
    yield "id", serializers.IntegerField(read_only=True)
    yield "version", serializers.IntegerField(read_only=True)
    status = [(value, value) for value in Status.values]
    yield "status", serializers.ChoiceField(choices=status, read_only=True)
    for name in WRITABLE:
        yield name, _field(Application._meta.get_field(name))
    yield "scopes", ScopeSerializer(many=True, required=False)
    yield "openid_client_id", Text(read_only=True, help_text="client_id of OpenID Connect.")
    yield "issuer_in_use", Text(read_only=True, help_text="The iss of its tokens.")
    yield "endpoints", EndpointsSerializer(read_only=True)
    yield "created_at", serializers.DateTimeField(read_only=True)
    yield "updated_at", serializers.DateTimeField(read_only=True)


EndpointsSerializer: type[StrictSerializer] = type(
    "EndpointsSerializer",
    (StrictSerializer,),
    {name: Text() for name in ("discovery", *ENDPOINTS)},
)
ApplicationSerializer: type[StrictSerializer] = type(
    "ApplicationSerializer", (StrictSerializer,), dict(_fields())
)


def shown(application: Application) -> dict[str, Any]:
    """What is told of an application; it comes with its status, see ``with_status()``."""
    return {
        "id": application.pk,
        "version": application.version,
        "status": str(application.status),  # type: ignore[attr-defined]
        **fields_of(application),
        "scopes": scopes_of(application.scopes.all()),
        "issuer_in_use": application.effective_issuer,
        "endpoints": _endpoints(application),
        "created_at": application.created_at,
        "updated_at": application.updated_at,
    }


def _endpoints(application: Application) -> dict[str, str]:
    places = application.locations
    return {"discovery": places.discovery, **{name: places.of(name) for name in ENDPOINTS}}


def changes_of(members: Mapping[str, Any]) -> Changes:
    """The changes that a body asks for: what it does not name stays as it is."""
    fields = {name: value for name, value in members.items() if name != "scopes"}
    scopes = members.get("scopes")
    return Changes(fields, None if scopes is None else tuple(map(_scope, scopes)))


def replacement_of(members: Mapping[str, Any]) -> Changes:
    """The changes that make an application what a body says: what it does not name is default."""
    return changes_of({**_defaults(), "scopes": [], **members})


def _defaults() -> dict[str, Any]:
    blank = Application()
    return {name: getattr(blank, name) for name in WRITABLE}


def _scope(members: Mapping[str, Any]) -> ScopeChange:
    patterns = tuple(members.get("rest_patterns", ()))
    return ScopeChange(members["name"], members.get("description", ""), patterns)


EXAMPLE = {
    "template": "OAuth2ServerClient",
    "application_id": "field_notes",
    "name": "Field Notes",
    "client_id_type": "List",
    "client_ids": ["my_service_user"],
    "redirect_uris": ["https://notes.example.com/callback"],
    "access_token_lifetime": "0.05:00:00",
    "scopes": [{"name": "notes.read", "description": "Read the notes that you have written"}],
}
