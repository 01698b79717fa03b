"""Account Mapping as a tenant's own export spells it: CyberArk's keys beside ``OAuthProfile``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....models.account_mapping import choices
from ....protocol.application import UserNameStrategy
from .reader import Reader
from .report import shown

OURS = ("UserNameStrategy", "UserNameClaim", "SharedUserName")
THEIRS = ("UserNameStrategy", "ADAttribute", "UserNameArg", "UserMapScript")

MAX_NAME = 255

#: Fields of a directory, folded, and the claims that hold the same here.
CLAIMS: Mapping[str, str] = {
    "userprincipalname": "preferred_username",
    "mail": "email",
    "displayname": "name",
    "givenname": "given_name",
    "sn": "family_name",
}


def read(document: Reader, extension: Reader) -> dict[str, Any]:
    """The fields that a tenant's keys give; nothing where ``OidcPkce`` says any of it."""
    said = [key for key in THEIRS if document.peek(key) not in (None, "")]
    if not said or any(extension.peek(key) is not None for key in OURS):
        return {}
    strategy = document.text("UserNameStrategy")
    if strategy == UserNameStrategy.DIRECTORY_FIELD:
        return _directory_field(document)
    if strategy == UserNameStrategy.FIXED:
        return _fixed(document)
    _warn(document, strategy, said)
    return {}


def _directory_field(document: Reader) -> dict[str, Any]:
    """CyberArk's own default is the login name."""
    attribute = document.text("ADAttribute") or "userprincipalname"
    claim = CLAIMS.get(attribute.lower())
    if claim in choices():
        strategy = UserNameStrategy.DIRECTORY_FIELD.value
        return {"user_name_strategy": strategy, "user_name_claim": claim}
    known = ", ".join(name for name, held in CLAIMS.items() if held in choices())
    sentence = f"“{shown(attribute)}” is no claim here, so Account Mapping is kept: use {known}."
    document.warn("ADAttribute", sentence)
    return {}


def _fixed(document: Reader) -> dict[str, Any]:
    name = document.text("UserNameArg")
    if document.failed("UserNameArg"):
        return {}
    if name and name.strip() and len(name) <= MAX_NAME:
        return {"user_name_strategy": UserNameStrategy.FIXED.value, "shared_user_name": name}
    sentence = f"the name that all users share has 1 to {MAX_NAME} characters; it is kept."
    document.warn("UserNameArg", sentence)
    return {}


def _warn(document: Reader, strategy: str | None, said: list[str]) -> None:
    if strategy == "UseScript":
        sentence = "scripts are not run here, so Account Mapping is kept: choose a claim instead."
    elif strategy:
        sentence = f"“{shown(strategy)}” is not known here, so Account Mapping is kept."
    elif document.failed("UserNameStrategy"):
        return
    else:
        sentence = f"this is missing, so {', '.join(said)} counts for nothing."
    document.warn("UserNameStrategy", sentence)
