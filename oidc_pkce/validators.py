"""What an application may hold. Migrations name these functions: their paths are frozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from ipaddress import ip_network

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from .protocol import redirect_uri, rest_patterns, scope
from .protocol.application import Flow
from .protocol.errors import InvalidScope
from .protocol.request_object import verification_keys

MINIMUM_LIFETIME = timedelta(minutes=1)
MAXIMUM_LIFETIME = timedelta(days=3650)
MAX_ENTRIES = 500
MAX_PATTERN = 200

# Line breaks and the joiners of Persian and Indic scripts stay; U+202E and its like would let a
# name on the consent page read as another one.
_UNREADABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

#: What ``redirect_uri.problem`` and ``issuer_problem`` say, for translators; one that names what it
#: found is not among them, and stays as it is.
FAULTS = (
    gettext_noop("it is empty"),
    gettext_noop("it holds a space, a line break or another control character"),
    gettext_noop("it holds a character outside ASCII: write the host in punycode"),
    gettext_noop("it holds a backslash, which browsers read as a slash"),
    gettext_noop("it has a fragment (#), which RFC 6749 section 3.1.2 forbids"),
    gettext_noop("it holds an encoded control character"),
    gettext_noop("it holds a % that two hexadecimal digits do not follow"),
    gettext_noop("it holds a character no URI may hold"),
    gettext_noop("it is relative: begin with https:// or the scheme of your app"),
    gettext_noop("it holds a user name or password before the host"),
    gettext_noop("its path holds . or .. segments"),
    gettext_noop("its port is not a number from 1 to 65535"),
    gettext_noop("its host is neither a name nor an address in the usual notation"),
    gettext_noop("its scheme is missing: write http:// or https:// before the host"),
    gettext_noop("nothing follows its scheme"),
    gettext_noop("it names no host: write https://host/path"),
    gettext_noop("it names no host: write http://host/path"),
    gettext_noop("http is for localhost, 127.0.0.1 and [::1] only: use https"),
    gettext_noop("it must be an https address, or http on this machine"),
    gettext_noop("it must not hold a query"),
)

validate_application_id = RegexValidator(
    re.compile(r"^(?!(?:\.{1,2}|\.well-known|oauth2)\Z)[A-Za-z0-9._-]{1,64}\Z", re.IGNORECASE),
    _(
        "An Application ID is 1 to 64 letters, digits, dots, underscores or hyphens; no spaces."
        " Dots alone, .well-known and OAuth2 stand for something else in addresses."
    ),
)


def validate_text(value: str) -> None:
    """A text that people read holds no control characters, and none that turn its direction."""
    if holds_control_character(value):
        raise ValidationError(gettext("This holds a control character."))


def holds_control_character(value: str) -> bool:
    """Whether a text holds what nobody can read: control characters, lone surrogates."""
    return _UNREADABLE.search(value) is not None


def validate_client_ids(values: object) -> None:
    """Each entry of the Client ID List is 1 to 255 printable characters, once."""
    _each(values, _client_id_problem)


def validate_redirect_uris(values: object) -> None:
    """Each redirect URI is one that a browser can safely be sent to, once (RFC 9700 §2.1)."""
    _each(values, redirect_problem)


def redirect_problem(text: str) -> str | None:
    """Why a text cannot be a redirect URI, in the language of whoever reads it."""
    fault = redirect_uri.problem(text)
    return gettext(fault) if fault else None


def validate_origins(values: object) -> None:
    """Each trusted origin is a scheme, a host and perhaps a port; nothing behind them."""
    _each(values, _origin_problem)


def validate_networks(values: object) -> None:
    """Each network is an address, perhaps with a prefix length, once."""
    _each(values, _network_problem)


def validate_logout_uri(value: str) -> None:
    """A logout URI is an https address without a fragment; http only on this machine."""
    if redirect_uri.problem(value) or redirect_uri.kind(value) == "custom":
        raise ValidationError(
            gettext("“%(value)s” must be an https address, or http on this machine."),
            params={"value": value[:200]},
        )


def validate_client_jwks(value: object) -> None:
    """A JSON Web Key Set of public keys for RS256, PS256 or ES256 (RFC 7517 §5)."""
    if value == {}:
        return
    try:
        verification_keys(value)
    except ValueError as fault:
        raise ValidationError(
            gettext("This is not a set of public keys: %(fault)s."), params={"fault": str(fault)}
        ) from None


def validate_flows(values: object) -> None:
    """Each flow is one of those that the Tokens page shows."""
    known = [flow.value for flow in Flow]
    _each(values, lambda text: None if text in known else "use one of " + ", ".join(known))


def validate_rest_patterns(values: object) -> None:
    """Each REST pattern is a regular expression of bounded length, such as RE2 matches."""
    _each(values, _pattern_problem)


def validate_scope_name(value: str) -> None:
    """A scope's name is one token of RFC 6749 §3.3."""
    try:
        single = scope.parse(value) == (value,)
    except InvalidScope:
        single = False
    if not single:
        raise ValidationError(
            gettext(
                "“%(value)s” cannot name a scope: use printable characters, no spaces or quotes."
            ),
            params={"value": value},
        )


def validate_lifetime(value: timedelta) -> None:
    """A lifetime is at least one minute, and whole seconds."""
    if not MINIMUM_LIFETIME <= value <= MAXIMUM_LIFETIME or value.microseconds:
        raise ValidationError(gettext("A lifetime is at least one minute and at most 3650 days."))


def _each(values: object, problem: Callable[[str], str | None]) -> None:
    """Collect one sentence per bad entry, so that a person can mend all of them at once."""
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValidationError(gettext("This must be a list of texts."))
    if len(values) > MAX_ENTRIES:
        raise ValidationError(
            gettext("At most %(max)s entries are possible."), params={"max": MAX_ENTRIES}
        )
    errors = [*_faults(values, problem), *_repetitions(values)]
    if errors:
        raise ValidationError(errors)


def _faults(
    values: Iterable[str], problem: Callable[[str], str | None]
) -> Iterable[ValidationError]:
    for index, value in enumerate(values):
        if fault := problem(value):
            yield ValidationError(
                gettext("“%(value)s”: %(fault)s"),
                params={"value": value[:200], "fault": fault, "index": index},
            )


def _repetitions(values: list[str]) -> Iterable[ValidationError]:
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            yield ValidationError(
                gettext("“%(value)s” is listed twice."),
                params={"value": value[:200], "index": index},
            )
        seen.add(value)


def _client_id_problem(text: str) -> str | None:
    if not 1 <= len(text) <= 255:
        return gettext("use 1 to 255 characters")
    if text != text.strip() or not text.isprintable():
        return gettext("use printable characters, without spaces around")
    return None


def _origin_problem(text: str) -> str | None:
    if redirect_uri.is_origin(text):
        return None
    return gettext("write scheme, host and perhaps a port, as https://app.example.com")


def _network_problem(text: str) -> str | None:
    try:
        ip_network(text)
    except ValueError:
        return gettext("write a network, as 10.0.0.0/8 or 2001:db8::/32, without host bits")
    return None


def _pattern_problem(text: str) -> str | None:
    if not 1 <= len(text) <= MAX_PATTERN:
        return gettext("use 1 to 200 characters")
    if fault := _fault_of_pattern(text):
        return gettext("not a regular expression: %(error)s") % {"error": fault}
    return None


def _fault_of_pattern(text: str) -> str | None:
    """The engine that matches patterns judges them; where it is missing, Python's own does."""
    if rest_patterns.engine_is_installed():
        return rest_patterns.problem(text)
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return None
