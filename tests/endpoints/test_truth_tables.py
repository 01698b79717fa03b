"""Conditions that must ALL hold: every combination of faults refuses, no ``and`` for an ``or``.

The table of a code is in the tests of the token endpoint.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from oidc_pkce.models import Application, Grant, RefreshToken
from oidc_pkce.resource_server import admission
from tests.clock import Clock, stop_the_clock
from tests.fixtures import make_user
from tests.journeys import SECRET, Answer, Browser, Journey, make_application, make_service_user
from tests.spec import spec

Request = dict[str, Any]


@pytest.fixture
def client(confidential: Journey) -> Journey:
    """A confidential client; another one and another application, to be confused with."""
    app = confidential.application
    app.issues_refresh_tokens = True
    app.save()
    make_service_user(make_user("robot2"), SECRET)
    make_application(
        application_id="other",
        client_id_type="Confidential",
        client_ids=[],
        issues_refresh_tokens=True,
    )
    for application in Application.objects.all():
        for name in ("read", "write"):
            application.scopes.create(name=name)
    return confidential


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = stop_the_clock(monkeypatch)
    monkeypatch.setattr(admission, "timezone", clock)
    return clock


def combinations(faults: Any) -> list[Any]:
    """Every set of faults, the empty one included."""
    return [
        pytest.param(chosen, id=" and ".join(chosen) or "none")
        for count in range(len(faults) + 1)
        for chosen in itertools.combinations(faults, count)
    ]


def deactivate() -> None:
    get_user_model().objects.filter(username="ada").update(is_active=False)


REFRESH_FAULTS: dict[str, Callable[[Request], Any]] = {
    "client": lambda request: request.update(client_id="robot2"),
    "application": lambda request: request.update(application="other"),
    "secret": lambda request: request.update(client_secret="w" * 43),
    "expired": lambda _: RefreshToken.objects.update(expires_at=timezone.now()),
    "revoked": lambda _: Grant.objects.update(revoked_at=timezone.now()),
    "user": lambda _: deactivate(),
    "scope": lambda request: request.update(scope="read write"),
}


@spec("RFC 6749", "6")
@pytest.mark.parametrize("faults", combinations(REFRESH_FAULTS))
def test_a_refresh_is_answered_only_when_every_condition_holds(client: Journey, faults):
    request: Request = {"scope": "read"}
    token = client.tokens(scope="read")["refresh_token"]
    for fault in faults:
        REFRESH_FAULTS[fault](request)
    asks = Journey(
        Application.objects.get(application_id=request.pop("application", "backend")),
        client_id="robot",
        secret=SECRET,
    )

    answer = asks.refresh(token, **request)

    assert (answer.status == 200) is (not faults)
    assert (RefreshToken.objects.filter(used_at=None).count()) == 1
    if faults:
        assert answer.error in {"invalid_grant", "invalid_client", "invalid_scope"}
        assert RefreshToken.objects.count() == 1


TOKEN_FAULTS: dict[str, Callable[[Clock], Any]] = {
    "application": lambda _: None,
    "expired": lambda clock: clock.step(5 * 3600),
    "revoked": lambda _: Grant.objects.update(revoked_at=timezone.now()),
    "user": lambda _: deactivate(),
    "disabled": lambda _: Application.objects.filter(application_id="backend").update(
        enabled=False
    ),
}


@spec("RFC 9068", "4")
@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize("faults", combinations(TOKEN_FAULTS))
def test_an_access_token_is_good_only_while_every_condition_holds(
    client: Journey, clock: Clock, settings: Any, faults, token_type: str
):
    Application.objects.update(token_type=token_type)
    client.application.refresh_from_db()
    token = client.tokens(scope="read")["access_token"]
    for fault in faults:
        TOKEN_FAULTS[fault](clock)
    name = "other" if "application" in faults else "backend"
    asks = Journey(Application.objects.get(application_id=name), client_id="robot", secret=SECRET)
    settings.ROOT_URLCONF = "tests.resource_server.urls"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "RESOURCE_SERVER": {"APPLICATIONS": [name]}}
    bearer = {"Authorization": f"Bearer {token}"}

    is_good = {
        "userinfo": asks.userinfo(token).status == 200,
        "introspect": asks.introspect(token).json.get("active", False),
        "REST framework": Answer(Browser().get("/api/", headers=bearer)).status == 200,
        "a plain view": Answer(Browser().get("/plain/", headers=bearer)).status == 200,
    }

    assert is_good == dict.fromkeys(is_good, not faults)
