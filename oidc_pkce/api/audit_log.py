"""The audit log: what was done, by whom, when."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..audit import Action
from ..models import AuditEvent
from . import problems
from .base import ManagementView
from .fields import Choice, Instant, Object, QueryNumber, StrictSerializer, Text, choices
from .pagination import SliceQuery, paged, slice_of
from .schema import operation, path_parameter

EVENT_ID = path_parameter("id", {"type": "integer", "minimum": 1}, "The event's id.")


class AuditEventSerializer(StrictSerializer):
    """One thing that happened."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = Text()
    actor_name = Text()
    application = serializers.IntegerField(
        allow_null=True, help_text="Null where it is gone, or none was meant."
    )
    application_name = Text()
    client_id = Text()
    details = Object(help_text="“changes” holds before and after, field by field.")


class AuditQuery(SliceQuery):
    """Which events."""

    action = Choice(choices=choices(Action), required=False)
    actor = Text(max_length=255, required=False, help_text="Login name.")
    application = QueryNumber(min_value=1, required=False, help_text="The application's id.")
    client_id = Text(max_length=255, required=False)
    since = Instant(required=False, help_text="At this moment or later.")
    until = Instant(required=False, help_text="Before this moment.")
    after = QueryNumber(min_value=1, required=False, help_text="The last one that was seen.")


class AuditEvents(ManagementView):
    """All of them."""

    chapter = "Audit log"

    @operation(
        "list_audit_events",
        "List audit events",
        description="Newest first. Needs the permission oidc_pkce.view_auditevent.",
        answer=paged(AuditEventSerializer),
        query=AuditQuery,
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request) -> Response:
        """A slice of them."""
        self.require("view_auditevent")
        query = self.query(AuditQuery)
        rows = _narrowed(AuditEvent.objects.all(), query)
        return Response(slice_of(rows, request, query, _shown))


class OneAuditEvent(ManagementView):
    """One of them."""

    chapter = "Audit log"

    @operation(
        "read_audit_event",
        "Read an audit event",
        answer=AuditEventSerializer,
        headers=[EVENT_ID],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the address's word
        """What happened."""
        self.require("view_auditevent")
        self.query()
        return Response(_shown(AuditEvent.objects.get(pk=id)))


def _narrowed(rows: QuerySet[AuditEvent], query: dict[str, Any]) -> QuerySet[AuditEvent]:
    columns = {
        "action": "action",
        "actor": "actor_name",
        "application": "application",
        "client_id": "client_id",
        "since": "at__gte",
        "until": "at__lt",
    }
    return rows.filter(**{columns[name]: query[name] for name in columns if name in query})


def _shown(event: AuditEvent) -> dict[str, Any]:
    plain = ("id", "at", "action", "actor_name", "application_name", "client_id", "details")
    members = {name: getattr(event, name) for name in plain}
    return {**members, "application": event.application_id}
