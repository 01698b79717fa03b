"""Let a client in that the application does not know; a secret that is wrong has no cure here."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from ...protocol.application import ClientIdType
from ...validators import validate_client_ids
from ..webapps import Changes
from .case import Case
from .cure import Cure, Sentence


def add_client(case: Case) -> Cure | None:
    """Put the client into the Client ID List, where there is one."""
    client, application = case.received, case.application
    if not client or not _has_list(case) or client in application.client_ids:
        return None
    names = {"application": application.name}
    to_do = gettext("Add %(value)s to the Client ID List of %(application)s.")
    done = gettext("Added to the Client ID List of %(application)s: %(value)s.")
    return case.edit(
        "client_ids",
        Sentence.about(to_do, client, host=client, **names),
        Changes({"client_ids": [*application.client_ids, client]}),
        page="general_usage",
        button=gettext("Add this client"),
        done=str(Sentence.about(done, client, **names)),
        warning=_warning(client),
        obstacle=case.not_whole or _obstacle(client),
    )


def name_the_client(case: Case) -> Cure | None:
    """Where there is no List, say where the clients come from."""
    if not case.received or _has_list(case):
        return None
    if case.facts.is_openid_connect:
        words = gettext("%(application)s has one client ID: send the one that stands on Trust.")
        return case.by_hand("client_id", words, "trust")
    if case.facts.client_id_type is ClientIdType.CONFIDENTIAL:
        words = gettext(
            "Clients of %(application)s are service users with a secret: send the login name and"
            " the secret of one, or choose another Client ID Type."
        )
        return case.by_hand("client_id", words, "general_usage")
    return None


def _has_list(case: Case) -> bool:
    is_oauth2 = not case.facts.is_openid_connect
    return is_oauth2 and case.facts.client_id_type is ClientIdType.LIST


def _obstacle(client: str) -> str:
    try:
        validate_client_ids([client])
    except ValidationError as fault:
        return gettext("It cannot be added. %(fault)s") % {"fault": " ".join(fault.messages)}
    return ""


def _warning(client: str) -> str:
    told = gettext("Anybody can send such a request. Add it only if you know this client.")
    if client.isascii():
        return told
    in_ascii = client.encode("ascii", "backslashreplace").decode()
    foreign = gettext("It holds letters outside ASCII, which can look like others: %(text)s")
    return f"{told} {foreign % {'text': in_ascii}}"
