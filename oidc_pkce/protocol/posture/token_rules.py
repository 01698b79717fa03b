"""Rules about tokens: how long, for whom, how signed, and how refreshed."""

from __future__ import annotations

from datetime import timedelta

from .. import id_token
from ..access_token import AT_JWT
from ..application import TokenType
from ..scope import OPENID
from ..usage import Feature
from .facts import Question
from .rule import Effect, Judgement, met, rule, unmet, unseen
from .rule import gettext_noop as _
from .specification import FAPI2, FURTHER, MCP, OAUTH21, RFC9700

AN_HOUR = timedelta(hours=1)  # RFC 6750 §5.3: "one hour or less"
FAPI_ALGORITHMS = ("PS256", "ES256", "EdDSA")
NONE, REFRESH = frozenset({"none"}), frozenset({"refresh_token"})
_CONSTRAINTS = frozenset(
    {"dpop_signing_alg_values_supported", "tls_client_certificate_bound_access_tokens"}
)


@rule(
    "tokens.lifetime",
    sentence=_("Access tokens live for an hour at most."),
    cure=_("Shorten Token Lifetime to one hour, and issue refresh tokens where that is too short."),
    clauses=(OAUTH21.should("7.1.3.5"), MCP.should("Token Theft")),
    fields=("access_token_lifetime",),
    touches={Feature.GRANT_TYPE: None},
    effect=Effect.CHANGED,
)
def access_tokens_are_short(question: Question) -> Judgement:
    """RFC 6750 §5.3 says what is short."""
    lifetime = question.application.access_token_lifetime
    minutes = int(lifetime.total_seconds() // 60)
    if lifetime <= AN_HOUR:
        return met(_("They live for %(minutes)d minutes."), minutes=minutes)
    return unmet(_("They live for %(minutes)d minutes."), minutes=minutes)


@rule(
    "tokens.audience",
    sentence=_("Access tokens are for one API, which they name as their audience."),
    cure=_("Fill in Audience, or let clients send resource (RFC 8707)."),
    clauses=(
        OAUTH21.should("7.1.4"),
        RFC9700.should("2.3"),
        MCP.must("Token Audience Binding and Validation"),
    ),
    fields=("audience",),
    shows=(Feature.RESOURCE,),
)
def tokens_have_an_audience(question: Question) -> Judgement:
    """An API that is given a token for another one refuses it."""
    if question.application.audience:
        return met(_("Audience names the API."))
    return _named_resources(
        question, _("Not every request named a resource; without one, aud is the client ID.")
    )


@rule(
    "tokens.resource",
    sentence=_("Clients say for which API they want a token."),
    cure=_("Let each client send resource with its requests (RFC 8707)."),
    clauses=(MCP.must("Resource Parameter Implementation"),),
    shows=(Feature.RESOURCE,),
)
def clients_name_the_resource(question: Question) -> Judgement:
    """MCP asks it of every client; nothing here refuses one that does not."""
    return _named_resources(question, _("Not every request named a resource."))


@rule(
    "tokens.sender_constrained",
    sentence=_("An access token is worth nothing to whoever stole it."),
    cure=_("This server has neither DPoP (RFC 9449) nor mutual TLS (RFC 8705). Keep tokens short."),
    clauses=(OAUTH21.should("1.4.3"), RFC9700.should("2.2.1"), FAPI2.must("5.3.2.1")),
)
def tokens_are_bound(question: Question) -> Judgement:
    """A bearer token serves whoever bears it."""
    if question.server.metadata & _CONSTRAINTS:
        return met(_("The metadata document says so."))
    return unmet(_("This server issues bearer tokens only."))


@rule(
    "tokens.algorithm",
    sentence=_("Access tokens are signed with PS256, ES256 or EdDSA."),
    cure=_("Choose JwtES256, JwtPS256 or JwtEdDSA as Token Type, once every API can verify it."),
    clauses=(FAPI2.must("5.4.1"),),
    fields=("token_type",),
    shows=(Feature.ALGORITHM,),
    touches={Feature.ALGORITHM: frozenset({"RS256"})},
    effect=Effect.CHANGED,
)
def access_tokens_are_well_signed(question: Question) -> Judgement:
    """RSA with PKCS #1 v1.5 is what FAPI leaves out."""
    kind = question.application.token_type
    if kind is TokenType.OPAQUE:
        return met(_("They are opaque: nothing is signed."))
    if kind.algorithm in FAPI_ALGORITHMS:
        return met(_("They are signed with %(algorithm)s."), algorithm=kind.algorithm)
    return unmet(_("They are signed with %(algorithm)s."), algorithm=kind.algorithm)


@rule(
    "tokens.id_token_algorithm",
    sentence=_("ID tokens are signed with PS256, ES256 or EdDSA."),
    cure=_("This server signs ID tokens with RS256 alone, which every client expects."),
    clauses=(FAPI2.must("5.4.1"),),
)
def id_tokens_are_well_signed(question: Question) -> Judgement:
    """OpenID Connect Core §15.1 makes RS256 the one that everybody knows."""
    if OPENID not in question.application.known_scopes:
        return met(_("It issues no ID tokens."))
    if id_token.ALGORITHM in FAPI_ALGORITHMS:
        return met(_("They are signed with %(algorithm)s."), algorithm=id_token.ALGORITHM)
    return unmet(_("They are signed with %(algorithm)s."), algorithm=id_token.ALGORITHM)


@rule(
    "tokens.typ",
    sentence=_("Access tokens say in their header that they are access tokens."),
    cure=_("Choose at+jwt as Access token header typ, once every API accepts it."),
    clauses=(FURTHER.must("RFC 9068 §2.1"),),
    fields=("access_token_typ",),
    touches={Feature.GRANT_TYPE: None},
    effect=Effect.CHANGED,
)
def access_tokens_have_a_type(question: Question) -> Judgement:
    """An API never takes an ID token for an access token."""
    if question.application.token_type is TokenType.OPAQUE:
        return met(_("They are opaque: there is no header."))
    if question.application.access_token_typ == AT_JWT:
        return met(_("Their typ is at+jwt."))
    return unmet(_("Their typ is JWT, as that of any other token."))


@rule(
    "refresh.rotation",
    sentence=_("Refresh tokens of public clients are replaced at each use."),
    cure=_("Nothing is to be done: those of public clients always rotate."),
    clauses=(OAUTH21.must("4.3.1"), RFC9700.must("2.2.2"), MCP.must("Token Theft")),
    fields=("rotates_refresh_tokens",),
)
def public_refresh_tokens_rotate(question: Question) -> Judgement:
    """The second use of one shows that somebody else has it (RFC 9700 §4.14.2)."""
    if not question.application.issues_refresh_tokens:
        return met(_("It issues no refresh tokens."))
    return met(_("A client that sent no secret gets a new one each time, whatever is ticked."))


@rule(
    "refresh.no_rotation",
    sentence=_("Refresh tokens of confidential clients stay the same."),
    cure=_("Untick Rotate tokens after use."),
    clauses=(FAPI2.must("5.3.2.1"),),
    fields=("rotates_refresh_tokens",),
    touches={Feature.GRANT_TYPE: REFRESH},
    effect=Effect.CHANGED,
)
def refresh_tokens_stay(question: Question) -> Judgement:
    """FAPI 2.0: a client that loses an answer must not lose its grant."""
    application = question.application
    if not application.issues_refresh_tokens:
        return met(_("It issues no refresh tokens."))
    if application.rotates_refresh_tokens:
        return unmet(_("Rotate tokens after use is ticked."))
    return met(_("They are good until they expire or are revoked."))


def _named_resources(question: Question, otherwise: str) -> Judgement:
    seen = list(question.seen(Feature.RESOURCE))
    if not seen:
        return unseen(_("No request has come yet."))
    if any(use.value in NONE for use in seen):
        return unmet(otherwise)
    return met(_("Every request named its resource."))
