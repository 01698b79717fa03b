"""JSON Web Tokens: written one way, read one way (RFC 7515, RFC 7519, RFC 8725)."""

import functools
import hashlib
import hmac
import json

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from oidc_pkce.protocol import jose, jwk
from oidc_pkce.protocol.jose import InvalidJWT, SigningKey, VerificationKey
from tests.spec import spec

CLAIMS = {"iss": "https://op.example/app/", "sub": "s", "exp": 2000, "name": "Zoë", "ok": True}
NOW = 1000


@functools.cache
def signing_key(algorithm="RS256", kid="k1"):
    return SigningKey(kid, algorithm, jwk.generate(algorithm))


def keys_of(*signers):
    return {
        key.kid: VerificationKey(key.kid, key.algorithm, key.private_key.public_key())
        for key in signers
    }


def make(header, claims, algorithm="RS256"):
    """Sign whatever is given as header and payload: text, bytes or something for JSON."""
    signed = f"{part(header)}.{part(claims)}"
    signer = jose._SIGNERS[algorithm]
    signature = signer.sign(signed.encode(), signing_key(algorithm).private_key)
    return f"{signed}.{jwk.encode(signature)}"


def part(content):
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    return jwk.encode(text if isinstance(text, bytes) else text.encode())


def refuse(token, *, typ=("JWT",), keys=None):
    with pytest.raises(InvalidJWT):
        jose.verify(token, keys or keys_of(signing_key()), typ=typ)


HEADER = {"alg": "RS256", "typ": "JWT", "kid": "k1"}


@spec("RFC 7515", "5.1")
@pytest.mark.parametrize("algorithm", jwk.ALGORITHMS)
@pytest.mark.parametrize("typ", ["JWT", "at+jwt", None])
def test_what_is_signed_verifies(algorithm, typ):
    key = signing_key(algorithm)
    token = jose.sign(CLAIMS, key, typ=typ)

    assert jose.verify(token, keys_of(key), typ={typ}) == CLAIMS
    assert (
        jwt.decode(
            token,
            key.private_key.public_key(),
            algorithms=[algorithm],
            options={"verify_exp": False},
        )
        == CLAIMS
    )


@spec("RFC 7515", "4.1")
def test_the_header_is_compact_and_in_order():
    token = jose.sign(CLAIMS, signing_key(), typ="JWT")

    assert token.startswith("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIs")
    assert jwk.decode(token.split(".")[0]) == b'{"alg":"RS256","typ":"JWT","kid":"k1"}'
    untyped = jose.sign(CLAIMS, signing_key(), typ=None)
    assert jwk.decode(untyped.split(".")[0]) == b'{"alg":"RS256","kid":"k1"}'


def test_the_payload_is_ascii_json_with_real_types():
    payload = jwk.decode(jose.sign(CLAIMS, signing_key(), typ="JWT").split(".")[1])

    assert payload == (
        b'{"iss":"https://op.example/app/","sub":"s","exp":2000,"name":"Zo\\u00eb","ok":true}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"x"])
def test_what_json_can_not_hold_is_not_signed(value):
    with pytest.raises((TypeError, ValueError)):
        jose.sign({"x": value}, signing_key(), typ="JWT")


@spec("RFC 8725", "3.1")
def test_a_key_of_another_kind_is_no_signing_key():
    with pytest.raises(ValueError, match="does not fit"):
        SigningKey("k", "ES256", jwk.generate("EdDSA"))
    with pytest.raises(ValueError, match="does not fit"):
        VerificationKey("k", "HS256", signing_key().private_key.public_key())


@spec("RFC 7515", "5.2")
@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_no_character_of_a_token_can_be_changed(algorithm):
    key = signing_key(algorithm)
    token = jose.sign(CLAIMS, key, typ="JWT")
    keys = keys_of(key)

    for place, character in enumerate(token):
        for other in {"A", "B", "_", "=", ".", "+", " ", "\n", "é", chr(ord(character) ^ 1)}:
            if other != character:
                refuse(token[:place] + other + token[place + 1 :], keys=keys)


@spec("RFC 7515", "5.2")
def test_no_character_of_an_rsa_token_can_be_changed():
    token = jose.sign(CLAIMS, signing_key(), typ="JWT")

    for place, character in enumerate(token):
        refuse(token[:place] + ("A" if character != "A" else "B") + token[place + 1 :])
        refuse(token[:place] + chr(ord(character) ^ 1) + token[place + 1 :])


@spec("RFC 7515", "5.2")
@pytest.mark.parametrize("algorithm", jwk.ALGORITHMS)
def test_no_character_of_a_token_can_be_cut_or_doubled(algorithm):
    key = signing_key(algorithm)
    token = jose.sign(CLAIMS, key, typ="JWT")
    keys = keys_of(key)

    for place in range(len(token)):
        refuse(token[:place] + token[place + 1 :], keys=keys)
        refuse(token[:place], keys=keys)
        refuse(token[place + 1 :], keys=keys)
        refuse(token[:place] + token[place] + token[place:], keys=keys)


@spec("RFC 7515", "7.1")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token + ".",
        lambda token: "." + token,
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token.rpartition(".")[0],
        lambda token: token[:0],
        lambda token: token[:0] + "..",
        lambda token: token + ".d.e",
        lambda token: json.dumps({"payload": token.split(".")[1]}),
        lambda token: token.replace(".", "．"),  # noqa: RUF001 - the look-alike is the attack
        lambda token: token + "\ud800",
    ],
)
def test_a_token_has_one_spelling(spoil):
    refuse(spoil(jose.sign(CLAIMS, signing_key(), typ="JWT")))


@spec("RFC 8725", "3.2")
@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "", "HS256", "RS512", "PS256"]
)
def test_the_header_does_not_choose_the_algorithm(algorithm):
    refuse(make({**HEADER, "alg": algorithm}, CLAIMS))
    refuse(make({**HEADER, "alg": algorithm}, CLAIMS).rpartition(".")[0] + ".")


@spec("RFC 8725", "3.1")
def test_a_public_key_is_no_shared_secret():
    pem = (
        signing_key()
        .private_key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    for secret in (pem, pem.strip(), b""):
        signed = f"{part({**HEADER, 'alg': 'HS256'})}.{part(CLAIMS)}"
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        refuse(f"{signed}.{jwk.encode(mac)}")


@spec("RFC 8725", "3.1")
def test_a_signature_of_another_algorithm_of_the_same_key_is_refused():
    key = signing_key()
    pss = SigningKey("k1", "PS256", key.private_key)
    token = jose.sign(CLAIMS, pss, typ="JWT")
    _, payload, signature = token.split(".")

    refuse(token)
    refuse(f"{part(HEADER)}.{payload}.{signature}")


@spec("RFC 7515", "4.1")
@pytest.mark.parametrize(
    "member",
    [
        {"crit": ["exp"]},
        {"crit": []},
        {"jwk": jwk.public_jwk(jwk.generate("ES256"), kid="k1", algorithm="ES256")},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["AAAA"]},
        {"x5t": "AAAA"},
        {"b64": False},
        {"cty": "JWT"},
        {"zip": "DEF"},
        {"enc": "A256GCM"},
        {"ALG": "none"},
        {"": ""},
    ],
)
def test_a_header_member_that_we_never_write_is_refused(member):
    refuse(make({**HEADER, **member}, CLAIMS))


@spec("RFC 7515", "4")
@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"RS256","alg":"RS256","typ":"JWT","kid":"k1"}',
        '{"alg":"none","alg":"RS256","typ":"JWT","kid":"k1"}',
        '{"alg":"RS256","typ":"JWT","kid":"k1","kid":"k1"}',
        '["RS256"]',
        '"RS256"',
        "null",
        "",
        "{",
        b'\xff{"alg":"RS256","typ":"JWT","kid":"k1"}',
        '{"alg":"RS256","typ":"JWT","kid":"k1"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"alg":"RS256","typ":"JWT","kid":"k1"}',
        {"alg": "RS256", "typ": "JWT"},
        {"alg": "RS256", "typ": "JWT", "kid": "other"},
        {"alg": "RS256", "typ": "JWT", "kid": None},
        {"alg": "RS256", "typ": "JWT", "kid": ["k1"]},
        {"alg": "RS256", "typ": "JWT", "kid": {"k1": 1}},
        {"alg": ["RS256"], "typ": "JWT", "kid": "k1"},
        {"alg": None, "typ": "JWT", "kid": "k1"},
        {"typ": "JWT", "kid": "k1"},
    ],
)
def test_a_header_is_one_object_with_text_members(header):
    refuse(make(header, CLAIMS))


@spec("RFC 8725", "3.11")
@pytest.mark.parametrize(
    ("sent", "accepted"),
    [
        ("JWT", {"at+jwt"}),
        ("at+jwt", {"JWT"}),
        ("logout+jwt", {"JWT", "at+jwt"}),
        ("jwt", {"JWT"}),
        ("application/at+jwt", {"at+jwt"}),
        ("JWT", {None}),
        (None, {"JWT"}),
        ("JWT", set()),
    ],
)
def test_a_token_of_another_type_is_refused(sent, accepted):
    refuse(jose.sign(CLAIMS, signing_key(), typ=sent), typ=accepted)


@spec("RFC 8725", "3.11")
@pytest.mark.parametrize("typ", [None, 1, ["JWT"], {"JWT": 1}])
def test_a_type_that_is_no_text_is_refused(typ):
    refuse(make({**HEADER, "typ": typ}, CLAIMS), typ=("JWT", None))


@spec("RFC 7519", "7.2")
@pytest.mark.parametrize(
    "payload",
    [
        "[]",
        '"x"',
        "1",
        "null",
        "",
        "{",
        '{"sub":"a","sub":"b"}',
        '{"a":{"b":1,"b":2}}',
        '{"exp":NaN}',
        '{"exp":Infinity}',
        '{"a":' + "9" * 5000 + "}",
        '{"a":' + "[" * 5000 + "]" * 5000 + "}",
        b'{"a":"\xff"}',
        '{"a":"b"}'.encode("utf-16"),
        '{"a":"b\n"}',
        '{"a":"b"} x',
    ],
    ids=range(16),
)
def test_a_payload_is_one_strict_json_object(payload):
    refuse(make(HEADER, payload))


def test_a_token_may_have_16_kib_and_no_more():
    fits = jose.sign({"x": "a" * 10_000}, signing_key(), typ="JWT")
    assert jose.verify(fits, keys_of(signing_key()), typ=["JWT"])

    refuse(jose.sign({"x": "a" * 13_000}, signing_key(), typ="JWT"))
    refuse("." * 1_000_000)


def test_the_key_that_is_named_must_be_the_one_that_signed():
    other = SigningKey("k2", "RS256", jwk.generate("RS256"))
    keys = keys_of(signing_key(), other)
    forged = jose.sign(CLAIMS, SigningKey("k1", "RS256", other.private_key), typ="JWT")

    assert jose.verify(jose.sign(CLAIMS, other, typ="JWT"), keys, typ=["JWT"]) == CLAIMS
    refuse(forged, keys=keys)
    refuse(jose.sign(CLAIMS, other, typ="JWT"))


@given(st.text(max_size=200))
def test_no_text_makes_verifying_raise_anything_else(token):
    refuse(token)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=70))
def test_no_bytes_make_verifying_raise_anything_else(header, payload, signature):
    refuse(".".join(map(jwk.encode, (header, payload, signature))))


@spec("RFC 7519", "4.1.4")
@pytest.mark.parametrize(
    ("claims", "leeway"),
    [
        ({"exp": NOW + 1}, 0),
        ({"exp": NOW + 0.5}, 0),
        ({"exp": NOW}, 1),
        ({"exp": NOW + 1, "nbf": NOW, "iat": NOW}, 0),
        ({"exp": NOW + 1, "nbf": NOW + 5}, 5),
        ({"exp": NOW + 1, "iat": NOW + 5}, 0),
        ({"exp": 10**400}, 0),
    ],
)
def test_a_token_in_its_time_is_accepted(claims, leeway):
    jose.check_times(claims, now=NOW, leeway=leeway)


@spec("RFC 7519", "4.1.4")
@pytest.mark.parametrize(
    ("claims", "leeway"),
    [
        ({}, 0),
        ({"exp": NOW}, 0),
        ({"exp": NOW - 1}, 0),
        ({"exp": NOW - 5}, 5),
        ({"exp": -(10**400)}, 0),
        ({"exp": str(NOW + 1)}, 0),
        ({"exp": True}, 0),
        ({"exp": None}, 0),
        ({"exp": [NOW + 1]}, 0),
        ({"exp": float("inf")}, 0),
        ({"exp": float("nan")}, 0),
        ({"exp": NOW + 1, "nbf": NOW + 1}, 0),
        ({"exp": NOW + 1, "nbf": "0"}, 0),
        ({"exp": NOW + 1, "nbf": None}, 0),
        ({"exp": NOW + 1, "iat": "0"}, 0),
        ({"exp": NOW + 1, "iat": False}, 0),
        ({"exp": NOW + 1, "iat": float("-inf")}, 0),
    ],
)
def test_a_token_out_of_its_time_is_refused(claims, leeway):
    with pytest.raises(InvalidJWT):
        jose.check_times(claims, now=NOW, leeway=leeway)


@spec("OpenID Connect Core", "A.4")
def test_the_published_hashes_come_out():
    token, code = (
        "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
        "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk",
    )

    assert jose.left_half_hash(token, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
    assert jose.left_half_hash(code, "ES256") == "LDktKdoQak3Pk0cnXxCltA"


@spec("OpenID Connect Core", "3.1.3.6")
def test_the_hash_is_that_of_the_signing_algorithm():
    assert jose.left_half_hash("x", "EdDSA") == jwk.encode(hashlib.sha512(b"x").digest()[:32])
    assert jose.left_half_hash("x", "PS256") == jwk.encode(hashlib.sha256(b"x").digest()[:16])
    with pytest.raises(ValueError, match="unknown"):
        jose.left_half_hash("x", "none")
