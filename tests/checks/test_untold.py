"""What is wrong with a token at Introspect and Revoke: only the trace tells, and the screen."""

from __future__ import annotations

import pytest

from tests.checks.shape import Scenario, Scene, scenarios, sent
from tests.portal.conftest import Portal

UNTOLD = [
    each
    for each in scenarios()
    if each.check.startswith(("introspection.", "revocation."))
    and each.check != "introspection.caller"
]
SENTENCE = "The client was told nothing of this: the answer is 200, whatever the token is."


@pytest.mark.parametrize("scenario", UNTOLD, ids=lambda each: each.name)
def test_what_the_answer_hides_is_listed_as_refused_and_explained(
    scenario: Scenario, scene: Scene, portal: Portal
):
    thing = scenario.play(scene)
    broken = sent(thing.send, thing.broken)
    listed = portal.text("requesttrace/", succeeded__exact="0", failed_check=scenario.check)
    page = portal.text(f"requesttrace/{broken.trace.pk}/change/")

    assert broken.answer.status == 200
    assert broken.trace.request_id in listed
    assert SENTENCE in page
    assert "All that the client was told" not in page


@pytest.mark.parametrize(
    "scenario",
    [each for each in scenarios() if each.check.startswith("login.")],
    ids=lambda each: each.name,
)
def test_of_a_wrong_password_only_the_person_was_told(
    scenario: Scenario, scene: Scene, portal: Portal
):
    thing = scenario.play(scene)
    broken = sent(thing.send, thing.broken)
    page = portal.text(f"requesttrace/{broken.trace.pk}/change/")

    assert "the person was shown the sign-in page again" in page
    assert "All that the client was told" not in page
    assert "access_denied" not in page


def test_what_the_client_was_told_is_not_denied(scene: Scene, portal: Portal):
    scene.signed_in.redeem("x")
    page = portal.text(
        f"requesttrace/{scene.signed_in.application.request_traces.get().pk}/change/"
    )

    assert SENTENCE not in page
    assert "invalid_grant" in page
