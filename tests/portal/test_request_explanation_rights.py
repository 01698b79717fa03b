"""Why did this fail? Who may read it, and the way to it by its id."""

from __future__ import annotations

import re

import pytest

from oidc_pkce.audit import Action
from oidc_pkce.models import AuditEvent, Right
from tests.journeys import last_trace, make_application
from tests.portal.administrators import staff
from tests.portal.explaining import page_of
from tests.portal.records import manager


def test_reading_needs_a_permission_of_its_own_or_manage(web, list_app_viewer, portal):
    web.authorize(redirect_uri="https://x.example/")
    path = f"/admin/oidc_pkce/requesttrace/{last_trace().pk}/change/"

    assert staff("reader", "view_requesttrace").browser.get(path).status_code == 200
    assert manager(web.application).browser.get(path).status_code == 200
    assert list_app_viewer.browser.get(path).status_code == 403
    assert (
        staff("others", "view_application", "change_signingkey").browser.get(path).status_code
        == 403
    )


@pytest.fixture
def list_app_viewer(web):
    """Somebody who may see the application, but not manage it."""
    return manager(web.application, Right.VIEW, name="viola")


def explained():
    return AuditEvent.objects.filter(action=Action.REQUEST_EXPLAINED)


def test_each_reading_is_audited_once(portal, web):
    web.authorize(redirect_uri="https://x.example/")
    trace = last_trace()
    portal.get("requesttrace/")
    assert not explained().exists()

    page_of(portal)
    event = explained().get()
    assert (event.actor, event.actor_name) == (portal.user, "robin")
    assert (event.application, event.application_name) == (web.application, "My App")
    assert event.details == {"request": trace.request_id}

    page_of(portal)
    assert explained().count() == 2


def test_what_was_not_shown_is_not_audited(web):
    web.authorize(redirect_uri="https://x.example/")
    other = make_application(application_id="other", everybody=False)
    path = f"/admin/oidc_pkce/requesttrace/{last_trace().pk}/change/"

    assert manager(other).browser.get(path).status_code == 404
    assert staff("stranger").browser.get(path).status_code == 403
    assert staff("reader", "view_requesttrace").browser.post(path).status_code == 405
    assert not explained().exists()


# --- the way to it by its id ---------------------------------------------------------------------


@pytest.mark.parametrize("write", [str, str.lower, lambda text: f" {text[:4]} {text[4:]}\t"])
def test_the_id_of_an_error_page_leads_to_the_explanation(portal, web, write):
    web.authorize(redirect_uri="https://x.example/")
    trace = last_trace()

    answer = portal.browser.get(
        "/admin/oidc_pkce/requesttrace/why/", {"id": write(trace.request_id)}
    )

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/admin/oidc_pkce/requesttrace/{trace.pk}/change/"


def test_an_unknown_id_and_one_that_is_not_yours_are_answered_alike(web):
    web.authorize(redirect_uri="https://x.example/")
    other = manager(make_application(application_id="other", everybody=False))

    def told(request_id):
        answer = other.browser.get("/admin/oidc_pkce/requesttrace/why/", {"id": request_id})
        body = answer.content.decode().replace(request_id, "ID")
        return answer.status_code, re.sub(r'value="[A-Za-z0-9]{64}"', "", body)  # of the log-out

    foreign = told(last_trace().request_id)
    assert foreign[0] == 404
    assert "There is no request with the ID" in foreign[1]
    assert foreign == told("ABCDEFGHJKM9")


@pytest.mark.parametrize("text", ["", "\0", "<script>", "é" * 100, "x" * 9000, "' OR 1=1"])
def test_whatever_is_typed_as_an_id_is_answered(portal, text):
    answer = portal.browser.get("/admin/oidc_pkce/requesttrace/why/", {"id": text})

    assert answer.status_code == (404 if text.strip() else 200)
    assert "<script>" not in answer.content.decode().replace("<script src", "")


def test_the_home_page_asks_for_an_id_whom_it_may_tell(portal):
    assert 'action="/admin/oidc_pkce/requesttrace/why/"' in portal.text("")
    assert "requesttrace/why" not in staff("apps", "view_application").text("")
