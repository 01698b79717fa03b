"""What the pages of a person's journey share: rendering, refusing, and going on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_supported_language_variant

from .. import headers, receivers, sign_in
from ..conf import settings
from ..flows import application as applications
from ..flows import authorization, interaction
from ..flows.authorization import Judged, Refused
from ..flows.interaction import Owed, Person, Ticket
from ..models import ApplicationLogo
from ..protocol import redirect_uri, usage
from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace, check
from ..protocol.errors import ForeignForm, InvalidRequest, OAuthError
from ..protocol.metadata import Locations
from ..protocol.parameters import Parameters
from ..protocol.response_mode import AuthorizationResponse
from . import explanations
from .base import Endpoint, body_is_small


class PageEndpoint(Endpoint):
    """An endpoint that a person sees: refusals are pages."""

    def refuse(self, refusal: OAuthError) -> HttpResponseBase:
        """A page that says what is wrong, what to do, and the request's id."""
        failed = self.trace.failed
        told = explanations.explain(failed.check if failed else "", refusal)
        context = {
            "title": told.title,
            "explanation": told.explanation,
            "cure": told.cure,
            "request_id": self.traced.request_id,
            "application": self.application,
        }
        return self.page("error", context, status=refusal.status)

    def page(
        self,
        name: str,
        context: Mapping[str, Any],
        *,
        status: int = 200,
        has_form: bool = False,
        form_targets: Iterable[str] = (),
        frame_sources: Iterable[str] = (),
    ) -> HttpResponse:
        """Render one of our templates, in the request's language, with every protection."""
        with self.language():
            template = f"oidc_pkce/{name}.html"
            response = render(self.request, template, dict(context), status=status)
            response["Content-Language"] = translation.get_language()
        headers.protect_page(
            response,
            has_form=has_form,
            form_targets=form_targets,
            frame_sources=frame_sources,
        )
        return response

    def language(self) -> AbstractContextManager[Any]:
        """The first of ``ui_locales`` that there is a translation for, else the host's choice."""
        wanted = (self.ui_locales() or "").split()[:10]
        for locale in wanted:
            try:
                return translation.override(get_supported_language_variant(locale))
            except LookupError:
                continue
        return translation.override(translation.get_language())

    def ui_locales(self) -> str | None:
        """The ``ui_locales`` parameter (OpenID Connect Core §3.1.2.1); never an error."""
        return self.query().get("ui_locales")


class JourneyEndpoint(PageEndpoint):
    """A step on the way from an authorization request to its answer."""

    ticket: Ticket

    def further_methods(self) -> tuple[str, ...]:
        """Not even HEAD: an answer may write a grant."""
        return ()

    def ui_locales(self) -> str | None:
        """As the authorization request said, on every page of the journey."""
        ticket = getattr(self, "ticket", None)
        return Parameters.parse(ticket.query).get("ui_locales") if ticket else super().ui_locales()

    def find(self, application_id: str) -> ApplicationFacts:
        """The application of this journey. Raises ``UnknownApplication``."""
        return self.remember(applications.find(application_id, self.trace))

    def take_ticket(self, found: ApplicationFacts) -> Ticket:
        """The request that this page belongs to. Raises ``StalePage``."""
        sealed = self.query().get("ticket") or ""
        self.ticket = interaction.unseal(sealed, found.application_id, self.trace)
        return self.ticket

    def judge(self, found: ApplicationFacts, person: Person | None) -> Judged:
        """Run every check of the authorization request again, for whoever is signed in now."""
        parameters = Parameters.parse(self.ticket.query)
        self.traced.client_id = parameters.get("client_id") or ""
        self.traced.user_pk = person.user.pk if person else None
        return authorization.begin(
            found,
            parameters,
            person,
            ticket=self.ticket,
            address=self.address,
            now=self.now,
            trace=self.trace,
        )

    def proceed(self, found: ApplicationFacts) -> HttpResponseBase:
        """Go to the page that is owed next, or send the answer."""
        person = person_of(self.request)
        try:
            judged = self.judge(found, person)
        except Refused as refused:
            return self.send(refused.response)
        if judged.owed is Owed.SIGN_IN or person is None:
            return self.go("login", found)
        if judged.owed is Owed.STEP_UP:
            return self.go_and_prove_more(found, judged.step_up_path, person)
        if judged.owed is Owed.CONSENT:
            return self.go("confirm", found)
        response = authorization.grant(
            found,
            judged.request,
            person,
            judged.given,
            signers=authorization.signers(found, judged.request, self.now),
            now=self.now,
        )
        self.note_use(found, judged)
        return self.send(response)

    def note_use(self, found: ApplicationFacts, judged: Judged) -> None:
        """Count what a request used; only one that has just been granted."""
        self.used = usage.of_authorization(found, judged.request, self.ticket.signed_with)

    def go(self, page: str, found: ApplicationFacts) -> HttpResponse:
        """Redirect to another page of the journey, with the ticket."""
        return see_other(self.address_of(page, found))

    def go_and_prove_more(self, found: ApplicationFacts, path: str, person: Person) -> HttpResponse:
        """Redirect to a page of the host, which sends the person back to us; once, not in a circle.

        Both ways are paths: no address of ours leads through the host's page to anywhere else.
        """
        self.ticket = replace(self.ticket, stepped_up=person.sid)
        back = urlsplit(self.address_of("login", found))
        onward = urlencode({"next": f"{back.path}?{back.query}"})
        return see_other(f"{path}{'&' if '?' in path else '?'}{onward}")

    def address_of(self, page: str, found: ApplicationFacts) -> str:
        """The address of a page of this journey. Raises ``UnreadableRequest``."""
        ticket = interaction.seal(self.ticket, found.application_id)
        self.trace.take(interaction.ticket_fits_into_an_address, ticket)
        location = Locations(settings.issuer_base, found.application_id).of(page)
        return f"{location}?{urlencode({'ticket': ticket})}"

    def send(self, response: AuthorizationResponse) -> HttpResponse:
        """Send an answer to the client, by redirect or by a form that posts itself."""
        if response.mode != "form_post":
            return see_other(response.location())
        context = {"action": response.redirect_uri, "fields": response.fields}
        target = redirect_uri.csp_source(response.redirect_uri)
        return self.page("form_post", context, form_targets=[target])

    def form_page(
        self, name: str, found: ApplicationFacts, context: Mapping[str, Any], *, status: int = 200
    ) -> HttpResponse:
        """A page with a form whose answer may lead to the request's verified redirect URI."""
        target = Parameters.parse(self.ticket.query).get("redirect_uri") or ""
        shared = {
            "application": found,
            "logo_url": logo_url(found),
            "form_action": self.request.get_full_path(),
        }
        return self.page(
            name,
            {**shared, **context},
            status=status,
            has_form=True,
            form_targets=[redirect_uri.csp_source(target)],
        )


class FormPage(JourneyEndpoint):
    """A page with a form of ours: a cookie gives its post its right, so it needs the token."""

    def fields(self) -> QueryDict:
        """What was posted, judged before it is used. Raises ``InvalidRequest``, ``StalePage``."""
        return posted(self.request, self.trace)


@check(
    "page.readable",
    spec="RFC 9110 §15.5.1",
    fix="Post the form as the page holds it.",
)
def form_is_readable(request: HttpRequest) -> QueryDict:
    """A posted form has no more fields than our pages have, in a charset that forms have."""
    try:
        return request.POST
    except (BadRequest, SuspiciousOperation, MultiPartParserError, LookupError, UnicodeError):
        raise InvalidRequest("the form cannot be read") from None


@check(
    "page.csrf",
    spec="RFC 6749 §10.12",
    fix="Allow cookies for this server, then open the page again and post it from there.",
)
def form_is_our_own(request: HttpRequest) -> None:
    """A posted form carries the token that this browser was given with the page."""
    if reason := OwnCsrfCheck(_nothing).process_view(request, _nothing, (), {}):
        raise ForeignForm(detail=f"the CSRF check failed: {reason}")


def _nothing(_: HttpRequest) -> HttpResponse:
    """The middleware wants a view behind it; its check never calls one."""
    return HttpResponse()


class OwnCsrfCheck(CsrfViewMiddleware):
    """Django's own check, which hands us the reason instead of a page of its own."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def posted(request: HttpRequest, trace: Trace) -> QueryDict:
    """The fields of a form of ours: of bounded size, readable, and posted by this browser."""
    trace.take(body_is_small, request)
    fields = trace.take(form_is_readable, request)
    trace.take(form_is_our_own, request)
    return fields


def person_of(request: HttpRequest) -> Person | None:
    """Who is signed in in this browser, by whichever page of the host project."""
    user, session = sign_in.user_of(request), request.session
    # A session that began before this app was installed cannot say when: its person signs in once.
    if user is None or receivers.AUTH_TIME not in session:
        return None
    return Person(
        user=user,
        auth_time=datetime.fromtimestamp(session[receivers.AUTH_TIME], UTC),
        sid=session[receivers.SID],
        amr=tuple(session.get(receivers.AMR, ())),
        fresh_for=session.get(receivers.FRESH_FOR, ""),
    )


def logo_url(found: ApplicationFacts) -> str:
    """Where the logo is, or nothing when there is none."""
    if not ApplicationLogo.objects.filter(pk=found.pk).exists():
        return ""
    return Locations(settings.issuer_base, found.application_id).of("logo")


def see_other(location: str) -> HttpResponse:
    """303: whatever the method was, the next request is a GET (RFC 9700 §4.12)."""
    response = HttpResponse(status=303, headers={"Location": location})
    response["Referrer-Policy"] = "no-referrer"
    headers.forbid_caching(response)
    return response
