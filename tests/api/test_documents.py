"""Clone, export and import over the management API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oidc_pkce.flows.webapps.document import planning
from oidc_pkce.models import Application, AuditEvent, ClientSecret, Permission
from tests.api.conftest import Api, allow, caller, give
from tests.fixtures import make_user
from tests.journeys import give_secret, make_application


def test_a_clone_differs_in_its_identifiers_alone_and_has_no_secret(
    api: Api, openid_app: Application
) -> None:
    openid_app.scopes.create(name="notes.read")
    give_secret(openid_app)
    path = f"applications/{openid_app.pk}"

    told = api.post(f"{path}/clone", {"application_id": "copy", "name": "Copy"})

    before, after = api.get(path).json, told.json
    changed = {name for name in before if before[name] != after[name]}
    own = {"id", "application_id", "name", "openid_client_id", "issuer_in_use", "endpoints"}
    assert told.status == 201
    assert changed - {"version"} == {*own, "created_at", "updated_at"}
    assert ClientSecret.objects.filter(application_id=after["id"]).count() == 0


def test_a_clone_under_a_name_that_is_taken_is_refused(api: Api, list_app: Application) -> None:
    path = f"applications/{list_app.pk}/clone"

    told = api.post(path, {"application_id": "my_app", "name": ""})

    assert told.status == 400
    told = api.post(path, {"application_id": "my_app", "name": "x"})
    assert (told.status, told.places) == (422, ["/application_id"])


def test_an_import_of_an_export_changes_nothing(
    api: Api, list_app: Application, openid_app: Application
) -> None:
    exported = api.get("applications/export")
    one = api.get(f"applications/{list_app.pk}/export")

    told = api.post("applications/import", exported.json)

    assert [each["ServiceName"] for each in exported.json] == ["my_app", "portal"]
    assert one.json == exported.json[0]
    assert told.status == 200
    assert {each["outcome"] for each in told.json["outcomes"]} == {"unchanged"}
    assert not AuditEvent.objects.exists()


def test_an_export_takes_the_filters_of_the_list(
    api: Api, list_app: Application, openid_app: Application
) -> None:
    told = api.get("applications/export?type=Generic%20OpenID%20Connect")

    assert [each["ServiceName"] for each in told.json] == ["portal"]


def test_an_import_can_be_tried_first(api: Api, list_app: Application) -> None:
    document = api.get(f"applications/{list_app.pk}/export").json
    document["Name"] = "Renamed"

    tried = api.post("applications/import?dry_run=true", document)
    assert Application.objects.get().name == "My App"
    done = api.post("applications/import", document)

    assert tried.json["dry_run"] is True
    assert done.json == {**tried.json, "dry_run": False}
    assert done.json["outcomes"][0]["changes"]["name"] == {"before": "My App", "after": "Renamed"}
    assert Application.objects.get().name == "Renamed"
    assert AuditEvent.objects.get().actor_name == "robin"


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_what_is_wrong_with_a_document_is_named_by_its_place(
    api: Api, list_app: Application, dry_run: str
) -> None:
    good = api.get(f"applications/{list_app.pk}/export").json
    good["Name"] = "Half"
    bad = {"ServiceName": "other", "OAuthProfile": {"Redirects": ["https://x/", "nowhere"]}}

    told = api.post(f"applications/import?dry_run={dry_run}", [good, bad])

    assert (told.status, told.places) == (422, ["/1/OAuthProfile/Redirects/1"])
    assert Application.objects.get().name == "My App"


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 100_000])
def test_an_import_of_what_is_no_document_is_refused(api: Api, body: bytes) -> None:
    told = api.call("POST", "applications/import", raw=body)

    assert told.status == 422
    assert told.places == [""]


def test_an_import_may_be_larger_than_other_bodies_but_not_boundless(api: Api) -> None:
    large = json.dumps([{"ServiceName": "x", "Unknown": "a" * (3 * 1024**2)}]).encode()

    assert api.call("POST", "applications/import", raw=large).status == 200
    assert api.call("POST", "applications/import", raw=large * 3).status == 413


def test_an_import_may_do_only_what_its_sender_may(list_app: Application) -> None:
    kim = make_user("kim", is_staff=True)
    give(kim, list_app, "can_manage")
    mine = caller(kim)
    document: Any = mine.get(f"applications/{list_app.pk}/export").json

    granting = {**document, "Permissions": []}
    assert mine.post("applications/import", granting).places == ["/Permissions"]
    new = {**document, "ServiceName": "new"}
    assert mine.post("applications/import", new).status == 422
    hidden = make_application(application_id="hidden", everybody=False)
    assert mine.post("applications/import", {**document, "ServiceName": "hidden"}).status == 422
    told = mine.post("applications/import", {**document, "Name": "Mine"})
    assert told.status == 200, told.errors
    allow(kim, "add_application")
    new["OAuthProfile"]["ClientId"] = ""
    assert caller(kim).post("applications/import", new).status == 200
    assert Permission.objects.get(user=kim, application__application_id="new").can_grant
    hidden.refresh_from_db()
    assert hidden.name == "My App"


def test_a_hostile_import_has_no_answer_many_times_its_length(api: Api) -> None:
    rows = [{"Principal": "a", "PType": "User", "Rights": "x," * 200} for _ in range(200)]

    told = api.post("applications/import", {"ServiceName": "many", "Permissions": rows})

    assert told.status == 422
    assert len(told.errors) == 1000


def test_nothing_is_judged_for_whoever_may_add_nothing(db: None, monkeypatch: Any) -> None:
    """Thousands of patterns would be compiled for somebody who may do nothing."""
    monkeypatch.setattr(planning, "problems", _never)
    document = {"ServiceName": "many", "OAuthProfile": {"KnownScopes": [{"Scope": "a b"}]}}

    told = caller(make_user("nobody", is_staff=True)).post("applications/import", document)

    assert told.errors == [("/ServiceName", "you may not add applications.")]


def _never(*_: Any) -> Any:
    raise AssertionError
