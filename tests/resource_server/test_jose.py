"""Forged, twisted and borrowed tokens, at both authenticators."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from oidc_pkce.protocol import jwk
from tests.journeys import Answer
from tests.resource_server.conftest import Target, ask, b64
from tests.spec import spec


def sign(header: Any, claims: Any, key: Any) -> str:
    """Sign whatever header and claims with RSA."""
    content = f"{b64(header)}.{b64(claims)}"
    return f"{content}.{b64(key.sign(content.encode(), PKCS1v15(), SHA256()))}"


def refused(answer: Answer) -> None:
    assert answer.status == 401, answer.html
    assert answer.response["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert answer.json["error"] == "invalid_token"
    assert answer.response["Cache-Control"] == "no-store"


def test_the_token_itself_is_taken(target: Target) -> None:
    assert target.ask(target.token).status == 200
    again = sign(target.header, target.claims, target.private_key)
    assert target.ask(again).status == 200


@spec("RFC 8725", "2.1")
@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None])
@pytest.mark.parametrize("keeps_signature", [True, False])
def test_an_unsigned_token_is_refused(target: Target, alg: Any, keeps_signature: bool) -> None:
    signature = target.token.rpartition(".")[2] if keeps_signature else ""

    refused(
        target.ask(f"{b64({**target.header, 'alg': alg})}.{target.token.split('.')[1]}.{signature}")
    )


@spec("RFC 8725", "2.1")
def test_hs256_with_the_public_key_is_refused(target: Target) -> None:
    pem = target.private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    content = f"{b64({**target.header, 'alg': 'HS256'})}.{b64(target.claims)}"

    for key in (pem, pem.strip(), target.key_set):
        signature = hmac.new(key, content.encode(), hashlib.sha256).digest()
        refused(target.ask(f"{content}.{b64(signature)}"))


@spec("RFC 8725", "3.10")
@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c", "x5t", "crit", "b64", "zip", "cty"])
def test_a_header_that_brings_its_own_key_or_rules_is_refused(target: Target, member: str) -> None:
    foreign = jwk.generate("RS256")
    public = jwk.public_jwk(foreign, kid="mine", algorithm="RS256")
    values: dict[str, Any] = {"jwk": public, "crit": ["exp"], "b64": False, "x5c": ["AA=="]}
    value = values.get(member, "https://evil.example/keys")

    for kid in (target.header["kid"], "mine"):
        evil = {**target.header, "kid": kid, member: value}
        refused(target.ask(sign(evil, target.claims, foreign)))
    refused(target.ask(sign({**target.header, member: value}, target.claims, target.private_key)))


@spec("RFC 8725", "3.11")
@pytest.mark.parametrize("typ", ["ID", "logout+jwt", "at+jwt+x", "jwt", "AT+JWT", "", None, 7])
def test_a_token_of_another_type_is_refused(target: Target, typ: Any) -> None:
    refused(target.ask(sign({**target.header, "typ": typ}, target.claims, target.private_key)))


@spec("RFC 8725", "3.1")
@pytest.mark.parametrize("alg", ["PS256", "RS384", "RS512", "ES256", "EdDSA", "rs256"])
def test_the_header_cannot_choose_another_algorithm(target: Target, alg: str) -> None:
    refused(target.ask(sign({**target.header, "alg": alg}, target.claims, target.private_key)))


@spec("RFC 8725", "3.2")
@pytest.mark.parametrize("kid", ["unknown", "", None, "../../etc/passwd", "' or 1=1 --", 7])
def test_a_token_of_an_unknown_key_is_refused(target: Target, kid: Any) -> None:
    refused(target.ask(sign({**target.header, "kid": kid}, target.claims, target.private_key)))


@spec("RFC 9068", "4")
def test_a_foreign_key_is_refused_under_the_right_name(target: Target) -> None:
    refused(target.ask(sign(target.header, target.claims, jwk.generate("RS256"))))


@spec("RFC 9068", "5")
def test_an_id_token_is_no_bearer(target: Target) -> None:
    refused(target.ask(target.id_token))


@spec("RFC 7515", "5.2")
@pytest.mark.parametrize("part", [0, 1, 2])
def test_every_character_counts(target: Target, part: int) -> None:
    parts = target.token.split(".")
    length = len(parts[part])
    step = max(1, length // 40)
    for at in {*range(0, length, step), length - 1}:
        found = parts[part][at]
        for other in ("A" if found != "A" else "B", "", f"{found}="):
            changed = parts[part][:at] + other + parts[part][at + 1 :]
            refused(target.ask(".".join([*parts[:part], changed, *parts[part + 1 :]])))


@spec("RFC 7515", "5.2")
def test_a_token_that_is_cut_off_is_refused(target: Target) -> None:
    for length in {*range(1, len(target.token), 37), len(target.token) - 1}:
        refused(target.ask(target.token[:length]))
    for more in (".", ".x", f".{target.token}", "A"):
        refused(target.ask(target.token + more))


@spec("RFC 9068", "4")
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": 1},
        {"exp": "9999999999"},
        {"exp": True},
        {"nbf": 9999999999},
        {"iss": "https://evil.example/"},
        {"iss": None},
        {"iss": ["https://id.example.com/portal/"]},
        {"client_id": None},
        {"client_id": 7},
        {"scope": ["notes.read"]},
    ],
    ids=str,
)
def test_each_claim_must_be_right_even_under_the_right_key(
    target: Target, changes: dict[str, Any]
) -> None:
    claims = {k: v for k, v in {**target.claims, **changes}.items() if v is not None}

    refused(target.ask(sign(target.header, claims, target.private_key)))


@spec("RFC 7519", "4.1.4")
def test_an_expired_token_is_refused(target: Target) -> None:
    late = {**target.claims, "exp": int(time.time()) - 31}

    refused(target.ask(sign(target.header, late, target.private_key)))


@pytest.mark.parametrize(
    "token",
    [
        "x",
        ".",
        "..",
        "...",
        "a.b.c",
        "%00",
        "null",
        "e30.e30.",
        "\u00e9.\u00e9.\u00e9",
        "x" * 20_000,
    ],
    ids=lambda token: token[:12],
)
def test_what_is_no_token_is_refused(target: Target, token: str) -> None:
    refused(target.ask(token))


def test_deep_json_is_refused(target: Target) -> None:
    deep = b64(b"[" * 5000)

    refused(ask(target.path, f"{deep}.{deep}.AA"))
