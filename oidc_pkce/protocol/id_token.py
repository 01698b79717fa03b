"""ID tokens (OpenID Connect Core §2, §3.1.3.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .access_token import ONLY_IN_ACCESS_TOKENS, TokenFacts
from .jose import left_half_hash

TYP = "JWT"
_OPTIONAL = ("nonce", "sid", "at_hash", "c_hash")  # ours, even in a token that has none
ALGORITHM = "RS256"  # what every client expects that did not register another (Core §15.1)


def claims(
    facts: TokenFacts,
    *,
    algorithm: str,
    access_token: str | None = None,
    code: str | None = None,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """The claims of an ID token for the client of this grant; ``extra`` replaces none of ours.

    The token is bound to the ``access_token`` and the ``code`` of the same answer (Core §3.3.2.11).
    """
    own: dict[str, Any] = {
        "iss": facts.issuer,
        "sub": facts.subject,
        "aud": facts.client_id,
        "exp": facts.expires_at,
        "iat": facts.issued_at,
        "auth_time": facts.auth_time,
        "azp": facts.client_id,
        "unique_name": facts.login_name,
    }
    if facts.nonce is not None:
        own["nonce"] = facts.nonce
    if facts.sid:
        own["sid"] = facts.sid
    if facts.amr:
        own["amr"] = list(facts.amr)
    if facts.acr:
        own["acr"] = facts.acr
    if access_token is not None:
        own["at_hash"] = left_half_hash(access_token, algorithm)
    if code is not None:
        own["c_hash"] = left_half_hash(code, algorithm)
    never = (*ONLY_IN_ACCESS_TOKENS, *_OPTIONAL)
    return {**{name: value for name, value in extra.items() if name not in never}, **own}
