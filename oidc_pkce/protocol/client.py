"""Whom an application serves: what its Client ID Type makes of a ``client_id`` (RFC 6749 §2.2)."""

from __future__ import annotations

from .application import ApplicationFacts, ClientIdType

MAX_CLIENT_ID = 255


def serves_client(application: ApplicationFacts, client_id: str, *, exists: bool) -> bool:
    """Whether ``client_id`` is one of this application's clients, as its Client ID Type says."""
    if application.is_openid_connect:
        return client_id == application.openid_client_id
    match application.client_id_type:
        case ClientIdType.ANYTHING:
            return is_presentable(client_id)
        case ClientIdType.LIST:
            return client_id in application.client_ids
        case ClientIdType.CONFIDENTIAL:
            return exists


def is_presentable(client_id: str) -> bool:
    """Whether a person can be shown this id without being misled: nothing invisible in it."""
    length = 1 <= len(client_id) <= MAX_CLIENT_ID
    return length and client_id.isprintable() and client_id == client_id.strip()


def known_clients(application: ApplicationFacts) -> tuple[str, ...]:
    """The client ids that an administrator could have meant."""
    if application.is_openid_connect:
        return (application.openid_client_id,)
    return application.client_ids if application.client_id_type is ClientIdType.LIST else ()
