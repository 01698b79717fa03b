"""Clone, export and import applications, by the documents that the commands read and write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..flows import administration, webapps
from ..flows.webapps import Notice, Report
from . import problems
from .application_members import ApplicationSerializer
from .applications import ApplicationQuery, created, found, require_may_add
from .base import ManagementView
from .fields import Object, QueryFlag, StrictSerializer, Text
from .parsing import DocumentParser
from .problems import Fault, Problem, pointer
from .schema import ETAG, ID, LOCATION, FaultSerializer, operation

MOST = 1000  # documents of one export: more take longer than a proxy waits

ONE_OR_MANY = {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
DOCUMENT_EXAMPLE = {
    "ServiceName": "field_notes",
    "TemplateName": "OAuth2ServerClient",
    "Name": "Field Notes",
    "OAuthProfile": {
        "ClientIDTypeName": "List",
        "AllowedClients": ["my_service_user"],
        "Redirects": ["https://notes.example.com/callback"],
    },
}


class CloneSerializer(StrictSerializer):
    """What tells the clone from its source."""

    application_id = Text(max_length=64)
    name = Text(max_length=200)


class ImportQuery(StrictSerializer):
    """Whether anything is written."""

    dry_run = QueryFlag(required=False, help_text="Only say what would happen.")


class OutcomeSerializer(StrictSerializer):
    """What happened to one application."""

    application_id = Text()
    outcome = serializers.ChoiceField(choices=["created", "updated", "unchanged"])
    changes = Object(help_text="Field by field, before and after.")


class ReportSerializer(StrictSerializer):
    """What an import did, or would do."""

    dry_run = serializers.BooleanField()
    outcomes = OutcomeSerializer(many=True)
    warnings = FaultSerializer(many=True)


class Clone(ManagementView):
    """Another application like this one."""

    chapter = "Applications"

    @operation(
        "clone_application",
        "Clone an application",
        description=(
            "The clone differs in its identifiers, and has no secret. Needs"
            " oidc_pkce.add_application."
        ),
        status=201,
        body=CloneSerializer,
        answer=ApplicationSerializer,
        example={"application_id": "field_notes_test", "name": "Field Notes (test)"},
        headers=[ID, LOCATION, ETAG],
        kinds=[problems.NOT_FOUND, problems.INVALID, problems.CONFLICT],
    )
    def post(self, request: Request, id: int) -> Response:  # noqa: A002 - the address's word
        """Create the clone."""
        self.query()
        source = self.application(id)
        require_may_add(self)
        made = webapps.clone(source, **self.read(CloneSerializer), user=request.user, now=self.now)
        return created(made)


class ExportOne(ManagementView):
    """One application as a document."""

    chapter = "Applications"

    @operation(
        "export_application",
        "Export an application",
        answer={"type": "object"},
        headers=[ID],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, id: int) -> Response:  # noqa: A002
        """The document: everything but secrets."""
        self.query()
        (document,) = webapps.export_documents([self.application(id)])
        return Response(document)


class ExportMany(ManagementView):
    """Many applications as documents."""

    chapter = "Applications"

    @operation(
        "export_applications",
        "Export applications",
        description=f"At most {MOST} at a time; the filters are those of the list.",
        answer={"type": "array", "items": {"type": "object"}},
        query=ApplicationQuery,
        kinds=[problems.INVALID],
    )
    def get(self, request: Request) -> Response:
        """The documents that an import takes."""
        rows = found(
            administration.holding(request.user).with_status(), self.query(ApplicationQuery)
        )
        chosen = list(rows.prefetch_related("scopes")[: MOST + 1])
        if len(chosen) > MOST:
            sentence = _("These are more than %(most)s applications: filter them.")
            raise Problem(problems.INVALID, sentence % {"most": MOST})
        return Response(webapps.export_documents(chosen))


class Import(ManagementView):
    """Create and change applications by documents."""

    chapter = "Applications"
    parser_classes = [DocumentParser]

    @operation(
        "import_applications",
        "Import applications",
        description=(
            "One document or a list of them, as an export writes them: all of it or nothing. New"
            " applications need oidc_pkce.add_application, changes need Manage, changed permissions"
            " need Grant."
        ),
        body=ONE_OR_MANY,
        answer=ReportSerializer,
        example=DOCUMENT_EXAMPLE,
        query=ImportQuery,
        kinds=[problems.INVALID],
    )
    def post(self, request: Request) -> Response:
        """Import, or say what an import would do."""
        dry_run = bool(self.query(ImportQuery).get("dry_run", False))
        body: Any = request.data
        data = body if isinstance(body, bytes) else b""  # REST framework reads nothing as {}
        report = webapps.import_documents(
            data, actor=self.actor, now=self.now, dry_run=dry_run, user=request.user
        )
        if report.errors:
            raise Problem(problems.INVALID, faults=map(fault_of, report.errors))
        return Response(_report(report, dry_run=dry_run))


def _report(report: Report, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "outcomes": [
            {"application_id": one.name, "outcome": one.kind, "changes": one.changes}
            for one in report.outcomes
        ],
        "warnings": [fault_of(notice).as_json() for notice in report.warnings],
    }


def fault_of(notice: Notice) -> Fault:
    """A notice of the importer, with its place as a JSON pointer into the body."""
    return Fault(pointer(_parts(notice.path)), notice.sentence)


def _parts(path: str) -> Iterator[str]:
    """The parts of ``[2].OAuthProfile.Redirects[1]``, which has four."""
    for part in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path):
        yield part[0] or part[1]
