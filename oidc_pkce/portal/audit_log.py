"""The audit log: what was done, with what was before and what is after; and its export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Q, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import headers
from ..audit import FAILURES, Action
from ..flows import audit_export
from ..flows.audit_export import Format
from .base import actor_of, badge, code, moment, table
from .records import (
    ApplicationFilter,
    PeriodFilter,
    RecordAdmin,
    applications_named,
    require,
    users_named,
)

SHORT = 60  # characters of a summary

#: What actions are about: the first word of each.
SUBJECTS = {
    "user": _("Sign-ins and sign-outs"),
    "consent": _("Consent"),
    "application": _("Applications"),
    "secret": _("Client secrets"),
    "service_user": _("Service users"),
    "role": _("Roles"),
    "grant": _("Grants"),
    "access_token": _("Access tokens"),
    "refresh_token": _("Refresh tokens"),
    "code": _("Authorization codes"),
    "logout": _("Sign-out deliveries"),
    "key": _("Signing keys"),
    "request": _("Requests"),
    "token": _("Token previews"),
    "audit": _("Audit log"),
}
ALARMING = frozenset(
    {*FAILURES, Action.CODE_REPLAYED, Action.REFRESH_TOKEN_REPLAYED, Action.LOGOUT_GIVEN_UP}
)


class SubjectFilter(admin.SimpleListFilter):
    """What the actions are about."""

    title = _("About")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Each group of actions."""
        return SUBJECTS.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The events of the group chosen."""
        return queryset.filter(action__in=actions_about(self.value())) if self.value() else queryset


class ActionFilter(admin.SimpleListFilter):
    """One action, of the group that was chosen before."""

    title = _("Action")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Those of the group; all of them where none is chosen would be too long a list."""
        about = request.GET.get(SubjectFilter.parameter_name)
        offered = actions_about(about) if about else []
        chosen = [self.value()] if self.value() else []
        names = dict.fromkeys([*offered, *chosen])
        return [(str(name), audit_export.label(str(name))) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Its events."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class AuditLogAdmin(RecordAdmin):
    """Events, newest first."""

    list_display = ("time", "shown_action", "by", "application_then", "shown_client", "summary")
    list_filter = (SubjectFilter, ActionFilter, PeriodFilter, ApplicationFilter)
    linked_lookups = ("at__gte", "at__lt")
    search_help_text = _("Exact login name, application (name or Application ID) or client ID")
    ordering = ("-pk",)
    readonly_fields = (
        *("time", "shown_action", "by", "application_then", "shown_client"),
        *("changes", "more"),
    )
    change_list_template = "admin/oidc_pkce/audit_change_list.html"

    def matches(self, word: str) -> Q:
        """Names as they were then, or the user and the application that bear them now."""
        return (
            Q(actor_name=word)
            | Q(actor__in=users_named(word))
            | Q(application_name=word)
            | Q(application__in=applications_named(word))
            | Q(client_id=word)
        )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing less than Django's permission: an event may be about anything."""
        return bool(request.user.has_perm("oidc_pkce.view_auditevent"))

    def heading(self, obj: Any) -> str:
        """What happened."""
        return audit_export.label(obj.action)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only what there is."""
        details = obj.details if obj is not None else {}
        changes = ("changes",) if details.get("changes") else ()
        more = ("more",) if set(details) - {"changes"} else ()
        known = ("time", "shown_action", "by", "application_then", "shown_client")
        return (*known, *changes, *more)

    def get_urls(self) -> list[URLPattern]:
        """Add the export."""
        view = self.admin_site.admin_view(self.export_view)
        own = path("export/<str:form>/", view, name="oidc_pkce_auditevent_export")
        return [own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """The list, and the buttons that export what it shows."""
        query = request.GET.urlencode()
        context = {
            "export_addresses": [
                (f"{self.address('export', form.value)}?{query}", form.name) for form in Format
            ],
            "export_most": audit_export.MOST,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def export_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """A file of what the list shows with the same query; POST, for it leaves a trace."""
        require(self.has_view_permission(request))
        if form not in {each.value for each in Format}:
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(self.address("changelist") + "?e=1")
        return self._file(request, found, Format(form))

    def _file(
        self, request: HttpRequest, found: QuerySet[Any], form: Format
    ) -> StreamingHttpResponse:
        pieces = audit_export.export(
            found,
            form,
            asked={name: request.GET[name] for name in request.GET},
            actor=actor_of(request),
            now=timezone.now(),
        )
        response = StreamingHttpResponse(pieces, content_type=form.content_type)
        name = f'attachment; filename="audit-log.{form.value}"'
        response["Content-Disposition"] = name
        headers.forbid_caching(response)
        return response

    @admin.display(description=_("Time"))
    def time(self, obj: Any) -> str:
        """When it happened."""
        return moment(obj.at)

    @admin.display(description=_("Action"))
    def shown_action(self, obj: Any) -> SafeString | str:
        """What happened; what deserves a second look stands out."""
        words = audit_export.label(obj.action)
        return badge("bad", words) if obj.action in ALARMING else words

    @admin.display(description=_("By"))
    def by(self, obj: Any) -> str:
        """The login name, as it was then."""
        return obj.actor_name or "-"

    @admin.display(description=_("Application"))
    def application_then(self, obj: Any) -> str:
        """The name, as it was then."""
        return obj.application_name or "-"

    @admin.display(description=_("Client"))
    def shown_client(self, obj: Any) -> str:
        """The client_id."""
        return obj.client_id or "-"

    @admin.display(description=_("Summary"))
    def summary(self, obj: Any) -> str:
        """The beginning of the details."""
        text = ", ".join(_phrases(obj.details))
        return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"

    @admin.display(description=_("Changes"))
    def changes(self, obj: Any) -> SafeString | str:
        """Field by field."""
        changes = obj.details.get("changes")
        if not changes:
            return "-"
        rows = (
            (name, code(pair.get("before")), code(pair.get("after")))
            for name, pair in changes.items()
        )
        return table((gettext("Field"), gettext("Before"), gettext("After")), rows)

    @admin.display(description=_("Details"))
    def more(self, obj: Any) -> SafeString | str:
        """Whatever else was kept."""
        rest = [(name, code(value)) for name, value in obj.details.items() if name != "changes"]
        return table((gettext("Name"), gettext("Value")), rest) if rest else "-"


def actions_about(subject: str | None) -> list[str]:
    """The actions of a group."""
    return [action.value for action in Action if action.partition(".")[0] == subject]


def _phrases(details: dict[str, Any]) -> Iterable[str]:
    for name, value in details.items():
        if name == "changes" and isinstance(value, dict):
            yield from value
        elif isinstance(value, str | int) and value is not False:
            yield f"{name}: {value}"
        elif value:
            yield name
