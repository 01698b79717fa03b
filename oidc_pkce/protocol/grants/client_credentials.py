"""A client that acts for itself: the rules, in order (RFC 6749 §4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from ..access import Access
from ..application import ApplicationFacts
from ..checks import check
from ..client_authentication import Client
from ..errors import UnauthorizedClient
from ..policy import NetworkQuestion


@dataclass(frozen=True, slots=True)
class ClientCredentialsQuestion:
    """What the checks see; ``access`` is the service user's."""

    application: ApplicationFacts
    client: Client
    access: Access
    address: str


@check(
    "client_credentials.client",
    spec="RFC 6749 §4.4",
    fix="Set Client ID Type to Confidential, and send the secret of a service user.",
)
def client_keeps_a_secret(question: ClientCredentialsQuestion) -> None:
    """The client proved itself with a secret."""
    if not question.client.is_authenticated:
        raise UnauthorizedClient("this grant is for clients that keep a secret")


@check(
    "client_credentials.access",
    spec="RFC 6749 §5.2",
    fix="Activate the service user and give it the Run right on the Permissions page.",
)
def client_may_use_the_application(question: ClientCredentialsQuestion) -> None:
    """The service user may use this application now."""
    if reason := question.access.refusal(question.application):
        raise UnauthorizedClient("access denied", detail=reason)


@check(
    "client_credentials.network",
    spec="RFC 6749 §5.2",
    fix="Add the client's network to Allowed networks on the Policy page.",
)
def client_is_inside(question: ClientCredentialsQuestion) -> None:
    """The client is in one of the networks that the application's Policy allows."""
    where = NetworkQuestion(question.address, question.application.allowed_networks)
    if not where.is_inside:
        raise UnauthorizedClient(
            "access denied", received=where.address, expected=where.networks, detail=where.detail
        )


CLIENT_CREDENTIALS_CHECKS = (
    client_keeps_a_secret,
    client_may_use_the_application,
    client_is_inside,
)
