"""Trading a code for tokens: the rules, in order (RFC 6749 §4.1.3, RFC 7636 §4.6)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from .. import pkce, redirect_uri
from ..access import Access
from ..application import ApplicationFacts
from ..checks import check
from ..client_authentication import Client
from ..credential import Credential
from ..errors import InvalidClient, InvalidGrant, InvalidRequest
from ..near_miss import NearMiss, of_word
from ..parameters import Parameters
from ..pkce import Challenge
from ..secret import digest
from ..token import MAX_CREDENTIAL, resources_are_granted, user_may_use_the_application


class SpentCode(InvalidGrant):
    """The code was redeemed before, and everything else about the request is right."""


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A request to trade an authorization code for tokens; ``None`` where nothing was sent."""

    code: str | None = field(repr=False)  # credentials must not reach a log line
    redirect_uri: str | None
    verifier: str | None = field(repr=False)
    resources: tuple[str, ...] = ()

    @classmethod
    def read(cls, parameters: Parameters) -> CodeRequest:
        """Take the request's own parameters out of the form."""
        get = parameters.get
        return cls(
            get("code"), get("redirect_uri"), get("code_verifier"), parameters.all("resource")
        )


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What is stored of an authorization code and of the grant that it belongs to."""

    application_pk: int
    client_id: str
    redirect_uri: str
    challenge: Challenge | None
    resources: tuple[str, ...]
    expires_at: datetime
    used_at: datetime | None
    grant_is_revoked: bool


@dataclass(frozen=True, slots=True)
class CodeQuestion:
    """What the checks of a code exchange see; ``code`` is ``None`` when no such code exists."""

    request: CodeRequest
    application: ApplicationFacts
    client: Client
    code: CodeFacts | None
    access: Access | None
    now: datetime

    @property
    def stored(self) -> CodeFacts:
        assert self.code is not None  # noqa: S101 - code_is_known comes first in the table
        return self.code

    @property
    def credential(self) -> Credential:
        """The code that was presented."""
        return Credential("code", self.request.code or "")


@check(
    "code.parameters",
    spec="RFC 6749 §4.1.3",
    fix="Send code and the redirect_uri of the authorization request.",
)
def code_parameters_are_present(question: CodeQuestion) -> None:
    """code and redirect_uri are sent."""
    request = question.request
    for name, value in (("code", request.code), ("redirect_uri", request.redirect_uri)):
        if value is None:
            raise InvalidRequest(f"{name} is missing")
    for name, value in (("code", request.code), ("code_verifier", request.verifier)):
        if len(value or "") > MAX_CREDENTIAL:
            raise InvalidRequest(f"{name} is too long")


@check(
    "code.known",
    spec="RFC 6749 §5.2",
    fix="Redeem the code that the callback carried, unchanged, as soon as it arrives.",
)
def code_is_known(question: CodeQuestion) -> None:
    """The code is one that this server issued and still remembers."""
    if question.code is None:
        length = len(question.request.code or "")
        raise InvalidGrant(
            detail=f"no such code; {length} characters were sent", credential=question.credential
        )


@check(
    "code.application",
    spec="RFC 6749 §4.1.3",
    fix="Redeem the code at the token endpoint of the application that issued it.",
)
def code_is_this_applications(question: CodeQuestion) -> None:
    """The code was issued by this application."""
    if question.stored.application_pk != question.application.pk:
        raise InvalidGrant(
            detail="the code was issued by another application",
            near_misses=[NearMiss.CODE_OF_ANOTHER_APPLICATION],
            credential=question.credential,
            elsewhere=question.stored.application_pk,
        )


@check(
    "code.client",
    spec="RFC 6749 §4.1.3",
    fix="Redeem the code with the client_id of the authorization request.",
)
def code_is_this_clients(question: CodeQuestion) -> None:
    """The code was issued to this client."""
    received, stored = question.client.client_id, question.stored.client_id
    if received != stored:
        raise InvalidGrant(
            received=received,
            expected=[stored],
            detail="the code was issued to another client",
            near_misses=of_word([stored], received),
            credential=question.credential,
        )


@check(
    "code.redirect_uri",
    spec="RFC 6749 §4.1.3",
    fix="Send the redirect_uri of the authorization request, character for character.",
)
def redirect_uri_is_the_same(question: CodeQuestion) -> None:
    """redirect_uri equals that of the authorization request."""
    received, stored = question.request.redirect_uri, question.stored.redirect_uri
    if received != stored:
        found = redirect_uri.differing([stored], received or "")
        raise InvalidGrant(
            "mismatched redirect",
            received=received,
            expected=found.candidates,
            detail=found.detail,
            near_misses=found.near_misses,
        )


@check(
    "code.client_authentication",
    spec="RFC 6749 §3.2.1, RFC 9700 §2.1.1",
    fix="Send a code_challenge with the authorization request, or the secret with this one.",
)
def unauthenticated_client_is_bound(question: CodeQuestion) -> None:
    """A client without a secret redeems only a code that is bound to a challenge."""
    if question.client.is_authenticated or question.stored.challenge is not None:
        return
    if question.application.is_openid_connect:
        raise InvalidClient(detail="neither a secret nor a challenge")
    if question.application.requires_pkce:
        raise InvalidGrant(detail="Require PKCE is on, and the code has no challenge")


@check(
    "code.verifier",
    spec="RFC 7636 §4.6, RFC 9700 §4.8.2",
    fix="Send the code_verifier whose S256 hash was sent as code_challenge; none if none was sent.",
)
def verifier_matches(question: CodeQuestion) -> None:
    """code_verifier matches the challenge; it is sent exactly when a challenge was."""
    verifier, challenge = question.request.verifier, question.stored.challenge
    if challenge is None:
        if verifier is not None:
            raise InvalidGrant(
                detail="a verifier was sent, but the code has no challenge",
                credential=Credential("code_verifier", verifier),
            )
    elif verifier is None:
        raise InvalidGrant(detail="code_verifier is missing")
    elif not challenge.matches(verifier):
        raise InvalidGrant(
            detail=_why_not(verifier, challenge),
            near_misses=pkce.near_misses(verifier, challenge),
            credential=_compared(verifier, challenge),
        )


@check(
    "code.lifetime",
    spec="RFC 6749 §4.1.2",
    fix="Redeem the code as soon as it arrives.",
)
def code_is_live(question: CodeQuestion) -> None:
    """The code has not expired."""
    if question.now >= question.stored.expires_at:
        late = int((question.now - question.stored.expires_at).total_seconds())
        raise InvalidGrant(detail=f"the code expired {late} s ago", credential=question.credential)


@check(
    "code.grant",
    spec="RFC 6749 §4.1.2",
    fix="Send the person through sign-in again.",
)
def grant_is_live(question: CodeQuestion) -> None:
    """The grant has not been revoked."""
    if question.stored.grant_is_revoked:
        raise InvalidGrant(detail="the grant was revoked", credential=question.credential)


@check(
    "code.single_use",
    spec="RFC 6749 §4.1.2",
    fix="Redeem a code once; a second use revokes what the first one gave.",
)
def code_is_unspent(question: CodeQuestion) -> None:
    """The code has not been redeemed before."""
    if question.stored.used_at is not None:
        raise SpentCode(detail="the code was redeemed before", credential=question.credential)


CODE_CHECKS = (
    code_parameters_are_present,
    code_is_known,
    code_is_this_applications,
    code_is_this_clients,
    redirect_uri_is_the_same,
    unauthenticated_client_is_bound,
    verifier_matches,
    code_is_live,
    grant_is_live,
    resources_are_granted,
    user_may_use_the_application,
    code_is_unspent,
)


def _compared(verifier: str, challenge: Challenge) -> Credential:
    """A plain challenge is what the verifier should have been; a hash is not comparable with it."""
    stored = (digest(challenge.value),) if challenge.method == pkce.PLAIN else ()
    return Credential("code_verifier", verifier, stored)


def _why_not(verifier: str, challenge: Challenge) -> str:
    """The near misses of a wrong verifier, without showing it."""
    if verifier == challenge.value:
        return "the challenge itself was sent as the verifier"
    return (
        f"the verifier ({len(verifier)} characters) does not match the {challenge.method} challenge"
    )
