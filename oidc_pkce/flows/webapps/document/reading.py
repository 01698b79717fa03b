"""From bytes to documents to entries. Nothing here asks the database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ....models import Principal, Right
from ....protocol import secret
from ....protocol.application import ClientIdType, Template
from ..changes import ScopeChange
from . import account_mapping
from .keys import DOCUMENT, EXTENSION, PRINCIPALS, PROFILE, RIGHTS, Cleared, Key
from .reader import MAX_NAMED, Reader
from .report import Notices, join, shown

MAX_BYTES = 8 * 1024 * 1024  # a tenant of a thousand applications has some three million
MAX_DOCUMENTS = 5000


@dataclass(frozen=True, slots=True)
class NamedPermission:
    """A row of ``Permissions``; whether there is such a principal, planning finds out."""

    position: int
    principal: Principal
    name: str
    rights: frozenset[Right]


@dataclass(frozen=True, slots=True)
class Entry:
    """One document, read. What ``fields`` lacks, and ``None`` beside them, keep what is stored."""

    path: str
    service_name: str
    fields: Mapping[str, Any]
    template: Template | None
    likely_template: Template
    type_number: int | None
    type_name: ClientIdType | None
    client_id: str | None
    client_secret: str | None
    scopes: tuple[ScopeChange, ...] | None
    scope_positions: tuple[int, ...]
    permissions: tuple[NamedPermission, ...] | None


class Unreadable(ValueError):
    """The bytes are not a JSON document of ours; the message is a sentence."""


def read(data: bytes | str, notices: Notices) -> list[Entry]:
    """Read one document or a list of them; what is wrong goes to ``notices``."""
    try:
        loaded = _load(data)
    except Unreadable as fault:
        notices.error("", str(fault))
        return []
    entries = (_entry(members, path, notices) for path, members in _documents(loaded, notices))
    return [entry for entry in entries if entry is not None]


def _load(data: bytes | str) -> Any:
    if len(data) > MAX_BYTES:
        raise Unreadable(f"The file is larger than {MAX_BYTES // 1024**2} MiB.")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise Unreadable("The file is not UTF-8 text.") from None
    except RecursionError:
        raise Unreadable("The file is nested too deeply.") from None
    except json.JSONDecodeError as fault:
        place = f"line {fault.lineno}, column {fault.colno}"
        raise Unreadable(f"The file is not JSON: {fault.msg} ({place}).") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("The file holds a number that is too long.") from None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two members of one name: readers disagree which counts, so neither does."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise Unreadable(f"The key “{shown(name)}” stands twice in one object.")
        members[name] = value
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise Unreadable(f"The file is not JSON: it holds {name}.")


def _documents(loaded: Any, notices: Notices) -> Iterator[tuple[str, Mapping[str, Any]]]:
    listed = loaded if isinstance(loaded, list) else [loaded]
    if len(listed) > MAX_DOCUMENTS:
        notices.error("", f"The file holds more than {MAX_DOCUMENTS} documents.")
        return
    for index, members in enumerate(listed):
        path = f"[{index}]" if isinstance(loaded, list) else ""
        if isinstance(members, dict):
            yield path, members
        else:
            notices.error(path, "an application document is an object.")


def _entry(members: Mapping[str, Any], path: str, notices: Notices) -> Entry | None:
    document = Reader(members, path, notices)
    profile = document.child("OAuthProfile")
    service_name = document.text("ServiceName")
    if not service_name and not document.failed("ServiceName"):
        notices.error(join(path, "ServiceName"), "the Application ID is missing.")
    scopes = _scopes(profile)
    made = Entry(
        path=path,
        service_name=service_name or "",
        fields=_fields(document, profile),
        template=document.choice("TemplateName", Template),
        likely_template=_likely_template(document, profile),
        type_number=_type_number(profile),
        type_name=profile.choice("ClientIDTypeName", ClientIdType),
        client_id=profile.text("ClientId") or None,
        client_secret=_secret(profile),
        scopes=None if scopes is None else tuple(scopes.values()),
        scope_positions=tuple(scopes or ()),
        permissions=_permissions(document),
    )
    for reader in (document, profile):
        reader.name_unknown_keys()
    return made if service_name else None


def _fields(document: Reader, profile: Reader) -> dict[str, Any]:
    extension = document.child("OidcPkce")
    fields = {
        **_read(document, DOCUMENT),
        **_read(profile, PROFILE),
        **account_mapping.read(document, extension),
        **_read(extension, EXTENSION),
    }
    extension.name_unknown_keys()
    return fields


def _read(reader: Reader, keys: tuple[Key, ...]) -> dict[str, Any]:
    values = {key.field: key.read(reader) for key in keys}
    return {
        field: None if value is Cleared.CLEARED else value
        for field, value in values.items()
        if value is not None
    }


def _likely_template(document: Reader, profile: Reader) -> Template:
    """What a document without ``TemplateName`` is about."""
    targets = [reader.flag("TargetIsUs") for reader in (document, profile)]
    scripts = [reader.peek("OpenIDConnectScript") for reader in (document, profile)]
    if profile.peek("ClientId") or any(scripts):
        return Template.OPENID_CONNECT
    return Template.OAUTH2_SERVER if False in targets else Template.OAUTH2_CLIENT


def _type_number(profile: Reader) -> int | None:
    number = profile.number("ClientIDType")
    if number in (None, 0, 1):
        return number
    profile.error("ClientIDType", "write 0 for Anything or List, 1 for Confidential.")
    return None


def _secret(profile: Reader) -> str | None:
    told = profile.text("ClientSecret")
    if not told:
        return None
    if fault := secret.problem(told):
        profile.error("ClientSecret", f"{fault}.")
        return None
    return told


def _scopes(profile: Reader) -> dict[int, ScopeChange] | None:
    """The scopes by their position in the document; those of a wrong type are left out."""
    readers = profile.children("KnownScopes")
    return None if readers is None else dict(_each_scope(readers))


def _each_scope(readers: dict[int, Reader]) -> Iterator[tuple[int, ScopeChange]]:
    for position, reader in readers.items():
        name = reader.required_text("Scope")
        description = reader.text("Description") or ""
        patterns = tuple(reader.texts("AllowedRest") or ())
        reader.name_unknown_keys()
        if name is not None:
            yield position, ScopeChange(name, description, patterns)


def _permissions(document: Reader) -> tuple[NamedPermission, ...] | None:
    readers = document.children("Permissions")
    return None if readers is None else tuple(_each_permission(readers))


def _each_permission(readers: dict[int, Reader]) -> Iterator[NamedPermission]:
    for position, reader in readers.items():
        name = reader.required_text("Principal")
        kind = reader.required_text("PType")
        rights = _rights(reader)
        reader.name_unknown_keys()
        if kind is not None and kind not in PRINCIPALS:
            reader.error("PType", f"“{shown(kind)}” is not possible: write User, Group or Role.")
        elif kind == "Role" and name not in (None, "Everybody"):
            sentence = "the only role is Everybody; other roles are groups here, PType Group."
            reader.error("Principal", sentence)
        elif name is not None and kind is not None and rights is not None:
            yield NamedPermission(position, PRINCIPALS[kind], name, rights)


def _rights(reader: Reader) -> frozenset[Right] | None:
    """What is ticked; ``Manage`` and ``Delete`` bring ``View`` along."""
    text = reader.text("Rights")
    if text is None:
        if not reader.failed("Rights"):
            reader.error("Rights", "this is missing.")
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in RIGHTS]
    for name in unknown[:MAX_NAMED]:
        known = ", ".join(RIGHTS)
        reader.error("Rights", f"“{shown(name)}” is not a right: write some of {known}.")
    return None if unknown else frozenset(RIGHTS[name] for name in names)
