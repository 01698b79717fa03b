"""Signing keys and the audit log over the management API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from oidc_pkce import audit
from oidc_pkce.flows import keys
from oidc_pkce.models import Application, AuditEvent, SigningKey
from tests.api.conftest import Api


def test_keys_are_listed_without_their_private_halves(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    for _ in range(4):
        keys.rotate("ES256", now)

    with django_assert_max_num_queries(5):
        told = api.get("signing-keys")

    states = [row["state"] for row in told.json["results"]]
    stored = [keys.state(key, timezone.now()).value for key in SigningKey.objects.all()]
    assert states == stored == ["next", "next", "next", "current"]
    private = SigningKey.objects.values_list("private_key", flat=True)
    text = json.dumps(told.json)
    assert '"d"' not in text
    assert not [pem for pem in private if pem in text]
    kid = told.json["results"][0]["kid"]
    assert api.get(f"signing-keys/{kid}").json == told.json["results"][0]


def test_a_key_is_rotated_by_somebody(api: Api) -> None:
    keys.signer("ES256", timezone.now())

    told = api.post("signing-keys/rotate", {"algorithm": "ES256"})

    assert (told.status, told.json["state"]) == (201, "next")
    assert api.browser.get(told.response.headers["Location"]).json() == told.json
    assert AuditEvent.objects.get(action="key.rotated").actor_name == "robin"
    urgent = api.post("signing-keys/rotate", {"algorithm": "ES256", "emergency": True})
    assert urgent.json["state"] == "current"
    assert SigningKey.objects.published(timezone.now()).filter(algorithm="ES256").count() == 1


@pytest.mark.parametrize(
    "body", [{}, {"algorithm": "none"}, {"algorithm": "ES256", "emergency": "no"}], ids=str
)
def test_a_rotation_that_is_not_understood_does_nothing(api: Api, body: Any) -> None:
    assert api.post("signing-keys/rotate", body).status == 400
    assert not SigningKey.objects.exists()


def test_the_key_that_signs_is_retired_only_with_a_replacement(api: Api) -> None:
    kid = keys.signer("ES256", timezone.now()).kid

    refused = api.post(f"signing-keys/{kid}/retire")
    done = api.post(f"signing-keys/{kid}/retire", {"replace": True})
    again = api.post(f"signing-keys/{kid}/retire", {"replace": True})

    assert (refused.status, refused.places) == (422, ["/replace"])
    assert done.json["retired"]["state"] == "expired"
    assert done.json["replacement"]["state"] == "current"
    assert again.status == 422
    assert api.post("signing-keys/unknown/retire").status == 404
    assert AuditEvent.objects.get(action="key.retired").actor_name == "robin"


def test_the_audit_log_is_read_filtered_and_never_changed(
    api: Api, list_app: Application, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        now = timezone.now()
        audit.record(audit.Action.SIGNED_IN, now=now, actor_name=f"ada{n % 2}", client_id="c")
    api.patch(f"applications/{list_app.pk}", {"name": "Renamed"}, match="*")

    with django_assert_max_num_queries(3):
        told = api.get("audit-events?page_size=10").json

    changed = told["results"][0]
    assert len(told["results"]) == 10
    assert (changed["action"], changed["application"]) == ("application.updated", list_app.pk)
    assert changed["details"]["changes"]["name"]["after"] == "Renamed"
    assert len(api.browser.get(told["next"]).json()["results"]) == 3
    assert len(api.get("audit-events?actor=ada1").json["results"]) == 6
    assert len(api.get(f"audit-events?application={list_app.pk}").json["results"]) == 1
    assert len(api.get("audit-events?action=user.signed_in&client_id=c").json["results"]) == 12
    assert api.get("audit-events?since=2999-01-01T00:00:00Z").json["results"] == []
    assert api.get("audit-events?until=0001-01-01T00:00:00%2B14:00").json["results"] == []
    assert api.get(f"audit-events/{changed['id']}").json == changed
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        assert api.call(method, f"audit-events/{changed['id']}", {}).status == 405
