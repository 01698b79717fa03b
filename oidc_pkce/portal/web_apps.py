"""Web Apps: the list, and an application's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import webapps
from ..models import Application, Grant, Permission, Scope, Status
from ..protocol.application import ClientIdType, Template
from .base import actor_of, badge, link, table
from .client_secret import ClientSecretAdmin, live_secrets
from .web_app_forms import (
    LifetimeField,
    NewWebAppForm,
    PermissionForm,
    PermissionFormSet,
    WebAppForm,
    changes_of,
    edited_meanwhile,
)

if TYPE_CHECKING:
    ScopeRows = admin.StackedInline[Scope, Application]
    PermissionRows = admin.TabularInline[Permission, Application]
else:
    ScopeRows = admin.StackedInline
    PermissionRows = admin.TabularInline

COLOURS = {
    Status.NOT_CONFIGURED: "muted",
    Status.READY_TO_DEPLOY: "warning",
    Status.DEPLOYED: "good",
}

SETTINGS = (
    ("application_id", "shown_status"),
    "name",
    "description",
    "category",
    ("enabled", "show_in_user_app_list"),
    "addresses",
    "seen_version",
)
TOKENS = (
    "token_type",
    "access_token_typ",
    "flows",
    "access_token_lifetime",
    "issues_refresh_tokens",
    "refresh_token_lifetime",
    "rotates_refresh_tokens",
    "requires_pkce",
    "allows_plain_pkce",
)
ADDRESSES = (
    "redirect_uris",
    "post_logout_redirect_uris",
    "backchannel_logout_uri",
    "frontchannel_logout_uri",
    "trusted_origins",
)
ENDPOINTS = (
    ("authorize", _("Authorize")),
    ("token", _("Token")),
    ("userinfo", _("UserInfo")),
    ("introspect", _("Introspect")),
    ("revoke", _("Revoke")),
    ("end_session", _("EndSession")),
    ("keys", _("Keys")),
)


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


class ScopeInline(ScopeRows):
    """Scope definitions."""

    model = Scope
    extra = 0
    verbose_name = _("Scope definition")
    verbose_name_plural = _("Scope definitions")

    def get_fields(self, request: HttpRequest, obj: Application | None = None) -> Any:
        """An OAuth2 Server's tokens are for somebody else's API, so they open no paths of ours."""
        paths = obj is None or obj.template != Template.OAUTH2_SERVER
        return ("name", "description", *(("rest_patterns",) if paths else ()))


class PermissionInline(PermissionRows):
    """Who may do what."""

    model = Permission
    form = PermissionForm
    formset = PermissionFormSet
    extra = 0
    verbose_name = _("Permission")
    verbose_name_plural = _("Permissions: a user needs Run to sign in to this application")


class WebAppAdmin(ClientSecretAdmin):
    """Every save goes through ``flows.webapps``: validated whole, audited, versioned."""

    list_display = (
        "name",
        "application_id",
        "shown_template",
        "shown_status",
        "enabled",
        "short_description",
    )
    list_filter = ("template", StatusFilter, "enabled", "category")
    search_fields = ("name", "application_id", "description", "openid_client_id")
    search_help_text = _("Name, Application ID, description or client ID")
    radio_fields = {"client_id_type": admin.VERTICAL, "login_initiation": admin.VERTICAL}
    readonly_fields = ("shown_status", "addresses", "openid_client_id", "shown_secrets")
    formfield_overrides = {
        models.DurationField: {"form_class": LifetimeField},
        models.URLField: {"assume_scheme": "https"},
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Applications with their status."""
        return Application.objects.with_status()

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Two steps: what a page shows depends on the type."""
        kwargs["form"] = WebAppForm if change else NewWebAppForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """CyberArk's pages, one after the other."""
        if obj is None:
            return ((_("Add Web App"), {"fields": ("template", "application_id", "name")}),)
        consent = ("requires_consent", "allows_scope_selection")
        return (
            (_("Settings"), {"fields": SETTINGS}),
            _trust() if obj.template == Template.OPENID_CONNECT else _general_usage(obj),
            (_("Tokens"), {"fields": TOKENS}),
            (_("Scope"), {"fields": consent}),
        )

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Scopes and permissions, once there is an application."""
        return () if obj is None else (ScopeInline, PermissionInline)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The type and the first name are chosen in the first step."""
        return () if obj is None else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Wait for the scopes and permissions."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save all of it at once. Raises ``EditedMeanwhile`` for whoever is second."""
        changes, by = changes_of(form, formsets), actor_of(request)
        if change:
            seen = form.cleaned_data["seen_version"]
            saved = webapps.update(
                form.instance, changes, actor=by, now=timezone.now(), expected_version=seen
            )
        else:
            saved = webapps.create(changes, actor=by, now=timezone.now())
        form.instance.pk = saved.pk
        _warn(request, saved)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Name the fields; the audit log has scopes and permissions, with their values."""
        return super().construct_change_message(request, form, [], add)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Tell whoever was second, when both saved in the same moment."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except webapps.EditedMeanwhile as lost:
            stored = Application.objects.named(str(lost)).get()
            self.message_user(request, edited_meanwhile(stored), messages.ERROR)
        except ValidationError as fault:
            self.message_user(request, " ".join(fault.messages), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        """Go on to the second step."""
        if {"_addanother", "_popup"} & set(request.POST):
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, _("The application was added. Configure it here."))
        route = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(route, args=[obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete, audited."""
        webapps.delete(obj, actor=actor_of(request), now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete one after the other, audited."""
        for application in queryset:
            self.delete_model(request, application)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count what goes along: an application can have a million tokens, which nobody reads."""
        grants = Grant.objects.filter(application__in=objs).count()
        counted = {
            self.opts.verbose_name_plural: len(objs),
            Grant._meta.verbose_name_plural: grants,
        }
        return [str(one) for one in objs], counted, set(), []

    def client_id_of(self, owner: Any) -> str:
        """The GUID of an OpenID Connect application."""
        return str(owner.openid_client_id)

    def owns_secrets(self, owner: Any) -> bool:
        """Only OpenID Connect applications; the others' clients are service users."""
        return owner is not None and owner.template == Template.OPENID_CONNECT

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

    @admin.display(description=_("Client secret"))
    def shown_secrets(self, obj: Any) -> str:
        """That there is one, never which."""
        return live_secrets(obj)

    @admin.display(description=_("Addresses"))
    def addresses(self, obj: Any) -> SafeString:
        """What a client is configured with."""
        places = obj.locations
        rows = [
            (gettext("Issuer"), obj.facts().issuer),
            (gettext("Metadata"), link(places.discovery)),
        ]
        rows += [(str(label), link(places.of(name))) for name, label in ENDPOINTS]
        return table((gettext("Endpoint"), gettext("Address")), rows)


def _general_usage(obj: Application) -> Any:
    has_audience = obj.template == Template.OAUTH2_SERVER or obj.audience
    audience = ("audience",) if has_audience else ()
    fields = ("client_id_type", "client_ids", "must_be_oauth_client", "issuer", *audience)
    return (_("General Usage"), {"fields": (*fields, *ADDRESSES)})


def _trust() -> Any:
    fields = ("openid_client_id", "shown_secrets", "require_client_secret", "issuer")
    service_provider = ("login_initiation", "url")
    people = ("subject_type", "claims_in_id_token", "client_jwks")
    return (_("Trust"), {"fields": (*fields, *service_provider, *ADDRESSES, *people)})


def _warn(request: HttpRequest, saved: Application) -> None:
    if saved.template == Template.OPENID_CONNECT:
        return
    if saved.client_id_type == ClientIdType.ANYTHING:
        sentence = _(
            "Client ID Type is Anything: whoever asks can be a client of this application. For"
            " PKCE with known clients, List is the safe setting."
        )
        messages.warning(request, sentence)
    elif saved.client_id_type == ClientIdType.LIST and not saved.client_ids:
        messages.warning(request, _("The Client ID List is empty, so nobody is served."))
