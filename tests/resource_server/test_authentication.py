"""The REST framework's authentication class: who comes in with a token of ours, and how."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce.claims import ClaimsProvider
from oidc_pkce.flows import tracing
from oidc_pkce.models import Application, Grant, Permission, RequestTrace, RevokedToken
from oidc_pkce.protocol import access_token
from tests.journeys import FORM, Answer, Journey, last_trace, make_application
from tests.performance.test_statements import at_most
from tests.resource_server.conftest import AUDIENCE, ask, use
from tests.resource_server.urls import OtherApplication
from tests.spec import spec


def machine_token(journey: Journey, **changes: Any) -> str:
    """A token for the client itself (RFC 6749 §4.4)."""
    journey.application.flows = ["AuthorizationCode", "ClientCreds"]
    journey.application.save()
    sent = {
        "grant_type": "client_credentials",
        "client_id": journey.client_id,
        "client_secret": journey.secret,
    }
    answer = journey.post("Token", {**sent, **changes})
    assert answer.status == 200, answer.json
    return str(answer.json["access_token"])


def refused(answer: Answer) -> None:
    assert answer.status == 401, answer.html
    assert answer.response["WWW-Authenticate"].startswith('Bearer error="invalid_token"')
    assert answer.json["error"] == "invalid_token"
    assert answer.response["Cache-Control"] == "no-store"


# --- who comes in -------------------------------------------------------------------------------


@spec("RFC 6750", "2.1")
def test_a_person_is_the_django_user_and_the_token_says_the_rest(
    reader: str, ada: Any, notes: Application
) -> None:
    told = ask("/api/", reader).json

    assert (told["user"], told["kind"], told["pk"]) == ("ada", "User", ada.pk)
    assert told["is_authenticated"]
    assert (told["scopes"], told["client_id"]) == (["notes.read"], "my_service_user")
    assert (told["application_id"], told["audience"]) == ("my_app", ["my_service_user"])
    assert told["subject"] == Grant.objects.get().subject
    assert told["expires_at"] == told["claims"]["exp"]
    assert told["claims"]["unique_name"] == "ada"


@spec("RFC 6749", "4.4")
def test_a_service_user_is_the_django_user(confidential: Journey, robot: Any) -> None:
    told = ask("/api/", machine_token(confidential)).json

    assert (told["user"], told["pk"]) == ("robot", robot.user.pk)
    assert told["client_id"] == "robot"


@spec("RFC 6749", "4.4")
def test_a_client_without_a_user_is_somebody_without_a_key(openid_with_secret: Journey) -> None:
    told = ask("/api/", machine_token(openid_with_secret)).json

    assert (told["kind"], told["pk"]) == ("TokenUser", None)
    assert (told["is_authenticated"], told["is_anonymous"]) == (True, False)
    assert told["client_id"] == openid_with_secret.client_id
    assert told["user"] == f"https://id.example.com/portal/#{told['subject']}"


@pytest.mark.parametrize("kind", ["JwtES256", "JwtEdDSA", "JwtPS256", "Opaque"])
def test_every_token_type_is_taken(signed_in: Journey, notes: Application, kind: str) -> None:
    notes.token_type = kind
    notes.save()
    told = ask("/api/", signed_in.tokens(scope="notes.read")["access_token"]).json

    assert (told["user"], told["scopes"]) == ("ada", ["notes.read"])
    assert told["claims"]["iss"] == "https://id.example.com/my_app/"


def test_what_a_claims_provider_adds_is_seen(
    signed_in: Journey, notes: Application, settings: Any
) -> None:
    provider = f"{__name__}.Staff"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": provider}
    token = signed_in.tokens(scope="notes.read")["access_token"]

    assert ask("/api/", token).json["claims"]["staff"] is False


class Staff(ClaimsProvider):
    """Says more in access tokens."""

    def access_token(self, user: Any, scopes: Any) -> dict[str, Any]:
        return {"staff": user.is_staff and bool(scopes)}


# --- how a token is sent ------------------------------------------------------------------------


@spec("RFC 6750", "2.2")
def test_a_token_is_taken_from_a_posted_form_and_the_view_reads_on(reader: str) -> None:
    body = f"access_token={reader}&title=Lamp&tag=a&tag=b"
    answer = Answer(Browser().post("/api/", body, content_type=FORM))

    assert answer.status == 200
    assert answer.json["data"]["title"] == ["Lamp"]
    assert answer.json["data"]["tag"] == ["a", "b"]


@spec("RFC 6750", "2.1")
def test_a_form_beside_the_header_is_the_views_own(reader: str) -> None:
    bearer = {"Authorization": f"Bearer {reader}"}
    for body, content_type in (
        ("title=Lamp&title=Light", FORM),
        (json.dumps({"access_token": "x"}), "application/json"),
    ):
        answer = Browser().post("/api/", body, content_type=content_type, headers=bearer)
        assert answer.status_code == 200


@spec("RFC 6750", "2.3")
def test_a_token_in_the_address_is_none(reader: str) -> None:
    answer = ask(f"/api/?access_token={reader}")

    assert (answer.status, answer.response["WWW-Authenticate"]) == (401, "Bearer")
    assert Browser().post(f"/api/?access_token={reader}", "", content_type=FORM).status_code == 401


@spec("RFC 6750", "2")
@pytest.mark.parametrize("other", ["same", "other"])
def test_a_token_in_two_places_is_an_invalid_request(reader: str, other: str) -> None:
    in_body = reader if other == "same" else "x"
    for body, headers in (
        (f"access_token={in_body}", {"Authorization": f"Bearer {reader}"}),
        (f"access_token={in_body}&access_token={reader}", {}),
    ):
        answer = Answer(Browser().post("/api/", body, content_type=FORM, headers=headers))
        assert (answer.status, answer.json["error"]) == (400, "invalid_request")
        assert answer.response["WWW-Authenticate"].startswith('Bearer error="invalid_request"')


@spec("RFC 9110", "11.1")
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_compared_without_case(reader: str, scheme: str) -> None:
    assert ask("/api/", Authorization=f"{scheme} {reader}").status == 200


@spec("RFC 6750", "3")
@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "Token x"])
def test_without_a_token_the_challenge_is_bare(notes: Application, header: str) -> None:
    answer = ask("/api/", **({"Authorization": header} if header else {}))

    assert (answer.status, answer.response["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.response["Cache-Control"] == "no-store"
    trace = RequestTrace.objects.get()
    assert (trace.failed_check, trace.application) == ("bearer.present", None)


def test_who_forgets_the_token_is_found_among_the_requests_of_the_one_application(
    notes: Application, settings: Any
) -> None:
    use(settings, APPLICATIONS=["my_app"])
    ask("/api/")

    assert RequestTrace.objects.get().application == notes


def test_who_watches_an_application_sees_its_tokens_let_in(reader: str, notes: Application) -> None:
    ask("/api/", reader)
    assert not RequestTrace.objects.exists()

    Application.objects.update(watched_until=timezone.now() + timedelta(minutes=10))
    ask("/api/", reader)
    trace = RequestTrace.objects.get()
    assert (trace.endpoint, trace.succeeded, trace.application) == ("resource_server", True, notes)


def test_who_comes_in_without_a_token_leaves_no_trace(notes: Application) -> None:
    browser = Browser()
    browser.force_login(get_user_model().objects.create_user("kim", is_staff=True))

    assert browser.get("/api/notes-or-administrators").status_code == 200
    assert ask("/api/open").status == 200
    assert not RequestTrace.objects.exists()


def test_a_session_is_not_looked_at(notes: Application, ada: Any) -> None:
    browser = Browser()
    browser.force_login(ada)

    assert browser.get("/api/").status_code == 401
    assert browser.get("/api/open").json()["is_authenticated"] is False


def test_a_bad_token_is_refused_where_none_would_do(notes: Application) -> None:
    assert ask("/api/open").status == 200
    refused(ask("/api/open", "x.y.z"))


@spec("RFC 9728", "5.1")
def test_challenges_name_the_metadata(reader: str, settings: Any) -> None:
    use(settings, APPLICATIONS=["my_app"], RESOURCE="https://api.example.com/v1")
    where = 'resource_metadata="https://api.example.com/.well-known/oauth-protected-resource/v1"'

    assert ask("/api/").response["WWW-Authenticate"] == f"Bearer {where}"
    assert where in ask("/api/", "x").response["WWW-Authenticate"]


# --- whose tokens -------------------------------------------------------------------------------


@spec("RFC 9068", "4")
def test_another_applications_token_is_refused(reader: str, ada: Any) -> None:
    stranger = Journey(make_application(application_id="stranger")).log_in(ada)
    token = stranger.tokens()["access_token"]

    assert stranger.userinfo(token).status == 200
    refused(ask("/api/", token))
    assert last_trace().failed_check == "resource_server.application"
    refused(ask("/api/other", reader))


@spec("RFC 9068", "4")
def test_a_token_for_another_audience_is_refused(
    signed_in: Journey, notes: Application, settings: Any
) -> None:
    use(settings, APPLICATIONS=["my_app"], AUDIENCE=AUDIENCE)
    for_us = signed_in.tokens(resource=[AUDIENCE, "https://other.example.com"])["access_token"]
    for_others = signed_in.tokens(resource=f"{AUDIENCE}/")["access_token"]

    assert ask("/api/", for_us).status == 200
    assert ask("/api/audience", for_us).status == 200
    refused(ask("/api/", for_others))
    refused(ask("/api/", signed_in.tokens()["access_token"]))
    assert last_trace().failed_check == "resource_server.audience"


@spec("RFC 9068", "4")
def test_an_audience_alone_will_do(signed_in: Journey, notes: Application, settings: Any) -> None:
    use(settings, AUDIENCE=AUDIENCE)

    assert ask("/api/", signed_in.tokens(resource=AUDIENCE)["access_token"]).status == 200
    refused(ask("/api/", signed_in.tokens()["access_token"]))


@pytest.mark.parametrize("values", [None, {}, {"ISSUERS": ["https://id.example"]}, {"SCOPES": []}])
def test_an_api_that_does_not_say_whose_tokens_it_takes_takes_none(
    reader: str, settings: Any, values: Any
) -> None:
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "RESOURCE_SERVER": values}

    for token in (reader, None):
        with pytest.raises(ImproperlyConfigured, match="must name the APPLICATIONS or the AUD"):
            ask("/api/", token)


@pytest.mark.parametrize("name", ["applications", "issuers"])
def test_a_text_is_no_list(reader: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(OtherApplication, name, "my_app", raising=False)

    with pytest.raises(ImproperlyConfigured, match="are lists"):
        ask("/api/other", reader)


def test_a_setting_of_the_wrong_kind_is_named(reader: str, settings: Any) -> None:
    use(settings, APPLICATIONS="my_app")

    with pytest.raises(ImproperlyConfigured, match="RESOURCE_SERVER"):
        ask("/api/", reader)


# --- at once ------------------------------------------------------------------------------------


@spec("RFC 6750", "3.1")
@pytest.mark.parametrize("kind", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize(
    "change",
    ["deactivated", "no right", "disabled", "revoked", "off the list", "expired", "deleted"],
)
def test_who_may_no_more_is_refused_at_once(
    signed_in: Journey, notes: Application, ada: Any, kind: str, change: str
) -> None:
    notes.token_type = kind
    notes.save()
    token = signed_in.tokens(scope="notes.read")["access_token"]
    assert ask("/api/", token).status == 200

    match change:
        case "deactivated":
            get_user_model().objects.update(is_active=False)
        case "no right":
            Permission.objects.all().delete()
        case "disabled":
            Application.objects.update(enabled=False)
        case "revoked":
            Grant.objects.all().revoke(timezone.now())
        case "off the list":
            Application.objects.update(client_ids=["another"])
        case "expired":
            Grant.objects.update(expires_at=timezone.now())
            connection.cursor().execute("DELETE FROM oidc_pkce_accesstoken")
        case "deleted":
            ada.delete()

    refused(ask("/api/", token))


@spec("RFC 7009", "2.1")
def test_a_single_revoked_token_is_refused(reader: str) -> None:
    jti = ask("/api/", reader).json["claims"]["jti"]
    RevokedToken.objects.create(jti=jti, expires_at=timezone.now() + timedelta(hours=5))

    refused(ask("/api/", reader))


@pytest.mark.parametrize("change", ["deactivated", "no right", "deleted"])
def test_a_service_user_that_may_no_more_is_refused_at_once(
    confidential: Journey, robot: Any, change: str
) -> None:
    token = machine_token(confidential)
    assert ask("/api/", token).status == 200

    if change == "deactivated":
        get_user_model().objects.filter(pk=robot.user.pk).update(is_active=False)
    elif change == "no right":
        Permission.objects.all().delete()
    else:
        robot.delete()

    refused(ask("/api/", token))


# --- what it costs, and what stays --------------------------------------------------------------


def test_a_persons_token_costs_one_statement(reader: str) -> None:
    ask("/api/", reader)

    with at_most(1):
        answer = ask("/api/", reader)

    assert answer.json["user"] == "ada"


def test_a_clients_own_token_costs_one_statement(
    openid_with_secret: Journey, settings: Any
) -> None:
    token = machine_token(openid_with_secret)
    ask("/api/", token)

    with at_most(1):
        assert ask("/api/", token).status == 200


def test_a_service_users_token_costs_one_statement_and_another_for_the_user(
    confidential: Journey,
) -> None:
    token = machine_token(confidential)
    ask("/api/", token)

    with at_most(2):
        assert ask("/api/", token).json["user"] == "robot"


def test_a_success_writes_nothing_unless_it_is_sampled(reader: str, settings: Any) -> None:
    with CaptureQueriesContext(connection) as captured:
        ask("/api/", reader)
    assert [q["sql"] for q in captured if not q["sql"].startswith("SELECT")] == []

    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    ask("/api/", reader)
    ask("/api/open")
    trace = RequestTrace.objects.get(endpoint="resource_server")
    assert (trace.succeeded, trace.client_id) == (True, "my_service_user")


@spec("RFC 6750", "3.1")
def test_the_trace_tells_why_and_the_answer_does_not(reader: str, notes: Application) -> None:
    Grant.objects.all().revoke(timezone.now())
    answer = ask("/api/", reader)
    trace = last_trace()

    assert answer.json["request_id"] == trace.request_id
    assert (trace.endpoint, trace.application) == ("resource_server", notes)
    assert (trace.failed_check, trace.error) == ("bearer.token", "invalid_token")
    assert "revoked" in trace.outcomes[-1]["detail"]
    assert "revoked" not in answer.html
    assert reader not in json.dumps(trace.outcomes)


@pytest.mark.parametrize("trouble", [DatabaseError, InterfaceError])
def test_a_trace_that_cannot_be_written_does_not_change_the_answer(
    reader: str, monkeypatch: pytest.MonkeyPatch, trouble: type[Exception]
) -> None:
    def fail(*_: Any) -> None:
        raise trouble

    monkeypatch.setattr(tracing, "record", fail)

    refused(ask("/api/", "x"))


def test_values_do_not_show_claims_or_tokens(reader: str) -> None:
    from oidc_pkce.flows.resource_server import Accepts, identify
    from oidc_pkce.protocol.checks import Trace

    found = identify(
        reader,
        accepts=Accepts(applications=("my_app",)),
        now=timezone.now(),
        trace=Trace(),
        user_for=lambda _: None,
    )

    assert "unique_name" not in repr(found)
    assert reader not in repr(found)
    assert access_token.JWT not in repr(found.token)


@pytest.mark.django_db(transaction=True)
def test_a_trace_outlives_the_hosts_atomic_requests(
    notes: Application, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REST framework rolls the view's transaction back: a view outside one keeps its trace."""
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    refused(ask("/plain/", "x"))
    assert RequestTrace.objects.count() == 1
    refused(ask("/api/outside", "x"))
    assert RequestTrace.objects.count() == 2
