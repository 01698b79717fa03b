"""Posture: the report, and another profile, which shows what it changes first."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from oidc_pkce.models import Application, AuditEvent, Right, Usage
from oidc_pkce.protocol.posture import RULES, Specification
from tests.journeys import CALLBACK, give_secret, make_application
from tests.portal.administrators import give, hide, staff
from tests.portal.conftest import INLINE

pytestmark = pytest.mark.django_db


def at(application: Application, name: str = "posture") -> str:
    return f"application/{application.pk}/{name}/"


def set_fields(application: Application, **fields: Any) -> None:
    Application.objects.filter(pk=application.pk).update(**fields)


def used(application: Application, feature: str, value: str, count: int, client: str = "a") -> None:
    now = timezone.now()
    Usage.objects.create(
        application=application,
        client_id=client,
        feature=feature,
        value=value,
        count=count,
        first_seen_at=now - timedelta(days=9),
        last_seen_at=now,
    )


def plain(page: str) -> str:
    """The text of a page, spaces folded."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_card_counts_the_rules_of_each_specification(portal, list_app):
    page = plain(portal.text(at(list_app)))

    assert "Profile: CyberArk compatible" in page
    for one in Specification:
        total = sum(bool(rule.clause_of(one)) for rule in RULES.values())
        assert re.search(rf"{re.escape(one.heading)} \d+ of {total} met", page)
    assert "No request that was granted has been counted yet." in page


@pytest.mark.parametrize("name", list(RULES))
def test_every_rule_stands_in_the_report_with_its_clause(portal, list_app, name):
    page = portal.text(at(list_app))

    rule = RULES[name]
    assert rule.sentence in page
    assert f"<code>{name}</code>" in page
    for clause in rule.clauses:
        assert f'<a href="{clause.address}" rel="noreferrer">{clause.label}</a>' in page


def test_a_verdict_is_a_word_beside_its_colour(portal, list_app):
    page = portal.text(at(list_app))

    for colour, sign, word in (
        ("good", "✓", "met"),
        ("bad", "✗", "not met"),
        ("muted", "?", "not"),
    ):
        badge = f'oidc-badge-{colour}"><span aria-hidden="true">{sign}</span> {word}'
        assert badge in page


def test_what_stands_out_leads_to_the_page_that_cures_it(portal, list_app):
    set_fields(list_app, requires_pkce=False, flows=["AuthorizationCode", "ResourceCreds"])

    page = portal.text(at(list_app))

    card = page.partition("What this application could change")[2].partition("</ul>")[0]
    assert "Every authorization code is bound to a code challenge (PKCE)." in card
    assert "No client asks people for their password." in card
    assert f'href="/admin/oidc_pkce/{at(list_app, "tokens")}">Tokens</a>' in card


def test_an_openid_connect_application_is_led_to_trust(portal, openid_app):
    page = portal.text(at(openid_app))

    assert f'href="/admin/oidc_pkce/{at(openid_app, "trust")}">Trust</a>' in page


def test_what_was_seen_and_would_break_is_counted(portal, list_app):
    set_fields(list_app, requires_pkce=False)
    used(list_app, "code_challenge", "S256", 1200)
    used(list_app, "code_challenge", "none", 35, "my_service_user")
    used(list_app, "code_challenge", "none", 2, "other")

    page = plain(portal.text(at(list_app)))

    assert re.search(r"S256: 1,?200 requests, last on", page)
    assert re.search(r"37 of 1,?237 requests since .* would be refused, the last on", page)
    assert "my_service_user (35), other (2)." in page
    assert "Requests are counted since" in page


def test_many_clients_are_named_in_part(portal, list_app):
    set_fields(list_app, client_id_type="Anything")
    for number in range(8):
        used(list_app, "response_type", "code", 10 - number, f"client-{number}")

    page = plain(portal.text(at(list_app)))

    assert "client-0 (10), client-1 (9), client-2 (8), client-3 (7), client-4 (6), 3 more" in page
    assert "client-5" not in page


def test_secrets_say_when_they_were_used_and_nothing_else(portal, openid_app):
    give_secret(openid_app, last_used_at=timezone.now())
    give_secret(openid_app, "another-secret-of-thirty-two-characters")

    page = plain(portal.text(at(openid_app)))

    secrets = page.partition("Client secrets Client Made Last used Ends")[2]
    assert secrets.count(openid_app.openid_client_id) == 2
    assert "never" in secrets
    assert "another-secret" not in page


def test_what_a_client_calls_itself_is_text(portal, list_app):
    set_fields(list_app, requires_pkce=False)
    used(list_app, "code_challenge", "none", 1, "<script>alert(1)</script>")

    page = portal.get(at(list_app)).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not INLINE.search(page)


def test_the_report_costs_few_statements_however_much_was_seen(
    portal, list_app, django_assert_max_num_queries
):
    for number in range(40):
        used(list_app, "response_type", "code", 1, f"client-{number}")

    with django_assert_max_num_queries(12):
        portal.get(at(list_app))


def test_another_profile_shows_the_difference_first_and_changes_nothing(portal, list_app):
    set_fields(list_app, requires_pkce=False, flows=["AuthorizationCode", "Implicit"])
    used(list_app, "response_type", "token", 7, "old_client")

    page = plain(portal.text(at(list_app, "posture-profile"), profile="oauth21"))

    assert "Require PKCE No → becomes Yes" in page
    assert "removed: Implicit (legacy)" in page
    assert "Profile CyberArk compatible → becomes OAuth 2.1" in page
    assert "7 of 7 requests" in page
    assert "old_client (7)" in page
    assert "What is enforced from then on" in page
    assert Application.objects.get().profile == "cyberark"
    assert not AuditEvent.objects.exists()


def test_choosing_it_changes_exactly_what_was_shown(portal, list_app):
    set_fields(list_app, requires_pkce=False, flows=["Implicit"])
    address = at(list_app, "posture-profile")
    sent = {"profile": "fapi2", "seen_version": "1"}

    page = plain(portal.post(address, sent).content.decode())

    assert "The profile is FAPI 2.0." in page
    assert "Profile: FAPI 2.0" in page
    event = AuditEvent.objects.get()
    assert event.actor_name == "robin"
    assert {name: change["after"] for name, change in event.details["changes"].items()} == {
        "profile": "fapi2",
        "requires_pkce": True,
        "flows": ["AuthorizationCode"],
        "client_id_type": "Confidential",
        "token_type": "JwtES256",
        "rotates_refresh_tokens": False,
    }
    assert "OAuth 2.1" not in portal.text(at(list_app, "changelog")).partition("FAPI 2.0")[0][-200:]


def test_the_form_carries_the_version_and_the_profile(portal, list_app):
    fields = portal.fields(f"{at(list_app, 'posture-profile')}?profile=oauth21")

    assert (fields["profile"], fields["seen_version"]) == ("oauth21", "1")


def test_what_fapi_asks_and_this_server_cannot_do_is_said_before(portal, list_app):
    page = plain(portal.text(at(list_app, "posture-profile"), profile="fapi2"))

    unmet = page.partition("What stays unmet")[2]
    assert "This server has no PAR endpoint." in unmet
    assert "This server issues bearer tokens only." in unmet


def test_the_second_of_two_administrators_is_told(portal, second, list_app):
    address = at(list_app, "posture-profile")
    sent = portal.fields(f"{address}?profile=oauth21")
    second.save(at(list_app, "change"), name="Renamed")

    page = portal.post(address, sent).content.decode()

    assert "kim changed this application while you were editing it" in page
    assert Application.objects.get().profile == "cyberark"


def test_a_fault_elsewhere_is_told_and_nothing_is_saved(portal, list_app):
    set_fields(list_app, required_acr="gone")

    page = portal.post(
        at(list_app, "posture-profile"), {"profile": "oauth21", "seen_version": "1"}
    ).content.decode()

    assert "Nothing was saved." in page
    assert "Required acr:" in page
    assert Application.objects.get().profile == "cyberark"


@pytest.mark.parametrize("profile", ["", "paranoid", "cyberark\0"])
def test_a_profile_that_there_is_not_leads_back(portal, list_app, profile):
    address = f"/admin/oidc_pkce/{at(list_app, 'posture-profile')}"

    for answer in (
        portal.browser.get(address, {"profile": profile}),
        portal.browser.post(address, {"profile": profile, "seen_version": "1"}),
    ):
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith(at(list_app))


@pytest.mark.parametrize("version", ["", "-1", "x", "9" * 30, "2"])
def test_without_the_version_that_was_shown_nothing_is_saved(portal, list_app, version):
    sent = {"profile": "oauth21", "seen_version": version}

    portal.post(at(list_app, "posture-profile"), sent)

    assert Application.objects.get().profile == "cyberark"


def test_whoever_may_only_look_sees_the_difference_and_cannot_choose(list_app):
    sam = give(staff("sam"), list_app, Right.VIEW)
    address = at(list_app, "posture-profile")

    page = sam.text(address, profile="oauth21")
    refused = sam.browser.post(
        f"/admin/oidc_pkce/{address}", {"profile": "oauth21", "seen_version": "1"}
    )

    assert "Choose this profile" not in page
    assert "needs the right Manage" in page
    assert refused.status_code == 403
    assert Application.objects.get().profile == "cyberark"


@pytest.mark.parametrize(
    ("codename", "right", "may"),
    [
        ("view_user", Right.VIEW, False),
        ("view_serviceuser", Right.VIEW, True),
        ("view_requesttrace", Right.VIEW, True),
        ("view_user", Right.MANAGE, True),
    ],
)
@pytest.mark.parametrize("name", ["posture", "posture-profile"])
def test_service_users_are_named_to_whom_may_see_them_or_their_requests(
    confidential, name, codename, right, may
):
    application = confidential.application
    set_fields(application, requires_pkce=False)
    used(application, "code_challenge", "none", 3, client="robot")
    hide(application)
    sam = give(staff("sam", codename), application, right)

    page = plain(sam.text(at(application, name), profile="oauth21"))

    assert "3 of 3 requests" in page
    assert ("robot" in page) is may
    assert ("others (3)" in page) is not may


def test_whoever_may_not_see_it_finds_nothing(list_app, openid_app):
    hide(list_app, openid_app)
    sam = give(staff("sam"), openid_app, Right.MANAGE)

    for name in ("posture", "posture-profile"):
        answer = sam.browser.get(f"/admin/oidc_pkce/{at(list_app, name)}", {"profile": "oauth21"})
        assert answer.status_code == 404


def test_the_list_of_web_apps_is_filtered_by_profile(portal, list_app):
    made = make_application(application_id="second", name="Second", redirect_uris=[CALLBACK])
    set_fields(made, profile="legacy")

    page = portal.text("application/", profile__exact="legacy")

    assert "Second" in page
    assert "My App" not in page


def test_another_profile_lies_below_posture(portal, list_app):
    page = portal.text(f"application/{list_app.pk}/posture-profile/", profile="oauth21")
    posture = f"/admin/oidc_pkce/application/{list_app.pk}/posture/"

    assert f'<li><a href="{posture}">Posture</a></li>' in page
    assert f'<li><a href="{posture}" aria-current="page">Posture</a></li>' in page
