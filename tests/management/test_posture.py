"""``oidc_doctor posture``: for a terminal and for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from oidc_pkce.models import Application, Usage
from oidc_pkce.protocol.posture import RULES, Specification
from tests.journeys import give_secret, make_application
from tests.management.conftest import Ran

Run = Callable[..., Ran]
WHEN = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def used(application: Application, value: str, count: int) -> None:
    Usage.objects.create(
        application=application,
        client_id="one",
        feature="code_challenge",
        value=value,
        count=count,
        first_seen_at=WHEN,
        last_seen_at=WHEN,
    )


def test_all_applications_are_a_line_each(run: Run, list_app, openid_app) -> None:
    head, *lines = run("oidc_doctor", "posture").out.splitlines()

    assert head.split() == [
        "application",
        "profile",
        "OAuth2.1",
        "RFC9700",
        "FAPI2.0",
        "MCP",
        "others",
    ]
    assert [line.split()[:2] for line in lines] == [["my_app", "cyberark"], ["portal", "cyberark"]]
    for line in lines:
        assert len(line.split()) == 7


def test_one_application_is_told_rule_by_rule(run: Run, list_app) -> None:
    Application.objects.update(requires_pkce=False)
    used(list_app, "none", 37)
    used(list_app, "S256", 3)

    said = run("oidc_doctor", "posture", "MY_APP").out

    assert "NO  pkce.required: A request for a code without a challenge is answered." in said
    assert "Tick Require PKCE." in said
    assert "Would be refused: 37 of 40 requests since 2030-01-02: one (37)." in said
    for name in RULES:
        assert f" {name}: " in said


def test_an_application_that_breaks_its_profile_is_named(run: Run, list_app) -> None:
    Application.objects.update(profile="oauth21", requires_pkce=False)

    assert run("oidc_doctor", "posture").out.rstrip().endswith("breaks its profile")
    assert "Breaks its own profile: pkce.required" in run("oidc_doctor", "posture", "my_app").out


def test_a_name_that_nobody_has_is_an_error(run: Run) -> None:
    assert run("oidc_doctor", "posture", "nobody").failure == "There is no application “nobody”."


def test_without_applications_there_is_only_the_head(run: Run) -> None:
    assert len(run("oidc_doctor", "posture").out.splitlines()) == 1
    assert run("oidc_doctor", "posture", "--json").json == {"applications": []}


def test_the_json_is_one_line_of_a_stable_shape(run: Run, openid_app) -> None:
    Application.objects.update(requires_pkce=False)
    used(openid_app, "none", 2)
    give_secret(openid_app, last_used_at=WHEN)

    out = run("oidc_doctor", "posture", "portal", "--json").out

    assert len(out.splitlines()) == 1
    (told,) = json.loads(out)["applications"]
    assert list(told) == [
        *("application_id", "profile", "since", "breaches", "specifications", "rules", "secrets")
    ]
    assert (told["application_id"], told["profile"]) == ("portal", "cyberark")
    assert told["since"] == "2030-01-02T03:04:05+00:00"
    assert list(told["specifications"]) == [one.value for one in Specification]
    assert list(told["specifications"]["mcp"]) == ["met", "not_met", "not_seen"]
    assert list(told["secrets"][0]) == ["client_id", "created_at", "last_used_at", "expires_at"]
    assert told["secrets"][0]["last_used_at"] == "2030-01-02T03:04:05+00:00"
    assert [rule["rule"] for rule in told["rules"]] == list(RULES)
    assert told["rules"][0] == {
        "rule": "pkce.required",
        "verdict": "not_met",
        "reason": "A request for a code without a challenge is answered.",
        "clauses": [
            {"specification": "oauth21", "clause": "OAuth 2.1 §4.1.1", "level": "required"},
            {"specification": "rfc9700", "clause": "RFC 9700 §2.1.1", "level": "required"},
            {"specification": "fapi2", "clause": "FAPI 2.0 §5.3.2.2", "level": "required"},
            {
                "specification": "mcp",
                "clause": "MCP · Authorization Code Protection",
                "level": "required",
            },
        ],
        "seen": [
            {
                "feature": "code_challenge",
                "value": "none",
                "requests": 2,
                "last_seen_at": "2030-01-02T03:04:05+00:00",
            }
        ],
        "affected": {
            "effect": "refused",
            "observed": 2,
            "requests": 2,
            "clients": {"one": 2},
            "since": "2030-01-02T03:04:05+00:00",
            "last_seen_at": "2030-01-02T03:04:05+00:00",
        },
    }
    assert {rule["verdict"] for rule in told["rules"]} == {"met", "not_met", "not_seen"}


def test_many_applications_are_one_document(run: Run, db) -> None:
    for number in range(30):
        make_application(application_id=f"app-{number}", name=f"App {number}", everybody=False)

    assert len(run("oidc_doctor", "posture", "--json").json["applications"]) == 30


@pytest.mark.parametrize("arguments", [("--json",), ()], ids=["json", "table"])
def test_no_secret_is_printed(run: Run, openid_app, arguments) -> None:
    give_secret(openid_app, "a-secret-nobody-must-see-of-43-characters")

    assert "nobody-must-see" not in run("oidc_doctor", "posture", "portal", *arguments).out
