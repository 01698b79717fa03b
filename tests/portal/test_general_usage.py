"""The General Usage page: who may be a client of an OAuth2 application."""

from __future__ import annotations

import pytest

from oidc_pkce.models import Application, AuditEvent
from tests.fixtures import make_user
from tests.journeys import CALLBACK, Journey, make_application
from tests.portal.conftest import Portal


def usage_of(application: Application) -> str:
    return f"application/{application.pk}/general-usage/"


def test_an_administrator_configures_a_list_application_and_a_person_signs_in(portal, ada):
    made = make_application(client_id_type="Confidential", client_ids=[], redirect_uris=[])

    page = portal.save(
        usage_of(made),
        client_id_type="List",
        client_ids="my_service_user",
        redirect_uris=CALLBACK,
    )

    assert "General Usage was saved." in page
    assert "Deployed" in page
    assert Journey(made).log_in(ada).tokens()["token_type"] == "Bearer"


def test_each_type_is_explained_beside_its_choice(portal, list_app):
    page = portal.text(usage_of(list_app))

    assert "List is the setting for PKCE" in page
    assert "Warning: any client_id is accepted" in page
    assert "login name of a service user" in page
    for index in range(3):
        explanation = f"id_client_id_type_{index}_explanation"
        assert f'aria-describedby="{explanation}"' in page
        assert f'id="{explanation}"' in page


def test_anything_is_warned_about_once_more_when_it_is_saved(portal, list_app):
    assert "whoever asks can be a client of this application" in portal.save(
        usage_of(list_app), client_id_type="Anything"
    )


def test_an_empty_list_is_warned_about(portal, list_app):
    assert "nobody is served" in portal.save(usage_of(list_app), client_ids="")


def test_fields_of_all_types_are_there_without_javascript(portal, list_app):
    page = portal.text(usage_of(list_app))

    assert 'data-shown-for="client_id_type=List"' in page
    assert 'data-shown-for="client_id_type=Confidential"' in page
    fields = portal.fields(usage_of(list_app))
    assert fields["client_ids"] == "my_service_user"
    portal.save(usage_of(list_app), must_be_oauth_client="on")
    assert Application.objects.get().must_be_oauth_client


def test_switching_the_type_keeps_what_the_other_type_held(portal, list_app):
    portal.save(usage_of(list_app), client_id_type="Confidential")
    portal.save(usage_of(list_app), client_id_type="List")

    assert Application.objects.get().client_ids == ["my_service_user"]


@pytest.mark.parametrize(
    ("template", "is_shown"), [("OAuth2ServerClient", False), ("OAuth2Server", True)]
)
def test_the_audience_is_the_servers_alone(portal, template, is_shown):
    made = make_application(template=template)

    assert ('name="audience"' in portal.text(usage_of(made))) is is_shown

    portal.save(usage_of(made), audience="company://audience")
    assert Application.objects.get().audience == ("company://audience" if is_shown else "")


def test_the_default_issuer_is_named(portal, list_app):
    page = portal.text(usage_of(list_app))

    assert 'placeholder="https://id.example.com/my_app/"' in page
    assert "Leave empty for the default, https://id.example.com/my_app/" in page


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("redirect_uris", "javascript:alert(1)", "cannot carry an answer safely"),
        ("redirect_uris", f"{CALLBACK}\r\nhttps://a.example/#x", "“https://a.example/#x”"),
        ("redirect_uris", "/callback", "it is relative"),
        ("redirect_uris", "https://a.example\r\nhttps://a.example", "is listed twice"),
        ("redirect_uris", "\n".join(f"https://a.example/{n}" for n in range(501)), "At most 500"),
        ("client_ids", "a\nb\na", "“a” is listed twice"),
        ("trusted_origins", "https://a.example/path", "“https://a.example/path”"),
        ("post_logout_redirect_uris", "data:text/html,x", "cannot carry an answer safely"),
        ("backchannel_logout_uri", "ftp://a.example", "must be an https address"),
        ("frontchannel_logout_uri", "https://a.example/#x", "must be an https address"),
        ("issuer", "ftp://id.example.com", "an https address"),
        ("issuer", "https://id.example.com/other/", "place here"),
        ("client_id_type", "Everything", "Select a valid choice"),
    ],
    ids=[
        "script",
        "fragment",
        "relative",
        "twice",
        "many",
        "client-twice",
        "origin",
        "data",
        "back-channel",
        "front-channel",
        "issuer",
        "others-issuer",
        "type",
    ],
)
def test_a_mistake_is_named_and_nothing_is_saved(portal, list_app, field, value, sentence):
    page = portal.save(usage_of(list_app), **{"must_be_oauth_client": "on", field: value})

    assert sentence in page
    assert f'<a href="#id_{field}">' in page
    assert Application.objects.get().version == 1


def test_a_bad_entry_is_named_and_the_good_ones_stay_in_the_form(portal, list_app):
    page = portal.save(usage_of(list_app), redirect_uris=f"{CALLBACK}\r\nhttp://evil.example/")

    assert "“http://evil.example/”" in page
    assert f"{CALLBACK}\r\nhttp://evil.example/</textarea>" in page.replace("\r\n", "\r\n")


def test_lists_are_saved_in_their_order_and_audited(portal, list_app):
    portal.save(usage_of(list_app), client_ids=" b \r\n\r\na\r\n", trusted_origins="")

    assert Application.objects.get().client_ids == ["b", "a"]
    assert AuditEvent.objects.get().details["changes"] == {
        "client_ids": {"before": ["my_service_user"], "after": ["b", "a"]}
    }


def test_lists_carry_the_words_for_their_buttons(portal, list_app):
    page = portal.text(usage_of(list_app))

    assert 'data-lines=""' in page
    assert 'data-add="Add"' in page
    assert 'data-remove="Remove"' in page


def test_a_service_user_can_be_created_from_here_by_whoever_may(portal, list_app):
    address = '<a href="/admin/oidc_pkce/serviceuser/add/">Create a service user</a>'

    assert address in portal.text(usage_of(list_app))

    list_app.permissions.update(can_manage=True)
    manager = Portal(make_user("sam", is_staff=True))
    assert address not in manager.text(usage_of(list_app))
