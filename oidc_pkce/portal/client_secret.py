"""Client secrets: the list of the live ones, a page that makes one, a page that revokes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables

from .. import headers
from ..flows.client_secret import revoke_client_secret, set_client_secret
from ..models import ClientSecret
from ..models.client_secret import LIVE_SECRETS
from .base import PortalAdmin, actor_of

MAX_DAYS = 3650


class NewSecretForm(forms.Form):
    """How long the secret shall live, and which one was the newest when the page was opened."""

    days = forms.IntegerField(
        label=gettext_lazy("Valid for (days)"),
        required=False,
        min_value=1,
        max_value=MAX_DAYS,
        help_text=gettext_lazy("Empty: it stays valid until it is revoked or replaced."),
    )
    newest = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def expires_at(self, now: datetime) -> datetime | None:
        """The moment that was asked for."""
        days = self.cleaned_data["days"]
        return now + timedelta(days=days) if days else None


@dataclass(frozen=True, slots=True)
class ShownSecret:
    """A secret as the list shows it: everything but what it is."""

    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoke_url: str


class ClientSecretAdmin(PortalAdmin):
    """A screen whose objects own client secrets."""

    change_form_template = "admin/oidc_pkce/owner_change_form.html"

    def client_id_of(self, owner: Any) -> str:
        """The id that goes with the secret."""
        raise NotImplementedError

    def owns_secrets(self, owner: Any) -> bool:
        """Whether this object may have secrets."""
        return owner is not None

    def secrets_frame(self, request: HttpRequest, owner: Any) -> dict[str, Any]:
        """What the frame around the pages of secrets shows; its last crumb is the owner."""
        site = self.admin_site
        route = f"{site.name}:{self.opts.app_label}_{self.opts.model_name}"
        changelist = (reverse(f"{route}_changelist"), capfirst(self.opts.verbose_name_plural))
        crumbs = [changelist, (reverse(f"{route}_change", args=[owner.pk]), str(owner))]
        return {
            **site.each_context(request),
            "opts": self.opts,
            "original": owner,
            "crumbs": crumbs,
        }

    def secrets_context(self, request: HttpRequest, owner: Any) -> Mapping[str, Any]:
        """What ``_secrets.html`` shows; addresses only for whoever may change the owner."""
        may_change = self.has_change_permission(request, owner)
        live = owner.client_secrets.live(timezone.now())
        return {
            "secrets": [self._shown(secret, owner, may_change) for secret in live],
            "new_secret_url": self._address(owner) if may_change else "",
        }

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The owner; ``None`` also for a key that is larger than the database's numbers."""
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:
            return None

    def get_urls(self) -> list[URLPattern]:
        """Add the pages."""
        own = [
            path(
                "<path:object_id>/client-secret/",
                self.admin_site.admin_view(self.client_secret_view),
                name=self._route(),
            ),
            path(
                "<path:object_id>/client-secret/<int:secret_id>/revoke/",
                self.admin_site.admin_view(self.revoke_secret_view),
                name=f"{self._route()}_revoke",
            ),
        ]
        return [*own, *super().get_urls()]

    @sensitive_variables("secret", "context")
    def client_secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET asks; POST makes a secret and shows it. It travels in no redirect and no cookie."""
        owner = self._owner_or_refuse(request, object_id)
        newest = owner.client_secrets.values_list("pk", flat=True).first() or 0
        form = NewSecretForm(request.POST or None, initial={"newest": newest})
        secret = None
        if request.method == "POST" and self._is_sound(form, newest):
            now = timezone.now()
            expires_at = form.expires_at(now) if form.is_bound else None
            secret = set_client_secret(
                owner, actor=actor_of(request), now=now, expires_at=expires_at
            )
        context = {
            "title": _("New client secret"),
            "body": "admin/oidc_pkce/_new_secret.html",
            "form": form,
            "secret": secret,
            "most": LIVE_SECRETS,
            "live_count": owner.client_secrets.live(timezone.now()).count(),
        }
        return self._secret_page(request, owner, context)

    def revoke_secret_view(
        self, request: HttpRequest, object_id: str, secret_id: int
    ) -> HttpResponse:
        """GET asks, POST revokes. Raises ``Http404`` for a secret that is not this owner's."""
        owner = self._owner_or_refuse(request, object_id)
        stored = owner.client_secrets.filter(pk=secret_id).first()
        if stored is None:
            raise Http404
        if request.method == "POST":
            now = timezone.now()
            revoke_client_secret(owner, stored.pk, actor=actor_of(request), now=now)
            messages.success(request, _("The client secret was revoked."))
            return HttpResponseRedirect(self._back(self.secrets_frame(request, owner)))
        context = {
            "title": _("Revoke a client secret"),
            "body": "admin/oidc_pkce/_revoke_secret.html",
            "stored": stored,
        }
        return self._secret_page(request, owner, context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """List the secrets, and tell the template where a new one is made."""
        owner: Any = kwargs.get("obj")
        if self.owns_secrets(owner):
            context.update(self.secrets_context(request, owner))
        return super().render_change_form(request, context, *args, **kwargs)

    def _owner_or_refuse(self, request: HttpRequest, object_id: str) -> Any:
        owner: Any = self.get_object(request, object_id)
        if not self.owns_secrets(owner):
            raise Http404
        if not self.has_change_permission(request, owner):
            raise PermissionDenied
        return owner

    def _is_sound(self, form: NewSecretForm, newest: int) -> bool:
        """A page that was sent twice would make a secret that nobody reads, and end one in use."""
        if not form.is_bound:
            return True
        if form.is_valid() and form.cleaned_data["newest"] not in (None, newest):
            sentence = _(
                "A secret was made since this page was opened, so none was made now."
                " Open the page again if you need another one."
            )
            form.add_error(None, sentence)
        return form.is_valid()

    def _secret_page(
        self, request: HttpRequest, owner: Any, context: Mapping[str, Any]
    ) -> HttpResponse:
        frame = self.secrets_frame(request, owner)
        back = self._back(frame)
        crumbs = [*frame["crumbs"][:-1], (back, frame["crumbs"][-1][1]), ("", context["title"])]
        place = "application/" if "page" in frame else ""
        response = TemplateResponse(
            request,
            f"admin/oidc_pkce/{place}client_secret.html",
            {
                **frame,
                **context,
                "title": context["title"],
                "page_title": context["title"],
                "crumbs": crumbs,
                "back_url": back,
                "client_id": self.client_id_of(owner),
                "media": self.media,
            },
        )
        headers.forbid_caching(response)
        return response

    def _back(self, frame: Mapping[str, Any]) -> str:
        """Where the secrets are listed."""
        page, owner = frame.get("page"), frame["original"]
        return str(page.address(owner) if page else frame["crumbs"][-1][0])

    def _shown(self, secret: ClientSecret, owner: Any, may_change: bool) -> ShownSecret:
        address = self._address(owner, secret.pk) if may_change else ""
        return ShownSecret(secret.created_at, secret.expires_at, secret.last_used_at, address)

    def _address(self, owner: Any, secret_id: int | None = None) -> str:
        route = f"{self.admin_site.name}:{self._route()}"
        if secret_id is None:
            return reverse(route, args=[owner.pk])
        return reverse(f"{route}_revoke", args=[owner.pk, secret_id])

    def _route(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_client_secret"
