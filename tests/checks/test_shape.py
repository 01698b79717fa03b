"""The tests of every check can fail: what a scenario claims is looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.checks.authorize_person import another_person_is_signed_in
from tests.checks.shape import OneThing, sent
from tests.checks.test_every_check import fails_alone, is_mended
from tests.journeys import CALLBACK


def look_at(thing: OneThing, check: str) -> None:
    broken, mended = sent(thing.send, thing.broken), sent(thing.send, thing.mended)
    fails_alone(broken, check)
    is_mended(mended, broken, thing, check)


def by_prompt(journey, broken="silent", mended="none", **others) -> OneThing:
    return OneThing(
        lambda prompt: journey.authorize(prompt=prompt, **others), broken=broken, mended=mended
    )


def test_a_scenario_that_keeps_its_word(scene):
    look_at(by_prompt(scene.signed_in), "authorize.prompt")


def test_a_request_with_two_faults_is_no_scenario(scene):
    """It would fail a second check as soon as the first is mended."""
    with pytest.raises(AssertionError):
        look_at(by_prompt(scene.signed_in, max_age="soon"), "authorize.prompt")


def test_a_request_that_fails_another_check_is_no_scenario(scene):
    with pytest.raises(AssertionError):
        look_at(by_prompt(scene.signed_in, redirect_uri=f"{CALLBACK}/"), "authorize.prompt")


def test_a_mended_request_that_never_comes_to_the_check_is_no_scenario(scene):
    """Unless the scenario says so, and why."""
    thing = another_person_is_signed_in(scene)
    look_at(thing, "authorize.hinted_person")

    with pytest.raises(AssertionError):
        look_at(replace(thing, is_listed=True, because=""), "authorize.hinted_person")


def test_a_reason_is_given_where_success_is_not_shown(scene):
    unlisted = replace(by_prompt(scene.signed_in), is_listed=False)

    with pytest.raises(AssertionError, match="say why"):
        look_at(unlisted, "authorize.prompt")


def test_a_request_without_a_trace_is_noticed(scene):
    with pytest.raises(AssertionError, match="no trace"):
        sent(lambda query: scene.signed_in.raw("Keys", query), "")
