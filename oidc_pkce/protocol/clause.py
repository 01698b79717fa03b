"""The clause of a specification that a check comes from, and where everybody can read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

_RFC = re.compile(r"RFC ([0-9]+)")
_CITED = re.compile(r"(.*?)\s*§([0-9.]+)")
_OPENID: Mapping[str, str] = MappingProxyType(
    {
        "OpenID Connect Core": "openid-connect-core-1_0",
        "OpenID Connect RP-Initiated Logout": "openid-connect-rpinitiated-1_0",
        "OAuth 2.0 Multiple Response Types": "oauth-v2-multiple-response-types-1_0",
        "Unmet Authentication Requirements": "openid-connect-unmet-authentication-requirements-1_0",
    }
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A section of a specification; ``address`` is empty where nothing public is known."""

    text: str
    address: str


def read(spec: str) -> Iterator[Clause]:
    """Each clause of a check's ``spec``: ``RFC 6749 §5.2, §10.4`` names two of one document."""
    document = ""
    for part in spec.split(", "):
        found = _CITED.fullmatch(part)
        document = (found[1] if found else part) or document
        section = found[2].rstrip(".") if found else ""
        text = f"{document} §{section}" if section else document
        yield Clause(text, _address(document, section))


def _address(document: str, section: str) -> str:
    """The sections of RFCs have anchors by number; those of OpenID's texts have none."""
    if rfc := _RFC.fullmatch(document):
        anchor = f"#section-{section}" if section else ""
        return f"https://www.rfc-editor.org/rfc/rfc{rfc[1]}{anchor}"
    name = _OPENID.get(document)
    return f"https://openid.net/specs/{name}.html" if name else ""
