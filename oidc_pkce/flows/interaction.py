"""What a person still owes before a client is answered: sign-in, fresh sign-in, consent, nothing.

The authorization request travels through the sign-in inside a sealed ticket in the page's own
address; nothing is written before somebody has signed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.core import signing

from .. import identifiers
from ..conf import settings
from ..protocol import id_token, jose
from ..protocol.access_token import is_access_token
from ..protocol.application import ApplicationFacts
from ..protocol.authorization import AuthorizationRequest
from ..protocol.checks import Trace, check
from ..protocol.credential import Credential
from ..protocol.errors import (
    ConsentRequired,
    InvalidRequest,
    LoginRequired,
    StalePage,
    UnreadableRequest,
)
from ..protocol.parameters import MAX_VALUE_LENGTH
from . import keys

_TICKET = "oidc_pkce.ticket"
_CONSENT = "oidc_pkce.consent"


class Owed(Enum):
    """What must happen before the request can be granted."""

    SIGN_IN = "sign_in"
    STEP_UP = "step_up"
    CONSENT = "consent"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in in this browser.

    ``sid`` names this one browser session, ``fresh_for`` the ticket whose page the sign-in was.
    """

    user: Any
    auth_time: datetime
    sid: str
    amr: tuple[str, ...]
    fresh_for: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """An authorization request on its way through the sign-in pages, and a name for this way.

    ``stepped_up`` names the browser session whose person has been asked to prove more: once.
    ``signed_with`` is the algorithm of the request object that the parameters came in, if any.
    """

    query: str
    name: str = field(default_factory=identifiers.new_sid)
    stepped_up: str = ""
    signed_with: str = ""

    @property
    def content(self) -> list[str]:
        """What is sealed, in the order of the fields."""
        return [self.query, self.name, self.stepped_up, self.signed_with]


@dataclass(frozen=True, slots=True)
class ShownConsent:
    """What a consent page showed, to whom, in which browser session."""

    ticket: Ticket
    user: str
    sid: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the interaction rules judge; the consent question is answered by the database.

    ``sign_in_max_age`` is what the application's Policy says, whatever the client asks for.
    """

    request: AuthorizationRequest
    person: Person | None
    ticket: Ticket
    now: datetime
    asks_consent: bool
    sign_in_max_age: timedelta | None = None
    has_consented: bool = False


def seal(ticket: Ticket, application_id: str) -> str:
    """Sign a ticket: only this server makes one, for this application alone."""
    return signing.dumps(ticket.content, salt=_salt(_TICKET, application_id), compress=True)


def unseal(text: str, application_id: str, trace: Trace) -> Ticket:
    """Read a ticket. Raises ``StalePage`` when it is forged, foreign or too old."""
    return Ticket(*trace.take(page_is_fresh, text, _salt(_TICKET, application_id)))


def seal_consent(shown: ShownConsent, application_id: str) -> str:
    """Bind a consent page to the user, the browser session and the request that it shows."""
    content = [shown.ticket.content, shown.user, shown.sid, list(shown.permissions)]
    return signing.dumps(content, salt=_salt(_CONSENT, application_id), compress=True)


def unseal_consent(
    text: str, application_id: str, person: Person | None, trace: Trace
) -> ShownConsent:
    """Read what a consent page showed. Raises ``StalePage`` when it was shown to somebody else."""
    content = trace.take(page_is_fresh, text, _salt(_CONSENT, application_id))
    way, user, sid, permissions = content
    shown = ShownConsent(Ticket(*way), user, sid, tuple(permissions))
    trace.take(page_was_shown_to_this_person, shown, person)
    return shown


@check(
    "authorize.length",
    spec="RFC 6749 §3.1",
    fix="Send less: the request travels through the sign-in inside an address.",
)
def ticket_fits_into_an_address(sealed: str) -> None:
    """The request is short enough to travel through the sign-in in an address."""
    if len(sealed) > MAX_VALUE_LENGTH:
        raise UnreadableRequest("the request is too long", detail=f"{len(sealed)} characters")


@check(
    "page.fresh",
    spec="RFC 9700 §2.1",
    fix="Begin again at the application; these pages are valid for a limited time.",
)
def page_is_fresh(text: str, salt: str) -> Any:
    """The page was made by this server, for this application, not too long ago."""
    try:
        return signing.loads(text, salt=salt, max_age=settings.interaction_lifetime)
    except signing.BadSignature as problem:
        raise StalePage(detail=type(problem).__name__) from None


@check(
    "page.person",
    spec="OpenID Connect Core §3.1.2.4",
    fix="Begin again at the application, as the person who is signed in now.",
)
def page_was_shown_to_this_person(shown: ShownConsent, person: Person | None) -> None:
    """The consent page was shown to the user and the browser session that post it."""
    if person is None:
        raise StalePage(detail="nobody is signed in any more")
    if shown.user != str(person.user.pk) or shown.sid != person.sid:
        raise StalePage(detail="the page was shown to another user or browser session")


@check(
    "page.sign_in",
    spec="OpenID Connect Core §3.1.2.3",
    fix="Begin again at the application and sign in.",
)
def sign_in_is_fresh(owed: Owed) -> None:
    """The sign-in is as fresh and as strong as the request asks for when the decision is posted."""
    if owed in {Owed.SIGN_IN, Owed.STEP_UP}:
        raise StalePage(detail="a fresh or a stronger sign-in is owed again")


@check(
    "authorize.sign_in",
    spec="OpenID Connect Core §3.1.2.6",
    fix="Send the request without prompt=none, so that the person can sign in.",
)
def silent_request_finds_a_session(standing: Standing) -> None:
    """With prompt=none, somebody is signed in, and recently enough."""
    if "none" in standing.request.prompts and must_sign_in(standing):
        outdated = "the last sign-in is older than the application's Policy allows"
        raise LoginRequired(detail=outdated if is_outdated(standing) else "")


@check(
    "authorize.consent",
    spec="OpenID Connect Core §3.1.2.6",
    fix="Send the request without prompt=none, so that the person can allow the client.",
)
def silent_request_finds_consent(standing: Standing) -> None:
    """With prompt=none, this user has allowed this client these scopes, or consent is not asked."""
    if "none" in standing.request.prompts and must_consent(standing):
        raise ConsentRequired


@check(
    "authorize.id_token_hint",
    spec="OpenID Connect Core §3.1.2.1",
    fix="Send an ID token that this application issued to this client, or none.",
)
def hinted_subject(
    application: ApplicationFacts, request: AuthorizationRequest, now: datetime
) -> str | None:
    """id_token_hint is an ID token that this application issued to this client; it may be old."""
    if request.id_token_hint is None:
        return None
    try:
        claims = keys.verify(request.id_token_hint, now, typ=(id_token.TYP,))
    except jose.InvalidJWT as problem:
        hint = Credential("id_token_hint", request.id_token_hint)
        raise InvalidRequest(
            "id_token_hint is not valid", detail=str(problem), credential=hint
        ) from None
    ours = claims.get("iss") == application.issuer and claims.get("aud") == request.client_id
    if not ours or is_access_token(claims):
        raise InvalidRequest(
            "id_token_hint is not valid",
            detail="issued elsewhere, or no ID token",
            credential=Credential("id_token_hint", request.id_token_hint),
        )
    return str(claims.get("sub"))


@check(
    "authorize.hinted_person",
    spec="OpenID Connect Core §3.1.2.1, §5.5.1",
    fix="Sign in as the person whom id_token_hint or claims names, or ask for nobody.",
)
def hinted_person_can_still_sign_in(standing: Standing) -> None:
    """Who is signed in is the person of id_token_hint and claims, or may still sign in as such."""
    if "none" in standing.request.prompts or is_fresh(standing):
        raise LoginRequired(detail="somebody other than the person who is asked for is signed in")


SIGN_IN_CHECKS = (silent_request_finds_a_session,)
CONSENT_CHECKS = (silent_request_finds_consent,)


def must_sign_in(standing: Standing) -> bool:
    """Whether nobody is signed in, or not freshly enough for Policy, ``prompt`` and ``max_age``."""
    person, request = standing.person, standing.request
    if person is None or is_outdated(standing):
        return True
    if is_fresh(standing):
        return False
    if request.prompts & {"login", "select_account"}:
        return True
    age = standing.now - person.auth_time
    return request.max_age is not None and age > timedelta(seconds=request.max_age)


def is_outdated(standing: Standing) -> bool:
    """Whether the last sign-in is older than the Policy allows, also one for this very request.

    A minute is the least that a Policy can say, so who has just signed in goes on; but a consent
    page may stay open for an hour.
    """
    person, limit = standing.person, standing.sign_in_max_age
    return person is not None and limit is not None and standing.now - person.auth_time > limit


def is_fresh(standing: Standing) -> bool:
    """Whether the person signed in for this very request.

    A sign-in after the request began proves nothing: whoever prepared the request may have waited
    for it.
    """
    return standing.person is not None and standing.person.fresh_for == standing.ticket.name


def must_consent(standing: Standing) -> bool:
    """Whether the person has to be asked: always for ``prompt=consent``, else unless remembered."""
    if "consent" in standing.request.prompts:
        return True
    return standing.asks_consent and not standing.has_consented


def _salt(purpose: str, application_id: str) -> str:
    return f"{purpose}.{application_id.lower()}"
