"""How strongly a person has signed in: acr, amr, acr_values, and the way to a stronger sign-in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import RequestFactory
from django.urls import include, path
from django.utils.http import url_has_allowed_host_and_scheme

from oidc_pkce.interaction_policy import InteractionPolicy
from oidc_pkce.models import Application, Grant
from oidc_pkce.sign_in import note_methods
from tests import urls
from tests.fixtures import make_user
from tests.journeys import BASE, PASSWORD, Answer, Journey, last_trace, path_of
from tests.spec import spec

# --- a host project with a second factor ----------------------------------------------------------


@login_required
def second_factor(request: HttpRequest) -> HttpResponse:
    """A page of the host: whoever posts 123456 has the device."""
    if request.POST.get("otp") == "123456":
        note_methods(request, request.user, "otp")
    onward = request.GET["next"]
    assert url_has_allowed_host_and_scheme(onward, allowed_hosts=None)
    return HttpResponseRedirect(onward)


urlpatterns = [path("second-factor/", second_factor), path("", include(urls))]


class Policy(InteractionPolicy):
    """The host's policy: one page for everybody but those who have no device."""

    asked: list[tuple[str, str, str, str]] = []

    def step_up_path(
        self, user: Any, application_id: str, client_id: str, wanted: str
    ) -> str | None:
        self.asked.append((user.get_username(), application_id, client_id, wanted))
        return None if user.get_username() == "bob" else "/second-factor/?method=otp"


class DeviceBackend(ModelBackend):
    """A backend that asks for password and device at once."""

    def authenticate(self, request: Any, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user is not None:
            note_methods(request, user, "pwd", "hwk")
        return user


@pytest.fixture
def policy(settings: Any) -> type[Policy]:
    settings.ROOT_URLCONF = __name__
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "INTERACTION_POLICY": f"{__name__}.Policy"}
    Policy.asked.clear()
    return Policy


@pytest.fixture
def portal(openid: Journey) -> Journey:
    """An OpenID Connect application; Ada signed in on our own page, by her password."""
    openid.browser.logout()
    openid.sign_in(openid.authorize(scope="openid"), "ada")
    return openid


def essential(*values: str, **changes: Any) -> dict[str, Any]:
    """An authorization request that cannot do without one of these contexts."""
    claims = {"id_token": {"acr": {"essential": True, "values": values}}}
    return {"scope": "openid", "claims": json.dumps(claims), **changes}


def voluntary(values: str, **changes: Any) -> dict[str, Any]:
    return {"scope": "openid", "acr_values": values, **changes}


def id_token(journey: Journey, answer: Answer) -> dict[str, Any]:
    token = journey.redeem(answer.code).json["id_token"]
    return jwt.decode(token, options={"verify_signature": False})


def leads_to_second_factor(answer: Answer) -> bool:
    return answer.status == 303 and answer.location.startswith("/second-factor/?method=otp&next=")


def prove(journey: Journey, owed: Answer, otp: str = "123456") -> Answer:
    """Answer the second factor's page, and go where it sends the person."""
    assert leads_to_second_factor(owed), owed.location
    back = Answer(journey.browser.post(owed.location, {"otp": otp}))
    assert back.location.startswith("/OAuth2/Login/portal?ticket=")
    return Answer(journey.browser.get(back.location))


# --- what is told -------------------------------------------------------------------------------


@spec("OpenID Connect Core", "2")
def test_the_id_token_says_how_the_person_signed_in(portal):
    told = id_token(portal, portal.authorize(scope="openid"))

    assert (told["amr"], told["acr"]) == (["pwd"], "aal1")
    assert Grant.objects.order_by("-created_at")[0].acr == "aal1"


@spec("OpenID Connect Core", "2")
def test_nothing_is_claimed_of_a_sign_in_whose_page_did_not_say_how(openid):
    told = id_token(openid, openid.authorize(scope="openid"))

    assert not {"amr", "acr"} & set(told)


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("values", ["aal1", "aal2", "urn:unheard:of", "", "x " * 500, "\u2028"])
def test_a_voluntary_context_is_never_an_error(portal, values):
    for prompt in (None, "none"):
        answer = portal.authorize(**voluntary(values, prompt=prompt))
        assert id_token(portal, answer)["acr"] == "aal1"


@spec("OpenID Connect Core", "5.5.1.1")
def test_an_essential_context_that_is_reached_is_told_as_one_of_the_wanted_values(portal, policy):
    assert id_token(portal, portal.authorize(**essential("aal1", "aal2")))["acr"] == "aal1"
    stronger = prove(portal, portal.authorize(**essential("aal2")))
    assert id_token(portal, stronger)["acr"] == "aal2"
    assert id_token(portal, portal.authorize(**essential("aal1")))["acr"] == "aal1"
    assert id_token(portal, portal.authorize(**voluntary("aal1")))["acr"] == "aal2"


@spec("OpenID Connect Core", "5.5.1.1")
@spec("OpenID Connect Core Unmet Authentication Requirements", "2")
@pytest.mark.parametrize("values", [["aal2"], ["urn:unheard:of"], [""], [7], ["aal2", "aal3"]])
@pytest.mark.parametrize("prompt", [None, "none"])
def test_an_essential_context_that_nobody_can_reach_is_an_error(portal, values, prompt):
    before = Grant.objects.count()
    answer = portal.authorize(**essential(*values, prompt=prompt, state="s"))

    assert answer.error == "unmet_authentication_requirements"
    assert answer.query["state"] == "s"
    assert last_trace().failed_check == "authorize.acr"
    assert Grant.objects.count() == before


@spec("OpenID Connect Core", "5.5.1.1")
def test_an_essential_acr_without_a_value_asks_for_nothing(openid):
    claims = json.dumps({"id_token": {"acr": {"essential": True}, "auth_time": None}})

    assert "acr" not in id_token(openid, openid.authorize(scope="openid", claims=claims))


@spec("OpenID Connect Core", "5.5.1.1")
def test_our_own_sign_in_helps_where_the_hosts_page_said_nothing(openid):
    assert openid.authorize(**essential("aal1", prompt="none")).error == "interaction_required"
    owed = openid.authorize(**essential("aal1"))
    assert "/OAuth2/Login/" in owed.location

    assert id_token(openid, openid.sign_in(owed, "ada"))["acr"] == "aal1"


@spec("OpenID Connect Core", "3.1.2.1")
def test_without_openid_no_context_is_asked_for(portal, policy):
    for request in (voluntary("aal2"), essential("aal2")):
        assert portal.authorize(**{**request, "scope": "profile"}).code
    assert policy.asked == []


# --- the way to a stronger sign-in ----------------------------------------------------------------


@spec("OpenID Connect Core", "5.5.1.1")
@pytest.mark.parametrize("request_for", [essential, voluntary])
def test_the_second_factor_is_asked_for_once_and_then_holds(portal, policy, request_for):
    owed = portal.authorize(**request_for("aal2", state="s"))
    assert policy.asked == [("ada", "portal", portal.client_id, "aal2")]

    answer = prove(portal, owed)
    told = id_token(portal, answer)

    assert answer.query["state"] == "s"
    assert (told["acr"], told["amr"]) == ("aal2", ["pwd", "otp"])
    for prompt in (None, "none"):
        again = portal.authorize(**request_for("aal2", prompt=prompt))
        assert id_token(portal, again)["acr"] == "aal2"


@spec("OpenID Connect Core", "3.1.2.1")
def test_who_returns_without_it_goes_on_when_it_was_voluntary(portal, policy):
    answer = prove(portal, portal.authorize(**voluntary("aal2")), otp="wrong")

    assert id_token(portal, answer)["acr"] == "aal1"


@spec("OpenID Connect Core Unmet Authentication Requirements", "2")
def test_who_returns_without_it_is_refused_when_it_was_essential(portal, policy):
    answer = prove(portal, portal.authorize(**essential("aal2", state="s")), otp="wrong")

    assert answer.error == "unmet_authentication_requirements"
    assert answer.query["state"] == "s"
    # Another request asks again.
    assert leads_to_second_factor(portal.authorize(**essential("aal2")))


@spec("OpenID Connect Core", "3.1.2.6")
def test_a_silent_request_never_leads_to_a_page(portal, policy):
    assert portal.authorize(**essential("aal2", prompt="none")).error == "interaction_required"
    assert id_token(portal, portal.authorize(**voluntary("aal2", prompt="none")))["acr"] == "aal1"


def test_who_has_no_device_is_told_so_at_once(openid, policy, bob):
    openid.browser.logout()
    openid.sign_in(openid.authorize(), "bob")

    assert id_token(openid, openid.authorize(**voluntary("aal2")))["acr"] == "aal1"
    assert openid.authorize(**essential("aal2")).error == "unmet_authentication_requirements"


def test_only_contexts_that_the_policy_knows_reach_it(portal, policy):
    portal.authorize(**voluntary("https://evil.example //evil aal2"))

    assert [asked[-1] for asked in policy.asked] == ["aal2"]


def test_a_fresh_sign_in_comes_first_and_the_consent_last(portal, policy):
    Application.objects.update(requires_consent=True)
    request = essential("aal2", prompt="login")

    owed = portal.sign_in(portal.authorize(**request), "ada")
    asked = prove(portal, owed)
    told = id_token(portal, portal.decide(asked))

    assert (told["acr"], told["amr"]) == ("aal2", ["pwd", "otp"])


def test_a_consent_page_does_not_help_around_the_second_factor(portal, policy):
    """Somebody takes the device away from the session while the page is shown."""
    Application.objects.update(requires_consent=True)
    owed = portal.authorize(**essential("aal2"))
    confirm = owed.location.partition("next=")[2]
    ticket = parse_qs(urlsplit(parse_qs(f"n={confirm}")["n"][0]).query)["ticket"][0]
    straight = Answer(portal.browser.get(portal.url("Confirm"), {"ticket": ticket}))
    assert straight.error == "unmet_authentication_requirements"

    page = portal.consent_page(prove(portal, portal.authorize(**essential("aal2"))))
    session = portal.browser.session
    session["oidc_pkce.amr"] = ["pwd"]
    session.save()

    assert portal.post_decision(page).error == "unmet_authentication_requirements"
    assert Grant.objects.filter(acr="aal2").count() == 0


def test_another_person_on_the_same_way_is_asked_for_the_device_too(portal, policy):
    make_user("grace")
    Application.objects.update(requires_consent=True)
    page = portal.consent_page(prove(portal, portal.authorize(**essential("aal2"))))
    found = re.search(r'href="https://id.example.com([^"]*switch=1)"', page.html)
    assert found
    address = found.group(1).replace("&amp;", "&")

    answer = Answer(portal.browser.post(address, {"username": "grace", "password": PASSWORD}))

    assert leads_to_second_factor(answer)
    assert policy.asked[-1][0] == "grace"


def test_a_ticket_of_one_browser_session_is_no_excuse_in_another(portal, policy, ada):
    back = Answer(portal.browser.post(portal.authorize(**voluntary("aal2")).location, {}))
    portal.browser.logout()
    elsewhere = Journey(portal.application, client_id=portal.client_id).log_in(ada)

    assert leads_to_second_factor(Answer(elsewhere.browser.get(back.location)))


# --- attacks ------------------------------------------------------------------------------------

EVIL = [
    *("//evil.example/", "https://evil.example/", "/\\evil.example/", "\\\\evil.example", "evil"),
    *("/\t/evil.example", "/x\r\nLocation: https://evil.example", "", "javascript:alert(1)"),
    *("/x#//evil.example", "/é", " /x", "http:/evil.example", "///evil.example", "/x y"),
]


@pytest.mark.parametrize("evil", EVIL, ids=lambda text: repr(text)[:25])
def test_a_path_that_could_lead_elsewhere_is_never_followed(portal, policy, monkeypatch, evil):
    monkeypatch.setattr(Policy, "step_up_path", lambda *_: evil)

    with pytest.raises(ImproperlyConfigured, match="begins with one slash"):
        portal.authorize(**essential("aal2"))


def test_what_the_page_is_given_leads_back_to_us_and_nowhere_else(portal, policy):
    owed = portal.authorize(**voluntary("aal2", state="https://evil.example/?next=//evil"))
    parts = urlsplit(owed.location)
    given = parse_qs(parts.query)

    assert (parts.scheme, parts.netloc, parts.path) == ("", "", "/second-factor/")
    assert list(given) == ["method", "next"]
    assert given["next"][0].startswith("/OAuth2/Login/portal?ticket=")
    assert "evil" not in owed.location


def test_a_page_that_proves_nothing_makes_no_circle(portal, policy):
    answer = portal.authorize(**voluntary("aal2"))
    for _ in range(2):
        if not leads_to_second_factor(answer):
            break
        answer = prove(portal, answer, otp="")

    assert answer.code
    assert len(policy.asked) == 1


def test_a_forged_ticket_does_not_say_that_somebody_has_been_there(portal, policy):
    back = Answer(portal.browser.post(portal.authorize(**voluntary("aal2")).location, {}))

    answer = Answer(portal.browser.get(back.location[:-4] + "AAAA"))

    assert (answer.status, answer.location) == (400, "")


def test_nothing_that_is_sent_to_us_raises_the_context(portal):
    evil = {"amr": "otp mfa", "acr": "aal2", "oidc_pkce.amr": "mfa", "methods": "otp"}
    owed = portal.authorize(scope="openid", prompt="login", **evil)
    address = path_of(owed.location)
    page = Answer(portal.browser.get(address))
    data = {"username": "ada", "password": PASSWORD, "ticket": page.hidden("ticket"), **evil}

    told = id_token(portal, Answer(portal.browser.post(address, data)))

    assert (told["amr"], told["acr"]) == (["pwd"], "aal1")


# --- what the host's pages and backends say -------------------------------------------------------


@spec("RFC 8176", "2")
def test_a_proof_counts_as_a_fresh_sign_in_under_a_new_session_key(portal, policy):
    session = portal.browser.session
    session["oidc_pkce.auth_time"] -= 1000
    session.save()
    key = portal.browser.cookies["sessionid"].value
    owed = portal.authorize(**voluntary("aal2"))

    told = id_token(portal, prove(portal, owed))

    assert abs(told["auth_time"] - time.time()) < 10
    assert portal.browser.cookies["sessionid"].value != key
    assert portal.authorize(scope="openid", max_age="500").code


def test_a_proof_is_no_fresh_sign_in_for_a_request_that_asks_for_one(portal, policy):
    """Only a sign-in on its own page is: whoever prepared the request may have waited."""
    prepared = portal.authorize(scope="openid", prompt="login")
    prove(portal, portal.authorize(**voluntary("aal2")))

    assert "password" in portal.follow(prepared).html


def test_a_backend_says_how_the_sign_in_that_follows_was_proved(openid, settings):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.DeviceBackend"]
    openid.browser.logout()

    told = id_token(openid, openid.sign_in(openid.authorize(scope="openid"), "ada"))

    assert (told["amr"], told["acr"]) == (["pwd", "hwk"], "aal2")


def test_the_proof_of_one_person_is_never_added_to_the_session_of_another(portal, bob, settings):
    """A backend may be asked about somebody else than who is signed in."""
    request = RequestFactory().post("/")
    request.session, request.user = portal.browser.session, get_user_model().objects.get(pk=bob.pk)
    ada = get_user_model().objects.get(username="ada")

    note_methods(request, ada, "hwk")

    assert request.session["oidc_pkce.amr"] == ["pwd"]
    request.user = ada
    note_methods(request, bob, "face")
    assert request.session["oidc_pkce.amr"] == ["pwd"]
    note_methods(request, ada, "fpt")
    assert request.session["oidc_pkce.amr"] == ["pwd", "fpt"]


@pytest.mark.parametrize("method", ["", "two words", "é", 'a"b', "x" * 51, "a\n"])
def test_what_is_no_method_is_refused(ada, method):
    with pytest.raises(ValueError, match="RFC 8176"):
        note_methods(None, ada, method)


def test_a_backend_that_is_not_asked_by_a_browser_may_say_so_too(ada):
    note_methods(None, ada, "otp")


@spec("OpenID Connect Core", "2")
def test_the_password_grant_raises_no_context(openid_with_secret, settings):
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.DeviceBackend"]
    Application.objects.update(flows=["AuthorizationCode", "ResourceCreds"])
    client = openid_with_secret

    tokens = client.post(
        "Token",
        {
            "grant_type": "password",
            "username": "ada",
            "password": PASSWORD,
            "scope": "openid",
            "client_id": client.client_id,
            "client_secret": client.secret,
        },
    )

    assert tokens.status == 200, tokens.json
    told = jwt.decode(tokens.json["id_token"], options={"verify_signature": False})
    assert "acr" not in told
    assert Grant.objects.get().acr == ""


# --- the policy itself ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amr", "acr"),
    [
        ((), ""),
        (("pwd",), "aal1"),
        (("pin", "pwd", "kba"), "aal1"),
        (("otp",), "aal1"),
        (("otp", "sms", "hwk"), "aal1"),
        (("pwd", "otp"), "aal2"),
        (("pwd", "hwk"), "aal2"),
        (("pwd", "face"), "aal2"),
        (("hwk", "fpt"), "aal2"),
        (("mfa",), "aal2"),
        (("pwd", "mfa"), "aal2"),
        (("geo", "rba", "user"), ""),
        (("pwd", "rba"), "aal1"),
        (("pwd", "unheard-of"), "aal1"),
        (("unheard-of",), ""),
    ],
    ids=str,
)
def test_two_kinds_of_proof_are_more_than_one(amr: Sequence[str], acr: str) -> None:
    assert InteractionPolicy().acr(amr) == acr


@pytest.mark.parametrize(
    ("acr", "wanted", "enough"),
    [
        ("aal1", "aal1", True),
        ("aal2", "aal1", True),
        ("aal2", "aal2", True),
        ("aal1", "aal2", False),
        ("", "aal1", False),
        ("", "", False),
        ("aal3", "aal1", False),
        ("aal2", "aal3", False),
    ],
)
def test_a_stronger_context_is_enough_for_a_weaker_one(acr: str, wanted: str, enough: bool) -> None:
    assert InteractionPolicy().satisfies(acr, wanted) == enough


def test_the_default_policy_knows_no_page() -> None:
    assert InteractionPolicy().step_up_path(None, "app", "client", "aal2") is None


@spec("OpenID Connect Discovery", "3")
def test_the_metadata_lists_what_the_policy_supports(openid):
    document = openid.browser.get(f"{path_of(BASE + '/portal')}/.well-known/openid-configuration")

    assert document.json()["acr_values_supported"] == ["aal1", "aal2"]
    assert document.json()["claims_parameter_supported"] is True
    assert {"acr", "amr"} <= set(document.json()["claims_supported"])
