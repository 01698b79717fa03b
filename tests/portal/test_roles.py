"""Roles: members and applications, and no way to rights that an administrator does not hold."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.contrib.auth.models import Permission as DjangoPermission

from oidc_pkce.flows import roles, webapps
from oidc_pkce.models import Application, AuditEvent, Permission, Principal, Role
from tests.fixtures import make_user
from tests.journeys import Journey, make_application, make_service_user
from tests.portal.conftest import INLINE, Portal

pytestmark = pytest.mark.django_db

PAGES = ("change", "members", "rights", "applications")
MEMBERSHIP = ("view_group", "change_group", "change_user")


def allow(user: Any, *codenames: str) -> Any:
    for codename in codenames:
        user.user_permissions.add(DjangoPermission.objects.get(codename=codename))
    return user


def administrator(*codenames: str) -> Portal:
    return Portal(allow(make_user("staff", is_staff=True), *codenames))


def status_of(portal: Portal, path: str, data: dict[str, Any] | None = None) -> int:
    address = f"/admin/oidc_pkce/{path}"
    answer = portal.browser.get(address) if data is None else portal.browser.post(address, data)
    return answer.status_code


def rights_on(application: Any, role: Role) -> list[str]:
    row = Permission.objects.get(application=application, group=role.pk)
    names = ("can_grant", "can_view", "can_manage", "can_delete", "can_run", "is_deployed")
    return [name for name in names if getattr(row, name)]


@pytest.fixture
def role(db: None) -> Role:
    Group.objects.create(name="Field workers")
    return Role.objects.get()


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


def test_an_assigned_application_serves_the_members(portal, role, ada):
    made = make_application(everybody=False)
    ada.groups.add(role.pk)
    journey = Journey(made).log_in(ada)
    assert journey.authorize().error == "access_denied"

    page = portal.post(f"role/{role.pk}/applications/", {"application_id": "MY_APP"})

    assert "“My App” is assigned." in page.content.decode()
    assert rights_on(made, role) == ["can_view", "can_run"]
    assert journey.authorize().code
    assert AuditEvent.objects.get(action="application.updated").actor_name == "robin"

    portal.post(f"role/{role.pk}/applications/", {"remove": made.pk})
    assert journey.authorize().error == "access_denied"


def test_assigning_leaves_every_other_row_and_right_alone(portal, role, ada, list_app):
    Permission.objects.create(
        application=list_app, principal=Principal.USER, user=ada, can_grant=True, can_run=False
    )
    Permission.objects.create(
        application=list_app,
        principal=Principal.GROUP,
        group_id=role.pk,
        can_manage=True,
        can_run=False,
        is_deployed=True,
    )

    portal.post(f"role/{role.pk}/applications/", {"application_id": "my_app"})

    assert rights_on(list_app, role) == ["can_view", "can_manage", "can_run", "is_deployed"]
    row = Permission.objects.get(application=list_app, user=ada)
    assert (row.can_grant, row.can_run) == (True, False)
    assert Permission.objects.filter(application=list_app).count() == 3


@pytest.mark.parametrize("what", ["application_id", "remove"])
def test_the_second_of_two_administrators_is_told(portal, role, list_app, monkeypatch, what):
    """Somebody saves the application between our reading its rows and our writing them."""
    if what == "remove":
        list_app.permissions.create(principal=Principal.GROUP, group_id=role.pk)

    def too_late(*args: Any, **kwargs: Any) -> None:
        raise webapps.EditedMeanwhile(list_app.application_id)

    monkeypatch.setattr(webapps, "update", too_late)
    sent = {what: list_app.pk if what == "remove" else "my_app"}

    page = portal.post(f"role/{role.pk}/applications/", sent).content.decode()

    assert "Somebody changed this application at the same moment" in page


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", "There is no application “nothing”."),
        ("my_app", "“my_app” is assigned to this role already."),
        ("", "This field is required."),
    ],
)
def test_what_is_wrong_with_an_application_stands_beside_the_field(
    portal, role, list_app, name, sentence
):
    Permission.objects.create(application=list_app, principal=Principal.GROUP, group_id=role.pk)

    page = portal.post(f"role/{role.pk}/applications/", {"application_id": name})

    assert sentence in page.content.decode()
    assert not AuditEvent.objects.exists()


def test_the_applications_of_a_role_come_in_pages(portal, role, django_assert_max_num_queries):
    for number in range(60):
        made = make_application(application_id=f"app{number}", name=f"App {number:02}")
        Permission.objects.create(application=made, principal=Principal.GROUP, group_id=role.pk)

    with django_assert_max_num_queries(10):
        page = portal.text(f"role/{role.pk}/applications/")

    assert "Page 1 of 2" in page
    assert "App 49" in page
    assert "App 50" not in page


def test_an_application_that_cannot_be_seen_does_not_exist(role):
    hidden = make_application(name="Hidden one", everybody=False)
    Permission.objects.create(application=hidden, principal=Principal.GROUP, group_id=role.pk)
    staff = administrator("view_group", "change_group")
    path = f"role/{role.pk}/applications/"

    assert "Hidden one" not in staff.text(path)
    assert '<td class="field-application_count">0</td>' in staff.text("role/")
    answer = staff.post(path, {"application_id": "my_app"}).content.decode()
    assert "There is no application “my_app”." in answer
    assert status_of(staff, path, {"remove": hidden.pk}) == 404
    assert Permission.objects.filter(group=role.pk).exists()


def test_assigning_and_removing_need_the_grant_right_on_that_application(role, list_app):
    other = make_application(application_id="other", name="Other", everybody=False)
    staff = administrator("view_group", "change_group", "change_application")
    Permission.objects.create(application=other, principal=Principal.GROUP, group_id=role.pk)
    path = f"role/{role.pk}/applications/"

    answer = staff.post(path, {"application_id": "my_app"}).content.decode()
    assert "You need the Grant right on “my_app”." in answer
    assert status_of(staff, path, {"remove": other.pk}) == 403
    assert 'name="remove"' not in staff.text(path)

    Permission.objects.create(
        application=other, principal=Principal.USER, user=staff.user, can_grant=True
    )
    assert 'name="remove"' in staff.text(path)
    staff.post(path, {"remove": other.pk})
    assert not Permission.objects.filter(group=role.pk).exists()


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


def carries_a_permission(role: Role) -> None:
    role.permissions.add(DjangoPermission.objects.get(codename="change_application"))


def carries_a_permission_of_the_project(role: Role) -> None:
    role.permissions.add(DjangoPermission.objects.get(codename="delete_user"))


def may_manage_an_application(role: Role) -> None:
    Permission.objects.create(
        application=make_application(),
        principal=Principal.GROUP,
        group_id=role.pk,
        can_manage=True,
    )


def may_grant_on_an_application(role: Role) -> None:
    Permission.objects.create(
        application=make_application(),
        principal=Principal.GROUP,
        group_id=role.pk,
        can_grant=True,
    )


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


def test_an_application_that_its_own_rules_refuse_is_no_server_error(portal, role, list_app):
    Permission.objects.create(application=list_app, principal=Principal.GROUP, group_id=role.pk)
    Application.objects.update(required_acr="gone")

    page = portal.post(f"role/{role.pk}/applications/", {"remove": list_app.pk}).content.decode()

    assert "“gone” is nothing that people can reach here" in page
    assert Permission.objects.filter(group=role.pk).exists()


def test_nobody_takes_the_last_grant_from_their_own_role(role, list_app):
    Permission.objects.create(
        application=list_app, principal=Principal.GROUP, group_id=role.pk, can_grant=True
    )
    staff = administrator("view_group")
    staff.user.groups.add(role.pk)

    page = staff.post(f"role/{role.pk}/applications/", {"remove": list_app.pk}).content.decode()

    assert "Nobody would have the Grant right any more." in page
    assert Permission.objects.filter(group=role.pk, can_grant=True).exists()
