"""A client that was told a person's password: the rules, in order (RFC 6749 §4.3).

Off unless an administrator ticks it (RFC 9700 §2.4); it raises no ``acr``, whatever is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..access import Access
from ..application import ApplicationFacts
from ..checks import check
from ..client_authentication import Client
from ..errors import InvalidGrant, InvalidRequest, UnauthorizedClient
from ..parameters import Parameters
from ..policy import NetworkQuestion


@dataclass(frozen=True, slots=True)
class PasswordRequest:
    """What somebody typed into the client; ``user_name`` is CyberArk's spelling."""

    username: str | None = field(repr=False)  # people type passwords there
    other_username: str | None = field(repr=False)
    password: str | None = field(repr=False)

    @classmethod
    def read(cls, parameters: Parameters) -> PasswordRequest:
        """Take the request's own parameters out of the form."""
        get = parameters.get
        return cls(get("username"), get("user_name"), get("password"))

    @property
    def name(self) -> str:
        """The user name, under whichever of its two names."""
        return self.username or self.other_username or ""


@dataclass(frozen=True, slots=True)
class PasswordQuestion:
    """What the checks see before the password is looked at.

    ``is_strong_enough`` says whether a password amounts to the context that the Policy requires.
    """

    request: PasswordRequest
    client: Client
    application: ApplicationFacts
    address: str
    is_strong_enough: bool


@dataclass(frozen=True, slots=True)
class PersonQuestion:
    """What the checks see afterwards; ``access`` is ``None`` when nobody was recognised.

    Why, ``reason`` tells the trace: the answer is the same.
    """

    application: ApplicationFacts
    access: Access | None
    reason: str


@check(
    "password.client",
    spec="RFC 6749 §4.3, RFC 9700 §2.4",
    fix="Use the authorization code flow; or send the secret of a confidential client.",
)
def client_keeps_a_secret(question: PasswordQuestion) -> None:
    """The client proved itself with a secret."""
    if not question.client.is_authenticated:
        raise UnauthorizedClient("this grant is for clients that keep a secret")


@check(
    "password.parameters",
    spec="RFC 6749 §4.3.2",
    fix="Send username (or user_name) and password.",
)
def name_and_password_are_sent(question: PasswordQuestion) -> None:
    """username (or user_name) and password are sent."""
    request = question.request
    if not request.name:
        raise InvalidRequest("username is missing")
    if request.username and request.other_username:
        raise InvalidRequest("username and user_name are both sent")
    if not request.password:
        raise InvalidRequest("password is missing")


@check(
    "password.required_acr",
    spec="RFC 6749 §5.2",
    fix="Use the authorization code flow, where people can prove more than a password; or lower"
    " Required acr on the Policy page.",
)
def password_is_strong_enough(question: PasswordQuestion) -> None:
    """A password amounts to the authentication context that the application's Policy requires."""
    if not question.is_strong_enough:
        # No other password would help: the grant as such is not for this application.
        raise UnauthorizedClient(
            "this application asks for more than a password",
            expected=(question.application.required_acr,),
        )


@check(
    "password.network",
    spec="RFC 6749 §5.2",
    fix="Add the client's network to Allowed networks on the Policy page.",
)
def client_is_inside(question: PasswordQuestion) -> None:
    """The client is in one of the networks that the application's Policy allows."""
    where = NetworkQuestion(question.address, question.application.allowed_networks)
    if not where.is_inside:
        # As for a wrong password: nobody learns from outside whether one is right.
        raise InvalidGrant(
            "access denied", received=where.address, expected=where.networks, detail=where.detail
        )


@check(
    "password.sign_in",
    spec="RFC 6749 §4.3.2, §5.2",
    fix="Check user name and password; after too many failures, wait.",
)
def person_is_recognised(question: PersonQuestion) -> None:
    """The password is the user's, and not too many were wrong lately."""
    if question.access is None:
        raise InvalidGrant("access denied", detail=question.reason)


@check(
    "password.access",
    spec="RFC 6749 §5.2",
    fix="Activate the user and give the Run right on the Permissions page.",
)
def person_may_use_the_application(question: PersonQuestion) -> None:
    """The user may use this application now."""
    reason = question.access.refusal(question.application) if question.access else None
    if reason:
        raise InvalidGrant("access denied", detail=reason)


PASSWORD_CHECKS = (
    client_keeps_a_secret,
    name_and_password_are_sent,
    password_is_strong_enough,
    client_is_inside,
)
PERSON_CHECKS = (person_is_recognised, person_may_use_the_application)
