"""Tokens of another server: its keys are fetched, kept, and asked for with restraint."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oidc_pkce.flows import remote_issuer
from oidc_pkce.models import RequestTrace
from oidc_pkce.protocol import remote_issuer as rules
from tests.fixtures import make_user
from tests.journeys import last_trace
from tests.resource_server.conftest import AUDIENCE, OtherServer, ask, use
from tests.spec import spec

OIDC = "/.well-known/openid-configuration"
PATH = "/api/remote"

pytestmark = pytest.mark.django_db


class Clock:
    """Stands in for ``time`` where keys are kept."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(remote_issuer, "time", made)
    return made


def refused(token: str, check: str = "remote.token", path: str = PATH) -> None:
    answer = ask(path, token)
    assert (answer.status, answer.json["error"]) == (401, "invalid_token"), answer.json
    assert answer.response["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert last_trace().failed_check == check


# --- who comes in -------------------------------------------------------------------------------


@spec("RFC 9068", "4")
def test_the_bearer_is_somebody_without_a_row(other_server: OtherServer) -> None:
    with CaptureQueriesContext(connection) as captured:
        told = ask(PATH, other_server.token(unique_name="ada")).json
    name = f"{other_server.issuer}#remote-ada"

    assert list(captured) == []
    assert (told["kind"], told["user"], told["pk"]) == ("TokenUser", name, None)
    assert told["is_authenticated"]
    assert (told["subject"], told["client_id"]) == ("remote-ada", "remote-client")
    assert (told["scopes"], told["audience"]) == (["notes.read"], [AUDIENCE])
    assert told["application_id"] == ""
    assert told["claims"]["iss"] == other_server.issuer


def test_a_hook_finds_the_user(other_server: OtherServer) -> None:
    ada = make_user("remote-ada")
    told = ask("/api/remote-user", other_server.token()).json
    assert (told["kind"], told["pk"]) == ("User", ada.pk)
    assert ask("/api/remote-user", other_server.token(sub="nobody")).json["kind"] == "TokenUser"

    ada.is_active = False
    ada.save()
    refused(other_server.token(), "resource_server.user", "/api/remote-user")


def test_both_kinds_of_token_are_taken_where_both_are_named(
    other_server: OtherServer, settings: Any
) -> None:
    names = {"APPLICATIONS": ["my_app"], "ISSUERS": [other_server.issuer], "AUDIENCE": AUDIENCE}
    use(settings, **names)

    assert ask("/api/", other_server.token()).status == 200
    refused("opaque", "bearer.token", "/api/")
    refused(other_server.token(iss="https://evil.example"), "bearer.token", "/api/")
    use(settings, APPLICATIONS=["my_app"], AUDIENCE=AUDIENCE)
    refused(other_server.token(), "bearer.token", "/api/")


@spec("RFC 8725", "3.1")
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_every_algorithm_of_the_list_is_verified(other_server: OtherServer, algorithm: str) -> None:
    other_server.start_over(algorithm, "key")

    assert ask(PATH, other_server.token()).status == 200


@spec("RFC 9068", "2.1")
@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt"])
def test_a_token_that_says_it_is_one_needs_only_what_the_rfc_requires(
    other_server: OtherServer, typ: str
) -> None:
    assert ask(PATH, other_server.token(typ=typ, scope=None, jti=None)).json["scopes"] == []


@spec("RFC 9068", "4")
def test_a_mere_jwt_must_have_what_no_id_token_has(other_server: OtherServer) -> None:
    own = {"app_id": "notes", "typ": "JWT"}
    assert ask(PATH, other_server.token(**own)).status == 200

    for missing in ("client_id", "scope", "jti", "app_id"):
        refused(other_server.token(**{**own, missing: None}))
    refused(other_server.token(typ=None))


@spec("RFC 9068", "4")
@pytest.mark.parametrize("claim", ["iss", "sub", "client_id", "exp"])
def test_what_the_rfc_requires_is_required(other_server: OtherServer, claim: str) -> None:
    check = "remote.issuer" if claim == "iss" else "remote.token"

    refused(other_server.token(**{claim: None}), check)
    refused(other_server.token(**{claim: ""}), check)
    refused(other_server.token(**{claim: 7 if claim != "exp" else "7"}), check)


@spec("RFC 9068", "4")
@pytest.mark.parametrize(
    "aud",
    [None, "", "https://other.example.com", f"{AUDIENCE}/", [], ["x", 7], {}, 7, [AUDIENCE, 7]],
)
def test_the_token_must_be_for_this_api(other_server: OtherServer, aud: Any) -> None:
    refused(other_server.token(aud=aud), "remote.audience")


@spec("RFC 9068", "4")
def test_one_audience_of_several_will_do(other_server: OtherServer) -> None:
    assert ask(PATH, other_server.token(aud=["https://other.example.com", AUDIENCE])).status == 200


@spec("RFC 7519", "4.1.4")
def test_clocks_may_differ_by_half_a_minute(other_server: OtherServer) -> None:
    now = other_server.claims()["iat"]

    assert ask(PATH, other_server.token(exp=now - 25, nbf=now + 25)).status == 200
    refused(other_server.token(exp=now - 31))
    refused(other_server.token(nbf=now + 40))


@spec("RFC 9207", "2.4")
def test_an_issuer_is_compared_character_for_character(other_server: OtherServer) -> None:
    for issuer in (
        other_server.issuer.rstrip("/"),
        f"{other_server.issuer}x",
        other_server.issuer.replace("127.0.0.1", "localhost"),
        other_server.issuer.upper(),
        "https://evil.example/",
    ):
        refused(other_server.token(iss=issuer), "remote.issuer")
    assert other_server.asked == []


def test_scopes_of_another_server_have_no_patterns(other_server: OtherServer) -> None:
    answer = ask("/rest-remote", other_server.token())

    assert (answer.status, answer.json["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "ISSUERS"),
        ({"APPLICATIONS": ["my_app"], "AUDIENCE": AUDIENCE}, "ISSUERS"),
        ({"ISSUERS": ["https://id.example/"]}, "AUDIENCE"),
    ],
)
def test_an_api_must_say_whose_tokens_it_takes(
    other_server: OtherServer, settings: Any, values: dict[str, Any], words: str
) -> None:
    use(settings, **values)

    with pytest.raises(ImproperlyConfigured, match=f"must name the {words}"):
        ask(PATH, other_server.token())


# --- metadata and keys --------------------------------------------------------------------------


@spec("RFC 8414", "3.3")
@pytest.mark.parametrize("issuer", ["https://evil.example/", "", None])
def test_metadata_of_another_issuer_is_not_believed(
    other_server: OtherServer, issuer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    other_server.metadata = {"issuer": issuer}

    with caplog.at_level(logging.WARNING, "oidc_pkce"):
        assert ask(PATH, other_server.token()).status == 503
    assert "the metadata names another issuer" in caplog.text
    assert "/keys" not in other_server.asked


@spec("RFC 8414", "3.1")
def test_metadata_is_looked_for_in_both_places(other_server: OtherServer) -> None:
    assert rules.well_known("https://id.example/tenant/app/") == (
        "https://id.example/tenant/app/.well-known/openid-configuration",
        "https://id.example/.well-known/oauth-authorization-server/tenant/app",
    )
    assert rules.well_known("https://id.example") == (
        "https://id.example/.well-known/openid-configuration",
        "https://id.example/.well-known/oauth-authorization-server",
    )


@pytest.mark.parametrize(
    "uri",
    ["https://10.0.0.1/keys", "http://169.254.169.254/keys", "file:///etc/passwd", "", None, 7],
)
def test_keys_are_not_fetched_from_where_this_server_may_not_ask(
    other_server: OtherServer, uri: Any
) -> None:
    other_server.metadata = {"jwks_uri": uri}

    assert ask(PATH, other_server.token()).status == 503


@pytest.mark.parametrize(
    "body", [b"", b"x", b"[]", b"{}", b'{"keys": {}}', b'{"keys": []}', b'{"keys": [null, 1, {}]}']
)
def test_what_is_no_key_set_is_none(other_server: OtherServer, body: bytes) -> None:
    other_server.body = body

    assert ask(PATH, other_server.token()).status == 503


@spec("RFC 7517", "5")
def test_keys_that_cannot_verify_are_passed_over(other_server: OtherServer) -> None:
    (good,) = other_server.key_set["keys"]
    others: list[Any] = [
        None,
        {},
        {"kty": "oct", "k": "AAAA", "kid": "symmetric", "alg": "HS256"},
        {**good, "kid": "for encryption", "use": "enc"},
        {**good, "kid": "for other things", "key_ops": ["encrypt"]},
        {**good, "kid": "another algorithm", "alg": "RS512"},
        {**good, "kid": "broken", "n": "AQAB"},
        {**good, "kid": 7},
    ]
    unnamed = {name: value for name, value in good.items() if name not in ("alg", "use")}

    found = rules.verification_keys(_json({"keys": [*others, unnamed]}))

    assert {kid: key.algorithm for kid, key in found.items()} == {"first": "RS256"}
    assert ask(PATH, other_server.token()).status == 200


@spec("RFC 7517", "4.5")
def test_of_two_keys_of_one_name_the_first_counts(other_server: OtherServer) -> None:
    (first,) = other_server.key_set["keys"]
    other_server.start_over("RS256", "first")
    (second,) = other_server.key_set["keys"]

    found = rules.verification_keys(_json({"keys": [first, second]}))

    assert found["first"] == rules.verification_keys(_json({"keys": [first]}))["first"]


def _json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


# --- how often it is asked ----------------------------------------------------------------------


def test_keys_are_fetched_once(other_server: OtherServer, clock: Clock) -> None:
    for _ in range(5):
        assert ask(PATH, other_server.token()).status == 200
    assert other_server.asked == [OIDC, "/keys"]

    clock.now += 299
    ask(PATH, other_server.token())
    assert len(other_server.asked) == 2
    clock.now += 2
    ask(PATH, other_server.token())
    assert len(other_server.asked) == 4


@spec("RFC 9111", "5.2.2.1")
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 300),
        ("max-age=600", 600),
        ("public, max-age=60, must-revalidate", 60),
        ("max-age=1", 30),
        ("max-age=0", 30),
        ("max-age=999999999", 3600),
        ("no-store", 30),
        ("no-cache, max-age=600", 30),
        ("s-maxage=600", 300),
        ("max-age=-1", 300),
    ],
)
def test_the_servers_word_counts_within_bounds(header: str, seconds: int) -> None:
    assert rules.keep_for(header).total_seconds() == seconds


def test_the_header_is_read(other_server: OtherServer, clock: Clock) -> None:
    other_server.cache_control = "max-age=600"
    ask(PATH, other_server.token())
    clock.now += 599
    ask(PATH, other_server.token())

    assert other_server.asked == [OIDC, "/keys"]


@spec("OpenID Connect Core", "10.1.1")
def test_a_new_key_is_taken_up_within_half_a_minute(
    other_server: OtherServer, clock: Clock
) -> None:
    ask(PATH, other_server.token())
    other_server.start_over("ES256", "second")
    clock.now += 31

    assert ask(PATH, other_server.token()).status == 200
    assert len(other_server.asked) == 4


def test_garbage_cannot_make_this_server_ask(other_server: OtherServer, clock: Clock) -> None:
    ask(PATH, other_server.token())
    clock.now += 31
    other_server.kid = "garbage"
    forged = other_server.token()
    other_server.kid = "first"

    for _ in range(20):
        refused(forged)
    assert len(other_server.asked) == 4
    clock.now += 29
    refused(forged)
    assert len(other_server.asked) == 4


def test_what_no_issuer_of_ours_signed_asks_nobody(other_server: OtherServer) -> None:
    for token in ("x", "x.y.z", other_server.token(iss="https://evil.example/")):
        refused(token, "remote.issuer")
    assert other_server.asked == []


@spec("RFC 9110", "15.6.4")
def test_without_keys_nobody_can_tell(other_server: OtherServer, clock: Clock) -> None:
    other_server.status = 500
    for _ in range(5):
        answer = ask(PATH, other_server.token())
        assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")
        assert answer.response["Retry-After"] == "30"
        assert "WWW-Authenticate" not in answer.response
        assert answer.response["Cache-Control"] == "no-store"
    assert len(other_server.asked) == 2
    assert last_trace().failed_check == "remote.keys"

    other_server.status = 200
    clock.now += 31
    assert ask(PATH, other_server.token()).status == 200


def test_old_keys_serve_for_an_hour_while_the_server_is_away(
    other_server: OtherServer, clock: Clock
) -> None:
    ask(PATH, other_server.token())
    other_server.status = 500

    clock.now += 300 + 3599
    assert ask(PATH, other_server.token()).status == 200
    clock.now += 2
    assert ask(PATH, other_server.token()).status == 503


@spec("RFC 7517", "5")
def test_a_key_that_is_withdrawn_serves_no_more(other_server: OtherServer, clock: Clock) -> None:
    old = other_server.token()
    ask(PATH, old)
    other_server.start_over("RS256", "second")
    clock.now += 301

    refused(old)


def test_many_at_once_ask_once(other_server: OtherServer) -> None:
    other_server.delay = 0.1
    issuer, found = other_server.issuer, []

    def look() -> None:
        found.append(len(remote_issuer._keys(issuer)))

    threads = [threading.Thread(target=look) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [1] * 10
    assert other_server.asked == [OIDC, "/keys"]


def test_nobody_waits_while_keys_are_renewed(other_server: OtherServer, clock: Clock) -> None:
    ask(PATH, other_server.token())
    clock.now += 301
    kept = remote_issuer._of(other_server.issuer)

    with kept.lock:
        assert ask(PATH, other_server.token()).status == 200
    assert len(other_server.asked) == 2


def test_a_refusal_never_shows_the_token(other_server: OtherServer) -> None:
    token = other_server.token(aud="x")
    answer = ask(PATH, token)

    assert token not in answer.html
    assert token not in str(RequestTrace.objects.get().outcomes)
