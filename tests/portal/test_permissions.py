"""The Permissions page: principals and rights, however many."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as DjangoPermission

from oidc_pkce.models import Application, AuditEvent, Permission, Right
from tests.fixtures import make_user
from tests.journeys import Journey
from tests.portal.conftest import INLINE, Portal
from tests.portal.permission_rows import give, line_of, make_staff, page_of, rights_of


@pytest.fixture
def crowd(bare: Application) -> Application:
    """2,000 rows: Everybody would be the next."""
    users: Any = get_user_model()
    made = users.objects.bulk_create(users(username=f"user{n:04}") for n in range(2000))
    Permission.objects.bulk_create(
        Permission(application=bare, principal="user", user=user) for user in made
    )
    return bare


@pytest.mark.parametrize("principal", ["user", "group", "everybody"])
def test_a_new_row_gets_view_run_and_automatically_deploy(portal, bare, ada, principal):
    Group.objects.create(name="Editors")
    name = {"user": "ada", "group": "Editors", "everybody": ""}[principal]

    page = portal.save(page_of(bare), **{"add-principal": principal, "add-name": name})

    assert "Permissions was saved." in page
    row = Permission.objects.get()
    assert row.principal == principal
    assert rights_of(row) == {Right.VIEW, Right.RUN, Right.DEPLOY}


def test_the_badge_turns_deployed_and_the_person_signs_in(portal, bare, ada):
    assert "Ready to Deploy" in portal.text(page_of(bare))

    page = portal.save(page_of(bare), **{"add-name": "ada"})

    assert ">Deployed</span>" in page
    assert Journey(bare).log_in(ada).tokens()["token_type"] == "Bearer"


def test_a_user_is_given_rights_by_login_name(portal, list_app, ada):
    portal.save(page_of(list_app), **{"add-name": "ada", "add-can_run": []})

    row = Permission.objects.get(principal="user")
    assert (row.user, row.can_run, row.can_view) == (ada, False, True)


def test_ticks_are_changed_and_audited(portal, list_app):
    portal.save(page_of(list_app), **{"rows-0-can_run": [], "rows-0-can_delete": "on"})

    assert rights_of(Permission.objects.get()) == {Right.VIEW, Right.DELETE, Right.DEPLOY}
    change = AuditEvent.objects.get().details["changes"]["permissions"]
    assert change["before"][0]["rights"] == ["can_view", "can_run", "is_deployed"]
    assert change["after"][0]["rights"] == ["can_view", "can_delete", "is_deployed"]


@pytest.mark.parametrize("right", ["can_manage", "can_delete"])
def test_manage_and_delete_bring_view_along(portal, list_app, right):
    portal.save(page_of(list_app), **{"rows-0-can_view": [], f"rows-0-{right}": "on"})

    row = Permission.objects.get()
    assert (row.can_view, getattr(row, right)) == (True, True)
    assert "brings View along" in portal.text(page_of(list_app))


def test_a_row_is_removed(portal, list_app, ada):
    give(list_app, ada, Right.RUN)

    portal.save(page_of(list_app), **{"rows-0-remove": "on"})

    assert Permission.objects.get().user == ada


def test_saving_what_is_shown_changes_nothing(portal, list_app, ada):
    give(list_app, ada, Right.GRANT)

    portal.save(page_of(list_app))

    assert Application.objects.get().version == 1
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"add-name": "nobody"}, "There is no user “nobody”"),
        ({"add-name": "ADA"}, "There is no user “ADA”"),
        ({"add-principal": "group", "add-name": "ada"}, "There is no group “ada”"),
        ({"add-principal": "group"}, "Name whom this row is about."),
        ({"add-principal": "everybody", "add-name": "ada"}, "Leave the name empty"),
        ({"add-principal": "everybody"}, "“Everybody” has a row already"),
        ({"add-name": "bob"}, "“bob” has a row already"),
        ({"add-principal": "<i>"}, "Select a valid choice"),
        ({"add-name": "a\x00b"}, "Null characters are not allowed"),
        ({"add-name": "x" * 256}, "at most 255 characters"),
    ],
)
def test_a_row_names_somebody_once_and_nothing_else_is_saved(
    portal, list_app, ada, bob, changes, sentence
):
    give(list_app, bob, Right.RUN)

    page = portal.save(page_of(list_app), **{"rows-0-can_manage": "on", **changes})

    assert sentence in page
    assert "Nothing was saved." in page
    assert not Permission.objects.filter(can_manage=True).exists()
    assert Application.objects.get().version == 1


def test_what_was_ticked_is_not_lost_when_something_is_wrong(portal, list_app):
    sent = {**portal.fields(page_of(list_app)), "rows-0-can_grant": "on", "add-name": "nobody"}

    page = portal.post(page_of(list_app), sent).content.decode()

    assert 'name="rows-0-can_grant"' in page
    assert "checked" in page.partition('name="rows-0-can_grant"')[2].partition(">")[0]
    assert 'value="nobody"' in page


def test_two_thousand_rows_are_read_in_a_bounded_number_of_statements(
    portal, crowd, django_assert_max_num_queries
):
    with django_assert_max_num_queries(15):
        page = portal.text(page_of(crowd))

    assert "Page 1 of 40 (2000 rows)" in page
    assert "user0049" in page
    assert "user0050" not in page
    assert len(portal.fields(page_of(crowd))) < 1000


def test_one_of_two_thousand_rows_is_saved_and_the_others_stay(
    portal, crowd, django_assert_max_num_queries
):
    path = f"{page_of(crowd)}?q=user17&p=2"
    row = Permission.objects.get(user__username="user1770")
    line = line_of(portal, path, f"user:{row.user_id}")
    sent = {**portal.fields(path), f"{line}can_grant": "on", f"{line}can_run": []}

    with django_assert_max_num_queries(60):
        answer = portal.post(path, sent)

    assert answer.redirect_chain == [(f"/admin/oidc_pkce/{path}", 302)]
    changed = Permission.objects.get(user__username="user1770")
    assert rights_of(changed) == {Right.GRANT, Right.VIEW, Right.DEPLOY}
    untouched = Permission.objects.filter(can_grant=False, can_run=True, can_view=True)
    assert (Permission.objects.count(), untouched.count()) == (2000, 1999)


def test_no_more_than_2000_rows_are_possible(portal, crowd):
    page = portal.save(page_of(crowd), **{"add-principal": "everybody"})

    assert "At most 2000 entries are possible." in page
    assert Permission.objects.count() == 2000


@pytest.mark.parametrize(
    ("words", "found"),
    [("AD", {"ada", "Admins"}), ("every", {"Everybody"}), ("%", set()), ("bob", {"bob"})],
)
def test_rows_are_searched_by_name(portal, list_app, ada, bob, words, found):
    for who in (ada, bob, Group.objects.create(name="Admins")):
        give(list_app, who, Right.RUN)

    page = portal.text(page_of(list_app), q=words)

    named = {"ada", "bob", "Admins", "Everybody"}
    assert {name for name in named if f'<th scope="row">{name}' in page} == found


@pytest.mark.parametrize(
    "query", ["p=0", "p=99", "p=x", f"p={'9' * 5000}", "q=%00", f"q={'x' * 300}"]
)
def test_an_odd_page_or_search_is_no_server_error(portal, list_app, query):
    assert "Everybody" in portal.text(f"{page_of(list_app)}?{query}")


def test_the_second_of_two_administrators_is_told(portal, second, list_app, ada, bob):
    stale = second.fields(page_of(list_app))
    portal.save(page_of(list_app), **{"add-name": "ada"})

    answer = second.post(page_of(list_app), {**stale, "add-name": "bob"})

    assert "robin changed this application while you were editing it" in answer.content.decode()
    assert not Permission.objects.filter(user=bob).exists()


def test_a_row_that_was_removed_meanwhile_is_no_server_error(portal, second, list_app, ada):
    give(list_app, ada, Right.RUN)
    stale = second.fields(page_of(list_app))
    portal.save(page_of(list_app), **{"rows-1-remove": "on"})

    answer = second.post(page_of(list_app), {**stale, "rows-1-can_grant": "on"})

    assert "while you were editing it" in answer.content.decode()
    assert Permission.objects.get().principal == "everybody"


def test_whoever_has_the_page_open_while_a_user_is_deleted_is_told(portal, list_app, ada, bob):
    give(list_app, ada, Right.RUN)
    stale = portal.fields(page_of(list_app))
    ada.delete()

    answer = portal.post(page_of(list_app), {**stale, "add-name": "bob"})

    assert "while you were editing it" in answer.content.decode()
    assert Permission.objects.get().principal == "everybody"


@pytest.mark.parametrize("name", ["seen_version", "rows-TOTAL_FORMS", "add-principal"])
@pytest.mark.parametrize("value", [None, "", "x", "9" * 30])
def test_a_mangled_form_changes_nothing(portal, list_app, ada, name, value):
    sent = {**portal.fields(page_of(list_app)), "add-name": "ada", name: value}

    answer = portal.post(
        page_of(list_app), {key: each for key, each in sent.items() if each is not None}
    )

    assert answer.status_code == 200
    assert Permission.objects.get().principal == "everybody"


def test_grant_alone_changes_rights_and_nothing_else(list_app, ada):
    granter = make_staff("granter", list_app, Right.GRANT)

    page = granter.save(page_of(list_app), **{"add-name": "ada"})

    assert "Permissions was saved." in page
    assert Permission.objects.filter(user=ada).exists()
    scope = f"/admin/oidc_pkce/application/{list_app.pk}/scope/"
    assert granter.browser.post(scope, {"seen_version": "2"}).status_code == 403


@pytest.mark.parametrize("rights", [[Right.VIEW], [Right.MANAGE, Right.DELETE, Right.RUN]])
def test_without_grant_the_page_is_read_only(list_app, ada, rights):
    reader = make_staff("reader", list_app, *rights)

    page = reader.text(page_of(list_app))
    sent = {"seen_version": "1", "add-principal": "user", "add-name": "ada", "add-can_grant": "on"}
    answer = reader.browser.post(f"/admin/oidc_pkce/{page_of(list_app)}", sent)

    assert "Everybody" in page
    for control in ('class="default"', 'type="checkbox"', "add-name"):
        assert control not in page
    assert answer.status_code == 403
    assert Permission.objects.count() == 2


def test_django_change_application_does_not_grant(list_app):
    manager = make_user("manager", is_staff=True)
    manager.user_permissions.add(DjangoPermission.objects.get(codename="change_application"))

    answer = Portal(manager).browser.post(f"/admin/oidc_pkce/{page_of(list_app)}", {})

    assert answer.status_code == 403


@pytest.mark.parametrize("method", ["get", "post"])
def test_whoever_may_not_look_finds_nothing(bare, method):
    stranger = make_staff("stranger", bare, Right.RUN, Right.DEPLOY)

    answer = getattr(stranger.browser, method)(f"/admin/oidc_pkce/{page_of(bare)}")

    assert answer.status_code == 404


def test_a_right_on_one_application_opens_no_other(bare, openid_app):
    Permission.objects.filter(application=openid_app).update(can_view=False)
    granter = make_staff("granter", bare, Right.GRANT, Right.MANAGE)

    assert granter.browser.post(f"/admin/oidc_pkce/{page_of(openid_app)}").status_code == 404


def test_the_last_holder_of_grant_cannot_give_it_up(bare, ada):
    granter = make_staff("granter", bare, Right.GRANT)

    for change in ({"rows-0-remove": "on"}, {"rows-0-can_grant": []}):
        assert "Nobody would have the Grant right" in granter.save(page_of(bare), **change)
    assert Permission.objects.get().can_grant


def test_whoever_leaves_grant_to_another_one_is_told_what_is_lost(bare, ada):
    granter = make_staff("granter", bare, Right.GRANT, Right.VIEW)
    give(bare, ada, Right.GRANT)
    line = line_of(granter, page_of(bare), f"user:{granter.user.pk}")

    page = granter.save(page_of(bare), **{f"{line}can_grant": []})

    assert "You have given up the Grant right" in page
    assert 'class="default"' not in page


def test_whoever_removes_their_own_row_lands_where_they_may_be(bare, ada):
    granter = make_staff("granter", bare, Right.GRANT)
    give(bare, ada, Right.GRANT)
    line = line_of(granter, page_of(bare), f"user:{granter.user.pk}")
    sent = {**granter.fields(page_of(bare)), f"{line}remove": "on"}

    answer = granter.browser.post(f"/admin/oidc_pkce/{page_of(bare)}", sent)

    assert answer.headers["Location"] == "/admin/oidc_pkce/application/"
    assert granter.browser.get(f"/admin/oidc_pkce/{page_of(bare)}").status_code == 404


def test_django_permissions_reach_an_application_without_a_row(portal, bare):
    granter = make_staff("granter", bare, Right.GRANT)

    portal.save(page_of(bare), **{"rows-0-remove": "on"})

    assert not Permission.objects.exists()
    assert granter.browser.get(f"/admin/oidc_pkce/{page_of(bare)}").status_code == 404


def test_markup_in_names_is_shown_as_text(portal, list_app, ada):
    get_user_model().objects.filter(pk=ada.pk).update(username="<img src=x onerror=alert(1)>")
    give(list_app, Group.objects.create(name='=cmd|"/c calc"!A1<b>'), Right.RUN)
    ada.refresh_from_db()
    give(list_app, ada, Right.RUN)

    page = portal.get(page_of(list_app), who=ada.username, q="<b>").content.decode()
    page += portal.get(page_of(list_app)).content.decode()

    for markup in ("<img src=x", '"/c calc"!A1<b>'):
        assert markup not in page
    assert "=cmd|&quot;/c calc&quot;!A1&lt;b&gt;" in page
    assert not INLINE.search(portal.get(page_of(list_app)).content.decode().replace("onerror", ""))
