"""What is said of a request: nothing false is marked, no check is without a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.flows import explanation
from oidc_pkce.flows.comparison import compare
from oidc_pkce.flows.explanation import TABLES, State
from oidc_pkce.flows.reasons import NEAR_MISSES, OTHER_REASON, REASONS, SAID, reason
from oidc_pkce.flows.tracing import MAX_TEXT, without_credentials
from oidc_pkce.models import RequestTrace
from oidc_pkce.protocol import clause
from oidc_pkce.protocol.checks import registry
from oidc_pkce.protocol.near_miss import NearMiss
from tests import check_texts


def marked(pieces):
    """The text with what differs in square brackets."""
    return "".join(f"[{piece.text}]" if piece.differs else piece.text for piece in pieces)


def both(received, *expected):
    """What is kept of an address and its candidates, with the marks."""
    made = compare(without_credentials(received)[:MAX_TEXT], [each[:MAX_TEXT] for each in expected])
    return marked(made.pieces), *(marked(candidate.pieces) for candidate in made.candidates)


@pytest.mark.parametrize(
    ("received", "expected", "shown"),
    [
        ("https://a.example/cb/", "https://a.example/cb", "https://a.example/cb[/]"),
        ("https://a.example/cb", "https://a.example/cb/", "https://a.example/cb[]"),
        ("http://a.example/cb", "https://a.example/cb", "http[]://a.example/cb"),
        ("https://a.example/Cb", "https://a.example/cb", "https://a.example/[C]b"),
        ("http://localhost/cb", "http://127.0.0.1/cb", "http://[localhost]/cb"),
        ("My_App", "my_app", "[M]y_[A]pp"),
        ("same", "same", "same"),
    ],
)
def test_the_characters_that_differ_are_marked(received, expected, shown):
    assert both(received, expected)[0] == shown


def test_both_sides_are_marked_and_the_first_difference_is_counted():
    made = compare("https://a.example/x/cb", ["https://a.example/y/cb", "urn:else"])

    assert marked(made.pieces) == "https://a.example/[x]/cb"
    assert [marked(each.pieces) for each in made.candidates] == [
        "https://a.example/[y]/cb",
        "urn:else",
    ]
    assert made.first_difference == len("https://a.example/") + 1


def test_values_that_are_not_kept_are_never_marked():
    """The trace holds no value of a query: whether it differs, nobody can say."""
    received = "https://a.example/cb?tenant=secret-1&x=2"
    registered = "https://a.example/cb?tenant=one"

    made = compare(without_credentials(received), [registered])

    assert marked(made.pieces) == "https://a.example/cb?tenant=…[&x=…]"
    assert marked(made.candidates[0].pieces) == "https://a.example/cb?tenant=one[]"
    assert made.hides_values


def test_two_addresses_that_differ_where_nothing_is_kept_show_no_mark():
    made = compare(without_credentials("https://a.example/cb?t=1"), ["https://a.example/cb?t=2"])

    assert not made.is_marked
    assert not any(piece.differs for piece in (*made.pieces, *made.candidates[0].pieces))
    notes = list(explanation._notes(made))
    assert any("differ where nothing is kept" in note for note in notes)
    assert any("not kept" in note for note in notes)


def test_of_a_text_that_was_cut_only_the_first_difference_is_marked():
    tail = "/".join(str(n) for n in range(200))
    made = compare(
        without_credentials(f"https://a.example/Long/{tail}")[:MAX_TEXT],
        [f"https://a.example/lng/{tail}"[:MAX_TEXT]],
    )

    assert made.is_cut
    assert marked(made.pieces).startswith("https://a.example/[L]ong")
    assert marked(made.pieces).count("[") == 1


def test_what_may_be_a_credential_is_not_compared():
    made = compare(without_credentials("A" * 43), ["my_app"])

    assert made.is_withheld
    assert made.received == "(43 characters)"
    assert not made.is_marked


def test_where_nothing_is_shared_no_character_is_marked():
    made = compare("my_service_user", ["7d0d3a52-6f8f-43c1-8a51", "another"])

    assert marked(made.pieces) == "my_service_user"
    assert [marked(each.pieces) for each in made.candidates] == [
        "7d0d3a52-6f8f-43c1-8a51",
        "another",
    ]
    assert list(explanation._notes(made)) == []


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=4))
def test_pieces_are_always_the_whole_text_and_what_is_not_marked_is_the_same(received, expected):
    kept = without_credentials(received)[:MAX_TEXT]
    made = compare(kept, expected)

    assert made.received == kept
    assert len(made.candidates) == len(expected)
    if made.is_marked and made.closest and not made.hides_values:
        same = [piece.text for piece in made.pieces if not piece.differs]
        assert same == [piece.text for piece in made.closest.pieces if not piece.differs]


def test_every_check_has_a_reason_and_every_reason_a_check():
    import_module("oidc_pkce.urls")
    import_module("oidc_pkce.resource_server.admission")

    assert sorted(REASONS) == sorted(registry())


def test_every_near_miss_says_what_to_do():
    assert list(NEAR_MISSES) == list(NearMiss)


def test_what_a_refusal_said_makes_the_reason_exact():
    assert "inactive" not in reason("authorize.access", "the user is not active")
    assert reason("authorize.access", "the user is not active") == str(
        SAID["the user is not active"]
    )
    assert reason("introspection.access", "the user is not active") == str(
        REASONS["introspection.access"]
    )
    assert reason("gone.check") == str(OTHER_REASON)


def test_every_clause_leads_to_a_public_text():
    clauses = {made for check in registry().values() for made in clause.read(check.spec)}

    assert [made.text for made in clauses if not made.address] == []


@pytest.mark.parametrize(
    ("spec", "addresses"),
    [
        ("RFC 7636 §4.6", ["https://www.rfc-editor.org/rfc/rfc7636#section-4.6"]),
        (
            "RFC 6749 §6, §10.4",
            [
                "https://www.rfc-editor.org/rfc/rfc6749#section-6",
                "https://www.rfc-editor.org/rfc/rfc6749#section-10.4",
            ],
        ),
        (
            "OpenID Connect Core §3.1.2.6",
            ["https://openid.net/specs/openid-connect-core-1_0.html"],
        ),
        ("A house rule", [""]),
    ],
)
def test_a_clause_is_linked_with_its_section(spec, addresses):
    assert [made.address for made in clause.read(spec)] == addresses


def trace(**fields):
    defaults = {
        "request_id": "ABCDEFGHJKM2",
        "endpoint": "token",
        "succeeded": False,
        "at": datetime(2001, 2, 3, tzinfo=UTC),
    }
    return RequestTrace(**{**defaults, **fields})


def test_checks_that_did_not_run_any_more_are_said_to_be_not_reached():
    failed = trace(
        failed_check="code.client",
        outcomes=[
            {"check": "code.known", "passed": True},
            {"check": "code.client", "passed": False},
        ],
    )

    steps = explanation.explain(failed, user=None).steps

    states = {step.check: step.state for step in steps}
    assert states["code.known"] is State.PASSED
    assert states["code.client"] is State.FAILED
    assert states["code.verifier"] is State.NOT_REACHED
    assert "refresh.known" not in states
    assert "code.parameters" not in states  # before the failed one: it ran in another version


@pytest.mark.parametrize(
    ("passed", "follows"), [("code.known", "code.single_use"), ("refresh.known", "refresh.scope")]
)
def test_a_check_of_two_tables_is_followed_by_those_of_the_right_one(passed, follows):
    outcomes = [{"check": passed, "passed": True}, {"check": "token.resource", "passed": False}]
    made = explanation.explain(trace(failed_check="token.resource", outcomes=outcomes), user=None)

    reached = {step.check for step in made.steps}
    assert ("code.single_use" in reached) == (follows == "code.single_use")


def test_of_two_failures_the_one_that_ended_the_request_is_explained():
    """A sign-out goes on without a hint that it does not believe."""
    outcomes = [
        {"check": "end_session.id_token_hint", "passed": False, "error": "invalid_request"},
        {"check": "end_session.post_logout_redirect_uri", "passed": False, "received": "x"},
    ]
    name = "end_session.post_logout_redirect_uri"
    failed = trace(endpoint="end_session", failed_check=name, outcomes=outcomes)

    assert explanation.explain(failed, user=None).reason == str(REASONS[name])


def test_nothing_is_said_to_be_missing_of_a_success_or_an_unknown_check():
    success = trace(succeeded=True, outcomes=[{"check": "code.known", "passed": True}])
    unknown = trace(failed_check="gone.check", outcomes=[{"check": "gone.check", "passed": False}])

    assert [step.state for step in explanation.explain(success, user=None).steps] == [State.PASSED]
    assert [step.state for step in explanation.explain(unknown, user=None).steps] == [State.FAILED]


def test_every_table_holds_each_check_once():
    for tables in TABLES.values():
        for table in tables:
            names = [check.id for check in table]
            assert len(names) == len(set(names))


def test_the_texts_of_the_checks_are_written_afresh_for_translators():
    stale = "oidc_pkce/portal/check_texts.py is stale: run `python -m tests.check_texts`"

    assert check_texts.PATH.read_text() == check_texts.text(), stale
