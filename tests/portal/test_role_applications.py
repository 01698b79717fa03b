"""Applications of a role: assigned and removed, and everything else left alone."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_pkce.flows import webapps
from oidc_pkce.models import Application, AuditEvent, Permission, Principal, Role
from tests.journeys import Journey, make_application
from tests.portal.role_cast import administrator, status_of

pytestmark = pytest.mark.django_db


def rights_on(application: Any, role: Role) -> list[str]:
    row = Permission.objects.get(application=application, group=role.pk)
    names = ("can_grant", "can_view", "can_manage", "can_delete", "can_run", "is_deployed")
    return [name for name in names if getattr(row, name)]


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
