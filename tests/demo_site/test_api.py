"""The demo's API: a person's notes, for a token that may read them."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from demo_site import seed
from oidc_pkce.models import Application, Scope
from tests.demo_site.running_demo import running_demo
from tests.journeys import Journey
from tests.resource_server.conftest import ask, use

BASE = "https://id.example.com"


@pytest.fixture
def ada(db: None, settings: Any) -> Journey:
    """Ada before the sample OpenID Connect application of the demo."""
    settings.ROOT_URLCONF = "demo_site.urls"
    use(settings, APPLICATIONS=[seed.OPENID_APPLICATION])
    seed.seed(seed.sample_clients(BASE, 5000))
    application = Application.objects.get(application_id=seed.OPENID_APPLICATION)
    application.requires_consent = False
    application.save()
    user = get_user_model().objects.get(username="ada")
    redirect_uri = application.redirect_uris[0]
    journey = Journey(application, client_id=seed.OPENID_CLIENT, redirect_uri=redirect_uri)
    return journey.log_in(user)


def test_a_token_with_the_scope_reads_the_persons_notes(ada: Journey) -> None:
    token = ada.tokens(scope=f"openid {seed.NOTES_SCOPE}")["access_token"]

    told = ask("/api/notes", token).json
    assert told["owner"] == "ada"
    assert any("Bernoulli" in note for note in told["notes"])
    assert ask("/api/notes/latest", token).json == {"note": told["notes"][-1]}


def test_a_token_without_the_scope_reads_nothing(ada: Journey) -> None:
    token = ada.tokens(scope="openid profile")["access_token"]

    for path in ("/api/notes", "/api/notes/latest"):
        assert ask(path, token).status == 403
        assert ask(path).status == 401


def test_the_pattern_of_the_scope_decides_about_the_path(ada: Journey) -> None:
    token = ada.tokens(scope=seed.NOTES_SCOPE)["access_token"]
    Scope.objects.update(rest_patterns=["/api/other"])

    assert ask("/api/notes", token).status == 403
    assert ask("/api/notes/latest", token).status == 200


def test_the_running_demo_protects_its_api_and_says_whose_tokens_it_takes(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        where = f"{demo.base}/.well-known/oauth-protected-resource/api"
        document = demo.ask(where)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{demo.base}/api/notes", timeout=10)

    assert document["resource"] == f"{demo.base}/api"
    assert document["authorization_servers"] == [f"{demo.base}/{seed.OPENID_APPLICATION}/"]
    assert document["scopes_supported"] == [seed.NOTES_SCOPE]
    assert caught.value.code == 401
    assert caught.value.headers["WWW-Authenticate"] == f'Bearer resource_metadata="{where}"'
