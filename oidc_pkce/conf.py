"""The settings: one dict, ``OIDC_PKCE``, typed, read when asked for, safe by default."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

DEFAULTS: Mapping[str, Any] = {
    "ISSUER_BASE": None,
    "CLAIMS_PROVIDER": "oidc_pkce.claims.ClaimsProvider",
    "SUBJECT_IDENTIFIER": "oidc_pkce.claims.SubjectIdentifier",
    "INTERACTION_POLICY": "oidc_pkce.interaction_policy.InteractionPolicy",
    "AUTHORIZATION_CODE_LIFETIME": 60,
    "REFRESH_TOKEN_REUSE_WINDOW": 10,
    "INTERACTION_LIFETIME": 3600,
    "CONSENT_LIFETIME": 365 * 86400,
    "METADATA_MAX_AGE": 300,
    "PROCESS_CACHE_SECONDS": 5,
    "SIGNING_KEY_LIFETIME": 90 * 86400,
    "SIGNING_KEY_SECRETS": None,
    "TRACES_PER_APPLICATION": 500,
    "TRACES_OF_UNKNOWN_APPLICATIONS": 500,
    "TRACE_LIFETIME": 7 * 86400,
    "TRACED_SUCCESSES": 0.01,
    "AUDIT_LIFETIME": 365 * 86400,
    "THROTTLING": True,
    "ATTEMPT_WINDOW": 900,
    "ATTEMPTS_PER_ACCOUNT": 10,
    "ATTEMPTS_PER_ADDRESS": 100,
    "PASSWORD_HASHES_AT_ONCE": 2,
    "TRUSTED_PROXIES": (),
    "OUTBOUND_TRUSTED_NETWORKS": (),
    "RESOURCE_SERVER": None,
    "MANAGEMENT_API": None,
}

MINIMUM_SECRET = 32  # characters; what encrypts signing keys must not be guessed
DAY = 86400
YEAR = 365 * DAY


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """``RESOURCE_SERVER``: whose tokens the project's APIs take, and what they say of themselves.

    ``applications`` and ``audience`` are about tokens of our own, ``issuers`` are other servers;
    ``resource`` is the address that RFC 9728 calls the resource identifier.
    """

    applications: tuple[str, ...] = ()
    audience: str = ""
    issuers: tuple[str, ...] = ()
    resource: str = ""
    name: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ManagementApi:
    """``MANAGEMENT_API``: whose tokens open the management API, and the scope that they need."""

    applications: tuple[str, ...]
    scope: str = "management"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the value of a setting must be, in words and as a test."""

    wanted: str
    accepts: Callable[[Any], bool]


def whole(lowest: int, highest: int, unit: str = "") -> Rule:
    """A whole number within bounds; ``True`` is none."""

    def accepts(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest

    return Rule(f"a whole number{unit} from {lowest} to {highest}", accepts)


def seconds(lowest: int, highest: int) -> Rule:
    """A duration, in whole seconds."""
    return whole(lowest, highest, " of seconds")


def number(lowest: int, highest: int) -> Rule:
    """A finite number within bounds; ``True`` is none."""

    def accepts(value: Any) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and lowest <= value <= highest

    return Rule(f"a number from {lowest} to {highest}", accepts)


def _is_network(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(ip_network(value))
    except ValueError:
        return False


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and all(part.isidentifier() for part in value.split("."))


def _is_list(value: Any, accepts: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(map(accepts, value))


def _is_texts(value: Any) -> bool:
    return _is_list(value, lambda text: isinstance(text, str) and bool(text))


def _is_address(value: Any) -> bool:
    """An https address without query or fragment; http on this machine."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
    except ValueError:
        return False
    if parts is None or not parts.hostname or "?" in value or "#" in value or "@" in parts.netloc:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


_RESOURCE_SERVER: Mapping[str, Callable[[Any], bool]] = {
    "APPLICATIONS": _is_texts,
    "AUDIENCE": lambda value: isinstance(value, str),
    "ISSUERS": lambda value: _is_list(value, _is_address),
    "RESOURCE": _is_address,
    "NAME": lambda value: isinstance(value, str),
    "SCOPES": _is_texts,
}


def _is_resource_server(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        name in _RESOURCE_SERVER and _RESOURCE_SERVER[name](given) for name, given in value.items()
    )


def _is_management_api(value: Any) -> bool:
    if not isinstance(value, Mapping) or not set(value) <= {"APPLICATIONS", "SCOPE"}:
        return False
    applications = value.get("APPLICATIONS")
    return bool(applications) and _is_texts(applications) and _is_scope(value.get("SCOPE", "any"))


def _is_scope(value: Any) -> bool:
    """One scope-token of RFC 6749 §3.3."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and bool(value)
        and not set(value) & set(' "\\')
    )


RESOURCE_SERVER = Rule(
    'None or a dict such as {"APPLICATIONS": ["portal"], "AUDIENCE": "https://api.example.com"};'
    " further keys are ISSUERS, RESOURCE, NAME and SCOPES, and an address is https",
    lambda value: value is None or _is_resource_server(value),
)
MANAGEMENT_API = Rule(
    'None or a dict such as {"APPLICATIONS": ["operations"], "SCOPE": "management"}, which names at'
    " least one application",
    lambda value: value is None or _is_management_api(value),
)
NETWORKS = Rule(
    'a list of networks such as ["10.0.0.0/8", "fd00::/8"]',
    lambda value: _is_list(value, _is_network),
)
PATH = Rule(
    'the dotted path of a class, such as "accounts.oidc.Claims"',
    lambda value: _is_path(value) and "." in value,
)
SWITCH = Rule("True or False", lambda value: isinstance(value, bool))
SECRETS = Rule(
    f"None or a list of texts, each of {MINIMUM_SECRET} characters at least",
    lambda value: (
        value is None
        or (
            bool(value)
            and _is_list(value, lambda x: isinstance(x, str) and len(x) >= MINIMUM_SECRET)
        )
    ),
)

#: ISSUER_BASE has checks of its own. A worker may be two PROCESS_CACHE_SECONDS behind the table,
#: and a new key waits one minute longer than METADATA_MAX_AGE: hence the 30.
RULES: Mapping[str, Rule] = {
    "ISSUER_BASE": Rule("a text", lambda value: value is None or isinstance(value, str)),
    "CLAIMS_PROVIDER": PATH,
    "SUBJECT_IDENTIFIER": PATH,
    "INTERACTION_POLICY": PATH,
    "AUTHORIZATION_CODE_LIFETIME": seconds(1, 600),
    "REFRESH_TOKEN_REUSE_WINDOW": seconds(0, 60),
    "INTERACTION_LIFETIME": seconds(60, DAY),
    "CONSENT_LIFETIME": seconds(60, 10 * YEAR),
    "METADATA_MAX_AGE": seconds(0, DAY),
    "PROCESS_CACHE_SECONDS": number(0, 30),
    "SIGNING_KEY_LIFETIME": seconds(3600, 10 * YEAR),
    "SIGNING_KEY_SECRETS": SECRETS,
    "TRACES_PER_APPLICATION": whole(0, 100_000),
    "TRACES_OF_UNKNOWN_APPLICATIONS": whole(0, 100_000),
    "TRACE_LIFETIME": seconds(60, 10 * YEAR),
    "TRACED_SUCCESSES": number(0, 1),
    "AUDIT_LIFETIME": seconds(DAY, 100 * YEAR),
    "THROTTLING": SWITCH,
    "ATTEMPT_WINDOW": seconds(1, DAY),
    "ATTEMPTS_PER_ACCOUNT": whole(1, 100_000),
    "ATTEMPTS_PER_ADDRESS": whole(1, 1_000_000),
    "PASSWORD_HASHES_AT_ONCE": whole(1, 1_000),
    "TRUSTED_PROXIES": NETWORKS,
    "OUTBOUND_TRUSTED_NETWORKS": NETWORKS,
    "RESOURCE_SERVER": RESOURCE_SERVER,
    "MANAGEMENT_API": MANAGEMENT_API,
}


class Settings:
    """``OIDC_PKCE`` with its defaults; lifetimes are given in seconds and read as durations."""

    def _value(self, name: str) -> Any:
        given = getattr(django_settings, "OIDC_PKCE", None) or {}
        return given[name] if name in given else DEFAULTS[name]

    def _duration(self, name: str) -> timedelta:
        return timedelta(seconds=self._value(name))

    @property
    def issuer_base(self) -> str:
        """The public base URL, without a trailing slash; never taken from a Host header.

        Raises ``ImproperlyConfigured`` when it is not set.
        """
        base = self._value("ISSUER_BASE")
        if not base:
            raise ImproperlyConfigured(
                'OIDC_PKCE needs "ISSUER_BASE", e.g. "https://id.example.com"'
            )
        return str(base).rstrip("/")

    @property
    def prefix(self) -> str:
        """The path of ``ISSUER_BASE``, under which the endpoints are mounted; no slashes around."""
        return urlsplit(self.issuer_base).path.strip("/")

    @property
    def base_is_loopback(self) -> bool:
        """Whether this provider is reached on this machine only, as in development.

        A project that only takes tokens has no base: then its issuers tell.
        """
        base = self._value("ISSUER_BASE")
        addresses = [str(base)] if base else list(self.resource_server.issuers)
        hosts = [urlsplit(address).hostname or "" for address in addresses]
        return bool(hosts) and all(map(is_loopback, hosts))

    @property
    def claims_provider(self) -> Any:
        """An instance of the class that says which claims a user has."""
        return _instance(self._value("CLAIMS_PROVIDER"))

    @property
    def subject_identifier(self) -> Any:
        """An instance of the class that names a user to applications."""
        return _instance(self._value("SUBJECT_IDENTIFIER"))

    @property
    def interaction_policy(self) -> Any:
        """An instance of the class that says how strongly people prove who they are."""
        return _instance(self._value("INTERACTION_POLICY"))

    @property
    def authorization_code_lifetime(self) -> timedelta:
        """How long a code can be redeemed (RFC 6749 §4.1.2 recommends ten minutes at most)."""
        return self._duration("AUTHORIZATION_CODE_LIFETIME")

    @property
    def refresh_token_reuse_window(self) -> timedelta:
        """How long a spent refresh token still gives its successor: two tabs refresh at once."""
        return self._duration("REFRESH_TOKEN_REUSE_WINDOW")

    @property
    def refresh_token_secrets(self) -> tuple[str, ...]:
        """What successors are derived under: the first derives, the others may have derived."""
        return (django_settings.SECRET_KEY, *map(str, django_settings.SECRET_KEY_FALLBACKS))

    @property
    def interaction_lifetime(self) -> timedelta:
        """How long a person may stay on the sign-in and consent pages."""
        return self._duration("INTERACTION_LIFETIME")

    @property
    def consent_lifetime(self) -> timedelta:
        """How long a person's consent is remembered."""
        return self._duration("CONSENT_LIFETIME")

    @property
    def metadata_max_age(self) -> timedelta:
        """How long clients may keep metadata and keys; new keys are published that much earlier."""
        return self._duration("METADATA_MAX_AGE")

    @property
    def process_cache_seconds(self) -> float:
        """How stale a process's metadata and key bytes may become."""
        return float(self._value("PROCESS_CACHE_SECONDS"))

    @property
    def signing_key_lifetime(self) -> timedelta:
        """How long a key signs before ``rotate_keys`` replaces it."""
        return self._duration("SIGNING_KEY_LIFETIME")

    @property
    def signing_key_secrets(self) -> tuple[str, ...]:
        """What private keys are encrypted under: the first encrypts, all decrypt."""
        own = self._value("SIGNING_KEY_SECRETS")
        return tuple(own or (django_settings.SECRET_KEY, *django_settings.SECRET_KEY_FALLBACKS))

    @property
    def traces_per_application(self) -> int:
        """How many request traces one application keeps."""
        return int(self._value("TRACES_PER_APPLICATION"))

    @property
    def traces_of_unknown_applications(self) -> int:
        """How many traces of requests to unknown applications are kept, all together."""
        return int(self._value("TRACES_OF_UNKNOWN_APPLICATIONS"))

    @property
    def trace_lifetime(self) -> timedelta:
        """How long a request trace is kept."""
        return self._duration("TRACE_LIFETIME")

    @property
    def traced_successes(self) -> float:
        """The share of successful requests that are traced: 0 none, 1 all."""
        return float(self._value("TRACED_SUCCESSES"))

    @property
    def audit_lifetime(self) -> timedelta:
        """How long audit events are kept."""
        return self._duration("AUDIT_LIFETIME")

    @property
    def throttling(self) -> bool:
        """Whether failed attempts are limited."""
        return bool(self._value("THROTTLING"))

    @property
    def attempt_window(self) -> timedelta:
        """How long a failed attempt counts."""
        return self._duration("ATTEMPT_WINDOW")

    @property
    def attempts_per_account(self) -> int:
        """How many failures one account may have within the window."""
        return int(self._value("ATTEMPTS_PER_ACCOUNT"))

    @property
    def attempts_per_address(self) -> int:
        """How many failures one address (IPv6: one /64) may have within the window."""
        return int(self._value("ATTEMPTS_PER_ADDRESS"))

    @property
    def password_hashes_at_once(self) -> int:
        """How many passwords one process looks at at a time; the next one waits, then is sent away.

        A hash takes half a second of a processor, which token requests must not wait for.
        """
        return int(self._value("PASSWORD_HASHES_AT_ONCE"))

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Networks whose X-Forwarded-For is believed."""
        return tuple(self._value("TRUSTED_PROXIES"))

    @property
    def outbound_trusted_networks(self) -> tuple[str, ...]:
        """Private networks that requests of ours may reach."""
        return tuple(self._value("OUTBOUND_TRUSTED_NETWORKS"))

    @property
    def resource_server(self) -> ResourceServer:
        """What the project's own APIs take and say, unless a class of theirs says otherwise.

        Raises ``ImproperlyConfigured`` for what the system check E002 names.
        """
        given = self._value("RESOURCE_SERVER")
        if not RESOURCE_SERVER.accepts(given):
            raise ImproperlyConfigured(
                f'OIDC_PKCE["RESOURCE_SERVER"] must be {RESOURCE_SERVER.wanted}.'
            )
        read: dict[str, Any] = {
            name.lower(): value if isinstance(value, str) else tuple(value)
            for name, value in (given or {}).items()
        }
        return ResourceServer(**read)

    @property
    def management_api(self) -> ManagementApi | None:
        """Whose tokens open the management API; ``None`` when nobody's do.

        Raises ``ImproperlyConfigured`` for what the system check E002 names.
        """
        given = self._value("MANAGEMENT_API")
        if not MANAGEMENT_API.accepts(given):
            raise ImproperlyConfigured(
                f'OIDC_PKCE["MANAGEMENT_API"] must be {MANAGEMENT_API.wanted}.'
            )
        if given is None:
            return None
        read = {name.lower(): value for name, value in given.items()}
        return ManagementApi(**{**read, "applications": tuple(given["APPLICATIONS"])})


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine (RFC 6761 §6.3); no brackets."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@lru_cache(maxsize=8)
def _instance(path: str) -> Any:
    return import_string(path)()


settings = Settings()
