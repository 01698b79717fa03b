"""Account Mapping, over HTTP: the name by which an application is told of a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy

from oidc_pkce.claims import ClaimsProvider
from oidc_pkce.flows import resource_server
from oidc_pkce.models import Application, Consent, Grant
from oidc_pkce.protocol.checks import Trace
from tests.endpoints.test_password import ask, backend, web
from tests.fixtures import make_user
from tests.journeys import Journey, claims_of
from tests.spec import spec

__all__ = ["backend", "web"]  # fixtures

FIXED = {"user_name_strategy": "Fixed", "shared_user_name": "reader@example.com"}
EMAIL = {"user_name_claim": "email"}
SHARED, ADDRESS = "reader@example.com", "ada@example.com"
OWN_NAMES = [(FIXED, SHARED), (EMAIL, ADDRESS), ({}, "ada")]
IDS = ["fixed", "email", "login name"]
KINDS = ["JwtRS256", "Opaque"]


class Odd(ClaimsProvider):
    """A provider that knows claims of every type, and renames everybody."""

    def login_name(self, user: Any) -> str:
        return f"{user.get_username()}@login"

    def claims(self, user: Any) -> Mapping[str, Any]:
        return {
            **super().claims(user),
            "preferred_username": "told by the provider",
            "preferred_username#de": "Gräfin",
            "number": 7,
            "flag": True,
            "many": ["a"],
            "lazy": gettext_lazy("Yes"),
            "blank": "  ",
            "nothing": None,
            "staff": "S-17",
            "hidden": "known to us alone",
        }

    def supported(self) -> tuple[str, ...]:
        odd = ("number", "flag", "many", "lazy", "blank", "nothing", "missing", "staff")
        return (*super().supported(), *odd)

    def access_token(self, *_: Any) -> Mapping[str, Any]:
        return {"preferred_username": "in the access token", "unique_name": "never"}

    def id_token(self, *_: Any) -> Mapping[str, Any]:
        return {"preferred_username": "in the ID token"}


@pytest.fixture
def odd(settings: Any) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": f"{__name__}.Odd"}


def mapping(journey: Journey, **fields: Any) -> Journey:
    """Set what the page sets; what a claims provider lost meanwhile can be stored, too."""
    Application.objects.filter(pk=journey.application.pk).update(**fields)
    journey.application.refresh_from_db()
    return journey


# --- where it is told ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fields", "name"), OWN_NAMES, ids=IDS)
def test_every_token_and_every_endpoint_says_the_same_name(openid_with_secret, kind, fields, name):
    journey = mapping(
        openid_with_secret, token_type=kind, issues_refresh_tokens=True, claims_in_id_token=True
    )
    subject = claims_of(journey.tokens(scope="openid")["id_token"])["sub"]
    mapping(journey, **fields)

    first = journey.tokens(scope="openid profile")
    again = journey.refresh(first["refresh_token"]).json

    for tokens in (first, again):
        told = claims_of(tokens["id_token"])
        assert (told["unique_name"], told["preferred_username"]) == (name, name)
        members = journey.userinfo(tokens["access_token"]).json
        assert (members["unique_name"], members["preferred_username"]) == (name, name)
        introspected = journey.introspect(tokens["access_token"]).json
        assert introspected["unique_name"] == name
        assert {told["sub"], members["sub"], introspected["sub"]} == {subject}
    assert journey.introspect(again["refresh_token"]).json["unique_name"] == name
    if kind == "JwtRS256":
        assert claims_of(first["access_token"])["unique_name"] == name


@spec("OpenID Connect Core", "3.3.2.11")
def test_front_channel_tokens_say_it_too(openid):
    mapping(openid, **FIXED, flows=["AuthorizationCode", "Implicit"])
    sent = {"scope": "openid profile", "nonce": "n"}

    hybrid = openid.authorize(response_type="code id_token token", **sent).query
    alone = openid.authorize(response_type="id_token", **sent).query

    for token in (hybrid["id_token"], hybrid["access_token"], alone["id_token"]):
        assert claims_of(token)["unique_name"] == SHARED
    assert claims_of(alone["id_token"])["preferred_username"] == SHARED
    assert "preferred_username" not in claims_of(hybrid["id_token"])


@spec("OpenID Connect Core", "5.5")
def test_a_claim_that_is_asked_for_alone_is_mapped(openid):
    mapping(openid, **FIXED)
    wanted = {"userinfo": {"preferred_username": None}, "id_token": {"preferred_username": None}}

    tokens = openid.tokens(scope="openid", claims=json.dumps(wanted))

    assert claims_of(tokens["id_token"])["preferred_username"] == SHARED
    assert openid.userinfo(tokens["access_token"]).json["preferred_username"] == SHARED


@spec("OpenID Connect Core", "5.4")
def test_it_is_told_only_where_a_scope_asks_for_it(openid):
    mapping(openid, **FIXED)

    members = openid.userinfo(openid.tokens(scope="openid email")["access_token"]).json

    assert "preferred_username" not in members
    assert members["email"] == ADDRESS  # other claims are what their scopes say


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fields", "name"), OWN_NAMES, ids=IDS)
def test_a_password_that_is_traded_gives_the_same(web, kind, fields, name):
    mapping(web, token_type=kind, **fields)

    tokens = ask(web, scope="openid profile").json

    assert claims_of(tokens["id_token"])["unique_name"] == name
    assert web.userinfo(tokens["access_token"]).json["preferred_username"] == name
    assert web.introspect(tokens["access_token"]).json["unique_name"] == name


def own_token(journey: Journey) -> str:
    """What a client gets for itself."""
    own = {"client_id": journey.client_id, "client_secret": journey.secret}
    return journey.post("Token", {"grant_type": "client_credentials", **own}).json["access_token"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fields", "name"), [(FIXED, SHARED), (EMAIL, "robot@example.com"), ({}, "robot")], ids=IDS
)
def test_a_service_user_that_acts_for_itself_is_a_user_too(confidential, robot, kind, fields, name):
    robot.user.email = "robot@example.com"
    robot.user.save()
    mapping(confidential, token_type=kind, flows=["ClientCreds"], **fields)

    token = own_token(confidential)

    if kind == "JwtRS256":
        assert claims_of(token)["unique_name"] == name
        assert claims_of(token)["client_id"] == "robot"
    introspected = confidential.introspect(token).json
    assert (introspected["unique_name"], introspected["client_id"]) == (name, "robot")
    assert confidential.userinfo(token).json["unique_name"] == name


@pytest.mark.parametrize("kind", KINDS)
def test_an_openid_connect_client_that_acts_for_itself_is_no_user(openid_with_secret, kind):
    journey = mapping(openid_with_secret, token_type=kind, flows=["ClientCreds"], **FIXED)

    token = own_token(journey)

    assert journey.introspect(token).json["unique_name"] == journey.client_id
    assert journey.userinfo(token).json["unique_name"] == journey.client_id


def test_other_applications_are_told_their_own(signed_in, openid):
    mapping(signed_in, **FIXED)

    assert claims_of(openid.tokens(scope="openid")["id_token"])["unique_name"] == "ada"
    assert claims_of(signed_in.tokens()["access_token"])["unique_name"] == SHARED


# --- whose name it is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        *("number", "flag", "many", "lazy", "blank", "nothing", "missing"),
        *("hidden", "password", "pk", "id", "is_superuser", "sub", "get_username", "__class__"),
    ],
)
def test_what_is_empty_no_text_or_no_claim_gives_the_login_name(openid, odd, claim):
    mapping(openid, user_name_claim=claim)

    tokens = openid.tokens(scope="openid")

    assert claims_of(tokens["id_token"])["unique_name"] == "ada@login"
    assert openid.userinfo(tokens["access_token"]).json["unique_name"] == "ada@login"


def test_a_claim_of_the_host_is_as_good(openid, odd):
    mapping(openid, user_name_claim="staff")

    assert claims_of(openid.tokens(scope="openid")["id_token"])["unique_name"] == "S-17"


def test_who_has_no_address_is_told_by_the_login_name(openid, bob):
    mapping(openid, **EMAIL).log_in(bob)

    assert claims_of(openid.tokens(scope="openid")["id_token"])["unique_name"] == "bob"


def test_without_a_mapping_the_provider_has_the_last_word(openid, odd):
    """As before there was one: the login name is not forced into what a provider tells."""
    tokens = openid.tokens(scope="openid profile")

    told = claims_of(tokens["id_token"])
    assert (told["unique_name"], told["preferred_username"]) == ("ada@login", "in the ID token")
    members = openid.userinfo(tokens["access_token"]).json
    assert members["preferred_username"] == "told by the provider"


def test_with_one_no_other_name_slips_through(openid, odd):
    mapping(openid, **FIXED, claims_in_id_token=True)
    wanted = {"userinfo": {"preferred_username#de": None}}

    tokens = openid.tokens(scope="openid profile", claims=json.dumps(wanted))
    told = [
        claims_of(tokens["access_token"]),
        claims_of(tokens["id_token"]),
        openid.userinfo(tokens["access_token"]).json,
    ]

    for members in told:
        for claim, value in members.items():
            if claim == "unique_name" or claim.startswith("preferred_username"):
                assert value == SHARED, claim
    assert told[2]["preferred_username#de"] == SHARED
    text = json.dumps(told, ensure_ascii=False)
    assert not any(word in text for word in ("ada@login", "Gräfin", "told by", "in the access"))


def test_a_change_counts_at_once_for_what_is_asked_here(openid_with_secret):
    """A JWT says what it said; UserInfo, and what is stored of an opaque token, follow."""
    journey = mapping(openid_with_secret, token_type="Opaque")
    token = journey.tokens(scope="openid profile")["access_token"]

    mapping(journey, **FIXED)

    assert journey.userinfo(token).json["unique_name"] == SHARED
    assert journey.introspect(token).json["unique_name"] == SHARED


# --- attacks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_of_somebody_else_stands_for_nobody_else(signed_in, ada, kind, clock):
    """The shared name is a superuser's login name: whoever is looked up is looked up by grant."""
    make_user("root", is_superuser=True, is_staff=True)
    mapping(signed_in, user_name_strategy="Fixed", shared_user_name="root", token_type=kind)

    token = signed_in.tokens()["access_token"]

    found = resource_server.identify(
        token,
        accepts=resource_server.Accepts(applications=("my_app",)),
        now=clock.now(),
        trace=Trace(),
        user_for=lambda _: None,
    )
    assert (found.user, found.user_pk) == (ada, ada.pk)
    assert found.token.claims["unique_name"] == "root"
    assert Grant.objects.get().user == ada


def test_a_service_user_is_found_by_its_own_name(confidential, robot, ada, clock):
    mapping(confidential, user_name_strategy="Fixed", shared_user_name="ada", flows=["ClientCreds"])

    token = own_token(confidential)
    found = resource_server.identify(
        token,
        accepts=resource_server.Accepts(applications=("backend",)),
        now=clock.now(),
        trace=Trace(),
        user_for=lambda _: None,
    )

    assert (found.user.pk, found.user_pk) == (robot.pk, robot.pk)
    assert confidential.userinfo(token).json["unique_name"] == "ada"


def test_people_who_share_a_name_share_nothing_else(asking, ada, bob):
    mapping(asking, **FIXED)
    first = asking.redeem(asking.decide(asking.authorize(scope="read")).code).json

    other = Journey(asking.application).log_in(bob)
    answer = other.authorize(scope="read")

    assert "/OAuth2/Confirm/" in answer.location  # Ada's consent is not Bob's
    second = other.redeem(other.decide(answer).code).json
    subjects = {claims_of(each["access_token"])["sub"] for each in (first, second)}
    assert len(subjects) == 2
    assert Consent.objects.count() == 2


def test_the_consent_page_tells_people_who_they_are_themselves(asking):
    mapping(asking, **FIXED)

    page = asking.consent_page(asking.authorize())

    assert "ada" in page.html
    assert SHARED not in page.html


# --- what may be stored, and what it costs --------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"user_name_strategy": "Fixed"}, "shared_user_name"),
        ({"user_name_strategy": "Fixed", "shared_user_name": "  "}, "shared_user_name"),
        ({"user_name_strategy": "Script"}, "user_name_strategy"),
        ({"user_name_claim": "password"}, "user_name_claim"),
        ({"user_name_claim": "sub"}, "user_name_claim"),
        ({"user_name_claim": "email_verified"}, "user_name_claim"),
        ({"user_name_claim": ""}, "user_name_claim"),
        ({"shared_user_name": "a\u202eb"}, "shared_user_name"),
        ({"required_acr": "aal7"}, "required_acr"),
        ({"allowed_networks": ["10.0.0.1/8"]}, "allowed_networks"),
    ],
)
def test_what_makes_no_sense_is_a_sentence_at_its_field(list_app, fields, place):
    for name, value in fields.items():
        setattr(list_app, name, value)

    with pytest.raises(ValidationError) as problem:
        list_app.full_clean()

    assert list(problem.value.message_dict) == [place]


@pytest.mark.parametrize("fields", [FIXED, EMAIL], ids=IDS[:2])
def test_a_mapping_costs_no_statement(openid, fields):
    openid.tokens(scope="openid profile")
    costs = []
    for changes in ({}, fields):
        mapping(openid, **changes)
        with CaptureQueriesContext(connection) as queries:
            openid.userinfo(openid.tokens(scope="openid profile")["access_token"])
        costs.append(len(queries))

    assert costs[0] == costs[1]


def test_the_name_of_the_service_user_is_not_read_where_all_share_one(confidential, robot):
    mapping(confidential, flows=["ClientCreds"])
    counts = []
    for fields in ({}, FIXED):
        mapping(confidential, **fields)
        token = own_token(confidential)
        with CaptureQueriesContext(connection) as queries:
            confidential.userinfo(token)
        counts.append(len(queries))

    assert counts[1] <= counts[0]
