"""Snippets: which client for which application, filled with its values; nothing leaves its quotes.

Those that a package of Python or npm covers are run in ``tests/clients`` and ``tests/browser``.
"""

from __future__ import annotations

import ast
import configparser
import html
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from oidc_pkce.models import Application, Permission, Principal
from oidc_pkce.portal import literals
from oidc_pkce.portal.snippet_recipes import RECIPES
from tests.clients.snippet_page import blocks_of
from tests.fixtures import make_user
from tests.journeys import BASE, give_secret, make_application
from tests.portal.conftest import Portal

NASTY = """it's "my" $HOME `id` $(id) \\ \\" {x} <b>&amp;</b> #{z} ünï é"""
# Redirect URIs have a narrower alphabet.
NASTY_URI = "http://127.0.0.1:5000/it's/$HOME/$(id)/*;!&a=1"
CALLBACKS = (
    "https://a.example.com/oidc/callback/",
    "https://a.example.com/accounts/oidc/notes/login/callback/",
    "https://a.example.com/auth/callback/notes",
    "https://a.example.com/login/oauth2/code/notes",
    "https://a.example.com/oauth2/callback",
    "https://a.example.com/grafana/login/generic_oauth",
)
KEYS = [recipe.key for recipe in RECIPES]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def notes(db: None) -> Application:
    """An OpenID Connect application with everything ticked that a client may wish for."""
    return make_application(
        application_id="notes",
        name=f"Notes\n{NASTY}",
        template="Generic OpenID Connect",
        client_id_type="Confidential",
        client_ids=[],
        openid_client_id="0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11",
        redirect_uris=[NASTY_URI, *CALLBACKS],
        issues_refresh_tokens=True,
    )


@pytest.fixture
def plain(db: None) -> Application:
    """An OAuth2 Client, List, with a client ID that nobody should have chosen."""
    made = make_application(client_ids=["first", NASTY], redirect_uris=[NASTY_URI])
    made.scopes.create(name="it's`read`$HOME", description="Read")
    return made


def snippets(portal: Portal, application: Application, client: str, **chosen: str) -> Any:
    page = portal.get(f"application/{application.pk}/snippets/", client=client, **chosen)
    return blocks_of(page.content.decode())


def text(portal: Portal, application: Application, **query: str) -> str:
    return portal.text(f"application/{application.pk}/snippets/", **query)


def offered(portal: Portal, application: Application, **chosen: str) -> list[str]:
    return re.findall(r'href="\?client=([a-z0-9_-]+)', text(portal, application, **chosen))


def test_an_openid_connect_application_suits_every_client(portal: Portal, notes: Any) -> None:
    assert offered(portal, notes) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_every_client_is_told_the_applications_values(
    portal: Portal, notes: Application, key: str
) -> None:
    copied = "".join(snippets(portal, notes, key).values())

    assert notes.openid_client_id in copied
    assert f"{BASE}/notes/" in copied or f"{BASE}/OAuth2/Token/notes" in copied
    assert "email" in copied


@pytest.mark.parametrize("key", KEYS)
def test_a_public_client_has_no_secret_and_a_confidential_one_reads_it(
    portal: Portal, notes: Application, key: str
) -> None:
    public = "".join(snippets(portal, notes, key, proof="pkce").values())
    confidential = "".join(snippets(portal, notes, key, proof="secret").values())

    assert "CLIENT_SECRET =" not in public.replace('OIDC_RP_CLIENT_SECRET = ""', "")
    assert "YOUR_CLIENT_SECRET" not in public
    if key != "oidc-client-ts":
        assert "YOUR_CLIENT_SECRET" in confidential
        assert "CLIENT_SECRET" in confidential.replace("YOUR_CLIENT_SECRET", "")


def test_a_live_secret_makes_the_client_confidential_unless_somebody_chooses(
    portal: Portal, notes: Application
) -> None:
    assert "client_secret" not in snippets(portal, notes, "curl")["sign-in.sh"]
    give_secret(notes)

    assert "client_secret" in snippets(portal, notes, "curl")["sign-in.sh"]
    assert "client_secret" not in snippets(portal, notes, "curl", proof="pkce")["sign-in.sh"]


def test_a_browser_is_offered_nothing_that_needs_a_secret(
    portal: Portal, notes: Application
) -> None:
    notes.require_client_secret = True
    notes.save()

    assert "oidc-client-ts" not in offered(portal, notes)
    assert "cannot keep the secret" in text(portal, notes, client="oidc-client-ts")
    assert 'name="proof"' not in text(portal, notes)
    assert "client_secret" in snippets(portal, notes, "curl", proof="pkce")["sign-in.sh"]


def test_what_needs_an_id_token_is_not_offered_where_there_is_none(
    portal: Portal, plain: Application
) -> None:
    assert offered(portal, plain) == [
        *("curl", "authlib", "requests-oauthlib", "openid-client", "oidc-client-ts", "spring", "go")
    ]
    page = text(portal, plain, client="grafana")
    assert "OAuth2 Client applications issue access tokens alone" in page
    assert blocks_of(page) == {}


def test_without_a_redirect_uri_nobody_can_sign_in(portal: Portal) -> None:
    made = make_application(redirect_uris=[])

    page = text(portal, made)

    assert "no redirect URI is registered yet" in page
    assert "No client can use this application yet" in page
    assert offered(portal, made) == []


def test_machines_get_client_credentials_where_they_are_ticked(portal: Portal) -> None:
    made = make_application(
        client_id_type="Confidential", client_ids=[], redirect_uris=[], flows=["ClientCreds"]
    )

    copied = snippets(portal, made, "curl", client_id="robot")

    assert list(copied) == ["machine.sh"]
    assert "client_id='robot'" in copied["machine.sh"]
    assert offered(portal, made) == ["curl"]
    empty = make_application(application_id="empty", client_ids=[])
    assert "The Client ID List is empty" in text(portal, empty)
    unticked = make_application(application_id="other", client_id_type="List")
    assert list(snippets(portal, unticked, "curl")) == ["sign-in.sh"]


def test_a_service_user_is_typed_and_until_then_has_a_placeholder(portal: Portal) -> None:
    made = make_application(client_id_type="Confidential", client_ids=[])

    page = text(portal, made, client="curl")

    assert "client_id='YOUR_SERVICE_USER'" in page
    assert "Put the login name of your service user" in page


def test_the_choice_fills_the_snippets_anew_and_travels_to_the_other_clients(
    portal: Portal, plain: Application
) -> None:
    page = text(portal, plain, client="curl", client_id="first")
    assert "client_id='first'" in page
    assert 'href="?client=go&client_id=first"' in page

    plain.redirect_uris = [*plain.redirect_uris, "https://b.example.com/back"]
    plain.save()
    chosen = snippets(portal, plain, "curl", redirect_uri="https://b.example.com/back")
    assert "redirect_uri='https://b.example.com/back'" in chosen["sign-in.sh"]


@pytest.mark.parametrize(
    "sent",
    [
        {"client_id": "a stranger"},
        {"redirect_uri": "https://evil.example.com/"},
        {"proof": "neither"},
        {"client": "no such client"},
    ],
    ids=lambda sent: next(iter(sent)),
)
def test_what_the_application_does_not_know_is_filled_in_nowhere(
    portal: Portal, plain: Application, sent: dict[str, str]
) -> None:
    page = text(portal, plain, **{"client": "curl", **sent})

    assert "client_id='first'" in page
    assert "evil.example.com" not in "".join(blocks_of(html.escape(page)))
    assert "evil" not in json.dumps(blocks_of(page))


def test_free_text_is_held_to_the_rules_of_client_ids(portal: Portal) -> None:
    made = make_application(client_id_type="Anything", client_ids=[])

    assert "client_id='x y'" in text(portal, made, client="curl", client_id="x y")
    refused = text(portal, made, client="curl", client_id="a\nb\u202ec")
    assert "use printable characters" in refused
    assert "client_id='my_app'" in refused


def test_a_redirect_uri_with_a_query_is_none_for_whom_would_lose_it(portal: Portal) -> None:
    made = make_application(redirect_uris=["https://a.example.com/x?a=b"])

    assert "without its query" in text(portal, made, client="openid-client")


def test_a_loopback_address_without_a_port_gets_one(portal: Portal) -> None:
    made = make_application(redirect_uris=["https://a.example.com/x", "http://127.0.0.1/back"])

    copied = snippets(portal, made, "authlib")["sign_in.py"]

    assert 'REDIRECT_URI = "http://127.0.0.1:5000/back"' in copied
    assert 'HOST, PORT, PATH = "127.0.0.1", 5000, "/back"' in copied


@pytest.mark.parametrize("key", [each.key for each in RECIPES if each.callback], ids=str)
def test_a_client_with_an_address_of_its_own_finds_it_or_says_so(
    portal: Portal, notes: Application, key: str
) -> None:
    assert "waits for the answer at an address that ends in" not in text(portal, notes, client=key)

    notes.redirect_uris = [NASTY_URI]
    notes.save()

    assert "waits for the answer at an address that ends in" in text(portal, notes, client=key)


def test_another_issuer_is_found_by_no_discovery(portal: Portal, notes: Application) -> None:
    notes.issuer = "https://tenant.example.com/notes/"
    notes.save()

    missing = set(KEYS) - set(offered(portal, notes))

    assert missing == {"openid-client", "oidc-client-ts", "authjs", "aspnet", "oauth2-proxy"}
    assert "is another place than this application's" in text(portal, notes, client="authjs")
    assert "issuer-uri" not in snippets(portal, notes, "spring")["application.yml"]


def test_no_secret_is_ever_shown(portal: Portal, notes: Application) -> None:
    secret = "a-secret-that-nobody-may-see-again"
    give_secret(notes, secret)

    pages = "".join(text(portal, notes, client=key, proof="secret") for key in KEYS)

    assert secret not in pages


@pytest.mark.parametrize("right", ["view", "run"])
def test_whoever_may_see_the_application_sees_its_snippets(notes: Application, right: str) -> None:
    Permission.objects.filter(application=notes).delete()
    kim = Portal(make_user("kim", is_staff=True))
    Permission.objects.create(
        application=notes,
        principal=Principal.USER,
        user=kim.user,
        **{f"can_{name}": name == right for name in ("view", "run", "manage")},
    )

    answer = kim.browser.get(f"/admin/oidc_pkce/application/{notes.pk}/snippets/")

    assert answer.status_code == (200 if right == "view" else 404)
    assert kim.browser.post(f"/admin/oidc_pkce/application/{notes.pk}/snippets/").status_code in (
        *(403, 404),
    )


def test_the_page_costs_the_same_however_much_there_is(
    portal: Portal, notes: Application, django_assert_max_num_queries: Any
) -> None:
    notes.redirect_uris = [f"https://a.example.com/{number}" for number in range(400)]
    notes.save()
    for number in range(50):
        notes.scopes.create(name=f"scope.{number}")

    with django_assert_max_num_queries(20):
        text(portal, notes, client="go")


# What a language makes of a literal.


@pytest.mark.parametrize("value", [NASTY, NASTY_URI, "two\nlines\t\u2028\x85", "'", "\\", "`"])
def test_a_literal_is_read_as_the_text(value: str) -> None:
    written = literals.double_quoted(value)

    assert shlex.split(literals.shell(value)) == [value]
    assert ast.literal_eval(written) == value
    assert yaml.safe_load(written) == value
    assert tomllib.loads(f"x = {written}")["x"] == value
    assert json.loads(written) == value
    assert "\u2028" not in written
    assert "\x85" not in written


@pytest.mark.parametrize(
    ("write", "value"),
    [
        (literals.spring, "a${x}"),
        (literals.apache, "a${x}"),
        (literals.apache, "two\nlines"),
        (literals.grafana, "a${x}"),
        (literals.grafana, "$__file{/etc/passwd}"),
        (literals.grafana, "%(client_secret)s"),
        (literals.grafana, "two\nlines"),
    ],
)
def test_what_a_program_would_replace_is_not_written(write: Any, value: str) -> None:
    with pytest.raises(literals.UnwritableError) as fault:
        write(value)

    assert fault.value.value == value


def test_a_value_that_a_client_cannot_hold_is_named(portal: Portal) -> None:
    made = make_application(client_ids=["a${x}"])

    page = text(portal, made, client="spring")

    assert "gives “a${x}” another meaning" in page
    assert blocks_of(page) == {}


def test_a_name_that_a_client_cannot_hold_gives_way(portal: Portal, notes: Application) -> None:
    notes.name = "Notes ${x}"
    notes.save()

    assert "name = `notes`" in snippets(portal, notes, "grafana")["grafana.ini"]
    assert "Notes" not in snippets(portal, notes, "mod_auth_openidc")["openidc.conf"]
    assert '"Notes ${x}"' in snippets(portal, notes, "oauth2-proxy")["oauth2-proxy.cfg"]


# Each snippet is what its language says that it is, whatever stands in it.


@pytest.mark.parametrize("proof", ["pkce", "secret"])
@pytest.mark.parametrize("key", KEYS)
def test_a_page_holds_no_markup_of_a_value(
    portal: Portal, notes: Application, key: str, proof: str
) -> None:
    page = portal.get(f"application/{notes.pk}/snippets/", client=key, proof=proof)

    assert "<b>" not in page.content.decode()


@pytest.mark.parametrize("proof", ["pkce", "secret"])
@pytest.mark.parametrize("uri", [NASTY_URI, "https://a.example.com/x"])
@pytest.mark.parametrize(
    "key", ["authlib", "requests-oauthlib", "mozilla-django-oidc", "django-allauth"]
)
def test_python_is_python(
    portal: Portal, notes: Application, key: str, uri: str, proof: str
) -> None:
    notes.redirect_uris = [*notes.redirect_uris, "https://a.example.com/x"]
    notes.save()

    for name, copied in snippets(portal, notes, key, redirect_uri=uri, proof=proof).items():
        if name.endswith(".py"):
            ast.parse(copied)


@pytest.mark.parametrize("client_id", ["first", NASTY])
def test_spring_gets_yaml(portal: Portal, plain: Application, client_id: str) -> None:
    copied = snippets(portal, plain, "spring", client_id=client_id)["application.yml"]

    client = yaml.safe_load(copied)["spring"]["security"]["oauth2"]["client"]
    registration, provider = client["registration"]["my_app"], client["provider"]["oidc-pkce"]
    assert registration["client-id"] == client_id
    assert registration["redirect-uri"] == NASTY_URI
    assert registration["scope"] == ["it's`read`$HOME"]
    assert registration["client-authentication-method"] == "none"
    assert provider["token-uri"] == f"{BASE}/OAuth2/Token/my_app"
    assert provider["user-info-uri"] == f"{BASE}/OAuth2/UserInfo/my_app"


def test_spring_of_an_openid_connect_application_discovers(
    portal: Portal, notes: Application
) -> None:
    copied = snippets(portal, notes, "spring", proof="secret")["application.yml"]

    client = yaml.safe_load(copied)["spring"]["security"]["oauth2"]["client"]
    assert client["registration"]["notes"]["client-secret"] == "${OIDC_CLIENT_SECRET}"
    assert client["registration"]["notes"]["client-name"] == f"Notes {NASTY}"
    assert client["provider"]["oidc-pkce"]["issuer-uri"] == f"{BASE}/notes/"


@pytest.mark.parametrize("proof", ["pkce", "secret"])
def test_oauth2_proxy_gets_toml(portal: Portal, notes: Application, proof: str) -> None:
    copied = tomllib.loads(snippets(portal, notes, "oauth2-proxy", proof=proof)["oauth2-proxy.cfg"])

    assert copied["oidc_issuer_url"] == f"{BASE}/notes/"
    assert copied["client_id"] == notes.openid_client_id
    assert copied["provider_display_name"] == f"Notes {NASTY}"
    assert copied["redirect_url"] == "https://a.example.com/oauth2/callback"
    assert copied["scope"] == "openid profile email offline_access"
    assert copied["code_challenge_method"] == "S256"
    assert ("client_secret_file" in copied) == (proof == "pkce")
    assert "client_secret" not in copied


@pytest.mark.parametrize("proof", ["pkce", "secret"])
def test_grafana_gets_ini(portal: Portal, notes: Application, proof: str) -> None:
    copied = snippets(portal, notes, "grafana", proof=proof)["grafana.ini"]

    ini = configparser.RawConfigParser()
    ini.read_string(copied)
    section = ini["auth.generic_oauth"]
    assert ini["server"]["root_url"] == "`https://a.example.com/grafana/`"
    assert section["name"] == f"`Notes {NASTY}`"
    assert section["client_id"] == f"`{notes.openid_client_id}`"
    assert section["token_url"] == f"`{BASE}/OAuth2/Token/notes`"
    assert section["use_pkce"] == "true"
    assert section["client_secret"] == ("$__env{OIDC_CLIENT_SECRET}" if proof == "secret" else "")


@pytest.mark.parametrize("proof", ["pkce", "secret"])
def test_apache_gets_directives_of_one_line(portal: Portal, notes: Application, proof: str) -> None:
    copied = snippets(portal, notes, "mod_auth_openidc", proof=proof)["openidc.conf"]

    lines = [shlex.split(line, comments=True) for line in copied.splitlines()]
    said = {words[0]: words[1:] for words in lines if words}
    assert said["OIDCProviderMetadataURL"] == [f"{BASE}/notes/.well-known/openid-configuration"]
    assert said["OIDCClientID"] == [notes.openid_client_id]
    assert said["OIDCRedirectURI"] == [NASTY_URI]
    assert said["OIDCPKCEMethod"] == ["S256"]
    assert ("OIDCClientSecret" in said) == (proof == "secret")


@pytest.mark.parametrize("proof", ["pkce", "secret"])
def test_aspnet_gets_the_applications_values(
    portal: Portal, notes: Application, proof: str
) -> None:
    copied = snippets(portal, notes, "aspnet", proof=proof)["Program.cs"]

    assert f'options.Authority = "{BASE}/notes/";' in copied
    assert f'options.ClientId = "{notes.openid_client_id}";' in copied
    assert 'options.CallbackPath = "/it\'s/$HOME/$(id)/*;!&a=1";' in copied
    assert "options.UsePkce = true;" in copied
    assert ("ClientSecret" in copied) == (proof == "secret")


GO = shutil.which("gofmt") or "/usr/local/go/bin/gofmt"


@pytest.mark.skipif(not Path(GO).exists(), reason="gofmt is not here")
@pytest.mark.parametrize("proof", ["pkce", "secret"])
@pytest.mark.parametrize("uri", [NASTY_URI, CALLBACKS[0]])
@pytest.mark.parametrize("name", ["notes", "my_app"])
def test_go_is_go(
    portal: Portal, notes: Application, plain: Application, name: str, uri: str, proof: str
) -> None:
    application = notes if name == "notes" else plain
    copied = snippets(portal, application, "go", redirect_uri=uri, proof=proof, client_id=NASTY)

    done = subprocess.run(
        [GO, "-e"], input=copied["main.go"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


PYTHON = {
    "authlib": "Authlib",
    "requests-oauthlib": "requests-oauthlib",
    "mozilla-django-oidc": "mozilla-django-oidc",
    "django-allauth": "django-allauth",
}
NODE = {
    "openid-client": "openid-client",
    "oidc-client-ts": "oidc-client-ts",
    "authjs": "@auth/express",
}


@pytest.mark.parametrize("key", [*PYTHON, *NODE])
def test_a_snippet_names_the_version_that_the_tests_run(key: str) -> None:
    said = next(recipe.version for recipe in RECIPES if recipe.key == key)
    package = json.loads((ROOT / "tests/clients/package.json").read_text())["devDependencies"]
    runs = version(PYTHON[key]) if key in PYTHON else package[NODE[key]]

    assert re.search(rf" {'.'.join(runs.split('.')[:2])}\b", said), f"{said}, but {runs} is run"
