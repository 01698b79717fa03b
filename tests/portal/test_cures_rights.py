"""A cure needs the right of the same edit by hand."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import AuditEvent, Permission, Principal, Right
from tests.journeys import make_application
from tests.portal.administrators import give, staff
from tests.portal.cure_stories import shut_out, told_application, unflagged
from tests.portal.curing import OTHER, nobody_may_run, page_of, refused, seen_of_robot
from tests.portal.records import manager


@pytest.mark.parametrize(
    "right", [Right.MANAGE, Right.GRANT, Right.VIEW, Right.DELETE], ids=lambda right: right.label
)
@pytest.mark.parametrize("name", ["redirect_uris", "run"])
def test_each_cure_needs_the_right_of_the_edit_by_hand(name, right, signed_in):
    needed = Right.GRANT if name == "run" else Right.MANAGE
    if name == "run":
        nobody_may_run()
        signed_in.authorize()
    else:
        signed_in.authorize(redirect_uri=OTHER)
    trace = refused()
    mona = give(staff("mona", "view_requesttrace"), signed_in.application, right)
    page = mona.text(page_of(trace))

    sent = {"cure": name, "seen": str(signed_in.application.version)}
    answer = mona.browser.post(f"/admin/oidc_pkce/requesttrace/{trace.pk}/cure/", sent)

    allowed = right is needed
    assert (f'value="{name}"' in page) is allowed
    assert (f"it needs the right {needed.label} on My App" in page) is not allowed
    assert answer.status_code == (302 if allowed else 403)
    assert AuditEvent.objects.filter(action="application.updated").exists() is allowed


def test_who_may_only_see_requests_is_told_whom_to_ask(signed_in):
    signed_in.application.permissions.update(can_view=False)
    signed_in.authorize(redirect_uri=OTHER)
    reader = staff("reader", "view_requesttrace")

    page = reader.text(page_of(refused()))

    assert "Ask somebody who has it." in page
    assert 'name="cure"' not in page
    assert f"/application/{signed_in.application.pk}/" not in page
    sent = {"cure": "redirect_uris", "seen": str(signed_in.application.version)}
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"
    assert reader.browser.post(path, sent).status_code == 403


def test_a_request_of_an_application_that_one_does_not_manage_is_not_found(signed_in, openid_app):
    signed_in.authorize(redirect_uri=OTHER)
    stranger = manager(openid_app)

    sent = {"cure": "redirect_uris", "seen": "1"}
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    assert stranger.browser.post(path, sent).status_code == 404
    assert not AuditEvent.objects.filter(action="application.updated").exists()


@pytest.mark.parametrize("name", ["activate", "flag"])
def test_a_service_user_is_changed_only_by_who_may_change_service_users(name, scene):
    told = (shut_out if name == "activate" else unflagged)(scene)
    told.send()
    mona = manager(told_application(), name="mona")
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"
    sent = {"cure": name, "seen": seen_of_robot()}

    assert "it needs the permission to change service users" in mona.text(page_of(refused()))
    assert mona.browser.post(path, sent).status_code == 403

    may = give(staff("may", "change_serviceuser"), told_application(), Right.MANAGE)
    assert may.browser.post(path, sent).status_code == 302
    assert told.send().status == 200


def test_a_service_user_that_may_do_more_is_left_alone(scene):
    told = shut_out(scene)
    told.send()
    other = make_application(application_id="other")
    robot = get_user_model().objects.get(username="robot")
    Permission.objects.create(
        application=other, principal=Principal.USER, user=robot, can_manage=True
    )
    may = give(staff("may", "change_serviceuser"), told_application(), Right.MANAGE)
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    assert "may do more than you" in may.text(page_of(refused()))
    answer = may.browser.post(path, {"cure": "activate", "seen": seen_of_robot()})

    assert answer.status_code == 403
    robot.refresh_from_db()
    assert not robot.is_active
