"""Token preview on its page: who may ask for whom, and what the answer says."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from oidc_pkce.models import Application, AuditEvent, Right
from tests.fixtures import make_user
from tests.portal.administrators import give, hide, staff
from tests.portal.conftest import INLINE, Portal


def path_of(application: Application) -> str:
    return f"application/{application.pk}/token-preview/"


def previewed(portal: Portal, application: Application, **changes: Any) -> str:
    sent = {**portal.fields(path_of(application)), **changes}
    return html.unescape(portal.post(path_of(application), sent).content.decode())


def test_the_page_shows_tokens_and_answers_and_what_is_made_anew(portal, openid_app, ada):
    page = previewed(portal, openid_app, user="ada")

    for told in ("Access token", "ID token", "UserInfo", "Introspect", "ada@example.com"):
        assert told in page
    assert "unsigned" in page
    assert "made anew each time" in page
    assert not INLINE.search(page)


def test_times_are_told_in_words_too(portal, openid_app, ada):
    page = previewed(portal, openid_app, user="ada")

    assert re.search(r"<dt>exp</dt><dd><code>\d+</code> <span[^>]*>[^<]+\(in \d+\shours?", page)


def test_the_clients_are_suggested_to_whom_may_see_them(portal, list_app, confidential):
    suggested = '<option value="{}"></option>'

    assert suggested.format("my_service_user") in portal.text(path_of(list_app))
    assert suggested.format("robot") in portal.text(path_of(confidential.application))
    helper = give(staff("kim"), confidential.application, Right.VIEW)
    assert suggested.format("robot") not in helper.text(path_of(confidential.application))


def test_nothing_is_previewed_by_an_address(portal, openid_app, ada):
    page = portal.text(path_of(openid_app), user="ada", client_id="x", grant_type="password")

    assert "ada@example.com" not in page
    assert not AuditEvent.objects.filter(action="token.previewed").exists()


def test_the_answer_is_kept_by_no_cache(portal, list_app):
    response = portal.post(path_of(list_app), portal.fields(path_of(list_app)))

    assert "no-store" in response.headers["Cache-Control"]


def test_the_check_that_would_refuse_is_told_with_its_cure(portal, list_app):
    page = previewed(portal, list_app, client_id="other")

    assert "authorize.client_id" in page
    assert "of Authorize would refuse this" in page
    assert 'href="https://www.rfc-editor.org/rfc/rfc6749' in page
    assert "Add this client to the application's Client ID List" in page
    assert "Access token" not in page


def test_a_user_that_does_not_exist_is_named(portal, list_app):
    page = previewed(portal, list_app, user="nobody<b>")

    assert "There is no user “nobody<b>”" in page
    assert not AuditEvent.objects.filter(action="token.previewed").exists()


def test_the_administrator_is_suggested(portal, list_app):
    assert portal.fields(path_of(list_app))["user"] == "robin"


@pytest.mark.parametrize(
    ("codenames", "rights", "may"),
    [
        ((), (Right.VIEW,), False),
        ((), (Right.MANAGE,), False),
        (("view_user",), (Right.VIEW,), False),
        (("view_user",), (Right.MANAGE,), True),
    ],
    ids=["view", "manage", "view and users", "manage and users"],
)
def test_of_others_only_who_manages_and_may_look_at_users_is_told(
    openid_app, ada, codenames, rights, may
):
    hide(openid_app)
    helper = give(staff("kim", *codenames), openid_app, *rights)

    page = previewed(helper, openid_app, user="ada")

    assert ("ada@example.com" in page) is may
    event = AuditEvent.objects.get(action="token.previewed")
    assert event.details["user"] == ("ada" if may else "kim")


def test_who_may_not_see_the_application_previews_nothing(list_app):
    hide(list_app)
    stranger = staff("kim")

    assert stranger.browser.post(f"/admin/oidc_pkce/{path_of(list_app)}", {}).status_code == 404


def test_a_client_that_acts_for_itself_needs_no_user(portal, confidential):
    Application.objects.update(flows=["AuthorizationCode", "ClientCreds"])
    make_user("unrelated")

    page = previewed(
        portal,
        confidential.application,
        grant_type="client_credentials",
        client_id="robot",
        user="",
    )

    assert "Access token" in page
    assert '"robot"' in page


@pytest.mark.parametrize(
    ("codenames", "rights", "may"),
    [
        ((), (Right.VIEW,), False),
        (("view_user", "view_serviceuser"), (Right.VIEW,), False),
        ((), (Right.MANAGE,), False),
        (("view_user",), (Right.MANAGE,), True),
        (("view_serviceuser",), (Right.MANAGE,), True),
    ],
    ids=["view", "view and users", "manage", "manage and users", "manage and service users"],
)
@pytest.mark.parametrize("name", ["robot", "nobody"])
def test_of_service_users_only_who_manages_and_may_look_at_them_is_told(
    confidential, codenames, rights, may, name
):
    """Nor is it told whether there is one of this name."""
    Application.objects.update(flows=["AuthorizationCode", "ClientCreds"])
    hide(confidential.application)
    helper = give(staff("kim", *codenames), confidential.application, *rights)

    page = previewed(
        helper, confidential.application, grant_type="client_credentials", client_id=name, user=""
    )

    assert ("To see what is told of a service user" in page) is not may
    assert ("Access token" in page) is (may and name == "robot")
    assert AuditEvent.objects.filter(action="token.previewed").exists() is may


def test_a_client_that_is_no_service_user_is_previewed_by_whoever_sees_it(openid_app):
    Application.objects.update(flows=["AuthorizationCode", "ClientCreds"])
    hide(openid_app)

    page = previewed(
        give(staff("kim"), openid_app, Right.VIEW), openid_app, grant_type="client_credentials"
    )

    assert "To see what is told of a service user" not in page


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_type": "password"},
        {"scopes": ["undefined"]},
        {"client_id": "x" * 300},
        {"client_id": "a\0b"},
        {"user": "a\0b"},
        {"amr": "x" * 300},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_cannot_be_asked_is_refused_beside_its_field(portal, openid_app, changes):
    Application.objects.filter(pk=openid_app.pk).update(template="OAuth2ServerClient")
    openid_app.scopes.create(name="files")

    page = previewed(portal, openid_app, **changes)

    assert "errornote" in page
    assert not AuditEvent.objects.filter(action="token.previewed").exists()


def test_the_cost_does_not_grow_with_the_rows(
    portal, openid_app, ada, django_assert_max_num_queries
):
    fields = {**portal.fields(path_of(openid_app)), "user": "ada"}
    portal.post(path_of(openid_app), fields)

    with django_assert_max_num_queries(45):
        portal.post(path_of(openid_app), fields)
