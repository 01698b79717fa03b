"""Who presents itself as a client, and whether it proved that (RFC 6749 §2.3, §3.2.1)."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from .application import ApplicationFacts
from .checks import Trace, check
from .client import known_clients, serves_client
from .credential import Credential
from .credentials import PresentedCredentials, present
from .errors import InvalidClient, InvalidRequest
from .near_miss import NearMiss, closest_first, of_word
from .secret import digest as hash_secret


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """One live or expired secret, as its SHA-256 digest; its last use is known to the hour."""

    pk: int
    digest: bytes
    expires_at: datetime | None
    last_used_at: datetime | None = None

    def matches(self, secret: str, now: datetime) -> bool:
        """Whether ``secret`` is this one and it is still live; constant time."""
        same = hmac.compare_digest(self.digest, hash_secret(secret))
        return same and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class ClientRecord:
    """What is stored of a client that keeps a secret: an OpenID Connect app or a service user."""

    client_id: str
    secrets: tuple[StoredSecret, ...]
    user_pk: Any = None
    user_is_active: bool = True
    is_oauth_confidential_client: bool = False


@dataclass(frozen=True, slots=True)
class Client:
    """A client that passed the checks; ``secret`` is the one by which it proved itself."""

    client_id: str
    secret: StoredSecret | None = None
    user_pk: Any = None

    @property
    def is_authenticated(self) -> bool:
        """Whether the client proved itself with a secret."""
        return self.secret is not None


@dataclass(frozen=True, slots=True)
class ClientQuestion:
    """What the checks of client authentication see."""

    application: ApplicationFacts
    presented: PresentedCredentials
    records: Sequence[ClientRecord]
    now: datetime

    @property
    def has_secret(self) -> bool:
        return any(secret is not None for _, secret in self.presented.candidates)

    def find(self) -> Client | None:
        """The client whose id and, where one was sent, secret are right.

        Every candidate is hashed and compared, known or not: an unknown client costs as much as a
        wrong secret.
        """
        found: Client | None = None
        for client_id, secret in self.presented.candidates:
            record = next((r for r in self.records if r.client_id == client_id), _NOBODY)
            if secret is None:
                if self._is_served(client_id):
                    found = found or Client(client_id, user_pk=record.user_pk)
                continue
            stored = record.secrets or _NOBODY.secrets
            live = [item for item in stored if item.matches(secret, self.now)]
            if live and record is not _NOBODY:
                found = found or Client(client_id, live[0], record.user_pk)
        return found

    @property
    def credential(self) -> Credential | None:
        """The secret that was presented, beside those of the client that it names."""
        for client_id, secret in self.presented.candidates:
            if secret is not None:
                stored = tuple(each.digest for each in self._record(client_id).secrets)
                return Credential("client_secret", secret, stored)
        return None

    def near_misses_of_secret(self) -> tuple[NearMiss, ...]:
        """Whether the secret would be right without what was put around it.

        Hashed for an unknown client, too: it must be refused no faster than a wrong secret.
        """
        for client_id, secret in self.presented.candidates:
            stored = self._record(client_id).secrets or _NOBODY.secrets
            for miss, mend in _MENDED:
                mended = mend(secret or "")
                if mended != secret and any(item.matches(mended, self.now) for item in stored):
                    return (miss,)
        return ()

    def _record(self, client_id: str) -> ClientRecord:
        return next((r for r in self.records if r.client_id == client_id), _NOBODY_KNOWN)

    def _is_served(self, client_id: str) -> bool:
        exists = any(record.client_id == client_id for record in self.records)
        return serves_client(self.application, client_id, exists=exists)

    def record_of(self, client: Client) -> ClientRecord:
        return next((r for r in self.records if r.client_id == client.client_id), _NOBODY)


_NOBODY = ClientRecord(
    "", secrets=(StoredSecret(pk=0, digest=b"\0" * 32, expires_at=None),), user_is_active=False
)
_NOBODY_KNOWN = ClientRecord("", secrets=())
_MENDED: tuple[tuple[NearMiss, Callable[[str], str]], ...] = (
    (NearMiss.WHITE_SPACE, str.strip),
    (NearMiss.DOUBLE_ENCODING, unquote_plus),
)


@check(
    "client.presented",
    spec="RFC 6749 §2.3",
    fix="Prove the client in one way: by HTTP Basic, or in the body, or as a public client.",
)
def credentials_are_readable(
    authorization: str | None, client_id: str | None, client_secret: str | None
) -> PresentedCredentials:
    """The client proves itself in one way, and that can be read."""
    return present(authorization, client_id, client_secret)


@check(
    "client.named",
    spec="RFC 6749 §3.2.1",
    fix="Send client_id in the body, or client id and secret by HTTP Basic.",
)
def client_is_named(question: ClientQuestion) -> None:
    """The request says which client sends it."""
    if not any(client_id for client_id, _ in question.presented.candidates):
        raise InvalidRequest("client_id is missing")


@check(
    "client.public",
    spec="RFC 6749 §2.1",
    fix="Send no secret: clients of Client ID Type Anything or List have none.",
)
def public_client_sends_no_secret(question: ClientQuestion) -> None:
    """A public client sends no secret."""
    application = question.application
    if application.is_openid_connect or not application.client_id_type.is_public:
        return
    if question.has_secret:
        raise InvalidClient(
            detail="a secret was sent, but clients of this type are public",
            near_misses=[NearMiss.SECRET_OF_PUBLIC_CLIENT],
            credential=question.credential,
        )


@check(
    "client.secret",
    spec="RFC 6749 §2.3.1",
    fix="Send the client's secret, by HTTP Basic or as client_secret in the body.",
)
def confidential_client_sends_a_secret(question: ClientQuestion) -> None:
    """A confidential client sends its secret."""
    application = question.application
    confidential = not application.is_openid_connect and not application.client_id_type.is_public
    forced = application.is_openid_connect and application.require_client_secret
    if (confidential or forced) and not question.has_secret:
        raise InvalidClient(detail="no secret was sent")


@check(
    "client.known",
    spec="RFC 6749 §5.2",
    fix="Compare the client id with General Usage or Trust; if in doubt, make a new secret.",
)
def client_proves_itself(question: ClientQuestion) -> None:
    """The client is one of this application's, and its secret is right and live."""
    if question.find() is None:
        names = [client_id for client_id, _ in question.presented.candidates]
        known = any(record.client_id in names for record in question.records)
        detail = "the secret is wrong or has expired" if known else "no such client"
        clients = closest_first(known_clients(question.application), names[0])
        raise InvalidClient(
            received=names[0],
            expected=() if known else clients,
            detail=detail,
            near_misses=question.near_misses_of_secret() or of_word(clients, names[0]),
            credential=question.credential,
        )


@check(
    "client.service_user",
    spec="RFC 6749 §2.3",
    fix="Activate the service user, and flag it if Must be OAuth Client is ticked.",
)
def service_user_is_fit(question: ClientQuestion) -> None:
    """A service user is active, and flagged where the application asks for that."""
    application, client = question.application, question.find()
    if client is None or client.user_pk is None:
        return
    record = question.record_of(client)
    if not record.user_is_active:
        raise InvalidClient(received=client.client_id, detail="the service user is not active")
    if application.must_be_oauth_client and not record.is_oauth_confidential_client:
        raise InvalidClient(
            received=client.client_id,
            detail="Must be OAuth Client is ticked, and the service user lacks the flag",
        )


CLIENT_CHECKS = (
    client_is_named,
    public_client_sends_no_secret,
    confidential_client_sends_a_secret,
    client_proves_itself,
    service_user_is_fit,
)


def identify(question: ClientQuestion, trace: Trace) -> Client:
    """The client that sent the request. Raises ``InvalidRequest`` or ``InvalidClient``."""
    trace.run(CLIENT_CHECKS, question)
    client = question.find()
    assert client is not None  # noqa: S101 - client_proves_itself has just passed
    return client
