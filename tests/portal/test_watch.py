"""Watch: the requests of one application as they arrive, for those who may see requests."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from oidc_pkce.flows import tracing, watch
from oidc_pkce.flows.actor import Actor
from oidc_pkce.models import Application, AuditEvent, RequestTrace, Right
from tests.journeys import FORM, Journey, make_application
from tests.portal.administrators import give, hide, staff
from tests.portal.conftest import INLINE, Portal
from tests.portal.records import manager
from tests.portal.test_requests import make_traces

SESSION = 2  # statements: the session and its user


@pytest.fixture(autouse=True)
def no_sample(settings: Any) -> None:
    """Unwatched, only refusals leave a trace."""
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 0}


def path_of(application: Application, page: str = "watch") -> str:
    return f"application/{application.pk}/{page}/"


def begin(portal: Portal, application: Application) -> str:
    answer = portal.post(path_of(application), {"watch": "1"})
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def news(portal: Portal, application: Application, after: Any = 0) -> Any:
    address = f"/admin/oidc_pkce/{path_of(application, 'watch-news')}"
    return portal.browser.get(address, {"after": after})


def is_over(answer: Any) -> bool:
    return (answer.status_code, answer.headers["Oidc-Watch"]) == (204, "over")


def let_pass(application: Application, **time: float) -> None:
    """As if the watch had begun so much earlier."""
    ago = timedelta(**time)
    for event in AuditEvent.objects.filter(action="request.watched"):
        AuditEvent.objects.filter(pk=event.pk).update(at=event.at - ago)
    stored = Application.objects.get(pk=application.pk)
    Application.objects.filter(pk=stored.pk).update(watched_until=stored.watched_until - ago)  # type: ignore[operator]


def test_every_request_is_kept_and_shown_while_somebody_watches(portal, signed_in):
    signed_in.tokens()
    assert RequestTrace.objects.count() == 0

    assert "No request has arrived yet" in begin(portal, signed_in.application)
    signed_in.tokens()
    page = portal.text(path_of(signed_in.application))

    assert [trace.endpoint for trace in RequestTrace.objects.order_by("pk")] == [
        "authorize",
        "token",
    ]
    assert page.index("<strong>Token</strong>") < page.index("<strong>Authorize</strong>")
    assert "my_service_user" in page
    assert "code.single_use" in page or "code.known" in page
    assert page.count("succeeded</span>") == 2


def test_a_refused_request_says_why_and_leads_to_its_explanation(portal, signed_in):
    begin(portal, signed_in.application)
    signed_in.authorize(redirect_uri="http://localhost:5000/callback/")
    trace = RequestTrace.objects.get()

    page = portal.text(path_of(signed_in.application))

    assert "the redirect URI is not one of the Allowed Redirects" in page
    assert "oidc-check-failed" in page
    assert "authorize.redirect_uri" in page
    address = f"/admin/oidc_pkce/requesttrace/{trace.pk}/change/"
    assert f'href="{address}"' in page
    assert portal.browser.get(address).status_code == 200


def test_what_came_before_is_not_shown(portal, signed_in):
    signed_in.redeem("before")
    begin(portal, signed_in.application)

    assert 'data-request="' not in portal.text(path_of(signed_in.application))


def test_another_applications_requests_are_neither_kept_nor_shown(portal, signed_in):
    other = Journey(make_application(application_id="other"))
    begin(portal, signed_in.application)
    other.redeem("x")

    assert 'data-request="' not in portal.text(path_of(signed_in.application))
    assert news(portal, signed_in.application).status_code == 204


def test_news_are_what_came_since_and_nothing_else(portal, signed_in):
    begin(portal, signed_in.application)
    nothing = news(portal, signed_in.application)
    assert (nothing.status_code, nothing.headers["Oidc-Watch"]) == (204, "on")

    signed_in.redeem("one")
    first = news(portal, signed_in.application)
    assert first.status_code == 200
    assert first.headers["Cache-Control"].startswith("no-store")
    seen = RequestTrace.objects.get().pk
    assert news(portal, signed_in.application, seen).status_code == 204
    assert news(portal, signed_in.application, seen).content == b""

    signed_in.redeem("two")
    signed_in.authorize()
    told = html.unescape(news(portal, signed_in.application, seen).content.decode())
    assert told.count("data-request=") == 2
    assert f'data-request="{seen}"' not in told
    assert "2 new requests, 1 refused" in told
    assert "<html" not in told
    assert not INLINE.search(told)


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 40, "1 OR 1=1", "²"])
def test_an_odd_number_in_the_address_asks_for_everything(portal, signed_in, after):
    begin(portal, signed_in.application)
    signed_in.redeem("x")

    assert news(portal, signed_in.application, after).status_code == 200


def test_it_ends_by_itself_after_ten_minutes(portal, signed_in):
    begin(portal, signed_in.application)
    signed_in.redeem("seen")
    seen = RequestTrace.objects.get()
    let_pass(signed_in.application, minutes=10, seconds=1)
    RequestTrace.objects.filter(pk=seen.pk).update(at=timezone.now() - timedelta(minutes=5))

    signed_in.authorize()
    assert RequestTrace.objects.count() == 1
    assert is_over(news(portal, signed_in.application, seen.pk))
    late = news(portal, signed_in.application)  # what nobody has fetched yet
    assert (late.status_code, late.headers["Oidc-Watch"]) == (200, "over")
    page = portal.text(path_of(signed_in.application))
    assert "The watch has ended" in page
    assert f'data-request="{seen.pk}"' in page
    assert "watch.js" not in page
    assert 'value="Watch for 10 minutes"' in page


def test_what_a_watch_saw_is_out_of_sight_after_an_hour(portal, signed_in):
    begin(portal, signed_in.application)
    signed_in.redeem("seen")
    let_pass(signed_in.application, minutes=61)

    assert 'data-request="' not in portal.text(path_of(signed_in.application))
    assert is_over(news(portal, signed_in.application))


def test_it_can_be_stopped(portal, signed_in):
    begin(portal, signed_in.application)
    signed_in.redeem("seen")
    page = portal.post(path_of(signed_in.application), {"stop": "1"}).content.decode()
    signed_in.tokens()
    signed_in.redeem("after")

    assert "The watch has ended" in html.unescape(page)
    assert RequestTrace.objects.filter(succeeded=True).count() == 0
    shown = portal.text(path_of(signed_in.application))
    assert shown.count("data-request=") == 1
    assert is_over(news(portal, signed_in.application, 10**9))


def test_who_has_stopped_can_begin_again(portal, signed_in):
    begin(portal, signed_in.application)
    portal.post(path_of(signed_in.application), {"stop": "1"})

    assert "Stop watching" in begin(portal, signed_in.application)
    signed_in.redeem("x")
    assert news(portal, signed_in.application).headers["Oidc-Watch"] == "on"
    assert news(portal, signed_in.application).status_code == 200


def test_watching_changes_nothing_of_the_application(portal, second, list_app):
    before = Application.objects.filter(pk=list_app.pk).values().get()
    form = second.fields(f"application/{list_app.pk}/change/")
    begin(portal, list_app)

    after = Application.objects.filter(pk=list_app.pk).values().get()
    assert {**after, "watched_until": None} == before
    assert not AuditEvent.objects.filter(action="application.updated").exists()
    changed = second.post(f"application/{list_app.pk}/change/", {**form, "name": "Renamed"})
    assert b"was saved" in changed.content
    stored = Application.objects.get(pk=list_app.pk)
    assert stored.name == "Renamed"
    assert stored.watched_until == after["watched_until"]


def test_it_is_audited_once_and_not_by_every_look(portal, signed_in):
    begin(portal, signed_in.application)
    signed_in.redeem("x")
    for _ in range(3):
        portal.get(path_of(signed_in.application))
        news(portal, signed_in.application)

    (event,) = AuditEvent.objects.filter(action="request.watched")
    assert event.actor == portal.user
    assert event.application == signed_in.application
    assert event.details == {"minutes": 10}


def test_a_second_watcher_is_audited_too_and_sees_only_what_comes_from_then_on(
    portal, second, signed_in
):
    begin(portal, signed_in.application)
    signed_in.redeem("first")

    page = second.text(path_of(signed_in.application))
    assert "Somebody else is watching" in page
    assert "data-request=" not in page
    assert is_over(news(second, signed_in.application))

    begin(second, signed_in.application)
    signed_in.redeem("second")
    assert news(second, signed_in.application).content.decode().count("data-request=") == 1
    assert news(portal, signed_in.application).content.decode().count("data-request=") == 2
    actors = AuditEvent.objects.filter(action="request.watched").values_list("actor_name")
    assert sorted(actors) == [("kim",), ("robin",)]


def test_a_second_watcher_prolongs_and_never_shortens(portal, second, list_app):
    begin(portal, list_app)
    later = timezone.now() + timedelta(minutes=30)
    Application.objects.update(watched_until=later)
    begin(second, list_app)

    assert Application.objects.get(pk=list_app.pk).watched_until == later


def test_a_watcher_who_stopped_sees_nothing_of_the_next_ones_watch(portal, second, signed_in):
    begin(portal, signed_in.application)
    portal.post(path_of(signed_in.application), {"stop": "1"})
    begin(second, signed_in.application)
    signed_in.redeem("x")

    assert is_over(news(portal, signed_in.application))
    assert "data-request=" not in portal.text(path_of(signed_in.application))


@pytest.mark.parametrize("right", [Right.VIEW, Right.GRANT, Right.DELETE], ids=str)
def test_who_may_not_see_requests_can_neither_watch_nor_look(portal, signed_in, right):
    looker = manager(signed_in.application, right)
    begin(portal, signed_in.application)
    signed_in.redeem("x")

    page = looker.text(path_of(signed_in.application))
    assert "needs the right Manage" in page
    assert "data-request=" not in page
    assert 'name="watch"' not in page
    assert looker.post(path_of(signed_in.application), {"watch": "1"}).status_code == 403
    assert looker.post(path_of(signed_in.application), {"stop": "1"}).status_code == 403
    assert news(looker, signed_in.application).status_code == 403
    assert Application.objects.get(pk=signed_in.application.pk).watched_until > timezone.now()


def test_who_may_view_requests_everywhere_needs_to_see_the_application_too(signed_in):
    hide(signed_in.application)
    reader = staff("reader", "view_requesttrace")
    address = f"/admin/oidc_pkce/{path_of(signed_in.application)}"
    assert reader.browser.get(address).status_code == 404
    assert reader.browser.post(address, {"watch": "1"}).status_code == 404
    assert news(reader, signed_in.application).status_code == 404

    give(reader, signed_in.application, Right.VIEW)
    begin(reader, signed_in.application)
    signed_in.redeem("x")
    assert news(reader, signed_in.application).status_code == 200


def test_a_manager_watches_the_own_application_and_no_other(signed_in):
    other = make_application(application_id="other", everybody=False)
    mona = manager(signed_in.application)
    begin(mona, signed_in.application)
    signed_in.redeem("x")

    assert news(mona, signed_in.application).status_code == 200
    assert mona.post(path_of(other), {"watch": "1"}).status_code == 404
    assert Application.objects.get(pk=other.pk).watched_until is None


def test_a_right_that_is_taken_away_counts_at_the_next_question(signed_in):
    mona = manager(signed_in.application)
    begin(mona, signed_in.application)
    signed_in.redeem("x")
    signed_in.application.permissions.filter(user=mona.user).update(**{Right.MANAGE.value: False})

    assert news(mona, signed_in.application).status_code == 403


def test_a_session_that_has_ended_is_sent_to_the_sign_in(portal, signed_in):
    begin(portal, signed_in.application)
    portal.browser.logout()

    answer = news(portal, signed_in.application)
    assert answer.status_code == 302
    assert b"data-request" not in answer.content


def test_a_form_of_another_site_begins_nothing(portal, list_app):
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)

    answer = strict.post(f"/admin/oidc_pkce/{path_of(list_app)}", {"watch": "1"})

    assert answer.status_code == 403
    assert Application.objects.get(pk=list_app.pk).watched_until is None


def test_an_address_of_news_takes_nothing(portal, list_app):
    address = f"/admin/oidc_pkce/{path_of(list_app, 'watch-news')}"

    assert portal.browser.post(address, {"watch": "1"}).status_code == 405


@pytest.mark.parametrize("who", ["superuser", "manager"])
def test_a_question_for_news_costs_five_statements_at_most(
    portal, signed_in, django_assert_max_num_queries, who
):
    watcher = portal if who == "superuser" else manager(signed_in.application)
    begin(watcher, signed_in.application)
    make_traces(200, signed_in.application)
    RequestTrace.objects.update(at=timezone.now())
    news(watcher, signed_in.application)

    permissions = 0 if who == "superuser" else 2  # Django's, of the user and of their groups
    with django_assert_max_num_queries(SESSION + permissions + 5):
        answer = news(watcher, signed_in.application)

    assert answer.content.decode().count("data-request=") == watch.SHOWN


def test_the_page_costs_the_same_however_many_requests_there_are(
    portal, signed_in, django_assert_max_num_queries
):
    begin(portal, signed_in.application)
    portal.get(path_of(signed_in.application))
    make_traces(300, signed_in.application)
    RequestTrace.objects.update(at=timezone.now())

    with django_assert_max_num_queries(SESSION + 8):
        page = portal.text(path_of(signed_in.application))

    assert page.count("data-request=") == watch.SHOWN


def test_requests_that_are_pruned_meanwhile_are_only_gone(portal, signed_in, settings):
    begin(portal, signed_in.application)
    for n in range(6):
        signed_in.redeem(f"x{n}")
    seen = RequestTrace.objects.latest("pk").pk
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACES_PER_APPLICATION": 2}
    tracing.prune(signed_in.application.pk)

    assert portal.text(path_of(signed_in.application)).count("data-request=") == 2
    RequestTrace.objects.all().delete()
    assert news(portal, signed_in.application, seen).status_code == 204
    assert "No request has arrived yet" in portal.text(path_of(signed_in.application))
    signed_in.redeem("next")
    assert news(portal, signed_in.application, seen).status_code == 200


def test_an_application_that_is_deleted_meanwhile_is_not_found(portal, signed_in):
    begin(portal, signed_in.application)
    signed_in.application.delete()

    assert news(portal, signed_in.application).status_code == 404


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x>', "\u202ex", "&amp;"])
def test_what_a_client_sends_is_text(portal, signed_in, text):
    begin(portal, signed_in.application)
    signed_in.authorize(client_id=text, redirect_uri=text, state=text)

    for page in (
        portal.get(path_of(signed_in.application)).content.decode(),
        news(portal, signed_in.application).content.decode(),
    ):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "\u202e" not in page


def test_the_page_works_without_javascript_and_has_nothing_inline(portal, signed_in):
    page = begin(portal, signed_in.application)

    assert "New requests appear when you refresh the page." in page
    assert "Refresh</a>" in page
    assert not INLINE.search(page)
    assert 'http-equiv="refresh"' not in page
    assert (
        portal.get(path_of(signed_in.application)).headers["Cache-Control"].startswith("no-store")
    )


def test_a_check_of_an_older_version_is_shown_by_its_name(portal, signed_in):
    begin(portal, signed_in.application)
    outcome = {"check": "gone.check", "passed": False, "near_misses": ["gone"]}
    make_traces(1, signed_in.application, outcomes=[outcome], failed_check="gone.check")
    RequestTrace.objects.update(at=timezone.now())

    assert "gone.check" in portal.text(path_of(signed_in.application))


def test_no_watch_is_exported_cloned_or_imported(portal, list_app):
    begin(portal, list_app)

    exported = portal.browser.get(f"/admin/oidc_pkce/application/{list_app.pk}/export/")
    assert b"atched" not in exported.content
    portal.post(f"application/{list_app.pk}/clone/", {"application_id": "copy", "name": "Copy"})
    for copy in Application.objects.exclude(pk=list_app.pk):
        assert copy.watched_until is None


def test_a_request_from_a_client_is_traced_for_every_endpoint(portal, signed_in):
    begin(portal, signed_in.application)
    token = signed_in.tokens()["access_token"]
    signed_in.userinfo(token)
    Browser().post(signed_in.url("Introspect"), "", content_type=FORM)

    found = set(RequestTrace.objects.values_list("endpoint", flat=True))
    assert found == {"authorize", "token", "userinfo", "introspect"}


def test_a_stop_when_nobody_watches_leaves_no_record(list_app):
    watch.stop(list_app, actor=Actor(name="robin"), now=timezone.now())

    assert AuditEvent.objects.count() == 0
