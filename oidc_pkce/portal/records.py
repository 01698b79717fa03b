"""What the screens of records share: found by exact words, listed and counted within bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst, smart_split, unescape_string_literal
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import records
from ..models import Application
from .base import MOST_WORDS, BoundedPaginator, ReadOnlyAdmin, whole_number

Tool = tuple[str, Any, bool]  # address, words, whether it destroys something


class RecordAdmin(ReadOnlyAdmin):
    """Records that only grow: a million of them cost no more than a page.

    Nothing is sorted, counted or searched that no index or bound makes cheap.
    """

    paginator = BoundedPaginator
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    search_fields: ClassVar[tuple[str, ...]] = (
        "pk",
    )  # there is a search; `matches` says what it compares
    change_list_template = "admin/oidc_pkce/record_change_list.html"
    change_form_template = "admin/oidc_pkce/record_change_form.html"

    def matches(self, word: str) -> Q:
        """Which records one word of a search finds."""
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Those that match the whole text, or each of its words."""
        text = search_term.strip()
        return (queryset.filter(exactly(text, self.matches)) if text else queryset), False

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The record. Raises ``Http404`` unless this administrator may see it."""
        try:
            found = super().get_object(request, object_id, from_field)
        except OverflowError:
            found = None
        if found is None:
            raise Http404
        return found

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may see the list."""
        return self.has_view_permission(request)

    def heading(self, obj: Any) -> str:
        """What names one record on its page."""
        return str(obj)

    def tools(self, request: HttpRequest, obj: Any) -> Iterable[Tool]:
        """The links above one record."""
        return ()

    def list_tools(self, request: HttpRequest) -> Iterable[Tool]:
        """The links above the list."""
        return ()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list, with its links."""
        context = {
            "title": capfirst(self.opts.verbose_name_plural),
            "tools": list(self.list_tools(request)),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The record, with its links."""
        obj = kwargs.get("obj")
        if obj is not None:
            context["tools"] = list(self.tools(request, obj))
            context["title"] = capfirst(self.opts.verbose_name)
            context["subtitle"] = self.heading(obj)
        return super().render_change_form(request, context, *args, **kwargs)

    def address(self, action: str, *args: Any) -> str:
        """Where an action of this screen is."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_{action}"
        return reverse(f"{self.admin_site.name}:{name}", args=args)

    def confirmation(
        self, request: HttpRequest, title: Any, context: dict[str, Any]
    ) -> TemplateResponse:
        """A page that asks before something is done; the template says what it can show."""
        plural = self.opts.verbose_name_plural
        crumbs = [(self.address("changelist"), capfirst(plural)), ("", title)]
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "crumbs": crumbs,
            "cancel_url": self.address("changelist"),
        }
        return TemplateResponse(request, "admin/oidc_pkce/confirm.html", {**frame, **context})


class OverseenAdmin(RecordAdmin):
    """Records of applications: who may administer an application sees those of that one."""

    def overseen(self, user: Any) -> QuerySet[Any]:
        """The records that this user may see: a flow of ``flows.records``."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Newest first."""
        return self.overseen(request.user).order_by(*self.ordering or ())

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's permission, or Manage on the application of the record."""
        if obj is None:
            return records.may_see(request.user, self.model)
        return self.overseen(request.user).filter(pk=obj.pk).exists()


class ApplicationFilter(admin.SimpleListFilter):
    """The application that a link names. It offers no others: there may be ten thousand."""

    title = _("Application")
    parameter_name = "application__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one that was chosen, so that it can be taken away again."""
        value = self.value()
        if not value:
            return []
        seen = self._only(model_admin.get_queryset(request))
        name = seen.values_list("application__name", flat=True).order_by().first()
        return [(value, name or gettext("(no records)"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Its records."""
        return self._only(queryset) if self.value() else queryset

    def _only(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        pk = whole_number(self.value() or "")
        return queryset.none() if pk is None else queryset.filter(application=pk)


class PeriodFilter(admin.SimpleListFilter):
    """The last hour, day, week or month."""

    title = _("Time")
    parameter_name = "within"
    field = "at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """In hours."""
        return [
            ("1", _("Last hour")),
            ("24", _("Last 24 hours")),
            ("168", _("Last 7 days")),
            ("720", _("Last 30 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """What is not older."""
        hours = self.value()
        if hours not in {value for value, _words in self.lookup_choices}:
            return queryset
        since = timezone.now() - timedelta(hours=int(hours or 0))
        return queryset.filter(**{f"{self.field}__gte": since})


def exactly(text: str, matches: Callable[[str], Q]) -> Q:
    """What the whole text finds, or each of its words; quotation marks hold words together."""
    words = [
        unescape_string_literal(word) if word[0] == word[-1] and word[0] in "\"'" else word
        for word in smart_split(text)
    ]
    if words == [text] or len(words) > MOST_WORDS:
        return matches(text)
    return matches(text) | Q(*map(matches, words))


def users_named(word: str) -> QuerySet[Any]:
    """The user with this login name, as a subquery of keys."""
    users: Any = get_user_model()._default_manager
    found: QuerySet[Any] = users.filter(**{users.model.USERNAME_FIELD: word}).values("pk")
    return found


def applications_named(word: str) -> QuerySet[Any]:
    """The application with this Application ID, as a subquery of keys."""
    return Application.objects.named(word).values("pk")


def require(allowed: bool) -> None:
    """Raise ``PermissionDenied`` unless this is allowed."""
    if not allowed:
        raise PermissionDenied
