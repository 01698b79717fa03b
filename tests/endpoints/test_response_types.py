"""Implicit and hybrid answers, for applications that tick Implicit; everything else is refused."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oidc_pkce.flows import keys
from oidc_pkce.models import AccessToken, AuthorizationCode, Consent, Grant, RefreshToken
from tests.fixtures import make_user
from tests.journeys import CALLBACK, Answer, Browser, Journey, last_trace, make_application
from tests.spec import spec

ISSUER = "https://id.example.com/portal/"
HYBRID = ("code id_token", "code token", "code id_token token")
IMPLICIT = ("id_token", "id_token token", "token")
WITH_ID_TOKEN = tuple(each for each in (*IMPLICIT, *HYBRID) if "id_token" in each)
NO_CHALLENGE = {"code_challenge": None, "code_challenge_method": None}


@pytest.fixture
def legacy(openid: Journey) -> Journey:
    """The OpenID Connect application with Implicit ticked; Ada is signed in."""
    openid.application.flows = ["AuthorizationCode", "Implicit"]
    openid.application.save()
    return openid


@pytest.fixture
def legacy_api(signed_in: Journey) -> Journey:
    """The customer's OAuth2 application with Implicit ticked; Ada is signed in."""
    signed_in.application.flows = ["AuthorizationCode", "Implicit"]
    signed_in.application.save()
    return signed_in


def ask(journey: Journey, response_type: str | None, **changes: Any) -> Answer:
    asked = {"scope": "openid email", "nonce": "n-0S6", "state": "s"}
    return journey.authorize(response_type=response_type, **{**asked, **changes})


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def half_hash(value: str) -> str:
    digest = hashlib.sha256(value.encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def form_fields(answer: Answer) -> dict[str, str]:
    assert answer.status == 200
    return dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.html))


# --- what comes back ----------------------------------------------------------------------------

FIELDS = {
    "id_token": ["id_token"],
    "token": ["access_token", "token_type", "expires_in", "scope"],
    "id_token token": ["access_token", "token_type", "expires_in", "scope", "id_token"],
    "code id_token": ["id_token", "code"],
    "code token": ["access_token", "token_type", "expires_in", "scope", "code"],
    "code id_token token": [
        *("access_token", "token_type", "expires_in", "scope"),
        *("id_token", "code"),
    ],
}


@spec("OAuth 2.0 Multiple Response Types", "5")
@spec("OpenID Connect Core", "3.2.2.5")
@spec("OpenID Connect Core", "3.3.2.5")
@pytest.mark.parametrize("response_type", FIELDS)
def test_each_answer_has_its_fields_in_order_in_the_fragment(legacy, response_type):
    answer = ask(legacy, response_type)

    assert answer.status == 303
    assert answer.location.startswith(f"{CALLBACK}#state=s&responseType=")
    assert list(answer.query) == ["state", "responseType", "iss", *FIELDS[response_type]]
    assert answer.query["responseType"] == ", ".join(response_type.split())
    assert answer.query["iss"] == ISSUER
    assert answer.query.get("token_type", "Bearer") == "Bearer"
    assert answer.query.get("expires_in", "18000") == "18000"
    assert answer.query.get("scope", "openid email") == "openid email"


@spec("OAuth 2.0 Multiple Response Types", "3")
@pytest.mark.parametrize(
    "sent", ["token id_token", "id_token code", "token code", "token id_token code"]
)
def test_another_order_means_the_same_and_is_repeated_as_sent(legacy, sent):
    answer = ask(legacy, sent)

    assert answer.query["responseType"] == ", ".join(sent.split())
    assert ("code" in answer.query) is ("code" in sent)


@spec("OAuth 2.0 Form Post Response Mode", "2")
@pytest.mark.parametrize("response_type", FIELDS)
def test_form_post_posts_the_same_fields(legacy, response_type):
    answer = ask(legacy, response_type, response_mode="form_post")

    fields = form_fields(answer)
    assert list(fields) == ["state", "responseType", "iss", *FIELDS[response_type]]
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert answer.response.headers["Referrer-Policy"] == "no-referrer"


@spec("OAuth 2.0 Multiple Response Types", "5")
@pytest.mark.parametrize("response_type", FIELDS)
def test_a_token_is_kept_by_no_cache_and_told_to_no_other_site(legacy, response_type):
    headers = ask(legacy, response_type).response.headers

    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")


@spec("OpenID Connect Core", "3.2.2.10")
@spec("OpenID Connect Core", "3.3.2.11")
@pytest.mark.parametrize("response_type", WITH_ID_TOKEN)
def test_the_id_token_is_bound_to_what_comes_along_and_to_the_nonce(legacy, response_type):
    answer = ask(legacy, response_type)
    claims = claims_of(answer.query["id_token"])

    assert jwt.get_unverified_header(answer.query["id_token"])["alg"] == "RS256"
    assert claims["nonce"] == "n-0S6"
    assert (claims["iss"], claims["aud"]) == (ISSUER, legacy.client_id)
    assert ("at_hash" in claims) is ("access_token" in answer.query)
    assert ("c_hash" in claims) is ("code" in answer.query)
    if "at_hash" in claims:
        assert claims["at_hash"] == half_hash(answer.query["access_token"])
    if "c_hash" in claims:
        assert claims["c_hash"] == half_hash(answer.code)


@spec("OpenID Connect Core", "2")
def test_the_id_token_is_signed_with_a_published_key(legacy):
    token = ask(legacy, "id_token").query["id_token"]
    jwks = jwt.PyJWKSet.from_dict(Browser().get(legacy.url("Keys")).json())

    key = jwks[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=legacy.client_id)

    assert claims["iss"] == ISSUER


@spec("OpenID Connect Core", "3.3.3.6")
@pytest.mark.parametrize("response_type", ["code id_token", "code id_token token"])
def test_both_id_tokens_of_a_hybrid_flow_speak_of_one_sign_in(legacy, response_type):
    answer = ask(legacy, response_type)
    first, second = (
        claims_of(token)
        for token in (answer.query["id_token"], legacy.redeem(answer.code).json["id_token"])
    )

    for name in ("iss", "sub", "aud", "auth_time", "nonce", "sid"):
        assert first[name] == second[name]


@spec("OpenID Connect Core", "5.4")
def test_scope_claims_stand_in_an_id_token_that_comes_alone_and_else_in_userinfo(legacy):
    alone = claims_of(ask(legacy, "id_token").query["id_token"])

    assert (alone["email"], alone["email_verified"]) == ("ada@example.com", False)
    for response_type in ("id_token token", "code id_token", "code id_token token"):
        assert "email" not in claims_of(ask(legacy, response_type).query["id_token"])
    assert "email" not in claims_of(legacy.tokens(scope="openid email")["id_token"])
    token = ask(legacy, "id_token token").query["access_token"]
    assert legacy.userinfo(token).json["email"] == "ada@example.com"


@spec("OpenID Connect Core", "5.4")
def test_an_id_token_tells_no_more_than_the_scopes_that_were_granted(legacy):
    claims = claims_of(ask(legacy, "id_token", scope="openid").query["id_token"])

    assert {"email", "name", "given_name"}.isdisjoint(claims)


@spec("OpenID Connect Core", "5.4")
def test_an_application_can_have_the_claims_in_every_id_token(legacy):
    application = legacy.application
    application.claims_in_id_token = application.issues_refresh_tokens = True
    application.save()

    answers = legacy.tokens(scope="openid email")
    refreshed = legacy.post(
        "Token",
        {
            "grant_type": "refresh_token",
            "refresh_token": answers["refresh_token"],
            "client_id": legacy.client_id,
        },
    ).json
    hybrid = ask(legacy, "code id_token").query["id_token"]

    for token in (answers["id_token"], refreshed["id_token"], hybrid):
        assert claims_of(token)["email"] == "ada@example.com"


@spec("OAuth 2.0 Multiple Response Types", "5")
def test_an_oauth2_application_without_openid_gives_an_access_token(legacy_api):
    answer = ask(legacy_api, "token", scope=None, nonce=None)

    assert list(answer.query)[3:] == ["access_token", "token_type", "expires_in", "scope"]
    assert answer.query["scope"] == ""
    assert legacy_api.userinfo(answer.query["access_token"]).status == 200


@spec("RFC 8707", "2")
def test_a_resource_becomes_the_audience_of_a_front_channel_token(legacy_api):
    answer = ask(legacy_api, "token", scope=None, resource="https://api.example/a")

    assert claims_of(answer.query["access_token"])["aud"] == "https://api.example/a"


@pytest.mark.parametrize("response_type", ["token", "code token", "id_token token"])
def test_an_opaque_access_token_works_from_the_front_channel_too(legacy, response_type):
    legacy.application.token_type = "Opaque"
    legacy.application.save()

    answer = ask(legacy, response_type)
    token = answer.query["access_token"]

    assert "." not in token
    assert AccessToken.objects.get().grant == Grant.objects.get()
    assert legacy.userinfo(token).json["email"] == "ada@example.com"
    if "id_token" in answer.query:
        assert claims_of(answer.query["id_token"])["at_hash"] == half_hash(token)


# --- what is written ----------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.3.2.5")
@pytest.mark.parametrize("response_type", HYBRID)
def test_a_hybrid_code_is_redeemed_like_any_other(legacy, response_type):
    answer = ask(legacy, response_type)

    assert legacy.redeem(answer.code).status == 200
    assert Grant.objects.count() == 1


@spec("RFC 6749", "4.1.2")
def test_a_replayed_code_takes_the_front_channel_token_along(legacy):
    answer = ask(legacy, "code token")
    assert legacy.userinfo(answer.query["access_token"]).status == 200

    legacy.redeem(answer.code)
    assert legacy.redeem(answer.code).error == "invalid_grant"

    assert legacy.userinfo(answer.query["access_token"]).error == "invalid_token"


@spec("RFC 6749", "4.2.2")
@pytest.mark.parametrize("response_type", FIELDS)
def test_no_refresh_token_and_no_needless_code_comes_from_this_endpoint(legacy, response_type):
    legacy.application.issues_refresh_tokens = True
    legacy.application.save()

    answer = ask(legacy, response_type, scope="openid offline_access")

    assert "refresh_token" not in answer.query
    assert RefreshToken.objects.count() == 0
    assert AuthorizationCode.objects.count() == ("code" in response_type)


@pytest.mark.parametrize("response_type", ["id_token token", "token"])
def test_a_grant_without_a_code_ends_with_its_access_token(legacy, response_type):
    legacy.application.issues_refresh_tokens = True
    legacy.application.save()
    ask(legacy, response_type)
    grant = Grant.objects.get()

    assert grant.client_authentication == "none"
    assert grant.expires_at - grant.created_at == timedelta(hours=5)


def test_the_access_token_of_a_revoked_grant_opens_nothing(legacy):
    token = ask(legacy, "token").query["access_token"]
    grant = Grant.objects.get()

    Grant.objects.filter(pk=grant.pk).revoke(grant.created_at)

    assert legacy.userinfo(token).error == "invalid_token"


@pytest.mark.parametrize("response_type", ["id_token", "code id_token token"])
def test_the_very_first_answer_makes_its_own_key(legacy, response_type):
    legacy.application.requires_consent = True
    legacy.application.save()
    keys.clear()

    answer = legacy.decide(ask(legacy, response_type))

    assert answer.query["id_token"]


@pytest.mark.parametrize("response_type", FIELDS)
def test_tokens_cost_no_more_statements_than_a_code(legacy, response_type):
    def statements(asked: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert not ask(legacy, asked).error
        return len([query for query in queries if query["sql"].startswith(("SELECT", "INSERT"))])

    ask(legacy, response_type)

    assert statements(response_type) <= statements("code")


# --- consent ------------------------------------------------------------------------------------


@spec("OpenID Connect Core", "3.2.2.4")
@pytest.mark.parametrize("response_type", FIELDS)
def test_consent_is_asked_first_and_the_answer_is_the_same(legacy, response_type):
    legacy.application.requires_consent = True
    legacy.application.save()

    owed = ask(legacy, response_type)
    answer = legacy.decide(owed)

    assert list(answer.query) == ["state", "responseType", "iss", *FIELDS[response_type]]


@spec("OpenID Connect Core", "3.2.2.6")
@pytest.mark.parametrize("response_type", FIELDS)
def test_a_refusal_of_the_person_stands_in_the_fragment(legacy, response_type):
    legacy.application.requires_consent = True
    legacy.application.save()

    answer = legacy.decide(ask(legacy, response_type), result="0")

    assert answer.location.startswith(f"{CALLBACK}#error=access_denied")
    assert Grant.objects.count() == 0


@spec("OpenID Connect Core", "3.2.2.5")
def test_without_openid_left_ticked_there_is_no_id_token_and_nothing_else(legacy):
    application = legacy.application
    application.requires_consent = application.allows_scope_selection = True
    application.save()

    answer = legacy.decide(ask(legacy, "id_token token"), scope=["email"])

    assert answer.location.startswith(f"{CALLBACK}#error=access_denied")
    assert last_trace().failed_check == "consent.openid"
    assert (Grant.objects.count(), Consent.objects.count()) == (0, 0)
    assert legacy.decide(ask(legacy, "token"), scope=["email"]).query["scope"] == "email"


# --- what is refused ----------------------------------------------------------------------------


@spec("RFC 9700", "2.1.2")
@pytest.mark.parametrize("response_type", FIELDS)
def test_without_implicit_ticked_no_token_passes_through_the_browser(openid, response_type):
    answer = ask(openid, response_type)

    assert answer.error == "unsupported_response_type"
    assert answer.location.startswith(f"{CALLBACK}#error=")
    assert (answer.query["state"], answer.query["iss"]) == ("s", ISSUER)
    assert Grant.objects.count() == 0


@spec("RFC 6749", "4.2.2.1")
@pytest.mark.parametrize("response_type", ["code", *HYBRID])
def test_without_the_code_flow_there_is_no_code(legacy, response_type):
    legacy.application.flows = ["Implicit"]
    legacy.application.save()

    assert ask(legacy, response_type).error == "unsupported_response_type"
    assert ask(legacy, "id_token").error is None


@spec("OAuth 2.0 Multiple Response Types", "3")
@pytest.mark.parametrize(
    "sent",
    [
        *("Token", "ID_TOKEN", "code code", "token token", "code token token", "none"),
        *("code none", "id_token nonsense", "code,token", "code+token", " token", "token "),
    ],
)
def test_an_unknown_response_type_is_refused_even_with_implicit_ticked(legacy, sent):
    answer = ask(legacy, sent)

    assert answer.error == "unsupported_response_type"
    assert "access_token" not in answer.location
    assert Grant.objects.count() == 0


@spec("RFC 6749", "3.1")
def test_a_response_type_that_stands_twice_is_refused(legacy):
    assert ask(legacy, ["code", "token"]).error == "invalid_request"  # type: ignore[arg-type]


@spec("RFC 6749", "4.2.2.1")
def test_a_missing_response_type_is_an_invalid_request(legacy):
    assert ask(legacy, None).error == "invalid_request"


@spec("OpenID Connect Core", "3.2.2.1")
@pytest.mark.parametrize("nonce", [None, ""])
@pytest.mark.parametrize("response_type", WITH_ID_TOKEN)
def test_an_id_token_from_this_endpoint_needs_a_nonce(legacy, response_type, nonce):
    answer = ask(legacy, response_type, nonce=nonce)

    assert answer.location.startswith(f"{CALLBACK}#error=invalid_request")
    assert "nonce" in answer.query["error_description"]
    assert Grant.objects.count() == 0


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("response_type", ["code", "token", "code token"])
def test_no_other_response_type_needs_a_nonce(legacy, response_type):
    assert ask(legacy, response_type, nonce=None).error is None


@spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize("scope", [None, "email", "OpenID"])
@pytest.mark.parametrize("response_type", WITH_ID_TOKEN)
def test_an_id_token_needs_the_scope_openid(legacy, response_type, scope):
    answer = ask(legacy, response_type, scope=scope)

    assert answer.error in {"invalid_request", "invalid_scope"}
    assert answer.location.startswith(f"{CALLBACK}#error=")


@spec("OpenID Connect Core", "3.1.2.1")
def test_an_oauth2_application_gives_id_tokens_once_it_defines_openid(legacy_api):
    assert ask(legacy_api, "id_token", scope=None).error == "unsupported_response_type"

    legacy_api.application.scopes.create(name="openid")

    assert claims_of(ask(legacy_api, "id_token", scope="openid").query["id_token"])["nonce"]


@spec("OAuth 2.0 Multiple Response Types", "5")
@pytest.mark.parametrize("response_type", FIELDS)
def test_a_token_is_never_asked_into_a_query(legacy, response_type):
    answer = ask(legacy, response_type, response_mode="query")

    assert answer.location.startswith(f"{CALLBACK}#error=invalid_request")
    assert Grant.objects.count() == 0


FAULTS: dict[str, dict[str, Any]] = {
    "an unknown scope": {"scope": "openid nonsense"},
    "an unknown prompt": {"prompt": "nonsense"},
    "no nonce": {"nonce": None},
    "a bad resource": {"resource": "relative"},
    "an unknown mode": {"response_mode": "jwt"},
    "state twice": {"state": ["s", "s"]},
}


@spec("OAuth 2.0 Multiple Response Types", "5")
@pytest.mark.parametrize("mode", [None, "query", "fragment", "form_post"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("response_type", ["id_token", "code id_token"])
def test_a_refusal_travels_where_the_tokens_would_have(legacy, response_type, fault, mode):
    answer = ask(legacy, response_type, **{"response_mode": mode, **FAULTS[fault]})

    if mode == "form_post" and "response_mode" not in FAULTS[fault]:
        assert form_fields(answer)["error"]
    else:
        assert answer.location.startswith(f"{CALLBACK}#error=")
        assert urlsplit(answer.location).query == ""


@spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize("response_type", FIELDS)
def test_a_silent_request_is_refused_in_the_fragment(openid_app, response_type, db):
    openid_app.flows = ["AuthorizationCode", "Implicit"]
    openid_app.save()
    stranger = Journey(openid_app, client_id=openid_app.openid_client_id)

    answer = ask(stranger, response_type, prompt="none")

    assert answer.location.startswith(f"{CALLBACK}#error=login_required")


def test_who_lacks_the_run_right_gets_no_token(legacy):
    legacy.application.permissions.all().delete()
    make_user("eve")

    answer = ask(legacy, "id_token token")

    assert answer.location.startswith(f"{CALLBACK}#error=access_denied")


@pytest.mark.parametrize("response_type", FIELDS)
def test_a_wrong_redirect_uri_is_a_page_whatever_is_asked(legacy, response_type):
    answer = ask(legacy, response_type, redirect_uri="https://evil.example/")

    assert (answer.status, answer.location) == (400, "")


@spec("OAuth 2.0 Form Post Response Mode", "5")
def test_an_apps_own_scheme_takes_no_form_and_gets_its_refusal_in_the_fragment(ada):
    uri = "com.example.app:/back"
    made = make_application(
        application_id="native", redirect_uris=[uri], flows=["AuthorizationCode", "Implicit"]
    )
    journey = Journey(made, redirect_uri=uri).log_in(ada)

    assert journey.authorize(response_type="token", response_mode="form_post").location.startswith(
        f"{uri}#error=invalid_request"
    )
    assert journey.authorize(response_type="token").location.startswith(f"{uri}#responseType=token")


# --- PKCE ---------------------------------------------------------------------------------------


@spec("RFC 9700", "2.1.1")
@pytest.mark.parametrize("response_type", HYBRID)
def test_a_hybrid_code_needs_its_challenge(legacy, response_type):
    answer = ask(legacy, response_type, **NO_CHALLENGE)

    assert answer.location.startswith(f"{CALLBACK}#error=invalid_request")
    assert "code_challenge" in answer.query["error_description"]


@spec("RFC 7636", "4.3")
@pytest.mark.parametrize("response_type", IMPLICIT)
def test_where_no_code_is_asked_for_no_challenge_is_needed(legacy, response_type):
    assert ask(legacy, response_type, **NO_CHALLENGE).error is None
    assert ask(legacy, response_type, code_challenge="short").error == "invalid_request"


@spec("OAuth 2.0 Multiple Response Types", "5")
def test_the_journey_through_sign_in_and_consent_ends_in_the_fragment(openid_app, ada):
    openid_app.flows, openid_app.requires_consent = ["AuthorizationCode", "Implicit"], True
    openid_app.save()
    journey = Journey(openid_app, client_id=openid_app.openid_client_id)

    owed = ask(journey, "code id_token token", state="s t/ä&code=x")
    answer = journey.decide(journey.sign_in(owed, "ada"))

    fields = parse_qsl(urlsplit(answer.location).fragment, strict_parsing=True)
    assert fields[0] == ("state", "s t/ä&code=x")
    assert fields[-1][0] == "code"
    assert urlsplit(answer.location).query == ""
