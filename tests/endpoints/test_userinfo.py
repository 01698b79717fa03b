"""UserInfo, over HTTP: which tokens it takes, how, and what it tells."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import AccessToken, Grant, RevokedToken, SigningKey, Subject
from oidc_pkce.protocol import jwk
from tests.fixtures import make_user
from tests.journeys import (
    FORM,
    SECRET,
    Answer,
    Browser,
    Journey,
    last_trace,
    make_application,
    make_service_user,
)
from tests.spec import spec


def b64(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def sign(header: dict[str, Any], claims: dict[str, Any], key: Any = None) -> str:
    """Sign whatever header and claims with a real key of ours, or with a foreign one."""
    key = key or keys.signer("RS256", timezone.now()).private_key
    content = f"{b64(header)}.{b64(claims)}"
    return f"{content}.{b64(key.sign(content.encode(), PKCS1v15(), SHA256()))}"


def refused(answer: Answer) -> None:
    """A 401 that names no reason beyond invalid_token."""
    assert answer.status == 401
    assert answer.response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert answer.json["error"] == "invalid_token"
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert "sub" not in answer.json


@pytest.fixture
def token(signed_in: Journey) -> str:
    return str(signed_in.tokens()["access_token"])


@pytest.fixture
def header(token: str) -> dict[str, Any]:
    return dict(jwt.get_unverified_header(token))


# --- what it tells ------------------------------------------------------------------------------


@spec("OpenID Connect Core", "5.3.2")
def test_any_valid_access_token_is_served_also_one_without_openid(signed_in, token):
    answer = signed_in.userinfo(token)

    assert answer.status == 200
    assert set(answer.json) == {"sub", "aud", "unique_name", "auth_time"}
    assert answer.json["sub"] == claims_of(token)["sub"]
    assert (answer.json["aud"], answer.json["unique_name"]) == ("my_service_user", "ada")
    assert isinstance(answer.json["auth_time"], int)
    assert answer.response.headers["Cache-Control"] == "no-store"


@spec("OpenID Connect Core", "5.4")
@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", set()),
        ("profile", {"name", "given_name", "family_name", "preferred_username"}),
        ("openid email", {"email", "email_verified"}),
        ("phone address offline_access", set()),
    ],
)
def test_claims_follow_the_granted_scopes(openid, scope, claims):
    members = openid.userinfo(openid.tokens(scope=scope)["access_token"]).json

    assert set(members) == {"sub", "aud", "unique_name", "auth_time", *claims}
    assert members.get("email_verified", False) is False


@spec("OpenID Connect Core", "5.3.2")
def test_empty_claims_are_left_out(openid, bob):
    openid.browser.force_login(bob)
    members = openid.userinfo(openid.tokens(scope="profile email")["access_token"]).json

    assert set(members) == {"sub", "aud", "unique_name", "auth_time", "preferred_username"}


@spec("OpenID Connect Core", "5.3.2")
def test_sub_is_that_of_the_id_token(openid):
    tokens = openid.tokens(scope="openid")

    subject = openid.userinfo(tokens["access_token"]).json["sub"]
    assert subject == claims_of(tokens["id_token"])["sub"]


# --- how a token is sent ------------------------------------------------------------------------


@spec("RFC 6750", "2")
@spec("OpenID Connect Core", "5.3.1")
def test_a_token_is_taken_from_the_header_a_form_or_json(signed_in, token):
    url, bearer = signed_in.url("UserInfo"), {"Authorization": f"Bearer {token}"}
    browser = Browser()

    for response in (
        browser.get(url, headers=bearer),
        browser.get(url, headers={"Authorization": f"bEARER {token}"}),
        browser.post(url, b"", content_type=FORM, headers=bearer),
        browser.post(url, b"", content_type="application/json", headers=bearer),
        browser.post(url, b"{}", content_type="application/json", headers=bearer),
        browser.post(url, headers=bearer),
        browser.post(url, f"access_token={token}", content_type=FORM),
        browser.post(url, {"access_token": token}, content_type="application/json"),
    ):
        assert response.status_code == 200


@spec("RFC 6750", "3")
@spec("RFC 6750", "3.1")
def test_a_missing_token_is_a_401_with_a_bare_challenge(signed_in, token):
    url = signed_in.url("UserInfo")
    browser = Browser()

    for response in (
        browser.get(url),
        browser.post(url),
        browser.get(url, headers={"Authorization": "Bearer"}),
        browser.get(url, headers={"Authorization": "Bearer   "}),
        browser.get(url, headers={"Authorization": f"Basic {token}"}),
        browser.post(url, {"access_token": [token]}, content_type="application/json"),
        browser.post(url, [token], content_type="application/json"),
    ):
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"


@spec("RFC 6750", "2.3")
def test_a_token_in_the_url_is_not_looked_at(signed_in, token):
    answer = signed_in.raw("UserInfo", f"access_token={token}")

    assert answer.status == 401
    assert answer.response.headers["WWW-Authenticate"] == "Bearer"


@spec("RFC 6750", "2")
def test_a_token_that_is_sent_twice_is_refused(signed_in, token):
    url, bearer = signed_in.url("UserInfo"), {"Authorization": f"Bearer {token}"}
    field = f"access_token={token}"

    for response in (
        Browser().post(url, field, content_type=FORM, headers=bearer),
        Browser().post(url, f"{field}&{field}", content_type=FORM),
    ):
        assert response.status_code == 400
        assert response.json()["error"] == "invalid_request"


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff", b"[]", b"nul"])
def test_a_body_that_is_no_json_is_no_crash(signed_in, body):
    response = Browser().post(signed_in.url("UserInfo"), body, content_type="application/json")

    assert response.status_code in {400, 401}


def test_the_browsers_session_gives_no_right_here(signed_in):
    assert Answer(signed_in.browser.get(signed_in.url("UserInfo"))).status == 401


# --- which tokens -------------------------------------------------------------------------------


@spec("RFC 6750", "3.1")
@pytest.mark.parametrize("text", ["x", "a.b.c", "...", ".", "x" * 100_000, "é", "a" * 43, "a.b"])
def test_a_text_that_is_no_token_is_refused(signed_in, text):
    refused(signed_in.userinfo(text))


@spec("RFC 7515", "5.2")
def test_every_flipped_character_and_every_cut_is_refused(signed_in, token):
    for at in range(len(token)):
        flipped = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert signed_in.userinfo(flipped).status == 401, at
    for at in range(1, len(token), 5):
        assert signed_in.userinfo(token[:at]).status == 401, at
        assert signed_in.userinfo(token[at:]).status == 401, at


@spec("RFC 7515", "5.2")
@pytest.mark.parametrize("tail", ["=", "A", ".", ".A", " x", "\u00a0"])
def test_nothing_may_stand_behind_a_token(signed_in, token, tail):
    refused(signed_in.userinfo(token + tail))


@spec("RFC 8725", "3.1")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", "AA"])
def test_an_unsigned_token_is_refused(signed_in, token, header, alg, signature):
    forged = f"{b64({**header, 'alg': alg})}.{b64(claims_of(token))}.{signature}"

    refused(signed_in.userinfo(forged))


@spec("RFC 8725", "2.1")
def test_hs256_with_the_public_key_is_refused(signed_in, token, header):
    public = keys.signer("RS256", timezone.now()).private_key.public_key()
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    content = f"{b64({**header, 'alg': 'HS256'})}.{b64(claims_of(token))}"
    for key in (pem, pem.strip(), keys.jwks(timezone.now())):
        signature = hmac.new(key, content.encode(), hashlib.sha256).digest()
        refused(signed_in.userinfo(f"{content}.{b64(signature)}"))


@spec("RFC 8725", "3.10")
@pytest.mark.parametrize(
    "member", ["jwk", "jku", "x5u", "x5c", "x5t", "crit", "b64", "cty", "zip", "whatever"]
)
def test_a_header_that_brings_its_own_key_or_rules_is_refused(signed_in, token, header, member):
    foreign = jwk.generate("RS256")
    public = jwk.public_jwk(foreign, kid="mine", algorithm="RS256")
    values: dict[str, Any] = {"jwk": public, "crit": ["exp"], "b64": False, "x5c": ["AA=="]}
    value = values.get(member, "https://evil.example/keys")

    for kid in (header["kid"], "mine"):
        evil = {**header, "kid": kid, member: value}
        refused(signed_in.userinfo(sign(evil, claims_of(token), foreign)))
    refused(signed_in.userinfo(sign({**header, member: value}, claims_of(token))))


@spec("RFC 8725", "3.11")
@pytest.mark.parametrize("typ", ["ID", "logout+jwt", "at+jwt+x", "jwt", "", None, 7])
def test_a_token_of_another_type_is_refused(signed_in, token, header, typ):
    refused(signed_in.userinfo(sign({**header, "typ": typ}, claims_of(token))))


@spec("RFC 8725", "3.2")
@pytest.mark.parametrize("kid", ["unknown", "", None, "../../etc/passwd", "' or 1=1 --", 7])
def test_a_token_of_an_unknown_key_is_refused(signed_in, token, header, kid):
    refused(signed_in.userinfo(sign({**header, "kid": kid}, claims_of(token))))


@spec("RFC 8725", "3.1")
def test_the_header_cannot_choose_another_algorithm_of_the_same_key(signed_in, token, header):
    for alg in ("PS256", "RS384", "RS512", "ES256", "EdDSA", "rs256"):
        refused(signed_in.userinfo(sign({**header, "alg": alg}, claims_of(token))))


@spec("RFC 9068", "4")
def test_a_foreign_key_is_refused_under_our_name(signed_in, token, header):
    refused(signed_in.userinfo(sign(header, claims_of(token), jwk.generate("RS256"))))


@spec("RFC 9068", "5")
def test_an_id_token_is_no_access_token(openid):
    tokens = openid.tokens(scope="openid", nonce="n")

    refused(openid.userinfo(tokens["id_token"]))
    assert openid.userinfo(tokens["access_token"]).status == 200


@spec("RFC 9068", "4")
def test_another_applications_token_is_refused(signed_in, token, openid, ada):
    other = Journey(make_application(application_id="other")).log_in(ada)
    twin = make_application(application_id="twin")
    twin.issuer = "https://id.example.com/my_app/"  # no form lets this pass
    twin.save()
    same_issuer = Journey(twin).log_in(ada)

    for stranger in (openid, other, same_issuer):
        refused(stranger.userinfo(token))
        theirs = stranger.tokens()["access_token"]
        refused(signed_in.userinfo(theirs))
        assert stranger.userinfo(theirs).status == 200


@spec("RFC 9068", "4")
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": 1},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [9999999999]},
        {"nbf": 9999999999},
        {"iss": "https://evil.example/"},
        {"iss": None},
        {"iss": "https://id.example.com/my_app"},
        {"app_id": "other"},
        {"app_id": None},
        {"scope": None},
        {"scope": ["openid"]},
        {"client_id": None},
        {"jti": None},
        {"jti": "x"},
        {"gid": None},
        {"gid": "x"},
        {"gid": "0123456789abcdef0123456789abcdef"},
        {"gid": {"a": 1}},
    ],
    ids=str,
)
def test_each_claim_must_be_right_even_under_our_signature(signed_in, token, header, changes):
    claims = {**claims_of(token), **changes}

    refused(signed_in.userinfo(sign(header, {k: v for k, v in claims.items() if v is not None})))


@spec("RFC 9068", "4")
def test_a_token_expires_to_the_second(signed_in, token, header):
    claims = claims_of(token)

    refused(signed_in.userinfo(sign(header, {**claims, "exp": int(time.time())})))
    assert signed_in.userinfo(sign(header, {**claims, "exp": int(time.time()) + 60})).status == 200


@spec("RFC 7009", "2.1")
def test_a_revoked_grant_and_a_single_revoked_token_are_refused(signed_in, token):
    another = signed_in.tokens()["access_token"]
    jti = uuid.UUID(hex=claims_of(token)["jti"])
    RevokedToken.objects.create(jti=jti, expires_at=timezone.now() + timedelta(hours=5))

    refused(signed_in.userinfo(token))
    assert signed_in.userinfo(another).status == 200
    Grant.objects.all().revoke(timezone.now())
    refused(signed_in.userinfo(another))


@spec("RFC 9068", "4")
@pytest.mark.parametrize("kind", ["JwtES256", "JwtEdDSA", "JwtPS256", "Opaque"])
def test_every_token_type_is_taken_back(signed_in, list_app, kind):
    list_app.token_type = kind
    list_app.save()
    token = signed_in.tokens()["access_token"]

    assert signed_in.userinfo(token).json["unique_name"] == "ada"
    refused(signed_in.userinfo(token[:-2] + ("AA" if token[-2:] != "AA" else "BB")))


@spec("RFC 6749", "10.3")
def test_an_opaque_token_is_kept_as_its_digest_and_obeys_the_same_rules(signed_in, list_app, ada):
    list_app.token_type = "Opaque"
    list_app.save()
    code = signed_in.authorize().code
    token = signed_in.redeem(code).json["access_token"]
    other = Journey(make_application(application_id="other", token_type="Opaque")).log_in(ada)

    assert bytes(AccessToken.objects.get().digest) == hashlib.sha256(token.encode()).digest()
    refused(other.userinfo(token))
    signed_in.redeem(code)
    refused(signed_in.userinfo(token))
    fresh = signed_in.tokens()["access_token"]
    AccessToken.objects.update(expires_at=timezone.now())
    refused(signed_in.userinfo(fresh))


@spec("RFC 6750", "3.1")
def test_the_trace_tells_why_and_the_answer_does_not(signed_in, token):
    Grant.objects.all().revoke(timezone.now())
    answer = signed_in.userinfo(token)

    assert last_trace().outcomes[-1]["detail"].startswith("the grant is revoked")
    assert "revoked" not in answer.html
    assert answer.json["request_id"] == last_trace().request_id


def test_an_unknown_application_is_a_404_in_json(db):
    answer = Answer(Browser().get("/OAuth2/UserInfo/nowhere"))

    assert (answer.status, answer.json["error"]) == (404, "invalid_request")


@spec("RFC 7517", "5")
def test_a_token_signed_by_a_key_that_this_process_has_not_seen_is_served(openid, openid_app):
    """Another worker may have made the key a moment ago."""
    token = openid.tokens(scope="openid")["access_token"]
    keys.clear()
    SigningKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    keys.ring(timezone.now())  # this process knows only a newer key
    SigningKey.objects.update(expires_at=None)

    assert openid.userinfo(token).status == 200


@spec("RFC 6750", "3.1")
def test_a_client_that_was_taken_off_the_list_is_served_no_more(signed_in, list_app):
    token = signed_in.tokens()["access_token"]
    list_app.client_ids = ["another"]
    list_app.save()

    refused(signed_in.userinfo(token))


@spec("RFC 6750", "3.1")
@pytest.mark.parametrize("kind", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize("also_the_user", [False, True])
def test_a_client_that_is_no_service_user_any_more_is_served_no_more(
    confidential, robot, kind, also_the_user
):
    confidential.application.token_type = kind
    confidential.application.save()
    token = confidential.tokens()["access_token"]
    assert confidential.userinfo(token).status == 200

    (robot.user if also_the_user else robot).delete()

    refused(confidential.userinfo(token))
    assert last_trace().failed_check == "bearer.client"


@spec("RFC 6749", "10.16")
@pytest.mark.parametrize("has_a_subject", [False, True])
def test_a_clients_own_token_is_not_inherited_with_its_name(confidential, robot, has_a_subject):
    confidential.application.flows = ["AuthorizationCode", "ClientCreds"]
    confidential.application.save()
    credentials = {"client_id": "robot", "client_secret": SECRET}
    answer = confidential.post("Token", {"grant_type": "client_credentials", **credentials})
    token = answer.json["access_token"]
    assert confidential.userinfo(token).status == 200

    robot.user.delete()
    heir = make_service_user(make_user("robot"), SECRET)
    if has_a_subject:
        Subject.objects.create(user=heir.user)

    refused(confidential.userinfo(token))
    assert last_trace().failed_check == "bearer.token"


@spec("RFC 8259", "4")
def test_a_member_that_is_named_twice_is_refused(signed_in, token):
    body = f'{{"access_token": "other", "access_token": "{token}"}}'

    answer = signed_in.browser.post(
        signed_in.url("UserInfo"), body, content_type="application/json"
    )

    assert answer.status_code == 400
