"""Test this application: what the form begins with, and what is sent of what is typed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from oidc_pkce.models import Right
from tests.fixtures import make_user
from tests.journeys import BASE, make_application
from tests.portal.permission_rows import give
from tests.portal.running import Page, Runner, query_of

pytestmark = pytest.mark.django_db


def test_what_is_typed_is_sent_and_what_is_empty_is_not(runner: Runner) -> None:
    changes = {
        "state": " two  spaces ",
        "nonce": "n",
        "max_age": "soon",
        "resource": "https://a.example/",
        "further": "extra=1\nextra=2\nnothing\nempty=",
        "prompt": "",
    }
    response = runner.post_request(**changes)

    assert "extra=1&extra=2" in response["Location"]
    sent = query_of(response["Location"])
    assert sent["state"] == " two  spaces "
    assert sent["max_age"] == "soon"
    assert sent["resource"] == "https://a.example/"
    assert {"prompt", "nothing", "empty", "run", "csrfmiddlewaretoken"}.isdisjoint(sent)


def test_an_address_that_servers_do_not_read_is_refused_with_its_length(runner: Runner) -> None:
    response = runner.post_request(claims="x" * 9000)

    assert response.status_code == 200
    assert "characters long" in response.content.decode()


def test_a_form_without_its_run_sends_nothing(runner: Runner) -> None:
    response = runner.post_request(run="short")

    assert response.status_code == 200
    assert "this form is incomplete" in response.content.decode()


def test_the_address_can_be_shown_instead_of_opened(runner: Runner) -> None:
    response = runner.post_request(show="Show its address")

    assert response.status_code == 200
    assert f'href="{BASE}/OAuth2/Authorize/my_app?' in response.content.decode()


def test_a_request_for_another_redirect_uri_is_a_link(runner: Runner) -> None:
    """A browser that keeps to form-action 'self' would follow no redirect to another site."""
    response = runner.post_request(redirect_uri="http://localhost:5000/callback")

    assert response.status_code == 200
    assert "follow the link yourself" in response.content.decode()


def test_a_request_can_be_changed_and_sent_again(runner: Runner) -> None:
    answer = runner.send(scope="", login_hint="ada", further="x=1")
    found = re.search(r'href="([^"]*again=[^"]*)"', answer.html)
    assert found

    page = Page(runner.browser.get(found[1]), found[1])
    fields = page.form("response_type").fields

    assert (fields["login_hint"], fields["further"]) == ("ada", "x=1")
    assert fields["state"] not in ("", query_of(answer.path)["state"])
    fresh = runner.follow(runner.browser.post(runner.path, fields))
    assert "200 OK" in runner.press(fresh, "code").text


def test_a_run_that_nobody_sent_changes_nothing_in_the_form(runner: Runner) -> None:
    assert runner.open(again="x" * 32).form("response_type").fields["client_id"]


@pytest.mark.parametrize(
    ("fields", "client"),
    [
        ({"client_id_type": "List", "client_ids": ["first", "second"]}, "first"),
        ({"client_id_type": "Anything", "client_ids": []}, ""),
        ({"client_id_type": "Confidential", "client_ids": []}, "robot"),
    ],
    ids=["List", "Anything", "Confidential"],
)
def test_the_form_begins_with_a_client_of_the_application(
    robin: Any, robot: Any, fields: dict[str, Any], client: str
) -> None:
    made = make_application(**fields)

    assert Runner(robin, made).open().form("response_type").fields["client_id"] == client


def test_service_users_are_named_only_to_whom_may_see_them(robot: Any) -> None:
    made = make_application(client_id_type="Confidential", client_ids=[])
    staff = make_user("viewer", is_staff=True)
    give(made, staff, Right.VIEW, Right.MANAGE)

    page = Runner(staff, made).open()

    assert page.form("response_type").fields["client_id"] == ""
    assert 'value="robot"' not in page.html
