"""The sign-in page: user name first, then the password."""

from __future__ import annotations

from functools import partial

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _

from .. import receivers
from ..flows import login
from ..flows.authorization import Refused
from ..flows.interaction import Owed
from ..flows.login import MAX_USERNAME, Attempt, SignInBlocked, SignInRefused
from ..interaction_policy import PASSWORD
from ..protocol.application import ApplicationFacts
from ..protocol.errors import TemporarilyUnavailable
from ..protocol.parameters import Parameters
from .base import server_is_available
from .pages import FormPage, person_of

SWITCH = "switch"  # in the address: ask who signs in, although somebody is


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
        fields = self.fields()
        self.take_ticket(found)
        username = fields.get("username", "").strip()
        password = fields.get("password", "")
        if not username:
            return self.ask(found, error=_("Enter your user name."))
        if not password:
            missing = fields.get("step") == "password"
            error = _("Enter your password.") if missing else ""
            return self.ask(found, step="password", username=username, error=error)
        try:
            self.require_inside(found)
        except Refused as refused:
            return self.send(refused.response)
        return self.sign_in(found, username, password)

    def require_inside(self, found: ApplicationFacts) -> None:
        """Look at no password from outside the Policy's networks. Raises ``Refused``."""
        if found.allowed_networks:
            self.judge(found, person_of(self.request))

    def sign_in(self, found: ApplicationFacts, username: str, password: str) -> HttpResponseBase:
        """Sign in, or say on the same page why not."""
        attempt = Attempt(username, password, self.address, found, self.now)
        try:
            user = login.sign_in(attempt, partial(auth.authenticate, self.request))
        except SignInBlocked as refusal:
            login.explain(refusal, self.trace)
            error = _("Too many attempts. Wait a few minutes, then try again.")
            return self.ask(found, step="password", username=username, error=error, status=429)
        except TemporarilyUnavailable as busy:
            self.trace.refused(server_is_available.id, busy)
            error = _("Many people are signing in at this moment. Wait a moment, then try again.")
            page = self.ask(found, step="password", username=username, error=error, status=503)
            page["Retry-After"] = str(busy.retry_after)
            return page
        except SignInRefused as refusal:
            login.explain(refusal, self.trace)
            error = _("User name or password is wrong. Check both, then try again.")
            return self.ask(found, step="password", username=username, error=error)
        auth.login(self.request, user)
        # A backend that asked for something else has said so.
        self.request.session[receivers.AMR] = self.request.session[receivers.AMR] or [PASSWORD]
        self.request.session[receivers.FRESH_FOR] = self.ticket.name
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
            "username": username[:MAX_USERNAME],
            "error": error,
            "start_over_url": self.start_over(found),
        }
        return self.form_page("login", found, context, status=status)

    def start_over(self, found: ApplicationFacts) -> str:
        """The first step again, for whoever began this page."""
        again = self.address_of("login", found)
        return switched(again) if SWITCH in self.query().names else again


def switched(address: str) -> str:
    """The sign-in page that asks who signs in, although somebody is."""
    return f"{address}&{SWITCH}=1"
