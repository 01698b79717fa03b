"""Service users: found, shut out, deleted; and never a way to more than one holds oneself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.models import Permission as DjangoPermission
from django.utils import timezone

from oidc_pkce.flows import service_user
from oidc_pkce.identifiers import digest
from oidc_pkce.models import AuditEvent, ClientSecret, Permission, Principal, ServiceUser
from tests.fixtures import make_user
from tests.journeys import SECRET, Journey, make_application, make_service_user
from tests.portal.conftest import INLINE, Portal

pytestmark = pytest.mark.django_db


def allow(user: Any, *codenames: str) -> Any:
    for codename in codenames:
        user.user_permissions.add(DjangoPermission.objects.get(codename=codename))
    return user


def administrator(*codenames: str) -> Portal:
    return Portal(allow(make_user("staff", is_staff=True), *codenames))


@pytest.fixture
def keeper() -> Portal:
    """May do with service users whatever there is, and nothing else."""
    verbs = ("view", "add", "change", "delete")
    return administrator(*(f"{verb}_serviceuser" for verb in verbs))


def listed(page: str) -> list[str]:
    return re.findall(r'field-login_name"><a [^>]*>([^<]*)</a>', page)


def change(found: ServiceUser) -> str:
    return f"serviceuser/{found.pk}/change/"


def status_of(portal: Portal, path: str, data: dict[str, Any] | None = None) -> int:
    address = f"/admin/oidc_pkce/{path}"
    answer = portal.browser.get(address) if data is None else portal.browser.post(address, data)
    return answer.status_code


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_one_name_in_the_same_moment_the_second_is_told(ada, monkeypatch):
    monkeypatch.setattr("oidc_pkce.flows.service_user.require_free", lambda _: None)
    portal = Portal(make_user("robin", is_staff=True, is_superuser=True))

    answer = portal.post("serviceuser/add/", {"login_name": "ada"})

    assert "Somebody else took this name in the same moment" in answer.content.decode()
    assert not ServiceUser.objects.exists()


def test_the_list_bears_its_own_name(portal):
    assert "<h1>Service users</h1>" in portal.text("serviceuser/")


def test_the_list_tells_of_secrets_without_reading_them_row_by_row(
    portal, django_assert_max_num_queries
):
    for number in range(60):
        made = make_service_user(make_user(f"svc{number:02}"), f"secret {number}")
        ClientSecret.objects.filter(service_user=made).update(last_used_at=timezone.now())

    with django_assert_max_num_queries(8):
        page = portal.text("serviceuser/")

    assert len(listed(page)) == 60
    assert page.count('<td class="field-live_secrets">1</td>') == 60


def test_only_live_secrets_are_counted_and_the_first_end_is_shown(portal):
    made = make_service_user(make_user("svc"), "one")
    now = timezone.now()
    for number, days in enumerate((-3, 400)):
        ClientSecret.objects.create(
            service_user=made, digest=digest(str(number)), expires_at=now + timedelta(days=days)
        )

    page = portal.text("serviceuser/")

    assert '<td class="field-live_secrets">2</td>' in page
    assert str((now + timedelta(days=400)).year) in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"active": "1"}, ["flagged", "plain"]),
        ({"active": "0"}, ["shut_out"]),
        ({"is_oauth_confidential_client__exact": "0"}, ["plain"]),
        ({"q": "shut"}, ["shut_out"]),
        ({"active": "nonsense"}, ["flagged", "plain", "shut_out"]),
    ],
    ids=["active", "inactive", "without the flag", "by name", "nonsense"],
)
def test_service_users_are_filtered(portal, query, found):
    make_service_user(make_user("flagged"))
    make_service_user(make_user("plain"), is_oauth_confidential_client=False)
    make_service_user(make_user("shut_out", is_active=False))

    assert listed(portal.text("serviceuser/", **query)) == found


def test_shutting_a_service_user_out_ends_its_tokens_at_once(portal, robot):
    made = make_application(
        template="OAuth2Server",
        audience="watcher",
        client_id_type="Confidential",
        client_ids=[],
        flows=["ClientCreds"],
        redirect_uris=[],
    )
    made.scopes.create(name="read")
    journey = Journey(made, client_id="robot", secret=SECRET)
    ask = {"grant_type": "client_credentials", "client_id": "robot", "scope": "read"}
    token = journey.post("Token", {**ask, "client_secret": journey.secret}).json["access_token"]
    watcher = make_service_user(make_user("watcher"), "another secret of thirty-two characters")
    asks = {"client_id": str(watcher), "client_secret": "another secret of thirty-two characters"}
    assert journey.introspect(token, **asks).json["active"] is True

    portal.save(change(robot), is_active="")

    assert journey.introspect(token, **asks).json["active"] is False
    refused = journey.post("Token", {**ask, "client_secret": journey.secret})
    assert refused.error == "invalid_client"
    event = AuditEvent.objects.get(action="service_user.updated")
    assert event.actor_name == "robin"
    assert event.details["changes"] == {"is_active": {"before": True, "after": False}}

    portal.save(change(robot), is_active="on")
    assert "access_token" in journey.post("Token", {**ask, "client_secret": journey.secret}).json


def test_saving_what_is_there_already_leaves_no_trace(portal, robot):
    portal.save(change(robot))

    assert not AuditEvent.objects.exists()


def test_several_are_shut_out_and_let_in_again_from_the_list(portal):
    made = [make_service_user(make_user(f"svc{number}")) for number in range(3)]
    chosen = [one.pk for one in made[:2]]
    sent = {"action": "deactivate_selected", "_selected_action": chosen}

    answer = portal.post("serviceuser/", sent)

    assert "2 service users were deactivated." in answer.content.decode()
    assert get_user_model().objects.filter(is_active=False).count() == 2
    portal.post("serviceuser/", {**sent, "action": "activate_selected"})
    assert not get_user_model().objects.filter(is_active=False).exists()
    assert AuditEvent.objects.filter(action="service_user.updated").count() == 4


def test_the_page_says_which_applications_it_may_use_and_be_the_client_of(portal, robot):
    confidential = {"client_id_type": "Confidential", "client_ids": []}
    make_application(name="Its backend", application_id="one", **confidential)
    make_application(name="A public one", application_id="two")
    make_application(name="Not its own", application_id="three", everybody=False, **confidential)

    page = portal.text(change(robot))

    assert re.search(
        r"Its backend</a></td><td>OAuth2 Client</td><td>Confidential</td><td>Yes", page
    )
    assert re.search(r"A public one</a></td><td>OAuth2 Client</td><td>List</td><td>No", page)
    assert "Not its own" not in page


def test_must_be_oauth_client_keeps_out_those_without_the_flag(portal):
    made = make_service_user(make_user("svc"), is_oauth_confidential_client=False)
    make_application(client_id_type="Confidential", client_ids=[], must_be_oauth_client=True)

    assert re.search(r"<td>Confidential</td><td>No</td>", portal.text(change(made)))


def test_many_applications_cost_no_more_than_few(portal, robot, django_assert_max_num_queries):
    for number in range(60):
        make_application(application_id=f"app{number}", name=f"App {number:02}")

    with django_assert_max_num_queries(12):
        page = portal.text(change(robot))

    assert page.count("/change/") < 60
    assert "and 10 more" in page


def test_without_the_right_to_see_an_application_its_name_is_not_told(keeper, robot):
    hidden = make_application(name="Hidden one", everybody=False)
    Permission.objects.create(application=hidden, principal=Principal.USER, user=robot.user)

    page = keeper.text(change(robot))

    assert "Hidden one" not in page
    assert "It holds the Run right on no application that you may see" in page


def test_deleting_says_what_ends(portal, robot):
    made = make_application(name="Its backend", everybody=False)
    Permission.objects.create(application=made, principal=Principal.USER, user=robot.user)

    page = portal.text(f"serviceuser/{robot.pk}/delete/")

    for told in ("robot", "1 live secret", "the rights on Its backend", "whatever people granted"):
        assert told in page
    assert "delete_selected" not in portal.text("serviceuser/")


@pytest.mark.parametrize(
    ("codenames", "codes"),
    [
        ((), (403, 403, 403, 403)),
        (("view_serviceuser",), (200, 200, 403, 403)),
        (("change_serviceuser",), (200, 200, 403, 403)),
        (("add_serviceuser",), (403, 403, 200, 403)),
        (("view_serviceuser", "delete_serviceuser"), (200, 200, 403, 200)),
    ],
    ids=["nothing", "view", "change", "add", "delete"],
)
def test_the_screens_ask_djangos_permissions(robot, codenames, codes):
    staff = administrator(*codenames)
    paths = ("", f"{robot.pk}/change/", "add/", f"{robot.pk}/delete/")

    assert tuple(status_of(staff, f"serviceuser/{path}") for path in paths) == codes


def test_whoever_may_only_look_gets_no_save_and_changes_nothing(robot):
    viewer = administrator("view_serviceuser")

    page = viewer.text(change(robot))

    assert 'name="_save"' not in page
    assert "New client secret" not in page
    assert status_of(viewer, change(robot), {"is_active": ""}) == 403
    assert status_of(viewer, f"serviceuser/{robot.pk}/client-secret/", {}) == 403
    viewer.post("serviceuser/", {"action": "deactivate_selected", "_selected_action": [robot.pk]})
    robot.user.refresh_from_db()
    assert robot.user.is_active


def superuser(robot: ServiceUser) -> None:
    get_user_model().objects.filter(pk=robot.pk).update(is_superuser=True)


def inactive_superuser(robot: ServiceUser) -> None:
    get_user_model().objects.filter(pk=robot.pk).update(is_superuser=True, is_active=False)


def with_a_permission(robot: ServiceUser) -> None:
    allow(robot.user, "change_application")


def inactive_with_a_permission(robot: ServiceUser) -> None:
    allow(robot.user, "change_application")
    get_user_model().objects.filter(pk=robot.pk).update(is_active=False)


def with_a_group(robot: ServiceUser) -> None:
    group = Group.objects.create(name="administrators")
    group.permissions.add(DjangoPermission.objects.get(codename="delete_application"))
    robot.user.groups.add(group)


def with_a_row(robot: ServiceUser) -> None:
    Permission.objects.create(
        application=make_application(everybody=False),
        principal=Principal.USER,
        user=robot.user,
        can_manage=True,
    )


@pytest.mark.parametrize(
    "privileged",
    [
        superuser,
        inactive_superuser,
        with_a_permission,
        inactive_with_a_permission,
        with_a_group,
        with_a_row,
    ],
    ids=lambda each: each.__name__,
)
def test_nobody_acts_as_a_service_user_that_may_do_more(keeper, robot, privileged):
    privileged(robot)
    before = get_user_model().objects.values().get(pk=robot.pk)
    chosen = {"_selected_action": [robot.pk]}

    assert "This service user may do more than you" in keeper.text(change(robot))
    assert status_of(keeper, f"serviceuser/{robot.pk}/client-secret/") == 403
    assert status_of(keeper, f"serviceuser/{robot.pk}/client-secret/", {}) == 403
    assert status_of(keeper, change(robot), {"is_active": "on"}) == 403
    assert status_of(keeper, f"serviceuser/{robot.pk}/delete/", {"post": "yes"}) == 403
    for action in ("activate_selected", "deactivate_selected"):
        answer = keeper.post("serviceuser/", {"action": action, **chosen})
        assert "may do more than you and were left alone: robot." in answer.content.decode()

    assert get_user_model().objects.values().get(pk=robot.pk) == before
    assert ClientSecret.objects.count() == 1


def test_one_who_may_do_as_much_may_change_it(keeper, robot):
    with_a_permission(robot)
    with_a_row(robot)
    allow(keeper.user, "change_application")

    keeper.save(change(robot), is_active="")

    robot.user.refresh_from_db()
    assert not robot.user.is_active


def test_the_rights_that_come_with_running_keep_nobody_out(keeper, robot):
    made = make_application()
    Permission.objects.create(application=made, principal=Principal.USER, user=robot.user)

    assert status_of(keeper, f"serviceuser/{robot.pk}/client-secret/") == 200


def test_what_the_project_protects_is_not_deleted_and_said_so(portal, robot, monkeypatch):
    from django.db.models import ProtectedError

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise ProtectedError("needed elsewhere", set())

    monkeypatch.setattr(service_user, "delete", refuse)

    page = portal.post(f"serviceuser/{robot.pk}/delete/", {"post": "yes"}).content.decode()

    assert "Another part of the project needs this: it was not deleted" in page
    assert ServiceUser.objects.filter(pk=robot.pk).exists()


def test_names_are_shown_as_text_and_nothing_is_inline(portal):
    made = make_service_user(make_user("<b>svc</b>"))
    make_application(name="<script>alert(1)</script>")

    for path in (
        "serviceuser/",
        change(made),
        f"serviceuser/{made.pk}/delete/",
        "serviceuser/add/",
    ):
        page = portal.get(path).content.decode()
        assert "<b>svc" not in page
        assert "<script>alert" not in page
        assert not INLINE.search(page), INLINE.search(page)


def test_the_audit_log_says_what_the_flag_was(portal):
    portal.post("serviceuser/add/", {"login_name": "svc"})
    made = ServiceUser.objects.get()
    assert not made.is_oauth_confidential_client

    portal.save(change(made), is_oauth_confidential_client="on")

    assert ServiceUser.objects.get().is_oauth_confidential_client
    details = AuditEvent.objects.get(action="service_user.updated").details
    assert details["changes"] == {"is_oauth_confidential_client": {"before": False, "after": True}}


def test_the_second_of_two_administrators_does_not_let_in_whom_the_first_shut_out(portal, robot):
    opened = portal.fields(change(robot))
    portal.save(change(robot), is_active="")

    answer = portal.post(change(robot), {**opened, "is_oauth_confidential_client": "on"})

    assert "Somebody changed this while you were editing it" in answer.content.decode()
    robot.user.refresh_from_db()
    assert not robot.user.is_active


def test_whoever_only_looks_at_a_service_user_sees_no_field_of_the_forms_own(robot):
    assert "field-seen" not in administrator("view_serviceuser").text(change(robot))


def test_one_request_changes_no_more_than_one_can_wait_for(portal, robot, monkeypatch):
    monkeypatch.setattr("oidc_pkce.portal.service_users.MAX_CHOSEN", 1)
    chosen = [robot.pk, make_service_user(make_user("svc")).pk]

    answer = portal.post(
        "serviceuser/", {"action": "deactivate_selected", "_selected_action": chosen}
    )

    page = answer.content.decode()
    assert "Choose at most 1 service users at once." in page
    assert "were deactivated" not in page
    assert not get_user_model().objects.filter(is_active=False).exists()
