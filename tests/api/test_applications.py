"""Applications over the management API: the same rules as the screens, and no lost update."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oidc_pkce.flows.webapps.changes import FIELDS
from oidc_pkce.models import Application, AuditEvent, Permission, Right
from tests.api.conftest import Api, allow, caller
from tests.fixtures import make_user
from tests.journeys import CALLBACK, make_application

NEW = {
    "template": "OAuth2ServerClient",
    "application_id": "field_notes",
    "name": "Field Notes",
    "client_id_type": "List",
    "client_ids": ["my_service_user"],
    "redirect_uris": [CALLBACK],
    "scopes": [{"name": "notes.read", "description": "Read", "rest_patterns": ["/notes.*"]}],
}


def address(application: Application, rest: str = "") -> str:
    return f"applications/{application.pk}{rest}"


def test_an_application_is_created_with_its_scopes_and_told_as_it_is_stored(api: Api) -> None:
    told = api.post("applications", NEW)

    made = Application.objects.get()
    assert told.status == 201
    assert told.etag == '"1"'
    assert {name: told.json[name] for name in NEW} == NEW
    assert told.json["status"] == "ready_to_deploy"
    assert told.json["access_token_lifetime"] == "0.05:00:00"
    assert told.json["endpoints"]["token"] == "https://id.example.com/OAuth2/Token/field_notes"
    assert told.json == api.get(address(made)).json
    assert told.response.headers["Location"] == f"/admin/api/oidc_pkce/v1/{address(made)}"


def test_every_column_that_a_screen_can_change_is_a_member(api: Api, list_app: Application) -> None:
    told = api.get(address(list_app)).json

    assert [name for name in FIELDS if name not in told] == []
    assert "subject_salt" not in told


def test_a_change_is_audited_with_the_one_who_made_it(api: Api, list_app: Application) -> None:
    told = api.patch(address(list_app), {"name": "Renamed"}, match='"1"')

    event = AuditEvent.objects.get(action="application.updated")
    assert (told.status, told.etag, told.json["name"]) == (200, '"2"', "Renamed")
    assert event.actor_name == "robin"
    assert event.details["changes"]["name"] == {"before": "My App", "after": "Renamed"}


def test_a_patch_leaves_what_it_does_not_name_and_a_put_sets_it_to_its_default(
    api: Api, list_app: Application
) -> None:
    list_app.scopes.create(name="notes.read")
    api.patch(address(list_app), {"description": "Old", "category": "Tools"}, match="*")
    patched = api.patch(address(list_app), {"category": "Music"}, match="*").json
    body = {name: NEW[name] for name in ("template", "application_id", "name")}
    put = api.put(address(list_app), body, match="*").json

    assert (patched["description"], patched["category"]) == ("Old", "Music")
    assert [scope["name"] for scope in patched["scopes"]] == ["notes.read"]
    assert (put["description"], put["category"], put["scopes"]) == ("", "Other", [])
    assert put["openid_client_id"] == list_app.openid_client_id
    assert put["application_id"] == "field_notes"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_without_if_match_is_refused(api: Api, list_app: Application, method: str) -> None:
    told = api.call(method, address(list_app), NEW)

    assert told.status == 428
    assert told.response.headers["Content-Type"] == "application/problem+json"
    assert Application.objects.get().name == "My App"


@pytest.mark.parametrize("match", ['"7"', 'W/"1"', "1", '"7", "8"', "''"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_of_another_version_than_the_present_one_is_refused(
    api: Api, list_app: Application, method: str, match: str
) -> None:
    told = api.call(method, address(list_app), NEW, match=match)

    assert told.status == 412
    assert '"1"' in told.json["detail"]
    assert Application.objects.get().name == "My App"


def test_of_two_that_read_the_same_version_the_second_is_told(
    api: Api, list_app: Application
) -> None:
    kim = caller(make_user("kim", is_staff=True, is_superuser=True))
    seen = api.get(address(list_app)).etag

    first = api.patch(address(list_app), {"name": "First"}, match=seen)
    second = kim.patch(address(list_app), {"name": "Second"}, match=seen)

    assert (first.status, second.status) == (200, 412)
    assert Application.objects.get().name == "First"


def test_what_changed_behind_the_check_is_found_by_the_flow(
    api: Api, list_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the reading and the lock, somebody else saves."""
    from oidc_pkce.api import preconditions

    def late(*_: Any) -> int:
        Application.objects.update(version=5)
        return 1

    monkeypatch.setattr(preconditions, "expected_version", late)

    assert api.patch(address(list_app), {"name": "Late"}, match='"1"').status == 412
    assert api.delete(address(list_app), match='"1"').status == 412
    assert Application.objects.get().name == "My App"


def test_a_version_that_is_known_is_not_sent_again(api: Api, list_app: Application) -> None:
    seen = api.get(address(list_app)).etag

    told = api.get(address(list_app), If_None_Match=seen)

    assert (told.status, told.response.content, told.etag) == (304, b"", seen)
    assert api.get(address(list_app), If_None_Match='"9"').status == 200


def test_an_application_is_deleted(api: Api, list_app: Application) -> None:
    assert api.delete(address(list_app), match='"1"').status == 204
    assert not Application.objects.exists()
    assert AuditEvent.objects.get().action == "application.deleted"


def test_what_a_rule_refuses_is_named_by_its_place_and_nothing_is_saved(
    api: Api, list_app: Application
) -> None:
    body = {
        "name": "Half",
        "redirect_uris": [CALLBACK, "javascript:alert(1)"],
        "access_token_lifetime": "0.00:00:01",
        "scopes": [{"name": "one"}, {"name": "two words"}],
    }

    told = api.patch(address(list_app), body, match="*")

    assert told.status == 422
    assert sorted(told.places) == [
        "/access_token_lifetime",
        "/redirect_uris/1",
        "/scopes/1/name",
    ]
    assert "javascript:alert(1)" in dict(told.errors)["/redirect_uris/1"]
    assert Application.objects.get().name == "My App"
    assert not AuditEvent.objects.exists()


def test_an_application_id_that_is_taken_is_named(api: Api, list_app: Application) -> None:
    told = api.post("applications", {**NEW, "application_id": "MY_APP"})

    assert told.status == 422
    assert told.errors == [("/application_id", "Another application has this Application ID.")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"nmae": "x"}, "/nmae"),
        ({"id": 7}, "/id"),
        ({"version": 2}, "/version"),
        ({"openid_client_id": "x"}, "/openid_client_id"),
        ({"subject_salt": "x"}, "/subject_salt"),
        ({"permissions": []}, "/permissions"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"enabled": "true"}, "/enabled"),
        ({"enabled": 1}, "/enabled"),
        ({"name": 7}, "/name"),
        ({"name": None}, "/name"),
        ({"redirect_uris": "x"}, "/redirect_uris"),
        ({"redirect_uris": ["x", 7]}, "/redirect_uris/1"),
        ({"client_id_type": "Liste"}, "/client_id_type"),
        ({"access_token_lifetime": 300}, "/access_token_lifetime"),
        ({"access_token_lifetime": "5h"}, "/access_token_lifetime"),
        ({"client_jwks": []}, "/client_jwks"),
        ({"scopes": [{"name": "a", "nmae": "b"}]}, "/scopes/0/nmae"),
        ({"scopes": [{"description": "b"}]}, "/scopes/0/name"),
    ],
    ids=json.dumps,
)
def test_a_member_that_is_unknown_or_of_the_wrong_type_is_named(
    api: Api, list_app: Application, change: Any, place: str
) -> None:
    told = api.patch(address(list_app), change, match="*")

    assert (told.status, told.places) == (400, [place])
    assert told.json["type"].endswith("#malformed")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1, 2]",
        b'"text"',
        b"null",
        b'{"name": "a", "name": "b"}',
        b'{"name": NaN}',
        b'{"client_jwks": {"a": 1e999}}',
        b'{"name": "\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"\\u0000": 1}',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b"1" * 5000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_is_no_sound_json_object_is_refused(
    api: Api, list_app: Application, body: bytes
) -> None:
    told = api.call("PATCH", address(list_app), raw=body, match="*")

    assert told.status == 400
    assert told.response.headers["Content-Type"] == "application/problem+json"


def test_a_body_is_read_only_so_far(api: Api, list_app: Application) -> None:
    told = api.call("PATCH", address(list_app), raw=b'"' + b"a" * (2 * 1024**2), match="*")

    assert told.status == 413


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""],
)
def test_a_body_that_is_not_json_is_refused(
    api: Api, list_app: Application, content_type: str
) -> None:
    told = api.call("PATCH", address(list_app), raw=b"name=x", match="*", content_type=content_type)

    assert told.status == 415


def test_a_list_is_filtered_searched_ordered_and_paged(api: Api) -> None:
    for n in range(5):
        make_application(
            application_id=f"app-{n}", name=f"App {n}", everybody=n > 2, enabled=n != 4
        )
    make_application(
        application_id="portal",
        name="Portal",
        template="Generic OpenID Connect",
        client_ids=[],
        client_id_type="Confidential",
        category="Tools",
    )

    def ids(query: str) -> list[str]:
        return [one["application_id"] for one in api.get(f"applications?{query}").json["results"]]

    assert ids("type=Generic%20OpenID%20Connect") == ["portal"]
    assert ids("status=ready_to_deploy") == ["app-0", "app-1", "app-2"]
    assert ids("enabled=false") == ["app-4"]
    assert ids("category=Tools") == ["portal"]
    assert ids("application_id=APP-3") == ["app-3"]
    assert ids("search=ortal") == ["portal"]
    assert ids("ordering=-name&page_size=2") == ["portal", "app-4"]
    first = api.get("applications?page_size=4&ordering=name").json
    second = api.browser.get(first["next"]).json()
    assert (first["count"], first["previous"]) == (6, None)
    assert [one["application_id"] for one in second["results"]] == ["app-4", "portal"]
    assert second["next"] is None
    assert second["previous"].startswith("/admin/api/oidc_pkce/v1/applications?")


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("typ=x", "typ"),
        ("type=x", "type"),
        ("enabled=1", "enabled"),
        ("page=0", "page"),
        ("page=one", "page"),
        ("page_size=1000", "page_size"),
        ("page=1&page=2", "page"),
        ("ordering=subject_salt", "ordering"),
        ("search=%00", "search"),
        ("search=" + "a" * 300, "search"),
    ],
)
def test_a_query_parameter_that_is_unknown_or_wrong_is_named(
    api: Api, query: str, parameter: str
) -> None:
    told = api.get(f"applications?{query}")

    assert told.status == 400
    assert [each["parameter"] for each in told.json["errors"]] == [parameter]


def test_a_list_costs_the_same_however_many_there_are(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    for n in range(60):
        made = make_application(application_id=f"app-{n}", name=f"App {n}")
        made.scopes.create(name="read")

    with django_assert_max_num_queries(6):
        told = api.get("applications?page_size=60")

    assert len(told.json["results"]) == 60


def test_a_list_costs_little_for_somebody_with_rows_of_permissions(
    db: None, django_assert_max_num_queries: Any
) -> None:
    kim = make_user("kim", is_staff=True)
    for n in range(30):
        made = make_application(application_id=f"app-{n}", name=f"App {n}", everybody=False)
        Permission.objects.create(application=made, principal="user", user=kim)
    make_application(application_id="hidden", everybody=False)
    mine = caller(kim)

    with django_assert_max_num_queries(9):
        told = mine.get("applications?page_size=60")

    assert told.json["count"] == 30


def test_whoever_may_only_add_owns_what_they_add(db: None) -> None:
    kim = make_user("kim", is_staff=True)
    allow(kim, "add_application")
    mine = caller(kim)

    made = mine.post("applications", NEW)

    row = Permission.objects.get(user=kim)
    assert made.status == 201
    assert all(getattr(row, right) for right in ("can_grant", "can_manage", "can_delete"))
    assert mine.patch(f"applications/{made.json['id']}", {"name": "Mine"}, match="*").status == 200
    assert getattr(row, Right.VIEW.value)


def test_two_that_create_the_same_application_at_once_get_no_server_error(
    api: Api, list_app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both were found sound before the other one was stored."""
    from oidc_pkce.flows.webapps import saving

    monkeypatch.setattr(saving, "require_sound", lambda *_: None)

    assert api.post("applications", {**NEW, "application_id": "my_app"}).status == 409


@pytest.mark.parametrize("path", ["", "nothing", "applications/7", "applications/x", "a%00b"])
def test_what_is_not_there_is_a_problem_too(api: Api, path: str) -> None:
    told = api.get(path)

    assert (told.status, told.json["type"]) == (404, "/admin/api/oidc_pkce/v1/docs/#not-found")


def test_a_method_that_an_address_does_not_have_is_refused(api: Api) -> None:
    told = api.call("DELETE", "applications")
    options = api.call("OPTIONS", "applications")

    assert (told.status, told.response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert told.json["title"] == "This address has no such method"
    assert options.status == 405
    assert not [name for name in options.response.headers if name.startswith("Access-Control")]


def test_no_cache_keeps_an_answer(api: Api, list_app: Application) -> None:
    for path in ("applications", address(list_app), "nothing", "openapi.json", "docs/"):
        assert api.get(path).response.headers["Cache-Control"] == "no-store"


def test_a_browser_that_accepts_pages_gets_json_too(api: Api) -> None:
    told = api.get("applications", Accept="text/html")

    assert told.response.headers["Content-Type"] == "application/json"


def test_a_body_of_many_small_faults_has_a_short_answer(api: Api, list_app: Application) -> None:
    """Two megabytes of them took a minute, and the answer had fifty."""
    path = f"applications/{list_app.pk}"

    some = api.patch(path, {"scopes": [1] * 5000}, match="*")
    many = api.patch(path, {"scopes": [1] * 100_000}, match="*")

    assert (some.status, len(some.errors)) == (400, 1000)
    assert (many.status, "errors" in many.json) == (400, False)
