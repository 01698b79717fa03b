"""``oidc_doctor explain``: the same as the page, for a terminal and for programs."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from oidc_pkce.audit import Action
from oidc_pkce.flows.reasons import NEAR_MISSES, REASONS
from oidc_pkce.models import AuditEvent
from oidc_pkce.protocol.near_miss import NearMiss
from tests.journeys import last_trace


def explain(*arguments):
    out = StringIO()
    call_command("oidc_doctor", "explain", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def refused(signed_in):
    signed_in.authorize(redirect_uri="http://localhost:5000/callback/")
    return last_trace()


def test_a_terminal_shows_the_reason_the_difference_and_the_checks(refused):
    lines = explain(refused.request_id).splitlines()

    assert lines[0] == str(REASONS["authorize.redirect_uri"])
    assert lines[1] == str(NEAR_MISSES[NearMiss.TRAILING_SLASH])
    received = next(n for n, line in enumerate(lines) if line.startswith("received"))
    assert lines[received : received + 4] == [
        "received    http://localhost:5000/callback/",
        "                                          ^",
        "expected    http://localhost:5000/callback",
        "                                          ^",
    ]
    assert "FAILED  authorize.redirect_uri: redirect_uri equals" in "\n".join(lines)
    assert any(line.startswith("   -    authorize.scope") for line in lines)
    assert any(line.startswith("  ok    authorize.client_id") for line in lines)
    assert "What to do: Add this exact URI to Allowed Redirects." in lines


def test_a_program_reads_the_same_as_json(refused):
    told = json.loads(explain(refused.request_id.lower(), "--json"))

    assert told["request_id"] == refused.request_id
    assert told["failed_check"] == "authorize.redirect_uri"
    assert [near["name"] for near in told["near_misses"]] == ["trailing_slash"]
    assert told["comparison"]["pieces"] == [
        {"text": "http://localhost:5000/callback", "differs": False},
        {"text": "/", "differs": True},
    ]
    assert told["steps"][-1]["state"] == "not reached"


def test_a_credential_is_told_by_length_and_fingerprint(confidential):
    confidential.redeem("x", client_secret="wrong-secret-of-43-characters-0123456789-ab")
    kept = last_trace().outcomes[-1]["credential"]

    text = explain(last_trace().request_id)

    assert f"client_secret: 43 characters, fingerprint {kept['fingerprint']}" in text
    assert f"stored: {kept['stored'][0]}. It is none of those that are stored." in text
    assert "wrong-secret" not in text


def test_the_explanation_is_audited_as_the_commands(refused):
    explain(refused.request_id)

    event = AuditEvent.objects.get(action=Action.REQUEST_EXPLAINED)
    assert (event.actor, event.actor_name) == (None, "oidc_doctor")
    assert event.application_id == refused.application_id
    assert event.details == {"request": refused.request_id}


@pytest.mark.parametrize("named", ["ABCDEFGHJKM9", "\x1b[31m", "x" * 500, "a b'c"])
def test_an_unknown_id_is_an_error(db, named):
    with pytest.raises(CommandError, match="There is no request with the ID") as error:
        explain(named)

    assert error.value.returncode == 1
    assert str(error.value).isprintable()
    assert not AuditEvent.objects.exists()


def test_an_id_is_needed(db):
    with pytest.raises(CommandError, match="Which request"):
        explain()
