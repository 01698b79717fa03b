"""Claims: what scopes tell, what a client asks for one by one, and what a provider may say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import jwt
import pytest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from oidc_pkce.claims import ClaimsProvider
from oidc_pkce.flows import claims as flow
from oidc_pkce.models import Application, AuditEvent, Consent, Grant
from tests.journeys import CALLBACK, Answer, Journey, last_trace, make_application
from tests.spec import spec

ALWAYS = {"sub", "aud", "unique_name", "auth_time"}
ADDRESS = {"locality": "Bamburgh", "country": "GB"}


class Claims(ClaimsProvider):
    """A provider that knows more than the standard scopes tell."""

    def claims(self, user: Any) -> Mapping[str, Any]:
        return {
            **super().claims(user),
            "address": ADDRESS,
            "phone_number": "+44 1668 214000",
            "updated_at": 1838,
            "family_name#ja": "ラブレス",
            "groups": ["makers"],
            "hidden": "known to us alone",
            "sub": "somebody else",
        }

    def supported(self) -> tuple[str, ...]:
        return (*super().supported(), "groups", "acr", "sub")


@pytest.fixture
def told(openid: Journey, settings: Any) -> Journey:
    """An OpenID Connect application of a host with that provider; Ada signed in."""
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": f"{__name__}.Claims"}
    return openid


@pytest.fixture
def asking(told: Journey) -> Journey:
    """The same, and the application asks for consent."""
    Application.objects.update(requires_consent=True)
    return told


def ask(journey: Journey, claims: Any, **changes: Any) -> Answer:
    text = claims if isinstance(claims, str) else json.dumps(claims)
    return journey.authorize(**{"scope": "openid", "claims": text, **changes})


def unpack(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def outcome(journey: Journey, answer: Answer) -> tuple[set[str], dict[str, Any], str]:
    """What UserInfo tells beyond what it always does; the ID token; the granted scope."""
    tokens = journey.redeem(answer.code).json
    members = journey.userinfo(tokens["access_token"]).json
    return set(members) - ALWAYS, unpack(tokens["id_token"]), tokens["scope"]


# --- asked for one by one -----------------------------------------------------------------------


@spec("OpenID Connect Core", "5.5")
def test_a_single_claim_is_told_where_it_was_asked_for_and_no_scope_is_widened(told):
    wanted = {"userinfo": {"email": None, "groups": None}, "id_token": {"given_name": None}}

    members, id_token, scope = outcome(told, ask(told, wanted))

    assert members == {"email", "groups"}
    assert id_token["given_name"] == "Ada"
    assert not {"email", "groups", "family_name"} & set(id_token)
    assert scope == "openid"
    assert Grant.objects.get().requested_claims == {
        "userinfo": ["email", "groups"],
        "id_token": ["given_name"],
    }


@spec("OpenID Connect Core", "5.5")
def test_single_claims_come_beside_those_of_the_scopes(told):
    wanted = {"userinfo": {"phone_number": {"essential": True}}}

    members, _, scope = outcome(told, ask(told, wanted, scope="openid email"))

    assert members == {"email", "email_verified", "phone_number"}
    assert scope == "openid email"


@spec("OpenID Connect Core", "5.5.1")
def test_a_claim_that_nobody_knows_is_left_out_though_it_is_essential(told):
    essential = {"essential": True}
    wanted = {"userinfo": {"birthdate": essential, "shoe_size": essential}}

    members, _, _ = outcome(told, ask(told, wanted))

    assert members == set()


@spec("OpenID Connect Core", "5.5")
def test_email_verified_can_be_asked_for_alone(told):
    tokens = told.redeem(ask(told, {"userinfo": {"email_verified": None}}).code).json

    assert told.userinfo(tokens["access_token"]).json["email_verified"] is False


@spec("OpenID Connect Core", "5.2")
def test_a_claim_in_a_language_is_asked_for_by_its_tag(told):
    members, id_token, _ = outcome(told, ask(told, {"id_token": {"family_name#ja": None}}))

    assert (members, id_token["family_name#ja"]) == (set(), "ラブレス")


@spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize(
    "name",
    [
        *("password", "is_superuser", "hidden", "last_login", "__class__", "groups ", "Groups"),
        *("sub", "acr", "iss", "aud", "scope", "client_id", "unique_name", "email\u0000", "名"),
    ],
)
def test_what_the_provider_does_not_offer_cannot_be_asked_out_of_it(told, name):
    wanted = {name: {"essential": True, "value": "x"} if name != "sub" else None}

    answer = ask(told, {"userinfo": wanted, "id_token": {} if name == "acr" else wanted})
    tokens = told.redeem(answer.code).json
    id_token = unpack(tokens["id_token"])
    told_there = told.userinfo(tokens["access_token"]).json

    assert set(told_there) == ALWAYS
    assert told_there["sub"] == id_token["sub"] == Grant.objects.get().subject
    assert (id_token["aud"], id_token["iss"]) == (
        told.client_id,
        "https://id.example.com/portal/",
    )
    assert not {"hidden", "groups", "scope", "client_id", "password"} & set(id_token)
    assert Grant.objects.get().requested_claims == {}


@spec("OpenID Connect Core", "5.5.1")
def test_a_value_that_is_asked_for_is_never_taken_over(told):
    wanted = {"value": "evil@example.com", "essential": True}

    answer = ask(told, {"userinfo": {"email": wanted}, "id_token": {"email": wanted}})
    tokens = told.redeem(answer.code).json

    assert unpack(tokens["id_token"])["email"] == "ada@example.com"
    assert told.userinfo(tokens["access_token"]).json["email"] == "ada@example.com"


@spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize(
    "text",
    [
        "{",
        "null",
        "[]",
        "email",
        '{"userinfo":{"email":true}}',
        '{"userinfo":{"email":null,"email":null}}',
        "[" * 8000,
        '{"userinfo":' * 600,
        json.dumps({"userinfo": {f"c{n}": None for n in range(51)}}),
    ],
    ids=lambda text: text[:30],
)
def test_a_malformed_request_for_claims_is_an_error_that_travels(told, text):
    answer = ask(told, text, state="s")

    assert answer.location.startswith(f"{CALLBACK}?error=invalid_request&")
    assert answer.query["state"] == "s"
    assert last_trace().failed_check == "authorize.claims"
    assert Grant.objects.count() == 0


def test_a_giant_request_for_claims_is_refused(told):
    wanted = {"userinfo": {"email": {"value": "x" * 9000}}}

    assert ask(told, wanted).error == "invalid_request"


@spec("OpenID Connect Core", "5.5")
def test_without_openid_the_parameter_is_ignored(told):
    for text in ('{"userinfo": {"groups": null}}', "{"):
        tokens = told.redeem(ask(told, text, scope="email").code).json
        members = set(told.userinfo(tokens["access_token"]).json)
        assert members == {*ALWAYS, "email", "email_verified"}
    assert {str(grant.requested_claims) for grant in Grant.objects.all()} == {"{}"}


@spec("OpenID Connect Core", "5.5")
def test_an_application_tells_no_single_claim_whose_scope_it_does_not_know(told, ada):
    app = make_application(application_id="lean")
    app.scopes.create(name="openid")
    lean = Journey(app).log_in(ada)
    wanted = {"userinfo": {"email": None, "name": None, "groups": None}}

    assert outcome(lean, ask(lean, wanted))[0] == {"groups"}

    app.scopes.create(name="email")
    assert outcome(lean, ask(lean, wanted))[0] == {"groups", "email"}


@spec("OpenID Connect Core", "12.2")
def test_refreshed_tokens_tell_the_same(told):
    Application.objects.update(issues_refresh_tokens=True)
    wanted = {"userinfo": {"groups": None}, "id_token": {"email": None}}
    first = told.redeem(ask(told, wanted, scope="openid profile").code).json

    def refresh(token: str, **changes: Any) -> dict[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": told.client_id}
        return told.post("Token", {**form, **changes}).json

    again = refresh(first["refresh_token"])
    assert unpack(again["id_token"])["email"] == "ada@example.com"
    assert told.userinfo(again["access_token"]).json["groups"] == ["makers"]
    # Without openid it is no sign-in any more.
    narrow = refresh(again["refresh_token"], scope="profile")
    assert "groups" not in told.userinfo(narrow["access_token"]).json
    assert "id_token" not in narrow


@spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize("response_type", ["id_token", "code id_token", "id_token token"])
def test_an_id_token_of_the_front_channel_tells_what_was_asked_for(told, response_type):
    Application.objects.update(flows=["AuthorizationCode", "Implicit"])
    answer = ask(
        told, {"id_token": {"groups": None}}, response_type=response_type, nonce="n", state="s"
    )

    assert unpack(answer.query["id_token"])["groups"] == ["makers"]


@spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_single_claims_are_told_to_every_kind_of_access_token(told, token_type):
    Application.objects.update(token_type=token_type)

    assert outcome(told, ask(told, {"userinfo": {"groups": None}}))[0] == {"groups"}


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize(
    "display", ["page", "popup", "touch", "wap", "hologram", "\u2028", "x" * 99]
)
def test_display_and_locales_never_cause_an_error(told, display):
    answer = ask(told, {}, display=display, ui_locales="xx ??", claims_locales="de-AT <b> é")

    assert answer.code


# --- asked for somebody ---------------------------------------------------------------------------


@spec("OpenID Connect Core", "5.5.1")
@pytest.mark.parametrize("place", ["userinfo", "id_token"])
def test_a_subject_asked_for_by_value_is_this_person_or_nobody(told, ada, bob, place):
    subject = unpack(told.tokens(scope="openid")["id_token"])["sub"]
    wanted = {place: {"sub": {"value": subject}}}
    stranger = Journey(told.application, client_id=told.client_id).log_in(bob)

    assert ask(told, wanted, prompt="none").code
    assert ask(stranger, wanted, prompt="none").error == "login_required"
    owed = ask(stranger, wanted)
    assert "/OAuth2/Login/" in owed.location
    assert stranger.sign_in(owed, "bob").error == "login_required"
    assert stranger.sign_in(ask(stranger, wanted), "ada").code


# --- with consent ---------------------------------------------------------------------------------


@spec("OpenID Connect Core", "5.5")
@spec("OpenID Connect Core", "3.1.2.4")
def test_the_person_sees_single_claims_as_lines_of_their_own(asking):
    wanted = {"userinfo": {"email": None, "groups": None}, "id_token": {"email_verified": None}}

    page = asking.consent_page(ask(asking, wanted))

    assert page.html.count("See your e-mail address") == 1
    assert "See what is known of you as “groups”" in page.html
    unknown = {"userinfo": {"hidden": None, "<b>": None}}
    assert "known of you" not in asking.consent_page(ask(asking, unknown)).html
    assert outcome(asking, asking.post_decision(page))[0] == {"email", "groups"}
    assert AuditEvent.objects.get(action="consent.given").details == {
        "scope": 'openid email "groups"'
    }


@spec("OpenID Connect Core", "3.1.2.4")
def test_a_remembered_consent_must_cover_single_claims(asking):
    def silently(claims: Any, scope: str = "openid") -> str | None:
        return ask(asking, claims, scope=scope, prompt="none").error

    email, groups = {"userinfo": {"email": None}}, {"id_token": {"groups": None}}
    asking.decide(asking.authorize(scope="openid"))
    assert silently({}) is None
    assert silently(email) == "consent_required"
    assert silently(groups) == "consent_required"

    asking.decide(ask(asking, {**email, **groups}))
    assert [silently(email), silently(groups), silently({**email, **groups})] == [None] * 3
    assert silently({"userinfo": {"phone_number": None}}) == "consent_required"
    # The line said what the scope says.
    assert silently({}, "openid email") is None


@spec("OpenID Connect Core", "3.1.2.4")
def test_an_own_scope_of_the_same_name_does_not_allow_a_claim(asking):
    asking.application.scopes.create(name="groups")
    asking.decide(asking.authorize(scope="openid groups"))

    silent = ask(asking, {"userinfo": {"groups": None}}, scope="openid groups", prompt="none")

    assert silent.error == "consent_required"


@spec("OpenID Connect Core", "5.5")
@pytest.mark.parametrize(
    ("ticked", "told_then"),
    [
        (["openid", "email", '"groups"'], ["email", "groups"]),
        (["openid", '"groups"'], ["groups"]),
        (["openid", "email", "groups"], ["email"]),
        (["openid"], []),
    ],
    ids=str,
)
def test_an_unticked_line_takes_its_claims_away(asking, ticked, told_then):
    Application.objects.update(allows_scope_selection=True)
    owed = ask(asking, {"userinfo": {"email": None, "groups": None}})

    members, _, scope = outcome(asking, asking.decide(owed, scope=ticked))

    assert (sorted(members), scope) == (told_then, "openid")


@spec("OpenID Connect Core", "5.5")
def test_who_unticks_openid_is_asked_for_no_claim(asking):
    Application.objects.update(allows_scope_selection=True)
    owed = ask(asking, {"userinfo": {"groups": None}}, scope="openid profile")

    tokens = asking.redeem(asking.decide(owed, scope=["profile", '"groups"']).code).json

    assert tokens["scope"] == "profile"
    assert "groups" not in asking.userinfo(tokens["access_token"]).json


@spec("RFC 6749", "10.12")
def test_lines_that_were_never_shown_allow_no_claim(asking):
    Application.objects.update(allows_scope_selection=True)
    owed = ask(asking, {"userinfo": {"email": None}})

    decided = asking.decide(owed, scope=["openid", "email", '"groups"', "phone"])

    assert outcome(asking, decided)[0] == {"email"}
    assert Consent.objects.get().scope == "openid email"


# --- what a provider may say ----------------------------------------------------------------------


class Odd(ClaimsProvider):
    """A provider that says what it must not, and what JSON cannot hold."""

    BAD: Mapping[str, Any] = {
        "date": timezone.now(),
        "amount": Decimal("1.5"),
        "endless": float("inf"),
        "a_set": {1, 2},
        "inside": {"deep": [timedelta(1)]},
        "lazy": gettext_lazy("Sign in"),
        "bytes": b"x",
        "keys": {1: "x"},
    }
    PROTOCOL: Mapping[str, Any] = {
        **dict.fromkeys(("iss", "sub", "aud", "azp", "acr", "amr", "sid", "nonce"), "evil"),
        **dict.fromkeys(("client_id", "scope", "jti", "gid", "app_id", "unique_name"), "evil"),
        **dict.fromkeys(("exp", "iat", "nbf", "auth_time"), 9_999_999_999),
        **dict.fromkeys(("at_hash", "c_hash", "cnf", "act", "events"), "evil"),
    }
    GOOD: Mapping[str, Any] = {"level": 3, "ratio": 0.5, "vip": True, "tags": ["a"], "none": None}

    def _all(self) -> dict[str, Any]:
        return {**self.BAD, **self.PROTOCOL, **self.GOOD}

    def access_token(self, *_: Any) -> Mapping[str, Any]:
        return self._all()

    def id_token(self, *_: Any) -> Mapping[str, Any]:
        return self._all()

    def userinfo(self, *_: Any) -> Mapping[str, Any]:
        return self._all()


@spec("OpenID Connect Core", "5.3.2")
def test_a_provider_breaks_no_token_and_says_nothing_in_the_protocols_name(
    openid, settings, caplog
):
    plain = openid.tokens(scope="openid", nonce="n")
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": f"{__name__}.Odd"}

    tokens = openid.tokens(scope="openid", nonce="n")

    for kind in ("access_token", "id_token"):
        before, after = unpack(plain[kind]), unpack(tokens[kind])
        assert set(after) - set(before) == set(Odd.GOOD)
        assert "evil" not in after.values()
        assert {name: after[name] for name in Odd.GOOD} == Odd.GOOD
    members = openid.userinfo(tokens["access_token"]).json
    assert set(members) == {*ALWAYS, *Odd.GOOD}
    assert (members["level"], members["vip"], members["ratio"]) == (3, True, 0.5)
    assert {f"'{name}'" for name in Odd.BAD} <= set(caplog.text.split())


def test_what_is_left_out_is_named_in_the_log_without_its_value(openid_app, ada, settings, caplog):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": f"{__name__}.Odd"}

    flow.access_token(openid_app.facts(), ada, ())

    assert "'amount'" in caplog.text
    assert "1.5" not in caplog.text


@spec("OpenID Connect Core", "5.1.1")
def test_an_address_is_an_object_and_a_time_a_number(told):
    tokens = told.tokens(scope="openid profile address phone")
    members = told.userinfo(tokens["access_token"]).json

    assert members["address"] == ADDRESS
    assert members["updated_at"] == 1838
    assert members["phone_number"] == "+44 1668 214000"


@spec("OpenID Connect Core", "5.4")
def test_a_custom_claim_comes_with_no_scope(told):
    every = "openid profile email address phone offline_access"
    members = set(told.userinfo(told.tokens(scope=every)["access_token"]).json)

    assert not {"groups", "hidden"} & members
