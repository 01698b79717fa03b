"""The sign-out request: what it says, what vouches for it, and where it may lead.

OpenID Connect RP-Initiated Logout §2, §3. And where the signed-out page tells applications of it:
Front-Channel Logout §3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import redirect_uri
from .access_token import is_access_token
from .application import ApplicationFacts
from .authorization import MAX_STATE
from .checks import check
from .client import known_clients, serves_client
from .errors import InvalidRequest, UnknownClient
from .near_miss import closest_first, of_word
from .parameters import Parameters
from .response_mode import AuthorizationResponse, Fields
from .subject import session_for

MAX_UI_LOCALES = 200


@dataclass(frozen=True, slots=True)
class Hint:
    """What a verified ``id_token_hint`` says; ``sid`` is empty where it names no session."""

    issuer: str
    client_id: str
    subject: str
    sid: str


@dataclass(frozen=True, slots=True)
class EndSessionRequest:
    """One sign-out request, as far as it may be believed.

    ``client_id`` is empty when nothing vouches for a client, ``subject`` when no hint names a
    person.
    """

    application_id: str = ""
    client_id: str = ""
    subject: str = ""
    sid: str = ""
    post_logout_redirect_uri: str = ""
    state: str | None = None
    ui_locales: str = ""

    @property
    def location(self) -> str | None:
        """Where the browser goes afterwards (§3): nowhere, unless somebody vouches for it."""
        if not self.client_id or not self.post_logout_redirect_uri:
            return None
        if self.state is None:
            return self.post_logout_redirect_uri
        return _address(self.post_logout_redirect_uri, (("state", self.state),))


@dataclass(frozen=True, slots=True)
class Question:
    """What a check of this endpoint sees.

    ``client_exists`` is the answer of the database for a Confidential application.
    """

    parameters: Parameters
    application: ApplicationFacts | None
    hint: Hint | None
    client_exists: bool = False

    @property
    def client_id(self) -> str | None:
        """The client that the request names, by its hint or by itself."""
        return self.hint.client_id if self.hint else self.parameters.get("client_id")


# --- a failure here is a page, and signs nobody out --------------------------------------------


@check(
    "end_session.parameters",
    spec="OpenID Connect RP-Initiated Logout §2",
    fix="Send each parameter once, percent-encoded as UTF-8, within its size.",
)
def parameters_are_wellformed(parameters: Parameters) -> None:
    """No parameter is repeated, undecodable or too long."""
    parameters.require_wellformed(may_repeat=frozenset())
    if len(parameters.get("state") or "") > MAX_STATE:
        raise InvalidRequest("state is too long")


@check(
    "end_session.post_logout_redirect_uri",
    spec="OpenID Connect RP-Initiated Logout §3",
    fix="Add this exact URI to Authorized post-logout redirect URIs.",
)
def address_is_registered(application: ApplicationFacts | None, received: str) -> None:
    """post_logout_redirect_uri equals, character for character, a registered one."""
    if application is None or not received:
        return
    redirect_uri.require_registered(application.post_logout_redirect_uris, received)


# --- what fails here is not used (§4): the person is asked, the browser goes nowhere -----------


def read_hint(claims: Mapping[str, Any], client_id: str | None) -> Hint:
    """What verified claims say, if they are those of this client's ID token; its age is no matter.

    Raises ``InvalidRequest``.
    """
    if is_access_token(claims):
        raise _bad_hint("it is an access token")
    if not all(isinstance(claims.get(name), str) for name in ("iss", "aud", "sub")):
        raise _bad_hint("it does not say whom it is about")
    if client_id is not None and client_id != claims["aud"]:
        raise _bad_hint("it was issued to another client than client_id names")
    return Hint(claims["iss"], claims["aud"], claims["sub"], str(claims.get("sid", "")))


@check(
    "end_session.issuer",
    spec="OpenID Connect RP-Initiated Logout §2",
    fix="Send an ID token of the application whose address this is.",
)
def hint_is_of_application(application: ApplicationFacts | None, hint: Hint) -> Hint:
    """The hint was issued by the application at whose address it arrives."""
    if application is None or application.issuer != hint.issuer:
        known = [application.issuer] if application else []
        raise InvalidRequest(
            "id_token_hint is not valid", received=hint.issuer, expected=known, detail="its issuer"
        )
    return hint


@check(
    "end_session.client_id",
    spec="OpenID Connect RP-Initiated Logout §2",
    fix="Send an id_token_hint, or the client_id of a client that the application serves.",
)
def client_is_served(question: Question) -> str:
    """The client that the hint or client_id names is one of the application's."""
    application, client_id = question.application, question.client_id
    if client_id is None:
        raise UnknownClient("neither id_token_hint nor client_id vouches for this address")
    if application is None:
        raise UnknownClient(received=client_id)
    if not serves_client(application, client_id, exists=question.client_exists):
        known = closest_first(known_clients(application), client_id)
        misses = of_word(known, client_id)
        raise UnknownClient(received=client_id, expected=known, near_misses=misses)
    return client_id


@check(
    "end_session.session",
    spec="OpenID Connect RP-Initiated Logout §6",
    fix="Nothing: another person is signed in here, or in another session; the page asks them.",
)
def hint_is_of_session(request: EndSessionRequest, subject: str, sid: str) -> str:
    """The hint is about the person who is signed in, and about this browser session."""
    if request.subject != subject:
        raise InvalidRequest("id_token_hint is not valid", detail="it is about somebody else")
    if not sid or request.sid != sid:
        raise InvalidRequest(
            "id_token_hint is not valid", detail="it is of another session, or none"
        )
    return subject


# --- where applications are told ---------------------------------------------------------------


def frame_address(application: ApplicationFacts, sid: str) -> str:
    """What the signed-out page opens in a frame (Front-Channel Logout §3)."""
    session = (("iss", application.issuer), ("sid", session_for(application, sid)))
    return _address(application.frontchannel_logout_uri, session)


def _address(uri: str, fields: Fields) -> str:
    return AuthorizationResponse(uri, "query", fields).location()


def _bad_hint(why: str) -> InvalidRequest:
    return InvalidRequest("id_token_hint is not valid", detail=why)
