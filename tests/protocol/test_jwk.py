"""Signing keys as JSON Web Keys (RFC 7517, RFC 7518, RFC 7638, RFC 8037), and at rest."""

import functools

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from jwt import PyJWK

from oidc_pkce.protocol import jwk
from tests.spec import spec

RFC_7638_KEY = {
    "kty": "RSA",
    "n": (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
        "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
        "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
        "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    ),
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
RFC_8037_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RFC_7515_EC_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}

generate = functools.cache(jwk.generate)


@spec("RFC 7638", "3.1")
def test_the_published_rsa_key_has_the_published_thumbprint():
    assert jwk.thumbprint(RFC_7638_KEY) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@spec("RFC 8037", "A.3")
def test_the_published_ed25519_key_has_the_published_thumbprint():
    assert jwk.thumbprint(RFC_8037_KEY) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@spec("RFC 7638", "3")
@pytest.mark.parametrize("broken", [{}, {"kty": "oct", "k": "x"}, {"kty": "RSA", "e": "AQAB"}])
def test_a_key_without_its_members_has_no_thumbprint(broken):
    with pytest.raises(ValueError, match="member"):
        jwk.thumbprint(broken)


@spec("RFC 7517", "4")
@pytest.mark.parametrize(
    ("algorithm", "members"),
    [
        ("RS256", ["kty", "use", "alg", "kid", "n", "e"]),
        ("PS256", ["kty", "use", "alg", "kid", "n", "e"]),
        ("ES256", ["kty", "use", "alg", "kid", "crv", "x", "y"]),
        ("EdDSA", ["kty", "use", "alg", "kid", "crv", "x"]),
    ],
)
def test_a_published_key_has_its_public_members_and_no_others(algorithm, members):
    key = generate(algorithm)
    published = jwk.public_jwk(key, kid="k1", algorithm=algorithm)

    assert list(published) == members
    assert (published["use"], published["alg"], published["kid"]) == ("sig", algorithm, "k1")
    assert published == jwk.public_jwk(key.public_key(), kid="k1", algorithm=algorithm)
    assert jwk.public_key_from_jwk(published) == key.public_key()
    assert PyJWK(published).key == key.public_key()


@spec("RFC 7518", "6")
@pytest.mark.parametrize("published", [RFC_7638_KEY, RFC_7515_EC_KEY, RFC_8037_KEY])
def test_a_published_vector_reads_and_writes_back(published):
    algorithm = {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[published["kty"]]
    key = jwk.public_key_from_jwk(published)

    assert (
        published.items() <= {**jwk.public_jwk(key, kid="2011-04-29", algorithm=algorithm)}.items()
    )


@spec("RFC 7518", "6.2.1.2")
def test_a_coordinate_keeps_its_leading_zeros():
    for number in range(1, 400):
        key = ec.derive_private_key(number, ec.SECP256R1())
        published = jwk.public_jwk(key, kid="k", algorithm="ES256")
        assert len(published["x"]) == len(published["y"]) == 43


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "e": "AQAB"},
        {"kty": "RSA", "e": "AQAB", "n": "AQAB"},
        {"kty": "RSA", "e": 65537, "n": RFC_7638_KEY["n"]},
        {"kty": "RSA", "e": "AQAB=", "n": RFC_7638_KEY["n"]},
        {**RFC_7515_EC_KEY, "crv": "P-384"},
        {**RFC_7515_EC_KEY, "crv": None},
        {**RFC_7515_EC_KEY, "x": RFC_7515_EC_KEY["y"]},
        {**RFC_7515_EC_KEY, "x": "AA"},
        {**RFC_8037_KEY, "crv": "Ed448"},
        {**RFC_8037_KEY, "x": "AA"},
        {**RFC_8037_KEY, "x": ""},
    ],
)
def test_a_key_that_is_none_is_refused(broken):
    with pytest.raises(ValueError, match=r"."):
        jwk.public_key_from_jwk(broken)


@spec("RFC 7518", "3.3")
def test_an_rsa_key_has_2048_bits_at_least():
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505

    assert generate("RS256").key_size == 2048
    assert not jwk.fits(small, "RS256")
    with pytest.raises(ValueError, match="2048"):
        jwk.from_pem(jwk.to_pem(small))


@spec("RFC 7518", "3.1")
@pytest.mark.parametrize("kind", jwk.ALGORITHMS)
@pytest.mark.parametrize("algorithm", [*jwk.ALGORITHMS, "none", "HS256", "RS512", "ES384", ""])
def test_a_key_fits_the_algorithms_of_its_kind_only(kind, algorithm):
    same = kind == algorithm or {kind, algorithm} == {"RS256", "PS256"}

    assert jwk.fits(generate(kind), algorithm) == same
    assert jwk.fits(generate(kind).public_key(), algorithm) == same
    if not same:
        with pytest.raises(ValueError, match="does not fit"):
            jwk.public_jwk(generate(kind), kid="k", algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS512", "rs256", ""])
def test_no_key_is_made_for_another_algorithm(algorithm):
    with pytest.raises(ValueError, match="unknown algorithm"):
        jwk.generate(algorithm)


@pytest.mark.parametrize("algorithm", jwk.ALGORITHMS)
def test_a_private_key_survives_storage(algorithm):
    key = generate(algorithm)
    stored = jwk.encrypt(jwk.to_pem(key), "secret")

    assert "PRIVATE" not in stored
    read = jwk.from_pem(jwk.decrypt(stored, ["secret"]))
    assert read.public_key() == key.public_key()


def pem_of(key, encryption=None):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        lambda: pem_of(ec.generate_private_key(ec.SECP384R1())),
        lambda: pem_of(ed448.Ed448PrivateKey.generate()),
        lambda: pem_of(generate("ES256"), serialization.BestAvailableEncryption(b"password")),
    ],
    ids=["empty", "damaged", "P-384", "Ed448", "with a password"],
)
def test_a_pem_that_no_algorithm_takes_is_refused(make):
    with pytest.raises(ValueError, match=r"."):
        jwk.from_pem(make())


def test_a_stored_key_opens_under_any_of_the_secrets():
    stored = jwk.encrypt(b"pem", "old")

    assert jwk.decrypt(stored, ["new", "old"]) == b"pem"
    assert jwk.decrypt(stored, ["", "old"]) == b"pem"
    assert jwk.encrypt(b"pem", "old") != stored


@pytest.mark.parametrize("secrets", [[], [""], ["new"], ["OLD"], ["old "]])
def test_a_stored_key_opens_under_no_other_secret(secrets):
    with pytest.raises(jwk.UndecryptableKey) as failure:
        jwk.decrypt(jwk.encrypt(b"pem", "old"), secrets)

    assert "old" not in str(failure.value)


@pytest.mark.parametrize("damaged", ["", "x", "é", "\ud800", "gAAAAA==", "-----BEGIN"])
def test_a_damaged_stored_key_is_named_as_such(damaged):
    with pytest.raises(jwk.UndecryptableKey):
        jwk.decrypt(damaged, ["old"])


def test_an_empty_secret_encrypts_nothing():
    with pytest.raises(ValueError, match="empty"):
        jwk.encrypt(b"pem", "")


@spec("RFC 7515", "C")
@pytest.mark.parametrize("text", ["A", "AB", "AA==", "A+A/", "AA A", "AAé", "AAA\n", "=", "AA-\0"])
def test_only_the_canonical_spelling_of_base64url_is_read(text):
    with pytest.raises(ValueError, match=r"."):
        jwk.decode(text)


@spec("RFC 7515", "C")
def test_the_published_bytes_have_the_published_spelling():
    assert jwk.encode(bytes([3, 236, 255, 224, 193])) == "A-z_4ME"
    assert jwk.decode("A-z_4ME") == bytes([3, 236, 255, 224, 193])
