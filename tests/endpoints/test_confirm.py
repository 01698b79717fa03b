"""The consent page: what is allowed is what was shown, by whom it was shown to, for whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from oidc_pkce.models import Application, AuditEvent, Consent, Grant
from tests.journeys import CALLBACK, Answer, Browser, Journey, make_application, path_of
from tests.spec import spec


def stale(answer: Answer) -> bool:
    """The page that says that this one is no longer valid."""
    return answer.status == 400 and not answer.location and "no longer valid" in answer.html


@pytest.fixture
def choosing(asking: Journey) -> Journey:
    """The same, and the person may untick scopes."""
    Application.objects.update(allows_scope_selection=True)
    return asking


# --- what is shown ------------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.1.2.4")
def test_the_page_says_who_asks_for_what_and_where_the_answer_goes(asking):
    page = asking.consent_page(asking.authorize(scope="read write"))

    for text in ("My App", "my_service_user", "localhost:5000", "See your files", "ada"):
        assert text in page.html
    assert "runs on your own device" in page.html
    assert 'name="result" value="1"' in page.html
    assert 'name="result" value="0"' in page.html
    assert Grant.objects.count() == 0


@spec("RFC 8252", "8.6")
def test_an_apps_own_scheme_is_warned_about(asking):
    Application.objects.update(redirect_uris=["com.example.app:/cb"])

    page = asking.consent_page(asking.authorize(redirect_uri="com.example.app:/cb"))

    assert "Other apps can claim the same address" in page.html


def test_names_and_descriptions_are_escaped(asking):
    Application.objects.update(name="<b>App</b>", description="<img src=x onerror=alert(1)>")
    asking.application.scopes.update(description="<script>alert(1)</script>")

    page = asking.consent_page(asking.authorize(scope="read"))

    for tag in ("<b>App", "<img src=x", "<script>alert"):
        assert tag not in page.html


def test_without_the_setting_nobody_is_asked(asking):
    Application.objects.update(requires_consent=False)

    assert asking.authorize(scope="read").code
    assert Consent.objects.count() == 0


@spec("OpenID Connect Core", "3.1.2.1")
def test_prompt_consent_asks_all_the_same(asking):
    Application.objects.update(requires_consent=False)

    for _ in range(2):
        assert asking.decide(asking.authorize(scope="read", prompt="consent")).code


# --- what is granted ----------------------------------------------------------------------------


@spec("RFC 6749", "3.3")
def test_allowing_grants_what_was_shown(asking):
    answer = asking.decide(asking.authorize(scope="read write", state="s"))

    assert answer.query["state"] == "s"
    assert asking.redeem(answer.code).json["scope"] == "read write"
    assert AuditEvent.objects.filter(action="consent.given").count() == 1


@spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize("result", ["0", "", "2", "yes", "11"])
def test_anything_but_allowing_is_a_refusal(asking, result):
    answer = asking.decide(asking.authorize(scope="read", state="s"), result)

    assert answer.query == {
        "error": "access_denied",
        "error_description": "User denied confirmation",
        "state": "s",
        "iss": "https://id.example.com/my_app/",
    }
    assert (Grant.objects.count(), Consent.objects.count()) == (0, 0)


@spec("RFC 6749", "3.3")
def test_boxes_that_were_never_shown_count_for_nothing(asking):
    answer = asking.decide(asking.authorize(scope="read"), scope=["read", "write", "openid"])

    assert asking.redeem(answer.code).json["scope"] == "read"


@spec("RFC 6749", "3.3")
def test_unticking_counts_only_where_the_application_allows_it(asking):
    answer = asking.decide(asking.authorize(scope="read write"), scope=["read"])

    assert asking.redeem(answer.code).json["scope"] == "read write"


@spec("RFC 6749", "3.3")
@pytest.mark.parametrize(
    ("ticked", "granted"),
    [
        (["read", "write"], "read write"),
        (["write"], "write"),
        ([], ""),
        (["write", "admin", "openid"], "write"),
        (["READ"], ""),
    ],
    ids=str,
)
def test_the_granted_set_is_what_was_left_ticked_and_never_more(choosing, ticked, granted):
    choosing.application.scopes.create(name="admin")
    answer = choosing.decide(choosing.authorize(scope="read write"), scope=ticked)

    assert choosing.redeem(answer.code).json["scope"] == granted
    assert Consent.objects.get().scope == granted


@spec("RFC 6749", "10.12")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another_client"},
        {"redirect_uri": "https://evil.example/cb"},
        {"scope": ["write"]},
        {"state": "other"},
        {"code_challenge": "x" * 43},
        {"response_mode": "fragment"},
    ],
    ids=str,
)
def test_the_posted_decision_changes_nothing_of_the_request(asking, changes):
    Application.objects.update(redirect_uris=[CALLBACK, "https://evil.example/cb"])
    answer = asking.decide(asking.authorize(scope="read", state="s"), **changes)

    assert answer.location.startswith(f"{CALLBACK}?state=s&responseType=code&")
    assert asking.redeem(answer.code).json["scope"] == "read"
    assert Grant.objects.get().client_id == "my_service_user"


@spec("RFC 6749", "10.12")
def test_the_address_of_the_post_changes_nothing_either(asking):
    page = asking.consent_page(asking.authorize(scope="read"))
    other = asking.authorize(client_id="another_client", scope="write").location.partition("?")[2]
    data = {"ticket": page.hidden("ticket"), "result": "1"}

    posted = asking.browser.post(f"{asking.url('Confirm')}?{other}&scope=write", data)

    assert asking.redeem(Answer(posted).code).json["scope"] == "read"


# --- to whom it is bound ------------------------------------------------------------------------


@spec("RFC 6749", "10.12")
def test_a_page_shown_to_one_person_is_not_answered_by_another(asking, bob):
    page = asking.consent_page(asking.authorize(scope="read"))
    asking.browser.force_login(bob)

    assert stale(asking.post_decision(page))
    assert Grant.objects.count() == 0


@spec("RFC 6749", "10.12")
def test_a_page_shown_in_one_browser_is_not_answered_in_another(asking, ada):
    page = asking.consent_page(asking.authorize(scope="read"))
    elsewhere = Journey(asking.application).log_in(ada)

    assert stale(elsewhere.post_decision(page))
    assert stale(Journey(asking.application).post_decision(page))
    assert Grant.objects.count() == 0
    assert asking.post_decision(page).code


@spec("RFC 6749", "10.12")
def test_a_page_outlives_no_sign_out(asking, ada):
    page = asking.consent_page(asking.authorize(scope="read"))
    asking.browser.logout()
    assert stale(asking.post_decision(page))
    asking.log_in(ada)
    assert stale(asking.post_decision(page))


@spec("RFC 6749", "10.12")
def test_a_page_of_one_application_is_not_answered_at_another(asking, ada):
    twin = make_application(application_id="twin", requires_consent=True)
    page = asking.consent_page(asking.authorize())
    answer = asking.browser.post(
        "/OAuth2/Confirm/twin", {"ticket": page.hidden("ticket"), "result": "1"}
    )

    assert stale(Answer(answer))
    assert twin.grants.count() == 0


@spec("RFC 6749", "10.12")
def test_a_page_expires(asking, settings):
    page = asking.consent_page(asking.authorize(scope="read"))
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "INTERACTION_LIFETIME": -1}

    assert stale(asking.post_decision(page))


@spec("RFC 6749", "10.12")
@pytest.mark.parametrize("ticket", ["", "x", "a:b:c", "\0", "é", "x" * 10_000], ids=range(6))
def test_a_forged_page_is_refused(asking, ticket):
    data = {"ticket": ticket, "result": "1"}

    assert stale(Answer(asking.browser.post(asking.url("Confirm"), data)))


@spec("RFC 6749", "10.12")
def test_the_ticket_of_the_address_is_no_ticket_of_a_page(asking):
    location = asking.authorize(scope="read").location
    ticket = location.partition("ticket=")[2].replace("%3A", ":")

    data = {"ticket": ticket, "result": "1"}
    assert stale(Answer(asking.browser.post(asking.url("Confirm"), data)))


@spec("RFC 6749", "10.12")
def test_the_decision_needs_its_csrf_token(asking, ada):
    asking.browser = Browser(enforce_csrf_checks=True)
    asking.log_in(ada)
    page = asking.consent_page(asking.authorize(scope="read"))

    assert asking.post_decision(page).status == 403
    assert Grant.objects.count() == 0
    token = page.hidden("csrfmiddlewaretoken")
    assert asking.post_decision(page, csrfmiddlewaretoken=token).code


def change(**fields: Any) -> Any:
    return lambda: Application.objects.update(**fields)


@spec("RFC 6749", "4.1.2.1")
@pytest.mark.parametrize(
    ("happening", "error"),
    [
        pytest.param(change(enabled=False), "access_denied", id="disabled"),
        pytest.param(change(client_ids=["another_client"]), "page", id="client removed"),
        pytest.param(change(redirect_uris=["https://a.example/"]), "page", id="redirect removed"),
        pytest.param(change(flows=[]), "unsupported_response_type", id="flow unticked"),
        pytest.param(
            lambda: Application.objects.get().permissions.update(can_run=False),
            "access_denied",
            id="right taken",
        ),
        pytest.param(
            lambda: Application.objects.get().scopes.filter(name="read").delete(),
            "invalid_scope",
            id="scope removed",
        ),
    ],
)
def test_what_changed_while_the_page_was_shown_counts(asking, happening, error):
    page = asking.consent_page(asking.authorize(scope="read"))
    happening()

    assert asking.post_decision(page).error == error
    assert Grant.objects.count() == 0


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_fresh_sign_in_that_is_owed_cannot_be_skipped_on_this_page(asking, ada):
    location = asking.authorize(scope="read", prompt="login").location
    confirm = location.replace("/OAuth2/Login/", "/OAuth2/Confirm/")

    answer = asking.follow(Answer(asking.browser.get(path_of(confirm))))

    assert answer.status == 200
    assert 'name="password"' in answer.html


# --- what is remembered -------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.1.2.4")
def test_the_same_client_is_not_asked_again_for_the_same_or_less(asking):
    asking.decide(asking.authorize(scope="read write"))

    for scope in ("read write", "write read", "read", None):
        assert asking.authorize(scope=scope).code
        assert asking.authorize(scope=scope, prompt="none").code


@spec("OpenID Connect Core", "3.1.2.4")
def test_consent_holds_for_one_client_one_person_one_application_one_scope_set(asking, bob, ada):
    asking.decide(asking.authorize(scope="read"))
    twin = make_application(application_id="twin", requires_consent=True)
    twin.scopes.create(name="read")

    def owes(journey: Journey, **changes: Any) -> bool:
        silent = journey.authorize(**changes, prompt="none").error
        return (
            silent == "consent_required"
            and "/OAuth2/Confirm/" in journey.authorize(**changes).location
        )

    assert not owes(asking, scope="read")
    assert owes(asking, scope="read", client_id="another_client")
    assert owes(asking, scope="write")
    assert owes(asking, scope="read write")
    assert owes(Journey(asking.application).log_in(bob), scope="read")
    assert owes(Journey(twin).log_in(ada), scope="read")
    assert Grant.objects.count() == 2


@spec("OpenID Connect Core", "3.1.2.4")
def test_two_answers_do_not_add_up_to_a_wider_one(asking):
    asking.decide(asking.authorize(scope="read"))
    asking.decide(asking.authorize(scope="write"))

    assert asking.authorize(scope="read write", prompt="none").error == "consent_required"


@spec("OpenID Connect Core", "3.1.2.1")
def test_prompt_none_never_issues_to_a_client_that_this_person_did_not_allow(asking):
    Application.objects.update(client_id_type="Anything")
    asking.decide(asking.authorize(scope="read"))

    for client in ("another_client", "MY_SERVICE_USER", "my_service_user2", "evil"):
        answer = asking.authorize(client_id=client, scope="read", prompt="none")
        assert answer.error == "consent_required"
    assert Grant.objects.count() == 1


def test_a_refusal_is_asked_again(asking):
    asking.decide(asking.authorize(scope="read"), "0")

    assert asking.authorize(scope="read", prompt="none").error == "consent_required"


@spec("OpenID Connect Core", "3.1.2.4")
def test_a_remembered_consent_expires(asking):
    asking.decide(asking.authorize(scope="read"))
    Consent.objects.update(expires_at=timezone.now())

    assert asking.authorize(scope="read", prompt="none").error == "consent_required"


def test_what_was_unticked_is_asked_for_again(choosing):
    choosing.decide(choosing.authorize(scope="read write"), scope=["read"])

    assert choosing.authorize(scope="read", prompt="none").code
    assert choosing.authorize(scope="read write", prompt="none").error == "consent_required"


def test_nobody_signed_in_is_sent_to_the_sign_in(asking):
    location = path_of(asking.authorize().location)

    assert "/OAuth2/Login/" in Answer(Browser().get(location)).location


def test_a_decision_that_says_both_allows_nothing(asking):
    consent = asking.authorize(scope="read")

    assert asking.decide(consent, result=["0", "1"]).error == "access_denied"
