"""Writes docs/reference/posture.md from the table of rules: `python -m tests.posture_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oidc_pkce.protocol.application import Profile
from oidc_pkce.protocol.posture import PROFILES, RULES, Effect, Rule

PATH = Path(__file__).parents[1] / "docs" / "reference" / "posture.md"

HEAD = """\
# Posture: rules and profiles

Written by `python -m tests.posture_page` from the rules themselves. The page **Posture** of an
application and [`oidc_doctor posture`](commands.md#oidc_doctor) judge each of them: *met*,
*not met*, or *not seen yet* where only requests can tell. What the server cannot do is *not met*,
and says so. How to use it: [Tighten an application](../how-to/tighten-an-application.md).

The sections of OAuth 2.1 are those of draft 16, a work in progress; of MCP authorization those of
the revision 2025-11-25. RFC 9700 §2.1.1 requires PKCE of public clients, and recommends it for
confidential ones.

## Profiles

What a profile presets is set when it is chosen; what it enforces is checked at every change from
then on, by the portal, the API and import. At the endpoints the fields decide, and no profile.

| profile | value | enforces |
|---|---|---|
"""

NAMES = {
    Profile.CYBERARK: "CyberArk compatible",
    Profile.OAUTH21: "OAuth 2.1",
    Profile.FAPI2: "FAPI 2.0",
    Profile.LEGACY: "Legacy",
}

PRESETS = """
What they preset:

- CyberArk compatible and OAuth 2.1: Require PKCE, no plain PKCE, Rotate tokens after use, neither
  Implicit nor Resource Owner. Where one of the two goes, Auth Code comes: people can still sign in.
- FAPI 2.0: the same, but no rotation; Client ID Type Confidential, or Require client secret;
  JwtES256 in the place of JwtRS256.
- Legacy: nothing.

## Rules
"""


def text() -> str:
    """The whole page."""
    rows = "".join(_profile(profile) for profile in Profile)
    return HEAD + rows + PRESETS + "".join(map(_section, RULES.values()))


def _profile(profile: Profile) -> str:
    enforced = PROFILES[profile].enforced
    names = ", ".join(f"[`{name}`](#{name.replace('.', '')})" for name in enforced)
    return f"| {NAMES[profile]} | `{profile}` | {names or 'nothing'} |\n"


def _section(rule: Rule) -> str:
    clauses = ", ".join(f"[{one.label}]({one.address}) ({one.level})" for one in rule.clauses)
    lines = [f"- Clauses: {clauses}", f"- What to do: {rule.cure}"]
    lines += [*_decides(rule), *_traffic(rule)]
    return f"\n### `{rule.id}`\n\n{rule.sentence}\n\n" + "\n".join(lines) + "\n"


def _decides(rule: Rule) -> Iterator[str]:
    if rule.fields:
        yield f"- Fields: {', '.join(f'`{name}`' for name in rule.fields)}"
    if rule.setting:
        yield f"- Setting: [`{rule.setting}`](settings.md#{rule.setting.lower()})"


def _traffic(rule: Rule) -> Iterator[str]:
    if rule.shows:
        yield f"- Seen of requests: {', '.join(f'`{feature}`' for feature in rule.shows)}"
    if rule.touches:
        ways = " or ".join(f"`{name}` is {_any_of(ways)}" for name, ways in rule.touches.items())
        verb = "refuse" if rule.effect is Effect.REFUSED else "answer otherwise"
        yield f"- Keeping it would {verb} requests whose {ways}"


def _any_of(values: frozenset[str] | None) -> str:
    return "anything" if values is None else ", ".join(f"`{each}`" for each in sorted(values))


if __name__ == "__main__":
    PATH.write_text(text())
