"""Client credentials, over HTTP: which clients get tokens of their own, and what those open."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oidc_pkce.identifiers import digest
from oidc_pkce.models import (
    AccessToken,
    Application,
    Grant,
    Permission,
    Principal,
    RefreshToken,
    RevokedToken,
    ServiceUser,
    Subject,
)
from tests.fixtures import make_user
from tests.journeys import (
    FORM,
    SECRET,
    Answer,
    Browser,
    Journey,
    basic,
    claims_of,
    encode,
    give_secret,
    last_trace,
    make_application,
    make_service_user,
)
from tests.spec import spec

WRONG_CLIENT = "invalid client creds"
DENIED = (400, "unauthorized_client", "access denied")
ODD_SECRET = "p%41ss+w/rd with=signs&more-of-it-to-43-chars"
API = "https://api.example/v1"
FLOWS = ["AuthorizationCode", "ClientCreds"]


@pytest.fixture
def machine(robot: Any) -> Journey:
    """A service user before an application of Client ID Type Confidential."""
    app = make_application(
        application_id="backend",
        client_id_type="Confidential",
        client_ids=[],
        redirect_uris=[],
        flows=["ClientCreds"],
    )
    for name in ("read", "write"):
        app.scopes.create(name=name)
    return Journey(app, client_id="robot", secret=SECRET)


@pytest.fixture
def web(openid_app: Application) -> Journey:
    """The client of an OpenID Connect application, with a secret."""
    give_secret(openid_app)
    openid_app.flows = FLOWS
    openid_app.save()
    openid_app.scopes.create(name="read")
    return Journey(openid_app, client_id=openid_app.openid_client_id, secret=SECRET)


def ask(journey: Journey, *, headers: Any = None, **changes: Any) -> Answer:
    """Ask for a token of the client's own; ``None`` leaves a parameter out."""
    defaults = {
        "grant_type": "client_credentials",
        "client_id": journey.client_id,
        "client_secret": journey.secret,
    }
    return journey.post("Token", {**defaults, **changes}, headers=headers)


def in_header(journey: Journey, header: dict[str, str], **changes: Any) -> Answer:
    """The same, the client proved by the header alone."""
    return ask(journey, headers=header, client_id=None, client_secret=None, **changes)


def raw_basic(client_id: str, secret: str) -> dict[str, str]:
    """Basic credentials as many clients send them: not percent-encoded."""
    pair = f"{client_id}:{secret}".encode()
    return {"Authorization": "Basic " + base64.b64encode(pair).decode()}


# --- what it answers ----------------------------------------------------------------------------


@spec("RFC 6749", "4.4.3")
def test_the_answer_has_real_types_and_is_kept_out_of_caches(machine):
    answer = ask(machine)

    assert answer.status == 200
    assert list(answer.json) == ["access_token", "token_type", "expires_in", "scope"]
    assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "")
    assert answer.json["expires_in"] == 18000
    assert isinstance(answer.json["expires_in"], int)
    assert answer.response.headers["Cache-Control"] == "no-store"


@spec("RFC 9068", "2.2")
def test_the_subject_is_the_service_user_and_no_grant_is_named(machine, robot):
    claims = claims_of(ask(machine, scope="read").json["access_token"])

    assert set(claims) == {
        *("iss", "sub", "aud", "client_id", "app_id", "unique_name", "auth_time", "iat"),
        *("exp", "jti", "scope"),
    }
    assert claims["sub"] == str(Subject.objects.get(user=robot.user).identifier)
    assert claims["aud"] == claims["client_id"] == claims["unique_name"] == "robot"
    assert (claims["iss"], claims["app_id"]) == ("https://id.example.com/backend/", "backend")
    assert claims["scope"] == "read"
    assert claims_of(ask(machine).json["access_token"])["sub"] == claims["sub"]


@spec("RFC 6749", "4.4.3")
@pytest.mark.parametrize("kind", ["machine", "web"])
def test_no_grant_is_written_and_no_refresh_token_comes(request, kind):
    journey = request.getfixturevalue(kind)
    journey.application.issues_refresh_tokens = True
    journey.application.save()
    answer = ask(journey)

    assert answer.status == 200
    assert "refresh_token" not in answer.json
    assert (Grant.objects.count(), RefreshToken.objects.count()) == (0, 0)


@spec("RFC 6749", "4.4")
def test_an_openid_connect_client_is_its_own_subject(web):
    tokens = ask(web, scope="read").json
    claims = claims_of(tokens["access_token"])

    assert claims["sub"] == claims["client_id"] == claims["unique_name"] == web.client_id
    assert "gid" not in claims
    assert "id_token" not in tokens
    assert web.userinfo(tokens["access_token"]).json["sub"] == web.client_id


@spec("RFC 6749", "4.4.3")
def test_lifetime_and_audience_follow_the_application(machine):
    machine.application.access_token_lifetime = timedelta(minutes=1)
    machine.application.audience = "https://api.example"
    machine.application.save()
    tokens = ask(machine).json

    assert tokens["expires_in"] == 60
    assert claims_of(tokens["access_token"])["aud"] == "https://api.example"


@spec("RFC 6749", "4.4")
def test_an_opaque_token_is_random_and_stored_as_its_digest(machine):
    machine.application.token_type = "Opaque"
    machine.application.save()
    token = ask(machine, scope="read").json["access_token"]

    assert len(token) == 43
    row = AccessToken.objects.get()
    assert bytes(row.digest) == digest(token)
    assert (row.grant_id, row.client_id, row.scope) == (None, "robot", "read")
    assert machine.userinfo(token).json["sub"] == row.subject
    assert Grant.objects.count() == 0


# --- how the client proves itself ---------------------------------------------------------------


@spec("RFC 6749", "2.3.1")
def test_a_service_user_proves_itself_raw_encoded_or_in_the_body(machine):
    name = "robot:7@example.com"
    make_service_user(make_user(name), ODD_SECRET)

    for answer in (
        in_header(machine, basic(name, ODD_SECRET)),
        ask(machine, headers=basic(name, ODD_SECRET), client_id=name, client_secret=None),
        ask(machine, client_id=name, client_secret=ODD_SECRET),
    ):
        assert answer.status == 200
        assert claims_of(answer.json["access_token"])["client_id"] == name


@spec("RFC 6749", "2.3.1")
@pytest.mark.parametrize("secret", [SECRET, ODD_SECRET, "100%" * 11, "a+b%2Bc%zz" * 5])
@pytest.mark.parametrize("spell", [basic, raw_basic], ids=["encoded", "raw"])
def test_the_header_is_read_however_it_was_encoded(machine, spell, secret):
    make_service_user(make_user("robot@example.com"), secret)

    assert in_header(machine, spell("robot@example.com", secret)).status == 200


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("robot", "wrong" * 9),
        ("robot", ""),
        ("nobody", SECRET),
        ("ada", "correct horse battery staple"),
        ("ROBOT", SECRET),
    ],
)
def test_a_wrong_client_is_refused_in_the_header_and_in_the_body(machine, ada, client_id, secret):
    header = in_header(machine, basic(client_id, secret))
    body = ask(machine, client_id=client_id, client_secret=secret)

    assert header.told == (401, "invalid_client", WRONG_CLIENT)
    assert header.response.headers["WWW-Authenticate"].startswith("Basic ")
    assert body.told == (400, "invalid_client", WRONG_CLIENT)
    assert "WWW-Authenticate" not in body.response.headers


@spec("RFC 6749", "2.3")
def test_no_credential_stands_in_two_places_or_in_the_url(machine):
    both = ask(machine, headers=basic("robot", SECRET))
    assert both.told == (400, "invalid_request", "the client authenticates in two ways at once")

    path = f"{machine.url('Token')}?client_secret={SECRET}"
    fields = encode({"grant_type": "client_credentials", "client_id": "robot"})
    url = Answer(Browser().post(path, fields, content_type=FORM))
    assert url.told == (400, "invalid_request", "client_secret must not be sent in the query")


@spec("RFC 6749", "4.4")
@pytest.mark.parametrize("kind", ["List", "Anything"])
def test_a_public_client_is_refused(robot, kind):
    app = make_application(client_id_type=kind, client_ids=["robot"], flows=FLOWS)
    public = Journey(app, client_id="robot")

    assert ask(public).told == (
        400,
        "unauthorized_client",
        "this grant is for clients that keep a secret",
    )
    assert last_trace().failed_check == "client_credentials.client"
    assert ask(public, client_secret=SECRET).told == (400, "invalid_client", WRONG_CLIENT)


@spec("RFC 6749", "4.4")
def test_an_openid_connect_client_without_its_secret_is_refused(web):
    assert ask(web, client_secret=None).told[:2] == (400, "unauthorized_client")
    assert ask(web, client_secret="wrong" * 9).told == (400, "invalid_client", WRONG_CLIENT)
    web.application.require_client_secret = True
    web.application.save()
    assert ask(web, client_secret=None).told == (400, "invalid_client", WRONG_CLIENT)


@spec("RFC 6749", "2.3")
def test_a_service_user_is_flagged_where_the_application_asks_for_that(machine):
    machine.application.must_be_oauth_client = True
    machine.application.save()
    ServiceUser.objects.update(is_oauth_confidential_client=False)
    assert ask(machine).told == (400, "invalid_client", WRONG_CLIENT)
    assert last_trace().failed_check == "client.service_user"
    ServiceUser.objects.update(is_oauth_confidential_client=True)
    assert ask(machine).status == 200


@spec("RFC 6749", "5.2")
def test_a_grant_that_is_not_ticked_is_named(machine, web):
    for journey in (machine, web):
        journey.application.flows = ["AuthorizationCode"]
        journey.application.redirect_uris = ["https://app.example/cb"]
        journey.application.save()
        assert ask(journey).told == (
            400,
            "unauthorized_client",
            "grant client_credentials is not offered",
        )


# --- scope and resource -------------------------------------------------------------------------


@spec("RFC 6749", "4.4.2")
@pytest.mark.parametrize(
    ("scope", "granted"),
    [(None, ""), ("", ""), ("write read", "write read"), ("read read", "read")],
)
def test_the_scopes_are_those_that_were_asked_for(machine, scope, granted):
    tokens = ask(machine, scope=scope).json

    assert tokens["scope"] == claims_of(tokens["access_token"])["scope"] == granted


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize("scope", ["admin", "Read", "openid", "profile", "offline_access"])
@pytest.mark.parametrize("kind", ["machine", "web"])
def test_an_unknown_scope_and_one_about_a_person_are_refused(request, kind, scope):
    journey = request.getfixturevalue(kind)

    answer = ask(journey, scope=f"read {scope}")

    assert answer.told == (400, "invalid_scope", f"unknown scope {scope}")
    assert last_trace().failed_check == "token.scope"


@spec("RFC 8707", "2.2")
def test_a_resource_becomes_the_audience(machine):
    assert claims_of(ask(machine, resource=API).json["access_token"])["aud"] == API
    two = ask(machine, resource=[API, "urn:x:y"]).json["access_token"]
    assert claims_of(two)["aud"] == [API, "urn:x:y"]


@spec("RFC 8707", "2")
@pytest.mark.parametrize(
    "resource",
    [
        "api",
        "/api",
        "https://api.example/#x",
        "https://api.example/" + "x" * 255,
        "https://a\u202eb",
        [f"urn:x:{n}" for n in range(11)],
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_resource_that_is_none_is_refused(machine, resource):
    assert ask(machine, resource=resource).told[:2] == (400, "invalid_target")
    assert last_trace().failed_check == "token.resource_form"


# --- who may, when it asks and when it uses the token ---------------------------------------------


def deactivate(journey: Journey, robot: Any) -> None:
    robot.user.is_active = False
    robot.user.save()


def take_the_right(journey: Journey, robot: Any) -> None:
    Permission.objects.update(can_run=False)


def disable_the_application(journey: Journey, robot: Any) -> None:
    journey.application.enabled = False
    journey.application.save()


def be_no_service_user_any_more(journey: Journey, robot: Any) -> None:
    robot.delete()


def be_deleted(journey: Journey, robot: Any) -> None:
    robot.user.delete()


@spec("RFC 6749", "4.4")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize(
    ("happening", "told"),
    [
        (deactivate, (400, "invalid_client", WRONG_CLIENT)),
        (take_the_right, DENIED),
        (disable_the_application, DENIED),
        (be_no_service_user_any_more, (400, "invalid_client", WRONG_CLIENT)),
        (be_deleted, (400, "invalid_client", WRONG_CLIENT)),
    ],
)
def test_what_a_service_user_loses_stops_new_tokens_and_old_ones(
    machine, robot, happening: Callable[[Journey, Any], None], told, token_type
):
    machine.application.token_type = token_type
    machine.application.save()
    token = ask(machine).json["access_token"]
    assert machine.userinfo(token).status == 200

    happening(machine, robot)

    assert ask(machine).told == told
    assert machine.userinfo(token).status == 401


@spec("RFC 6749", "4.4")
def test_the_run_right_is_the_service_users_own(robot):
    app = make_application(
        client_id_type="Confidential", client_ids=[], flows=FLOWS, everybody=False
    )
    journey = Journey(app, client_id="robot", secret=SECRET)
    assert ask(journey).told == DENIED
    assert last_trace().failed_check == "client_credentials.access"
    Permission.objects.create(application=app, principal=Principal.USER, user=robot.user)
    assert ask(journey).status == 200


@spec("RFC 6749", "4.4")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_an_openid_connect_application_serves_itself_until_it_is_disabled(web, token_type):
    Permission.objects.all().delete()
    web.application.token_type = token_type
    web.application.save()
    token = ask(web).json["access_token"]
    assert web.userinfo(token).status == 200
    web.application.enabled = False
    web.application.save()

    assert ask(web).told == DENIED
    assert web.userinfo(token).status == 401


@spec("RFC 7009", "2.1")
def test_a_jwt_without_a_grant_is_revoked_by_its_own_name(machine):
    token, other = (ask(machine).json["access_token"] for _ in range(2))
    until = datetime.fromtimestamp(claims_of(token)["exp"], UTC)
    RevokedToken.objects.create(jti=uuid.UUID(claims_of(token)["jti"]), expires_at=until)

    assert machine.userinfo(token).status == 401
    assert machine.userinfo(other).status == 200


@spec("RFC 6749", "1.4")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_the_token_expires_to_the_second(machine, clock, token_type):
    machine.application.token_type = token_type
    machine.application.save()
    tokens = ask(machine).json
    clock.step(tokens["expires_in"] - 1)
    assert machine.userinfo(tokens["access_token"]).status == 200
    clock.step(1)
    assert machine.userinfo(tokens["access_token"]).status == 401


@spec("RFC 9068", "4")
def test_the_token_opens_no_other_application(machine, robot):
    other = make_application(
        application_id="other", client_id_type="Confidential", client_ids=[], flows=FLOWS
    )
    token = ask(machine).json["access_token"]

    assert Journey(other).userinfo(token).status == 401


@spec("OpenID Connect Core", "5.3.2")
def test_userinfo_answers_about_the_service_user(machine):
    token = ask(machine, scope="read").json["access_token"]
    told = machine.userinfo(token).json

    assert told["sub"] == claims_of(token)["sub"]
    assert (told["unique_name"], told["aud"]) == ("robot", "robot")
    assert isinstance(told["auth_time"], int)


# --- what is malformed --------------------------------------------------------------------------


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"client_id": None, "client_secret": None}, "client_id is missing"),
        ({"scope": ["read", "read"]}, "the parameter scope is repeated"),
        ({"scope": "x" * 9000}, "the parameter scope is too long"),
        ({"scope": "a\0b"}, "the parameter scope is not UTF-8 text"),
        ({"client_secret": "x" * 9000}, "the parameter client_secret is too long"),
        ({"grant_type": None}, "grant_type is missing"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_is_named(machine, changes, description):
    answer = ask(machine, **changes)

    assert answer.told == (400, "invalid_request", description)
    assert answer.response.headers["Cache-Control"] == "no-store"


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize("scope", ["x" * 256, "a " * 101, 'say "hi"', "a\tb"])
def test_a_scope_that_breaks_the_grammar_is_refused(machine, scope):
    assert ask(machine, scope=scope).told[:2] == (400, "invalid_scope")
