"""System checks: what is wrong with a set-up, and what to write instead.

Every id has a heading in ``docs/reference/system-checks.md``. Checks never raise: a mistake that
another check names makes a check that depends on it say nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.apps import apps
from django.conf import settings as django_settings
from django.core import checks
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Tags
from django.db import connections, router
from django.http.request import split_domain_port, validate_host
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse
from django.utils import timezone
from django.utils.module_loading import import_string

from .conf import DEFAULTS, RULES, is_loopback

TAG = "oidc_pkce"
SQLITE_TIMEOUT = 10  # seconds; less, and a burst of token requests meets "database is locked"
PROBE = "system-check"  # an Application ID that need not exist: only the pattern is asked

NEEDED_APPS = ("django.contrib.auth", "django.contrib.sessions")
NEEDED_MIDDLEWARE = (
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
)


def register() -> None:
    """Register every check with Django; called once, when the apps are ready."""
    for check in (
        check_settings,
        check_issuer_base,
        check_classes,
        check_host_project,
        check_sqlite,
    ):
        checks.register(check, TAG)
    checks.register(check_urls, TAG, Tags.urls)
    checks.register(check_resource_metadata, TAG, Tags.urls)
    checks.register(check_deployment, TAG, Tags.security, deploy=True)
    checks.register(check_signing_keys, TAG, Tags.database)
    checks.register(check_rest_patterns, TAG, Tags.database)


def check_settings(**_: Any) -> list[CheckMessage]:
    """Every key of ``OIDC_PKCE`` is known, and its value of the right type and range."""
    given = getattr(django_settings, "OIDC_PKCE", None)
    if given is not None and not isinstance(given, Mapping):
        wrong = f"OIDC_PKCE is {given!r}, which is not a dict."
        return [_error("E002", wrong, 'Write OIDC_PKCE = {"ISSUER_BASE": "https://…"}.')]
    unknown = [_unknown(name) for name in _given() if name not in DEFAULTS]
    return [*unknown, *(_wrong(name) for name in _given() if name in RULES and not _is_right(name))]


def check_issuer_base(**_: Any) -> list[CheckMessage]:
    """``ISSUER_BASE`` is an address that issuers can be made of."""
    base = _value("ISSUER_BASE")
    if _only_takes_tokens():
        return []
    if not base:
        missing = 'OIDC_PKCE has no "ISSUER_BASE".'
        return [_error("E003", missing, 'Add the public address, e.g. "https://id.example.com".')]
    problem = _problem_of(base)
    if problem:
        hint = "Write scheme, host and perhaps a port and path, e.g. https://id.example.com/sso."
        return [_error("E004", f'ISSUER_BASE is "{base}": it {problem}.', hint)]
    parts = urlsplit(base)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        hint = f'Write "https{base[4:]}"; plain http is for localhost, 127.0.0.1 and [::1] only.'
        return [_error("E005", f'ISSUER_BASE is "{base}", which is not https.', hint)]
    return []


def check_urls(**_: Any) -> list[CheckMessage]:
    """The endpoints answer where ``ISSUER_BASE`` says, and the metadata at the host's root."""
    base = _usable_base()
    if base is None or not getattr(django_settings, "ROOT_URLCONF", None):
        return []
    path = base.path.rstrip("/")
    return [*_endpoint_problems(base, path), *_well_known_problems(path)]


def check_resource_metadata(**_: Any) -> list[CheckMessage]:
    """What the project's API says of itself is where its challenges send clients."""
    from .protocol.protected_resource import metadata_path

    resource = (_value("RESOURCE_SERVER") or {}).get("RESOURCE")
    if not resource or not getattr(django_settings, "ROOT_URLCONF", None):
        return []
    url = f"/{metadata_path(resource)}"
    if _is_ours(url, "oidc_pkce_resource_server", prefix="/"):
        return []
    says = f"Nothing of ours answers at {url}, where challenges send clients of {resource}."
    hint = 'Add path("", include("oidc_pkce.resource_server.urls")) to the root urlpatterns.'
    return [_warning("W007", says, hint)]


def check_classes(**_: Any) -> list[CheckMessage]:
    """The classes that ``OIDC_PKCE`` names can be imported and are of the right kind."""
    from . import claims, interaction_policy

    wanted = {
        "CLAIMS_PROVIDER": claims.ClaimsProvider,
        "SUBJECT_IDENTIFIER": claims.SubjectIdentifier,
        "INTERACTION_POLICY": interaction_policy.InteractionPolicy,
    }
    return [
        message
        for name, parent in wanted.items()
        if _is_right(name)
        for message in _class_problems(name, parent)
    ]


def check_host_project(**_: Any) -> list[CheckMessage]:
    """The host project has the apps and the middleware that sign-in needs."""
    if _only_takes_tokens():
        return []
    missing_apps = [name for name in NEEDED_APPS if not apps.is_installed(name)]
    missing = [path for path in NEEDED_MIDDLEWARE if not _has_middleware(path)]
    return [
        *(
            _error("E011", f"{n} is not installed.", f'Add "{n}" to INSTALLED_APPS.')
            for n in missing_apps
        ),
        *(_error("E012", f"{p} is missing.", f'Add "{p}" to MIDDLEWARE.') for p in missing),
    ]


def check_sqlite(**_: Any) -> list[CheckMessage]:
    """An SQLite database takes parallel writers: immediate transactions, and patience."""
    connection = connections[_database()]
    if connection.vendor != "sqlite":
        return []
    options = connection.settings_dict.get("OPTIONS", {})
    mode = str(options.get("transaction_mode") or "DEFERRED").upper()
    timeout = options.get("timeout", 5)  # Python's own default
    if mode != "DEFERRED" and timeout >= SQLITE_TIMEOUT:
        return []
    return [
        _warning(
            "W002",
            f"SQLite uses {mode} transactions and waits {timeout} seconds for a lock: parallel"
            ' token requests end in "database is locked".',
            f"Write DATABASES[{connection.alias!r}]['OPTIONS'] ="
            " {'transaction_mode': 'IMMEDIATE', 'timeout': 30,"
            " 'init_command': 'PRAGMA journal_mode = WAL'}.",
        )
    ]


def check_deployment(**_: Any) -> list[CheckMessage]:
    """Cache, cookies and hosts are fit to serve people; run by ``check --deploy``."""
    return [*_cache_problems(), *_cookie_problems(), *_host_problems()]


def check_signing_keys(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Every published signing key can be decrypted, under the first of the secrets."""
    connection = connections[_database()]
    if connection.alias not in (databases or ()) or not _is_right("SIGNING_KEY_SECRETS"):
        return []
    from .models import SigningKey

    if SigningKey._meta.db_table not in connection.introspection.table_names():
        return []  # `migrate` runs this check before there is a table
    published = SigningKey.objects.published(timezone.now())
    return [message for row in published.only("kid", "private_key") for message in _of_key(row)]


def check_rest_patterns(*, databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """REST patterns that the project's APIs may rely on can be matched."""
    from .models import Scope
    from .protocol.rest_patterns import engine_is_installed

    connection = connections[_database()]
    if connection.alias not in (databases or ()) or not _value("RESOURCE_SERVER"):
        return []
    tables = connection.introspection.table_names()
    if engine_is_installed() or Scope._meta.db_table not in tables:
        return []
    if not Scope.objects.exclude(rest_patterns=[]).exists():
        return []
    says = "Scopes hold REST patterns, but google-re2, which matches them, is not installed."
    return [_error("E014", says, "Install oidc-pkce[resource-server].")]


def _error(number: str, says: str, hint: str) -> CheckMessage:
    return Error(says, hint=hint, id=f"{TAG}.{number}")


def _warning(number: str, says: str, hint: str) -> CheckMessage:
    return checks.Warning(says, hint=hint, id=f"{TAG}.{number}")


def _given() -> Mapping[str, Any]:
    given = getattr(django_settings, "OIDC_PKCE", None)
    return given if isinstance(given, Mapping) else {}


def _is_right(name: str) -> bool:
    return name not in _given() or RULES[name].accepts(_given()[name])


def _value(name: str) -> Any:
    """The value that a check may rely on: the default where the given one is wrong."""
    return _given().get(name, DEFAULTS[name]) if _is_right(name) else DEFAULTS[name]


def _only_takes_tokens() -> bool:
    """Whether this project issues nothing: its APIs take the tokens of other servers."""
    return not _value("ISSUER_BASE") and bool((_value("RESOURCE_SERVER") or {}).get("ISSUERS"))


def _unknown(name: Any) -> CheckMessage:
    near = difflib.get_close_matches(str(name).upper(), DEFAULTS, n=1)
    hint = (
        f'Did you mean "{near[0]}"?' if near else "Remove it; docs/reference/settings.md lists all."
    )
    return _error("E001", f"OIDC_PKCE has no setting {name!r}.", hint)


def _wrong(name: str) -> CheckMessage:
    """A secret is not repeated in a message that ends in a log."""
    value = "wrong" if "SECRET" in name else repr(_given()[name])
    return _error("E002", f'OIDC_PKCE["{name}"] is {value}.', f"Write {RULES[name].wanted}.")


def _problem_of(base: str) -> str | None:
    """What is wrong with the shape of a base URL, as the rest of a sentence."""
    try:
        parts = urlsplit(base)
        parts.port  # noqa: B018 - reading it is what raises
    except ValueError:
        return "cannot be read as a URL"
    authority = parts.netloc
    problems: Iterable[tuple[bool, str]] = (
        (
            not base.isascii() or not base.isprintable() or " " in base,
            "holds a space or a character that no URL has",
        ),
        ("\\" in base, "holds a backslash"),
        (parts.scheme not in ("http", "https"), "does not begin with https://"),
        (not parts.hostname, "names no host"),
        ("@" in authority, "names a user"),
        ("?" in base or "#" in base, "holds a query or a fragment"),
        (
            authority != authority.lower(),
            "writes its host in capitals, and issuers are compared exactly",
        ),
        ("//" in parts.path or "/." in parts.path, "has a path that browsers would rewrite"),
    )
    return next((words for is_wrong, words in problems if is_wrong), None)


def _usable_base() -> SplitResult | None:
    base = _value("ISSUER_BASE")
    return None if not base or _problem_of(base) else urlsplit(base)


def _endpoint_problems(base: SplitResult, path: str) -> Iterator[CheckMessage]:
    from .protocol.metadata import PATHS

    expected = {name: f"{path}/{tail}/{PROBE}" for name, tail in PATHS.items()}
    mounted = _mounted(PATHS["authorize"])
    if mounted is None:
        add = 'Add path("…", include("oidc_pkce.urls")) to the project\'s urlpatterns.'
        yield _error("E006", "The endpoints are mounted nowhere.", add)
    elif mounted != f"{path}/":
        yield _error(
            "E007",
            f'ISSUER_BASE is "{base.geturl()}", but the endpoints are mounted under "{mounted}".',
            f'Mount them under "{path}/", or let ISSUER_BASE end in "{mounted}". Where a proxy or'
            " server takes the path away, name it in FORCE_SCRIPT_NAME.",
        )
    else:
        yield from (_hidden(url) for url in expected.values() if not _is_ours(url, TAG))


def _mounted(authorize: str) -> str | None:
    """The path before ``OAuth2/…``, as the project mounts it."""
    try:
        return reverse("oidc_pkce:authorize", args=[PROBE])[: -len(f"{authorize}/{PROBE}")]
    except NoReverseMatch:
        return None


def _hidden(url: str) -> CheckMessage:
    hint = 'Put include("oidc_pkce.urls") before patterns that match everything.'
    return _error("E008", f"Another view of the project answers at {url}.", hint)


def _well_known_problems(path: str) -> Iterator[CheckMessage]:
    url = f"/.well-known/oauth-authorization-server{path}/{PROBE}"
    if not _is_ours(url, "oidc_pkce_well_known", prefix="/"):
        yield _warning(
            "W001",
            f"Nothing of ours answers at {url}, where RFC 8414 clients look for metadata.",
            'Add path("", include("oidc_pkce.well_known_urls")) to the root urlpatterns, and let'
            " the proxy pass /.well-known/ on.",
        )


def _is_ours(url: str, app_name: str, *, prefix: str | None = None) -> bool:
    script = get_script_prefix() if prefix is None else prefix
    try:
        return app_name in resolve("/" + url.removeprefix(script).lstrip("/")).app_names
    except Resolver404:
        return False


def _class_problems(name: str, parent: type) -> Iterator[CheckMessage]:
    path = _value(name)
    try:
        found = import_string(path)
    except Exception as error:  # noqa: BLE001 - a host's module may raise whatever it likes
        why = f'{name} is "{path}", which cannot be imported: {error}.'
        yield _error("E009", why, f"Name a subclass of {parent.__module__}.{parent.__qualname__}.")
        return
    if not (isinstance(found, type) and issubclass(found, parent)):
        why = f'{name} is "{path}", which is not a subclass of {parent.__qualname__}.'
        yield _error("E010", why, f"Derive it from {parent.__module__}.{parent.__qualname__}.")


def _has_middleware(path: str) -> bool:
    """Whether this middleware, or a subclass of it, is in use."""
    wanted = import_string(path)
    return any(found == path or _is_kind_of(found, wanted) for found in django_settings.MIDDLEWARE)


def _is_kind_of(path: str, wanted: type) -> bool:
    try:
        found = import_string(path)
    except ImportError:
        return False
    return isinstance(found, type) and issubclass(found, wanted)


def _database() -> str:
    from .models import SigningKey

    return router.db_for_write(SigningKey)


def _cache_problems() -> Iterator[CheckMessage]:
    backend = caches["default"]
    if _value("THROTTLING") and isinstance(backend, LocMemCache | DummyCache):
        yield _warning(
            "W003",
            f"The default cache is a {type(backend).__name__}: each worker process counts failed"
            " attempts by itself, so the limits multiply or never apply.",
            "Use a cache that the processes share: Redis, Memcached, a database or files.",
        )


def _cookie_problems() -> Iterator[CheckMessage]:
    base = _usable_base()
    if base is None or base.scheme != "https":
        return
    wanted = ["SESSION_COOKIE_SECURE"]
    if not getattr(django_settings, "CSRF_USE_SESSIONS", False):
        wanted.append("CSRF_COOKIE_SECURE")
    for name in wanted:
        if not getattr(django_settings, name):
            says = f"ISSUER_BASE is https, but {name} is off: the cookie also travels in the clear."
            yield _warning("W004", says, f"Write {name} = True.")


def _host_problems() -> Iterator[CheckMessage]:
    base = _usable_base()
    if base is None:
        return
    host, _ = split_domain_port(base.netloc)
    if not validate_host(host, django_settings.ALLOWED_HOSTS):
        says = f'Requests to "{host}", the host of ISSUER_BASE, are refused.'
        yield _warning("W005", says, f'Add "{host}" to ALLOWED_HOSTS.')


def _of_key(row: Any) -> Iterator[CheckMessage]:
    from .flows.keys import Protection, protection

    found = protection(row.private_key)
    if found is Protection.UNKNOWN_SECRET:
        yield _error(
            "E013",
            f"The signing key {row.kid} cannot be decrypted; another one signs in its place.",
            f"Put the secret that it was made under behind the first one, in {_older_secrets()}."
            " If that is lost, run `manage.py rotate_keys --emergency`.",
        )
    if found is Protection.OLDER_SECRET:
        yield _warning(
            "W006",
            f"The signing key {row.kid} is encrypted under an older secret.",
            f"Run `manage.py rotate_keys` before you remove that secret from {_older_secrets()}.",
        )


def _older_secrets() -> str:
    return "SIGNING_KEY_SECRETS" if _value("SIGNING_KEY_SECRETS") else "SECRET_KEY_FALLBACKS"
