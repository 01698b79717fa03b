"""The sign-out page (OpenID Connect RP-Initiated Logout §2)."""

from __future__ import annotations

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from .. import receivers
from ..flows import end_session, interaction
from ..flows.end_session import Frame
from ..protocol import redirect_uri
from ..protocol.application import ApplicationFacts
from ..protocol.end_session import EndSessionRequest
from ..protocol.parameters import Parameters
from .pages import PageEndpoint, form_is_our_own, form_is_readable, see_other

TICKET = "sign_out_ticket"  # what no client sends: a request that we have sealed
SIGN_OUT = ("1",)
SECONDS = 3  # for the frames to load; the link does not wait


class EndSessionPage(PageEndpoint):
    """End the browser session at once when a hint vouches for it; else ask the person."""

    name = "end_session"
    methods = ("GET", "POST")

    asked = EndSessionRequest()

    def further_methods(self) -> tuple[str, ...]:
        """Not even HEAD: a request may end the session."""
        return ()

    def get(self, request: HttpRequest, application_id: str = "") -> HttpResponseBase:
        """A request in the URL, or one that has been a post."""
        query = self.query()
        sealed = query.get(TICKET)
        if sealed is None:
            return self.answer(self.judge(application_id, query))
        self.asked = end_session.unseal(sealed, application_id, self.trace)
        return self.answer(self.find_again())

    def post(self, request: HttpRequest, application_id: str = "") -> HttpResponseBase:
        """A client's form, or the answer to our own page; only that needs our CSRF token."""
        body = self.form()
        fields = Parameters.parse(body=body)
        sealed = fields.get(TICKET)
        if sealed is not None:
            return self.decide(application_id, sealed, fields.all("result"))
        query = request.META.get("QUERY_STRING", "")
        found = self.judge(application_id, Parameters.parse(query, body))
        return self.answer(found) if request.user.is_authenticated else self.come_again()

    def judge(self, application_id: str, parameters: Parameters) -> ApplicationFacts | None:
        """What of the request may be believed, and its application. Raises an ``OAuthError``."""
        asked = end_session.find(application_id, parameters, now=self.now, trace=self.trace)
        if asked.application is not None:
            self.remember(asked.application)
        self.traced.client_id = parameters.get("client_id") or ""
        self.asked = end_session.judge(asked, self.trace)
        return asked.application

    def find_again(self) -> ApplicationFacts | None:
        """The application of a sealed request, which may have changed. Raises an ``OAuthError``."""
        found = end_session.find_again(self.asked, self.trace)
        self.traced.client_id = self.asked.client_id
        return found if found is None else self.remember(found)

    def come_again(self) -> HttpResponse:
        """Nobody seems to be signed in, but a post from another site brings no Lax cookie."""
        ticket = end_session.seal(self.asked, self.application_id)
        self.trace.take(interaction.ticket_fits_into_an_address, ticket)
        return see_other(f"{self.request.path}?{TICKET}={ticket}")

    def answer(self, found: ApplicationFacts | None) -> HttpResponseBase:
        """Sign out, ask, or go on: who is not signed in has nothing to confirm."""
        user = self.request.user
        if not user.is_authenticated:
            return self.leave([])
        self.traced.user_pk = user.pk
        if found and end_session.vouches(self.asked, found, user, self.sid, self.trace):
            return self.sign_out()
        return self.ask()

    def ask(self) -> HttpResponse:
        """Ask, and seal what was asked; the answer may lead to the verified address."""
        user = self.request.user
        # Without the state, which may make a longer address than can be registered.
        target = self.asked.post_logout_redirect_uri if self.asked.location else ""
        context = {
            "application": self.application,
            "user_name": user.get_username(),
            "form_action": self.request.path,
            "ticket": end_session.seal_page(self.asked, self.application_id, user, self.sid),
            "redirect_host": redirect_uri.display_host(target) if target else "",
        }
        targets = [redirect_uri.csp_source(target)] if target else []
        return self.page("sign_out", context, has_form=True, form_targets=targets)

    def decide(
        self, application_id: str, sealed: str, results: tuple[str, ...]
    ) -> HttpResponseBase:
        """Do what the person answered. Raises ``ForeignForm``, ``StalePage``."""
        self.trace.take(form_is_readable, self.request)
        self.trace.take(form_is_our_own, self.request)
        user = self.request.user if self.request.user.is_authenticated else None
        self.asked = end_session.unseal_page(sealed, application_id, user, self.sid, self.trace)
        self.find_again()
        if user is None:
            return self.leave([])
        self.traced.user_pk = user.pk
        if results != SIGN_OUT:
            return self.page("still_signed_in", {"application": self.application})
        return self.sign_out()

    def sign_out(self) -> HttpResponse:
        """End the session; the receiver of the sign-out ends what belongs to it."""
        frames = end_session.frames(self.request.user, self.sid)
        auth.logout(self.request)
        return self.leave(frames)

    def leave(self, frames: list[Frame]) -> HttpResponse:
        """Go to the verified address, by way of a page where applications are told in frames."""
        location = self.asked.location
        if location and not frames:
            return see_other(location)
        context = {"application": self.application, "frames": frames, "continue_url": location}
        sources = [redirect_uri.csp_source(frame.registered) for frame in frames]
        response = self.page("signed_out", context, frame_sources=sources)
        if location:
            response["Refresh"] = f"{SECONDS}; url={location}"
        return response

    @property
    def application_id(self) -> str:
        """The Application ID in the address of this page, if there is one."""
        return str(self.kwargs.get("application_id", ""))

    @property
    def sid(self) -> str:
        """The name of this browser session, empty where it has none."""
        return str(self.request.session.get(receivers.SID, ""))

    def ui_locales(self) -> str | None:
        """As the request said, on every page that follows from it."""
        return self.asked.ui_locales or super().ui_locales()
