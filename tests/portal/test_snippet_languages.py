"""Snippets in their languages: whatever stands in a value, it is read as that value."""

from __future__ import annotations

import ast
import configparser
import json
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from oidc_pkce.models import Application
from oidc_pkce.portal import literals
from oidc_pkce.portal.snippet_recipes import RECIPES
from tests.clients.snippet_page import blocks_of
from tests.journeys import BASE, make_application
from tests.portal.conftest import Portal
from tests.portal.snippet_cast import (
    CALLBACKS,
    NASTY,
    NASTY_URI,
    make_notes,
    make_plain,
    snippets,
    text,
)

KEYS = [recipe.key for recipe in RECIPES]


@pytest.fixture
def notes(db: None) -> Application:
    return make_notes()


@pytest.fixture
def plain(db: None) -> Application:
    return make_plain()


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
