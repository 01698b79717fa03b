"""Client secrets over the management API: told once, and to be found nowhere afterwards."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import serializers
from django.utils import timezone

from oidc_pkce.models import Application, AuditEvent, ClientSecret, RequestTrace
from tests.api.conftest import Api
from tests.journeys import SECRET, Journey


def everything_kept(caplog: pytest.LogCaptureFixture) -> str:
    rows = [
        row for model in (AuditEvent, RequestTrace, ClientSecret) for row in model.objects.all()
    ]
    sessions = [str(session.get_decoded()) for session in Session.objects.all()]
    return serializers.serialize("json", rows) + "".join(sessions) + caplog.text


def test_an_applications_secret_is_told_once(
    api: Api, openid: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = f"applications/{openid.application.pk}/secrets"

    told = api.post(path)

    secret = told.json["client_secret"]
    openid.secret = secret
    assert told.status == 201
    assert told.json["client_id"] == openid.client_id
    assert openid.tokens()["access_token"]
    assert secret not in everything_kept(caplog)
    for later in (path, f"applications/{openid.application.pk}", "audit-events"):
        assert secret not in api.get(later).response.content.decode()
    (row,) = api.get(path).json["results"]
    assert sorted(row) == ["created_at", "expires_at", "id", "last_used_at"]
    assert row["last_used_at"] is not None


def test_two_secrets_live_and_one_can_be_revoked_at_once(api: Api, openid: Journey) -> None:
    path = f"applications/{openid.application.pk}/secrets"
    first, second, third = (api.post(path).json["client_secret"] for _ in range(3))
    newest, older = api.get(path).json["results"]

    assert len({first, second, third}) == 3
    assert api.delete(f"{path}/{older['id']}").status == 204
    assert api.delete(f"{path}/{older['id']}").status == 404
    assert [row["id"] for row in api.get(path).json["results"]] == [newest["id"]]
    openid.secret = second
    assert openid.redeem(openid.authorize().code).error == "invalid_client"
    assert AuditEvent.objects.filter(action="secret.revoked", actor_name="robin").count() == 1


def test_a_secret_can_have_an_end(api: Api, openid_app: Application) -> None:
    path = f"applications/{openid_app.pk}/secrets"
    end = timezone.now() + timedelta(days=30)

    told = api.post(path, {"expires_at": end.isoformat()})
    past = api.post(path, {"expires_at": "2001-01-01T00:00:00Z"})

    assert told.status == 201
    assert ClientSecret.objects.get().expires_at == end
    assert (past.status, past.places) == (422, ["/expires_at"])


@pytest.mark.parametrize(
    "moment", ["2030-01-01", "2030-01-01T00:00:00", "tomorrow", "2030-13-01T00:00:00Z", 7, ""]
)
def test_a_moment_is_written_with_its_offset(
    api: Api, openid_app: Application, moment: Any
) -> None:
    told = api.post(f"applications/{openid_app.pk}/secrets", {"expires_at": moment})

    assert (told.status, told.places) == (400, ["/expires_at"])


def test_an_oauth2_application_has_no_secret_of_its_own(api: Api, list_app: Application) -> None:
    assert api.post(f"applications/{list_app.pk}/secrets").status == 422
    assert not ClientSecret.objects.exists()


def test_a_secret_of_another_owner_is_not_revoked(
    api: Api, openid_app: Application, list_app: Application, robot: Any
) -> None:
    pk = ClientSecret.objects.get().pk

    for owner in (f"applications/{openid_app.pk}", f"applications/{list_app.pk}"):
        assert api.delete(f"{owner}/secrets/{pk}").status == 404
    assert api.delete(f"service-users/robot/secrets/{pk}").status == 204


def test_a_service_users_secret_is_told_once(
    api: Api, confidential: Journey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    made = api.post("service-users", {"client_id": "new_robot"})
    rolled = api.post("service-users/new_robot/secrets", {})

    secrets = [made.json["client_secret"], rolled.json["client_secret"]]
    assert (made.status, rolled.status) == (201, 201)
    kept = everything_kept(caplog)
    listed = json.dumps(api.get("service-users/new_robot/secrets").json)
    assert not [secret for secret in secrets if secret in kept or secret in listed]
    assert len(api.get("service-users/new_robot/secrets").json["results"]) == 2
    for secret in secrets:
        confidential.client_id, confidential.secret = "new_robot", secret
        assert confidential.tokens()["access_token"]
    assert SECRET not in kept
