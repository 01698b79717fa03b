"""export_webapps: every key but the secret, always the same bytes."""

from __future__ import annotations

import json

import pytest

from oidc_pkce.models import Application, AuditEvent, Permission, Principal, Scope
from tests.journeys import give_secret

DOCUMENT_KEYS = {
    "Name",
    "Description",
    "Category",
    "Url",
    "ServiceName",
    "TemplateName",
    "ShowInUserAppList",
    "Enabled",
    "OAuthProfile",
    "OidcPkce",
    "Permissions",
}
PROFILE_KEYS = {
    "ClientIDType",
    "ClientIDTypeName",
    "AllowedClients",
    "MustBeOauthClient",
    "Issuer",
    "Audience",
    "Redirects",
    "PostLogoutRedirects",
    "TrustedOrigins",
    "TokenType",
    "AccessTokenTyp",
    "AllowedAuth",
    "TokenLifetimeString",
    "RefreshLifetimeString",
    "AllowRefresh",
    "RotateRefresh",
    "Confirm",
    "AllowScopeSelect",
    "KnownScopes",
    "ClientId",
    "RequirePkce",
    "AllowPlainPkce",
}
EXTENSION_KEYS = {
    "RequireClientSecret",
    "LoginInitiation",
    "BackchannelLogoutUri",
    "FrontchannelLogoutUri",
    "SubjectType",
    "ClaimsInIdToken",
    "ClientKeys",
    "UserNameStrategy",
    "UserNameClaim",
    "SharedUserName",
    "SignInMaxAge",
    "AllowedNetworks",
    "RequiredAcr",
    "Profile",
}


def test_every_key_but_the_secret_is_written(run, list_app, openid_app):
    give_secret(openid_app)

    for document in run("export_webapps").json:
        assert set(document) == DOCUMENT_KEYS
        assert set(document["OAuthProfile"]) == PROFILE_KEYS
        assert set(document["OidcPkce"]) == EXTENSION_KEYS


def test_an_export_imported_changes_nothing(run, import_, list_app, openid_app, ada):
    Scope.objects.create(application=list_app, name="notes", rest_patterns=["notes/.*"])
    Permission.objects.create(application=list_app, principal=Principal.USER, user=ada)
    exported = run("export_webapps").out

    answer = import_(exported.encode())

    assert answer.out == "Unchanged: my_app\nUnchanged: portal\n"
    assert answer.err == ""
    assert run("export_webapps").out == exported
    assert not AuditEvent.objects.exists()


def test_an_export_makes_the_same_applications_elsewhere(run, import_, list_app, openid_app):
    exported = run("export_webapps").out
    Application.objects.all().delete()

    import_(exported.encode())

    assert run("export_webapps").out == exported


def test_the_order_does_not_depend_on_the_order_of_creation(run, openid_app, list_app, ada, bob):
    for user in (bob, ada):
        Permission.objects.create(application=list_app, principal=Principal.USER, user=user)

    documents = run("export_webapps").json

    assert [document["ServiceName"] for document in documents] == ["my_app", "portal"]
    named = [(row["PType"], row["Principal"]) for row in documents[0]["Permissions"]]
    assert named == [("Role", "Everybody"), ("User", "ada"), ("User", "bob")]


def test_an_application_is_named_whatever_the_case_and_written_once(run, list_app, openid_app):
    documents = run("export_webapps", "MY_APP", "my_app").json

    assert [document["ServiceName"] for document in documents] == ["my_app"]


@pytest.mark.parametrize("name", ["nothing", "MY APP"])
def test_an_unknown_application_is_named(run, list_app, name):
    answer = run("export_webapps", "my_app", name)

    assert answer.failure == f"There is no application {name}."
    assert answer.out == ""


def test_other_alphabets_are_written_as_they_are(run, list_app):
    Application.objects.update(name="Παράδειγμα")

    assert "Παράδειγμα" in run("export_webapps").out


def test_nothing_gives_an_empty_list(run):
    assert json.loads(run("export_webapps").out) == []
