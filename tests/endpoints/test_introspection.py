"""Introspection, over HTTP: who may know what of which token, and when a token is good no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce.models import (
    Application,
    Grant,
    Permission,
    Principal,
    RequestTrace,
    RevokedToken,
    ServiceUser,
)
from tests import forgeries
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
    last_trace,
    make_application,
    make_service_user,
)
from tests.spec import spec

INACTIVE = {"active": False}
WRONG_CLIENT = (400, "invalid_client", "invalid client creds")
ANOTHER_SECRET = "another-secret-of-43-characters-0123456789a"


@pytest.fixture
def owner(confidential: Journey) -> Journey:
    """A service user as the client of an application that ticks everything; Ada signed in."""
    app = confidential.application
    app.issues_refresh_tokens = True
    app.flows = ["AuthorizationCode", "ClientCreds"]
    app.save()
    app.scopes.create(name="read")
    app.scopes.create(name="write")
    return confidential


@pytest.fixture
def tokens(owner: Journey) -> dict[str, Any]:
    return owner.tokens(scope="read write")


def another_service_user(journey: Journey, name: str = "api") -> Journey:
    """Another confidential client of the same application."""
    make_service_user(make_user(name), ANOTHER_SECRET)
    return Journey(journey.application, client_id=name, secret=ANOTHER_SECRET)


def giving(journey: Journey, token_type: str) -> Journey:
    """Let the application issue access tokens of this type."""
    journey.application.token_type = token_type
    journey.application.save()
    return journey


def own_token(journey: Journey, **fields: Any) -> str:
    """An access token that the client gets for itself."""
    credentials = {"client_id": journey.client_id, "client_secret": journey.secret}
    form = {"grant_type": "client_credentials", **credentials, **fields}
    return str(journey.post("Token", form).json["access_token"])


def why(answer: Answer) -> tuple[str, str]:
    """What only the trace tells of an inactive token: the check, and the private sentence."""
    assert (answer.status, answer.json) == (200, INACTIVE)
    trace = last_trace()
    return trace.failed_check, trace.outcomes[-1]["detail"]


# --- what it tells ------------------------------------------------------------------------------


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "JwtES256", "JwtEdDSA", "JwtPS256", "Opaque"])
def test_an_active_token_is_described_with_real_types(owner, ada, token_type):
    giving(owner, token_type)
    told = owner.tokens(scope="read write")

    answer = owner.introspect(told["access_token"])

    members = answer.json
    assert answer.status == 200
    assert answer.response.headers["Content-Type"] == "application/json"
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert {name: members[name] for name in ("active", "scope", "client_id", "token_type")} == {
        "active": True,
        "scope": "read write",
        "client_id": "robot",
        "token_type": "Bearer",
    }
    assert (members["iss"], members["app_id"]) == ("https://id.example.com/backend/", "backend")
    assert (members["unique_name"], members["aud"]) == ("ada", "robot")
    assert members["sub"] == Grant.objects.get().subject
    assert members["exp"] - members["iat"] == told["expires_in"]
    assert all(type(members[name]) is int for name in ("exp", "iat", "auth_time"))
    assert set(members) == {
        *("active", "scope", "client_id", "token_type", "exp", "iat", "auth_time", "sub", "aud"),
        *("iss", "app_id", "unique_name"),
    }


@spec("RFC 7662", "2.2")
def test_it_says_what_the_jwt_says(owner, tokens):
    members = owner.introspect(tokens["access_token"]).json
    claims = claims_of(tokens["access_token"])

    for name in set(members) - {"active", "token_type"}:
        assert members[name] == claims[name], name


@spec("RFC 8707", "2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_several_audiences_are_a_list(owner, token_type):
    giving(owner, token_type)
    resources = ["https://api.example/1", "https://api.example/2"]

    token = owner.tokens(resource=resources)["access_token"]

    assert owner.introspect(token).json["aud"] == resources


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_a_clients_own_token_is_described(owner, token_type):
    giving(owner, token_type)

    members = owner.introspect(own_token(owner, scope="read")).json

    assert (members["active"], members["scope"], members["unique_name"]) == (True, "read", "robot")
    assert members["auth_time"] == members["iat"]


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_an_openid_connect_clients_own_token_is_described(openid_with_secret, token_type):
    app = openid_with_secret.application
    app.flows, app.token_type = ["AuthorizationCode", "ClientCreds"], token_type
    app.save()

    members = openid_with_secret.introspect(own_token(openid_with_secret)).json

    assert (members["active"], members["sub"]) == (True, openid_with_secret.client_id)


@spec("RFC 7662", "2.1")
def test_a_refresh_token_is_described_to_its_owner_as_what_it_is(owner, tokens):
    members = owner.introspect(tokens["refresh_token"]).json

    assert (members["active"], members["token_type"]) == (True, "refresh_token")
    assert (members["client_id"], members["scope"]) == ("robot", "read write")
    assert members["exp"] - members["iat"] == 30 * 86400
    assert "aud" not in members


@spec("RFC 7662", "2.1")
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "id_token", "x" * 5000, "é", ""])
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_hint_changes_nothing(owner, tokens, kind, hint):
    assert owner.introspect(tokens[kind], token_type_hint=hint).json["active"] is True


@spec("RFC 7662", "2.1")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_application_and_client_cost_one_statement_and_the_token_another(owner, token_type, kind):
    giving(owner, token_type)
    token = owner.tokens()[kind]
    owner.introspect(token)  # notes when the secret was used, and compiles

    with CaptureQueriesContext(connection) as queries:
        assert owner.introspect(token).json["active"] is True
        assert len(queries) == 2


def test_a_clients_own_token_costs_no_more(owner):
    token = own_token(owner)
    owner.introspect(token)

    with CaptureQueriesContext(connection) as queries:
        assert owner.introspect(token).json["active"] is True
        assert len(queries) == 2


# --- who may ask --------------------------------------------------------------------------------


@spec("RFC 7662", "2.1")
@spec("RFC 6749", "2.3.1")
def test_a_client_proves_itself_by_basic_or_in_the_body(owner, tokens):
    header = basic("robot", SECRET)
    token = tokens["access_token"]

    assert owner.introspect(token, headers=header, client_secret=None).json["active"]
    alone = owner.introspect(token, headers=header, client_id=None, client_secret=None)
    assert alone.json["active"]
    assert owner.introspect(token).json["active"]


@spec("RFC 7662", "2.3")
def test_a_wrong_secret_is_refused_as_at_the_token_endpoint(owner, tokens):
    token = tokens["access_token"]

    assert owner.introspect(token, client_secret="x" * 43).told == WRONG_CLIENT
    assert owner.introspect(token, client_secret=None).told == WRONG_CLIENT
    assert owner.introspect(token, client_id="nobody").told == WRONG_CLIENT
    by_header = owner.introspect(
        token, headers=basic("robot", "x" * 43), client_id=None, client_secret=None
    )
    assert by_header.status == 401
    assert by_header.response.headers["WWW-Authenticate"].startswith("Basic")
    assert owner.introspect(token, headers=basic("robot", SECRET)).error == "invalid_request"


@spec("RFC 7662", "4")
@pytest.mark.parametrize("client_id_type", ["List", "Anything"])
def test_a_public_client_may_not_ask(list_app, signed_in, client_id_type):
    list_app.client_id_type = client_id_type
    list_app.save()
    token = signed_in.tokens()["access_token"]

    answer = signed_in.introspect(token)

    assert answer.told == WRONG_CLIENT
    assert last_trace().failed_check == "introspection.caller"
    assert signed_in.introspect(token, client_secret=SECRET).told == WRONG_CLIENT


@spec("RFC 7662", "4")
def test_an_openid_connect_client_may_not_ask_without_its_secret(openid_with_secret):
    token = openid_with_secret.tokens()["access_token"]

    assert openid_with_secret.introspect(token, client_secret=None).told == WRONG_CLIENT
    assert openid_with_secret.introspect(token).json["active"] is True


@spec("RFC 6749", "5.2")
def test_basic_without_a_secret_is_challenged(openid_with_secret):
    who = basic(openid_with_secret.client_id, "")
    openid_with_secret.secret = None

    answer = openid_with_secret.introspect("x", headers=who, client_id=None)

    assert (answer.status, answer.error) == (401, "invalid_client")
    assert answer.response.headers["WWW-Authenticate"].startswith("Basic")


@spec("RFC 7662", "4")
def test_an_inactive_or_unmarked_service_user_may_not_ask(owner, tokens):
    user = ServiceUser.objects.get().user
    user.is_active = False
    user.save()
    assert owner.introspect(tokens["access_token"]).told == WRONG_CLIENT

    user.is_active = True
    user.save()
    ServiceUser.objects.all().delete()
    assert owner.introspect(tokens["access_token"]).told == WRONG_CLIENT


@spec("RFC 6749", "2.3.1")
def test_wrong_secrets_are_counted_here_too(owner, tokens, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ATTEMPTS_PER_ACCOUNT": 3}
    for _ in range(3):
        owner.introspect(tokens["access_token"], client_secret="x" * 43)

    assert owner.introspect(tokens["access_token"]).told == WRONG_CLIENT
    assert last_trace().failed_check == "client.attempts"
    credentials = {"grant_type": "client_credentials", "client_id": "robot"}
    assert owner.post("Token", {**credentials, "client_secret": SECRET}).told == WRONG_CLIENT


# --- what a caller may see ----------------------------------------------------------------------


@spec("RFC 7662", "4")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token"])
def test_another_client_of_the_same_application_sees_nothing(owner, token_type, hint):
    giving(owner, token_type)
    tokens, stranger = owner.tokens(), another_service_user(owner)

    for kind in ("access_token", "refresh_token"):
        answer = stranger.introspect(tokens[kind], token_type_hint=hint)
        assert why(answer)[0] == "introspection.owner"


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_the_audience_of_a_token_may_know_what_it_is_worth(owner, token_type):
    giving(owner, token_type)
    owner.application.audience = "api"
    owner.application.save()
    tokens, api = owner.tokens(), another_service_user(owner)

    assert api.introspect(tokens["access_token"]).json["aud"] == "api"
    assert owner.introspect(tokens["access_token"]).json["active"] is True
    assert why(api.introspect(tokens["refresh_token"]))[0] == "introspection.owner"


@spec("RFC 7662", "4")
def test_an_audience_is_compared_exactly(owner):
    owner.application.audience = "api.example"
    owner.application.save()
    token = owner.tokens()["access_token"]

    for name in ("api", "API.example", "api.example.", "example"):
        assert why(another_service_user(owner, name).introspect(token))[0] == "introspection.owner"


@spec("RFC 7662", "4")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_another_applications_token_is_inactive(owner, openid_with_secret, ada, token_type):
    """Also where the same service user is a client of both, and the audience of the token."""
    second = make_application(
        application_id="second",
        client_id_type="Confidential",
        client_ids=[],
        token_type=token_type,
        issues_refresh_tokens=True,
    )
    theirs = Journey(second, client_id="robot", secret=SECRET).log_in(ada)
    tokens = theirs.tokens()

    assert theirs.introspect(tokens["access_token"]).json["active"] is True
    for kind in ("access_token", "refresh_token"):
        for stranger in (owner, openid_with_secret):
            assert why(stranger.introspect(tokens[kind]))[0] == "introspection.application"


@spec("RFC 7662", "4")
def test_a_twin_that_claims_the_same_issuer_is_another_application(owner, ada):
    twin = make_application(application_id="twin", client_id_type="Confidential", client_ids=[])
    twin.issuer = "https://id.example.com/backend/"  # no form lets this pass
    twin.save()
    theirs = Journey(twin, client_id="robot", secret=SECRET).log_in(ada)

    assert why(owner.introspect(theirs.tokens()["access_token"]))[0] == "introspection.application"


# --- when a token is good no more ---------------------------------------------------------------


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize(
    "text", ["x", "a.b.c", "...", ".", "é", "a" * 43, "a.b", "Bearer x", "x" * 8000, "' or 1=1 --"]
)
def test_garbage_is_inactive_and_never_an_error(owner, text):
    assert why(owner.introspect(text))[0] == "introspection.token"


@spec("RFC 9068", "5")
def test_an_id_token_is_inactive(openid_with_secret):
    token = openid_with_secret.tokens(scope="openid")["id_token"]

    reason = ("introspection.token", "this is not an access token")
    assert why(openid_with_secret.introspect(token)) == reason


@spec("RFC 7662", "4")
def test_codes_and_secrets_are_no_tokens(owner):
    assert owner.introspect(owner.authorize().code).json == INACTIVE
    assert owner.introspect(SECRET).json == INACTIVE


@spec("RFC 7662", "4")
@spec("RFC 8725", "3")
def test_every_forgery_is_inactive(owner, tokens):
    for what, forged in forgeries.all_of(tokens["access_token"]):
        assert owner.introspect(forged).json == INACTIVE, what
    assert owner.introspect(tokens["access_token"]).json["active"] is True


@spec("RFC 7515", "5.2")
def test_every_flipped_character_and_every_cut_is_inactive(owner, tokens):
    token = tokens["access_token"]
    for at in range(len(token)):
        flipped = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert owner.introspect(flipped).json == INACTIVE, at
    for at in range(1, len(token), 9):
        assert owner.introspect(token[:at]).json == INACTIVE, at
        assert owner.introspect(token[at:]).json == INACTIVE, at


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_tokens_expire_to_the_second(owner, clock, token_type):
    giving(owner, token_type)
    tokens = owner.tokens()
    expires_at = owner.introspect(tokens["access_token"]).json["exp"]

    clock.step(expires_at - 1 - clock.at.timestamp())
    assert owner.introspect(tokens["access_token"]).json["active"] is True
    clock.step(2)  # an opaque token's row keeps the fraction of the second
    reason = ("introspection.token", "the token has expired")
    assert why(owner.introspect(tokens["access_token"])) == reason
    assert owner.introspect(tokens["refresh_token"]).json["active"] is True
    clock.step(30 * 86400)
    assert why(owner.introspect(tokens["refresh_token"])) == reason


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_a_revoked_grant_takes_every_token_along(owner, token_type):
    giving(owner, token_type)
    tokens = owner.tokens()
    Grant.objects.all().revoke(timezone.now())

    for kind in ("access_token", "refresh_token"):
        check, reason = why(owner.introspect(tokens[kind]))
        assert check == "introspection.token"
        assert reason.startswith("the grant is revoked")


@spec("RFC 7662", "2.2")
def test_a_single_revoked_jwt_is_inactive(owner, tokens):
    fresh = owner.refresh(tokens["refresh_token"]).json["access_token"]
    RevokedToken.objects.create(
        jti=claims_of(tokens["access_token"])["jti"],
        expires_at=timezone.now() + timedelta(hours=5),
    )

    assert why(owner.introspect(tokens["access_token"]))[0] == "introspection.token"
    assert owner.introspect(fresh).json["active"] is True


@spec("RFC 9700", "4.14.2")
def test_a_used_refresh_token_is_inactive_and_its_successor_is_not(owner, tokens):
    successor = owner.refresh(tokens["refresh_token"]).json["refresh_token"]

    reason = ("introspection.token", "the refresh token was used")
    assert why(owner.introspect(tokens["refresh_token"])) == reason
    assert owner.introspect(successor).json["active"] is True


@spec("RFC 7662", "2.2")
def test_refresh_tokens_that_are_offered_no_more_are_inactive(owner, tokens):
    owner.application.issues_refresh_tokens = False
    owner.application.save()

    assert why(owner.introspect(tokens["refresh_token"]))[0] == "introspection.refresh"
    assert owner.introspect(tokens["access_token"]).json["active"] is True


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("inactive", "the user is not active"),
        ("right", "no row of Permissions gives the user the Run right"),
        ("disabled", "the application is disabled"),
        ("service", "a service user cannot sign in as a person"),
    ],
)
def test_who_may_use_the_application_no_more_has_no_active_token(
    owner, ada, token_type, change, reason
):
    giving(owner, token_type)
    Permission.objects.all().delete()
    staff = Group.objects.create(name="staff")
    Permission.objects.create(application=owner.application, principal=Principal.GROUP, group=staff)
    ada.groups.add(staff)
    tokens = owner.tokens()
    assert owner.introspect(tokens["access_token"]).json["active"] is True

    _change(change, owner.application, ada)

    for kind in ("access_token", "refresh_token"):
        assert why(owner.introspect(tokens[kind])) == ("introspection.access", reason)


def _change(what: str, application: Application, user: Any) -> None:
    if what == "inactive":
        user.is_active = False
        user.save()
    elif what == "right":
        user.groups.clear()
    elif what == "service":
        make_service_user(user)
    else:
        application.enabled = False
        application.save()


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_a_clients_own_token_ends_with_its_right_and_with_the_service_user(owner, token_type):
    giving(owner, token_type)
    owner.application.audience = "api"
    owner.application.save()
    token, api = own_token(owner), another_service_user(owner)
    assert api.introspect(token).json["active"] is True

    Permission.objects.all().delete()
    assert why(api.introspect(token))[0] == "introspection.access"
    Permission.objects.create(application=owner.application, principal=Principal.EVERYBODY)
    assert api.introspect(token).json["active"] is True
    ServiceUser.objects.filter(user__username="robot").delete()
    assert why(api.introspect(token)) == ("introspection.token", "the service user is gone")


@spec("RFC 7662", "2.2")
def test_the_audience_learns_that_a_client_was_replaced(openid_with_secret):
    app = openid_with_secret.application
    token = openid_with_secret.tokens(resource="urn:api")["access_token"]
    app.openid_client_id = "urn:api"
    app.save()
    api = Journey(app, client_id="urn:api", secret=SECRET)

    assert why(api.introspect(token))[0] == "introspection.client"


@spec("RFC 7662", "2.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_the_audience_learns_that_a_client_is_no_service_user_any_more(owner, token_type):
    giving(owner, token_type)
    tokens, api = owner.tokens(resource="urn:api"), another_service_user(owner, "urn:api")
    assert api.introspect(tokens["access_token"]).json["active"] is True

    ServiceUser.objects.filter(user__username="robot").delete()

    assert why(api.introspect(tokens["access_token"]))[0] == "introspection.client"


@spec("RFC 7662", "2.2")
def test_what_was_deleted_is_inactive(owner, tokens, ada):
    ada.delete()

    for kind in ("access_token", "refresh_token"):
        assert why(owner.introspect(tokens[kind]))[0] == "introspection.token"


# --- what is malformed --------------------------------------------------------------------------


@spec("RFC 7662", "2.1")
@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"token": None}, "token is missing"),
        ({"token": ""}, "token is missing"),
        ({"token": ["x", "x"]}, "the parameter token is repeated"),
        ({"token": "x" * 9000}, "the parameter token is too long"),
        ({"token": "a\0b"}, "the parameter token is not UTF-8 text"),
        ({"token_type_hint": ["a", "b"]}, "the parameter token_type_hint is repeated"),
        ({"client_id": ["robot", "robot"]}, "the parameter client_id is repeated"),
        ({"client_secret": [SECRET, SECRET]}, "the parameter client_secret is repeated"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_of_the_form_is_named(owner, changes, description):
    form = {"token": "x", "client_id": "robot", "client_secret": SECRET, **changes}

    assert owner.post("Introspect", form).told == (400, "invalid_request", description)


@spec("RFC 7662", "2.1")
@spec("RFC 6750", "2.3")
@pytest.mark.parametrize("name", ["token", "client_secret", "refresh_token"])
def test_a_credential_never_stands_in_the_url(owner, tokens, name):
    form = {"token": tokens["access_token"], "client_id": "robot", "client_secret": SECRET}
    address = f"{owner.url('Introspect')}?{encode({name: form.get(name, 'x')})}"

    answer = Answer(Browser().post(address, encode(form), content_type=FORM))

    assert answer.told == (400, "invalid_request", f"{name} must not be sent in the query")


@spec("RFC 7662", "2.1")
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "multipart/form-data"])
def test_only_a_form_is_read(owner, content_type):
    body = b'{"token": "x", "client_id": "robot"}'
    answer = Answer(Browser().post(owner.url("Introspect"), body, content_type=content_type))

    assert answer.error == "invalid_request"


@spec("RFC 7662", "2.1")
def test_a_token_is_posted(owner, tokens):
    form = {"token": tokens["access_token"], "client_id": "robot", "client_secret": SECRET}

    answer = Browser().get(owner.url("Introspect"), form)

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_a_megabyte_is_refused(owner):
    assert owner.introspect("x" * 1_000_000).error == "invalid_request"


def test_an_unknown_application_is_a_404_in_json(db):
    answer = Answer(Browser().post("/OAuth2/Introspect/nowhere", "token=x", content_type=FORM))

    assert answer.told == (404, "invalid_request", "unknown app")


# --- what is kept -------------------------------------------------------------------------------


@spec("RFC 7662", "4")
def test_no_token_and_no_secret_is_traced_or_logged(owner, tokens, caplog, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    caplog.set_level("DEBUG")
    stranger = another_service_user(owner)
    secrets = [SECRET, ANOTHER_SECRET]
    for token in (tokens["access_token"], tokens["refresh_token"]):
        secrets.append(token.rpartition(".")[2])
        owner.introspect(token)
        stranger.introspect(token)
        owner.introspect(token, client_secret="x" * 43)
        owner.introspect(f"{token}x")
        owner.introspect([token, token])
        owner.introspect("x", client_id=token)
        owner.introspect("x", token_type_hint=token)
    Grant.objects.all().revoke(timezone.now())
    owner.introspect(tokens["access_token"])

    kept = repr(list(RequestTrace.objects.values_list())) + caplog.text
    assert RequestTrace.objects.filter(endpoint="introspect").count() > 10
    assert [secret for secret in secrets if secret in kept] == []
