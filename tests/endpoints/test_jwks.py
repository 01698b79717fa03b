"""The key set: every key that a client may need, and nothing private."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import SigningKey
from oidc_pkce.protocol import jwk
from oidc_pkce.testing import clear_caches
from tests.journeys import Browser
from tests.spec import spec

URL = "/OAuth2/Keys/my_app"


@spec("RFC 7517", "5")
def test_the_first_use_makes_a_key_and_no_command_is_needed(list_app):
    assert SigningKey.objects.count() == 0

    (key,) = Browser().get(URL).json()["keys"]

    assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    assert key["kid"] == jwk.thumbprint(key)
    assert SigningKey.objects.count() == 1


@spec("RFC 7517", "9.2")
def test_nothing_private_is_published(list_app):
    for app_type in ("JwtRS256", "JwtES256", "JwtEdDSA", "JwtPS256"):
        list_app.token_type = app_type
        list_app.save()
        clear_caches()
        for key in Browser().get(URL).json()["keys"]:
            assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(key)
    assert len(Browser().get(URL).json()["keys"]) == 4
    for row in SigningKey.objects.all():
        assert "PRIVATE KEY" not in row.private_key


@spec("RFC 7517", "5")
def test_get_and_post_answer_the_same(list_app):
    assert Browser().post(URL).content == Browser().get(URL).content
    assert Browser().get(URL).headers["Content-Type"] == "application/json"


@spec("RFC 7515", "4.1.4")
@pytest.mark.parametrize("kind", ["JwtRS256", "JwtES256", "JwtEdDSA", "JwtPS256"])
def test_a_token_verifies_against_the_published_key_of_its_kid(signed_in, list_app, kind):
    list_app.token_type = kind
    list_app.save()
    token = signed_in.tokens()["access_token"]
    published = {key["kid"]: key for key in Browser().get(URL).json()["keys"]}
    key = published[jwt.get_unverified_header(token)["kid"]]

    claims = jwt.decode(token, jwt.PyJWK(key), algorithms=[key["alg"]], audience="my_service_user")
    assert claims["unique_name"] == "ada"
    assert f"Jwt{key['alg']}" == kind


@spec("OpenID Connect Core", "10.1.1")
def test_a_rotated_key_is_published_before_it_signs_and_after_it_signed(signed_in, settings):
    old = signed_in.tokens()["access_token"]
    now = timezone.now()
    made = keys.rotate("RS256", now)
    clear_caches()

    kids = [key["kid"] for key in Browser().get(URL).json()["keys"]]
    assert kids == [jwt.get_unverified_header(old)["kid"], made.kid]
    still = signed_in.tokens()["access_token"]
    assert jwt.get_unverified_header(still)["kid"] != made.kid
    SigningKey.objects.filter(pk=made.pk).update(signs_from=now - timedelta(seconds=1))
    clear_caches()
    new = signed_in.tokens()["access_token"]
    assert jwt.get_unverified_header(new)["kid"] == made.kid
    assert signed_in.userinfo(old).status == 200


@spec("OpenID Connect Core", "10.1.1")
def test_an_emergency_rotation_ends_what_the_old_key_signed(signed_in):
    old = signed_in.tokens()["access_token"]
    keys.rotate("RS256", timezone.now(), emergency=True)
    clear_caches()

    assert len(Browser().get(URL).json()["keys"]) == 1
    assert signed_in.userinfo(old).status == 401
    assert signed_in.userinfo(signed_in.tokens()["access_token"]).status == 200


def test_a_key_that_cannot_be_decrypted_does_not_stop_the_others(signed_in, settings):
    old = signed_in.tokens()["access_token"]
    now = timezone.now()
    good = keys.rotate("RS256", now, emergency=True)
    SigningKey.objects.create(
        algorithm="RS256",
        generation=99,
        kid="damaged",
        public_jwk=good.public_jwk | {"kid": "damaged"},
        private_key="gAAAA-not-a-key",
        created_at=now,
        signs_from=now - timedelta(seconds=1),
    )
    clear_caches()

    assert signed_in.userinfo(old).status == 401
    assert signed_in.userinfo(signed_in.tokens()["access_token"]).status == 200


def test_a_request_that_began_before_the_first_key_was_made_makes_no_second_one(db):
    now = timezone.now()
    made = keys.signer("RS256", now)
    clear_caches()

    assert keys.signer("RS256", now - timedelta(seconds=1)).kid == made.kid
    assert SigningKey.objects.count() == 1
