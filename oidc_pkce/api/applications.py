"""Applications: list, create, read, replace, change, delete."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from ..flows import administration, webapps
from ..flows.webapps import Changes
from ..models import Application, Right, Status
from ..models.application import TEMPLATE_NAMES
from . import preconditions, problems
from .application_members import (
    EXAMPLE,
    ApplicationSerializer,
    changes_of,
    replacement_of,
    shown,
)
from .base import ManagementView
from .fields import Choice, QueryFlag, Text
from .pagination import PageQuery, page_of, paged
from .problems import Problem
from .schema import ETAG, ID, IF_MATCH, IF_NONE_MATCH, LOCATION, operation

CHANGING = (problems.NOT_FOUND, problems.STALE, problems.UNCONDITIONAL, problems.INVALID)
ORDERINGS = ("name", "application_id", "status", "created_at", "updated_at")


class ApplicationQuery(PageQuery):
    """Which applications, and in which order."""

    type = Choice(choices=list(TEMPLATE_NAMES), required=False)
    status = Choice(choices=Status.values, required=False)
    enabled = QueryFlag(required=False)
    category = Text(max_length=100, required=False)
    application_id = Text(
        max_length=64,
        required=False,
        help_text="The one of this Application ID, whatever its case.",
    )
    search = Text(
        max_length=200,
        required=False,
        help_text="In name, Application ID, description and OpenID client ID.",
    )
    ordering = Choice(
        choices=[*ORDERINGS, *(f"-{name}" for name in ORDERINGS)],
        required=False,
        help_text="A column; with - in front of it, downwards. Default: name.",
    )


class Applications(ManagementView):
    """All of them that whoever asks may view."""

    chapter = "Applications"

    @operation(
        "list_applications",
        "List applications",
        answer=paged(ApplicationSerializer, counted=True),
        query=ApplicationQuery,
    )
    def get(self, request: Request) -> Response:
        """A page of them."""
        query = self.query(ApplicationQuery)
        rows = found(administration.holding(request.user).with_status(), query)
        return Response(page_of(rows.prefetch_related("scopes"), request, query, shown))

    @operation(
        "create_application",
        "Create an application",
        description=(
            "Needs the permission oidc_pkce.add_application. Whoever lacks rights on every"
            " application becomes the new one's owner."
        ),
        status=201,
        body=ApplicationSerializer,
        answer=ApplicationSerializer,
        example=EXAMPLE,
        headers=[LOCATION, ETAG],
        kinds=[problems.INVALID, problems.CONFLICT],
    )
    def post(self, request: Request) -> Response:
        """Create one."""
        require_may_add(self)
        self.query()
        changes = webapps.owned_by(request.user, changes_of(self.read(ApplicationSerializer)))
        made = webapps.create(changes, actor=self.actor, now=self.now)
        return created(made)


class OneApplication(ManagementView):
    """One of them."""

    chapter = "Applications"

    @operation(
        "read_application",
        "Read an application",
        answer=ApplicationSerializer,
        headers=[ID, IF_NONE_MATCH, ETAG],
        kinds=[problems.NOT_FOUND],
        others={304: "If-None-Match names the present version."},
    )
    def get(self, request: Request, id: int) -> Response:  # noqa: A002 - the address's word
        """What is stored."""
        self.query()
        application = self.application(id)
        if preconditions.is_known(request, application):
            return Response(status=304, headers={"ETag": preconditions.etag(application)})
        return answer_with(application)

    @operation(
        "replace_application",
        "Replace an application",
        description="What the body does not name gets its default.",
        body=ApplicationSerializer,
        answer=ApplicationSerializer,
        example=EXAMPLE,
        headers=[ID, IF_MATCH, ETAG],
        kinds=[*CHANGING, problems.CONFLICT],
    )
    def put(self, request: Request, id: int) -> Response:  # noqa: A002
        """Set every member."""
        return self._update(id, partial=False)

    @operation(
        "update_application",
        "Change an application",
        description="What the body does not name stays as it is; a list is replaced as a whole.",
        body=ApplicationSerializer,
        answer=ApplicationSerializer,
        example={"redirect_uris": ["https://notes.example.com/callback"]},
        headers=[ID, IF_MATCH, ETAG],
        kinds=[*CHANGING, problems.CONFLICT],
    )
    def patch(self, request: Request, id: int) -> Response:  # noqa: A002
        """Set the members that are named."""
        return self._update(id, partial=True)

    @operation(
        "delete_application",
        "Delete an application",
        description="With all that hangs on it: grants, tokens, secrets, permissions.",
        status=204,
        headers=[ID, IF_MATCH],
        kinds=[problems.NOT_FOUND, problems.STALE, problems.UNCONDITIONAL],
    )
    def delete(self, request: Request, id: int) -> Response:  # noqa: A002
        """Delete it."""
        self.query()
        application = self.application(id, Right.DELETE)
        version = preconditions.expected_version(request, application)
        webapps.delete(application, actor=self.actor, now=self.now, expected_version=version)
        return Response(status=204)

    def _update(self, pk: int, *, partial: bool) -> Response:
        self.query()
        application = self.application(pk, Right.MANAGE)
        version = preconditions.expected_version(self.request, application)
        members = self.read(ApplicationSerializer, partial=partial)
        changes: Changes = changes_of(members) if partial else replacement_of(members)
        saved = webapps.update(
            application, changes, actor=self.actor, now=self.now, expected_version=version
        )
        return answer_with(saved)


def found(rows: QuerySet[Application], query: dict[str, Any]) -> QuerySet[Application]:
    """The applications that a query asks for."""
    exact = {"type": "template", "status": "status", "enabled": "enabled", "category": "category"}
    rows = rows.filter(**{column: query[name] for name, column in exact.items() if name in query})
    if "application_id" in query:
        rows = rows.filter(application_id__iexact=query["application_id"])
    if text := query.get("search"):
        columns = ("name", "application_id", "description", "openid_client_id")
        rows = rows.filter(Q(*((f"{one}__icontains", text) for one in columns), _connector=Q.OR))
    return rows.order_by(query.get("ordering", "name"), "pk")


def require_may_add(view: ManagementView) -> None:
    """Raise ``Problem`` 403 for whoever may not add applications."""
    if not administration.may_add(view.request.user):
        sentence = _("This needs the permission oidc_pkce.add_application.")
        raise Problem(problems.FORBIDDEN, sentence)


def created(application: Application) -> Response:
    """A new application, with its address."""
    place = reverse("oidc_pkce_api:application", args=[application.pk])
    return answer_with(application, 201, Location=place)


def answer_with(application: Application, status: int = 200, **headers: str) -> Response:
    """The application as it is stored now, with its ETag."""
    stored = Application.objects.with_status().get(pk=application.pk)
    return Response(shown(stored), status, headers={"ETag": preconditions.etag(stored), **headers})
