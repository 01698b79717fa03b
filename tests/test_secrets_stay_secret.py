"""Canaries: what must stay secret is searched for in everything that is kept, logged or shown."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from typing import Any

import django
import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache

from oidc_pkce.endpoints.login import LoginPage
from oidc_pkce.flows import issuing
from oidc_pkce.models import AccessToken, AuditEvent, AuthorizationCode, RequestTrace
from oidc_pkce.protocol.credentials import present
from oidc_pkce.protocol.grants.authorization_code import CodeRequest
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


def journeys(people: Any, **fields: Any) -> list[Journey]:
    """One application of each kind of client."""
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
    canaries.add(tokens["access_token"], *filter(None, [tokens.get("id_token")]))
    assert journey.userinfo(tokens["access_token"]).status == 200
    refused += [
        journey.redeem(code),
        journey.userinfo(tokens["access_token"]),
        journey.userinfo(tokens["access_token"][:-1]),
        journey.raw("UserInfo", f"access_token={tokens['access_token']}"),
        journey.authorize(client_id="unknown"),
        journey.authorize(redirect_uri="https://evil.example/"),
    ]
    return refused


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
def test_a_crash_reports_no_credential(people, canaries, logged, reports, monkeypatch):
    (_, journey, _) = journeys(people)
    journey.log_in(people)
    code = journey.authorize().code
    canaries.add(code, journey.verifier)
    monkeypatch.setattr(issuing, "issue", break_down)
    browser = Browser(raise_request_exception=False)
    fields = {
        "grant_type": "authorization_code",
        "code": code,
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
    parameters = Parameters.parse(body=b"code=canary-code&code_verifier=canary-verifier")
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
        TokenResponse("canary-token", 1, "", "canary-token", "canary-token"),
    ]
    for value in values:
        assert canaries.found_in(repr(value)) == [], type(value)
