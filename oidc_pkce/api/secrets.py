"""Client secrets: told once, listed without their values, revoked one by one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..flows.client_secret import Owner, revoke_client_secret, set_client_secret
from ..models import Application, ClientSecret, Right
from ..protocol.application import Template
from . import problems
from .base import ManagementView
from .fields import Instant, StrictSerializer, Text
from .problems import Fault, Problem
from .schema import ID, operation, path_parameter

SECRET_ID = path_parameter("secret_id", {"type": "integer", "minimum": 1}, "The secret's id.")


class SecretSerializer(StrictSerializer):
    """A secret without its value."""

    id = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)


class SecretsSerializer(StrictSerializer):
    """The secrets of one client, newest first."""

    results = SecretSerializer(many=True)


class NewSecretSerializer(StrictSerializer):
    """How long a new secret lives."""

    expires_at = Instant(
        required=False, allow_null=True, help_text="When it ends; nothing for never."
    )


class ToldSecretSerializer(StrictSerializer):
    """A secret, this once."""

    client_id = Text()
    client_secret = Text(help_text="Told this once: nobody can read it again.")
    expires_at = serializers.DateTimeField(allow_null=True)


class ApplicationSecrets(ManagementView):
    """The secrets of an OpenID Connect application."""

    chapter = "Client secrets"

    @operation(
        "list_application_secrets",
        "List an application's secrets",
        answer=SecretsSerializer,
        headers=[ID],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the address's word
        """When they were made, end and were used; never what they are."""
        self.query()
        return Response(listed(self.application(id)))

    @operation(
        "rotate_application_secret",
        "Give an application another secret",
        description="The earlier one lives on; an older one goes.",
        status=201,
        body=NewSecretSerializer,
        answer=ToldSecretSerializer,
        example={"expires_at": "2030-01-31T12:00:00Z"},
        headers=[ID],
        kinds=[problems.NOT_FOUND, problems.INVALID],
    )
    def post(self, request: Request, id: int) -> Response:  # noqa: A002
        """Make one, and tell it this once."""
        self.query()
        application = self.application(id, Right.MANAGE)
        _require_openid_connect(application)
        return Response(rotated(self, application, application.openid_client_id), 201)


class ApplicationSecret(ManagementView):
    """One of them."""

    chapter = "Client secrets"

    @operation(
        "revoke_application_secret",
        "Revoke a secret of an application",
        status=204,
        headers=[ID, SECRET_ID],
        kinds=[problems.NOT_FOUND],
    )
    def delete(self, request: Request, id: int, secret_id: int) -> Response:  # noqa: A002
        """End it at once; tokens live on."""
        self.query()
        return revoked(self, self.application(id, Right.MANAGE), secret_id)


def listed(owner: Owner) -> dict[str, Any]:
    """The secrets of a client, without their values."""
    rows = ClientSecret.objects.filter(
        **{"application" if isinstance(owner, Application) else "service_user": owner}
    )
    members = ("id", "created_at", "expires_at", "last_used_at")
    return {"results": list(rows.values(*members))}


def rotated(view: ManagementView, owner: Owner, client_id: str) -> dict[str, Any]:
    """A new secret, told this once."""
    expires_at = view.read(NewSecretSerializer).get("expires_at")
    require_future(expires_at, view.now)
    told = set_client_secret(owner, actor=view.actor, now=view.now, expires_at=expires_at)
    return {"client_id": client_id, "client_secret": told, "expires_at": expires_at}


def revoked(view: ManagementView, owner: Owner, secret_id: int) -> Response:
    """End a secret. Raises ``Problem`` 404 for one that is not the owner's."""
    if not revoke_client_secret(owner, secret_id, actor=view.actor, now=view.now):
        raise Problem(problems.NOT_FOUND)
    return Response(status=204)


def require_future(expires_at: datetime | None, now: datetime) -> None:
    """Raise ``Problem`` 422 for a secret that would have ended already."""
    if expires_at is not None and expires_at <= now:
        fault = Fault("/expires_at", _("This lies in the past."))
        raise Problem(problems.INVALID, faults=[fault])


def _require_openid_connect(application: Application) -> None:
    if application.template != Template.OPENID_CONNECT:
        raise ValidationError(
            _("Only an OpenID Connect application has a secret of its own; others have clients.")
        )
