"""Snippets: which client for which application, filled with its values; nothing leaves its quotes.

Those that a package of Python or npm covers are run in ``tests/clients`` and ``tests/browser``.
"""

from __future__ import annotations

import html
import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from oidc_pkce.models import Application, Permission, Principal
from oidc_pkce.portal.snippet_recipes import RECIPES
from tests.clients.snippet_page import blocks_of
from tests.fixtures import make_user
from tests.journeys import BASE, give_secret, make_application
from tests.portal.conftest import Portal
from tests.portal.snippet_cast import (
    NASTY_URI,
    make_notes,
    make_plain,
    snippets,
    text,
)

KEYS = [recipe.key for recipe in RECIPES]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def notes(db: None) -> Application:
    return make_notes()


@pytest.fixture
def plain(db: None) -> Application:
    return make_plain()


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


def test_the_address_at_which_the_application_is_tested_is_no_clients(
    portal: Portal, notes: Application
) -> None:
    tested = f"{BASE}/admin/oidc_pkce/application/{notes.pk}/test-callback/"
    theirs, notes.redirect_uris = notes.redirect_uris, [tested]
    notes.save()
    assert offered(portal, notes) == []

    notes.redirect_uris = [tested, *theirs]
    notes.save()
    assert "test-callback" not in text(portal, notes, client="curl")


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
