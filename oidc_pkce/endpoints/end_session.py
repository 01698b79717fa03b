"""Sign-out: asks first, for nothing vouches for whoever sent the browser here."""

from __future__ import annotations

from django.contrib import auth
from django.http import HttpRequest, HttpResponseBase

from .. import audit
from ..flows import application as applications
from .pages import PageEndpoint, posted


class EndSessionPage(PageEndpoint):
    """End the browser session of whoever says so."""

    name = "end_session"
    methods = ("GET", "POST")

    def get(self, request: HttpRequest, application_id: str = "") -> HttpResponseBase:
        """Ask; who is not signed in has nothing to confirm."""
        self.find(application_id)
        if not request.user.is_authenticated:
            return self.signed_out()
        context = {"user_name": request.user.get_username(), "form_action": request.path}
        return self.page("sign_out", context, has_form=True)

    def post(self, request: HttpRequest, application_id: str = "") -> HttpResponseBase:
        """Sign out, and say so."""
        self.find(application_id)
        posted(request, self.trace)
        if request.user.is_authenticated:
            audit.record(
                audit.Action.SIGNED_OUT,
                now=self.now,
                actor_pk=request.user.pk,
                actor_name=request.user.get_username(),
            )
            auth.logout(request)
        return self.signed_out()

    def find(self, application_id: str) -> None:
        """Note the application, where the address names one. Raises ``UnknownApplication``."""
        if application_id:
            self.remember(applications.find(application_id, self.trace))

    def signed_out(self) -> HttpResponseBase:
        """Say that nobody is signed in here any more."""
        return self.page("signed_out", {"application": self.application})
