"""The list of Web Apps: its columns, its search, and what to show when there is nothing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Lower
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import unescape_string_literal
from django.utils.translation import gettext_lazy as _

from ..flows import administration
from ..models import ApplicationLogo, Status
from ..models.application import TEMPLATE_NAMES
from .base import PortalAdmin, badge, first_words

COLOURS = {
    Status.NOT_CONFIGURED: "muted",
    Status.READY_TO_DEPLOY: "warning",
    Status.DEPLOYED: "good",
}
SHOWN = 80  # characters of a description

#: Sorted as people read them: types by their names, statuses from the first to the last.
BY_TYPE = Case(*(When(template=value, then=Value(name)) for value, name in TEMPLATE_NAMES.items()))
BY_STATUS = Case(*(When(status=status, then=Value(n)) for n, status in enumerate(Status)))


class StatusFilter(admin.SimpleListFilter):
    """Filter by what is computed."""

    title = _("Status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """The three."""
        return Status.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The applications of the status chosen."""
        return queryset.filter(status=self.value()) if self.value() else queryset


class WebAppList(PortalAdmin):
    """What the administrator may see, in a number of statements that no row adds to."""

    list_display = ("shown_name", "shown_template", "short_description", "shown_status")
    list_filter = ("template", StatusFilter, "enabled", "profile", "category")
    linked_lookups = (
        "client_id_type__exact",
        "requires_pkce__exact",
        "allows_plain_pkce__exact",
    )  # by the warnings of the home
    ordering = (Lower("name"), "pk")
    search_fields = ("name", "description", "application_id", "openid_client_id")
    search_help_text = _("Name, Type, Description, Status, Application ID or client ID")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The applications that this administrator may see, with status, without logos' bytes."""
        logos = ApplicationLogo.objects.filter(application=OuterRef("pk"))
        seen = administration.holding(request.user).with_status()
        return seen.annotate(has_logo=Exists(logos))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The first words all stand somewhere; types and statuses as the list shows them."""
        for word in first_words(search_term):
            if word.startswith(('"', "'")) and word[0] == word[-1] and len(word) > 1:
                word = unescape_string_literal(word)  # noqa: PLW2901
            queryset = queryset.alias(listed=Cast("client_ids", TextField())).filter(_says(word))
        return queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list under CyberArk's name."""
        ours = {
            "title": _("Web Apps"),
            "crumbs": [("", _("Web Apps"))],
            "may_add_or_import": self.may_add_or_import(request),
        }
        return super().changelist_view(request, {**ours, **(extra_context or {})})

    def may_add_or_import(self, request: HttpRequest) -> bool:
        """Whether Add Web Apps has something for this administrator."""
        return self.has_add_permission(request) or self.has_change_permission(request)

    @admin.display(description=_("Name"), ordering=Lower("name"))
    def shown_name(self, obj: Any) -> SafeString:
        """The logo, or the name's first letter; the name, and the Application ID below it."""
        if obj.has_logo:
            picture = format_html(
                '<img class="oidc-logo" src="{}" alt="" width="32" height="32" loading="lazy">',
                obj.locations.of("logo"),
            )
        else:
            picture = format_html(
                '<span class="oidc-logo oidc-letter" aria-hidden="true">{}</span>',
                obj.name[:1].upper(),
            )
        return format_html(
            '<span class="oidc-named">{}<span>{} <small class="oidc-id">{}</small></span></span>',
            picture,
            obj.name,
            obj.application_id,
        )

    @admin.display(description=_("Type"), ordering=BY_TYPE)
    def shown_template(self, obj: Any) -> str:
        """As CyberArk calls it."""
        return str(obj.get_template_display())

    @admin.display(description=_("Description"), ordering=Lower("description"))
    def short_description(self, obj: Any) -> str:
        """The first line."""
        line = obj.description.partition("\n")[0]
        return line if len(line) <= SHOWN else f"{line[: SHOWN - 1]}…"

    @admin.display(description=_("Status"), ordering=BY_STATUS)
    def shown_status(self, obj: Any) -> SafeString:
        """The badge, and another one where the application is switched off."""
        status = Status(obj.status)
        shown = badge(COLOURS[status], status.label)
        return shown if obj.enabled else format_html("{} {}", shown, badge("bad", _("Disabled")))


def _says(word: str) -> Q:
    folded = word.casefold()
    types = [value for value, name in TEMPLATE_NAMES.items() if folded in name.casefold()]
    statuses = [status for status in Status if folded in str(status.label).casefold()]
    columns = (*WebAppList.search_fields, "listed")
    texts = Q(*((f"{column}__icontains", word) for column in columns), _connector=Q.OR)
    return texts | Q(template__in=types) | Q(status__in=statuses)
