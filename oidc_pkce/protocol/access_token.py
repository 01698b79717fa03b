"""Access tokens as JWTs, and the bearer credential that carries them (RFC 9068, RFC 6750)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import BearerError, InsufficientScope, InvalidRequest, MissingToken

JWT = "JWT"
AT_JWT = "at+jwt"

_OPTIONAL = ("gid", "nonce")  # ours, even in a token that has none
ONLY_IN_ACCESS_TOKENS = ("client_id", "scope", "jti", "app_id")


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What every token of one grant says; times are seconds since the epoch."""

    issuer: str
    subject: str
    client_id: str
    grant_id: str | None
    application_id: str
    audience: tuple[str, ...]
    login_name: str
    auth_time: int
    issued_at: int
    expires_at: int
    scope: str
    nonce: str | None
    sid: str
    amr: tuple[str, ...]
    acr: str


def claims(facts: TokenFacts, *, jti: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of an access token; ``extra`` never replaces one of ours (RFC 9068 §2.2)."""
    own: dict[str, Any] = {
        "iss": facts.issuer,
        "sub": facts.subject,
        "aud": facts.audience[0] if len(facts.audience) == 1 else list(facts.audience),
        "client_id": facts.client_id,
        "app_id": facts.application_id,
        "unique_name": facts.login_name,
        "auth_time": facts.auth_time,
        "iat": facts.issued_at,
        "exp": facts.expires_at,
        "jti": jti,
        "scope": facts.scope,
    }
    if facts.grant_id is not None:
        own["gid"] = facts.grant_id
    if facts.nonce is not None:
        own["nonce"] = facts.nonce
    added = {name: value for name, value in extra.items() if name not in _OPTIONAL}
    return {**added, **own}


def is_access_token(claims: Mapping[str, Any]) -> bool:
    """Whether verified claims are an access token's; an ID token is never one (RFC 9068 §5)."""
    return all(isinstance(claims.get(name), str) for name in ONLY_IN_ACCESS_TOKENS)


def read_bearer(authorization: str | None, in_body: str | None) -> str | None:
    """The bearer token of a request, from its header or its form (RFC 6750 §2).

    Raises ``InvalidRequest`` when both carry one.
    """
    scheme, _, credential = (authorization or "").partition(" ")
    in_header = credential.strip(" ") if scheme.lower() == "bearer" else None
    if in_header is not None and in_body is not None:
        raise InvalidRequest("the access token was sent twice")
    return in_header or in_body


def challenge(refusal: BearerError | InvalidRequest, *, metadata_url: str = "") -> str:
    """What ``WWW-Authenticate`` says of a refusal (RFC 6750 §3); no error where no token was sent.

    ``metadata_url`` is where the API says whose tokens it takes (RFC 9728 §5.1).
    """
    said = {}
    if not isinstance(refusal, MissingToken):
        said = {"error": refusal.error, "error_description": refusal.description}
    if isinstance(refusal, InsufficientScope) and refusal.scopes:
        said["scope"] = " ".join(refusal.scopes)
    if metadata_url:
        said["resource_metadata"] = metadata_url
    pairs = ", ".join(f'{name}="{text}"' for name, text in said.items())
    return f"Bearer {pairs}".rstrip()
