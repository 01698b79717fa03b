"""Requests: found by the id that a person read out, explained check by check."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from oidc_pkce.models import LogoutDelivery, RequestTrace
from oidc_pkce.portal.request_explanation import ENDPOINTS
from tests.portal.administrators import staff
from tests.portal.conftest import INLINE
from tests.portal.records import manager, shown


def make_traces(count, application=None, *, start=0, **fields):
    now = timezone.now()
    defaults = {
        "endpoint": "token",
        "client_id": "c",
        "succeeded": False,
        "failed_check": "token.code",
        "outcomes": [],
    }
    made = (
        RequestTrace(
            request_id=f"r{start + n:011}",
            application=application,
            at=now - timedelta(minutes=n),
            expires_at=now + timedelta(days=1),
            **{**defaults, **fields},
        )
        for n in range(count)
    )
    return RequestTrace.objects.bulk_create(made)


def make_delivery(application, **fields):
    now = timezone.now()
    defaults = {
        "client_id": "c",
        "subject": "s",
        "sid": "x",
        "created_at": now,
        "next_attempt_at": now,
        "expires_at": now + timedelta(days=1),
    }
    return LogoutDelivery.objects.create(application=application, **{**defaults, **fields})


def test_a_refused_request_is_explained_by_its_id(portal, signed_in):
    signed_in.authorize(redirect_uri="http://localhost:5000/callback/")
    trace = RequestTrace.objects.get()

    listed = portal.text("requesttrace/", q=f" {trace.request_id} ")
    page = portal.text(f"requesttrace/{trace.pk}/change/")

    assert "authorize.redirect_uri" in listed
    marked = "http://localhost:5000/callback<mark>/</mark>"
    for told in ("Refused", "authorize.redirect_uri", "RFC 9700", "Allowed Redirects", marked):
        assert told in page
    assert "passed" in page


def test_a_request_id_comes_before_everything_else_of_that_name(portal):
    make_traces(1)
    make_traces(3, start=10, client_id="r00000000000")

    assert shown(portal.text("requesttrace/", q="r00000000000")) == 1


@pytest.mark.parametrize("word", ["c-1", "ada", "my_app", "token.client"])
def test_requests_are_found_by_client_person_application_and_check(portal, list_app, ada, word):
    make_traces(1, list_app, client_id="c-1", user=ada, failed_check="token.client")
    make_traces(2, start=5)

    assert shown(portal.text("requesttrace/", q=word)) == 1


def test_requests_are_filtered(portal, list_app):
    make_traces(1, list_app, succeeded=True, failed_check="", endpoint="userinfo")
    make_traces(2, start=5)

    assert shown(portal.text("requesttrace/", succeeded__exact="0")) == 2
    assert shown(portal.text("requesttrace/", succeeded__exact="1")) == 1
    assert shown(portal.text("requesttrace/", endpoint="userinfo")) == 1
    assert shown(portal.text("requesttrace/", failed_check="token.code")) == 2
    assert shown(portal.text("requesttrace/", application__id__exact=list_app.pk)) == 1
    assert "token.code" in portal.text("requesttrace/", succeeded__exact="1")


def test_what_a_request_sent_is_shown_as_text(portal, signed_in):
    signed_in.authorize(redirect_uri="https://x.example/<script>alert(1)</script>")
    trace = RequestTrace.objects.get()

    for path in ("requesttrace/", f"requesttrace/{trace.pk}/change/"):
        page = portal.get(path).content.decode()
        assert "<script>alert" not in page
        assert not INLINE.search(page), INLINE.search(page)


def test_a_check_of_an_earlier_version_is_still_shown(portal):
    (trace,) = make_traces(1, outcomes=[{"check": "gone.check", "passed": False}])

    assert "gone.check" in portal.text(f"requesttrace/{trace.pk}/change/")


def test_every_endpoint_that_leaves_traces_can_be_chosen():
    from oidc_pkce.endpoints.base import Endpoint

    def below(kind):
        return {kind, *(found for one in kind.__subclasses__() for found in below(one))}

    named = {kind.name for kind in below(Endpoint) if vars(kind).get("name")}

    assert named <= set(ENDPOINTS)


def test_the_list_costs_the_same_for_few_and_for_many(
    portal, list_app, django_assert_max_num_queries
):
    make_traces(3, list_app)
    with django_assert_max_num_queries(14) as few:
        portal.get("requesttrace/")
    make_traces(3000, list_app, start=100)

    with django_assert_max_num_queries(len(few)):
        portal.get("requesttrace/")


@pytest.mark.parametrize("screen", ["requesttrace", "logoutdelivery"])
def test_who_manages_an_application_sees_the_records_of_that_one(list_app, openid_app, screen):
    mine, other = make_traces(1, list_app)[0], make_traces(1, openid_app, start=5)[0]
    (nobodys,) = make_traces(1, start=9)
    if screen == "logoutdelivery":
        mine, other, nobodys = make_delivery(list_app), make_delivery(openid_app), None
    mona = manager(list_app)

    assert shown(mona.text(f"{screen}/")) == 1
    assert mona.browser.get(f"/admin/oidc_pkce/{screen}/{mine.pk}/change/").status_code == 200
    for hidden in filter(None, (other, nobodys)):
        path = f"/admin/oidc_pkce/{screen}/{hidden.pk}/change/"
        assert mona.browser.get(path).status_code == 404


def test_requests_of_no_application_need_the_right_to_view_all(list_app):
    make_traces(1, list_app)
    make_traces(2, start=5)

    assert shown(staff("all", "view_requesttrace").text("requesttrace/")) == 3
    assert shown(staff("apps", "change_application").text("requesttrace/")) == 1


@pytest.mark.parametrize("screen", ["requesttrace", "logoutdelivery"])
def test_others_see_nothing(list_app, screen):
    stranger = staff("stranger", "view_application")

    assert stranger.browser.get(f"/admin/oidc_pkce/{screen}/").status_code == 403
    assert f"/{screen}/" not in stranger.browser.get("/admin/").content.decode()


def test_a_sign_out_that_waits_says_why(portal, list_app):
    nasty = "<b>503</b>"
    made = make_delivery(list_app, attempts=3, last_error=nasty)
    make_delivery(list_app, subject="t")
    make_delivery(list_app, subject="u", expires_at=timezone.now())

    listed = portal.get("logoutdelivery/").content.decode()
    page = portal.get(f"logoutdelivery/{made.pk}/change/").content.decode()

    for state in ("failing", "waiting", "given up"):
        assert f">{state}<" in listed
    for text in (listed, page):
        assert nasty not in text
        assert not INLINE.search(text)
    assert "503" in page


def test_the_list_names_the_check_beside_the_outcome(portal, list_app):
    make_traces(1, list_app)

    page = portal.text("requesttrace/")

    assert '<span class="oidc-id">token.code</span></td>' in page
