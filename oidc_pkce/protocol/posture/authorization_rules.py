"""Rules about authorization: PKCE, flows, redirects, requests, responses, codes, consent."""

from __future__ import annotations

from datetime import timedelta

from .. import redirect_uri
from ..application import Flow
from ..pkce import PLAIN
from ..response_type import KNOWN
from ..usage import Feature
from .facts import Question
from .rule import Effect, Judgement, always, met, rule, unmet, unseen
from .rule import gettext_noop as _
from .specification import FAPI2, FURTHER, MCP, OAUTH21, RFC9700

NONE = frozenset({"none"})
FRONT_CHANNEL = frozenset(each.sent for each in KNOWN if each.is_front_channel)
A_MINUTE = timedelta(seconds=60)
TEN_MINUTES = timedelta(minutes=10)
CUSTOM = "custom"


def issues_codes(question: Question) -> bool:
    """Whether a code can be had at all."""
    return Flow.AUTHORIZATION_CODE in question.application.flows


def has_people(question: Question) -> bool:
    """Whether people use the application in a browser."""
    return issues_codes(question) or Flow.IMPLICIT in question.application.flows


@rule(
    "pkce.required",
    sentence=_("Every authorization code is bound to a code challenge (PKCE)."),
    cure=_("Tick Require PKCE."),
    clauses=(
        OAUTH21.must("4.1.1"),
        RFC9700.must("2.1.1"),
        FAPI2.must("5.3.2.2"),
        MCP.must("Authorization Code Protection"),
    ),
    fields=("requires_pkce",),
    shows=(Feature.CODE_CHALLENGE,),
    touches={Feature.CODE_CHALLENGE: NONE},
)
def pkce_is_required(question: Question) -> Judgement:
    """A code that is caught on its way is worth nothing to whoever has no verifier."""
    if not issues_codes(question):
        return met(_("It issues no codes."))
    if question.application.requires_pkce:
        return met(_("A request for a code without a challenge is refused."))
    return unmet(_("A request for a code without a challenge is answered."))


@rule(
    "pkce.s256",
    sentence=_("Code challenges are made with S256, never plain."),
    cure=_("Untick Allow plain PKCE."),
    clauses=(
        OAUTH21.must("7.5.2"),
        RFC9700.should("2.1.1"),
        FAPI2.must("5.3.2.2"),
        MCP.must("Authorization Code Protection"),
    ),
    fields=("allows_plain_pkce",),
    shows=(Feature.CODE_CHALLENGE,),
    touches={Feature.CODE_CHALLENGE: frozenset({PLAIN})},
)
def only_s256(question: Question) -> Judgement:
    """With plain, whoever sees the request has the verifier."""
    if not issues_codes(question):
        return met(_("It issues no codes."))
    if question.application.allows_plain_pkce:
        return unmet(_("A challenge may be the verifier itself (plain)."))
    return met(_("A challenge that is not made with S256 is refused."))


@rule(
    "pkce.published",
    sentence=_("Clients can find out that PKCE is supported."),
    cure=_("Nothing is to be done: the metadata document says so."),
    clauses=(RFC9700.must("2.1.1"), MCP.must("Authorization Code Protection")),
)
def pkce_is_published(question: Question) -> Judgement:
    """A client that cannot tell must not go on."""
    if "code_challenge_methods_supported" in question.server.metadata:
        return met(_("The metadata document lists code_challenge_methods_supported."))
    return unmet(_("The metadata document does not list code_challenge_methods_supported."))


@rule(
    "flow.implicit",
    sentence=_("No token passes through the browser's address."),
    cure=_("Untick Implicit, and let clients ask for a code."),
    clauses=(
        OAUTH21.must("10.1"),
        RFC9700.should("2.1.2"),
        FAPI2.must("5.3.2.2"),
    ),
    fields=("flows",),
    shows=(Feature.RESPONSE_TYPE,),
    touches={Feature.RESPONSE_TYPE: FRONT_CHANNEL},
)
def no_implicit(question: Question) -> Judgement:
    """History, logs and scripts read addresses."""
    if Flow.IMPLICIT in question.application.flows:
        return unmet(_("Implicit is ticked: tokens can be had at the authorization endpoint."))
    return met(_("Only codes can be had at the authorization endpoint."))


@rule(
    "flow.password",
    sentence=_("No client asks people for their password."),
    cure=_("Untick Resource Owner, and let clients send people to the sign-in page."),
    clauses=(OAUTH21.must("1.8"), RFC9700.must("2.4"), FAPI2.must("5.3.2.1")),
    fields=("flows",),
    shows=(Feature.GRANT_TYPE,),
    touches={Feature.GRANT_TYPE: frozenset({"password"})},
)
def no_password(question: Question) -> Judgement:
    """The client sees the password, and no second factor can be asked for."""
    if Flow.PASSWORD in question.application.flows:
        return unmet(_("Resource Owner is ticked: clients may send people's passwords."))
    return met(_("The grant “password” is refused."))


rule(
    "redirect.exact",
    sentence=_("Redirect URIs are compared character by character."),
    cure=_("Nothing is to be done: there are no patterns."),
    clauses=(OAUTH21.must("2.3.1"), RFC9700.must("2.1"), MCP.must("Open Redirection")),
    shows=(Feature.REDIRECT_URI,),
)(
    always(
        _(
            "They are compared as they stand; only the port of 127.0.0.1 and [::1] may vary. No"
            " setting changes that."
        )
    )
)


@rule(
    "redirect.encrypted",
    sentence=_("No answer travels unencrypted over a network."),
    cure=_("Write https:// instead of http://."),
    clauses=(OAUTH21.must("1.5"), RFC9700.must("2.6"), FAPI2.must("5.3.2.2")),
    fields=("redirect_uris",),
    shows=(Feature.REDIRECT_URI,),
)
def redirects_are_encrypted(question: Question) -> Judgement:
    """http is left to programs that listen on the same machine."""
    wrong = [uri for uri in question.application.redirect_uris if redirect_uri.problem(uri)]
    if wrong:
        return unmet(_("“%(uri)s” could not be registered today."), uri=wrong[0])
    return met(_("http is accepted on this machine alone; anything else cannot be registered."))


@rule(
    "redirect.private_use",
    sentence=_("An app's own scheme is a domain name backwards, such as com.example.app."),
    cure=_("Register a scheme that holds a dot, or an https address that the app claims."),
    clauses=(OAUTH21.should("2.3.1"),),
    fields=("redirect_uris",),
    shows=(Feature.REDIRECT_URI,),
)
def schemes_are_owned(question: Question) -> Judgement:
    """Two apps may claim one scheme; a domain name says whose it is."""
    own = _of_kind(question, CUSTOM)
    plain = [uri for uri in own if "." not in uri.partition(":")[0]]
    if plain:
        return unmet(_("“%(uri)s” has no dot in its scheme."), uri=plain[0])
    if own:
        return met(_("Every scheme of an app holds a dot."))
    return met(_("No scheme of an app is registered."))


@rule(
    "redirect.claimed",
    sentence=_("Redirect URIs are https addresses, or on the same machine."),
    cure=_("Let the app claim an https address (RFC 8252 §7.2), or listen on 127.0.0.1."),
    clauses=(MCP.must("Communication Security"),),
    fields=("redirect_uris",),
    shows=(Feature.REDIRECT_URI,),
    touches={Feature.REDIRECT_URI: frozenset({CUSTOM})},
)
def redirects_are_claimed(question: Question) -> Judgement:
    """MCP leaves out an app's own scheme, which any app can claim."""
    own = _of_kind(question, CUSTOM)
    if own:
        return unmet(_("“%(uri)s” is a scheme of an app."), uri=own[0])
    return met(_("All are https addresses or on the same machine."))


@rule(
    "request.pushed",
    sentence=_("Clients push their authorization requests, and others are refused (PAR)."),
    cure=_("This server has no PAR (RFC 9126). Use Client keys to have requests signed."),
    clauses=(FAPI2.must("5.3.2.2"),),
)
def requests_are_pushed(question: Question) -> Judgement:
    """What the browser carries can be read and changed on its way."""
    names = {"pushed_authorization_request_endpoint", "require_pushed_authorization_requests"}
    if not issues_codes(question):
        return met(_("It issues no codes."))
    if names <= question.server.metadata:
        return met(_("The metadata document says so."))
    return unmet(_("This server has no PAR endpoint."))


@rule(
    "request.signed",
    sentence=_("Authorization requests are signed by the client."),
    cure=_("Register the client's keys as Client keys, and let it send request objects."),
    clauses=(FURTHER.should("RFC 9101 §10.5"),),
    fields=("client_jwks",),
    shows=(Feature.REQUEST_OBJECT,),
    touches={Feature.REQUEST_OBJECT: NONE},
)
def requests_are_signed(question: Question) -> Judgement:
    """A signature shows what was changed on its way."""
    if not has_people(question):
        return met(_("Nothing is asked through a browser."))
    if not question.application.client_jwks:
        return unmet(_("The application knows no keys of its client."))
    seen = list(question.seen(Feature.REQUEST_OBJECT))
    if not seen:
        return unseen(_("No request has come yet; unsigned ones are answered as well."))
    if any(use.value in NONE for use in seen):
        return unmet(_("Unsigned requests came, and are answered."))
    return met(_("Every request was signed; unsigned ones would be answered as well."))


@rule(
    "response.iss",
    sentence=_("Every authorization response names its issuer."),
    cure=_("Nothing is to be done: each answer carries iss (RFC 9207)."),
    clauses=(OAUTH21.must("4.1.2"), RFC9700.should("2.1"), FAPI2.must("5.3.2.2")),
)
def responses_name_the_issuer(question: Question) -> Judgement:
    """A client of several servers can tell whose answer it is."""
    if "authorization_response_iss_parameter_supported" in question.server.metadata:
        return met(_("Success and refusal carry iss, and the metadata document says so."))
    return unmet(_("The metadata document does not promise iss."))


rule(
    "response.query",
    sentence=_("No access token stands in the query of an address."),
    cure=_("Nothing is to be done: such requests are refused."),
    clauses=(OAUTH21.must("5.1"), RFC9700.must("4.3.2"), FAPI2.must("5.3.4")),
    shows=(Feature.RESPONSE_MODE,),
)(always(_("response_mode=query is refused for tokens, and UserInfo reads none from its address.")))


@rule(
    "code.lifetime",
    sentence=_("Authorization codes expire within ten minutes."),
    cure=_("Set AUTHORIZATION_CODE_LIFETIME to 600 or less."),
    clauses=(OAUTH21.should("4.1.2"),),
    setting="AUTHORIZATION_CODE_LIFETIME",
)
def codes_are_short(question: Question) -> Judgement:
    """A code is redeemed at once, or not at all."""
    return _within(question, TEN_MINUTES)


@rule(
    "code.minute",
    sentence=_("Authorization codes expire within 60 seconds."),
    cure=_("Set AUTHORIZATION_CODE_LIFETIME to 60 or less."),
    clauses=(FAPI2.must("5.3.2.1"),),
    setting="AUTHORIZATION_CODE_LIFETIME",
)
def codes_live_a_minute(question: Question) -> Judgement:
    """The stricter limit of FAPI 2.0."""
    return _within(question, A_MINUTE)


rule(
    "code.single_use",
    sentence=_("An authorization code is redeemed once."),
    cure=_("Nothing is to be done: a second use is refused, and ends the grant."),
    clauses=(OAUTH21.must("4.1.3"), FAPI2.must("5.3.2.2")),
)(always(_("A second use is refused, and what the first one gave is revoked.")))


@rule(
    "consent.asked",
    sentence=_("People see which client asks for what, and decide."),
    cure=_("Tick User must confirm authorization request."),
    clauses=(OAUTH21.should("7.3"), FAPI2.should("5.3.2.2")),
    fields=("requires_consent",),
    touches={Feature.RESPONSE_TYPE: None},
    effect=Effect.CHANGED,
)
def people_are_asked(question: Question) -> Judgement:
    """Within one house an administrator may decide for everybody."""
    if not has_people(question):
        return met(_("Nobody is asked for anything in a browser."))
    if question.application.requires_consent:
        return met(_("The consent page names the client and its scopes."))
    return unmet(_("People who are signed in are not asked."))


def _within(question: Question, limit: timedelta) -> Judgement:
    lifetime = question.server.code_lifetime
    seconds = int(lifetime.total_seconds())
    if not issues_codes(question):
        return met(_("It issues no codes."))
    if lifetime <= limit:
        return met(_("They live for %(seconds)d seconds."), seconds=seconds)
    return unmet(_("They live for %(seconds)d seconds, on this whole server."), seconds=seconds)


def _of_kind(question: Question, kind: str) -> list[str]:
    registered = question.application.redirect_uris
    sound = (uri for uri in registered if not redirect_uri.problem(uri))
    return [uri for uri in sound if redirect_uri.kind(uri) == kind]
