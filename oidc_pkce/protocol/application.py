"""An application as the rules see it: a frozen value, read afresh for every request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

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


class SubjectType(StrEnum):
    """Whether a user has one subject for all applications (OpenID Connect Core §8)."""

    PUBLIC = "public"
    PAIRWISE = "pairwise"


class UserNameStrategy(StrEnum):
    """What an application is told as the login name of a person, by CyberArk's names."""

    DIRECTORY_FIELD = "ADAttribute"
    FIXED = "Fixed"


class Profile(StrEnum):
    """The set of rules that an application promises to keep; what it demands cannot be undone."""

    CYBERARK = "cyberark"
    OAUTH21 = "oauth21"
    FAPI2 = "fapi2"
    LEGACY = "legacy"


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
    backchannel_logout_uri: str
    frontchannel_logout_uri: str
    trusted_origins: tuple[str, ...]
    subject_type: SubjectType
    subject_salt: str = field(repr=False)
    client_jwks: Mapping[str, Any]
    token_type: TokenType
    access_token_typ: str
    flows: frozenset[Flow]
    access_token_lifetime: timedelta
    issues_refresh_tokens: bool
    refresh_token_lifetime: timedelta
    rotates_refresh_tokens: bool
    claims_in_id_token: bool
    requires_pkce: bool
    allows_plain_pkce: bool
    requires_consent: bool
    allows_scope_selection: bool
    user_name_strategy: UserNameStrategy
    user_name_claim: str
    shared_user_name: str
    sign_in_max_age: timedelta | None
    allowed_networks: tuple[str, ...]
    required_acr: str
    profile: Profile
    watched_until: datetime | None
    scope_names: tuple[str, ...]

    @property
    def is_openid_connect(self) -> bool:
        """Whether this application signs people in with ID tokens."""
        return self.template is Template.OPENID_CONNECT

    @property
    def known_scopes(self) -> tuple[str, ...]:
        """Every scope that a client may ask for: the standard ones, then the application's own."""
        standard = STANDARD_SCOPES if self.is_openid_connect else ()
        return tuple(dict.fromkeys((*standard, *self.scope_names)))

    @property
    def longest_grant(self) -> timedelta:
        """How long anything that descends from one grant can live: rotation prolongs nothing.

        The last refresh still gives a whole access token.
        """
        refresh = self.refresh_token_lifetime if self.issues_refresh_tokens else timedelta(0)
        return refresh + self.access_token_lifetime

    @property
    def algorithm(self) -> str:
        """The algorithm that signs this application's tokens."""
        return self.token_type.algorithm
