"""The password grant, over HTTP: off unless ticked, limited, and silent about what was wrong."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache

from oidc_pkce.flows import issuing
from oidc_pkce.models import (
    AuditEvent,
    ClientAuthentication,
    Grant,
    Permission,
    Principal,
    RefreshToken,
    RequestTrace,
)
from tests.fixtures import make_user
from tests.journeys import (
    FORM,
    PASSWORD,
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

DENIED = (400, "invalid_grant", "access denied")
WRONG_CLIENT = "invalid client creds"
API = "https://api.example/v1"
FLOWS = ["AuthorizationCode", "ResourceCreds"]


@pytest.fixture
def backend(robot: Any, ada: Any) -> Journey:
    """A service user before an application that ticked Resource Owner; nobody signed in."""
    app = make_application(
        application_id="backend",
        client_id_type="Confidential",
        client_ids=[],
        redirect_uris=[],
        flows=["ResourceCreds"],
    )
    for name in ("read", "write"):
        app.scopes.create(name=name)
    return Journey(app, client_id="robot", secret=SECRET)


@pytest.fixture
def web(openid_app: Any, ada: Any) -> Journey:
    """The client of an OpenID Connect application, with a secret; nobody signed in."""
    give_secret(openid_app)
    openid_app.flows = FLOWS
    openid_app.save()
    return Journey(openid_app, client_id=openid_app.openid_client_id, secret=SECRET)


def ask(
    journey: Journey,
    username: str | None = "ada",
    password: str | None = PASSWORD,
    *,
    headers: Any = None,
    **changes: Any,
) -> Answer:
    """Send a person's password; ``None`` leaves a parameter out."""
    defaults = {
        "grant_type": "password",
        "username": username,
        "password": password,
        "client_id": journey.client_id,
        "client_secret": journey.secret,
    }
    return journey.post("Token", {**defaults, **changes}, headers=headers)


def limits(settings: Any, **values: Any) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **values}


# --- what it answers ----------------------------------------------------------------------------


@spec("RFC 6749", "4.3.3")
@pytest.mark.parametrize("name", ["username", "user_name"])
def test_the_answer_is_the_persons_under_either_name_of_the_field(backend, ada, name):
    answer = ask(backend, **{"username": None, name: "ada"})

    assert answer.status == 200
    assert list(answer.json) == ["access_token", "token_type", "expires_in", "scope"]
    assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "")
    assert answer.json["expires_in"] == 18000
    assert answer.response.headers["Cache-Control"] == "no-store"
    claims = claims_of(answer.json["access_token"])
    assert (claims["unique_name"], claims["client_id"]) == ("ada", "robot")
    assert backend.userinfo(answer.json["access_token"]).json["sub"] == claims["sub"]


@spec("RFC 6749", "4.3.2")
def test_the_grant_is_the_persons_and_remembers_the_secret(backend, ada, clock):
    claims = claims_of(ask(backend, scope="read", resource=API).json["access_token"])
    grant = Grant.objects.get()

    assert (grant.user, grant.client_id, grant.scope) == (ada, "robot", "read")
    assert grant.client_authentication == ClientAuthentication.SECRET
    assert claims["gid"] == grant.pk.hex
    assert (claims["aud"], grant.resources) == (API, [API])
    assert grant.auth_time == clock.now()
    assert (grant.sid, grant.acr, grant.amr) == ("", "", ["pwd"])


@spec("OpenID Connect Core", "2")
def test_an_id_token_says_that_it_was_a_password_and_raises_no_acr(web):
    answer = ask(web, scope="openid profile", acr_values="urn:strong", max_age="0", nonce="n")
    claims = claims_of(answer.json["id_token"])

    assert claims["amr"] == ["pwd"]
    assert {"acr", "nonce", "sid"} & set(claims) == set()
    assert claims["aud"] == claims["azp"] == web.client_id
    assert {"at_hash", "auth_time", "exp", "iat", "sub"} <= set(claims)
    assert "id_token" not in ask(web, scope="profile").json


@spec("RFC 6749", "4.3.3")
@pytest.mark.parametrize("rotates", [True, False])
def test_a_refresh_token_comes_where_the_application_issues_them(backend, clock, rotates):
    backend.application.issues_refresh_tokens = True
    backend.application.rotates_refresh_tokens = rotates
    backend.application.save()
    token = ask(backend, scope="read").json["refresh_token"]
    clock.step(60)

    fresh = backend.refresh(token)

    assert fresh.status == 200
    assert (fresh.json["refresh_token"] != token) == rotates
    assert fresh.json["scope"] == "read"
    assert backend.userinfo(fresh.json["access_token"]).json["unique_name"] == "ada"
    clock.step(timedelta(days=30).total_seconds())
    assert backend.refresh(fresh.json["refresh_token"]).told[:2] == (400, "invalid_grant")


@spec("RFC 6749", "4.3.2")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_the_tokens_end_with_the_person(backend, ada, token_type):
    backend.application.token_type = token_type
    backend.application.save()
    token = ask(backend).json["access_token"]
    assert backend.userinfo(token).status == 200
    ada.is_active = False
    ada.save()

    assert backend.userinfo(token).status == 401


@spec("RFC 6749", "2.3.1")
def test_the_client_proves_itself_in_the_header_or_in_the_body(backend):
    for changes in (
        {},
        {"client_secret": None, "headers": basic("robot", SECRET)},
        {"client_secret": None, "client_id": None, "headers": basic("robot", SECRET)},
    ):
        assert ask(backend, **changes).status == 200


# --- what is refused before anybody looks at the password -----------------------------------------


@spec("RFC 9700", "2.4")
def test_it_is_off_unless_an_administrator_ticks_it(confidential, openid_with_secret):
    for journey in (confidential, openid_with_secret):
        assert ask(journey).told == (
            400,
            "unauthorized_client",
            "grant password is not offered",
        )
        assert last_trace().failed_check == "token.flow"
    assert AuditEvent.objects.filter(action__startswith="user.sign_in").count() == 0


@spec("RFC 6749", "4.3")
@pytest.mark.parametrize("kind", ["List", "Anything"])
def test_a_public_client_is_not_told_passwords(ada, kind):
    app = make_application(client_id_type=kind, flows=FLOWS)
    answer = ask(Journey(app))

    assert answer.told == (
        400,
        "unauthorized_client",
        "this grant is for clients that keep a secret",
    )
    assert last_trace().failed_check == "password.client"


@spec("RFC 6749", "4.3")
def test_a_client_proves_itself_first(backend, web):
    assert ask(web, client_secret=None).told[:2] == (400, "unauthorized_client")
    for journey in (backend, web):
        assert ask(journey, client_secret="wrong" * 9).told == (
            400,
            "invalid_client",
            WRONG_CLIENT,
        )
    assert ask(backend, client_secret=None).told == (400, "invalid_client", WRONG_CLIENT)
    header = basic("robot", "wrong" * 9)
    answer = ask(backend, client_id=None, client_secret=None, headers=header)
    assert answer.told == (401, "invalid_client", WRONG_CLIENT)
    assert answer.response.headers["WWW-Authenticate"].startswith("Basic ")
    assert AuditEvent.objects.count() == 0


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"username": None}, "invalid_request", "username is missing"),
        ({"username": ""}, "invalid_request", "username is missing"),
        (
            {"user_name": "ada"},
            "invalid_request",
            "username and user_name are both sent",
        ),
        ({"user_name": "bob"}, "invalid_request", "username and user_name are both sent"),
        ({"password": None}, "invalid_request", "password is missing"),
        ({"password": ""}, "invalid_request", "password is missing"),
        (
            {"username": ["ada", "bob"]},
            "invalid_request",
            "the parameter username is repeated",
        ),
        (
            {"password": ["x", PASSWORD]},
            "invalid_request",
            "the parameter password is repeated",
        ),
        (
            {"username": "a\0da"},
            "invalid_request",
            "the parameter username is not UTF-8 text",
        ),
        (
            {"password": PASSWORD + "\0"},
            "invalid_request",
            "the parameter password is not UTF-8 text",
        ),
        (
            {"password": "x" * 8193},
            "invalid_request",
            "the parameter password is too long",
        ),
        ({"scope": "read admin"}, "invalid_scope", "unknown scope admin"),
        ({"scope": "openid"}, "invalid_scope", "unknown scope openid"),
        ({"resource": "api"}, "invalid_target", "resource must be an absolute URI"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_is_named_and_is_no_failed_attempt(backend, changes, error, description):
    answer = ask(backend, **changes)

    assert answer.told == (400, error, description)
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert AuditEvent.objects.count() == 0
    assert Grant.objects.count() == 0


@spec("RFC 6749", "2.3.1")
def test_a_password_never_stands_in_the_url(backend):
    fields = {"grant_type": "password", "username": "ada", "client_id": "robot"}
    url = f"{backend.url('Token')}?{encode({'password': PASSWORD})}"
    body = encode({**fields, "client_secret": SECRET})
    answer = Answer(Browser().post(url, body, content_type=FORM))

    assert answer.told == (400, "invalid_request", "password must not be sent in the query")


# --- whatever is wrong looks alike ----------------------------------------------------------------


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    ran = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.ran += 1
        return super().encode(password, salt)


@spec("RFC 6819", "4.3.5")
def test_whatever_is_wrong_with_name_password_or_right_is_answered_alike(backend, ada, settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.{CountingHasher.__name__}"]
    Permission.objects.all().delete()
    for name in ("lovelace", "inactive", "machine"):
        user = make_user(name, is_active=name != "inactive")
        Permission.objects.create(
            application=backend.application, principal=Principal.USER, user=user
        )
        if name == "machine":
            make_service_user(user)
    make_user("no_right")
    Permission.objects.create(
        application=backend.application, principal=Principal.EVERYBODY, can_run=False
    )

    def seen(username: str, password: str) -> tuple[Any, ...]:
        CountingHasher.ran = 0
        answer = ask(backend, username, password)
        body = re.sub(rb'"request_id": "[^"]*"', b"", answer.response.content)
        headers = {k: v for k, v in answer.response.headers.items() if k != "Content-Length"}
        return answer.status, body, tuple(headers.items()), CountingHasher.ran > 0

    wrong = seen("lovelace", "wrong")
    assert (wrong[0], wrong[-1]) == (400, True)
    assert ask(backend, "lovelace", "wrong").told == DENIED
    for username, password in (
        ("nobody", "wrong"),
        ("nobody", PASSWORD),
        ("inactive", "wrong"),
        ("inactive", PASSWORD),
        ("machine", "wrong"),
        ("machine", PASSWORD),
        ("no_right", "wrong"),
        ("no_right", PASSWORD),
    ):
        assert seen(username, password) == wrong, (username, password)
    assert ask(backend, "lovelace", PASSWORD).status == 200
    assert Grant.objects.count() == 1


@spec("RFC 6819", "4.3.5")
@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ada", "p" * 4097),
        ("u" * 255, PASSWORD),
        ("é" * 300, "x"),
        ("' or 1=1 --", "' or 1=1 --"),
        ("ada ", "wrong"),
        (" ", "x"),
    ],
    ids=["long password", "long name", "not ASCII", "SQL", "space behind", "only a space"],
)
def test_what_no_account_can_hold_is_refused_like_a_wrong_password(backend, username, password):
    assert ask(backend, username, password).told == DENIED
    assert last_trace().failed_check == "password.sign_in"


@spec("RFC 6819", "4.3.5")
def test_no_more_than_4096_characters_reach_a_hasher(backend, ada, settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.{CountingHasher.__name__}"]
    ada.set_password("p" * 4096)
    ada.save()
    CountingHasher.ran = 0
    assert ask(backend, "ada", "p" * 4097).told == DENIED
    assert CountingHasher.ran == 0
    assert ask(backend, "ada", "p" * 4096).status == 200


@spec("RFC 6749", "5.2")
def test_without_the_run_right_the_trace_tells_why(backend):
    Permission.objects.update(can_run=False)

    assert ask(backend).told == DENIED
    assert last_trace().failed_check == "password.access"
    assert last_trace().outcomes[-1]["detail"].startswith("no row of Permissions")
    assert Grant.objects.count() == 0


@spec("RFC 6749", "5.2")
def test_a_disabled_application_serves_nobody(backend):
    backend.application.enabled = False
    backend.application.save()

    assert ask(backend).told == DENIED


# --- limits and the audit ------------------------------------------------------------------------


@spec("RFC 6749", "4.3.2")
def test_failures_are_limited_by_account(backend, bob, settings):
    limits(settings, ATTEMPTS_PER_ACCOUNT=3)
    for name in ("ada", "ADA", "ada"):
        assert ask(backend, name, "wrong").told == DENIED

    assert ask(backend).told == DENIED
    assert last_trace().failed_check == "password.sign_in"
    assert AuditEvent.objects.filter(action="user.sign_in_blocked").count() == 1
    assert ask(backend, "bob").status == 200
    cache.clear()
    assert ask(backend).status == 200


@spec("RFC 6749", "4.3.2")
def test_failures_are_limited_by_address(backend, settings):
    limits(settings, ATTEMPTS_PER_ADDRESS=3)
    for n in range(3):
        ask(backend, f"name{n}", "wrong")

    assert ask(backend).told == DENIED
    assert last_trace().outcomes[-1]["detail"] == "too many attempts failed lately"


@spec("RFC 6749", "4.3.2")
def test_the_mistakes_of_people_do_not_lock_their_client_out(backend, settings):
    limits(settings, ATTEMPTS_PER_ADDRESS=3)
    backend.application.issues_refresh_tokens = True
    backend.application.save()
    token = ask(backend).json["refresh_token"]
    for n in range(4):
        assert ask(backend, f"name{n}", "wrong").told == DENIED

    assert backend.refresh(token).status == 200


@spec("RFC 6749", "4.3.2")
def test_this_door_and_the_sign_in_page_give_no_further_guesses(backend, settings):
    limits(settings, ATTEMPTS_PER_ACCOUNT=2)
    page = Journey(make_application())
    page.sign_in(page.authorize(), "ada", "wrong")
    assert ask(backend, "ada", "wrong").told == DENIED

    assert ask(backend).told == DENIED
    assert page.sign_in(page.authorize(), "ada").status == 429


@spec("RFC 6749", "4.3.2")
def test_successes_are_never_counted(backend, settings):
    limits(settings, ATTEMPTS_PER_ACCOUNT=2, ATTEMPTS_PER_ADDRESS=2)
    for _ in range(5):
        assert ask(backend).status == 200


@spec("RFC 6749", "4.3.2")
def test_each_attempt_is_audited_with_its_client(backend, ada):
    ask(backend, "ada", "wrong")
    ask(backend)

    events = list(AuditEvent.objects.filter(action__startswith="user.").order_by("pk"))
    assert [event.action for event in events] == ["user.sign_in_failed", "user.signed_in"]
    assert {event.client_id for event in events} == {"robot"}
    assert {event.application_name for event in events} == {"My App"}
    assert {event.details["address"] for event in events} == {"127.0.0.1"}
    assert (events[0].actor_name, events[1].actor_name) == ("", "ada")


@spec("RFC 6749", "10.7")
def test_no_password_and_no_name_that_may_be_one_is_kept(backend, settings, caplog):
    limits(settings, TRACED_SUCCESSES=1)
    caplog.set_level(logging.DEBUG)
    ask(backend)
    ask(backend, "ada", "canary-wrong-password")
    ask(backend, "canary-typed-as-a-name", "x")
    ask(backend, user_name="canary-second-name")

    kept = "\n".join(
        [
            *(str(vars(event)) for event in AuditEvent.objects.all()),
            *(str(vars(trace)) for trace in RequestTrace.objects.all()),
            *(f"{record.getMessage()} {record.args}" for record in caplog.records),
            repr(getattr(cache, "_cache", None)),
        ]
    )
    assert RequestTrace.objects.count() == 4
    assert "canary" not in kept
    assert PASSWORD not in kept


def test_nothing_is_left_behind_when_signing_fails(backend, monkeypatch):
    backend.application.issues_refresh_tokens = True
    backend.application.save()

    def break_down(*args: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(issuing, "issue", break_down)
    with pytest.raises(RuntimeError):
        ask(backend)

    assert (Grant.objects.count(), RefreshToken.objects.count()) == (0, 0)
