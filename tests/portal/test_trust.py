"""The Trust page of an OpenID Connect application."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from oidc_pkce.models import Application, AuditEvent
from tests.fixtures import make_user
from tests.journeys import CALLBACK, SECRET, Journey, give_secret
from tests.portal.conftest import Portal


def trust_of(application: Application) -> str:
    return f"application/{application.pk}/trust/"


def test_an_administrator_configures_a_relying_party_and_a_person_signs_in(portal, openid_app, ada):
    openid_app.redirect_uris = []
    openid_app.save()

    page = portal.save(
        trust_of(openid_app),
        redirect_uris=CALLBACK,
        post_logout_redirect_uris="https://rp.example/bye",
        url="https://rp.example/",
        login_initiation="app_only",
    )

    assert "Trust was saved." in page
    stored = Application.objects.get()
    assert (stored.login_initiation, stored.url) == ("app_only", "https://rp.example/")
    journey = Journey(stored, client_id=stored.openid_client_id).log_in(ada)
    assert "id_token" in journey.tokens(scope="openid")


@pytest.mark.parametrize(
    "value",
    [
        "0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11",
        "https://id.example.com/portal/",
        "https://id.example.com/portal/.well-known/openid-configuration",
    ],
)
def test_what_the_relying_party_is_told_can_be_copied(portal, openid_app, value):
    page = portal.text(trust_of(openid_app))

    assert re.search(rf"<code data-copy=[^>]*>{re.escape(value)}</code>", page)
    assert 'name="openid_client_id"' not in page


def test_the_client_id_cannot_be_changed_here(portal, openid_app):
    portal.save(trust_of(openid_app), openid_client_id="mine", url="https://rp.example/")

    stored = Application.objects.get()
    assert stored.openid_client_id == openid_app.openid_client_id
    assert list(AuditEvent.objects.get().details["changes"]) == ["url"]


def test_live_secrets_are_listed_with_when_they_end_and_were_used(portal, openid_app):
    now = timezone.now()
    give_secret(openid_app, expires_at=now + timedelta(days=400), last_used_at=now)
    give_secret(openid_app, secret="another-secret-of-enough-characters")
    give_secret(openid_app, secret="an-expired-one-of-enough", expires_at=now - timedelta(days=1))

    page = portal.text(trust_of(openid_app))

    table = re.search(r"<tbody>.*?</tbody>", page, re.DOTALL)[0]
    assert table.count("<tr>") == 2
    assert str((now + timedelta(days=400)).year) in table
    assert table.count("never") == 2
    assert SECRET not in page


def test_having_no_secret_is_said(portal, openid_app):
    assert "There is no client secret." in portal.text(trust_of(openid_app))


def test_requiring_a_secret_that_is_not_there_is_warned_about(portal, openid_app):
    sentence = "A client secret is required and there is none"

    assert sentence in portal.save(trust_of(openid_app), require_client_secret="on")

    give_secret(openid_app)
    assert sentence not in portal.save(trust_of(openid_app))


def test_whoever_may_only_look_sees_the_secrets_but_no_way_to_make_or_revoke_one(openid_app):
    secret = give_secret(openid_app)
    viewer = Portal(make_user("viewer", is_staff=True))  # Everybody may View

    page = viewer.text(trust_of(openid_app))

    assert "<tbody><tr>" in page
    assert "client-secret/" not in page
    for path in ("client-secret/", f"client-secret/{secret.pk}/revoke/"):
        address = f"/admin/oidc_pkce/application/{openid_app.pk}/{path}"
        assert viewer.browser.get(address).status_code == 403
        assert viewer.browser.post(address).status_code == 403
    assert openid_app.client_secrets.count() == 1


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("redirect_uris", "https://rp.example/*#", "“https://rp.example/*#”"),
        ("url", "javascript:alert(1)", "Enter a valid URL"),
        ("client_jwks", "{", "Enter a valid JSON"),
        ("client_jwks", json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}), "not a set of"),
        ("issuer", "https://id.example.com/other/", "place here"),
        ("login_initiation", "nobody", "Select a valid choice"),
        ("frontchannel_logout_uri", "//rp.example", "must be an https address"),
    ],
    ids=["redirect", "url", "no-json", "symmetric", "issuer", "initiation", "logout"],
)
def test_a_mistake_is_named_and_nothing_is_saved(portal, openid_app, field, value, sentence):
    page = portal.save(trust_of(openid_app), **{"require_client_secret": "on", field: value})

    assert sentence in page
    assert Application.objects.get().version == 1
