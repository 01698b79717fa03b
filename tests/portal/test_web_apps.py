"""An administrator configures applications in the portal."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser

from oidc_pkce.models import Application, AuditEvent, ClientSecret, Permission, Scope
from tests.fixtures import make_user
from tests.journeys import CALLBACK, Journey, make_application
from tests.portal.conftest import INLINE, Portal

PERMISSION = {
    "permissions-TOTAL_FORMS": "1",
    "permissions-0-principal": "everybody",
    "permissions-0-name": "",
    "permissions-0-can_view": "on",
    "permissions-0-can_run": "on",
}
SCOPE = {
    "scopes-TOTAL_FORMS": "1",
    "scopes-0-name": "notes.read",
    "scopes-0-description": "Read your notes",
    "scopes-0-rest_patterns": "notes/.*\r\n\r\nnote",
}


def page_of(application: Application) -> str:
    return f"application/{application.pk}/change/"


def add(portal: Portal, **fields: str) -> Application:
    defaults = {"template": "OAuth2ServerClient", "application_id": "my_app", "name": "My App"}
    portal.post("application/add/", {**defaults, **fields})
    return Application.objects.get(application_id={**defaults, **fields}["application_id"])


def test_an_administrator_configures_a_list_application_and_a_person_signs_in(portal, ada):
    made = add(portal)

    page = portal.save(
        page_of(made),
        client_id_type="List",
        client_ids="my_service_user",
        redirect_uris=CALLBACK,
        **PERMISSION,
    )

    assert "errornote" not in page
    assert "Deployed" in page
    assert Journey(made).log_in(ada).tokens()["token_type"] == "Bearer"


def test_a_new_application_has_the_safe_defaults(portal):
    made = add(portal)

    assert (made.requires_pkce, made.allows_plain_pkce) == (True, False)
    assert made.client_id_type == "Confidential"
    assert made.flows == ["AuthorizationCode"]
    assert made.access_token_typ == "JWT"


@pytest.mark.parametrize(
    ("template", "shown", "hidden"),
    [
        ("OAuth2ServerClient", "General Usage", ["Trust", "audience"]),
        ("OAuth2Server", "audience", ["Trust", "Allowed REST APIs"]),
        ("Generic OpenID Connect", "Trust", ["General Usage", "Client ID Type"]),
    ],
)
def test_a_type_shows_its_own_pages(portal, template, shown, hidden):
    made = add(portal, template=template)

    page = portal.text(page_of(made))

    assert shown in page
    for word in (f">{word}<" if word in ("Trust", "General Usage") else word for word in hidden):
        assert word not in page


def test_types_bear_cyberarks_names(portal):
    page = portal.text("application/add/")

    assert all(word in page for word in ("OAuth2 Client", "OAuth2 Server", "OpenID Connect"))


def test_saving_what_is_shown_changes_nothing(portal, list_app):
    before = Application.objects.get().updated_at

    portal.save(page_of(list_app))

    assert Application.objects.get().version == 1
    assert Application.objects.get().updated_at == before
    assert not AuditEvent.objects.exists()


def test_a_change_is_audited_with_before_and_after(portal, list_app):
    portal.save(page_of(list_app), access_token_lifetime="0.01:00:00")

    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name) == ("application.updated", "robin")
    assert event.details["changes"] == {
        "access_token_lifetime": {"before": "0.05:00:00", "after": "0.01:00:00"}
    }
    assert Application.objects.get().version == 2


def test_scopes_and_permissions_are_saved_and_audited(portal, list_app):
    page = portal.save(page_of(list_app), **SCOPE)

    assert "errornote" not in page
    assert Scope.objects.get().rest_patterns == ["notes/.*", "note"]
    assert list(AuditEvent.objects.get().details["changes"]) == ["scopes"]
    assert Permission.objects.count() == 1


def test_the_second_of_two_administrators_is_told(portal, second, list_app):
    stale = second.fields(page_of(list_app))
    portal.save(page_of(list_app), name="Robin's name")

    answer = second.post(page_of(list_app), {**stale, "name": "Kim's name"})

    assert "robin changed this application while you were editing it" in answer.content.decode()
    assert Application.objects.get().name == "Robin's name"


def test_whoever_loses_the_race_after_the_check_is_told_too(portal, list_app, monkeypatch):
    monkeypatch.setattr("oidc_pkce.portal.web_app_forms.WebAppForm.clean", lambda _: None)
    stale = portal.fields(page_of(list_app))
    portal.save(page_of(list_app), name="First")

    answer = portal.post(page_of(list_app), {**stale, "name": "Second"})

    assert "changed this application while you were editing it" in answer.content.decode()
    assert Application.objects.get().name == "First"


def test_rows_that_were_replaced_meanwhile_are_no_server_error(portal, second, list_app):
    portal.save(page_of(list_app), **SCOPE)
    stale = second.fields(page_of(list_app))
    portal.save(page_of(list_app), **{"scopes-0-name": "notes.write"})

    answer = second.post(page_of(list_app), stale)

    assert answer.status_code == 200
    assert Scope.objects.get().name == "notes.write"


def test_anything_is_warned_about(portal, list_app):
    assert "whoever asks can be a client" in portal.save(
        page_of(list_app), client_id_type="Anything"
    )


def test_list_is_explained(portal, list_app):
    assert "List is the setting for PKCE" in portal.text(page_of(list_app))


def test_an_empty_list_is_warned_about(portal, list_app):
    assert "nobody is served" in portal.save(page_of(list_app), client_ids="")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("redirect_uris", "javascript:alert(1)", "cannot carry an answer safely"),
        ("redirect_uris", "https://a.example\r\nhttps://a.example", "is listed twice"),
        ("access_token_lifetime", "five hours", "Write d.hh:mm:ss"),
        ("access_token_lifetime", "0.00:00:30", "at least one minute"),
        ("application_id", "my app", "no spaces"),
        ("name", "My \u202eppA", "control character"),
        ("issuer", "ftp://id.example.com", "an https address"),
        ("issuer", "https://id.example.com/other/", "place here"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_saved(portal, list_app, field, value, sentence):
    assert sentence in portal.save(page_of(list_app), **{field: value})
    assert Application.objects.get().version == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"permissions-0-principal": "user", "permissions-0-name": "nobody"},
            "no user of this name",
        ),
        (
            {"permissions-0-principal": "group", "permissions-0-name": "none"},
            "no group of this name",
        ),
        ({"permissions-0-name": "ada"}, "Leave the name empty"),
        (
            {
                "permissions-TOTAL_FORMS": "2",
                "permissions-1-principal": "everybody",
                "permissions-1-can_run": "on",
            },
            "listed twice",
        ),
    ],
)
def test_a_permission_names_somebody_once(portal, list_app, ada, changes, sentence):
    page = portal.save(page_of(list_app), **changes)

    assert sentence in page
    assert page.count("Choose a user for type User") == 0


def test_a_user_is_given_rights_by_login_name(portal, list_app, ada):
    portal.save(
        page_of(list_app),
        **{
            "permissions-0-principal": "user",
            "permissions-0-name": "ada",
            "permissions-0-can_run": [],
        },
    )

    row = Permission.objects.get()
    assert (row.user, row.can_run, row.can_view) == (ada, False, True)


def test_the_addresses_can_be_opened(portal, openid_app):
    page = portal.text(page_of(openid_app))

    for address in (
        "https://id.example.com/portal/.well-known/openid-configuration",
        "https://id.example.com/OAuth2/Token/portal",
    ):
        assert f'<a href="{address}">' in page


@pytest.mark.parametrize("query", [{"q": "my_app"}, {"status": "deployed"}, {"q": "My App"}])
def test_the_list_is_searched_and_filtered_by_status(portal, list_app, openid_app, query):
    Permission.objects.filter(application=openid_app).delete()

    page = portal.text("application/", **query)

    assert "My App" in page
    assert ">Portal<" not in page


def test_the_list_shows_each_status(portal, list_app):
    make_application(application_id="ready", name="Ready", everybody=False)
    make_application(application_id="raw", name="Raw", redirect_uris=[])

    page = portal.text("application/")

    for label in ("Deployed", "Ready to Deploy", "Not Configured"):
        assert f">{label}</span>" in page


def test_a_new_client_secret_is_shown_once(portal, openid_app):
    path = f"application/{openid_app.pk}/client-secret/"
    assert "Make a new secret" in portal.text(path)
    assert not ClientSecret.objects.exists()

    answer = portal.post(path, {})

    secret = re.search(r'id="client-secret">([^<]+)<', answer.content.decode()).group(1)
    assert len(secret) == 43
    assert "no-store" in answer.headers["Cache-Control"]
    for page in (path, page_of(openid_app), f"auditevent/{AuditEvent.objects.get().pk}/change/"):
        assert secret not in portal.text(page)
    assert ClientSecret.objects.get().facts().matches(secret, openid_app.created_at)


def test_only_openid_connect_applications_have_a_secret_of_their_own(portal, list_app):
    path = f"/admin/oidc_pkce/application/{list_app.pk}/client-secret/"

    assert portal.browser.get(path).status_code == 404
    assert "New client secret" not in portal.text(page_of(list_app))


def test_making_a_secret_needs_the_right_to_change_and_the_csrf_token(portal, openid_app):
    viewer = make_user("viewer", is_staff=True)
    path = f"/admin/oidc_pkce/application/{openid_app.pk}/client-secret/"
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)

    assert Portal(viewer).browser.post(path).status_code in (302, 403)
    assert strict.post(path).status_code == 403
    assert not ClientSecret.objects.exists()


def test_deleting_is_audited_and_takes_everything_along(portal, signed_in):
    signed_in.tokens()

    portal.post(f"application/{signed_in.application.pk}/delete/", {"post": "yes"})

    assert not Application.objects.exists()
    event = AuditEvent.objects.first()
    assert (event.action, event.application_name) == ("application.deleted", "My App")


def test_several_are_deleted_at_once_and_audited(portal, list_app, openid_app):
    chosen = {"action": "delete_selected", "_selected_action": [list_app.pk, openid_app.pk]}

    portal.post("application/", {**chosen, "post": "yes"})

    assert not Application.objects.exists()
    assert AuditEvent.objects.filter(action="application.deleted").count() == 2


def test_script_tags_in_names_are_shown_as_text(portal, ada):
    made = make_application(name="<script>alert(1)</script>", description="<b>bold</b>")

    for path in ("application/", page_of(made)):
        page = portal.get(path).content.decode()
        assert "<script>alert" not in page
        assert "<b>bold" not in page


@pytest.mark.parametrize(
    "path", ["application/", "application/add/", "{}change/", "{}client-secret/"]
)
def test_pages_hold_no_inline_script_or_style_of_ours(portal, openid_app, path):
    page = portal.get(path.format(f"application/{openid_app.pk}/")).content.decode()

    assert not INLINE.search(page), INLINE.search(page)


def test_somebody_without_rights_changes_nothing(list_app):
    stranger = Portal(make_user("stranger", is_staff=True))

    answer = stranger.browser.post(f"/admin/oidc_pkce/{page_of(list_app)}", {"name": "Mine"})

    assert answer.status_code == 403
    assert Application.objects.get().name == "My App"
