"""import_webapps: a tenant's export becomes applications, all of them or none."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from oidc_pkce.models import (
    Application,
    AuditEvent,
    ClientSecret,
    Permission,
    Scope,
)
from tests.journeys import CALLBACK, Journey

TENANT = Path(__file__).parent / "documents" / "tenant.json"
LIST = {
    "ServiceName": "my_app",
    "OAuthProfile": {
        "ClientIDType": 0,
        "AllowedClients": ["my_service_user"],
        "Redirects": [CALLBACK],
    },
    "Permissions": [{"Principal": "Everybody", "PType": "Role", "Rights": "View,Execute"}],
}


def profile(**members: object) -> dict:
    return {"ServiceName": "my_app", "OAuthProfile": members}


@pytest.fixture
def keepers(db):
    return Group.objects.create(name="keepers")


def test_a_tenants_export_is_imported(run, keepers, ada):
    answer = run("import_webapps", str(TENANT))

    assert answer.failure == ""
    assert answer.out.splitlines() == [
        "Created: lighthouse_api",
        "Created: tides",
        "Created: weather",
    ]
    lighthouse, tides, weather = Application.objects.order_by("pk")
    assert (lighthouse.template, lighthouse.client_id_type) == ("OAuth2ServerClient", "List")
    assert lighthouse.refresh_token_lifetime == timedelta(days=365)
    assert [scope.rest_patterns for scope in lighthouse.scopes.all()] == [
        ["lamp/log.*", "Redrock/*"],
        [".*"],
    ]
    assert {row.principal_name for row in lighthouse.permissions.all()} == {"Everybody", "keepers"}
    assert (tides.template, tides.show_in_user_app_list) == ("Generic OpenID Connect", True)
    assert tides.access_token_lifetime == timedelta(hours=8)
    assert tides.openid_client_id == "1f0e8c5a-4f4b-4d62-b0a4-3c7f2e9d8b61"
    assert (weather.template, weather.access_token_typ) == ("OAuth2Server", "at+jwt")
    assert weather.must_be_oauth_client


def test_a_tenants_secret_works_and_is_nowhere_to_be_read(run, keepers, ada):
    run("import_webapps", str(TENANT))

    secret = "an-invented-secret-of-a-tenant"
    assert ClientSecret.objects.get().facts().matches(secret, timezone.now())
    kept = repr(list(AuditEvent.objects.values())) + run("export_webapps").out
    assert secret not in kept


def test_unknown_keys_are_named_in_warnings(run, keepers, ada):
    answer = run("import_webapps", str(TENANT))

    first = next(line for line in answer.lines if line.startswith("Warning: [0]: "))
    for key in ("_RowKey", "WebAppType", "AuthRules", "WorkflowSettings"):
        assert key in first
    assert "Warning: [0].OAuthProfile: not known here and left out: AllowPublic." in answer.lines
    assert any(line.startswith("Warning: [0].OAuthProfile.Issuer: ") for line in answer.lines)


def test_importing_twice_changes_nothing(run, keepers, ada):
    run("import_webapps", str(TENANT))
    events = AuditEvent.objects.count()

    answer = run("import_webapps", str(TENANT), "--json")

    assert answer.json["unchanged"] == ["lighthouse_api", "tides", "weather"]
    assert AuditEvent.objects.count() == events
    assert ClientSecret.objects.count() == 1


def test_an_imported_list_application_signs_people_in(import_, ada):
    import_(LIST)

    assert Journey(Application.objects.get()).log_in(ada).tokens()["token_type"] == "Bearer"


def test_an_application_is_found_whatever_the_case_and_keeps_its_spelling(import_):
    import_(LIST)

    answer = import_({"ServiceName": "MY_App", "Name": "Renamed"})

    assert answer.out == "Updated: my_app\n"
    assert (Application.objects.get().name, Application.objects.get().version) == ("Renamed", 2)


def test_a_missing_key_keeps_what_is_stored(import_):
    import_({**LIST, "Description": "Kept"})

    import_({"ServiceName": "my_app", "OAuthProfile": {"Confirm": True}})

    stored = Application.objects.get()
    assert (stored.description, stored.client_ids) == ("Kept", ["my_service_user"])
    assert (stored.client_id_type, stored.requires_consent) == ("List", True)
    assert stored.permissions.count() == 1


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_client_id_or_secret_keeps_what_is_stored(import_, nothing):
    openid = {
        "ServiceName": "portal",
        "TemplateName": "Generic OpenID Connect",
        "OAuthProfile": {"ClientSecret": "sixteen characters"},
    }
    import_(openid)
    before = Application.objects.get().openid_client_id
    assert before

    import_({**openid, "OAuthProfile": {"ClientId": nothing, "ClientSecret": nothing}})

    assert Application.objects.get().openid_client_id == before
    assert ClientSecret.objects.count() == 1


def test_a_new_secret_is_added_beside_the_earlier_one(import_):
    openid = {"ServiceName": "portal", "TemplateName": "Generic OpenID Connect"}
    for secret in ("the first secret, long", "the second secret, long"):
        import_({**openid, "OAuthProfile": {"ClientSecret": secret}})

    assert ClientSecret.objects.count() == 2


@pytest.mark.parametrize(
    ("members", "template"),
    [
        ({}, "OAuth2ServerClient"),
        ({"OAuthProfile": {"TargetIsUs": True}}, "OAuth2ServerClient"),
        ({"OAuthProfile": {"TargetIsUs": False}}, "OAuth2Server"),
        ({"OAuthProfile": {"ClientId": "c", "TargetIsUs": False}}, "Generic OpenID Connect"),
        ({"OAuthProfile": {"ClientId": ""}}, "OAuth2ServerClient"),
        ({"OpenIDConnectScript": "@GenericOpenIDConnect"}, "Generic OpenID Connect"),
        ({"TemplateName": "OAuth2Server", "OpenIDConnectScript": "x"}, "OAuth2Server"),
    ],
)
def test_the_type_is_inferred(import_, members, template):
    import_({"ServiceName": "my_app", **members})

    assert Application.objects.get().template == template


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({}, "Confidential"),
        ({"ClientIDType": 1, "AllowedClients": ["a"]}, "Confidential"),
        ({"ClientIDType": 0, "AllowedClients": ["a"]}, "List"),
        ({"ClientIDType": 0, "AllowedClients": []}, "Anything"),
        ({"ClientIDType": 0}, "Anything"),
        ({"ClientIDType": 0, "ClientIDTypeName": "List"}, "List"),
        ({"ClientIDType": 0, "ClientIDTypeName": "Confidential"}, "Confidential"),
        ({"ClientIDTypeName": "Anything", "AllowedClients": ["a"]}, "Anything"),
    ],
)
def test_the_client_id_type_follows_number_list_and_name(import_, members, kind):
    answer = import_(profile(**members))

    assert Application.objects.get().client_id_type == kind
    assert ("whoever asks" in answer.err) == (kind == "Anything")


def test_defaults_at_creation_are_those_of_the_document(import_):
    import_({"ServiceName": "my_app"})

    made = Application.objects.get()
    assert (made.name, made.category, made.enabled) == ("OAuth2 Client", "Other", True)
    assert (made.flows, made.token_type) == (["AuthorizationCode"], "JwtRS256")
    assert (made.access_token_lifetime, made.refresh_token_lifetime) == (
        timedelta(hours=5),
        timedelta(days=30),
    )
    assert (made.requires_pkce, made.allows_plain_pkce, made.rotates_refresh_tokens) == (
        True,
        False,
        True,
    )
    assert made.permissions.count() == 0


def test_permissions_replace_the_stored_list(import_, ada, keepers):
    import_(LIST)

    import_(
        {
            "ServiceName": "my_app",
            "Permissions": [
                {"Principal": "ada", "PType": "User", "Rights": "Delete"},
                {"Principal": "keepers", "PType": "Group", "Rights": "Execute"},
            ],
        }
    )

    assert {
        (row.principal_name, row.can_view, row.can_delete, row.can_run)
        for row in Permission.objects.all()
    } == {("ada", True, True, False), ("keepers", False, False, True)}


def test_the_issuer_of_this_server_is_not_warned_about(import_):
    answer = import_(profile(Issuer="https://id.example.com/my_app/"))

    assert answer.err == ""


def test_every_error_is_listed_with_its_path(import_):
    answer = import_(
        [
            LIST,
            {"Name": 3},
            {
                "ServiceName": "third",
                "Name": "Third\u0000",
                "TemplateName": "Generic SAML",
                "Enabled": "yes",
                "OAuthProfile": {
                    "ClientIDType": 2,
                    "Redirects": ["https://ok.example/", "javascript:alert(1)", 7],
                    "PostLogoutRedirects": ["https://ok.example/", "http://insecure.example/"],
                    "TokenLifetimeString": "five hours",
                    "RefreshLifetimeString": "0.00:00:59",
                    "AllowedAuth": "AuthorizationCode,AuthCodeWithPKCE",
                    "KnownScopes": [
                        7,
                        {"Scope": "ok"},
                        {"Scope": "a b", "AllowedRest": ["ok", "("]},
                    ],
                    "ClientSecret": "short",
                },
                "Permissions": [
                    {"Principal": "nobody", "PType": "User", "Rights": "View"},
                    {"Principal": "Admins", "PType": "Role", "Rights": "View"},
                    {"Principal": "x", "PType": "Organization", "Rights": "View"},
                    {"Principal": "Everybody", "PType": "Role", "Rights": "Sudo"},
                    {"PType": "User"},
                ],
            },
        ]
    )

    paths = {line.removeprefix("Error: ").split(": ")[0] for line in answer.lines}
    root = "[2].OAuthProfile"
    assert paths == {
        "[1].ServiceName",
        "[1].Name",
        "[2].Name",
        "[2].TemplateName",
        "[2].Enabled",
        f"{root}.ClientIDType",
        f"{root}.Redirects[2]",
        f"{root}.PostLogoutRedirects[1]",
        f"{root}.TokenLifetimeString",
        f"{root}.RefreshLifetimeString",
        f"{root}.AllowedAuth",
        f"{root}.KnownScopes[0]",
        f"{root}.KnownScopes[2].Scope",
        f"{root}.KnownScopes[2].AllowedRest[1]",
        f"{root}.ClientSecret",
        "[2].Permissions[0].Principal",
        "[2].Permissions[1].Principal",
        "[2].Permissions[2].PType",
        "[2].Permissions[3].Rights",
        "[2].Permissions[4].Principal",
        "[2].Permissions[4].Rights",
    }
    assert answer.failure.startswith("Nothing was imported: ")


def test_one_error_keeps_everything_out(import_):
    import_([LIST, {"ServiceName": "other", "OAuthProfile": {"Redirects": ["data:text/html,x"]}}])

    assert not Application.objects.exists()
    assert not AuditEvent.objects.exists()


def test_an_error_in_a_scope_of_a_wrong_neighbour_keeps_its_position(import_):
    answer = import_(profile(KnownScopes=[None, {"Scope": "a"}, {"Scope": "a"}]))

    assert any("KnownScopes[2].Scope: The scope “a” is listed twice." in x for x in answer.lines)


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("javascript:alert(1)", "scheme javascript:"),
        ("data:text/html,hello", "scheme data:"),
        ("http://app.example.com/", "use https"),
        ("https://good.example@evil.example/", "user name or password"),
        ("https://a.example/#x", "fragment"),
        ("https://a.example/../b", ".."),
        ("/callback", "relative"),
        ("https://ä.example/", "punycode"),
        ("https://a.example\\@evil.example", "backslash"),
    ],
)
def test_a_dangerous_redirect_is_refused_with_a_sentence(import_, uri, sentence):
    answer = import_(profile(Redirects=[uri]))

    assert answer.lines[0].startswith("Error: OAuthProfile.Redirects[0]: ")
    assert sentence in answer.lines[0]
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    "uri", ["https://a.example/\n", "https://a.example/\0", "https://\t.example"]
)
def test_a_control_character_is_refused_wherever_it_stands(import_, uri):
    for document in (
        profile(Redirects=[uri]),
        {"ServiceName": f"my{uri[-1]}app\n"},
        {"ServiceName": "my_app", "Name": "a\u202eb"},
        {
            "ServiceName": "my_app",
            "Permissions": [{"Principal": "\0", "PType": "User", "Rights": ""}],
        },
    ):
        assert import_(document).failure
    assert not Application.objects.exists()


def test_script_tags_are_stored_as_the_text_that_they_are(import_):
    import_({"ServiceName": "my_app", "Name": "<script>alert(1)</script>"})

    assert Application.objects.get().name == "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'"a text"', "is an object"),
        (b"[1, null]", "is an object"),
        (b"\xff\xfe{", "not UTF-8"),
        (b'{"ServiceName": "a", "ServiceName": "b"}', "stands twice"),
        (b'{"ServiceName": "a", "Name": NaN}', "holds NaN"),
        (b'{"ServiceName": "a", "x": ' + b"9" * 10_000 + b"}", "number that is too long"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"Name": "' + b"x" * 10_000_000 + b'"}', "larger than 8 MiB"),
        (b'[{"ServiceName": "\\ud800"}]', "control character"),
    ],
)
def test_a_file_that_is_no_document_is_refused_with_a_sentence(import_, data, sentence):
    answer = import_(data)

    assert any(sentence in line for line in answer.lines)
    assert answer.failure.startswith("Nothing was imported")


def test_a_file_with_a_byte_order_mark_is_read(import_):
    assert import_(b"\xef\xbb\xbf" + json.dumps(LIST).encode()).out == "Created: my_app\n"


def test_two_documents_of_one_name_are_refused(import_):
    answer = import_([LIST, {**LIST, "ServiceName": "MY_APP"}])

    assert answer.lines[0].startswith("Error: [1].ServiceName: an earlier document")


def test_a_client_id_of_another_application_is_refused(import_, openid_app):
    document = {"ServiceName": "other", "OAuthProfile": {"ClientId": openid_app.openid_client_id}}

    assert "Another application has this client ID" in import_(document).err


def test_a_secret_of_an_oauth2_application_is_left_out_with_a_warning(import_):
    answer = import_({**profile(ClientSecret="sixteen characters"), "TemplateName": "OAuth2Server"})

    assert "Warning: OAuthProfile.ClientSecret: left out" in answer.err
    assert not ClientSecret.objects.exists()


def test_a_weak_secret_is_refused_and_not_repeated(import_):
    document = {**profile(ClientSecret="hunter2"), "TemplateName": "Generic OpenID Connect"}

    answer = import_(document, "--json")

    assert answer.json["errors"] == [
        "OAuthProfile.ClientSecret: a client secret has at least 16 characters."
    ]


def test_a_change_of_type_is_warned_about(import_):
    import_(LIST)

    answer = import_({"ServiceName": "my_app", "TemplateName": "OAuth2Server"})

    assert "changes from OAuth2 Client to OAuth2 Server" in answer.err


def test_a_dry_run_says_what_would_happen_and_writes_nothing(import_):
    import_(LIST)

    answer = import_([{**LIST, "Name": "Renamed"}, {"ServiceName": "other"}], "--dry-run")

    assert answer.out.splitlines() == ["Would be created: other", "Would be updated: my_app"]
    assert Application.objects.get().version == 1


def test_a_script_reads_one_json_object_also_of_a_failure(import_):
    answer = import_(profile(Redirects=["x"], Foo=1), "--json")

    assert set(answer.json) == {"created", "updated", "unchanged", "warnings", "errors"}
    assert answer.json["warnings"] == ["OAuthProfile: not known here and left out: Foo."]
    assert answer.err == ""
    assert answer.failure


def test_standard_input_is_read(run, monkeypatch):
    given = io.TextIOWrapper(io.BytesIO(json.dumps(LIST).encode()))
    monkeypatch.setattr(sys, "stdin", given)

    assert run("import_webapps", "-").out == "Created: my_app\n"


def test_a_missing_file_is_named(run):
    assert run("import_webapps", "/nowhere.json").failure == (
        "/nowhere.json cannot be read: No such file or directory."
    )


def test_an_import_that_fails_ends_with_code_1(tmp_path):
    """Without a database: reading fails before anything is asked of it."""
    command = [sys.executable, "manage.py", "import_webapps", str(tmp_path / "none.json")]
    root = Path(__file__).parents[2]

    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1


def test_an_update_keeps_scopes_that_it_does_not_name(import_):
    import_(profile(KnownScopes=[{"Scope": "a"}]))
    before = Scope.objects.get().pk

    import_({"ServiceName": "my_app", "Name": "Renamed"})

    assert Scope.objects.get().pk == before


def test_a_description_has_a_length(import_):
    answer = import_({"ServiceName": "my_app", "Description": "x" * 2001})

    assert "Description" in str(answer)
    assert not Application.objects.exists()
