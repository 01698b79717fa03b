"""Service users: confidential clients and their secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import service_user
from ..flows.service_user import NameTaken, ServiceUserExists
from ..models import ServiceUser
from .base import actor_of
from .client_secret import ClientSecretAdmin, live_secrets

if TYPE_CHECKING:
    ServiceUserModelForm = forms.ModelForm[ServiceUser]
else:
    ServiceUserModelForm = forms.ModelForm


class NewServiceUserForm(ServiceUserModelForm):
    """A login name, which becomes the client_id."""

    login_name = forms.CharField(
        label=_("Login Name"),
        max_length=255,
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


class ServiceUserAdmin(ClientSecretAdmin):
    """Service users with one or two live secrets each."""

    list_display = ("login_name", "is_active", "is_oauth_confidential_client", "shown_secrets")
    list_select_related = ("user",)
    readonly_fields = ("login_name", "is_active", "shown_secrets")

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """A name at first; later only the flag."""
        if not change:
            kwargs["form"] = NewServiceUserForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What the form holds."""
        if obj is None:
            return ("login_name", "is_oauth_confidential_client")
        return ("login_name", "is_active", "is_oauth_confidential_client", "shown_secrets")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The name is chosen once."""
        return () if obj is None else self.readonly_fields

    def get_search_fields(self, request: HttpRequest) -> Any:
        """The login name, whatever the host's user model calls it."""
        return (f"user__{get_user_model().USERNAME_FIELD}",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Create the user behind it, or set the flag; audited."""
        by, now = actor_of(request), timezone.now()
        flag = obj.is_oauth_confidential_client
        if change:
            service_user.flag(obj, is_oauth_confidential_client=flag, actor=by, now=now)
        else:
            name = form.cleaned_data["login_name"]
            obj.user = service_user.add(
                name, is_oauth_confidential_client=flag, actor=by, now=now
            ).user

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Go on to its first secret."""
        route = f"{self.admin_site.name}:{self._route()}"
        return HttpResponseRedirect(reverse(route, args=[obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the user behind it along, audited."""
        service_user.delete(obj, actor=actor_of(request), now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete one after the other, audited."""
        for found in queryset:
            self.delete_model(request, found)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The service users; their secrets, permissions and grants go along."""
        return [str(one) for one in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def client_id_of(self, owner: Any) -> str:
        """The login name."""
        return str(owner)

    @admin.display(description=_("Login Name"))
    def login_name(self, obj: Any) -> str:
        """The client_id."""
        return str(obj)

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, obj: Any) -> bool:
        """Whether the user behind it is active."""
        return bool(obj.user.is_active)

    @admin.display(description=_("Client secret"))
    def shown_secrets(self, obj: Any) -> str:
        """That there is one, never which."""
        return live_secrets(obj)
