"""Account Mapping: which claims of a person can be the name that an application is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .application import ApplicationFacts, UserNameStrategy
from .claims_request import PROTOCOL_CLAIMS

LOGIN_NAME = "preferred_username"

#: What OpenID Connect Core §5.1 defines as something other than a text.
_NO_TEXT = frozenset(("email_verified", "phone_number_verified", "address", "updated_at"))


def names(supported: Iterable[str]) -> tuple[str, ...]:
    """The claims of a provider that can be a name: the login name, which always is, comes first."""
    never = PROTOCOL_CLAIMS | _NO_TEXT
    return tuple(dict.fromkeys((LOGIN_NAME, *(one for one in supported if one not in never))))


def maps(application: ApplicationFacts) -> bool:
    """Whether this application is told another name than the login name."""
    fixed = application.user_name_strategy is UserNameStrategy.FIXED
    return fixed or application.user_name_claim != LOGIN_NAME


def renamed(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The same claims, where ``preferred_username`` is ``name`` in whatever language (§5.2)."""
    return {
        claim: name if claim.partition("#")[0] == LOGIN_NAME else value
        for claim, value in told.items()
    }
