"""The token endpoint, over HTTP: a code is traded once, by its owner, under every condition."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce import signals
from oidc_pkce.flows import tracing
from oidc_pkce.identifiers import digest
from oidc_pkce.models import (
    Application,
    AuditEvent,
    AuthorizationCode,
    ClientAuthentication,
    ClientSecret,
    Grant,
    Permission,
    Principal,
    ServiceUser,
)
from oidc_pkce.protocol import client_authentication as client_rules
from tests.fixtures import make_user
from tests.journeys import (
    CALLBACK,
    CHALLENGE,
    FORM,
    SECRET,
    VERIFIER,
    Answer,
    Browser,
    Journey,
    basic,
    encode,
    give_secret,
    last_trace,
    make_application,
    make_service_user,
)
from tests.spec import spec

DOES_NOT_MATCH = "supplied code does not match known request"
ANOTHER_VERIFIER = "x" * 43


def told(answer: Answer) -> tuple[int, str, str]:
    """Status, error and description of a refusal."""
    return answer.status, answer.json["error"], answer.json["error_description"]


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def age_codes(by: timedelta = timedelta(seconds=61)) -> None:
    """Let every code be older."""
    AuthorizationCode.objects.update(expires_at=timezone.now() + timedelta(seconds=60) - by)


# --- what it answers ----------------------------------------------------------------------------


@spec("RFC 6749", "5.1")
def test_the_answer_has_real_types_and_is_kept_out_of_caches(signed_in):
    answer = signed_in.redeem(signed_in.authorize().code)

    assert answer.status == 200
    assert list(answer.json) == ["access_token", "token_type", "expires_in", "scope"]
    assert answer.json["expires_in"] == 18000
    assert isinstance(answer.json["expires_in"], int)
    assert answer.json["scope"] == ""
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert answer.response.headers["Content-Type"] == "application/json"


@spec("RFC 9068", "2.2")
def test_the_access_token_says_what_the_contract_lists(signed_in, list_app, ada):
    list_app.scopes.create(name="read")
    claims = claims_of(signed_in.tokens(scope="read", nonce="n")["access_token"])

    assert set(claims) == {
        *("iss", "sub", "aud", "client_id", "gid", "app_id", "unique_name", "auth_time", "iat"),
        *("exp", "jti", "scope", "nonce"),
    }
    assert claims["iss"] == "https://id.example.com/my_app/"
    assert claims["aud"] == claims["client_id"] == "my_service_user"
    assert (claims["app_id"], claims["unique_name"]) == ("my_app", "ada")
    assert (claims["scope"], claims["nonce"]) == ("read", "n")
    assert claims["exp"] - claims["iat"] == 18000
    assert claims["sub"] not in {str(ada.pk), "ada"}


@spec("RFC 9068", "2.1")
def test_the_header_follows_the_template(signed_in, openid):
    plain = signed_in.tokens()["access_token"]
    profiled = openid.tokens(scope="openid")

    assert list(jwt.get_unverified_header(plain).items())[:2] == [("alg", "RS256"), ("typ", "JWT")]
    assert jwt.get_unverified_header(profiled["access_token"])["typ"] == "at+jwt"
    assert jwt.get_unverified_header(profiled["id_token"])["typ"] == "JWT"


@spec("OpenID Connect Core", "3.1.3.3")
def test_an_id_token_comes_with_openid_and_only_then(openid):
    told_of = openid.tokens(scope="openid profile", nonce="n-0S6_WzA2Mj")
    claims = claims_of(told_of["id_token"])

    assert claims["aud"] == claims["azp"] == openid.client_id
    assert claims["iss"] == "https://id.example.com/portal/"
    assert (claims["nonce"], claims["unique_name"]) == ("n-0S6_WzA2Mj", "ada")
    assert {"at_hash", "auth_time", "exp", "iat", "sid", "sub"} <= set(claims)
    assert not {"name", "given_name", "email", "scope", "client_id"} & set(claims)
    assert "id_token" not in openid.tokens(scope="profile")


@spec("OpenID Connect Core", "8")
def test_sub_is_the_same_for_every_client_and_another_for_every_user(openid, signed_in, bob):
    mine = claims_of(openid.tokens()["access_token"])["sub"]
    theirs = Journey(signed_in.application).log_in(bob).tokens()["access_token"]

    assert claims_of(signed_in.tokens()["access_token"])["sub"] == mine
    assert claims_of(theirs)["sub"] != mine


@spec("RFC 6749", "4.1.3")
def test_the_fields_of_published_clients_are_tolerated(signed_in):
    answer = signed_in.redeem(
        signed_in.authorize().code, state="s", nonce="n", debug="1", token="x", scope="whatever"
    )

    assert answer.status == 200


@spec("RFC 8707", "2.2")
def test_resources_narrow_and_never_widen(signed_in):
    one, two = "https://api.example/1", "https://api.example/2"
    code = signed_in.authorize(resource=[one, two]).code

    assert told(signed_in.redeem(code, resource="https://api.example/3"))[:2] == (
        400,
        "invalid_target",
    )
    assert claims_of(signed_in.redeem(code, resource=two).json["access_token"])["aud"] == two


@spec("RFC 6749", "5.1")
def test_lifetime_and_audience_follow_the_application(signed_in, list_app):
    list_app.access_token_lifetime = timedelta(minutes=1)
    list_app.audience = "https://api.example"
    list_app.save()
    tokens = signed_in.tokens()

    assert tokens["expires_in"] == 60
    assert claims_of(tokens["access_token"])["aud"] == "https://api.example"


# --- what is malformed --------------------------------------------------------------------------


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"grant_type": None}, "invalid_request", "grant_type is missing"),
        ({"grant_type": ""}, "invalid_request", "grant_type is missing"),
        ({"grant_type": "magic"}, "unsupported_grant_type", "invalid grant type"),
        ({"grant_type": "x" * 8000}, "unsupported_grant_type", "invalid grant type"),
        ({"code": None}, "invalid_request", "code is missing"),
        ({"code": ""}, "invalid_request", "code is missing"),
        ({"redirect_uri": None}, "invalid_request", "redirect_uri is missing"),
        ({"client_id": None}, "invalid_request", "client_id is missing"),
        ({"client_id": "unknown"}, "invalid_client", "invalid client creds"),
        ({"client_secret": "x"}, "invalid_client", "invalid client creds"),
        ({"code": "x" * 2000}, "invalid_request", "code is too long"),
        ({"code_verifier": "x" * 2000}, "invalid_request", "code_verifier is too long"),
        ({"code": "x" * 9000}, "invalid_request", "the parameter code is too long"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_has_its_error_and_leaves_the_code(signed_in, changes, error, description):
    code = signed_in.authorize().code

    answer = signed_in.redeem(**{"code": code, **changes})

    assert told(answer) == (400, error, description)
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert "WWW-Authenticate" not in answer.response.headers
    assert signed_in.redeem(code).status == 200


@spec("RFC 6749", "3.2")
@pytest.mark.parametrize(
    "name",
    ["grant_type", "code", "redirect_uri", "client_id", "code_verifier", "client_secret", "other"],
)
def test_a_parameter_that_stands_twice_is_refused(signed_in, name):
    code = signed_in.authorize().code
    for values in (["x", "x"], ["x", ""], ["", ""]):
        answer = signed_in.redeem(**{"code": code, name: values})
        assert told(answer) == (400, "invalid_request", f"the parameter {name} is repeated")
    assert signed_in.redeem(code).status == 200


@spec("RFC 6749", "2.3.1")
@pytest.mark.parametrize(
    "name", ["client_secret", "code", "code_verifier", "refresh_token", "password"]
)
def test_a_credential_never_stands_in_the_url(signed_in, name):
    code = signed_in.authorize().code
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": "my_service_user",
        "code_verifier": VERIFIER,
    }
    url = f"{signed_in.url('Token')}?{encode({name: body.get(name, 'x')})}"
    for sent in (body, {key: value for key, value in body.items() if key != name}):
        answer = Answer(Browser().post(url, encode(sent), content_type=FORM))
        assert told(answer) == (400, "invalid_request", f"{name} must not be sent in the query")
    assert signed_in.redeem(code).status == 200


@spec("RFC 6749", "3.2")
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_only_a_form_is_read(signed_in, content_type):
    data = b'{"grant_type": "authorization_code"}'
    answer = Answer(Browser().post(signed_in.url("Token"), data, content_type=content_type))

    assert told(answer) == (400, "invalid_request", "grant_type is missing")


@spec("RFC 6749", "3.2")
def test_a_form_may_name_its_character_set(signed_in):
    body = encode(
        {
            "grant_type": "authorization_code",
            "code": signed_in.authorize().code,
            "redirect_uri": CALLBACK,
            "client_id": "my_service_user",
            "code_verifier": VERIFIER,
        }
    )
    answer = Browser().post(signed_in.url("Token"), body, content_type=f"{FORM}; charset=UTF-8")

    assert answer.status_code == 200


@spec("RFC 6749", "3.2")
@pytest.mark.parametrize("value", ["%FF%FE", "%00", "a%00b", "%ED%A0%80"])
@pytest.mark.parametrize("name", ["code", "client_id", "code_verifier", "redirect_uri", "x"])
def test_what_is_not_text_is_refused(signed_in, name, value):
    body = f"grant_type=authorization_code&{name}={value}"
    answer = Answer(Browser().post(signed_in.url("Token"), body, content_type=FORM))

    assert told(answer) == (400, "invalid_request", f"the parameter {name} is not UTF-8 text")


def test_a_megabyte_and_a_thousand_parameters_are_refused(signed_in):
    many = {f"p{n}": "1" for n in range(1000)}

    assert signed_in.redeem("c", x="y" * 1_000_000).error == "invalid_request"
    assert signed_in.redeem("c", **many).error == "invalid_request"
    assert signed_in.redeem("c", redirect_uri="y" * 200_000).error == "invalid_request"


@spec("RFC 6749", "5.2")
def test_an_unknown_application_is_a_404_in_json(db):
    answer = Answer(Browser().post("/OAuth2/Token/nowhere", "", content_type=FORM))

    assert told(answer) == (404, "invalid_request", "unknown app")


@spec("RFC 6749", "5.2")
def test_a_grant_that_is_not_ticked_is_named(signed_in, list_app):
    code = signed_in.authorize().code
    list_app.flows = ["ClientCreds"]
    list_app.save()

    assert told(signed_in.redeem(code)) == (
        400,
        "unauthorized_client",
        "grant authorization_code is not offered",
    )


@spec("RFC 6749", "4.4")
@pytest.mark.parametrize("grant", ["client_credentials", "password", "refresh_token", "implicit"])
def test_a_public_client_has_no_other_grant(signed_in, grant):
    answer = signed_in.post(
        "Token",
        {
            "grant_type": grant,
            "client_id": "my_service_user",
            "username": "ada",
            "password": "correct horse battery staple",
            "refresh_token": "x",
        },
    )

    assert answer.status == 400
    assert answer.error in {"unsupported_grant_type", "unauthorized_client", "invalid_grant"}


# --- single use and replay ----------------------------------------------------------------------


@spec("RFC 6749", "4.1.2")
def test_a_second_use_revokes_what_the_first_one_gave(signed_in):
    code = signed_in.authorize().code
    token = signed_in.redeem(code).json["access_token"]
    assert signed_in.userinfo(token).status == 200

    assert told(signed_in.redeem(code)) == (400, "invalid_grant", DOES_NOT_MATCH)

    assert signed_in.userinfo(token).status == 401
    assert Grant.objects.get().revoked_at is not None
    assert AuditEvent.objects.filter(action="code.replayed").count() == 1


@spec("RFC 6749", "4.1.2")
def test_a_replay_by_somebody_else_revokes_nothing(signed_in, list_app, ada):
    list_app.client_ids = ["my_service_user", "thief"]
    list_app.redirect_uris = [CALLBACK, "https://thief.example/cb"]
    list_app.save()
    other = Journey(make_application(application_id="other"))
    code = signed_in.authorize().code
    token = signed_in.redeem(code).json["access_token"]

    for replay in (
        signed_in.redeem(code, code_verifier=ANOTHER_VERIFIER),
        signed_in.redeem(code, code_verifier=None),
        signed_in.redeem(code, client_id="thief"),
        signed_in.redeem(code, client_id="unknown"),
        signed_in.redeem(code, redirect_uri="https://thief.example/cb"),
        signed_in.redeem(code, client_secret="x" * 43),
        other.redeem(code),
    ):
        assert replay.status == 400

    assert signed_in.userinfo(token).status == 200
    assert Grant.objects.get().revoked_at is None


@spec("RFC 6749", "4.1.2")
def test_a_replay_takes_only_its_own_grant_along(signed_in):
    other = signed_in.tokens()["access_token"]
    code = signed_in.authorize().code
    signed_in.redeem(code)
    signed_in.redeem(code)

    assert signed_in.userinfo(other).status == 200


@spec("RFC 6749", "4.1.2")
def test_the_hosts_atomic_requests_do_not_undo_the_revocation(signed_in, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    code = signed_in.authorize().code
    token = signed_in.redeem(code).json["access_token"]

    assert signed_in.redeem(code).error == "invalid_grant"

    assert signed_in.userinfo(token).status == 401
    assert Grant.objects.get().revoked_at is not None


def test_every_endpoint_stays_out_of_the_hosts_atomic_requests():
    from oidc_pkce.urls import urlpatterns
    from oidc_pkce.well_known_urls import urlpatterns as well_known

    for pattern in (*urlpatterns, *well_known):
        assert "default" in pattern.callback._non_atomic_requests, pattern


def test_a_revocation_is_announced_once_it_is_committed(
    signed_in, django_capture_on_commit_callbacks
):
    heard = []
    signals.grant_revoked.connect(lambda **kwargs: heard.append(kwargs["reason"]), weak=False)
    code = signed_in.authorize().code
    with django_capture_on_commit_callbacks(execute=True):
        signed_in.redeem(code)
        signed_in.redeem(code)
        signed_in.redeem(code)

    assert heard == ["code.replayed"]


# --- consume before validate --------------------------------------------------------------------


@spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"code_verifier": ANOTHER_VERIFIER}, "invalid_grant", DOES_NOT_MATCH),
        ({"code_verifier": None}, "invalid_grant", DOES_NOT_MATCH),
        ({"code_verifier": CHALLENGE}, "invalid_grant", DOES_NOT_MATCH),
        ({"redirect_uri": "http://localhost:5000/other"}, "invalid_grant", "mismatched redirect"),
        ({"redirect_uri": CALLBACK + "/"}, "invalid_grant", "mismatched redirect"),
        ({"redirect_uri": CALLBACK.upper()}, "invalid_grant", "mismatched redirect"),
        ({"client_id": "another_client"}, "invalid_grant", DOES_NOT_MATCH),
        ({"client_id": "unknown"}, "invalid_client", "invalid client creds"),
        ({"client_secret": "wrong" * 9}, "invalid_client", "invalid client creds"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_whoever_fails_leaves_the_code_to_its_owner(
    signed_in, list_app, changes, error, description
):
    list_app.client_ids = ["my_service_user", "another_client"]
    list_app.save()
    code = signed_in.authorize().code

    for _ in range(3):
        assert told(signed_in.redeem(code, **changes)) == (400, error, description)

    assert signed_in.redeem(code).status == 200


@spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize("secret", ["wrong" * 9, None])
def test_a_wrong_secret_leaves_the_code_to_its_owner(confidential, secret):
    code = confidential.authorize().code

    assert told(confidential.redeem(code, client_secret=secret))[1] == "invalid_client"
    assert confidential.redeem(code).status == 200


# --- binding ------------------------------------------------------------------------------------


@spec("RFC 6749", "10.5")
def test_a_code_fits_no_other_client_and_no_other_application(ada, robot):
    make_service_user(make_user("robot2"), SECRET)
    for name in ("one", "two"):
        make_application(application_id=name, client_ids=["a", "b"])
    for name in ("three", "four"):
        make_application(application_id=name, client_id_type="Confidential", client_ids=[])
    for name in ("five", "six"):
        openid = {"template": "Generic OpenID Connect", "openid_client_id": name, "client_ids": []}
        give_secret(make_application(application_id=name, client_id_type="Confidential", **openid))
    apps = {app.application_id: app for app in Application.objects.all()}
    owners = [
        *(Journey(apps[name], client_id=client) for name in ("one", "two") for client in "ab"),
        *(
            Journey(apps[name], client_id=client, secret=SECRET)
            for name in ("three", "four")
            for client in ("robot", "robot2")
        ),
        *(Journey(apps[name], client_id=name, secret=SECRET) for name in ("five", "six")),
    ]
    for owner in owners:
        owner.log_in(ada)
        code = owner.authorize().code
        for other in owners:
            if other is not owner:
                assert told(other.redeem(code)) == (400, "invalid_grant", DOES_NOT_MATCH)
        assert owner.redeem(code).status == 200


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "client": lambda request: request.update(client_id="another_client"),
    "redirect": lambda request: request.update(redirect_uri="http://localhost:5000/other"),
    "PKCE": lambda request: request.update(code_verifier=ANOTHER_VERIFIER),
    "expired": lambda _: age_codes(),
}


@spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(chosen, id=" and ".join(chosen) or "none")
        for count in range(len(FAULTS) + 1)
        for chosen in itertools.combinations(FAULTS, count)
    ],
)
def test_a_code_is_traded_only_when_every_condition_holds(signed_in, list_app, faults):
    list_app.client_ids = ["my_service_user", "another_client"]
    list_app.save()
    request: dict[str, Any] = {"code": signed_in.authorize().code}
    for fault in faults:
        FAULTS[fault](request)

    answer = signed_in.redeem(**request)

    if faults:
        assert told(answer)[:2] == (400, "invalid_grant")
    else:
        assert answer.status == 200


@spec("RFC 6749", "4.1.2")
def test_a_code_expires_to_the_second(signed_in):
    code = signed_in.authorize().code
    age_codes(timedelta(seconds=60))

    assert told(signed_in.redeem(code)) == (400, "invalid_grant", DOES_NOT_MATCH)
    assert last_trace().failed_check == "code.lifetime"


@spec("RFC 6749", "4.1.2")
@pytest.mark.parametrize("spoil", [str.lower, str.upper, lambda c: c[:-1], lambda c: c + "A"])
def test_another_spelling_of_a_code_is_no_code(signed_in, spoil):
    code = signed_in.authorize().code

    assert told(signed_in.redeem(spoil(code))) == (400, "invalid_grant", DOES_NOT_MATCH)
    assert last_trace().failed_check == "code.known"


# --- PKCE ---------------------------------------------------------------------------------------


@spec("RFC 7636", "4.6")
@pytest.mark.parametrize(
    "verifier",
    [
        pytest.param("", id="empty"),
        pytest.param(VERIFIER[:42], id="42 characters"),
        pytest.param("x" * 129, id="129 characters"),
        pytest.param(VERIFIER + "\n", id="trailing newline"),
        pytest.param(VERIFIER + " ", id="trailing space"),
        pytest.param(VERIFIER + "=", id="padded"),
        pytest.param(VERIFIER.lower(), id="another case"),
        pytest.param(VERIFIER[:-1] + "+", id="wrong alphabet"),
        pytest.param(VERIFIER[:-1] + "é", id="not ASCII"),
        pytest.param(CHALLENGE, id="the challenge"),
    ],
)
def test_a_verifier_that_did_not_make_the_challenge_is_refused(signed_in, verifier):
    code = signed_in.authorize().code

    assert told(signed_in.redeem(code, code_verifier=verifier)) == (
        400,
        "invalid_grant",
        DOES_NOT_MATCH,
    )
    assert last_trace().failed_check == "code.verifier"


@spec("RFC 9700", "4.8.2")
def test_a_verifier_without_a_challenge_is_refused(signed_in, list_app):
    list_app.requires_pkce = False
    list_app.save()
    code = signed_in.authorize(code_challenge=None, code_challenge_method=None).code

    assert told(signed_in.redeem(code)) == (400, "invalid_grant", DOES_NOT_MATCH)
    assert signed_in.redeem(code, code_verifier=None).status == 200


@spec("RFC 9700", "4.8.2")
def test_a_challenge_without_a_verifier_is_refused_also_beside_a_secret(openid_with_secret):
    code = openid_with_secret.authorize().code

    assert told(openid_with_secret.redeem(code, code_verifier=None))[1] == "invalid_grant"
    assert openid_with_secret.redeem(code).status == 200


@spec("RFC 7636", "4.6")
def test_the_method_cannot_be_swapped(signed_in, list_app):
    list_app.allows_plain_pkce = True
    list_app.save()
    plain = signed_in.authorize(code_challenge=CHALLENGE, code_challenge_method="plain").code
    hashed = signed_in.authorize(code_challenge=CHALLENGE, code_challenge_method="S256").code

    assert signed_in.redeem(plain, code_verifier=VERIFIER).error == "invalid_grant"
    swapped = {"code_verifier": CHALLENGE, "code_challenge_method": "plain"}
    assert signed_in.redeem(hashed, **swapped).error == "invalid_grant"
    assert signed_in.redeem(plain, code_verifier=CHALLENGE).status == 200
    assert signed_in.redeem(hashed, code_verifier=VERIFIER).status == 200


@spec("RFC 7636", "4.1")
@pytest.mark.parametrize("length", [43, 48, 128])
def test_verifiers_of_published_clients_work(list_app, ada, length):
    journey = Journey(list_app, verifier="aZ9-._~"[:7] + "x" * (length - 7)).log_in(ada)

    assert journey.tokens()["token_type"] == "Bearer"


@spec("RFC 9700", "2.1.1")
def test_turning_require_pkce_on_catches_the_codes_made_before(signed_in, list_app):
    list_app.requires_pkce = False
    list_app.save()
    code = signed_in.authorize(code_challenge=None, code_challenge_method=None).code
    list_app.requires_pkce = True
    list_app.save()

    assert signed_in.redeem(code, code_verifier=None).error == "invalid_grant"


# --- client authentication ----------------------------------------------------------------------


@spec("RFC 6749", "2.3.1")
def test_a_confidential_client_proves_itself_in_the_header_or_in_the_body(confidential):
    for changes in (
        {"client_secret": SECRET},
        {"client_secret": None, "headers": basic("robot", SECRET)},
        {"client_secret": None, "client_id": None, "headers": basic("robot", SECRET)},
    ):
        assert confidential.redeem(confidential.authorize().code, **changes).status == 200


@spec("RFC 6749", "2.3.1")
def test_basic_is_read_decoded_raw_and_in_any_case(ada, db):
    secret = "p%41ss+w/rd:with=colon&more-of-it-to-43-chars"
    make_service_user(make_user("robot@example.com"), secret)
    app = make_application(application_id="c", client_id_type="Confidential", client_ids=[])
    journey = Journey(app, client_id="robot@example.com").log_in(ada)
    raw = base64.b64encode(f"robot@example.com:{secret}".encode()).decode()
    encoded = basic("robot@example.com", secret)["Authorization"].removeprefix("Basic ")

    for header in (f"Basic {raw}", f"Basic {encoded}", f"bAsIc {encoded}", f"BASIC  {encoded}"):
        headers = {"Authorization": header}
        assert journey.redeem(journey.authorize().code, headers=headers).status == 200


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "header",
    [
        basic("robot", "wrong" * 9)["Authorization"],
        basic("unknown", SECRET)["Authorization"],
        basic("ada", "correct horse battery staple")["Authorization"],
        basic("robot", "")["Authorization"],
        "Basic !!!",
        "Basic",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"robot\0:x").decode(),
        "Basic " + "A" * 10_000,
        "Bearer abc",
        "Digest username=robot",
    ],
    ids=lambda header: header[:24],
)
def test_a_failure_in_the_header_is_a_401_with_a_challenge(confidential, header):
    code = confidential.authorize().code
    answer = confidential.redeem(
        code, client_id=None, client_secret=None, headers={"Authorization": header}
    )

    assert told(answer) == (401, "invalid_client", "invalid client creds")
    assert answer.response.headers["WWW-Authenticate"].startswith("Basic ")
    assert confidential.redeem(code).status == 200


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "wrong" * 9},
        {"client_secret": None},
        {"client_id": "unknown"},
        {"client_id": "ada", "client_secret": "correct horse battery staple"},
        {"client_id": "ROBOT"},
    ],
    ids=str,
)
def test_a_failure_in_the_body_is_a_400(confidential, changes):
    code = confidential.authorize().code
    answer = confidential.redeem(code, **changes)

    assert told(answer) == (400, "invalid_client", "invalid client creds")
    assert "WWW-Authenticate" not in answer.response.headers


@spec("RFC 6749", "2.3")
def test_two_methods_at_once_are_refused_also_when_both_are_right(confidential):
    code = confidential.authorize().code
    both = confidential.redeem(code, headers=basic("robot", SECRET))

    assert told(both)[:2] == (400, "invalid_request")
    two = confidential.redeem(
        code, client_id="robot2", client_secret=None, headers=basic("robot", SECRET)
    )
    assert told(two)[:2] == (401, "invalid_client")
    same = confidential.redeem(code, client_secret=None, headers=basic("robot", SECRET))
    assert same.status == 200


@spec("RFC 6749", "2.1")
@pytest.mark.parametrize("kind", ["List", "Anything"])
def test_a_public_client_has_no_secret_not_even_a_right_looking_one(ada, robot, kind):
    app = make_application(client_id_type=kind, client_ids=["robot"])
    journey = Journey(app, client_id="robot").log_in(ada)
    code = journey.authorize().code

    assert told(journey.redeem(code, client_secret=SECRET))[1] == "invalid_client"
    answer = journey.redeem(code, headers=basic("robot", SECRET))
    assert told(answer)[:2] == (401, "invalid_client")
    assert journey.redeem(code).status == 200


@spec("RFC 6749", "2.3.1")
def test_a_public_client_may_name_itself_by_basic_with_an_empty_secret(signed_in):
    headers = basic("my_service_user", "")

    assert signed_in.redeem(signed_in.authorize().code, headers=headers).status == 200


@spec("RFC 9700", "2.1.1")
def test_an_openid_client_without_a_secret_needs_a_challenge(openid, openid_app):
    openid_app.requires_pkce = False
    openid_app.save()
    unbound = openid.authorize(code_challenge=None, code_challenge_method=None).code

    refused = openid.redeem(unbound, code_verifier=None)
    assert told(refused) == (400, "invalid_client", "invalid client creds")
    give_secret(openid_app)
    assert openid.redeem(unbound, code_verifier=None, client_secret=SECRET).status == 200
    assert openid.redeem(openid.authorize().code).status == 200


@spec("RFC 6749", "2.3.1")
def test_require_client_secret_forbids_an_openid_client_without_one(openid_with_secret, openid_app):
    openid_app.require_client_secret = True
    openid_app.save()
    code = openid_with_secret.authorize().code

    refused = openid_with_secret.redeem(code, client_secret=None)
    assert told(refused) == (400, "invalid_client", "invalid client creds")
    assert openid_with_secret.redeem(code, client_secret="w" * 43).error == "invalid_client"
    assert openid_with_secret.redeem(code).status == 200


@spec("RFC 6749", "2.3.1")
def test_how_the_client_proved_itself_is_remembered_on_the_grant(openid_with_secret):
    openid_with_secret.tokens()
    assert Grant.objects.get().client_authentication == "secret"


def test_two_secrets_live_and_an_expired_one_does_not(confidential, robot):
    ClientSecret.objects.create(service_user=robot, digest=digest("second" * 8))
    past = timezone.now() - timedelta(seconds=1)
    ClientSecret.objects.create(service_user=robot, digest=digest("expired" * 7), expires_at=past)

    for secret in (SECRET, "second" * 8):
        assert (
            confidential.redeem(confidential.authorize().code, client_secret=secret).status == 200
        )
    answer = confidential.redeem(confidential.authorize().code, client_secret="expired" * 7)
    assert answer.error == "invalid_client"
    used = ClientSecret.objects.exclude(last_used_at=None).count()
    assert used == 2


@spec("RFC 6749", "2.3.1")
def test_another_applications_secret_and_another_clients_secret_are_wrong(confidential, openid_app):
    give_secret(openid_app, "of-the-portal" * 4)
    make_service_user(make_user("robot2"), "of-robot-two" * 4)
    code = confidential.authorize().code

    for secret in ("of-the-portal" * 4, "of-robot-two" * 4):
        assert confidential.redeem(code, client_secret=secret).error == "invalid_client"


@spec("RFC 6749", "2.3")
def test_a_service_user_must_be_active_and_flagged_where_asked(confidential, robot):
    app = confidential.application
    code = confidential.authorize().code
    app.must_be_oauth_client = True
    app.save()
    ServiceUser.objects.update(is_oauth_confidential_client=False)
    assert confidential.redeem(code).error == "invalid_client"
    ServiceUser.objects.update(is_oauth_confidential_client=True)
    robot.user.is_active = False
    robot.user.save()
    assert confidential.redeem(code).error == "invalid_client"
    robot.user.is_active = True
    robot.user.save()
    assert confidential.redeem(code).status == 200


@spec("RFC 6749", "2.3.1")
def test_an_unknown_client_is_hashed_and_asked_for_like_a_wrong_secret(confidential, monkeypatch):
    hashed = []
    real = client_rules.hash_secret
    monkeypatch.setattr(client_rules, "hash_secret", lambda s: hashed.append(s) or real(s))

    def cost(client_id: str) -> tuple[int, int, bytes]:
        hashed.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = confidential.redeem("c", client_id=client_id, client_secret="w" * 43)
        body = re.sub(rb'"request_id": "[^"]*"', b"", answer.response.content)
        return len(hashed), len(queries), body

    cost("robot")  # the first refusal of a process also throws old traces away
    assert cost("robot") == cost("nobody") == cost("ada")
    assert cost("robot")[0] == 1


class RefusingHasher:
    """A password hasher that must not run."""

    algorithm = "md5"

    def __init__(self) -> None:
        raise AssertionError("a password hasher ran")


@spec("RFC 6749", "2.3.1")
def test_no_password_hasher_ever_runs_here(confidential, openid_with_secret, settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.{RefusingHasher.__name__}"]
    for journey in (confidential, openid_with_secret):
        code = journey.authorize().code
        assert journey.redeem(code, client_secret="w" * 43).status == 400
        assert journey.redeem(code, client_id="nobody").status == 400
        answer = journey.redeem(code)
        assert answer.status == 200
        assert journey.userinfo(answer.json["access_token"]).status == 200


# --- attempt limits -----------------------------------------------------------------------------


@spec("RFC 6749", "2.3.1")
def test_wrong_secrets_are_limited_and_right_ones_never_counted(confidential, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ATTEMPTS_PER_ACCOUNT": 3}
    for _ in range(5):
        assert confidential.redeem(confidential.authorize().code).status == 200
    code = confidential.authorize().code
    for _ in range(3):
        confidential.redeem(code, client_secret="w" * 43)

    assert told(confidential.redeem(code)) == (400, "invalid_client", "invalid client creds")
    assert last_trace().failed_check == "client.attempts"


def test_a_strangers_wrong_secrets_do_not_lock_the_client_out(confidential, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ATTEMPTS_PER_ACCOUNT": 3}
    code = confidential.authorize().code
    for _ in range(5):
        Browser(REMOTE_ADDR="192.0.2.66").post(
            confidential.url("Token"),
            encode({"grant_type": "authorization_code", "code": code, "client_id": "robot"})
            + "&client_secret="
            + "w" * 43,
            content_type=FORM,
        )

    assert confidential.redeem(code).status == 200


# --- who may, between approve and redeem --------------------------------------------------------


def deactivate(journey: Journey, ada: Any) -> None:
    ada.is_active = False
    ada.save()


def leave_the_group(journey: Journey, ada: Any) -> None:
    ada.groups.clear()


def disable_the_application(journey: Journey, ada: Any) -> None:
    journey.application.enabled = False
    journey.application.save()


def take_the_right(journey: Journey, ada: Any) -> None:
    Permission.objects.update(can_run=False)


def remove_the_permission(journey: Journey, ada: Any) -> None:
    Permission.objects.all().delete()


def become_a_service_user(journey: Journey, ada: Any) -> None:
    make_service_user(ada)


@spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize(
    "happening",
    [
        deactivate,
        leave_the_group,
        disable_the_application,
        take_the_right,
        remove_the_permission,
        become_a_service_user,
    ],
)
def test_what_is_lost_between_approve_and_redeem_stops_code_and_userinfo(ada, happening):
    app = make_application(everybody=False)
    group = Group.objects.create(name="makers")
    Permission.objects.create(application=app, principal=Principal.GROUP, group=group)
    ada.groups.add(group)
    journey = Journey(app).log_in(ada)
    token, code = journey.tokens()["access_token"], journey.authorize().code
    assert journey.userinfo(token).status == 200

    happening(journey, ada)

    assert told(journey.redeem(code)) == (400, "invalid_grant", "access denied")
    assert journey.userinfo(token).status == 401
    assert last_trace().failed_check == "bearer.access"
    assert AuthorizationCode.objects.filter(used_at=None).count() == 1


@spec("RFC 6749", "4.1.3")
def test_a_deleted_user_leaves_nothing_that_works(signed_in, ada):
    token, code = signed_in.tokens()["access_token"], signed_in.authorize().code
    ada.delete()

    assert told(signed_in.redeem(code)) == (400, "invalid_grant", DOES_NOT_MATCH)
    assert signed_in.userinfo(token).status == 401


@spec("RFC 6749", "4.1.3")
def test_a_grant_that_was_revoked_before_gives_nothing(signed_in):
    code = signed_in.authorize().code
    Grant.objects.all().revoke(timezone.now())

    assert told(signed_in.redeem(code)) == (400, "invalid_grant", DOES_NOT_MATCH)
    assert last_trace().failed_check == "code.grant"


@spec("RFC 9700", "4.13")
@pytest.mark.parametrize("with_secret", [True, False])
def test_how_an_openid_connect_client_proved_itself_is_remembered(openid_with_secret, with_secret):
    changes = {} if with_secret else {"client_secret": None}
    code = openid_with_secret.authorize(scope="openid").code
    assert Grant.objects.get().client_authentication == ClientAuthentication.PENDING

    assert openid_with_secret.redeem(code, **changes).status == 200

    expected = ClientAuthentication.SECRET if with_secret else ClientAuthentication.NONE
    assert Grant.objects.get().client_authentication == expected


@spec("RFC 9700", "4.13")
def test_how_other_clients_must_prove_themselves_is_known_from_the_beginning(signed_in):
    signed_in.authorize()

    assert Grant.objects.get().client_authentication == ClientAuthentication.NONE


@spec("RFC 6749", "5.1")
def test_an_answer_survives_that_its_trace_cannot_be_written(signed_in, monkeypatch, caplog):
    def fail(*args):
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(tracing, "record", fail)

    assert signed_in.tokens()["access_token"]
    assert signed_in.redeem("no code").error == "invalid_grant"
    assert "was not kept" in caplog.text
