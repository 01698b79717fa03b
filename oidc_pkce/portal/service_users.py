"""Service users: confidential clients and their secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import (
    Count,
    DateTimeField,
    IntegerField,
    Max,
    Min,
    OuterRef,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..flows import administration, service_user
from ..flows.escalation import acting_as_gives_more
from ..flows.service_user import NameTaken, ServiceUserExists
from ..models import Application, ClientSecret, Permission, Right, ServiceUser
from ..protocol.application import ClientIdType, Template
from .base import MAX_CHOSEN, actor_of, listed
from .client_secret import ClientSecretAdmin
from .seen import SeenForm

if TYPE_CHECKING:
    ServiceUserModelForm = forms.ModelForm[ServiceUser]
else:
    ServiceUserModelForm = forms.ModelForm

SHOWN_APPLICATIONS = 50


class NewServiceUserForm(ServiceUserModelForm):
    """A login name, which becomes the client_id."""

    login_name = forms.CharField(
        label=_("Login Name"),
        max_length=255,
        widget=AdminTextInputWidget,
        help_text=_("This is the client_id: letters, digits and - _ . @"),
    )

    class Meta:
        model = ServiceUser
        fields = ("is_oauth_confidential_client",)

    def clean_login_name(self) -> str:
        """Find out what would be wrong with the name, before anything is written."""
        name: str = self.cleaned_data["login_name"]
        try:
            service_user.require_free(name)
        except ServiceUserExists:
            raise ValidationError(
                gettext("There is a service user of this name already.")
            ) from None
        except NameTaken:
            raise ValidationError(
                gettext("This is a person's account: choose another name.")
            ) from None
        return name


class ServiceUserForm(SeenForm):
    """What can be changed of a service user."""

    is_active = forms.BooleanField(
        label=_("Active"),
        required=False,
        help_text=_("While it is not, its secrets prove nothing and its tokens are refused."),
    )

    class Meta:
        model = ServiceUser
        fields = ("is_oauth_confidential_client",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["is_active"] = self.instance.user.is_active

    def stored(self) -> str:
        """Both flags: whoever was shut out meanwhile must not come back by another's saving."""
        flags = (self.instance.user.is_active, self.instance.is_oauth_confidential_client)
        return "".join(str(int(flag)) for flag in flags)


class ActiveFilter(admin.SimpleListFilter):
    """Whether the user behind it is active."""

    title = _("Active")
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """Yes and no, where users can be inactive."""
        if not service_user.can_be_deactivated():
            return ()
        return (("1", _("Yes")), ("0", _("No")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that were chosen."""
        chosen = self.value()
        return queryset.filter(user__is_active=chosen == "1") if chosen in ("0", "1") else queryset


class ServiceUserAdmin(ClientSecretAdmin):
    """Service users with one or two live secrets each.

    Whoever could do more as a service user than as oneself may look at it and change nothing.
    """

    list_display = (
        "login_name",
        "is_active",
        "is_client",
        "live_secrets",
        "last_used",
        "first_expiry",
    )
    list_filter = (ActiveFilter, "is_oauth_confidential_client")
    list_select_related = ("user",)
    search_help_text = _("Login Name")
    show_full_result_count = False
    change_form_template = "admin/oidc_pkce/serviceuser/change_form.html"
    actions = ("activate_selected", "deactivate_selected")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list under its own name."""
        return super().changelist_view(
            request, {"title": gettext("Service users"), **(extra_context or {})}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Service users with what the list tells of their secrets."""
        live = ClientSecret.objects.live(timezone.now()).filter(service_user=OuterRef("pk"))

        def of_secrets(aggregate: Any, kind: Any) -> Subquery:
            grouped = live.order_by().values("service_user").annotate(told=aggregate)
            return Subquery(grouped.values("told"), output_field=kind)

        stored: QuerySet[Any] = super().get_queryset(request)
        annotated: QuerySet[Any] = stored.annotate(
            secret_count=Coalesce(of_secrets(Count("pk"), IntegerField()), 0),
            secret_used_at=of_secrets(Max("last_used_at"), DateTimeField()),
            secret_expires_at=of_secrets(Min("expires_at"), DateTimeField()),
        )
        return annotated

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """A name at first; later whether it is active, and the flag."""
        kwargs["form"] = ServiceUserForm if change else NewServiceUserForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the form holds."""
        if obj is None:
            return ("login_name", "is_oauth_confidential_client")
        carried = ("seen",) if self.has_change_permission(request, obj) else ()
        return ("login_name", "is_active", "is_oauth_confidential_client", *carried)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The name is chosen once."""
        if obj is None:
            return ()
        may_change = self.has_change_permission(request, obj)
        inert = () if may_change and service_user.can_be_deactivated() else ("is_active",)
        return ("login_name", *inert)

    def get_search_fields(self, request: HttpRequest) -> Any:
        """The login name, whatever the host's user model calls it."""
        return (f"user__{get_user_model().USERNAME_FIELD}",)

    def get_ordering(self, request: HttpRequest) -> Any:
        """By login name."""
        return (f"user__{get_user_model().USERNAME_FIELD}",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's permission, unless the service user could do more."""
        return super().has_change_permission(request, obj) and not _beyond(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's permission, unless the service user could do more."""
        return super().has_delete_permission(request, obj) and not _beyond(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Create the user behind it, or set what was changed; audited."""
        by, now = actor_of(request), timezone.now()
        flag = obj.is_oauth_confidential_client
        if not change:
            name = form.cleaned_data["login_name"]
            obj.user = service_user.add(
                name, is_oauth_confidential_client=flag, actor=by, now=now
            ).user
            return
        service_user.flag(obj, is_oauth_confidential_client=flag, actor=by, now=now)
        if "is_active" in form.cleaned_data:
            self._set_active(request, obj, form.cleaned_data["is_active"])

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Go on to its first secret."""
        return HttpResponseRedirect(self._address(obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form, and the applications that this service user may use."""
        shown = kwargs.get("obj")
        if shown is not None:
            context["applications"] = self._applications(request, shown)
            context["is_out_of_reach"] = _beyond(request, shown)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description=_("Activate the selected service users"), permissions=["change"])
    def activate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let them act as clients again."""
        if (count := self._set_all_active(request, queryset, True)) is not None:
            told = ngettext(
                "%(count)d service user was activated.",
                "%(count)d service users were activated.",
                count,
            )
            self.message_user(request, told % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Deactivate the selected service users"), permissions=["change"])
    def deactivate_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Shut them out; their tokens are refused from now on."""
        if (count := self._set_all_active(request, queryset, False)) is not None:
            told = ngettext(
                "%(count)d service user was deactivated.",
                "%(count)d service users were deactivated.",
                count,
            )
            self.message_user(request, told % {"count": count}, messages.SUCCESS)

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """Service users are deleted one at a time: each page says what ends."""
        # Before 6.1 Django knew lists alone.
        place = () if action_location is None else (action_location,)
        found = super().get_actions(request, *place)
        hidden = {"delete_selected"}
        if not service_user.can_be_deactivated():
            hidden |= set(self.actions)
        return {name: action for name, action in found.items() if name not in hidden}

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the user behind it along, audited."""
        service_user.delete(obj, actor=actor_of(request), now=timezone.now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What ends with a service user; grants are not counted, for they may be millions."""
        told: list[Any] = []
        for one in objs:
            told += [str(one), *self._ends_with(one, request)]
        return told, {self.opts.verbose_name_plural: len(objs)}, set(), []

    def client_id_of(self, owner: Any) -> str:
        """The login name."""
        return str(owner)

    @admin.display(description=_("Login Name"))
    def login_name(self, obj: Any) -> str:
        """The client_id."""
        return str(obj)

    @admin.display(description=_("Active"), boolean=True)
    def is_active(self, obj: Any) -> bool:
        """Whether the user behind it is active."""
        return bool(obj.user.is_active)

    @admin.display(
        description=_("OAuth client"), boolean=True, ordering="is_oauth_confidential_client"
    )
    def is_client(self, obj: Any) -> bool:
        """Whether it is flagged as an OAuth confidential client."""
        return bool(obj.is_oauth_confidential_client)

    @admin.display(description=_("Live secrets"), ordering="secret_count")
    def live_secrets(self, obj: Any) -> int:
        """How many secrets prove that it is the client."""
        return int(obj.secret_count)

    @admin.display(description=_("Last used"), ordering="secret_used_at")
    def last_used(self, obj: Any) -> datetime | None:
        """When one of them was, to the hour."""
        used: datetime | None = obj.secret_used_at
        return used

    @admin.display(description=_("Expires"), ordering="secret_expires_at")
    def first_expiry(self, obj: Any) -> datetime | None:
        """When the first of them does."""
        expires: datetime | None = obj.secret_expires_at
        return expires

    def _set_active(self, request: HttpRequest, obj: Any, active: bool) -> bool:
        change = service_user.activate if active else service_user.deactivate
        return change(obj, actor=actor_of(request), now=timezone.now())

    def _set_all_active(
        self, request: HttpRequest, queryset: QuerySet[ServiceUser], active: bool
    ) -> int | None:
        """How many were changed; ``None`` when there are too many. The others are named."""
        chosen = list(queryset[: MAX_CHOSEN + 1])
        if len(chosen) > MAX_CHOSEN:
            sentence = gettext("Choose at most %(max)s service users at once.")
            self.message_user(request, sentence % {"max": MAX_CHOSEN}, messages.ERROR)
            return None
        mine = [one for one in chosen if self.has_change_permission(request, one)]
        if others := [str(one) for one in chosen if one not in mine]:
            sentence = gettext("These may do more than you and were left alone: %(names)s.")
            self.message_user(request, sentence % {"names": listed(others)}, messages.WARNING)
        return sum(self._set_active(request, one, active) for one in mine)

    def _applications(self, request: HttpRequest, shown: ServiceUser) -> dict[str, Any]:
        """Those with a Run right that reaches it, as far as this administrator may see them."""
        runs = Permission.objects.reaching(shown.user).giving(Right.RUN).values("application")
        found = administration.holding(request.user).filter(pk__in=runs).order_by("name", "pk")
        count, first = found.count(), found[:SHOWN_APPLICATIONS]
        return {
            "rows": [(one, self._address_of(one), _is_client_of(shown, one)) for one in first],
            "count": count,
            "more": max(0, count - SHOWN_APPLICATIONS),
        }

    def _address_of(self, application: Application) -> str:
        route = f"{self.admin_site.name}:oidc_pkce_application_change"
        return reverse(route, args=[application.pk])

    def _ends_with(self, one: ServiceUser, request: HttpRequest) -> Sequence[str]:
        live = one.client_secrets.live(timezone.now()).count()
        told = [gettext("the user account behind it, and whatever people granted to this client")]
        if live:
            sentence = ngettext("%(count)d live secret", "%(count)d live secrets", live)
            told.append(sentence % {"count": live})
        named = administration.holding(request.user).filter(permissions__user=one.pk)
        told += [
            gettext("the rights on %(application)s") % {"application": application}
            for application in named.order_by("name", "pk")[:SHOWN_APPLICATIONS]
        ]
        return told


def _beyond(request: HttpRequest, shown: Any) -> bool:
    """Asked several times for one page: remembered with the request."""
    if shown is None:
        return False
    asked: dict[Any, bool] = request.__dict__.setdefault("_oidc_pkce_beyond", {})
    if shown.pk not in asked:
        asked[shown.pk] = acting_as_gives_more(shown.user, request.user)
    return asked[shown.pk]


def _is_client_of(shown: ServiceUser, application: Application) -> bool:
    """Whether it may be the client of this application, and not only its user."""
    return (
        application.template != Template.OPENID_CONNECT
        and application.client_id_type == ClientIdType.CONFIDENTIAL
        and (shown.is_oauth_confidential_client or not application.must_be_oauth_client)
    )
