"""The sign-in page: user name first, then the password."""

from __future__ import annotations

from typing import Any

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from .. import audit, receivers, throttling
from ..flows.authorization import Refused
from ..flows.interaction import Owed
from ..models import ServiceUser
from ..protocol.application import ApplicationFacts
from ..protocol.parameters import Parameters
from .pages import FormPage, person_of

PASSWORD = ["pwd"]  # RFC 8176 §2
SWITCH = "switch"  # in the address: ask who signs in, although somebody is
MAX_USERNAME = 254
MAX_PASSWORD = 4096  # what a slow hasher is given is bounded


class LoginPage(FormPage):
    """Sign a person in by the host project's own authentication backends."""

    name = "login"
    methods = ("GET", "POST")

    def get(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Ask for the user name; who is already signed in goes on."""
        found = self.find(application_id)
        self.take_ticket(found)
        try:
            judged = self.judge(found, person_of(request))
        except Refused as refused:
            return self.send(refused.response)
        if judged.owed is not Owed.SIGN_IN and SWITCH not in self.query().names:
            return self.proceed(found)
        hint = Parameters.parse(self.ticket.query).get("login_hint") or ""
        return self.ask(found, username=hint[:MAX_USERNAME])

    def post(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Take the user name, then the password; both at once is fine too."""
        found = self.find(application_id)
        self.take_ticket(found)
        username = request.POST.get("username", "").strip()
        password = request.POST.get("password", "")
        if not username:
            return self.ask(found, error=_("Enter your user name."))
        if not password:
            missing = request.POST.get("step") == "password"
            error = _("Enter your password.") if missing else ""
            return self.ask(found, step="password", username=username, error=error)
        return self.sign_in(found, username, password)

    def sign_in(self, found: ApplicationFacts, username: str, password: str) -> HttpResponseBase:
        """Check the credentials; count a failure, never a success."""
        counters = throttling.sign_in_counters(username, self.address)
        if throttling.blocked(counters):
            error = _("Too many attempts. Wait a few minutes, then try again.")
            return self.ask(found, step="password", username=username, error=error, status=429)
        user = self._authenticate(username, password)
        if user is None:
            throttling.failed(counters)
            self._audit(audit.Action.SIGN_IN_FAILED, found, None)
            if throttling.blocked(
                counters
            ):  # said once: what is refused from now on writes nothing
                self._audit(audit.Action.SIGN_IN_BLOCKED, found, None)
            error = _("User name or password is wrong. Check both, then try again.")
            return self.ask(found, step="password", username=username, error=error)
        auth.login(self.request, user)
        self.request.session[receivers.AMR] = PASSWORD
        self._audit(audit.Action.SIGNED_IN, found, user)
        return self.proceed(found)

    def ask(
        self,
        found: ApplicationFacts,
        *,
        step: str = "username",
        username: str = "",
        error: str = "",
        status: int = 200,
    ) -> HttpResponse:
        """Show one step of the form."""
        context = {
            "ticket": self.query().get("ticket"),
            "step": step,
            "username": username,
            "error": error,
            "start_over_url": self.address_of("login", found),
        }
        return self.form_page("login", found, context, status=status)

    def _authenticate(self, username: str, password: str) -> Any:
        """The user, or ``None``: unknown, wrong, inactive and service users all alike."""
        if len(username) > MAX_USERNAME or len(password) > MAX_PASSWORD or "\0" in username:
            return None
        user = auth.authenticate(self.request, username=username, password=password)
        if user is None or ServiceUser.objects.filter(pk=user.pk).exists():
            return None
        return user

    def _audit(self, action: audit.Action, found: ApplicationFacts, user: Any) -> None:
        """What was typed as a user name is not kept: people type passwords there."""
        audit.record(
            action,
            now=self.now,
            actor_pk=user.pk if user else None,
            actor_name=user.get_username() if user else "",
            application_pk=found.pk,
            application_name=found.name,
            details={"address": throttling.network_of(self.address)},
        )
