"""What is asked: the rules, in order. What fails here travels to the redirect URI.

RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9700 §2.1.1, OpenID Connect Core §3.1.2.1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .. import pkce, resource, scope
from ..application import ApplicationFacts
from ..checks import Trace, check
from ..claims_request import ClaimsRequest, WantedContext
from ..credential import Credential
from ..errors import AccessDenied, InvalidRequest, InvalidScope, UnsupportedResponseType
from ..near_miss import NearMiss, closest_first, of_word
from ..response_mode import Mode
from ..response_type import KNOWN, ResponseType, is_offered, offered
from .destination import RESPONSE_MODES, Destination, usable_mode
from .question import Question

PROMPTS = ("none", "login", "consent", "select_account")
MAX_STATE = 4096
MAX_NONCE = 2048  # as JSON writes it: it is repeated in tokens, which travel in headers
MAX_SCOPE = 2048


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
    id_token_hint: str | None = field(repr=False)  # names a person
    claims: ClaimsRequest
    context: WantedContext
    resources: tuple[str, ...]

    @property
    def destination(self) -> Destination:
        """Where the answer to this request goes."""
        return Destination(self.redirect_uri, self.response_mode, self.state)


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
            "unsupported response_type",
            received=received,
            expected=expected,
            near_misses=of_word(expected, received),
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
            near_misses=pkce.near_misses_of_challenge(challenge),
            credential=Credential("code_challenge", challenge),
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
    sent = question.get("code_challenge_method")
    method = sent or pkce.PLAIN
    if method not in allowed:
        raise InvalidRequest(
            "unsupported code_challenge_method",
            received=method,
            expected=allowed,
            near_misses=of_word(allowed, sent) if sent else (NearMiss.METHOD_LEFT_OUT,),
        )


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
                expected=closest_first(sorted(question.application.known_scopes), name),
                near_misses=scope.near_misses(question.application.known_scopes, name),
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


def challenge_methods(application: ApplicationFacts) -> tuple[str, ...]:
    """The ``code_challenge_method`` values that this application takes."""
    return (pkce.S256, pkce.PLAIN) if application.allows_plain_pkce else (pkce.S256,)


def is_whole_number(text: str) -> bool:
    """Whether ``text`` is up to nine ASCII digits."""
    return text.isascii() and text.isdigit() and len(text) <= 9
