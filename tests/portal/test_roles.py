"""Roles: the list, one role with its rights, and who may see or change them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from oidc_pkce.flows import roles
from oidc_pkce.models import AuditEvent, Permission, Principal, Role
from tests.fixtures import make_user
from tests.portal.conftest import INLINE
from tests.portal.role_cast import (
    administrator,
    carries_a_permission,
    carries_a_permission_of_the_project,
    may_manage_an_application,
    status_of,
)

pytestmark = pytest.mark.django_db

PAGES = ("change", "members", "rights", "applications")


def test_a_role_is_added_renamed_and_deleted_and_each_is_audited(portal):
    answer = portal.post("role/add/", {"name": "Field workers"})
    made = Group.objects.get()
    assert answer.redirect_chain[-1][0].endswith(f"/role/{made.pk}/members/")

    portal.save(f"role/{made.pk}/change/", name="Office workers")
    portal.post(f"role/{made.pk}/delete/", {"post": "yes"})

    assert not Group.objects.exists()
    told = [
        (event.action, event.actor_name, event.details["changes"]["name"])
        for event in AuditEvent.objects.order_by("pk")
    ]
    assert told == [
        ("role.created", "robin", {"before": None, "after": "Field workers"}),
        ("role.updated", "robin", {"before": "Field workers", "after": "Office workers"}),
        ("role.deleted", "robin", {"before": "Office workers", "after": None}),
    ]


@pytest.mark.parametrize(
    ("name", "sentence"), [("", "This field is required."), ("Field workers", "already exists")]
)
def test_a_name_must_be_there_and_free(portal, role, name, sentence):
    page = portal.post("role/add/", {"name": name}).content.decode()

    assert sentence in page
    assert Group.objects.count() == 1


def test_saving_the_same_name_leaves_no_trace(portal, role):
    portal.save(f"role/{role.pk}/change/")

    assert not AuditEvent.objects.exists()


def test_the_list_counts_members_and_applications(portal, role, ada, bob, list_app):
    for user in (ada, bob):
        user.groups.add(role.pk)
    Permission.objects.create(application=list_app, principal=Principal.GROUP, group_id=role.pk)

    page = portal.text("role/")

    assert '<td class="field-member_count">2</td>' in page
    assert '<td class="field-application_count">1</td>' in page
    assert "<strong>Everybody</strong> is built in" in page
    assert "It may run 1 application." in page


def test_roles_are_searched_by_name(portal, role):
    Group.objects.create(name="Auditors")

    page = portal.text("role/", q="audit")

    assert "Auditors" in page
    assert "Field workers" not in page


def test_many_roles_cost_no_more_than_few(portal, list_app, django_assert_max_num_queries):
    users = [make_user(f"user{number}") for number in range(5)]
    for number in range(60):
        made = Group.objects.create(name=f"Role {number}")
        made.user_set.add(*users)
        Permission.objects.create(application=list_app, principal=Principal.GROUP, group=made)

    with django_assert_max_num_queries(9):
        page = portal.text("role/")

    assert page.count('<td class="field-member_count">5</td>') == 60


@pytest.mark.parametrize(
    ("codenames", "codes"),
    [
        ((), (403, 404, 404, 404, 403, 403, 403)),
        (("view_group",), (200, 200, 200, 200, 200, 403, 403)),
        (("change_group",), (200, 200, 200, 200, 200, 403, 403)),
        (("add_group",), (403, 404, 404, 404, 403, 200, 403)),
        (("view_group", "delete_group"), (200, 200, 200, 200, 200, 403, 200)),
    ],
    ids=["nothing", "view", "change", "add", "delete"],
)
def test_the_screens_ask_the_permissions_of_groups(role, codenames, codes):
    staff = administrator(*codenames)
    own = [f"role/{role.pk}/{page}/" for page in ("members", "rights", "applications", "change")]

    found = [status_of(staff, path) for path in ("role/", *own, "role/add/")]

    assert (*found, status_of(staff, f"role/{role.pk}/delete/")) == codes


@pytest.mark.parametrize("number", ["0", "999", "9" * 30, "x", "٣"])
@pytest.mark.parametrize("page", ["members", "rights", "applications"])
def test_a_role_that_is_not_there_is_not_found(portal, page, number):
    assert status_of(portal, f"role/{number}/{page}/") == 404


def test_renaming_needs_the_right_to_change_groups(role):
    staff = administrator("view_group")

    assert 'name="_save"' not in staff.text(f"role/{role.pk}/change/")
    assert status_of(staff, f"role/{role.pk}/change/", {"name": "Mine"}) == 403
    assert Group.objects.get().name == "Field workers"


def test_administrative_rights_are_listed_with_a_way_to_change_them(portal, role):
    carries_a_permission(role)
    carries_a_permission_of_the_project(role)

    page = portal.text(f"role/{role.pk}/rights/")

    assert "oidc_pkce.change_application" in page
    assert "It also carries 1 permission of other parts of the project." in page
    assert f'href="/admin/auth/group/{role.pk}/change/"' in page
    assert status_of(portal, f"role/{role.pk}/rights/", {"x": "y"}) == 405


def test_deleting_says_what_ends_and_takes_the_rows_along(portal, role, ada, list_app):
    ada.groups.add(role.pk)
    Permission.objects.create(application=list_app, principal=Principal.GROUP, group_id=role.pk)

    page = portal.text(f"role/{role.pk}/delete/")
    assert "the membership of 1 user" in page
    assert "the rights on My App" in page
    assert "delete_selected" not in portal.text("role/")

    portal.post(f"role/{role.pk}/delete/", {"post": "yes"})
    assert not Permission.objects.filter(principal=Principal.GROUP).exists()
    assert get_user_model().objects.filter(username="ada").exists()
    event = AuditEvent.objects.get(action="role.deleted")
    assert event.details["members"] == 1
    assert event.details["first_members"] == ["ada"]


def test_what_the_project_protects_is_not_deleted_and_said_so(portal, role, monkeypatch):
    from django.db.models import ProtectedError

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ProtectedError("needed elsewhere", set())

    monkeypatch.setattr(roles, "delete", refuse)

    page = portal.post(f"role/{role.pk}/delete/", {"post": "yes"}).content.decode()

    assert "Another part of the project needs this: it was not deleted" in page


def test_where_users_have_no_groups_the_screen_says_so(portal, role, monkeypatch):
    monkeypatch.setattr(roles, "users_have_roles", lambda: False)

    listed = portal.text("role/")
    page = portal.text(f"role/{role.pk}/members/")

    assert "field-member_count" not in listed
    for told in (listed, page):
        assert "The users of this project have no groups" in told
    assert status_of(portal, f"role/{role.pk}/members/", {"login_name": "robin"}) == 403


def test_an_empty_role_says_so_on_each_page(portal, role):
    assert "This role has no members yet." in portal.text(f"role/{role.pk}/members/")
    assert "carries no administrative rights" in portal.text(f"role/{role.pk}/rights/")
    assert "No application has a row" in portal.text(f"role/{role.pk}/applications/")


def test_names_are_shown_as_text_and_nothing_is_inline(portal, ada):
    Group.objects.create(name="<script>alert(1)</script>")
    made = Role.objects.get()
    ada.groups.add(made.pk)
    carries_a_permission(made)
    may_manage_an_application(made)
    Permission.objects.filter(group=made.pk).update(can_run=False)

    for path in ("role/", *(f"role/{made.pk}/{page}/" for page in (*PAGES, "delete"))):
        page = portal.get(path).content.decode()
        assert "<script>alert" not in page
        assert not INLINE.search(page), INLINE.search(page)


def test_the_second_of_two_who_rename_a_role_is_told(portal, role):
    address = f"role/{role.pk}/change/"
    opened = portal.fields(address)
    portal.save(address, name="Office")

    answer = portal.post(address, {**opened, "name": "Workshop"})

    assert "Somebody changed this while you were editing it" in answer.content.decode()
    role.refresh_from_db()
    assert role.name == "Office"


def test_whoever_only_looks_at_a_role_sees_its_name_alone(role):
    page = administrator("view_group").text(f"role/{role.pk}/change/")

    assert re.findall(r'class="form-row([^"]*)"', page) == [" field-name"]
