"""Usage: what granted requests used is counted, feature by feature."""

from __future__ import annotations

import pytest

from oidc_pkce.flows import usage
from oidc_pkce.models import Application, Usage
from oidc_pkce.protocol import jose, jwk
from tests.journeys import CALLBACK, basic, give_secret


def counted(application: Application) -> dict[tuple[str, str], int]:
    """By feature and value, summed over the clients."""
    found: dict[tuple[str, str], int] = {}
    for row in usage.of(application.pk):
        key = (row.feature, row.value)
        found[key] = found.get(key, 0) + row.count
    return found


def test_a_code_flow_is_counted_feature_by_feature(signed_in):
    signed_in.tokens()

    assert counted(signed_in.application) == {
        ("algorithm", "RS256"): 1,
        ("client_authentication", "none"): 1,
        ("code_challenge", "S256"): 1,
        ("grant_type", "authorization_code"): 1,
        ("redirect_uri", "loopback"): 1,
        ("request_object", "none"): 1,
        ("resource", "none"): 2,
        ("response_mode", "query"): 1,
        ("response_type", "code"): 1,
    }
    row = usage.of(signed_in.application.pk)[0]
    assert row.client_id == "my_service_user"
    assert row.first_seen_at == row.last_seen_at


def test_what_is_refused_is_not_counted(signed_in):
    signed_in.authorize(redirect_uri="https://evil.example/")
    signed_in.authorize(scope="unknown")
    signed_in.redeem("wrong")

    assert Usage.objects.count() == 0
    assert counted(signed_in.application) == {}


def test_a_sign_in_page_that_is_only_shown_is_not_counted(journey, ada):
    asked = journey.authorize()
    assert counted(journey.application) == {}

    assert journey.sign_in(asked, "ada").code

    assert counted(journey.application)["response_type", "code"] == 1


def test_consent_is_counted_when_it_is_given(asking):
    asked = asking.authorize(scope="read")
    assert asking.decide(asked, "0").error == "access_denied"
    assert counted(asking.application) == {}

    assert asking.decide(asking.authorize(scope="read")).code

    assert counted(asking.application)["code_challenge", "S256"] == 1


@pytest.mark.parametrize(
    ("changes", "feature", "value"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "code_challenge", "none"),
        ({"code_challenge": "v" * 43, "code_challenge_method": "plain"}, "code_challenge", "plain"),
        ({"response_mode": "form_post"}, "response_mode", "form_post"),
        ({"response_type": "token"}, "response_type", "token"),
        ({"response_type": "token code"}, "response_type", "code token"),
        ({"resource": "https://api.example.com/"}, "resource", "named"),
        ({"redirect_uri": "app.example:/back"}, "redirect_uri", "custom"),
        ({"redirect_uri": "https://app.example/back"}, "redirect_uri", "https"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_way_of_asking_is_told_apart(signed_in, changes, feature, value):
    application = signed_in.application
    application.requires_pkce, application.allows_plain_pkce = False, True
    application.flows = ["AuthorizationCode", "Implicit"]
    application.redirect_uris = [CALLBACK, "app.example:/back", "https://app.example/back"]
    application.save()

    signed_in.authorize(**changes)

    assert counted(application)[feature, value] == 1


def test_a_token_without_a_code_has_no_challenge_but_an_algorithm(signed_in):
    application = signed_in.application
    application.flows = ["Implicit"]
    application.token_type = "JwtES256"
    application.save()

    signed_in.authorize(response_type="token")

    found = counted(application)
    assert found["algorithm", "ES256"] == 1
    assert not [value for feature, value in found if feature == "code_challenge"]


def test_the_algorithm_of_a_request_object_outlives_the_sign_in(journey, ada):
    key = jose.SigningKey("k", "ES256", jwk.generate("ES256"))
    application = journey.application
    public = jwk.public_jwk(key.private_key, kid="k", algorithm="ES256")
    application.client_jwks = {"keys": [public]}
    application.save()
    claims = {**journey.parameters(), "iss": journey.client_id}

    asked = journey.authorize(request=jose.sign(claims, key, typ="JWT"))
    assert journey.sign_in(asked, "ada").code

    assert counted(application)["request_object", "ES256"] == 1


@pytest.mark.parametrize("way", ["basic", "post"])
def test_how_a_client_proved_itself_is_told_apart(openid, way):
    give_secret(openid.application, "a-secret-of-the-openid-application-00000000")
    secret = "a-secret-of-the-openid-application-00000000"
    code = openid.authorize().code
    if way == "basic":
        openid.redeem(code, client_id=None, headers=basic(openid.client_id, secret))
    else:
        openid.redeem(code, client_secret=secret)

    assert counted(openid.application)["client_authentication", way] == 1


def test_an_opaque_token_is_told_apart_and_a_refresh_says_nothing_of_resources(signed_in):
    application = signed_in.application
    application.token_type, application.issues_refresh_tokens = "Opaque", True
    application.save()

    signed_in.refresh(signed_in.tokens()["refresh_token"])

    found = counted(application)
    assert found["algorithm", "Opaque"] == 2
    assert found["grant_type", "refresh_token"] == 1
    assert found["resource", "none"] == 2  # at Authorize and with the code
