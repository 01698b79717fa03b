"""One click cures a refused request: the same request then succeeds, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import Application, AuditEvent, Permission, Right
from tests.flows.test_cures import make_trace
from tests.journeys import CALLBACK
from tests.portal import cure_stories
from tests.portal.conftest import INLINE, Portal
from tests.portal.cure_stories import STORIES, Story, machine, shut_out, unflagged
from tests.portal.curing import OTHER, changed, cure, nobody_may_run, page_of, refused


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_the_same_request_succeeds_after_the_click(
    story: Callable[[Any], Story], scene: Any, portal: Portal
) -> None:
    told = story(scene)
    told.send()
    trace = refused()
    assert trace.failed_check == told.check
    page = re.sub(r"</?(?:code|strong)>", "", portal.text(page_of(trace)))
    assert told.told in page
    assert not INLINE.search(page)

    after = cure(portal, trace, told.name)
    assert "Send the request again." in after
    assert told.told not in re.sub(r"</?(?:code|strong)>", "", after)

    answer = told.send()
    assert answer.status < 400, answer.html
    assert answer.error is None
    assert refused().pk == trace.pk


@pytest.mark.parametrize(
    "story",
    [each for each in STORIES if each not in (shut_out, unflagged)],
    ids=lambda s: s.__name__,
)
def test_the_changelog_names_the_administrator_and_the_one_change(
    story: Callable[[Any], Story], scene: Any, portal: Portal
) -> None:
    told = story(scene)
    told.send()
    trace = refused()
    version = Application.objects.get(pk=trace.application_id).version
    cure(portal, trace, told.name)

    events = AuditEvent.objects.filter(action="application.updated")
    assert [event.actor_name for event in events] == ["robin"]
    assert list(changed()) == [told.field]
    assert Application.objects.get(pk=trace.application_id).version == version + 1
    assert "robin" in portal.text(f"application/{trace.application_id}/changelog/")


@pytest.mark.parametrize("name", ["robot-with-a-name-that-is-as-long-as-a-secret", "r" * 150])
def test_a_service_user_with_a_long_name_is_activated(name, portal, scene):
    """A trace masks long words, but knows who it was."""
    told = shut_out(scene)
    get_user_model().objects.filter(username="robot").update(username=name)
    mine = {**machine(), "client_id": name}
    journey = scene("confidential")
    assert journey.post("Token", mine).status == 400

    cure(portal, refused(), "activate")

    assert journey.post("Token", mine).status == 200
    assert told.check == refused().failed_check


def test_every_cure_has_a_story() -> None:
    from oidc_pkce.flows import cures

    silent = {
        *("authorize.network", "authorize.acr", "client_credentials.network", "password.network"),
        *("authorize.code_challenge", "authorize.code_challenge_method", "password.required_acr"),
        "introspection.client",  # with Confidential clients alone, which have no List
    }
    source = Path(cure_stories.__file__).read_text()

    assert [c for c in cures.CURES if c not in silent and f'"{c}"' not in source] == []


# --- what is kept --------------------------------------------------------------------------------


def test_all_other_rows_are_kept_when_a_right_is_given(portal, signed_in, bob):
    signed_in.application.permissions.all().delete()
    rows = Permission.objects
    rows.create(application=signed_in.application, principal="user", user=bob, can_manage=True)
    rows.create(
        application=signed_in.application, principal="user", user_id=ada_pk(), can_run=False
    )
    signed_in.authorize()

    cure(portal, refused(), "run")

    assert {row.principal_name: row.rights for row in rows.all()} == {
        "bob": frozenset({Right.VIEW, Right.MANAGE, Right.RUN, Right.DEPLOY}),
        "ada": frozenset({Right.VIEW, Right.RUN, Right.DEPLOY}),
    }


def ada_pk() -> Any:
    return get_user_model().objects.get(username="ada").pk


def test_a_new_row_gives_run_and_nothing_else(portal, signed_in):
    nobody_may_run()
    signed_in.authorize()

    cure(portal, refused(), "run")

    assert Permission.objects.get().rights == frozenset({Right.RUN})


def test_all_other_scopes_are_kept(portal, signed_in):
    signed_in.application.scopes.create(name="read", description="See", rest_patterns=["notes"])
    signed_in.authorize(scope="write")

    cure(portal, refused(), "scopes")

    kept = signed_in.application.scopes.values_list("name", "description", "rest_patterns")
    assert list(kept) == [("read", "See", ["notes"]), ("write", "", [])]


def test_a_cure_is_audited_as_the_same_edit_by_hand(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    cure(portal, refused(), "redirect_uris")
    by_click = AuditEvent.objects.filter(action="application.updated").latest("pk")
    page = f"application/{signed_in.application.pk}/general-usage/"
    portal.save(page, redirect_uris=CALLBACK)
    portal.save(page, redirect_uris=f"{CALLBACK}\n{OTHER}")
    by_hand = AuditEvent.objects.filter(action="application.updated").latest("pk")

    def shape(event: AuditEvent) -> Any:
        left_out = ("id", "at", "expires_at")
        told = {
            f.name: getattr(event, f.name) for f in event._meta.fields if f.name not in left_out
        }
        return {**told, "details": {**event.details, "version": None}}

    assert by_hand.pk != by_click.pk
    assert shape(by_click) == shape(by_hand)


# --- what is shown -------------------------------------------------------------------------------


def test_what_a_stranger_sent_is_shown_as_text(portal, list_app):
    sent = "<script>alert(1)</script>\"'><b>"
    trace = make_trace(list_app, "authorize.client_id", received=sent)

    raw = portal.get(page_of(trace)).content.decode()

    assert sent not in raw
    assert "<script>alert" not in raw
    assert not INLINE.search(raw)


def test_the_host_is_marked_in_the_address(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)

    raw = portal.get(page_of(refused())).content.decode()

    assert "<code>https://<strong>notes.example.com</strong>/signed-in</code>" in raw
    assert "Anybody can send such a request. Add it only if this address is yours." in raw


def test_what_was_added_is_told_as_it_was_sent(portal, signed_in):
    """Django's administration begins every message with a capital letter."""
    signed_in.authorize(redirect_uri=OTHER)

    after = cure(portal, refused(), "redirect_uris")

    assert f"Added to Allowed Redirects of My App: {OTHER}." in after
