"""The table of an application document: which key holds which field, and how it is spelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from ....models import LoginInitiation, Principal, Right
from ....protocol.access_token import AT_JWT, JWT
from ....protocol.application import Profile, SubjectType, TokenType, UserNameStrategy
from .. import durations
from .reader import Reader


class AccessTokenTyp(Enum):
    """The two header types of an access token."""

    JWT = JWT
    AT_JWT = AT_JWT


class Cleared(Enum):
    """What a key says that is there and says nothing, where nothing is a value of its own."""

    CLEARED = None


@dataclass(frozen=True, slots=True)
class Key:
    """One key, the field that it holds, and its spelling. Reading gives ``None`` for nothing."""

    name: str
    field: str
    spelled: Callable[[Reader, str], Any]
    write: Callable[[Any], Any] = lambda value: value

    def read(self, reader: Reader) -> Any:
        """The field's value, or ``None`` to keep what is stored."""
        return self.spelled(reader, self.name)


def _filled(reader: Reader, key: str) -> str | None:
    return reader.text(key) or None


def _flows(reader: Reader, key: str) -> list[str] | None:
    text = reader.text(key)
    if text is None:
        return None
    return [name.strip() for name in text.split(",") if name.strip()]


def _limit(reader: Reader, key: str) -> timedelta | Cleared | None:
    """A lifetime or no limit: ``null`` and an empty text end one, a missing key keeps it."""
    said = reader.peek(key)
    if key in reader.members and said in (None, ""):
        return Cleared.CLEARED
    return reader.lifetime(key)


def _render_limit(limit: timedelta | None) -> str | None:
    return None if limit is None else durations.render(limit)


def _one_of(choices: type[Enum]) -> Callable[[Reader, str], Any]:
    def read(reader: Reader, key: str) -> Any:
        found = reader.choice(key, choices)
        return None if found is None else found.value

    return read


DOCUMENT = (
    Key("Name", "name", _filled),
    Key("Description", "description", Reader.text),
    Key("Category", "category", _filled),
    Key("Url", "url", Reader.text),
    Key("ShowInUserAppList", "show_in_user_app_list", Reader.flag),
    Key("Enabled", "enabled", Reader.flag),
)

PROFILE = (
    Key("AllowedClients", "client_ids", Reader.texts),
    Key("MustBeOauthClient", "must_be_oauth_client", Reader.flag),
    Key("Issuer", "issuer", Reader.text),
    Key("Audience", "audience", Reader.text),
    Key("Redirects", "redirect_uris", Reader.texts),
    Key("PostLogoutRedirects", "post_logout_redirect_uris", Reader.texts),
    Key("TrustedOrigins", "trusted_origins", Reader.texts),
    Key("TokenType", "token_type", _one_of(TokenType)),
    Key("AccessTokenTyp", "access_token_typ", _one_of(AccessTokenTyp)),
    Key("AllowedAuth", "flows", _flows, ",".join),
    Key("TokenLifetimeString", "access_token_lifetime", Reader.lifetime, durations.render),
    Key("AllowRefresh", "issues_refresh_tokens", Reader.flag),
    Key("RefreshLifetimeString", "refresh_token_lifetime", Reader.lifetime, durations.render),
    Key("RotateRefresh", "rotates_refresh_tokens", Reader.flag),
    Key("Confirm", "requires_consent", Reader.flag),
    Key("AllowScopeSelect", "allows_scope_selection", Reader.flag),
    Key("RequirePkce", "requires_pkce", Reader.flag),
    Key("AllowPlainPkce", "allows_plain_pkce", Reader.flag),
)

EXTENSION = (
    Key("Profile", "profile", _one_of(Profile)),
    Key("RequireClientSecret", "require_client_secret", Reader.flag),
    Key("LoginInitiation", "login_initiation", _one_of(LoginInitiation)),
    Key("BackchannelLogoutUri", "backchannel_logout_uri", Reader.text),
    Key("FrontchannelLogoutUri", "frontchannel_logout_uri", Reader.text),
    Key("SubjectType", "subject_type", _one_of(SubjectType)),
    Key("ClaimsInIdToken", "claims_in_id_token", Reader.flag),
    Key("ClientKeys", "client_jwks", Reader.members_of),
    Key("UserNameStrategy", "user_name_strategy", _one_of(UserNameStrategy)),
    Key("UserNameClaim", "user_name_claim", _filled),
    Key("SharedUserName", "shared_user_name", Reader.text),
    Key("SignInMaxAge", "sign_in_max_age", _limit, _render_limit),
    Key("AllowedNetworks", "allowed_networks", Reader.texts),
    Key("RequiredAcr", "required_acr", Reader.text),
)

RIGHTS: Mapping[str, Right] = {
    "Grant": Right.GRANT,
    "View": Right.VIEW,
    "Manage": Right.MANAGE,
    "Delete": Right.DELETE,
    "Execute": Right.RUN,
    "Automatic": Right.DEPLOY,
}

PRINCIPALS: Mapping[str, Principal] = {
    "User": Principal.USER,
    "Group": Principal.GROUP,
    "Role": Principal.EVERYBODY,
}

#: Where the importer's sentences point for a fault of a field.
PATHS: Mapping[str, str] = {
    "application_id": "ServiceName",
    "template": "TemplateName",
    "client_id_type": "OAuthProfile.ClientIDType",
    "openid_client_id": "OAuthProfile.ClientId",
    "scopes": "OAuthProfile.KnownScopes",
    "permissions": "Permissions",
    **{key.field: key.name for key in DOCUMENT},
    **{key.field: f"OAuthProfile.{key.name}" for key in PROFILE},
    **{key.field: f"OidcPkce.{key.name}" for key in EXTENSION},
}

#: The same within an entry of ``KnownScopes`` or ``Permissions``.
INNER_PATHS: Mapping[str, str] = {
    "name": "Scope",
    "description": "Description",
    "rest_patterns": "AllowedRest",
    "principal": "Principal",
}
