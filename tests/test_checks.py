"""The system checks: clean on a proper set-up, and one sentence with a cure for each mistake."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connection
from django.test import override_settings
from django.urls import include, path, re_path, set_script_prefix

from oidc_pkce import conf, well_known_urls
from oidc_pkce import urls as ours
from oidc_pkce.claims import ClaimsProvider
from oidc_pkce.conf import DEFAULTS, RULES
from oidc_pkce.flows import keys
from oidc_pkce.models import Application, SigningKey
from oidc_pkce.resource_server import urls as metadata_urls
from tests.urls import host_page

ROOT = Path(__file__).resolve().parent.parent
BASE = "https://id.example.com"
FITTING = {
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "CACHES": {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache"}},
}


class Claims(ClaimsProvider):
    """A claims provider of a host project."""


class Mounted:
    """A URLconf under a prefix, as `include()` takes it."""

    def __init__(self, *urlpatterns: Any) -> None:
        self.urlpatterns = list(urlpatterns)


def found(**settings: Any) -> list[CheckMessage]:
    """What our checks say, with `OIDC_PKCE` beside its base and Django's own settings."""
    own = {"ISSUER_BASE": BASE, **settings.pop("OIDC_PKCE", {})}
    databases = settings.pop("databases", None)
    with override_settings(OIDC_PKCE=own, **{**FITTING, **settings}):
        return run(databases)


def run(databases: list[str] | None = None) -> list[CheckMessage]:
    return checks.run_checks(
        tags=["oidc_pkce"], include_deployment_checks=True, databases=databases or []
    )


def ids(messages: list[CheckMessage]) -> list[str]:
    assert all(message.hint for message in messages)
    return sorted((message.id or "").removeprefix("oidc_pkce.") for message in messages)


def test_a_proper_set_up_is_clean(db: None) -> None:
    keys.ring(datetime.now(UTC))

    assert found(databases=["default"]) == []


@pytest.mark.parametrize("base", [BASE, f"{BASE}/", "http://localhost:8000", "http://[::1]:8000"])
def test_a_proper_base_is_clean(base: str) -> None:
    assert found(OIDC_PKCE={"ISSUER_BASE": base}) == []


def test_an_unknown_setting_is_named_with_the_likely_one() -> None:
    (message,) = found(OIDC_PKCE={"ISUER_BASE": BASE})

    assert message.id == "oidc_pkce.E001"
    assert "'ISUER_BASE'" in message.msg
    assert message.hint == 'Did you mean "ISSUER_BASE"?'


def test_every_setting_has_a_rule_that_its_default_passes() -> None:
    assert RULES.keys() == DEFAULTS.keys()
    assert [name for name, rule in RULES.items() if not rule.accepts(DEFAULTS[name])] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER_BASE", b"https://id.example.com"),
        ("CLAIMS_PROVIDER", None),
        ("SUBJECT_IDENTIFIER", "no path"),
        ("AUTHORIZATION_CODE_LIFETIME", 601),
        ("INTERACTION_LIFETIME", timedelta(hours=1)),
        ("METADATA_MAX_AGE", "300"),
        ("PROCESS_CACHE_SECONDS", 31),
        ("SIGNING_KEY_SECRETS", "one secret, but not in a list of them"),
        ("SIGNING_KEY_SECRETS", ["short"]),
        ("TRACES_PER_APPLICATION", -1),
        ("TRACED_SUCCESSES", 1.5),
        ("TRACED_SUCCESSES", float("nan")),
        ("ATTEMPTS_PER_ACCOUNT", True),
        ("THROTTLING", 1),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("TRUSTED_PROXIES", ["10.0.0.1/8"]),
        ("OUTBOUND_TRUSTED_NETWORKS", ["intranet"]),
        ("RESOURCE_SERVER", ["my_app"]),
        ("RESOURCE_SERVER", {"APPLICATION": ["my_app"]}),
        ("RESOURCE_SERVER", {"APPLICATIONS": "my_app"}),
        ("RESOURCE_SERVER", {"ISSUERS": ["http://id.example/"]}),
        ("RESOURCE_SERVER", {"RESOURCE": "https://api.example.com/#x"}),
        ("RESOURCE_SERVER", {7: 7}),
    ],
)
def test_a_value_of_the_wrong_type_or_range_is_named(name: str, value: Any) -> None:
    messages = [m for m in found(OIDC_PKCE={name: value}) if m.id == "oidc_pkce.E002"]

    assert len(messages) == 1
    assert f'OIDC_PKCE["{name}"]' in messages[0].msg
    assert messages[0].hint == f"Write {RULES[name].wanted}."


def test_a_wrong_secret_is_not_repeated() -> None:
    assert "hunter2" not in str(found(OIDC_PKCE={"SIGNING_KEY_SECRETS": ["hunter2"]}))


@override_settings(OIDC_PKCE=["ISSUER_BASE"], **FITTING)
def test_settings_that_are_no_dict_are_named() -> None:
    assert ids(run()) == ["E002", "E003"]


@pytest.mark.parametrize("base", [None, ""])
def test_a_missing_base_is_named(base: str | None) -> None:
    assert ids(found(OIDC_PKCE={"ISSUER_BASE": base})) == ["E003"]


@pytest.mark.parametrize(
    "base",
    [
        "id.example.com",
        "ftp://id.example.com",
        "https://",
        "https://id.example.com?tenant=1",
        "https://id.example.com/#top",
        "https://ada@id.example.com",
        "https://id.example.com:port",
        "https://[id.example.com",
        "https://id.example.com\\",
        "https://id.example.com ",
        "https://ID.example.com",
        "https://bücher.example",
        "https://id.example.com/a/../b",
    ],
)
def test_a_malformed_base_is_named(base: str) -> None:
    assert ids(found(OIDC_PKCE={"ISSUER_BASE": base})) == ["E004"]


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("base", ["http://id.example.com", "http://10.0.0.1:8000"])
def test_plain_http_off_loopback_is_named_in_every_mode(base: str, debug: bool) -> None:
    (message,) = found(OIDC_PKCE={"ISSUER_BASE": base}, DEBUG=debug)

    assert message.id == "oidc_pkce.E005"
    assert base.replace("http:", "https:") in (message.hint or "")


def test_endpoints_that_are_mounted_nowhere_are_named() -> None:
    assert ids(found(ROOT_URLCONF=Mounted(path("", include(well_known_urls))))) == ["E006"]


@pytest.mark.parametrize(
    ("base", "prefix"), [(f"{BASE}/sso", ""), (BASE, "sso/"), (f"{BASE}/sso", "SSO/")]
)
def test_endpoints_that_are_mounted_elsewhere_are_named(base: str, prefix: str) -> None:
    urlconf = Mounted(path(prefix, include(ours)), path("", include(well_known_urls)))
    (message,) = found(OIDC_PKCE={"ISSUER_BASE": base}, ROOT_URLCONF=urlconf)

    assert message.id == "oidc_pkce.E007"
    assert f'under "/{prefix}"' in message.msg


def test_endpoints_under_the_path_of_the_base_are_fine() -> None:
    urlconf = Mounted(path("sso/", include(ours)), path("", include(well_known_urls)))

    assert found(OIDC_PKCE={"ISSUER_BASE": f"{BASE}/sso"}, ROOT_URLCONF=urlconf) == []


def test_a_path_that_a_proxy_takes_away_is_fine_when_django_knows_it() -> None:
    set_script_prefix("/sso/")
    try:
        assert found(OIDC_PKCE={"ISSUER_BASE": f"{BASE}/sso"}) == []
    finally:
        set_script_prefix("/")


def test_a_pattern_that_hides_an_endpoint_is_named() -> None:
    everything = re_path("^OAuth2/Token/(?P<number>.*)$", host_page)
    messages = found(ROOT_URLCONF=Mounted(everything, path("", include("tests.urls"))))

    assert ids(messages) == ["E008"]
    assert "/OAuth2/Token/" in messages[0].msg


@pytest.mark.parametrize("name", ["CLAIMS_PROVIDER", "SUBJECT_IDENTIFIER", "INTERACTION_POLICY"])
def test_a_class_that_cannot_be_imported_is_named(name: str) -> None:
    assert ids(found(OIDC_PKCE={name: "tests.test_checks.Nothing"})) == ["E009"]


def test_a_class_of_another_kind_is_named() -> None:
    named = {"CLAIMS_PROVIDER": f"{__name__}.Claims", "SUBJECT_IDENTIFIER": f"{__name__}.Claims"}

    assert ids(found(OIDC_PKCE=named)) == ["E010"]


def test_a_missing_app_is_named(settings: Any) -> None:
    apps = [app for app in settings.INSTALLED_APPS if app != "django.contrib.sessions"]

    assert ids(found(INSTALLED_APPS=apps)) == ["E011"]


@pytest.mark.parametrize("name", ["Session", "CsrfView", "Authentication"])
def test_a_missing_middleware_is_named(settings: Any, name: str) -> None:
    rest = [each for each in settings.MIDDLEWARE if f"{name}Middleware" not in each]
    messages = found(MIDDLEWARE=rest)

    assert ids(messages) == ["E012"]
    assert f"{name}Middleware" in messages[0].msg


def test_metadata_that_is_not_at_the_root_is_named() -> None:
    urlconf = Mounted(path("sso/", include(ours)), path("sso/", include(well_known_urls)))

    assert ids(found(OIDC_PKCE={"ISSUER_BASE": f"{BASE}/sso"}, ROOT_URLCONF=urlconf)) == ["W001"]


@pytest.mark.parametrize("options", [{}, {"transaction_mode": "IMMEDIATE"}, {"timeout": 30}])
def test_an_sqlite_that_cannot_take_parallel_writers_is_named(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(connection, "vendor", "sqlite", raising=False)
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    assert ids(found()) == ["W002"]


@pytest.mark.parametrize("backend", ["locmem.LocMemCache", "dummy.DummyCache"])
def test_a_cache_that_each_process_has_for_itself_is_named(backend: str) -> None:
    caches = {"default": {"BACKEND": f"django.core.cache.backends.{backend}"}}

    assert ids(found(CACHES=caches)) == ["W003"]
    assert found(CACHES=caches, OIDC_PKCE={"THROTTLING": False}) == []


@pytest.mark.parametrize("name", ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"])
def test_cookies_in_the_clear_are_named(name: str) -> None:
    messages = found(**{name: False})

    assert ids(messages) == ["W004"]
    assert name in messages[0].msg
    assert found(OIDC_PKCE={"ISSUER_BASE": "http://localhost"}, **{name: False}) == []


def test_a_base_whose_host_is_refused_is_named() -> None:
    assert ids(found(ALLOWED_HOSTS=["www.example.com"])) == ["W005"]


def test_a_key_that_cannot_be_decrypted_is_named_with_the_cure(db: None) -> None:
    keys.ring(datetime.now(UTC))
    (message,) = found(SECRET_KEY="another secret, without a fallback", databases=["default"])

    assert message.id == "oidc_pkce.E013"
    assert SigningKey.objects.get().kid in message.msg
    assert "SECRET_KEY_FALLBACKS" in (message.hint or "")


def test_a_key_that_hangs_on_an_older_secret_is_named(db: None, settings: Any) -> None:
    keys.ring(datetime.now(UTC))
    rolled = {"SECRET_KEY": "the next secret", "SECRET_KEY_FALLBACKS": [settings.SECRET_KEY]}

    assert ids(found(**rolled, databases=["default"])) == ["W006"]


def test_keys_are_looked_at_only_when_the_database_is_asked_for(db: None) -> None:
    keys.ring(datetime.now(UTC))

    assert found(SECRET_KEY="another secret, without a fallback") == []


def test_patterns_that_nothing_can_match_are_named(
    list_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys.ring(datetime.now(UTC))
    asked = {"OIDC_PKCE": {"RESOURCE_SERVER": {"APPLICATIONS": ["my_app"]}}}
    list_app.scopes.create(name="notes")
    monkeypatch.setitem(sys.modules, "re2", None)
    assert found(**asked, databases=["default"]) == []
    list_app.scopes.create(name="more", rest_patterns=["/x"])

    assert ids(found(**asked, databases=["default"])) == ["E014"]
    assert found(**asked) == found(databases=["default"]) == []
    monkeypatch.undo()
    assert found(**asked, databases=["default"]) == []


def test_metadata_of_an_api_that_is_mounted_nowhere_is_named() -> None:
    asked = {"OIDC_PKCE": {"RESOURCE_SERVER": {"RESOURCE": "https://api.example.com/v1"}}}
    (message,) = found(**asked)

    assert message.id == "oidc_pkce.W007"
    assert "/.well-known/oauth-protected-resource/v1," in message.msg
    mounted = Mounted(path("", include(metadata_urls)), path("", include("tests.urls")))
    assert found(**asked, ROOT_URLCONF=mounted) == []


def test_a_project_that_only_takes_tokens_needs_no_base_and_no_sign_in() -> None:
    only = {"ISSUER_BASE": None, "RESOURCE_SERVER": {"ISSUERS": ["https://id.example/"]}}
    bare = {"MIDDLEWARE": [], "ROOT_URLCONF": Mounted(path("x", host_page))}

    assert found(OIDC_PKCE=only, **bare) == []
    with override_settings(OIDC_PKCE=only):
        assert not conf.settings.base_is_loopback
    with override_settings(OIDC_PKCE={"RESOURCE_SERVER": {"ISSUERS": ["http://localhost:1/"]}}):
        assert conf.settings.base_is_loopback


def test_every_id_has_a_test_here() -> None:
    said = set(re.findall(r'"([EW]\d{3})"', (ROOT / "oidc_pkce" / "checks.py").read_text()))

    assert {number for number in said if number not in Path(__file__).read_text()} == set()


def test_check_deploy_is_clean_on_the_demo_served_over_tls(tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")},
        "DJANGO_SECRET_KEY": "a long secret of many different characters: 0123456789 +-*/ xyz",
        "OIDC_PKCE_ISSUER_BASE": BASE,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        "CACHE_URL": f"file://{tmp_path / 'cache'}",
    }
    command = ["manage.py", "check", "--deploy", "--database", "default", "--fail-level", "DEBUG"]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout
