"""The demo's people have every claim that a standard scope tells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders

from demo_site.claims import PEOPLE, DemoClaims
from demo_site.seed import PEOPLE as SEEDED
from oidc_pkce.protocol.scope import STANDARD
from tests.demo_site.running_demo import demo_environment
from tests.fixtures import make_user
from tests.spec import spec

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def provider(settings: Any) -> DemoClaims:
    settings.ISSUER_BASE = "http://127.0.0.1:8000"
    settings.STATICFILES_DIRS = [ROOT / "demo_site" / "static"]
    return DemoClaims()


@spec("OpenID Connect Core", "5.1")
@spec("OpenID Connect Core", "5.1.1")
@pytest.mark.parametrize("person", SEEDED, ids=lambda person: person.username)
def test_each_person_has_something_for_every_standard_claim(db, provider, person) -> None:
    user = make_user(
        person.username,
        email=f"{person.username}@example.com",
        first_name=person.first_name,
        last_name=person.last_name,
    )

    told = provider.userinfo(user, STANDARD)

    every = {claim for claims in STANDARD.values() for claim in claims} - {"sub"}
    assert set(told) == every == set(provider.supported())
    assert isinstance(told["address"], dict)
    assert isinstance(told["updated_at"], int)
    assert isinstance(told["phone_number_verified"], bool)
    assert told["email_verified"] is True


def test_the_pictures_are_there(provider) -> None:
    for name in PEOPLE:
        assert finders.find(f"demo_site/{name}.svg")


def test_somebody_else_is_told_no_story(db, provider) -> None:
    told = provider.userinfo(make_user("bob"), STANDARD)

    assert told == {"preferred_username": "bob"}


@pytest.mark.parametrize(
    ("base", "provider"),
    [("http://127.0.0.1:8000", "demo_site.claims.DemoClaims"), ("https://id.example.com", "None")],
)
def test_the_story_is_told_on_this_machine_alone(tmp_path: Path, base: str, provider: str) -> None:
    printed = subprocess.run(
        [
            sys.executable,
            "-c",
            "from demo_site.settings import *; print(OIDC_PKCE.get('CLAIMS_PROVIDER'))",
        ],
        env=demo_environment(tmp_path, OIDC_PKCE_ISSUER_BASE=base, DJANGO_SECRET_KEY="x" * 50),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert printed.stdout.strip() == provider
