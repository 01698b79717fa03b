"""A client that acts for itself: the rules, in order (RFC 6749 §4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from ..access import Access
from ..application import ApplicationFacts
from ..checks import check
from ..client_authentication import Client
from ..errors import UnauthorizedClient


@dataclass(frozen=True, slots=True)
class ClientCredentialsQuestion:
    """What the checks see; ``access`` is the service user's."""

    application: ApplicationFacts
    client: Client
    access: Access


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


CLIENT_CREDENTIALS_CHECKS = (client_keeps_a_secret, client_may_use_the_application)
