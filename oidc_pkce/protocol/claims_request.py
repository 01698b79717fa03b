"""Claims that a client asks for one by one, and how strongly a person must have signed in.

OpenID Connect Core §5.5, and acr_values of §3.1.2.1.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from . import strict_json
from .application import ApplicationFacts
from .errors import InvalidRequest
from .scope import STANDARD

MAX_CLAIMS = 50  # in each of the two lists
MAX_VALUES = 20
MAX_DEPTH = 6  # two more than the deepest member that we read

ACR = "acr"
SUB = "sub"

#: What only the protocol says: never a claims provider, not even in a token that has none.
PROTOCOL_CLAIMS = frozenset(
    (
        *("iss", SUB, "aud", "exp", "iat", "nbf", "jti", "auth_time", "nonce", ACR, "amr", "azp"),
        *("at_hash", "c_hash", "s_hash", "sid", "events", "cnf", "act", "may_act"),
        *("client_id", "scope", "gid", "app_id", "unique_name"),
    )
)

_TOLD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
_SCOPES: Mapping[str, str] = MappingProxyType(
    {name: scope for scope, names in STANDARD.items() for name in names}
)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Wish:
    """How one claim is asked for: whether it is essential, and as which values (§5.5.1)."""

    essential: bool = False
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class WantedContext:
    """Authentication contexts, any of which will do; an essential one must be reached."""

    values: tuple[str, ...] = ()
    essential: bool = False


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What the ``claims`` parameter said: a wish for each claim, by where it shall be told."""

    userinfo: Mapping[str, Wish] = field(default_factory=lambda: _NOTHING)
    id_token: Mapping[str, Wish] = field(default_factory=lambda: _NOTHING)

    @property
    def asks_anything(self) -> bool:
        """Whether any claim is asked for."""
        return bool(self.userinfo or self.id_token)

    def names_subject(self, subject: str) -> bool:
        """Whether every ``sub`` that is asked for with a value means this one (§5.5.1)."""
        wishes = (self.userinfo.get(SUB), self.id_token.get(SUB))
        return all(subject in wish.values for wish in wishes if wish is not None and wish.values)

    def context(self, acr_values: str) -> WantedContext:
        """The context that is wanted: by the claim ``acr``, else by ``acr_values`` (§5.5.1.1)."""
        wish = self.id_token.get(ACR, Wish())
        if wish.values:
            return WantedContext(tuple(map(str, wish.values)), wish.essential)
        return WantedContext(tuple(acr_values.split()[:MAX_VALUES]))


@dataclass(frozen=True, slots=True)
class RequestedClaims:
    """The names of single claims that may be told, at UserInfo and in the ID token."""

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()

    @property
    def permissions(self) -> tuple[str, ...]:
        """What a person allows by letting these claims be told, each once."""
        return tuple(dict.fromkeys(map(permission, (*self.userinfo, *self.id_token))))

    def within(self, allowed: Collection[str]) -> RequestedClaims:
        """Those whose permission is among the allowed ones."""
        return RequestedClaims(_within(self.userinfo, allowed), _within(self.id_token, allowed))

    def stored(self) -> dict[str, list[str]]:
        """As a grant keeps them: without empty lists."""
        lists = {"userinfo": list(self.userinfo), "id_token": list(self.id_token)}
        return {place: names for place, names in lists.items() if names}


def read(text: str | None) -> ClaimsRequest:
    """Read the parameter; what we do not know in it is ignored (§5.5).

    Raises ``InvalidRequest`` for anything but such an object, or one that is too large.
    """
    if text is None:
        return ClaimsRequest()
    members = _object(_parse(text), "claims")
    return ClaimsRequest(_wishes(members, "userinfo"), _wishes(members, "id_token"))


def permission(claim: str) -> str:
    """What a person allows with this claim: the standard scope that holds it, else the claim.

    A claim stands in double quotes, which no scope can hold (RFC 6749 §3.3).
    """
    return _scope_of(claim) or f'"{claim}"'


def claim_of(allowed: str) -> str | None:
    """The claim that a permission names; ``None`` where it is a scope."""
    return allowed[1:-1] if allowed.startswith('"') else None


def tellable(
    request: ClaimsRequest, application: ApplicationFacts, supported: Collection[str]
) -> RequestedClaims:
    """The claims that could be told at all: nothing that no scope of the application tells.

    A claim of no standard scope must be ``supported``.
    """

    def known(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if _is_known(name, application, supported))

    return RequestedClaims(known(request.userinfo), known(request.id_token))


def _is_known(name: str, application: ApplicationFacts, supported: Collection[str]) -> bool:
    if name in PROTOCOL_CLAIMS or not _TOLD.fullmatch(name):
        return False
    scope = _scope_of(name)
    return name in supported if scope is None else scope in application.known_scopes


def _scope_of(claim: str) -> str | None:
    """The standard scope that holds a claim, in whatever language (§5.2)."""
    return _SCOPES.get(claim.partition("#")[0])


def _within(names: Iterable[str], allowed: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if permission(name) in allowed)


def _parse(text: str) -> Any:
    try:
        parsed = strict_json.read(text)
    except ValueError:
        raise InvalidRequest("claims is not JSON, or names a member twice") from None
    if _is_deeper(parsed, MAX_DEPTH):
        raise InvalidRequest("claims is nested too deeply")
    return parsed


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inside)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be a JSON object")
    return value


def _wishes(members: Mapping[str, Any], place: str) -> Mapping[str, Wish]:
    if members.get(place) is None:
        return _NOTHING
    asked = _object(members[place], f"{place} in claims")
    if len(asked) > MAX_CLAIMS:
        raise InvalidRequest(f"{place} in claims names more than {MAX_CLAIMS} claims")
    return MappingProxyType({name: _wish(asked[name], place) for name in asked})


def _wish(asked: Any, place: str) -> Wish:
    if asked is None:
        return Wish()
    members = _object(asked, f"what is not null in {place} of claims")
    essential, values = members.get("essential", False), members.get("values", [])
    if not isinstance(essential, bool) or not isinstance(values, list):
        raise InvalidRequest(f"a claim of {place} in claims has a member of the wrong type")
    alone = [members["value"]] if "value" in members else []
    if len(values) > MAX_VALUES:
        raise InvalidRequest(f"a claim of {place} in claims has more than {MAX_VALUES} values")
    return Wish(essential, (*alone, *values))
