"""Web Apps: the list of applications, and the way to the pages of each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..flows import administration
from ..models import Application, Right, Status
from .account_mapping import AccountMappingPage
from .application_page import ApplicationPage
from .base import badge
from .changelog import ChangelogPage
from .client_secret import ClientSecretAdmin
from .general_usage import GeneralUsagePage
from .lifetimes import LifetimeField
from .permissions import PermissionsPage
from .policy import PolicyPage
from .scope import ScopePage
from .settings import SettingsPage
from .tokens import TokensPage
from .trust import TrustPage

#: The list at the left of an application, from top to bottom.
PAGES: tuple[type[ApplicationPage], ...] = (
    SettingsPage,
    GeneralUsagePage,
    TrustPage,
    TokensPage,
    ScopePage,
    PermissionsPage,
    AccountMappingPage,
    PolicyPage,
    ChangelogPage,
)

COLOURS = {
    Status.NOT_CONFIGURED: "muted",
    Status.READY_TO_DEPLOY: "warning",
    Status.DEPLOYED: "good",
}


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


class WebAppAdmin(ClientSecretAdmin):
    """Lists what the administrator may see; every change goes through ``flows.webapps``."""

    list_display = (
        "name",
        "shown_template",
        "short_description",
        "shown_status",
        "application_id",
        "enabled",
    )
    list_filter = ("template", StatusFilter, "enabled", "category")
    search_fields = ("name", "application_id", "description", "openid_client_id")
    search_help_text = _("Name, Application ID, description or client ID")
    show_full_result_count = False
    radio_fields = {
        "client_id_type": admin.VERTICAL,
        "login_initiation": admin.VERTICAL,
        "user_name_strategy": admin.VERTICAL,
    }
    formfield_overrides = {
        models.DurationField: {"form_class": LifetimeField},
        models.URLField: {"assume_scheme": "https"},
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The applications that this administrator may see, with their status."""
        return administration.holding(request.user).with_status()

    def get_urls(self) -> list[URLPattern]:
        """A page each; Settings takes the place of the administration's own form."""
        pages = [page(self) for each in PAGES for page in (each, *each.below)]
        own = [
            path(
                f"<path:object_id>/{page.name}/",
                self.admin_site.admin_view(page.view),
                name=page.route(),
            )
            for page in pages
        ]
        return [*own, *super().get_urls()]

    def application_or_404(self, request: HttpRequest, object_id: str) -> Application:
        """The application. Raises ``Http404`` unless this administrator may see it."""
        if not (object_id.isascii() and object_id.isdecimal() and len(object_id) < 19):
            raise Http404
        found: Application | None = self.get_queryset(request).filter(pk=object_id).first()
        if found is None:
            raise Http404
        return found

    def frame(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        page: ApplicationPage | None = None,
    ) -> dict[str, Any]:
        """What the frame around an application's pages shows; reads the status afresh."""
        stored = self.get_queryset(request).select_related("logo").get(pk=application.pk)
        changelist = reverse(f"{self.admin_site.name}:oidc_pkce_application_changelist")
        crumbs = [(changelist, _("Web Apps"))]
        if page is not None:
            crumbs += [(SettingsPage(self).address(stored), stored.name), ("", page.title)]
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": stored,
            "page": page,
            "title": stored.name,
            "status": Status(stored.status).label,
            "status_colour": COLOURS[Status(stored.status)],
            "logo_url": stored.locations.of("logo") if hasattr(stored, "logo") else "",
            "pages": self._pages(stored, page),
            "actions": self._actions(stored, rights),
            "rights": rights,
            "crumbs": crumbs,
            "changelist_url": changelist,
        }

    def client_id_of(self, owner: Any) -> str:
        """The GUID of an OpenID Connect application."""
        return str(owner.openid_client_id)

    def owns_secrets(self, owner: Any) -> bool:
        """Only OpenID Connect applications; the others' clients are service users."""
        return owner is not None and owner.template in TrustPage.templates

    def secrets_frame(self, request: HttpRequest, owner: Any) -> dict[str, Any]:
        """A secret is made within the application, beside Trust."""
        return self.frame(
            request, owner, administration.rights(request.user, owner), page=TrustPage(self)
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may see the list, or add to it."""
        return self.has_view_permission(request) or self.has_add_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's permission, or a row of Permissions."""
        return self._holds(request, Right.VIEW, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's permission, or a row of Permissions."""
        return self._holds(request, Right.MANAGE, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's permission, or a row of Permissions; Manage alone does not do."""
        return self._holds(request, Right.DELETE, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Django's permission: a new application has no rows yet."""
        return administration.may_add(request.user)

    @admin.display(description=_("Type"), ordering="template")
    def shown_template(self, obj: Any) -> str:
        """As CyberArk calls it."""
        return str(obj.get_template_display())

    @admin.display(description=_("Description"))
    def short_description(self, obj: Any) -> str:
        """The first line."""
        line = obj.description.partition("\n")[0]
        return line if len(line) <= 80 else f"{line[:79]}…"

    @admin.display(description=_("Status"), ordering="status")
    def shown_status(self, obj: Any) -> SafeString:
        """The badge."""
        status = Status(obj.status)
        return badge(COLOURS[status], status.label)

    def _holds(self, request: HttpRequest, right: Right, application: Any) -> bool:
        user: Any = request.user
        if administration.holds_everywhere(user, right):
            return True
        if application is None:
            return administration.holding(user, right).exists()
        return right in administration.rights(user, application)

    def _pages(self, application: Application, current: Any) -> list[tuple[str, Any, bool]]:
        pages = [page(self) for page in PAGES if application.template in page.templates]
        here = current.name if current else ""
        return [(page.address(application), page.title, page.name == here) for page in pages]

    def _actions(
        self, application: Application, rights: frozenset[Right]
    ) -> list[tuple[str, Any, bool]]:
        """Address, words, and whether it destroys something."""
        return []
