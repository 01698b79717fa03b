"""The authorization request: its parameters, and the rules that it must pass, in order.

RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9700 §2.1, OpenID Connect Core §3.1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from . import claims_request, pkce, redirect_uri, resource, scope
from .application import ApplicationFacts
from .checks import Trace, check
from .claims_request import ClaimsRequest, WantedContext
from .client import known_clients, serves_client
from .errors import (
    AccessDenied,
    InvalidRequest,
    InvalidScope,
    UnknownClient,
    UnreadableRequest,
    UnsupportedResponseType,
    UnusableRedirectUri,
)
from .parameters import Parameters
from .response_mode import Mode
from .response_type import KNOWN, ResponseType, is_offered, offered

RESPONSE_MODES: tuple[Mode, ...] = ("query", "fragment", "form_post")
PROMPTS = ("none", "login", "consent", "select_account")
MAX_STATE = 4096
MAX_NONCE = 2048  # as JSON writes it: it is repeated in tokens, which travel in headers
MAX_SCOPE = 2048


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an answer may travel; only a verified redirect URI makes one."""

    redirect_uri: str
    mode: Mode
    state: str | None


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One authorization request that passed every check."""

    client_id: str
    redirect_uri: str
    response_type: ResponseType
    response_mode: Mode
    state: str | None
    scopes: tuple[str, ...]
    nonce: str | None
    challenge: pkce.Challenge | None
    prompts: frozenset[str]
    max_age: int | None
    login_hint: str
    id_token_hint: str | None
    claims: ClaimsRequest
    context: WantedContext
    resources: tuple[str, ...]

    @property
    def destination(self) -> Destination:
        """Where the answer to this request goes."""
        return Destination(self.redirect_uri, self.response_mode, self.state)


@dataclass(frozen=True, slots=True)
class Question:
    """What a check of this endpoint sees: the parameters, and the application.

    ``client_exists`` is the answer of the database for a Confidential application, where a
    client is a service user.
    """

    parameters: Parameters
    application: ApplicationFacts
    client_exists: bool

    def get(self, name: str) -> str | None:
        return self.parameters.get(name)

    @property
    def response_type(self) -> ResponseType:
        return ResponseType(self.get("response_type") or "")

    @property
    def is_sign_in(self) -> bool:
        """Whether OpenID Connect defines what is asked, beyond OAuth (Core §3.1.2.1)."""
        return scope.OPENID in scope.parse(self.get("scope") or "")

    @property
    def claims(self) -> ClaimsRequest:
        """What ``claims`` asks for; without openid, nothing. Raises ``InvalidRequest``."""
        return claims_request.read(self.get("claims") if self.is_sign_in else None)


# --- whom to answer: a failure here is a page -------------------------------------------------


@check(
    "authorize.readable",
    spec="RFC 6749 §3.1",
    fix="Send client_id and redirect_uri exactly once, percent-encoded as UTF-8.",
)
def destination_is_readable(question: Question) -> None:
    """client_id and redirect_uri are sent once and can be read."""
    for name in ("client_id", "redirect_uri"):
        if name in question.parameters.repeated:
            raise UnreadableRequest(f"{name} is repeated")
        if name in question.parameters.malformed:
            raise UnreadableRequest(question.parameters.malformed[name])


@check(
    "authorize.client_id",
    spec="RFC 6749 §4.1.1",
    fix="Add this client to the application's Client ID List, or send the id that it shows.",
)
def client_is_known(question: Question) -> None:
    """client_id names a client that this application serves."""
    client_id, application = question.get("client_id"), question.application
    if client_id is None:
        raise UnknownClient("client_id is missing")
    if not serves_client(application, client_id, exists=question.client_exists):
        raise UnknownClient(received=client_id, expected=known_clients(application))


@check(
    "authorize.redirect_uri",
    spec="RFC 9700 §2.1",
    fix="Add this exact URI to Allowed Redirects.",
)
def redirect_uri_is_registered(question: Question) -> None:
    """redirect_uri equals, character for character, one of Allowed Redirects."""
    received, registered = question.get("redirect_uri"), question.application.redirect_uris
    if received is None:
        raise UnusableRedirectUri("redirect_uri is missing", expected=registered)
    if detail := redirect_uri.mismatch(registered, received):
        raise UnusableRedirectUri(received=received, expected=registered, detail=detail)


# --- what is asked: a failure here travels to the redirect URI ---------------------------------


@check(
    "authorize.parameters",
    spec="RFC 6749 §3.1",
    fix="Send each parameter once, percent-encoded as UTF-8, within its size.",
)
def parameters_are_wellformed(question: Question) -> None:
    """No parameter but resource is repeated, undecodable or too long."""
    question.parameters.require_wellformed()
    for name, longest in (("state", MAX_STATE), ("scope", MAX_SCOPE)):
        if len(question.get(name) or "") > longest:
            raise InvalidRequest(f"{name} is too long")
    if len((question.get("nonce") or "").encode("ascii", "backslashreplace")) > MAX_NONCE:
        raise InvalidRequest("nonce is too long")


@check(
    "authorize.enabled",
    spec="OpenID Connect Core §3.1.2.6",
    fix="Enable the application.",
)
def application_is_enabled(question: Question) -> None:
    """The application is enabled."""
    if not question.application.enabled:
        raise AccessDenied("this application is disabled")


@check(
    "authorize.response_mode",
    spec="OAuth 2.0 Multiple Response Types §2.1",
    fix="Use query, fragment or form_post; no token in a query, no form to an app's own scheme.",
)
def response_mode_is_supported(question: Question) -> None:
    """response_mode is one that can carry this answer to this redirect URI."""
    mode = question.get("response_mode")
    if mode is None:
        return
    if not usable_mode(mode, question.get("redirect_uri") or ""):
        raise InvalidRequest("unsupported response_mode", received=mode, expected=RESPONSE_MODES)
    if mode == "query" and question.response_type.is_front_channel:
        raise InvalidRequest("a token never travels in a query", received=mode)


@check(
    "authorize.response_type",
    spec="RFC 6749 §3.1.1",
    fix="Send response_type=code, or another one that the metadata document lists.",
)
def response_type_is_known(question: Question) -> None:
    """response_type is code, id_token, token, or several of them, each once, in any order."""
    received = question.get("response_type")
    if received is None:
        raise InvalidRequest("response_type is missing")
    if not question.response_type.is_known:
        expected = [each.sent for each in KNOWN]
        raise UnsupportedResponseType(
            "unsupported response_type", received=received, expected=expected
        )


@check(
    "authorize.flow",
    spec="RFC 6749 §4.1.2.1, §4.2.2.1",
    fix="Tick Auth Code for a code, Implicit for tokens; an ID token needs the scope openid.",
)
def response_type_is_offered(question: Question) -> None:
    """The application offers the flows that this response type needs."""
    asked, application = question.response_type, question.application
    if not is_offered(asked, application):
        raise UnsupportedResponseType(
            "this response_type is not offered", received=asked.sent, expected=offered(application)
        )


@check(
    "authorize.code_challenge",
    spec="RFC 7636 §4.3, RFC 9700 §2.1.1",
    fix="Send a code_challenge, or turn Require PKCE off on the Tokens page.",
)
def challenge_is_present(question: Question) -> None:
    """A code_challenge is sent where a code needs one, and its form is right."""
    challenge = question.get("code_challenge")
    if challenge is None:
        if question.get("code_challenge_method") is not None:
            raise InvalidRequest("code_challenge is missing")
        if question.application.requires_pkce and question.response_type.has_code:
            raise InvalidRequest("code_challenge is required")
    elif not pkce.is_wellformed(challenge):
        raise InvalidRequest(
            "code_challenge must be 43 to 128 unreserved characters",
            detail=f"{len(challenge)} characters were sent",
        )


@check(
    "authorize.code_challenge_method",
    spec="RFC 7636 §4.3, RFC 9700 §2.1.1",
    fix="Send code_challenge_method=S256, or allow plain on the Tokens page.",
)
def challenge_method_is_allowed(question: Question) -> None:
    """code_challenge_method is S256, or plain where the application allows it."""
    if question.get("code_challenge") is None:
        return
    allowed = challenge_methods(question.application)
    method = question.get("code_challenge_method") or pkce.PLAIN
    if method not in allowed:
        raise InvalidRequest("unsupported code_challenge_method", received=method, expected=allowed)


@check(
    "authorize.scope",
    spec="RFC 6749 §3.3",
    fix="Define this scope on the Scope page.",
)
def scopes_are_defined(question: Question) -> None:
    """Every requested scope is one that the application defines."""
    asked = scope.parse(question.get("scope") or "")
    for name in asked:
        if name not in question.application.known_scopes:
            raise InvalidScope(
                f"unknown scope {name}",
                received=name,
                expected=sorted(question.application.known_scopes),
            )


@check(
    "authorize.id_token",
    spec="OpenID Connect Core §3.1.2.1, §3.2.2.1",
    fix="Send openid among the scopes, and a fresh nonce.",
)
def id_token_is_asked_for_in_full(question: Question) -> None:
    """Where this endpoint hands out an ID token, openid is asked for and a nonce is sent."""
    if not question.response_type.has_id_token:
        return
    if not question.is_sign_in:
        raise InvalidRequest("an ID token needs the scope openid")
    if question.get("nonce") is None:
        raise InvalidRequest("nonce is missing")


@check(
    "authorize.claims",
    spec="OpenID Connect Core §5.5",
    fix='Send claims as {"userinfo": {…}, "id_token": {…}}, each claim null or an object.',
)
def claims_are_wellformed(question: Question) -> None:
    """claims is such a JSON object as OpenID Connect defines, of bounded size and depth."""
    _ = question.claims


@check(
    "authorize.resource",
    spec="RFC 8707 §2",
    fix="Send each resource as an absolute URI without a fragment.",
)
def resources_are_absolute(question: Question) -> None:
    """Each resource is an absolute URI without a fragment."""
    resource.require_wellformed(question.parameters.all("resource"))


@check(
    "authorize.prompt",
    spec="OpenID Connect Core §3.1.2.1",
    fix="Send none alone, or any of login, consent and select_account.",
)
def prompt_is_consistent(question: Question) -> None:
    """prompt holds known values, and none stands alone."""
    prompts = (question.get("prompt") or "").split()
    for value in prompts:
        if value not in PROMPTS:
            raise InvalidRequest("unknown prompt", received=value, expected=PROMPTS)
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequest("prompt none must stand alone")


@check(
    "authorize.max_age",
    spec="OpenID Connect Core §3.1.2.1",
    fix="Send max_age as a whole number of seconds.",
)
def max_age_is_a_number(question: Question) -> None:
    """max_age is a whole number of seconds."""
    received = question.get("max_age")
    if received is not None and not is_whole_number(received):
        raise InvalidRequest("max_age must be a whole number of seconds", received=received)


DESTINATION_CHECKS = (
    destination_is_readable,
    client_is_known,
    redirect_uri_is_registered,
)

REQUEST_CHECKS = (
    parameters_are_wellformed,
    response_mode_is_supported,
    application_is_enabled,
    response_type_is_known,
    response_type_is_offered,
    challenge_is_present,
    challenge_method_is_allowed,
    scopes_are_defined,
    id_token_is_asked_for_in_full,
    claims_are_wellformed,
    resources_are_absolute,
    prompt_is_consistent,
    max_age_is_a_number,
)


def find_destination(question: Question, trace: Trace) -> Destination:
    """Who asked, and where the answer goes. Raises a ``DirectError`` when that is not certain."""
    trace.run(DESTINATION_CHECKS, question)
    parameters = question.parameters
    received = parameters.get("redirect_uri") or ""
    repeated = "state" in parameters.repeated or "state" in parameters.malformed
    state = None if repeated else parameters.get("state")
    return Destination(received, _mode(question, received), state)


def read_request(
    question: Question, destination: Destination, trace: Trace
) -> AuthorizationRequest:
    """Judge the rest of the request. Raises a ``RedirectableError``."""
    trace.run(REQUEST_CHECKS, question)
    get = question.get
    challenge, max_age = get("code_challenge"), get("max_age")
    method = get("code_challenge_method") or pkce.PLAIN
    claims, acr_values = question.claims, get("acr_values") if question.is_sign_in else None
    return AuthorizationRequest(
        client_id=get("client_id") or "",
        redirect_uri=destination.redirect_uri,
        response_type=question.response_type,
        response_mode=destination.mode,
        state=destination.state,
        scopes=scope.parse(get("scope") or ""),
        nonce=get("nonce"),
        challenge=pkce.Challenge(challenge, method) if challenge else None,
        prompts=frozenset((get("prompt") or "").split()),
        max_age=None if max_age is None else int(max_age),
        login_hint=get("login_hint") or "",
        id_token_hint=get("id_token_hint"),
        claims=claims,
        context=claims.context(acr_values or ""),
        resources=question.parameters.all("resource"),
    )


def _mode(question: Question, uri: str) -> Mode:
    """How an answer travels, a refusal too: as asked, else as the response type has it (§2.1, §5).

    An unusable wish and a query for tokens are refused, in the mode that would be right.
    """
    default: Mode = "fragment" if question.response_type.is_front_channel else "query"
    asked = question.get("response_mode")
    if asked is None or asked == "query" or not usable_mode(asked, uri):
        return default
    return asked


def challenge_methods(application: ApplicationFacts) -> tuple[str, ...]:
    """The ``code_challenge_method`` values that this application takes."""
    return (pkce.S256, pkce.PLAIN) if application.allows_plain_pkce else (pkce.S256,)


def usable_mode(mode: str, uri: str) -> TypeGuard[Mode]:
    """Whether an answer can travel in this mode; a form is only ever posted to http(s)."""
    if mode == "form_post":
        return redirect_uri.origin(uri) is not None
    return mode in RESPONSE_MODES


def is_whole_number(text: str) -> bool:
    """Whether ``text`` is up to nine ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) <= 9
