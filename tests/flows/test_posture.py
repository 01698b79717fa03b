"""Posture from what is stored and from real requests, in few statements."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from oidc_pkce.flows import posture, usage
from oidc_pkce.flows.posture import BATCH, Report, Switch
from oidc_pkce.models import Application, ClientSecret, Usage
from oidc_pkce.protocol.application import Profile
from oidc_pkce.protocol.posture import Finding, Specification, Verdict
from oidc_pkce.protocol.usage import Feature
from tests.fixtures import make_user
from tests.journeys import (
    PASSWORD,
    VERIFIER,
    give_secret,
    make_application,
    make_service_user,
)

pytestmark = pytest.mark.django_db


def report(application: Application) -> Report:
    return posture.report(Application.objects.get(pk=application.pk), timezone.now())


def switch(application: Application, profile: Profile) -> Switch:
    return posture.switch(Application.objects.get(pk=application.pk), profile, timezone.now())


def finding(found: Report, name: str) -> Finding:
    return next(each for each in found.findings if each.rule.id == name)


def broken(found: Report, name: str) -> Any:
    affected = finding(found, name).affected
    assert affected is not None
    return affected.count, affected.observed, affected.clients


def set_fields(application: Application, **fields: Any) -> None:
    Application.objects.filter(pk=application.pk).update(**fields)


def rows(application: Application, count: int) -> None:
    now = timezone.now()
    Usage.objects.bulk_create(
        Usage(
            application=application,
            client_id=f"client-{number}",
            feature=Feature.RESPONSE_TYPE,
            value="code",
            count=1,
            first_seen_at=now,
            last_seen_at=now,
        )
        for number in range(count)
    )


# --- real requests ------------------------------------------------------------------------------


def test_requests_without_pkce_are_what_requiring_it_would_break(signed_in, list_app):
    set_fields(list_app, requires_pkce=False, allows_plain_pkce=True)
    signed_in.tokens()
    for _ in range(2):
        without = signed_in.authorize(code_challenge=None, code_challenge_method=None)
        assert signed_in.redeem(without.code, code_verifier=None).status == 200
    plain = {"code_challenge": VERIFIER, "code_challenge_method": "plain"}
    signed_in.authorize(**plain)

    found = report(list_app)

    assert broken(found, "pkce.required") == (2, 4, (("my_service_user", 2),))
    assert broken(found, "pkce.s256") == (1, 4, (("my_service_user", 1),))
    seen = {each.value: each.count for each in finding(found, "pkce.s256").seen}
    assert seen == {"S256": 1, "none": 2, "plain": 1}
    assert found.since is not None


def test_a_refused_request_is_nothing_that_would_break(signed_in, list_app):
    signed_in.authorize(code_challenge=None, code_challenge_method=None)

    assert broken(report(list_app), "pkce.required") == (0, 0, ())


def test_implicit_is_seen_with_its_last_use_and_breaks_no_codes(signed_in, list_app):
    set_fields(list_app, flows=["AuthorizationCode", "Implicit"])
    signed_in.tokens()
    implicit = {"code_challenge": None, "code_challenge_method": None}
    assert "access_token" in signed_in.authorize(response_type="token", **implicit).query

    found = report(list_app)

    assert broken(found, "flow.implicit") == (1, 2, (("my_service_user", 1),))
    assert broken(found, "pkce.required") == (0, 1, ())
    assert {each.value for each in finding(found, "flow.implicit").seen} == {"code", "token"}


def test_a_password_is_seen(confidential):
    set_fields(confidential.application, flows=["ResourceCreds"])
    sent = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    proof = {"client_id": "robot", "client_secret": confidential.secret}
    assert confidential.post("Token", {**sent, **proof}).status == 200

    found = report(confidential.application)

    assert broken(found, "flow.password") == (1, 1, (("robot", 1),))


def test_the_algorithm_is_seen_and_what_fapi_would_sign_otherwise(signed_in, list_app):
    signed_in.tokens()

    found = switch(list_app, Profile.FAPI2)

    affected = {each.rule.id: each.affected.count for each in found.affected}
    assert affected == {"clients.confidential": 1, "tokens.algorithm": 1}
    assert {each.value for each in finding(found.report, "tokens.algorithm").seen} == {"RS256"}


def test_a_resource_that_was_named_is_an_audience(signed_in, list_app):
    assert finding(report(list_app), "tokens.resource").verdict is Verdict.NOT_SEEN
    resource = "https://api.example.com"

    code = signed_in.authorize(resource=resource).code
    assert signed_in.redeem(code, resource=resource).status == 200
    assert finding(report(list_app), "tokens.resource").verdict is Verdict.MET

    signed_in.tokens()
    assert finding(report(list_app), "tokens.resource").verdict is Verdict.NOT_MET


def test_the_secret_of_an_application_says_when_it_was_last_used(openid_with_secret, openid_app):
    assert [each.last_used_at for each in report(openid_app).secrets] == [None]
    assert finding(report(openid_app), "secrets.fresh").verdict is Verdict.NOT_SEEN

    openid_with_secret.tokens()

    found = report(openid_app)
    assert [each.client_id for each in found.secrets] == [openid_app.openid_client_id]
    assert found.secrets[0].last_used_at is not None
    assert finding(found, "secrets.fresh").verdict is Verdict.MET
    assert finding(found, "clients.authenticate").verdict is Verdict.NOT_MET


def test_the_secrets_of_service_users_that_came_are_told_and_no_others(confidential):
    make_service_user(make_user("stranger"), "another-secret-of-thirty-two-characters")
    assert report(confidential.application).secrets == ()

    confidential.tokens()

    assert [each.client_id for each in report(confidential.application).secrets] == ["robot"]


def test_an_expired_secret_is_none(openid_app):
    give_secret(openid_app, expires_at=timezone.now() - timedelta(days=1))

    assert report(openid_app).secrets == ()


# --- what a profile changes ---------------------------------------------------------------------


def test_the_difference_is_exactly_what_is_preset_and_differs(list_app):
    set_fields(list_app, requires_pkce=False, flows=["Implicit", "ClientCreds"])

    found = switch(list_app, Profile.OAUTH21)

    assert found.fields == {
        "requires_pkce": (False, True),
        "flows": (["Implicit", "ClientCreds"], ["AuthorizationCode", "ClientCreds"]),
        "profile": ("cyberark", "oauth21"),
    }
    assert Application.objects.get(pk=list_app.pk).profile == "cyberark"


def test_the_profile_that_an_application_has_changes_nothing_of_a_careful_one(list_app):
    assert switch(list_app, Profile.CYBERARK).fields == {}
    assert switch(list_app, Profile.LEGACY).fields == {"profile": ("cyberark", "legacy")}


def test_what_the_server_cannot_do_stays_unmet_and_is_said(list_app):
    unmet = {each.rule.id for each in switch(list_app, Profile.FAPI2).unmet}

    assert {"request.pushed", "clients.asymmetric", "tokens.sender_constrained"} <= unmet
    assert not unmet & set(posture.posture.PROFILES[Profile.FAPI2].enforced)
    assert switch(list_app, Profile.LEGACY).unmet == ()


def test_an_application_that_was_changed_behind_the_forms_breaks_its_profile(list_app):
    set_fields(list_app, profile="oauth21", allows_plain_pkce=True)

    assert [each.rule.id for each in report(list_app).breaches] == ["pkce.s256"]


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ({"AUTHORIZATION_CODE_LIFETIME": 120}, "code.minute"),
        ({"ISSUER_BASE": "http://127.0.0.1:8000"}, "server.https"),
    ],
    ids=["lifetime", "base"],
)
def test_what_the_server_is_set_to_is_judged_as_well(list_app, settings, setting, rule):
    assert finding(report(list_app), rule).verdict is Verdict.MET

    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **setting}

    assert finding(report(list_app), rule).verdict is Verdict.NOT_MET


def test_an_issuer_of_somebody_else_is_not_found_here(list_app):
    set_fields(list_app, issuer="https://tenant.example.com/my_app/")

    assert finding(report(list_app), "server.metadata").verdict is Verdict.NOT_MET


def test_a_project_that_is_the_resource_publishes_its_metadata(list_app, settings):
    resource = {"APPLICATIONS": ["MY_APP"], "RESOURCE": "https://api.example.com"}
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "RESOURCE_SERVER": resource}

    assert finding(report(list_app), "server.resource_metadata").verdict is Verdict.MET


# --- what it costs ------------------------------------------------------------------------------


def test_a_report_costs_three_statements_however_much_was_seen(
    confidential, django_assert_max_num_queries
):
    confidential.tokens()
    application = Application.objects.get(pk=confidential.application.pk)
    usage.flush()
    rows(application, 150)

    with django_assert_max_num_queries(3):
        posture.report(application, timezone.now())


def test_reports_of_many_cost_three_statements_a_batch(django_assert_max_num_queries):
    for number in range(2 * BATCH):
        made = make_application(
            application_id=f"app-{number:03}", name=f"App {number}", everybody=False
        )
        rows(made, 3)
    ClientSecret.objects.all().delete()

    with django_assert_max_num_queries(3 * 2 + 1):
        found = list(posture.reports(Application.objects.all(), timezone.now()))

    assert [each.application.application_id for each in found] == [
        f"app-{number:03}" for number in range(2 * BATCH)
    ]
    assert all(len(each.uses) == 3 for each in found)


def test_each_report_has_its_own_applications_requests(list_app, openid_app):
    rows(list_app, 2)

    found = list(posture.reports(Application.objects.all(), timezone.now()))

    assert [len(each.uses) for each in found] == [2, 0]
    assert all(each.of(Specification.MCP) for each in found)
