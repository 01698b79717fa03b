"""Profiles: what each one presets, and the rules that it enforces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..application import ApplicationFacts, ClientIdType, Flow, Profile, TokenType
from .facts import Question, ServerFacts
from .rule import RULES, Finding, Verdict, find
from .token_rules import FAPI_ALGORITHMS

_NOWHERE = ServerFacts(base="", code_lifetime=timedelta(0))  # what is enforced asks no server
_LEGACY_FLOWS = frozenset({Flow.IMPLICIT, Flow.PASSWORD})


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """A profile: which values it sets when it is chosen, and which rules count from then on."""

    presets: Callable[[ApplicationFacts], Mapping[str, Any]]
    enforced: tuple[str, ...] = ()


def _careful(application: ApplicationFacts) -> Mapping[str, Any]:
    """What a new application has."""
    return {
        "requires_pkce": True,
        "allows_plain_pkce": False,
        "rotates_refresh_tokens": True,
        "flows": _without_legacy(application),
    }


def _fapi(application: ApplicationFacts) -> Mapping[str, Any]:
    presets = {**_careful(application), "rotates_refresh_tokens": False}
    if application.is_openid_connect:
        presets["require_client_secret"] = True
    else:
        presets["client_id_type"] = ClientIdType.CONFIDENTIAL.value
    kind = application.token_type
    if kind is not TokenType.OPAQUE and kind.algorithm not in FAPI_ALGORITHMS:
        presets["token_type"] = TokenType.ES256.value
    return presets


def _without_legacy(application: ApplicationFacts) -> list[str]:
    """The flows in their usual order. Whoever signed people in still does, by codes."""
    if not application.flows & _LEGACY_FLOWS:
        kept = application.flows
    else:
        kept = (application.flows - _LEGACY_FLOWS) | {Flow.AUTHORIZATION_CODE}
    return [flow.value for flow in Flow if flow in kept]


_OAUTH21 = ("pkce.required", "pkce.s256", "flow.implicit", "flow.password", "refresh.rotation")
_FAPI2 = (
    "pkce.required",
    "pkce.s256",
    "flow.implicit",
    "flow.password",
    "clients.registered",
    "clients.confidential",
    "tokens.algorithm",
    "refresh.no_rotation",
)

PROFILES: Mapping[Profile, ProfileRules] = {
    Profile.CYBERARK: ProfileRules(_careful),
    Profile.OAUTH21: ProfileRules(_careful, _OAUTH21),
    Profile.FAPI2: ProfileRules(_fapi, _FAPI2),
    Profile.LEGACY: ProfileRules(lambda _: {}),
}


def breaches(application: ApplicationFacts) -> Iterator[Finding]:
    """Where an application does not keep the rules that its own profile enforces."""
    question = Question(application, _NOWHERE)
    for name in PROFILES[application.profile].enforced:
        found = find(RULES[name], question)
        if found.verdict is Verdict.NOT_MET:
            yield found
