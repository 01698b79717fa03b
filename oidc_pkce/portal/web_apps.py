"""Web Apps: the list of applications, and the way to the pages of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from ..flows import administration
from ..models import Application, Right, Status
from .account_mapping import AccountMappingPage
from .add_web_app import AddWebApps
from .application_page import ApplicationPage
from .base import whole_number
from .changelog import ChangelogPage
from .chosen_web_apps import ChosenWebApps
from .client_secret import ClientSecretAdmin
from .general_usage import GeneralUsagePage
from .import_web_apps import ImportWebApps
from .lifetimes import LifetimeField
from .logo import logo_address
from .permissions import PermissionsPage
from .policy import PolicyPage
from .posture import PosturePage
from .scope import ScopePage
from .settings import SettingsPage
from .snippets import SnippetsPage
from .test_run import TestRunPage
from .token_preview import TokenPreviewPage
from .tokens import TokensPage
from .trust import TrustPage
from .watch import WatchPage
from .web_app_actions import ACTIONS, menu
from .web_app_list import COLOURS

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


#: Below it: what explains the application and tries it out.
TOOLS: tuple[type[ApplicationPage], ...] = (
    TestRunPage,
    TokenPreviewPage,
    WatchPage,
    PosturePage,
    SnippetsPage,
)


class WebAppAdmin(ChosenWebApps, ClientSecretAdmin):
    """Lists what the administrator may see; every change goes through ``flows.webapps``."""

    radio_fields = {
        "client_id_type": admin.VERTICAL,
        "login_initiation": admin.VERTICAL,
        "user_name_strategy": admin.VERTICAL,
    }
    formfield_overrides = {
        models.DurationField: {"form_class": LifetimeField},
        models.URLField: {"assume_scheme": "https"},
    }

    def get_urls(self) -> list[URLPattern]:
        """A page each; they take the place of the administration's own forms."""
        pages = [page(self) for each in (*PAGES, *TOOLS, *ACTIONS) for page in (each, *each.below)]
        own = [
            self._place(f"<path:object_id>/{page.name}/", page.mounted(), page.name)
            for page in pages
        ]
        adding = AddWebApps(self)
        return [
            self._place("add/", adding.view, "add"),
            self._place("add/import/", ImportWebApps(self).view, "import"),
            self._place("add/<slug:key>/", adding.confirm, "add_one"),
            self._place("<path:object_id>/history/", self._to_changelog, "history"),
            *own,
            *super().get_urls(),
        ]

    def application_or_404(self, request: HttpRequest, object_id: str) -> Application:
        """The application. Raises ``Http404`` unless this administrator may see it."""
        named = self.get_queryset(request).filter(pk=whole_number(object_id))
        found: Application | None = named.first()
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
        stored = self.get_queryset(request).get(pk=application.pk)
        changelist = reverse(f"{self.admin_site.name}:oidc_pkce_application_changelist")
        crumbs = [(changelist, _("Web Apps"))]
        overview = _above(page)
        if page is not None:
            crumbs.append((SettingsPage(self).address(stored), stored.name))
            if overview is not None:
                crumbs.append((overview(self).address(stored), overview.title))
            crumbs.append(("", page.title))
        current = overview or page
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": stored,
            "page": page,
            "title": stored.name,
            "status": Status(stored.status).label,
            "status_colour": COLOURS[Status(stored.status)],
            "logo_url": logo_address(stored),
            "pages": self._pages(PAGES, stored, current),
            "page_tools": self._pages(TOOLS, stored, current),
            "actions": menu(self, request, stored, rights),
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

    def _holds(self, request: HttpRequest, right: Right, application: Any) -> bool:
        user: Any = request.user
        if administration.holds_everywhere(user, right):
            return True
        if application is None:
            # The administration asks this a dozen times for one page.
            held = request.__dict__.setdefault("_oidc_pkce_holds", {})
            if right not in held:
                held[right] = administration.holding(user, right).exists()
            return bool(held[right])
        return right in administration.rights(user, application)

    def _pages(
        self, listed: Sequence[type[ApplicationPage]], application: Application, current: Any
    ) -> list[tuple[str, Any, bool]]:
        pages = [page(self) for page in listed if application.template in page.templates]
        here = current.name if current else ""
        return [(page.address(application), page.title, page.name == here) for page in pages]

    def _place(self, address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        named = f"oidc_pkce_application_{name.replace('-', '_')}"
        return path(address, self.admin_site.admin_view(view), name=named)

    def _to_changelog(self, request: HttpRequest, object_id: str) -> HttpResponse:
        application = self.application_or_404(request, object_id)
        return HttpResponseRedirect(ChangelogPage(self).address(application))


def _above(page: ApplicationPage | None) -> type[ApplicationPage] | None:
    """The page in the list at the left that this one lies below."""
    return next((each for each in (*PAGES, *TOOLS) if type(page) in each.below), None)
