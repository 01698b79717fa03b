"""The specifications that posture is judged by, and where their clauses can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_RFC = re.compile(r"RFC ([0-9]+) §([0-9.]+)")


class Level(StrEnum):
    """How strongly a clause asks (RFC 2119; FAPI 2.0 says shall and should)."""

    MUST = "required"
    SHOULD = "recommended"


class Specification(StrEnum):
    """One document, or the rest of them; sections are those of the revision in ``TITLES``."""

    OAUTH21 = "oauth21"
    RFC9700 = "rfc9700"
    FAPI2 = "fapi2"
    MCP = "mcp"
    FURTHER = "further"

    @property
    def heading(self) -> str:
        """What people call it."""
        return TITLES[self]

    def must(self, section: str) -> Clause:
        """A clause that is required."""
        return Clause(self, section, Level.MUST)

    def should(self, section: str) -> Clause:
        """A clause that is recommended."""
        return Clause(self, section, Level.SHOULD)


TITLES: Mapping[Specification, str] = {
    Specification.OAUTH21: "OAuth 2.1 (draft)",
    Specification.RFC9700: "RFC 9700",
    Specification.FAPI2: "FAPI 2.0 Security Profile",
    Specification.MCP: "MCP authorization",
    Specification.FURTHER: "RFC 9068, RFC 9101",
}

_SHORT: Mapping[Specification, str] = {
    Specification.OAUTH21: "OAuth 2.1",
    Specification.RFC9700: "RFC 9700",
    Specification.FAPI2: "FAPI 2.0",
    Specification.MCP: "MCP",
}

_PLACES: Mapping[Specification, str] = {
    Specification.OAUTH21: "https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1#section-",
    Specification.RFC9700: "https://www.rfc-editor.org/rfc/rfc9700.html#section-",
    Specification.FAPI2: "https://openid.net/specs/fapi-security-profile-2_0-final.html#section-",
    Specification.MCP: "https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization#",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: a number, for MCP a heading, and for the rest a document with its number."""

    specification: Specification
    section: str
    level: Level

    @property
    def label(self) -> str:
        """As it is cited."""
        if self.specification is Specification.FURTHER:
            return self.section
        sign = " · " if self.specification is Specification.MCP else " §"
        return f"{_SHORT[self.specification]}{sign}{self.section}"

    @property
    def address(self) -> str:
        """Where it can be read."""
        if self.specification is Specification.MCP:
            return _PLACES[self.specification] + self.section.lower().replace(" ", "-")
        if found := _RFC.fullmatch(self.section):
            number, section = found.groups()
            return f"https://www.rfc-editor.org/rfc/rfc{number}.html#section-{section}"
        return _PLACES[self.specification] + self.section


OAUTH21, RFC9700, FAPI2, MCP, FURTHER = Specification
