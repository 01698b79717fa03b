"""Test this application: what a client checks before it redeems the answer."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from oidc_pkce.portal.test_run import remembered
from tests.portal.running import Runner, session_text

pytestmark = pytest.mark.django_db


def test_another_state_stops_the_client(runner: Runner) -> None:
    answer = runner.send()
    forged = answer.path.replace("state=", "state=other-")

    page = runner.open(forged)

    assert re.search(r"state is “other-[^”]+”, but “[^”]+” was sent\.", page.text)
    assert "A client must stop here" in page.text
    assert not page.offers("code")


def test_an_answer_without_state_stops_the_client(runner: Runner) -> None:
    answer = runner.send()

    page = runner.open(re.sub(r"state=[^&]*&", "", answer.path))

    assert not page.offers("code")


def test_a_request_without_state_has_an_answer_without(runner: Runner) -> None:
    assert runner.send(state="").offers("code")


def test_a_very_long_state_is_compared_too(runner: Runner) -> None:
    answer = runner.send(state="s" * 4000)

    assert answer.offers("code")
    assert "s" * 700 not in session_text(runner)
    assert not runner.open(answer.path.replace("state=s", "state=t")).offers("code")


@pytest.mark.parametrize("issuer", ["https://evil.example/my_app/", ""])
def test_another_issuer_stops_the_client(runner: Runner, issuer: str) -> None:
    answer = runner.send()
    forged = re.sub(r"iss=[^&]*", f"iss={quote(issuer, safe='')}", answer.path)

    page = runner.open(forged)

    assert "another server answered" in page.text or "iss is missing" in page.text
    assert not page.offers("code")


def test_a_parameter_that_comes_twice_stops_the_client(runner: Runner) -> None:
    answer = runner.send()

    page = runner.open(f"{answer.path}&code=another")

    assert "code came more than once." in page.text
    assert not page.offers("code")


def test_the_answer_to_another_applications_request_is_none_of_this_one(
    runner: Runner, openid_runner: Runner
) -> None:
    openid_runner.browser = runner.browser
    answer = runner.send()

    page = openid_runner.open(
        answer.path.replace(runner.callback_path, openid_runner.callback_path)
    )

    assert "waits for no answer of this application" in page.text
    assert not page.offers("code")


def test_a_replayed_answer_has_no_verifier_any_more(runner: Runner) -> None:
    answer = runner.send()
    runner.press(answer, "code")

    replayed = runner.open(answer.path)
    assert not replayed.offers("code")
    page = runner.press(answer, "code")  # the form of the page that is still open

    assert "400 Bad Request" in page.text
    assert "code_verifier=" not in page.text


def test_a_stolen_answer_is_worth_nothing_in_another_session(runner: Runner, robin: Any) -> None:
    answer = runner.send()
    thief = Runner(robin, runner.application)

    assert not thief.open(answer.path).offers("code")
    page = thief.press(answer, "code")  # even with the form itself, the name of the run included

    assert "invalid_grant" in page.text or "invalid_request" in page.text
    assert "200 OK" in runner.press(answer, "code").text


def test_a_run_ends_after_the_lifetime_of_an_interaction(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = runner.send()
    later = timezone.now() + timedelta(seconds=3601)
    monkeypatch.setattr("oidc_pkce.portal.test_run.callback.timezone.now", lambda: later)

    page = runner.open(answer.path)

    assert "waits for no answer" in page.text


def test_a_session_remembers_a_few_runs(runner: Runner) -> None:
    for _ in range(5):
        runner.post_request(scope="x" * 5000)

    assert len(runner.browser.session[remembered.KEY]) == remembered.MOST
    assert len(session_text(runner)) < 10_000
