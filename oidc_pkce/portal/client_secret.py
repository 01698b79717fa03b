"""The page that makes a client secret and shows it, this once."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import headers
from ..flows.client_secret import set_client_secret
from ..models import ClientSecret
from .base import PortalAdmin, actor_of


class ClientSecretAdmin(PortalAdmin):
    """A screen whose objects own client secrets."""

    change_form_template = "admin/oidc_pkce/owner_change_form.html"

    def client_id_of(self, owner: Any) -> str:
        """The id that goes with the secret."""
        raise NotImplementedError

    def owns_secrets(self, owner: Any) -> bool:
        """Whether this object may have secrets."""
        return owner is not None

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The owner; ``None`` also for a key that is larger than the database's numbers."""
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:
            return None

    def get_urls(self) -> list[URLPattern]:
        """Add the page."""
        own = path(
            "<path:object_id>/client-secret/",
            self.admin_site.admin_view(self.client_secret_view),
            name=self._route(),
        )
        return [own, *super().get_urls()]

    def client_secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET asks; POST makes a secret and shows it. It travels in no redirect and no cookie."""
        owner: Any = self.get_object(request, object_id)
        if not self.owns_secrets(owner):
            raise Http404
        if not self.has_change_permission(request, owner):
            raise PermissionDenied
        secret = None
        if request.method == "POST":
            now = timezone.now()
            secret = set_client_secret(owner, actor=actor_of(request), now=now)
        context = {
            **self.admin_site.each_context(request),
            "title": _("New client secret"),
            "opts": self.opts,
            "original": owner,
            "client_id": self.client_id_of(owner),
            "secret": secret,
            "media": self.media,
        }
        response = TemplateResponse(request, "admin/oidc_pkce/client_secret.html", context)
        headers.forbid_caching(response)
        return response

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Tell the template where a new secret is made."""
        owner: Any = kwargs.get("obj")
        if self.owns_secrets(owner) and self.has_change_permission(request, owner):
            route = f"{self.admin_site.name}:{self._route()}"
            context["client_secret_url"] = reverse(route, args=[owner.pk])
        return super().render_change_form(request, context, *args, **kwargs)

    def _route(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_client_secret"


def live_secrets(owner: Any) -> str:
    """How many live secrets there are, and when the newest was last used."""
    live: list[ClientSecret] = list(owner.client_secrets.live(timezone.now()))
    used = [secret.last_used_at for secret in live if secret.last_used_at]
    if not live:
        return _("none")
    last = max(used).strftime("%Y-%m-%d %H:%M") if used else _("never")
    return _("%(count)s live, last used: %(last)s") % {"count": len(live), "last": last}
