"""The consent page (OpenID Connect Core §3.1.2.4)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from ..flows import authorization, consent, interaction
from ..flows.authorization import Judged, Refused
from ..flows.consent import Decision
from ..flows.interaction import Owed, Person, ShownConsent
from ..protocol import redirect_uri
from ..protocol.application import ApplicationFacts
from ..protocol.errors import AccessDenied
from ..protocol.response_mode import AuthorizationResponse
from .login import switched
from .pages import FormPage, person_of


class ConfirmPage(FormPage):
    """Ask whether a client may act for the person, and take the answer."""

    name = "confirm"
    methods = ("GET", "POST")

    def get(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Show who asks for what, and where the answer goes."""
        found = self.find(application_id)
        self.take_ticket(found)
        person = person_of(request)
        try:
            judged = self.judge(found, person)
        except Refused as refused:
            return self.send(refused.response)
        if judged.owed is not Owed.CONSENT or person is None:
            return self.proceed(found)
        return self.ask(found, judged, person)

    def post(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Take the decision that belongs to what was shown, to whom, in this browser session."""
        found = self.find(application_id)
        fields = self.fields()
        person = person_of(request)
        sealed = fields.get("ticket", "")
        shown = interaction.unseal_consent(sealed, found.application_id, person, self.trace)
        assert person is not None  # noqa: S101 - page_was_shown_to_this_person has just passed
        self.ticket = shown.ticket
        decision = Decision(fields.getlist("result") == ["1"], frozenset(fields.getlist("scope")))
        try:
            return self.send(self.decide(found, person, shown, decision))
        except Refused as refused:
            return self.send(refused.response)

    def decide(
        self, found: ApplicationFacts, person: Person, shown: ShownConsent, decision: Decision
    ) -> AuthorizationResponse:
        """Judge the request again, then grant or refuse it."""
        judged = self.judge(found, person)
        self.trace.take(interaction.sign_in_is_fresh, judged.owed)
        try:
            response = consent.decide(
                found,
                judged.request,
                person,
                shown,
                decision,
                given=judged.given,
                now=self.now,
                trace=self.trace,
            )
        except AccessDenied as refusal:
            return authorization.refuse(found, judged.request.destination, refusal)
        self.note_use(found, judged)
        return response

    def ask(self, found: ApplicationFacts, judged: Judged, person: Person) -> HttpResponse:
        """Show the page, and seal what it showed."""
        request, permissions = judged.request, judged.given.permissions
        shown = ShownConsent(self.ticket, str(person.user.pk), person.sid, permissions)
        context = {
            "client_id": request.client_id,
            "redirect_host": redirect_uri.display_host(request.redirect_uri),
            "redirect_kind": redirect_uri.kind(request.redirect_uri),
            "scopes": consent.describe(found, permissions),
            "allow_selection": found.allows_scope_selection,
            "user_name": person.user.get_username(),
            "ticket": interaction.seal_consent(shown, found.application_id),
            "switch_account_url": switched(self.address_of("login", found)),
        }
        return self.form_page("consent", found, context)
