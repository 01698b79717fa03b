"""Signed authorization requests: what the object says counts, and nothing of a bad one does."""

from __future__ import annotations

import base64
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from django.utils import timezone

from oidc_pkce.models import Application, Grant
from oidc_pkce.protocol import jose, jwk, request_object
from tests.fixtures import make_user
from tests.journeys import CALLBACK, Answer, Browser, Journey, last_trace, make_application
from tests.spec import spec

STRICT = "oauth-authz-req+jwt"
ISSUER = "https://id.example.com/portal/"
CLIENT = "0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11"
SECOND = "https://app.example.com/second"
EVIL = "https://evil.example/"

KEYS = {alg: jose.SigningKey(f"k-{alg}", alg, jwk.generate(alg)) for alg in jwk.ALGORITHMS}
STRANGER = jose.SigningKey("k-RS256", "RS256", jwk.generate("RS256"))
PUBLIC = {
    "keys": [
        jwk.public_jwk(KEYS[a].private_key, kid=f"k-{a}", algorithm=a)
        for a in ("RS256", "ES256", "PS256")
    ]
}


def sign(claims: dict[str, Any], key: str = "RS256", *, typ: str | None = "JWT") -> str:
    return jose.sign(claims, KEYS[key], typ=typ)


def forge(header: dict[str, Any], claims: dict[str, Any], key: Any = KEYS["RS256"]) -> str:
    """Any header at all above a signature that is right."""
    parts = [jwk.encode(json.dumps(part).encode()) for part in (header, claims)]
    signed = ".".join(parts)
    return f"{signed}.{signature_of(signed, key)}"


def signature_of(signed: str, key: jose.SigningKey) -> str:
    signer = jose._SIGNERS[key.algorithm]
    return jwk.encode(signer.sign(signed.encode(), key.private_key))


@pytest.fixture
def signing(openid: Journey) -> Journey:
    """The OpenID Connect application, which knows its client's keys; Ada is signed in."""
    application = openid.application
    application.client_jwks = PUBLIC
    application.redirect_uris = [CALLBACK, SECOND]
    application.save()
    return openid


def inside(journey: Journey, **changes: Any) -> dict[str, Any]:
    """The claims of an object that holds the whole request."""
    claims = {
        **journey.parameters(scope="openid email", state="inside", nonce="n-inside"),
        "iss": journey.client_id,
        "aud": ISSUER,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def send(journey: Journey, token: str, **outside: Any) -> Answer:
    """A request that carries little beside the object; ``None`` leaves a parameter out."""
    little = {"code_challenge": None, "code_challenge_method": None}
    return journey.authorize(**{"request": token, **little, **outside})


def alone(journey: Journey, token: str) -> Answer:
    """A request that is nothing but ``client_id`` and the object (RFC 9101 §5)."""
    return send(journey, token, response_type=None, redirect_uri=None)


def is_page(answer: Answer) -> bool:
    return answer.status == 400 and not answer.location and "<html" in answer.html


# --- what is inside counts ----------------------------------------------------------------------


@spec("OpenID Connect Core", "6.1")
@spec("RFC 9101", "5.1")
@pytest.mark.parametrize("typ", [None, "JWT", STRICT])
@pytest.mark.parametrize("key", request_object.ALGORITHMS)
def test_a_whole_request_travels_in_an_object(signing, key, typ):
    answer = alone(signing, sign(inside(signing), key, typ=typ))
    tokens = signing.redeem(answer.code).json

    assert answer.query["state"] == "inside"
    assert tokens["scope"] == "openid email"
    claims = jwt.decode(tokens["id_token"], options={"verify_signature": False})
    assert claims["nonce"] == "n-inside"


RFC_9101_KEY = {
    "kty": "RSA",
    "kid": "k2bdc",
    "alg": "RS256",
    "n": "x5RbkAZkmpRxia65qRQ1wwSMSxQUnS7gcpVTV_cdHmfmG2ltd2yabEO9XadD8"
    "pJNZubINPpmgHh3J1aD9WRwS05ucmFq3CfFsluLt13_7oX5yDRSKX7poXmT_5"
    "ko8k4NJZPMAO8fPToDTH7kHYbONSE2FYa5GZ60CUsFhSonI-dcMDJ0Ary9lxI"
    "w5k2z4TAdARVWcS7sD07VhlMMshrwsPHBQgTatlkxyIHXbYdtak8fqvNAwr7O"
    "lVEvM_Ipf5OfmdB8Sd-wjzaBsyP4VhJKoi_qdgSzpC694XZeYPq45Sw-q51iF"
    "UlcOlTCI7z6jltUtnR6ySn6XDGFnzH5Fe5ypw",
    "e": "AQAB",
}
RFC_9101_OBJECT = (
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsyYmRjIn0.ewogICAgImlzcyI6ICJzNkJoZF"
    "JrcXQzIiwKICAgICJhdWQiOiAiaHR0cHM6Ly9zZXJ2ZXIuZXhhbXBsZS5jb20iLAog"
    "ICAgInJlc3BvbnNlX3R5cGUiOiAiY29kZSBpZF90b2tlbiIsCiAgICAiY2xpZW50X2"
    "lkIjogInM2QmhkUmtxdDMiLAogICAgInJlZGlyZWN0X3VyaSI6ICJodHRwczovL2Ns"
    "aWVudC5leGFtcGxlLm9yZy9jYiIsCiAgICAic2NvcGUiOiAib3BlbmlkIiwKICAgIC"
    "JzdGF0ZSI6ICJhZjBpZmpzbGRraiIsCiAgICAibm9uY2UiOiAibi0wUzZfV3pBMk1q"
    "IiwKICAgICJtYXhfYWdlIjogODY0MDAKfQ.Nsxa_18VUElVaPjqW_ToI1yrEJ67BgK"
    "b5xsuZRVqzGkfKrOIX7BCx0biSxYGmjK9KJPctH1OC0iQJwXu5YVY-vnW0_PLJb1C2"
    "HG-ztVzcnKZC2gE4i0vgQcpkUOCpW3SEYXnyWnKzuKzqSb1wAZALo5f89B_p6QA6j6"
    "JwBSRvdVsDPdulW8lKxGTbH82czCaQ50rLAg3EYLYaCb4ik4I1zGXE4fvim9FIMs8O"
    "CMmzwIB5S-ujFfzwFjoyuPEV4hJnoVUmXR_W9typPf846lGwA8h9G9oNTIuX8Ft2jf"
    "pnZdFmLg3_wr3Wa5q3a-lfbgF3S9H_8nN3j1i7tLR_5Nz-g"
)


@spec("RFC 9101", "4")
def test_the_example_of_the_specification_is_answered(ada):
    made = make_application(
        issuer="https://server.example.com",
        client_ids=["s6BhdRkqt3"],
        redirect_uris=["https://client.example.org/cb"],
        client_jwks={"keys": [RFC_9101_KEY]},
        flows=["AuthorizationCode", "Implicit"],
        requires_pkce=False,
    )
    made.scopes.create(name="openid")
    client = Journey(made, client_id="s6BhdRkqt3").log_in(ada)

    answer = alone(client, RFC_9101_OBJECT)

    assert answer.location.startswith("https://client.example.org/cb#state=af0ifjsldkj&")
    claims = jwt.decode(answer.query["id_token"], options={"verify_signature": False})
    assert claims["nonce"] == "n-0S6_WzA2Mj"


@spec("RFC 9101", "10.8")
@pytest.mark.parametrize("key", request_object.ALGORITHMS)
def test_an_object_that_another_library_made_is_understood(signing, key):
    token = jwt.encode(
        inside(signing, exp=int(time.time()) + 300, max_age=3600),
        KEYS[key].private_key,  # type: ignore[arg-type]
        algorithm=key,
        headers={"kid": f"k-{key}", "typ": STRICT},
    )

    assert alone(signing, token).code


@spec("OpenID Connect Core", "6.1")
def test_an_object_may_be_posted(signing):
    token = sign(inside(signing))

    assert send(signing, token, method="post").query["state"] == "inside"


@spec("OpenID Connect Core", "6.1")
def test_what_is_inside_supersedes_what_is_outside(signing):
    token = sign(inside(signing, redirect_uri=SECOND))

    answer = send(signing, token, state="outside", scope="openid phone", redirect_uri=CALLBACK)

    assert answer.location.startswith(f"{SECOND}?state=inside&")
    assert Grant.objects.get().scope == "openid email"


@spec("OpenID Connect Core", "6.1")
def test_where_the_object_is_silent_what_is_outside_counts(signing):
    token = sign({"client_id": CLIENT, "scope": "openid"})

    answer = signing.authorize(request=token, state="outside", nonce="n", scope="openid phone")

    assert answer.query["state"] == "outside"
    assert (Grant.objects.get().scope, Grant.objects.get().nonce) == ("openid", "n")


@spec("RFC 9101", "6.3")
def test_beside_an_object_of_its_own_type_nothing_outside_counts(signing):
    token = sign(inside(signing, state=None, nonce=None, scope="openid"), typ=STRICT)

    answer = signing.authorize(
        request=token, state="outside", nonce="n", prompt="nonsense", resource="https://api.example"
    )

    assert "state" not in answer.query
    grant = Grant.objects.get()
    assert (grant.nonce, grant.scope, grant.resources) == ("", "openid", [])


@spec("RFC 9101", "6.3")
@pytest.mark.parametrize(
    ("missing", "error"),
    [("response_type", "invalid_request"), ("code_challenge", "invalid_request")],
)
def test_what_an_object_of_its_own_type_lacks_is_missing(signing, missing, error):
    token = sign(inside(signing, **{missing: None, "code_challenge_method": None}), typ=STRICT)

    assert signing.authorize(request=token).error == error


@spec("RFC 9101", "6.3")
def test_a_redirect_uri_outside_does_not_help_an_object_of_its_own_type(signing):
    token = sign(inside(signing, redirect_uri=None), typ=STRICT)

    assert is_page(signing.authorize(request=token))


@spec("OpenID Connect Core", "6.1")
@pytest.mark.parametrize("outside", [CALLBACK, EVIL, None])
@pytest.mark.parametrize("typ", ["JWT", STRICT])
def test_the_redirect_uri_inside_is_the_one_that_is_judged(signing, typ, outside):
    good = send(signing, sign(inside(signing, redirect_uri=SECOND), typ=typ), redirect_uri=outside)
    evil = send(signing, sign(inside(signing, redirect_uri=EVIL), typ=typ), redirect_uri=outside)

    assert good.location.startswith(f"{SECOND}?")
    assert is_page(evil)
    assert last_trace().failed_check == "authorize.redirect_uri"


@spec("OpenID Connect Core", "6.1")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "openid nonsense"}, "invalid_scope"),
        ({"response_type": "nonsense"}, "invalid_request_object"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": -1}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_mode": "jwt"}, "invalid_request"),
        ({"state": "x" * 4097}, "invalid_request"),
        ({"nonce": "n" * 2049}, "invalid_request"),
        ({"resource": "relative"}, "invalid_target"),
        ({"resource": ["https://a.example", "https://b.example/#x"]}, "invalid_target"),
        ({"state": "a\0b"}, "invalid_request"),
        ({"x" * 200: "1"}, "invalid_request"),
        ({f"p{n}": "1" for n in range(100)}, "invalid_request"),
        ({"response_type": "code token"}, "invalid_request_object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_inside_is_judged_like_any_other_request(signing, changes, error):
    answer = send(signing, sign(inside(signing, **changes)))

    assert answer.error == error
    assert answer.location.startswith(f"{CALLBACK}?")
    assert Grant.objects.count() == 0


@spec("OpenID Connect Core", "6.1")
def test_several_resources_and_a_number_of_seconds_are_understood(signing):
    resources = ["https://api.example/a", "urn:example:b"]
    token = sign(inside(signing, resource=resources, max_age=3600))

    assert alone(signing, token).code
    assert Grant.objects.get().resources == resources


@spec("OpenID Connect Core", "5.5")
@spec("OpenID Connect Core", "6.1")
def test_claims_inside_are_an_object_and_go_before_those_outside(signing):
    token = sign(inside(signing, scope="openid", claims={"id_token": {"email": None}}))
    outside = json.dumps({"id_token": {"family_name": None}})

    id_token = signing.redeem(send(signing, token, claims=outside).code).json["id_token"]

    claims = jwt.decode(id_token, options={"verify_signature": False})
    assert claims["email"] == "ada@example.com"
    assert "family_name" not in claims


@spec("OpenID Connect Core", "6.1")
def test_max_age_inside_asks_for_a_fresh_sign_in(signing):
    session = signing.browser.session
    session["oidc_pkce.auth_time"] -= 100
    session.save()

    assert "/OAuth2/Login/" in alone(signing, sign(inside(signing, max_age=50))).location
    assert alone(signing, sign(inside(signing, max_age=500))).code


@spec("OpenID Connect Core", "3.3.2.5")
def test_a_hybrid_request_travels_in_an_object_too(signing):
    signing.application.flows = ["AuthorizationCode", "Implicit"]
    signing.application.save()
    token = sign(inside(signing, response_type="code id_token", response_mode="fragment"))

    answer = send(signing, token, response_type="id_token code")

    assert answer.location.startswith(f"{CALLBACK}#state=inside&responseType=code%2C%20id_token&")


# --- the journey --------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[timedelta]:
    """Add to it, and requests arrive later."""
    late = [timedelta(0)]
    real = timezone.now
    monkeypatch.setattr("oidc_pkce.endpoints.base.timezone.now", lambda: real() + late[0])
    return late


@spec("RFC 9101", "6.3")
@pytest.mark.parametrize("typ", ["JWT", STRICT])
def test_an_object_may_expire_while_the_person_signs_in(signing, clock, typ):
    signing.application.requires_consent = True
    signing.application.save()
    signing.browser = Browser()
    now = int(time.time())
    token = sign(inside(signing, redirect_uri=SECOND, exp=now + 60, iat=now), typ=typ)

    owed = alone(signing, token)
    clock[0] = timedelta(minutes=20)
    answer = signing.decide(signing.sign_in(owed, "ada"))

    assert answer.location.startswith(f"{SECOND}?state=inside&")
    assert alone(signing, token).error == "page"
    assert last_trace().failed_check == "request_object.times"


@spec("OpenID Connect Core", "6.1")
def test_the_pages_of_the_journey_follow_the_object(signing):
    signing.browser = Browser()
    token = sign(
        inside(signing, redirect_uri=SECOND, login_hint="inside@example", ui_locales="de"),
        typ=STRICT,
    )

    owed = send(signing, token, login_hint="outside@example", ui_locales="en", redirect_uri=EVIL)
    page = signing.follow(owed)

    assert 'value="inside@example"' in page.html
    assert '<html lang="de"' in page.html
    assert "https://app.example.com" in page.response.headers["Content-Security-Policy"]
    assert "evil.example" not in page.response.headers["Content-Security-Policy"]


def test_the_ticket_holds_what_was_meant_and_no_object(signing):
    """A journey cannot be carried on with another object, for there is none in it."""
    signing.browser = Browser()
    token = sign(inside(signing))

    page = signing.follow(alone(signing, token))

    assert page.status == 200
    assert token not in page.html


# --- objects that are none ----------------------------------------------------------------------


@spec("OpenID Connect Core", "6.1")
def test_without_registered_keys_objects_are_not_supported(openid):
    token = sign(inside(openid))

    assert send(openid, token).error == "request_not_supported"
    assert is_page(alone(openid, token))
    assert last_trace().failed_check == "authorize.request_object"
    assert Grant.objects.count() == 0


@spec("OpenID Connect Core", "6.2")
def test_request_uri_is_never_supported(signing):
    uri = "https://app.example.com/request.jwt"

    assert signing.authorize(request_uri=uri).error == "request_uri_not_supported"
    assert signing.authorize(request_uri=uri, request=sign(inside(signing))).error == (
        "invalid_request"
    )


@spec("RFC 9101", "5")
@pytest.mark.parametrize("name", ["request", "client_id", "redirect_uri", "state"])
def test_nothing_stands_twice_beside_an_object(signing, name):
    token = sign(inside(signing))
    values = {**signing.parameters(), "request": token, "state": "s"}

    answer = signing.authorize(**{"request": token, name: [values[name], values[name]]})

    assert answer.error == ("page" if name in {"client_id", "redirect_uri"} else "invalid_request")
    assert Grant.objects.count() == 0


def rs256_with_the_public_key(claims: dict[str, Any], kid: str) -> str:
    """The public key, as everybody can download it, used as an HMAC secret (RFC 8725 §2.1)."""
    pem = (
        KEYS["RS256"]
        .private_key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    header = {"alg": "HS256", "typ": "JWT", "kid": kid}
    signed = ".".join(jwk.encode(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{jwk.encode(hmac.digest(pem, signed.encode(), 'sha256'))}"


def unsigned(claims: dict[str, Any], **header: str) -> str:
    parts = ({"alg": "none", **header}, claims)
    return ".".join(jwk.encode(json.dumps(part).encode()) for part in parts) + "."


OWN_JWK = jwk.public_jwk(STRANGER.private_key, kid="k-RS256", algorithm="RS256")
HEADER = {"alg": "RS256", "typ": "JWT", "kid": "k-RS256"}
FORGERIES = {
    "none": unsigned,
    "none with a kid": lambda claims: unsigned(claims, kid="k-RS256"),
    "None": lambda claims: unsigned(claims, alg="None", kid="k-RS256"),
    "none, signed": lambda claims: forge({**HEADER, "alg": "none"}, claims),
    "HS256 with the public key": lambda claims: rs256_with_the_public_key(claims, "k-RS256"),
    "HS256 without a kid": lambda claims: rs256_with_the_public_key(claims, ""),
    "an unknown kid": lambda claims: forge({**HEADER, "kid": "k-unknown"}, claims),
    "another key of this kid": lambda claims: forge(HEADER, claims, STRANGER),
    "a kid of another algorithm": lambda claims: forge({**HEADER, "kid": "k-PS256"}, claims),
    "a swapped algorithm": lambda claims: forge({**HEADER, "alg": "PS256"}, claims),
    "EdDSA": lambda claims: sign(claims, "EdDSA"),
    "crit": lambda claims: forge({**HEADER, "crit": ["exp"]}, claims),
    "b64": lambda claims: forge({**HEADER, "b64": True}, claims),
    "an embedded jwk": lambda claims: forge({**HEADER, "jwk": OWN_JWK}, claims, STRANGER),
    "an embedded jwk, no kid": lambda claims: forge(
        {"alg": "RS256", "jwk": OWN_JWK}, claims, STRANGER
    ),
    "jku": lambda claims: forge({**HEADER, "jku": "https://evil.example/jwks"}, claims),
    "x5u": lambda claims: forge({**HEADER, "x5u": "https://evil.example/x"}, claims),
    "x5c": lambda claims: forge({**HEADER, "x5c": ["AAAA"]}, claims),
    "kid null": lambda claims: forge({**HEADER, "kid": None}, claims),
    "kid a number": lambda claims: forge({**HEADER, "kid": 7}, claims),
    "kid a path": lambda claims: forge({**HEADER, "kid": "../../dev/null"}, claims),
    "typ of an access token": lambda claims: sign(claims, typ="at+jwt"),
    "typ of a logout token": lambda claims: sign(claims, typ="logout+jwt"),
    "typ null": lambda claims: forge({**HEADER, "typ": None}, claims),
    "no alg": lambda claims: forge({"kid": "k-RS256"}, claims),
    "no signature": lambda claims: sign(claims).rpartition(".")[0] + ".",
    "two parts": lambda claims: sign(claims).rpartition(".")[0],
    "four parts": lambda claims: sign(claims) + ".AAAA",
    "five parts": lambda _: "e30.e30.e30.e30.e30",
    "a space": lambda claims: " " + sign(claims),
    "a newline": lambda claims: sign(claims) + "\n",
    "padding": lambda claims: sign(claims) + "==",
    "not JSON": lambda _: "e.e.e",
    "not a JWT": lambda _: "eyJ",
    "an array": lambda claims: forge(HEADER, [claims]),  # type: ignore[arg-type]
    "JSON serialization": lambda claims: json.dumps({"payload": sign(claims)}),
}


@spec("RFC 9101", "6.2")
@spec("RFC 8725", "3.1")
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_object_is_refused_and_nothing_of_it_counts(signing, forgery):
    token = FORGERIES[forgery](inside(signing, redirect_uri=SECOND))

    answer = send(signing, token, state="outside")

    assert answer.error == "invalid_request_object"
    assert answer.location.startswith(f"{CALLBACK}?error=")
    assert answer.query["state"] == "outside"
    assert is_page(alone(signing, token))
    assert is_page(send(signing, token, redirect_uri=EVIL))
    assert Grant.objects.count() == 0


@spec("RFC 7515", "4.1.4")
def test_a_header_without_a_kid_means_the_only_key_of_its_algorithm(signing):
    token = forge({"alg": "RS256"}, inside(signing))
    assert alone(signing, token).code

    second = jwk.public_jwk(STRANGER.private_key, kid="second", algorithm="RS256")
    signing.application.client_jwks = {"keys": [*PUBLIC["keys"], second]}
    signing.application.save()
    assert is_page(alone(signing, token))


@spec("RFC 9101", "6.2")
def test_a_key_that_is_no_longer_registered_signs_nothing(signing):
    token = sign(inside(signing))
    assert alone(signing, token).code

    signing.application.client_jwks = {"keys": PUBLIC["keys"][1:]}
    signing.application.save()

    assert is_page(alone(signing, token))


def test_stored_keys_that_cannot_be_read_verify_nothing(signing):
    Application.objects.filter(pk=signing.application.pk).update(client_jwks={"keys": [{"kid": 1}]})

    assert send(signing, sign(inside(signing))).error == "invalid_request_object"


@spec("RFC 7515", "5.2")
def test_no_character_of_an_object_can_be_changed(signing):
    token = sign(inside(signing))
    places = [*range(0, len(token), 23), *(n for n, c in enumerate(token) if c == "."), -1, -2]

    for place in places:
        changed = list(token)
        changed[place] = "A" if changed[place] != "A" else "B"
        answer = send(signing, "".join(changed))
        assert answer.error == "invalid_request_object", place
    for cut in (1, 10, 100, len(token) - 1):
        assert send(signing, token[:-cut]).error == "invalid_request_object"
    assert send(signing, token).code


# --- whose it is --------------------------------------------------------------------------------


@spec("RFC 9101", "5")
@spec("RFC 8725", "3.8")
@pytest.mark.parametrize("typ", ["JWT", STRICT])
@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another"},
        {"iss": "another"},
        {"client_id": None, "iss": "another"},
        {"client_id": None, "iss": None},
        {"client_id": ""},
        {"client_id": 7},
        {"client_id": [CLIENT]},
        {"client_id": CLIENT.upper()},
        {"iss": True},
        {"aud": "https://id.example.com/other/"},
        {"aud": ISSUER.rstrip("/")},
        {"aud": ["https://id.example.com/other/"]},
        {"aud": []},
        {"aud": {"x": ISSUER}},
        {"aud": 7},
    ],
    ids=str,
)
def test_an_object_of_another_client_or_for_another_server_is_refused(signing, changes, typ):
    answer = send(signing, sign(inside(signing, **changes), typ=typ))

    assert answer.error == "invalid_request_object"
    assert Grant.objects.count() == 0


@spec("RFC 9101", "5")
def test_the_client_stands_outside_too(signing):
    token = sign(inside(signing))

    assert is_page(send(signing, token, client_id=None))
    assert is_page(send(signing, token, client_id="another"))


@spec("OpenID Connect Core", "6.1")
def test_an_object_of_the_older_type_may_leave_out_what_names_it(signing):
    for changes in (
        {"aud": None},
        {"iss": None, "aud": None},
        {"client_id": None, "aud": [ISSUER]},
    ):
        assert alone(signing, sign(inside(signing, **changes), typ=None)).code


@spec("RFC 9101", "5")
@pytest.mark.parametrize("missing", ["aud", "client_id"])
def test_an_object_of_its_own_type_may_not(signing, missing):
    token = sign(inside(signing, **{missing: None}), typ=STRICT)

    assert is_page(alone(signing, token))


@spec("RFC 8725", "3.9")
def test_another_applications_object_is_refused(signing, ada):
    """Even where both know the same key and the same client."""
    other = make_application(
        application_id="other", client_ids=[CLIENT], client_jwks=PUBLIC, everybody=True
    )
    elsewhere = Journey(other, client_id=CLIENT).log_in(ada)
    token = sign(inside(signing, scope=None))

    assert send(elsewhere, token).error == "invalid_request_object"


@spec("RFC 8725", "3.8")
def test_another_clients_object_is_refused_in_one_application(ada):
    made = make_application(client_ids=["one", "two"], client_jwks=PUBLIC)
    one, two = (Journey(made, client_id=name).log_in(ada) for name in ("one", "two"))
    token = sign(inside(one, scope=None, aud="https://id.example.com/my_app/"))

    assert send(one, token).code
    assert send(two, token).error == "invalid_request_object"


@spec("RFC 8725", "3.12")
@pytest.mark.parametrize("which", ["id_token", "access_token"])
def test_a_token_of_ours_is_no_request_object(signing, which):
    token = signing.tokens(scope="openid")[which]

    assert send(signing, token).error == "invalid_request_object"


# --- times and members --------------------------------------------------------------------------


@spec("RFC 7519", "4.1.4")
@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({"exp": 60}, True),
        ({"exp": -10}, True),  # clocks differ a little
        ({"exp": -60}, False),
        ({"nbf": -60}, True),
        ({"nbf": 10}, True),
        ({"nbf": 60}, False),
        ({"exp": 60, "nbf": 60}, False),
        ({"iat": 3600}, True),
    ],
    ids=str,
)
def test_times_are_judged_where_there_are_any(signing, changes, fits):
    now = int(time.time())
    times = {name: now + seconds for name, seconds in changes.items()}

    error = send(signing, sign(inside(signing, **times))).error

    assert error == (None if fits else "invalid_request_object")


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["9999999999", True, [9999999999], {}])
def test_a_time_that_is_no_number_is_refused(signing, name, value):
    assert send(signing, sign(inside(signing, **{name: value}))).error == "invalid_request_object"


@spec("RFC 9101", "4")
@pytest.mark.parametrize(
    "changes",
    [
        {"request": "eyJ"},
        {"request_uri": "https://x.example/"},
        {"request": ""},
        {"state": {"x": 1}},
        {"state": ["a"]},
        {"state": True},
        {"state": 1.5},
        {"scope": ["openid"]},
        {"max_age": False},
        {"max_age": 1.0},
        {"resource": [["x"]]},
        {"resource": {"x": "y"}},
        {"unknown": {"x": 1}},
        {"claims": ["x"]},
    ],
    ids=str,
)
def test_a_member_that_is_no_parameter_is_refused(signing, changes):
    answer = send(signing, sign(inside(signing, **changes)))

    assert answer.error == "invalid_request_object"
    assert Grant.objects.count() == 0


@spec("RFC 9101", "4")
def test_a_null_is_no_parameter_either(signing):
    assert send(signing, sign({**inside(signing), "state": None})).error == "invalid_request_object"


@spec("RFC 8259", "4")
def test_a_member_that_stands_twice_is_refused(signing):
    claims = json.dumps(inside(signing))
    doubled = claims.replace("{", '{"state": "first", ', 1)
    signed = f"{jwk.encode(json.dumps(HEADER).encode())}.{jwk.encode(doubled.encode())}"
    token = f"{signed}.{signature_of(signed, KEYS['RS256'])}"

    assert send(signing, token).error == "invalid_request_object"


def test_an_object_that_is_too_long_is_refused(signing):
    answer = send(signing, sign(inside(signing, login_hint="x" * 8000)))

    assert answer.error == "invalid_request"
    assert last_trace().failed_check == "authorize.request_object"


def test_what_an_object_holds_is_in_no_trace(signing):
    secret = "canary-nonce-4711"
    send(signing, sign(inside(signing, nonce=secret, state=secret, scope="openid nonsense")))
    token = sign(inside(signing, nonce=secret, exp=1))
    send(signing, token)

    for trace in type(last_trace()).objects.values():
        assert secret not in repr(trace)
        assert token.rpartition(".")[2] not in repr(trace)
        assert base64.b64encode(secret.encode()).decode()[:16] not in repr(trace)


def test_who_may_not_use_the_application_cannot_with_an_object(signing):
    signing.application.permissions.all().delete()
    make_user("eve")

    assert alone(signing, sign(inside(signing))).error == "access_denied"


def test_keys_are_parsed_once_for_each_content(signing, monkeypatch):
    token = sign(inside(signing))
    assert alone(signing, token).code

    def fail(_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(request_object, "verification_keys", fail)
    assert alone(signing, token).code
