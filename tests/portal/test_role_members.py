"""Members of a role, and no way to rights that an administrator does not hold."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, User

from oidc_pkce.models import AuditEvent, Principal
from tests.fixtures import make_user
from tests.journeys import make_application, make_service_user
from tests.portal.role_cast import (
    administrator,
    allow,
    carries_a_permission,
    carries_a_permission_of_the_project,
    may_grant_on_an_application,
    may_manage_an_application,
    status_of,
)

pytestmark = pytest.mark.django_db

MEMBERSHIP = ("view_group", "change_group", "change_user")


def test_a_member_is_added_by_login_name_and_removed(portal, role, ada):
    added = portal.post(f"role/{role.pk}/members/", {"login_name": "ada"}).content.decode()
    assert "“ada” is a member now." in added
    assert ada.groups.get().pk == role.pk

    gone = portal.post(f"role/{role.pk}/members/", {"remove": ada.pk}).content.decode()
    assert "“ada” is no longer a member." in gone
    assert not ada.groups.exists()

    events = AuditEvent.objects.filter(action="role.updated").order_by("pk")
    assert [event.details["changes"]["members"] for event in events] == [
        {"before": None, "after": "ada"},
        {"before": "ada", "after": None},
    ]
    assert {event.details["role"] for event in events} == {"Field workers"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "There is no user with the login name “nobody”."),
        ("ada", "“ada” is a member of this role already."),
        ("", "This field is required."),
        ("<b>x</b>", "“&lt;b&gt;x&lt;/b&gt;”"),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_what_is_wrong_with_a_member_stands_beside_the_field(portal, role, ada, name, sentence):
    ada.groups.add(role.pk)

    page = portal.post(f"role/{role.pk}/members/", {"login_name": name}).content.decode()

    assert sentence in page
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "-1", "9" * 30, "None"])
def test_a_member_that_is_none_cannot_be_removed(portal, role, key):
    assert status_of(portal, f"role/{role.pk}/members/", {"remove": key}) == 404


def test_somebody_of_another_role_is_no_member_of_this_one(portal, role, ada):
    other = Group.objects.create(name="Auditors")
    ada.groups.add(other)

    assert status_of(portal, f"role/{role.pk}/members/", {"remove": ada.pk}) == 404
    assert ada.groups.get() == other


def test_members_come_in_pages_and_are_found_by_name(portal, role, django_assert_max_num_queries):
    made = User.objects.bulk_create(User(username=f"worker{number:03}") for number in range(120))
    Group.objects.get().user_set.add(*made)

    with django_assert_max_num_queries(10):
        first = portal.text(f"role/{role.pk}/members/")
    last = portal.text(f"role/{role.pk}/members/", p="3")
    found = portal.text(f"role/{role.pk}/members/", q="worker07")

    assert "120 members" in first
    assert "Page 1 of 3" in first
    assert "worker049" in first
    assert "worker050" not in first
    assert "worker119" in last
    assert "10 members" in found
    assert "worker080" not in found


@pytest.mark.parametrize("query", [{"p": "x"}, {"p": "99999"}, {"q": "a\0b"}, {"p": "-1"}])
def test_odd_addresses_of_the_list_of_members_are_answered(portal, role, query):
    portal.get(f"role/{role.pk}/members/", **query)


def test_service_users_and_inactive_members_are_marked(portal, role):
    for made in (make_service_user(make_user("robot")).user, make_user("gone", is_active=False)):
        made.groups.add(role.pk)

    page = portal.text(f"role/{role.pk}/members/")

    assert re.search(r"robot\s*</td>\s*<td>Service user", page)
    assert re.search(r"gone <span[^>]*>Inactive</span></td>\s*<td>User", page)


@pytest.mark.parametrize(
    "codenames",
    [("change_group",), ("change_user",), ("view_group", "change_user"), ()],
    ids=["groups alone", "users alone", "looking", "nothing"],
)
def test_members_are_changed_only_with_both_rights(role, ada, codenames):
    ada.groups.add(role.pk)
    staff = administrator("view_group", *codenames)
    path = f"role/{role.pk}/members/"

    assert 'name="remove"' not in staff.text(path)
    assert status_of(staff, path, {"login_name": "staff"}) == 403
    assert status_of(staff, path, {"remove": ada.pk}) == 403
    assert ada.groups.exists()


@pytest.mark.parametrize(
    "privileged",
    [
        carries_a_permission,
        carries_a_permission_of_the_project,
        may_manage_an_application,
        may_grant_on_an_application,
    ],
    ids=lambda each: each.__name__,
)
def test_nobody_joins_a_role_that_may_do_more(role, ada, privileged):
    privileged(role)
    ada.groups.add(role.pk)
    staff = administrator(*MEMBERSHIP)
    path = f"role/{role.pk}/members/"

    assert "holds every right that this role gives" in staff.text(path)
    assert status_of(staff, path, {"login_name": "staff"}) == 403
    assert status_of(staff, path, {"remove": ada.pk}) == 403
    assert not staff.user.groups.exists()
    assert ada.groups.exists()


@pytest.mark.parametrize("privileged", [None, carries_a_permission], ids=["plain", "held"])
def test_whoever_holds_it_all_changes_the_members(role, ada, privileged):
    staff = administrator(*MEMBERSHIP)
    if privileged:
        privileged(role)
        allow(staff.user, "change_application")
    make_application().permissions.create(principal=Principal.GROUP, group_id=role.pk)

    staff.post(f"role/{role.pk}/members/", {"login_name": "ada"})

    assert ada.groups.exists()
