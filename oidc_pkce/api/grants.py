"""Grants: find them, and revoke one or many. Tokens are never told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..flows import records, revocation
from ..models import Grant
from . import problems
from .base import ManagementView
from .fields import Choice, QueryNumber, StrictSerializer, Text, Texts
from .pagination import SliceQuery, paged, slice_of
from .problems import Fault, Problem
from .schema import operation, path_parameter

GRANT_ID = path_parameter("id", {"type": "string", "format": "uuid"}, "The grant's id.")
STATES = ("live", "revoked", "expired")


class GrantSerializer(StrictSerializer):
    """What a user allowed a client."""

    id = serializers.UUIDField()
    application = serializers.IntegerField(help_text="The application's id.")
    application_id = Text()
    user = Text(help_text="Login name.")
    client_id = Text()
    subject = Text()
    scope = Text()
    resources = Texts()
    state = serializers.ChoiceField(choices=STATES)
    acr = Text()
    amr = Texts()
    auth_time = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class GrantFilter(StrictSerializer):
    """Whose grants."""

    user = Text(max_length=255, required=False, help_text="Login name.")
    application = serializers.IntegerField(min_value=1, required=False)
    client_id = Text(max_length=255, required=False)


class GrantQuery(SliceQuery):
    """Which grants."""

    user = Text(max_length=255, required=False, help_text="Login name.")
    application = QueryNumber(min_value=1, required=False, help_text="The application's id.")
    client_id = Text(max_length=255, required=False)
    state = Choice(choices=STATES, required=False)
    after = serializers.UUIDField(required=False, help_text="The last one that was seen.")


class RevokedSerializer(StrictSerializer):
    """What a revocation did."""

    revoked = serializers.IntegerField(help_text="How many grants ended.")
    is_complete = serializers.BooleanField(help_text="false: ask again for the rest.")


class Grants(ManagementView):
    """Those that whoever asks may see."""

    chapter = "Grants"

    @operation(
        "list_grants",
        "List grants",
        description=(
            "Newest first: all with the permission oidc_pkce.view_grant, else those of applications"
            " that one may manage."
        ),
        answer=paged(GrantSerializer),
        query=GrantQuery,
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request) -> Response:
        """A slice of them."""
        query = self.query(GrantQuery)
        rows = _of_state(_narrowed(records.grants(request.user), query), query, self.now)
        rows = rows.select_related("user", "application").defer("requested_claims", "nonce")
        order = ("created_at", "pk")
        return Response(slice_of(rows, request, query, _shown(self.now), order=order))


class RevokeGrants(ManagementView):
    """Many at once."""

    chapter = "Grants"

    @operation(
        "revoke_grants",
        "Revoke grants",
        description=(
            "All live ones of a user, an application, a client, or of what is common to them. Needs"
            " the permission oidc_pkce.change_grant; else only those of applications that one may"
            " manage end."
        ),
        body=GrantFilter,
        answer=RevokedSerializer,
        example={"user": "ada"},
        kinds=[problems.INVALID],
    )
    def post(self, request: Request) -> Response:
        """Revoke them."""
        self.query()
        members = self.read(GrantFilter)
        if not members:
            sentence = _("Name a user, an application or a client.")
            raise Problem(problems.INVALID, faults=[Fault("", sentence)])
        rows = _narrowed(records.revocable_grants(request.user), members)
        done = revocation.revoke_all(rows, actor=self.actor, now=self.now)
        return Response({"revoked": done.count, "is_complete": done.is_complete})


class OneGrant(ManagementView):
    """One of them."""

    chapter = "Grants"

    @operation(
        "read_grant",
        "Read a grant",
        answer=GrantSerializer,
        headers=[GRANT_ID],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, id: Any) -> Response:  # noqa: A002 - the address's word
        """What was allowed."""
        self.query()
        return Response(_shown(self.now)(_found(records.grants(request.user), id)))


class RevokeGrant(ManagementView):
    """End one of them."""

    chapter = "Grants"

    @operation(
        "revoke_grant",
        "Revoke a grant",
        description="Every code and token that descends from it ends. Twice is once.",
        answer=GrantSerializer,
        headers=[GRANT_ID],
        kinds=[problems.NOT_FOUND],
    )
    def post(self, request: Request, id: Any) -> Response:  # noqa: A002
        """Revoke it."""
        self.query()
        grant = _found(records.grants(request.user), id)
        if not records.revocable_grants(request.user).filter(pk=grant.pk).exists():
            sentence = _("This needs oidc_pkce.change_grant, or Manage on the application.")
            raise Problem(problems.FORBIDDEN, sentence)
        revocation.revoke(grant, actor=self.actor, now=self.now)
        grant.refresh_from_db(fields=["revoked_at"])
        return Response(_shown(self.now)(grant))


def _found(rows: QuerySet[Grant], pk: Any) -> Grant:
    return rows.select_related("user", "application").get(pk=pk)


def _narrowed(rows: QuerySet[Grant], query: dict[str, Any]) -> QuerySet[Grant]:
    columns = {
        "user": f"user__{get_user_model().USERNAME_FIELD}",
        "application": "application",
        "client_id": "client_id",
    }
    return rows.filter(**{columns[name]: query[name] for name in columns if name in query})


def _of_state(rows: QuerySet[Grant], query: dict[str, Any], now: datetime) -> QuerySet[Grant]:
    asked = query.get("state")
    if asked == "live":
        return rows.filter(revoked_at=None, expires_at__gt=now)
    if asked == "revoked":
        return rows.exclude(revoked_at=None)
    return rows.filter(revoked_at=None, expires_at__lte=now) if asked == "expired" else rows


def _state(grant: Grant, now: datetime) -> str:
    if grant.revoked_at is not None:
        return "revoked"
    return "live" if grant.expires_at > now else "expired"


def _shown(now: datetime) -> Any:
    def show(grant: Grant) -> dict[str, Any]:
        plain = ("id", "client_id", "subject", "scope", "resources", "acr", "amr")
        times = ("auth_time", "created_at", "expires_at", "revoked_at")
        return {
            **{name: getattr(grant, name) for name in (*plain, *times)},
            "application": grant.application_id,
            "application_id": grant.application.application_id,
            "user": grant.user.get_username(),
            "state": _state(grant, now),
        }

    return show
