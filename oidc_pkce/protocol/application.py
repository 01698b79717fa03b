"""An application as the rules see it: a frozen value, read afresh for every request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from .scope import STANDARD

STANDARD_SCOPES = tuple(STANDARD)


class Template(StrEnum):
    """The three kinds of application, by the names that CyberArk's documents use."""

    OAUTH2_CLIENT = "OAuth2ServerClient"
    OAUTH2_SERVER = "OAuth2Server"
    OPENID_CONNECT = "Generic OpenID Connect"


class ClientIdType(StrEnum):
    """How an application decides whom a ``client_id`` names."""

    ANYTHING = "Anything"
    LIST = "List"
    CONFIDENTIAL = "Confidential"

    @property
    def is_public(self) -> bool:
        """Whether clients of this type have no secret (RFC 6749 §2.1)."""
        return self is not ClientIdType.CONFIDENTIAL


class TokenType(StrEnum):
    """What an access token looks like, and which algorithm signs it."""

    RS256 = "JwtRS256"
    ES256 = "JwtES256"
    EDDSA = "JwtEdDSA"
    PS256 = "JwtPS256"
    OPAQUE = "Opaque"

    @property
    def algorithm(self) -> str:
        """The JWS algorithm (RFC 7518 §3.1); ID tokens of an Opaque application use RS256."""
        return "RS256" if self is TokenType.OPAQUE else self.value.removeprefix("Jwt")


class Flow(StrEnum):
    """A flow that the Tokens page can tick."""

    AUTHORIZATION_CODE = "AuthorizationCode"
    IMPLICIT = "Implicit"
    CLIENT_CREDENTIALS = "ClientCreds"
    PASSWORD = "ResourceCreds"  # noqa: S105 - CyberArk's name of the flow, not a password


@dataclass(frozen=True, slots=True)
class ApplicationFacts:
    """Everything that the rules need to know of one application; lifetimes are durations."""

    pk: int
    application_id: str
    name: str
    description: str
    template: Template
    enabled: bool
    issuer: str
    client_id_type: ClientIdType
    client_ids: tuple[str, ...]
    openid_client_id: str
    require_client_secret: bool
    must_be_oauth_client: bool
    audience: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    token_type: TokenType
    access_token_typ: str
    flows: frozenset[Flow]
    access_token_lifetime: timedelta
    issues_refresh_tokens: bool
    refresh_token_lifetime: timedelta
    rotates_refresh_tokens: bool
    requires_pkce: bool
    allows_plain_pkce: bool
    requires_consent: bool
    allows_scope_selection: bool

    @property
    def is_openid_connect(self) -> bool:
        """Whether this application signs people in with ID tokens."""
        return self.template is Template.OPENID_CONNECT

    @property
    def algorithm(self) -> str:
        """The algorithm that signs this application's tokens."""
        return self.token_type.algorithm
