"""For every check of the registry: a request that fails it alone, and the screen that names it."""

from __future__ import annotations

import pytest
from django.test import override_settings

from tests.checks.shape import Kept, OneThing, Scenario, Scene, every_check, scenarios, sent
from tests.portal.conftest import Portal

EVERY = scenarios()


def test_every_check_has_a_scenario_and_every_scenario_a_check():
    shown = {each.check for each in EVERY}
    known = set(every_check())

    assert sorted(known - shown) == [], "write a scenario for each of these checks"
    assert sorted(shown - known) == [], "there is no such check"


def test_no_two_scenarios_have_one_name():
    names = [each.name for each in EVERY]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("scenario", EVERY, ids=lambda each: each.name)
def test_a_request_fails_this_check_alone_and_the_screen_names_it(
    scenario: Scenario, scene: Scene, portal: Portal
):
    thing = scenario.play(scene)
    broken = sent(thing.send, thing.broken)
    page = screen_of(broken, portal)
    mended = sent(thing.send, thing.mended)

    fails_alone(broken, scenario.check)
    is_mended(mended, broken, thing, scenario.check)
    assert scenario.check in page
    assert every_check()[scenario.check].sentence in page


def screen_of(kept: Kept, portal: Portal) -> str:
    """What an administrator reads of it; the URLs of an API's own project need not hold it."""
    with override_settings(ROOT_URLCONF="tests.urls"):
        return portal.text(f"requesttrace/{kept.trace.pk}/change/")


def fails_alone(broken: Kept, check: str) -> None:
    """It ends at this check; the client is told nothing of it but the error."""
    assert broken.failed == [check], broken.trace.outcomes
    assert (broken.trace.failed_check, broken.trace.succeeded) == (check, False)
    assert check not in broken.answer.location
    assert check not in broken.answer.html


def is_mended(mended: Kept, broken: Kept, thing: OneThing, check: str) -> None:
    """It goes the same way up to this check, passes it, and goes on to its end."""
    assert bool(thing.ends_at or not thing.is_listed) == bool(thing.because), "say why, only then"
    before = broken.order[: broken.order.index(check)]
    assert mended.order[: len(before)] == before
    assert (check in mended.order) == thing.is_listed
    assert mended.failed == ([thing.ends_at] if thing.ends_at else []), mended.trace.outcomes
