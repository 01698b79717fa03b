"""Write applications as documents: every key but the client secret, always in the same order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import Prefetch, prefetch_related_objects

from ....models import Application, Permission, Scope
from ....protocol.application import ClientIdType, Template
from .keys import DOCUMENT, EXTENSION, PRINCIPALS, PROFILE, RIGHTS, Key
from .planning import type_number


def export_documents(applications: Iterable[Application]) -> list[dict[str, Any]]:
    """One document per application, by Application ID. An import of them changes nothing."""
    ordered = sorted(applications, key=lambda one: one.application_id.lower())
    named = Permission.objects.select_related("user", "group")
    prefetch_related_objects(ordered, "scopes", Prefetch("permissions", named))
    return [_document(application) for application in ordered]


def render(documents: list[dict[str, Any]]) -> str:
    """The documents as text, the same bytes for the same applications."""
    return json.dumps(documents, indent=2, ensure_ascii=False) + "\n"


def _document(application: Application) -> dict[str, Any]:
    return {
        "ServiceName": application.application_id,
        "TemplateName": application.template,
        **_written(application, DOCUMENT),
        "OAuthProfile": _profile(application),
        "OidcPkce": _written(application, EXTENSION),
        "Permissions": _permissions(application),
    }


def _profile(application: Application) -> dict[str, Any]:
    chosen = ClientIdType(application.client_id_type)
    openid = application.template == Template.OPENID_CONNECT
    return {
        "ClientIDType": type_number(chosen),
        "ClientIDTypeName": chosen.value,
        **_written(application, PROFILE),
        "KnownScopes": [_scope(scope) for scope in application.scopes.all()],
        "ClientId": application.openid_client_id if openid else "",
    }


def _written(application: Application, keys: tuple[Key, ...]) -> dict[str, Any]:
    return {key.name: key.write(getattr(application, key.field)) for key in keys}


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "Scope": scope.name,
        "Description": scope.description,
        "AllowedRest": scope.rest_patterns,
    }


def _permissions(application: Application) -> list[dict[str, Any]]:
    return sorted(
        (_permission(row) for row in application.permissions.all()),
        key=lambda row: (row["PType"], row["Principal"]),
    )


def _permission(row: Permission) -> dict[str, Any]:
    kinds = {principal.value: name for name, principal in PRINCIPALS.items()}
    return {
        "Principal": row.principal_name,
        "PType": kinds[row.principal],
        "Rights": ",".join(name for name, right in RIGHTS.items() if getattr(row, right.value)),
    }
