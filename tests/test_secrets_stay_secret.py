"""Canaries: what must stay secret is searched for in everything that is kept, logged or shown."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django
import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from oidc_pkce.endpoints.login import LoginPage
from oidc_pkce.flows import issuing
from oidc_pkce.flows.login import Attempt
from oidc_pkce.models import (
    AccessToken,
    AuditEvent,
    AuthorizationCode,
    RefreshToken,
    RequestTrace,
)
from oidc_pkce.protocol.credentials import present
from oidc_pkce.protocol.grants.authorization_code import CodeRequest
from oidc_pkce.protocol.grants.password import PasswordRequest
from oidc_pkce.protocol.grants.refresh_token import RefreshRequest
from oidc_pkce.protocol.parameters import Parameters
from oidc_pkce.protocol.response_mode import success
from oidc_pkce.protocol.token import TokenResponse
from tests.fixtures import make_user
from tests.journeys import (
    FORM,
    Answer,
    Browser,
    Journey,
    basic,
    encode,
    give_secret,
    make_application,
    make_service_user,
    new_verifier,
    path_of,
)
from tests.spec import spec

PASSWORD = "canary-password-7f3a"
SECRET = "canary-secret-of-43-characters-0123456789-ab"
WRONG = "canary-wrong-guess-of-43-characters-01234567"


class Canaries:
    """Everything of one test that nobody but its owner may read."""

    def __init__(self) -> None:
        self.values = {PASSWORD, SECRET, WRONG}

    def add(self, *values: str) -> None:
        self.values.update(values)

    def spellings(self) -> Iterator[str]:
        """Each canary as it is and as base64; of a JWT its signature, which makes it a bearer."""
        for value in self.values:
            text = value.rpartition(".")[2] if value.count(".") == 2 else value
            yield text
            yield base64.b64encode(text.encode()).decode().rstrip("=")[:-2]

    def found_in(self, text: str) -> list[str]:
        return [spelling for spelling in self.spellings() if spelling in text]


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def everything_logged(caplog: pytest.LogCaptureFixture) -> str:
    formatter = logging.Formatter("%(name)s %(message)s")
    return "\n".join(formatter.format(record) + repr(record.args) for record in caplog.records)


def everything_stored() -> str:
    """Every value of every row of every table, digests in hexadecimal, sessions decoded."""
    texts = []
    for model in apps.get_models():
        for row in model._base_manager.values_list():
            texts += [bytes(v).hex() if isinstance(v, bytes | memoryview) else repr(v) for v in row]
            texts += [bytes(v).decode("latin-1") for v in row if isinstance(v, bytes | memoryview)]
    texts += [repr(session.get_decoded()) for session in Session.objects.all()]
    return "\n".join(texts)


def everything_cached() -> str:
    return repr(getattr(cache, "_cache", None))


@pytest.fixture
def people(db: None) -> Any:
    made = make_user("ada")
    made.set_password(PASSWORD)
    made.save()
    return made


EVERY_FLOW = ["AuthorizationCode", "ClientCreds", "ResourceCreds"]


def journeys(people: Any, **fields: Any) -> list[Journey]:
    """One application of each kind of client, with every grant."""
    fields = {"issues_refresh_tokens": True, "flows": EVERY_FLOW, **fields}
    make_service_user(make_user("robot"), SECRET)
    openid = make_application(
        application_id="openid",
        template="Generic OpenID Connect",
        client_id_type="Confidential",
        client_ids=[],
        openid_client_id="guid",
        **fields,
    )
    give_secret(openid, SECRET)
    confidential = make_application(
        application_id="confidential", client_id_type="Confidential", client_ids=[], **fields
    )
    return [
        Journey(make_application(**fields), verifier=new_verifier()),
        Journey(confidential, client_id="robot", secret=SECRET, verifier=new_verifier()),
        Journey(openid, client_id="guid", secret=SECRET, verifier=new_verifier()),
    ]


def live_through(journey: Journey, canaries: Canaries) -> list[Answer]:
    """Every success and every refusal that a credential can meet; the pages and the answers."""
    canaries.add(journey.verifier)
    refused = [journey.sign_in(journey.authorize(state="s"), "ada", WRONG)]
    asked = journey.sign_in(journey.authorize(state="s"), "ada", PASSWORD)
    code = journey.decide(asked).code if "/Confirm/" in asked.location else asked.code
    canaries.add(code)
    refused += [
        journey.redeem(code, code_verifier=journey.verifier[::-1]),
        journey.redeem(code, code_verifier=WRONG),
        journey.redeem(code, redirect_uri="http://localhost:5000/other"),
        journey.redeem(code, client_id="stranger"),
        journey.redeem(code, client_secret=WRONG),
        journey.redeem(code, client_secret=None, headers=basic(journey.client_id, WRONG)),
        journey.redeem(code, headers=basic(journey.client_id, SECRET), client_secret=SECRET),
        journey.redeem([code, code]),
        journey.redeem(code, code_verifier=[journey.verifier, journey.verifier]),
        journey.redeem(code, grant_type="password", username="ada", password=PASSWORD),
        journey.redeem(code, grant_type="refresh_token", refresh_token=WRONG),
        journey.redeem(code + "\0"),
    ]
    canaries.add(journey.verifier[::-1])
    in_url = f"{journey.url('Token')}?client_secret={SECRET}&code={code}"
    refused.append(Answer(Browser().post(in_url)))
    tokens = journey.redeem(code).json
    add_tokens(canaries, tokens)
    assert journey.userinfo(tokens["access_token"]).status == 200
    refused += refresh_through(journey, canaries, tokens["refresh_token"])
    refused += grants_through(journey, canaries)
    refused += endings_through(journey, canaries)
    refused += [
        journey.redeem(code),
        journey.userinfo(tokens["access_token"]),
        journey.userinfo(tokens["access_token"][:-1]),
        journey.raw("UserInfo", f"access_token={tokens['access_token']}"),
        journey.authorize(client_id="unknown"),
        journey.authorize(redirect_uri="https://evil.example/"),
    ]
    return refused


def add_tokens(canaries: Canaries, answer: dict[str, Any]) -> None:
    members = ("access_token", "refresh_token", "id_token")
    canaries.add(*(answer[name] for name in members if name in answer))


def refresh_through(journey: Journey, canaries: Canaries, token: str) -> list[Answer]:
    """What a refresh token can meet, from its first use to the reuse that ends its grant."""
    canaries.add(token[::-1])
    bearer = {"Authorization": f"Bearer {token}"}
    in_url = f"{journey.url('Token')}?refresh_token={token}"
    refused = [
        journey.refresh(token, client_id="stranger"),
        journey.refresh(token, client_secret=WRONG),
        journey.refresh(token, scope="admin"),
        journey.refresh(token, resource=f"https://api.example/?token={token}"),
        journey.refresh(token, grant_type=token),
        journey.refresh(token, refresh_token=[token, token]),
        journey.refresh(token + "\0"),
        journey.refresh(token[::-1]),
        journey.refresh(token, client_id=token),
        journey.redeem(token),
        journey.userinfo(token),
        Answer(Browser().post(in_url, headers=bearer)),
    ]
    journey.refresh(token, scope=token)  # who sent it is told what was wrong, nobody else
    for _ in range(2):  # the second one is answered by the same successor
        answer = journey.refresh(token).json
        add_tokens(canaries, answer)
    RefreshToken.objects.exclude(used_at=None).update(used_at=timezone.now() - timedelta(minutes=1))
    return [*refused, journey.refresh(token), journey.refresh(answer["refresh_token"])]


def grants_through(journey: Journey, canaries: Canaries) -> list[Answer]:
    """Client credentials and the password grant, right and wrong in every place."""

    def ask(grant: str, **fields: Any) -> Answer:
        who = {"client_id": journey.client_id, "client_secret": journey.secret}
        answer = journey.post("Token", {"grant_type": grant, **who, **fields})
        add_tokens(canaries, answer.json)
        return answer

    machine, password = "client_credentials", "password"
    ask(machine, scope=SECRET)  # who sent it is told what was wrong, nobody else
    two_ways = {"grant_type": machine, "client_secret": SECRET}
    answers = [
        ask(machine),
        ask(machine, client_secret=WRONG),
        ask(machine, resource=SECRET),
        ask(machine, client_id=SECRET),
        journey.post("Token", two_ways, headers=basic(journey.client_id, SECRET)),
        ask(password, username="ada", password=PASSWORD),
        ask(password, user_name="ada", password=PASSWORD, scope="openid"),
        ask(password, username="ada", password=WRONG),
        ask(password, username=PASSWORD, password="x"),
        ask(password, username=PASSWORD, user_name=PASSWORD, password=PASSWORD),
        ask(password, username="ada", password=[PASSWORD, PASSWORD]),
        ask(password, username="ada", password=PASSWORD + "\0"),
        ask(password, username="nobody", password=PASSWORD),
        Answer(Browser().post(f"{journey.url('Token')}?password={PASSWORD}")),
    ]
    return [answer for answer in answers if answer.status != 200]


def endings_through(journey: Journey, canaries: Canaries) -> list[Answer]:
    """Introspection and revocation of each kind of token, right and wrong."""
    tokens = journey.redeem(journey.authorize(prompt="none").code).json
    add_tokens(canaries, tokens)
    answers = []
    for endpoint in ("Introspect", "Revoke"):
        for token in (tokens["access_token"], tokens["refresh_token"]):
            for secret in (WRONG, journey.secret):
                fields = {"token": token, "client_id": journey.client_id, "client_secret": secret}
                answers.append(journey.post(endpoint, fields))
                answers.append(journey.post(endpoint, {**fields, "token": [token, token]}))
                answers.append(journey.post(endpoint, {**fields, "token_type_hint": token}))
            in_url = f"{journey.url(endpoint)}?token={token}"
            answers.append(Answer(Browser().post(in_url)))
    return answers


@spec("RFC 6749", "10.3")
@spec("RFC 6819", "5.1.4.1.3")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_no_secret_is_logged_stored_traced_audited_or_shown(
    people, canaries, logged, settings, token_type
):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    refused = []
    for journey in journeys(people, requires_consent=True, token_type=token_type):
        refused += live_through(journey, canaries)

    assert RequestTrace.objects.filter(succeeded=True).count() > 10
    assert RequestTrace.objects.filter(succeeded=False).count() > 30
    assert AuditEvent.objects.count() > 10
    assert canaries.found_in(everything_logged(logged)) == []
    assert canaries.found_in(everything_stored()) == []
    assert canaries.found_in(everything_cached()) == []
    for answer in refused:
        shown = answer.response.content.decode() + repr(answer.response.headers)
        assert canaries.found_in(shown) == []


@spec("OAuth 2.0 Multiple Response Types", "5")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_no_token_of_the_front_channel_is_logged_or_stored(
    people, canaries, logged, settings, token_type
):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    flows = ["AuthorizationCode", "Implicit"]
    (_, _, journey) = journeys(people, flows=flows, token_type=token_type)
    asked = {"response_type": "code id_token token", "scope": "openid", "nonce": "n"}
    answer = journey.sign_in(journey.authorize(**asked), "ada", PASSWORD)
    canaries.add(answer.code, answer.query["access_token"], answer.query["id_token"])

    assert journey.authorize(**asked, prompt="nonsense").error == "invalid_request"

    assert canaries.found_in(everything_logged(logged)) == []
    assert canaries.found_in(everything_stored()) == []
    assert canaries.found_in(everything_cached()) == []


def test_the_search_would_find_what_is_kept_in_the_clear(people, canaries):
    """The canary's own canary: digests are there, and a leak would be seen."""
    journey = Journey(make_application(token_type="Opaque")).log_in(people)
    code = journey.authorize().code
    token = journey.redeem(code).json["access_token"]

    stored = everything_stored()
    for secret in (code, token):
        assert hashlib.sha256(secret.encode()).hexdigest() in stored
    assert (AuthorizationCode.objects.count(), AccessToken.objects.count()) == (1, 1)
    canaries.add("my_service_user")
    assert canaries.found_in(stored) == ["my_service_user"]


class Breakdown(Exception):
    """Something that nobody foresaw."""


def break_down(*args: Any, **kwargs: Any) -> Any:
    raise Breakdown


@pytest.fixture
def reports(settings: Any) -> list[Any]:
    """What Django mails to a host's administrators when a view crashes."""
    address = "admin@example.com"
    settings.ADMINS = [address if django.VERSION >= (6, 0) else ("Admin", address)]
    return mail.outbox


@spec("RFC 6819", "5.1.4.1.3")
@pytest.mark.parametrize(
    "grant", ["authorization_code", "refresh_token", "client_credentials", "password"]
)
def test_a_crash_reports_no_credential(people, canaries, logged, reports, monkeypatch, grant):
    (_, journey, _) = journeys(people)
    journey.log_in(people)
    code, token = journey.authorize().code, journey.tokens()["refresh_token"]
    canaries.add(code, token, journey.verifier)
    monkeypatch.setattr(issuing, "issue", break_down)
    browser = Browser(raise_request_exception=False)
    fields = {
        "grant_type": grant,
        "code": code,
        "refresh_token": token,
        "username": "ada",
        "password": PASSWORD,
        "redirect_uri": journey.redirect_uri,
        "client_id": "robot",
        "client_secret": SECRET,
        "code_verifier": journey.verifier,
    }
    answer = browser.post(journey.url("Token"), encode(fields), content_type=FORM)
    assert answer.status_code == 500

    (report,) = reports
    assert "Breakdown" in report.body
    assert canaries.found_in(report.body) == []
    assert canaries.found_in(everything_logged(logged)) == []
    assert canaries.found_in(answer.content.decode()) == []


@spec("RFC 6819", "5.1.4.1.3")
def test_a_crash_at_sign_in_reports_no_password(people, canaries, logged, reports, monkeypatch):
    journey = Journey(make_application(), browser=Browser(raise_request_exception=False))
    address = path_of(journey.authorize().location)
    monkeypatch.setattr(LoginPage, "sign_in", break_down)

    answer = journey.browser.post(address, {"username": "ada", "password": PASSWORD})

    assert answer.status_code == 500
    (report,) = reports
    assert "Breakdown" in report.body
    assert canaries.found_in(report.body) == []
    assert canaries.found_in(everything_logged(logged)) == []


@spec("RFC 6749", "10.3")
def test_no_secret_shows_when_a_value_is_printed(people, canaries):
    """What a debugger, a log line or an error tracker would print of our own values."""
    canaries.add("canary-code", "canary-verifier", "canary-token")
    parameters = Parameters.parse(
        body=b"code=canary-code&code_verifier=canary-verifier&refresh_token=canary-token"
        b"&username=canary-code&user_name=canary-code&password=canary-verifier"
    )
    facts = make_application().facts()
    values = [
        parameters,
        present(None, "robot", SECRET),
        present(basic("robot", SECRET)["Authorization"], None, None),
        success(
            "https://a.example/",
            "query",
            response_type="code",
            issuer="i",
            state=None,
            code="canary-code",
        ),
        CodeRequest.read(parameters),
        RefreshRequest.read(parameters),
        PasswordRequest.read(parameters),
        Attempt("canary-code", PASSWORD, "192.0.2.1", facts, timezone.now()),
        TokenResponse("canary-token", 1, "", "canary-token", "canary-token"),
    ]
    for value in values:
        assert canaries.found_in(repr(value)) == [], type(value)
