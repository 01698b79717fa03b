"""Grants over the management API: found, revoked, and no token ever told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from oidc_pkce.models import Application, AuditEvent, Grant
from tests.api.conftest import Api, caller, give
from tests.fixtures import make_user
from tests.journeys import Journey, make_application


def make_grant(application: Application, user: Any, **fields: Any) -> Grant:
    now = timezone.now()
    defaults = {
        "client_id": "my_service_user",
        "subject": "s",
        "auth_time": now,
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    return Grant.objects.create(application=application, user=user, **{**defaults, **fields})


def test_a_grant_is_read_and_revoked_with_its_tokens(api: Api, signed_in: Journey) -> None:
    signed_in.application.issues_refresh_tokens = True
    signed_in.application.save()
    tokens = signed_in.tokens()
    (row,) = api.get("grants").json["results"]

    told = api.post(f"grants/{row['id']}/revoke")

    assert (row["user"], row["application_id"], row["state"]) == ("ada", "my_app", "live")
    assert row == api.get(f"grants/{row['id']}").json or told.json["state"] == "revoked"
    assert (told.status, told.json["state"]) == (200, "revoked")
    assert signed_in.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert tokens["access_token"] not in str(row)
    assert tokens["refresh_token"] not in str(row)
    assert AuditEvent.objects.get(action="grant.revoked").actor_name == "robin"
    assert api.post(f"grants/{row['id']}/revoke").json == told.json
    assert AuditEvent.objects.filter(action="grant.revoked").count() == 1


def test_grants_are_filtered(api: Api, list_app: Application, ada: Any, bob: Any) -> None:
    past = timezone.now() - timedelta(hours=1)
    other = make_application(application_id="other", name="Other")
    wanted = {
        "user=bob": make_grant(list_app, bob),
        f"application={other.pk}": make_grant(other, ada),
        "client_id=elsewhere": make_grant(list_app, ada, client_id="elsewhere"),
        "state=expired": make_grant(list_app, ada, expires_at=past),
        "state=revoked": make_grant(list_app, ada, revoked_at=past),
    }

    for query, grant in wanted.items():
        rows = api.get(f"grants?{query}").json["results"]
        assert [row["id"] for row in rows] == [str(grant.pk)], query
    assert len(api.get("grants?state=live").json["results"]) == 3


def test_slices_follow_each_other_without_gap_or_repetition(
    api: Api, list_app: Application, ada: Any
) -> None:
    """Also where many were given at the same moment."""
    now = timezone.now()
    made = {str(make_grant(list_app, ada, created_at=now).pk) for _ in range(7)}
    made |= {str(make_grant(list_app, ada).pk) for _ in range(4)}
    seen, path = [], "/admin/api/oidc_pkce/v1/grants?page_size=3"

    while path:
        page = api.browser.get(path).json()
        seen += [row["id"] for row in page["results"]]
        path = page["next"]

    assert len(seen) == 11
    assert set(seen) == made
    assert api.get(f"grants?after={uuid4()}").status == 404
    assert api.get("grants?after=7").status == 400


def test_a_slice_costs_the_same_however_many_there_are(
    api: Api, list_app: Application, ada: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(40):
        make_grant(list_app, ada)

    with django_assert_max_num_queries(4):
        told = api.get("grants?page_size=40")

    assert len(told.json["results"]) == 40


def test_many_are_revoked_by_user_application_or_client(
    api: Api, list_app: Application, ada: Any, bob: Any
) -> None:
    for user in (ada, ada, bob):
        make_grant(list_app, user)

    told = api.post("grants/revoke", {"user": "ada", "application": list_app.pk})

    assert told.json == {"revoked": 2, "is_complete": True}
    assert Grant.objects.get(revoked_at=None).user == bob
    assert AuditEvent.objects.filter(action="grant.revoked", actor_name="robin").count() == 2


def test_all_of_everybody_are_not_revoked_by_mistake(
    api: Api, list_app: Application, ada: Any
) -> None:
    make_grant(list_app, ada)

    assert api.post("grants/revoke", {}).status == 422
    assert api.post("grants/revoke").status == 422
    assert Grant.objects.get().revoked_at is None


def test_whoever_manages_one_application_reaches_its_grants_alone(
    list_app: Application, ada: Any
) -> None:
    kim = make_user("kim", is_staff=True)
    give(kim, list_app, "can_manage")
    other = make_application(application_id="other")
    mine, theirs = make_grant(list_app, ada), make_grant(other, ada)
    browser = caller(kim)

    assert [row["id"] for row in browser.get("grants").json["results"]] == [str(mine.pk)]
    assert browser.get(f"grants?after={theirs.pk}").status == 404
    assert browser.get(f"grants/{theirs.pk}").status == 404
    assert browser.post(f"grants/{theirs.pk}/revoke").status == 404
    assert browser.post("grants/revoke", {"user": "ada"}).json["revoked"] == 1
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


@pytest.mark.parametrize("body", [{"user": 7}, {"application": "x"}, {"users": "ada"}])
def test_a_filter_that_is_wrong_revokes_nothing(
    api: Api, list_app: Application, ada: Any, body: Any
) -> None:
    make_grant(list_app, ada)

    assert api.post("grants/revoke", body).status == 400
    assert Grant.objects.get().revoked_at is None
