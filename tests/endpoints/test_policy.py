"""Policy, over HTTP: what counts whatever the client asks for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oidc_pkce.interaction_policy import InteractionPolicy
from oidc_pkce.models import Application, AuditEvent, Consent, Grant
from tests.endpoints.test_acr import (
    DeviceBackend,
    Policy,
    essential,
    id_token,
    leads_to_second_factor,
    policy,
    prove,
    voluntary,
)
from tests.endpoints.test_password import ask, backend, web
from tests.endpoints.test_request_objects import alone, inside, sign, signing
from tests.journeys import Answer, Journey, claims_of, last_trace, path_of
from tests.spec import spec

__all__ = ["backend", "policy", "signing", "web"]  # fixtures

HERE = "127.0.0.0/8"  # where the test client is
ELSEWHERE = "192.0.2.0/24"
LIMIT = timedelta(minutes=15)


def restrict(journey: Journey, **fields: Any) -> Journey:
    Application.objects.filter(pk=journey.application.pk).update(**fields)
    journey.application.refresh_from_db()
    return journey


def signed_in_ago(journey: Journey, seconds: float) -> None:
    session = journey.browser.session
    session["oidc_pkce.auth_time"] -= seconds
    session.save()


def at(journey: Journey, address: str, forwarded: str = "") -> Journey:
    """The browser, as if it were elsewhere."""
    journey.browser.defaults["REMOTE_ADDR"] = address
    if forwarded:
        journey.browser.defaults["HTTP_X_FORWARDED_FOR"] = forwarded
    return journey


def trusting(settings: Any, *proxies: str) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRUSTED_PROXIES": list(proxies)}


def asks_to_sign_in(answer: Answer) -> bool:
    return answer.status == 303 and "/OAuth2/Login/" in answer.location


def refused_outside(answer: Answer) -> bool:
    """By the network, without a word about networks on the wire."""
    trace = last_trace()
    return (
        (answer.error, answer.query["error_description"]) == ("access_denied", "access denied")
        and trace.failed_check == "authorize.network"
        and not any(word in answer.location for word in ("192.0.2", "127.0", "network"))
    )


# --- a fresh sign-in ----------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.1.2.3")
def test_who_signed_in_longer_ago_than_the_policy_allows_signs_in_again(openid):
    restrict(openid, sign_in_max_age=LIMIT)
    assert openid.authorize(scope="openid").code
    signed_in_ago(openid, 901)

    owed = openid.authorize(scope="openid")

    assert asks_to_sign_in(owed)
    told = id_token(openid, openid.sign_in(owed, "ada"))
    assert told["auth_time"] >= told["iat"] - 10


@spec("OpenID Connect Core", "3.1.2.6")
def test_with_prompt_none_an_old_sign_in_is_login_required(openid):
    restrict(openid, sign_in_max_age=LIMIT)
    assert openid.authorize(scope="openid", prompt="none").code
    signed_in_ago(openid, 901)

    assert openid.authorize(scope="openid", prompt="none").error == "login_required"
    assert last_trace().failed_check == "authorize.sign_in"
    assert "Policy" in last_trace().outcomes[-1]["detail"]


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize(
    ("policy_says", "client_says", "age", "owed"),
    [
        (LIMIT, None, 899, False),
        (LIMIT, None, 905, True),
        (LIMIT, "10000", 905, True),
        (LIMIT, "60", 120, True),
        (LIMIT, "0", 5, True),
        (None, "60", 50, False),
        (timedelta(days=3650), "60", 50, False),
    ],
)
def test_of_max_age_and_policy_the_smaller_counts(
    signed_in, clock, policy_says, client_says, age, owed
):
    restrict(signed_in, sign_in_max_age=policy_says)
    clock.step(age)

    assert asks_to_sign_in(signed_in.authorize(max_age=client_says)) is owed


def test_a_sign_in_for_this_very_request_goes_on(journey, ada):
    restrict(journey, sign_in_max_age=timedelta(minutes=1))

    assert journey.sign_in(journey.authorize(), "ada").code


@spec("OpenID Connect Core", "3.1.2.4")
@pytest.mark.parametrize("signs_in_for_it", [True, False])
def test_a_consent_page_that_is_posted_long_after_is_stale(asking, clock, signs_in_for_it):
    restrict(asking, sign_in_max_age=LIMIT)
    owed = asking.authorize(prompt="login" if signs_in_for_it else None)
    page = asking.consent_page(asking.sign_in(owed, "ada") if signs_in_for_it else owed)
    clock.step(1000)

    answer = asking.post_decision(page)

    assert (answer.status, answer.location) == (400, "")
    assert last_trace().failed_check == "page.sign_in"
    assert not Grant.objects.exists()
    assert not Consent.objects.exists()


def test_a_ticket_that_is_walked_again_is_no_fresh_sign_in(journey, ada, clock):
    """The session remembers for which ticket it began; that must not make it fresh for ever."""
    restrict(journey, sign_in_max_age=LIMIT)
    owed = journey.authorize(prompt="login")
    assert journey.sign_in(owed, "ada").code
    clock.step(1000)

    again = Answer(journey.browser.get(path_of(owed.location)))

    assert (again.status, again.location) == (200, "")
    assert "password" in again.html or "username" in again.html


@pytest.mark.parametrize("typ", ["JWT", "oauth-authz-req+jwt"])
def test_a_request_object_loosens_nothing(signing, typ):
    restrict(signing, sign_in_max_age=LIMIT, required_acr="aal1", allowed_networks=[HERE])
    signed_in_ago(signing, 1000)
    token = sign(inside(signing, max_age=999_999, acr_values="", prompt="none"), typ=typ)

    assert alone(signing, token).error == "login_required"
    restrict(signing, allowed_networks=[ELSEWHERE])
    assert refused_outside(alone(signing, token))


def test_what_is_sent_beside_the_request_loosens_nothing(signed_in):
    restrict(signed_in, sign_in_max_age=LIMIT, allowed_networks=[ELSEWHERE], required_acr="aal2")
    evil = {"sign_in_max_age": "", "allowed_networks": HERE, "required_acr": "", "ip": "192.0.2.1"}

    assert refused_outside(signed_in.authorize(**evil))


@spec("RFC 6749", "6")
def test_a_refresh_is_not_asked_for_a_fresh_sign_in_nor_for_a_network(signed_in):
    """The client's server calls, not the person: their sign-in was judged when they allowed it."""
    restrict(signed_in, issues_refresh_tokens=True)
    tokens = signed_in.tokens()
    code = signed_in.authorize().code
    restrict(signed_in, sign_in_max_age=LIMIT, allowed_networks=[ELSEWHERE], required_acr="aal2")
    Grant.objects.update(auth_time=Grant.objects.first().auth_time - timedelta(days=1))

    assert signed_in.redeem(code).status == 200
    assert signed_in.refresh(tokens["refresh_token"]).status == 200
    assert signed_in.userinfo(tokens["access_token"]).status == 200


# --- allowed networks ---------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize("prompt", [None, "none", "login", "consent"])
def test_from_outside_the_answer_is_access_denied_whatever_is_asked_for(signed_in, prompt):
    restrict(signed_in, allowed_networks=[ELSEWHERE, "2001:db8::/32"])

    answer = signed_in.authorize(prompt=prompt, state="s")

    assert refused_outside(answer)
    assert answer.query["state"] == "s"
    outcome = last_trace().outcomes[-1]
    assert (outcome["received"], outcome["expected"]) == ("127.0.0.1", [ELSEWHERE, "2001:db8::/32"])
    assert not Grant.objects.exists()


def test_inside_nothing_changes(signed_in):
    restrict(signed_in, allowed_networks=[ELSEWHERE, HERE])

    assert signed_in.tokens()["token_type"] == "Bearer"


def test_nobody_is_asked_for_a_password_in_vain(journey, ada):
    restrict(journey, allowed_networks=[ELSEWHERE])

    assert refused_outside(journey.authorize())


def test_a_sign_in_page_that_was_opened_inside_looks_at_no_password_outside(journey, ada):
    restrict(journey, allowed_networks=[HERE])
    owed = journey.authorize()
    at(journey, "192.0.2.7")
    ticket = owed.location.partition("ticket=")[2]
    path = path_of(owed.location)

    assert refused_outside(Answer(journey.browser.get(path)))
    for password in ("wrong", "correct horse battery staple"):
        sent = {"username": "ada", "password": password, "ticket": ticket}
        assert refused_outside(Answer(journey.browser.post(path, sent)))
    assert not AuditEvent.objects.exists()
    assert "_auth_user_id" not in journey.browser.session


def test_a_consent_page_that_was_opened_inside_is_refused_outside(asking):
    restrict(asking, allowed_networks=[HERE])
    page = asking.consent_page(asking.authorize())
    at(asking, "192.0.2.7")

    assert refused_outside(asking.post_decision(page))
    assert not Grant.objects.exists()
    assert not Consent.objects.exists()
    assert asking.post_decision(page, "0").error == "access_denied"


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "is_inside"),
    [
        ((), "127.0.0.1", "192.0.2.7", False),
        (("10.0.0.1",), "127.0.0.1", "192.0.2.7", False),
        (("127.0.0.1",), "127.0.0.1", "192.0.2.7", True),
        (("127.0.0.1",), "127.0.0.1", "192.0.2.7, 203.0.113.9", False),
        (("127.0.0.1", "203.0.113.9"), "127.0.0.1", "192.0.2.7, 203.0.113.9", True),
        (("127.0.0.1",), "127.0.0.1", "203.0.113.9, 192.0.2.7", True),
        (("127.0.0.1",), "127.0.0.1", "", False),
        (("127.0.0.1",), "127.0.0.1", "192.0.2.7:1234", False),
        ((), "::ffff:192.0.2.7", "", True),
        (("127.0.0.1",), "127.0.0.1", "::ffff:192.0.2.7", True),
        ((), "", "", False),
        ((), "unix:", "192.0.2.7", False),
    ],
)
def test_only_a_trusted_proxy_says_where_the_browser_is(
    signed_in, settings, proxies, remote, forwarded, is_inside
):
    trusting(settings, *proxies)
    restrict(signed_in, allowed_networks=[ELSEWHERE])

    answer = at(signed_in, remote, forwarded).authorize()

    assert ("code" in answer.query) is is_inside
    assert is_inside or refused_outside(answer)


@pytest.mark.parametrize("header", ["X_REAL_IP", "FORWARDED", "CLIENT_IP", "TRUE_CLIENT_IP"])
def test_no_other_header_says_where_the_browser_is(signed_in, settings, header):
    trusting(settings, "127.0.0.1")
    restrict(signed_in, allowed_networks=[ELSEWHERE])
    signed_in.browser.defaults[f"HTTP_{header}"] = "192.0.2.7"

    assert refused_outside(signed_in.authorize())


def test_what_cannot_be_answered_safely_is_still_a_page_from_outside(signed_in):
    restrict(signed_in, allowed_networks=[ELSEWHERE])

    answer = signed_in.authorize(redirect_uri="https://evil.example/")

    assert (answer.status, answer.location) == (400, "")


# --- how strongly -------------------------------------------------------------------------------


@pytest.fixture
def portal(openid: Journey) -> Journey:
    """An OpenID Connect application; Ada signed in on our own page, by her password."""
    openid.browser.logout()
    openid.sign_in(openid.authorize(scope="openid"), "ada")
    return openid


def test_what_is_reached_goes_on_and_is_told(portal):
    restrict(portal, required_acr="aal1")

    for prompt in (None, "none"):
        assert id_token(portal, portal.authorize(scope="openid", prompt=prompt))["acr"] == "aal1"


@spec("OpenID Connect Core Unmet Authentication Requirements", "2")
@pytest.mark.parametrize("prompt", [None, "none"])
@pytest.mark.parametrize("scope", ["openid", None])
def test_what_nobody_can_reach_is_refused_with_and_without_openid(portal, prompt, scope):
    restrict(portal, required_acr="aal2")
    before = Grant.objects.count()

    answer = portal.authorize(scope=scope, prompt=prompt)

    assert answer.error == "unmet_authentication_requirements"
    trace = last_trace()
    assert trace.failed_check == "authorize.acr"
    assert "Policy requires aal2; reached: aal1" in trace.outcomes[-1]["detail"]
    assert Grant.objects.count() == before


def test_the_second_factor_is_asked_for_and_then_holds(portal, policy):
    restrict(portal, required_acr="aal2")
    assert portal.authorize(scope="openid", prompt="none").error == "interaction_required"

    told = id_token(portal, prove(portal, portal.authorize(scope="openid")))

    assert (told["acr"], told["amr"]) == ("aal2", ["pwd", "otp"])
    assert id_token(portal, portal.authorize(scope="openid", prompt="none"))["acr"] == "aal2"


def test_who_returns_without_it_is_refused(portal, policy):
    restrict(portal, required_acr="aal2")

    answer = prove(portal, portal.authorize(), otp="wrong")

    assert answer.error == "unmet_authentication_requirements"


@pytest.mark.parametrize("wish", [essential("aal1"), voluntary("aal1"), voluntary("urn:x")])
def test_a_client_that_asks_for_less_gets_no_less(portal, policy, wish):
    restrict(portal, required_acr="aal2")

    owed = portal.authorize(**wish)

    assert leads_to_second_factor(owed)
    assert Policy.asked[-1][-1] == "aal2"
    assert prove(portal, owed).code


def test_an_essential_acr_of_the_client_counts_beside_the_policys(portal, policy):
    restrict(portal, required_acr="aal1")

    assert leads_to_second_factor(portal.authorize(**essential("aal2")))
    answer = portal.authorize(**essential("urn:unheard:of"))
    assert answer.error == "unmet_authentication_requirements"


class Ladder(InteractionPolicy):
    """Three contexts; the host's page reaches whichever it is asked for."""

    asked: list[str] = []

    def supported(self) -> tuple[str, ...]:
        return ("one", "two", "three")

    def acr(self, amr: Any) -> str:
        return self.supported()[min(len(set(amr)), 3) - 1] if amr else ""

    def step_up_path(self, *asked: Any) -> str:
        self.asked.append(asked[-1])
        return "/second-factor/?method=otp"


@pytest.mark.parametrize(
    ("required", "wish", "goes_for"),
    [
        ("two", essential("three"), "three"),
        ("three", essential("two"), "three"),
        ("two", voluntary("three"), "three"),
        ("two", voluntary("one three"), "two"),
        ("two", {}, "two"),
        ("", voluntary("two three"), "two"),
    ],
)
def test_one_way_is_enough_for_the_policy_and_the_client(
    portal, policy, settings, required, wish, goes_for
):
    """A person is led to another page once."""
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "INTERACTION_POLICY": f"{__name__}.Ladder"}
    restrict(portal, required_acr=required)
    Ladder.asked.clear()

    owed = portal.authorize(**{"scope": "openid", **wish})

    assert Ladder.asked == [goes_for]
    assert leads_to_second_factor(owed)


def test_our_own_sign_in_helps_where_the_hosts_page_said_nothing(openid):
    restrict(openid, required_acr="aal1")
    assert openid.authorize(prompt="none").error == "interaction_required"

    owed = openid.authorize(scope="openid")

    assert asks_to_sign_in(owed)
    assert id_token(openid, openid.sign_in(owed, "ada"))["acr"] == "aal1"


def test_a_backend_that_asked_for_a_device_is_enough(openid, settings):
    settings.AUTHENTICATION_BACKENDS = [f"{DeviceBackend.__module__}.DeviceBackend"]
    restrict(openid, required_acr="aal2")
    openid.browser.logout()

    assert (
        id_token(openid, openid.sign_in(openid.authorize(scope="openid"), "ada"))["acr"] == "aal2"
    )


def test_a_context_that_the_project_no_longer_knows_lets_nobody_in(portal, policy):
    restrict(portal, required_acr="urn:old")

    assert portal.authorize().error == "unmet_authentication_requirements"
    assert Policy.asked == []


def test_a_device_that_is_taken_away_while_consent_is_asked_is_missed(portal, policy):
    restrict(portal, required_acr="aal2", requires_consent=True)
    page = portal.consent_page(prove(portal, portal.authorize(scope="openid")))
    session = portal.browser.session
    session["oidc_pkce.amr"] = ["pwd"]
    session.save()

    assert portal.post_decision(page).error == "unmet_authentication_requirements"


# --- clients that send a password, or act for themselves ------------------------------------------


@spec("RFC 6749", "5.2")
def test_a_password_sent_to_a_client_does_not_reach_a_stronger_context(web):
    restrict(web, required_acr="aal1")
    assert ask(web).status == 200
    restrict(web, required_acr="aal2")
    audited = AuditEvent.objects.count()

    for password in ("correct horse battery staple", "wrong"):
        told = ask(web, password=password, scope="openid").told
        sentence = "this application asks for more than a password"
        assert told == (400, "unauthorized_client", sentence)
    assert last_trace().failed_check == "password.required_acr"
    assert AuditEvent.objects.count() == audited


@spec("RFC 6749", "5.2")
def test_from_outside_a_right_password_looks_like_a_wrong_one(backend):
    restrict(backend, allowed_networks=[ELSEWHERE])

    answers = [ask(backend, password=word) for word in ("correct horse battery staple", "wrong")]

    assert {answer.told for answer in answers} == {(400, "invalid_grant", "access denied")}
    trace = last_trace()
    assert trace.failed_check == "password.network"
    assert (trace.outcomes[-1]["received"], trace.outcomes[-1]["expected"]) == (
        "127.0.0.1",
        [ELSEWHERE],
    )
    assert not AuditEvent.objects.exists()
    restrict(backend, allowed_networks=[HERE])
    assert ask(backend).status == 200


@spec("RFC 6749", "5.2")
def test_a_client_that_acts_for_itself_must_be_inside_and_is_no_person(openid_with_secret):
    journey = restrict(
        openid_with_secret,
        flows=["ClientCreds"],
        required_acr="aal2",
        sign_in_max_age=LIMIT,
        allowed_networks=[HERE],
    )
    own = {
        "grant_type": "client_credentials",
        "client_id": journey.client_id,
        "client_secret": journey.secret,
    }
    assert journey.post("Token", own).status == 200

    restrict(journey, allowed_networks=[ELSEWHERE])
    assert journey.post("Token", own).told == (400, "unauthorized_client", "access denied")
    assert last_trace().failed_check == "client_credentials.network"


def test_a_forged_header_opens_no_network_to_a_client(backend):
    restrict(backend, allowed_networks=[ELSEWHERE])

    answer = ask(backend, headers={"X-Forwarded-For": "192.0.2.7"})

    assert answer.told == (400, "invalid_grant", "access denied")


# --- together -----------------------------------------------------------------------------------


def test_all_of_it_together_lets_in_whoever_meets_all_of_it(portal, policy):
    restrict(
        portal,
        sign_in_max_age=LIMIT,
        required_acr="aal2",
        allowed_networks=[HERE],
        requires_consent=True,
    )
    signed_in_ago(portal, 1000)

    owed = portal.sign_in(portal.authorize(scope="openid"), "ada")
    told = id_token(portal, portal.decide(prove(portal, owed)))

    assert (told["acr"], told["amr"]) == ("aal2", ["pwd", "otp"])


@pytest.mark.parametrize("response_type", ["id_token", "token", "code id_token", "code token"])
def test_front_channel_answers_are_judged_alike(openid, response_type):
    restrict(openid, flows=["AuthorizationCode", "Implicit"], allowed_networks=[ELSEWHERE])
    sent = {"response_type": response_type, "scope": "openid", "nonce": "n"}

    assert openid.authorize(**sent).error == "access_denied"
    restrict(openid, allowed_networks=[HERE], sign_in_max_age=LIMIT)
    signed_in_ago(openid, 1000)
    assert openid.authorize(**sent, prompt="none").error == "login_required"


def test_no_rule_costs_a_statement(signed_in):
    signed_in.authorize()

    with CaptureQueriesContext(connection) as plain:
        assert signed_in.authorize().code
    restrict(signed_in, sign_in_max_age=LIMIT, allowed_networks=[HERE], required_acr="")
    with CaptureQueriesContext(connection) as restricted:
        assert signed_in.authorize().code

    assert len(restricted) == len(plain)


def test_the_claims_of_the_token_say_nothing_of_the_policy(portal):
    restrict(portal, sign_in_max_age=LIMIT, required_acr="aal1", allowed_networks=[HERE])

    told = json.dumps(claims_of(portal.tokens(scope="openid")["access_token"]))

    assert not any(word in told for word in ("network", "127.0", "max_age", "required"))
