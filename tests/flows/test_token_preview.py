"""Token preview: what it shows is what is issued, and nothing of it remains."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from oidc_pkce import signals
from oidc_pkce.flows import token_preview
from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.interaction import Owed
from oidc_pkce.flows.token_preview import MADE_ANEW, NONCE, Preview, PreviewRequest
from oidc_pkce.models import (
    AccessToken,
    Application,
    AuditEvent,
    AuthorizationCode,
    Consent,
    Grant,
    Permission,
    RefreshToken,
    RequestTrace,
    Subject,
)
from oidc_pkce.protocol.application import TokenType
from oidc_pkce.protocol.token import CLIENT_CREDENTIALS
from oidc_pkce.receivers import AMR, AUTH_TIME, SID
from tests.clock import Clock
from tests.fixtures import make_user
from tests.journeys import (
    CALLBACK,
    SECRET,
    Journey,
    claims_of,
    give_secret,
    make_application,
    make_service_user,
)
from tests.spec import spec

pytestmark = pytest.mark.django_db

WRITTEN: tuple[type[Model], ...] = (
    AccessToken,
    AuthorizationCode,
    Consent,
    Grant,
    RefreshToken,
    RequestTrace,
    Subject,
)
TEMPLATES = ("OAuth2ServerClient", "OAuth2Server", "Generic OpenID Connect")
DETERMINISTIC = (TokenType.RS256, TokenType.EDDSA, TokenType.OPAQUE)


def journey_to(template: str, token_type: TokenType, user: Any, **fields: Any) -> Journey:
    """An application of this template whose client may introspect, a person signed in."""
    is_openid = template == "Generic OpenID Connect"
    own = {"audience": "https://api.example.com"} if template == "OAuth2Server" else {}
    made = make_application(
        template=template,
        token_type=token_type,
        client_id_type="Confidential",
        client_ids=[],
        issues_refresh_tokens=True,
        flows=["AuthorizationCode", "ClientCreds"],
        redirect_uris=[CALLBACK],
        **{**own, **fields},
    )
    made.scopes.create(name="files")
    if is_openid:
        give_secret(made)
        return Journey(made, client_id=made.openid_client_id, secret=SECRET).log_in(user)
    make_service_user(make_user("robot"), SECRET)
    return Journey(made, client_id="robot", secret=SECRET).log_in(user)


def scopes_of(journey: Journey) -> tuple[str, ...]:
    own = ("openid", "profile", "email") if journey.application.template == TEMPLATES[2] else ()
    return (*own, "files")


def previewed(journey: Journey, user: Any, clock: Clock, **changes: Any) -> Preview:
    asked = {
        "application_id": journey.application.application_id,
        "user": user,
        "client_id": journey.client_id,
        "scopes": scopes_of(journey),
        "now": clock.now(),
    }
    application = Application.objects.get(pk=journey.application.pk)
    return token_preview.preview(
        PreviewRequest(**{**asked, **changes}), application, actor=Actor(name="test")
    )


def refusal_of(found: Preview) -> tuple[str, str]:
    step = found.refused_by
    assert step is not None
    assert step.refusal is not None
    return step.endpoint, step.refusal.check


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every identifier that is drawn is the same, so that two issues can be compared whole."""
    drawn = os.urandom
    monkeypatch.setattr(os, "urandom", lambda size: b"\7" * 16 if size == 16 else drawn(size))


def sign_in_now(journey: Journey, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person has just typed the password, in the browser session that the preview assumes."""
    session = journey.browser.session
    session[AUTH_TIME], session[AMR] = clock.now().timestamp(), ["pwd"]
    session.save()
    monkeypatch.setattr("oidc_pkce.identifiers.new_sid", lambda: session[SID])


def issued(journey: Journey) -> dict[str, Any]:
    """The answers of the endpoints; afterwards nothing stored is left of them."""
    scope = " ".join(scopes_of(journey))
    answer = journey.tokens(scope=scope, nonce=NONCE)
    told = {
        "answer": answer,
        "userinfo": journey.userinfo(answer["access_token"]).response.content,
        "introspection": journey.introspect(answer["access_token"]).response.content,
    }
    Grant.objects.all().delete()
    return told


@pytest.mark.parametrize("token_type", list(TokenType), ids=str)
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.usefixtures("chance")
@spec("OpenID Connect Core", "2")
def test_the_preview_is_what_is_issued_byte_for_byte(
    template: str,
    token_type: TokenType,
    ada: Any,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    journey = journey_to(template, token_type, ada)
    sign_in_now(journey, clock, monkeypatch)
    real = issued(journey)

    found = previewed(journey, ada, clock)

    assert found.refused_by is None
    assert found.is_opaque is (token_type is TokenType.OPAQUE)
    assert json.dumps(found.userinfo).encode() == real["userinfo"]
    assert json.dumps(found.introspection).encode() == real["introspection"]
    if found.access_token:
        assert found.access_token.text == without_signature(real["answer"]["access_token"])
    if found.id_token and token_type in DETERMINISTIC and token_type is not TokenType.OPAQUE:
        assert found.id_token.text == without_signature(real["answer"]["id_token"])
    elif found.id_token:  # at_hash follows from the access token, which is another each time
        hashless = {**claims_of(real["answer"]["id_token"]), "at_hash": ""}
        assert json.dumps(hashless) == json.dumps({**found.id_token.claims, "at_hash": ""})
    assert (found.id_token is not None) is ("id_token" in real["answer"])


@pytest.mark.parametrize("token_type", list(TokenType), ids=str)
@pytest.mark.parametrize("template", TEMPLATES)
def test_only_what_is_made_anew_differs_from_the_next_real_answer(
    template: str, token_type: TokenType, ada: Any, clock: Clock
) -> None:
    journey = journey_to(template, token_type, ada)
    found = previewed(journey, ada, clock, amr=())
    clock.step(3)
    real = journey.tokens(scope=" ".join(scopes_of(journey)), nonce="another")

    assert found.answer is not None
    assert list(found.answer) == list(real)
    for name, token in (("access_token", found.access_token), ("id_token", found.id_token)):
        if token is None:
            continue
        claims = claims_of(real[name])
        assert list(token.claims) == list(claims)
        differing = {key for key in claims if claims[key] != token.claims[key]}
        assert differing <= set(MADE_ANEW)


def without_signature(token: str) -> str:
    return token[: token.rindex(".") + 1]


@pytest.mark.parametrize("token_type", list(TokenType), ids=str)
@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.usefixtures("chance")
@spec("RFC 6749", "4.4")
def test_what_a_client_would_get_for_itself_is_previewed_too(
    template: str, token_type: TokenType, ada: Any, clock: Clock
) -> None:
    journey = journey_to(template, token_type, ada)
    form = {"grant_type": "client_credentials", "client_id": journey.client_id}
    answer = journey.post("Token", {**form, "client_secret": SECRET, "scope": "files"}).json
    told = journey.introspect(answer["access_token"]).response.content
    AccessToken.objects.all().delete()

    found = previewed(
        journey, None, clock, grant_type=CLIENT_CREDENTIALS, scopes=("files",), amr=()
    )

    assert found.refused_by is None
    assert json.dumps(found.introspection).encode() == told
    if found.access_token:
        assert found.access_token.text == without_signature(answer["access_token"])


def test_the_clients_of_the_list_need_no_secret(signed_in: Journey, ada: Any, clock: Clock) -> None:
    found = previewed(signed_in, ada, clock, scopes=())

    assert found.refused_by is None
    assert found.access_token is not None
    assert found.access_token.claims["sub"]
    assert found.introspection is not None
    assert found.introspection["active"] is True


@pytest.mark.parametrize("token_type", [TokenType.RS256, TokenType.OPAQUE], ids=str)
def test_nothing_remains_but_the_audit(
    token_type: TokenType,
    ada: Any,
    clock: Clock,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    journey = journey_to(TEMPLATES[2], token_type, ada)
    Subject.objects.get_or_create(user=ada)
    before = {kind: kind._default_manager.count() for kind in WRITTEN}
    heard: list[object] = []
    signals.grant_created.connect(lambda **told: heard.append(told), weak=False, dispatch_uid="t")

    with django_capture_on_commit_callbacks(execute=True) as on_commit:
        found = previewed(journey, ada, clock)

    signals.grant_created.disconnect(dispatch_uid="t")
    assert found.refused_by is None
    assert {kind: kind._default_manager.count() for kind in WRITTEN} == before
    assert (heard, on_commit) == ([], [])
    event = AuditEvent.objects.get(action="token.previewed")
    assert (event.actor_name, event.client_id) == ("test", journey.client_id)
    assert event.details == {"user": "ada", "scope": "openid profile email files"}


def test_who_had_no_name_yet_keeps_the_one_that_was_shown(
    signed_in: Journey, ada: Any, clock: Clock
) -> None:
    Subject.objects.all().delete()

    first, second = (previewed(signed_in, ada, clock, scopes=()) for _ in range(2))

    assert first.access_token is not None
    assert second.access_token is not None
    assert first.access_token.claims["sub"] == second.access_token.claims["sub"]


def test_no_signed_token_and_no_credential_leaves(ada: Any, clock: Clock) -> None:
    journey = journey_to(TEMPLATES[0], TokenType.RS256, ada)
    found = previewed(journey, ada, clock)

    assert found.answer is not None
    assert found.answer["access_token"] == "(access token)"
    assert found.answer["refresh_token"] == "(refresh token)"
    assert found.access_token is not None
    assert found.access_token.text.endswith(".")
    for token in (found.access_token.text, found.access_token.text.rstrip(".")):
        assert journey.userinfo(token).status == 401


@pytest.mark.parametrize(
    ("fields", "check"),
    [
        ({"enabled": False}, "authorize.enabled"),
        ({"client_ids": ["x"]}, "authorize.client_id"),
        ({"redirect_uris": []}, "authorize.redirect_uri"),
        ({"flows": ["Implicit"]}, "authorize.flow"),
        ({"required_acr": "aal2"}, "authorize.acr"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_check_that_would_refuse_is_named(
    signed_in: Journey, ada: Any, clock: Clock, fields: dict[str, Any], check: str
) -> None:
    Application.objects.update(**fields)

    found = previewed(signed_in, ada, clock, scopes=())

    assert refusal_of(found) == ("authorize", check)
    assert (found.access_token, found.answer, found.userinfo) == (None, None, None)


def test_whoever_may_not_run_the_application_is_refused(
    signed_in: Journey, ada: Any, clock: Clock
) -> None:
    Permission.objects.all().delete()

    assert refusal_of(previewed(signed_in, ada, clock, scopes=())) == (
        "authorize",
        "authorize.access",
    )


def test_who_is_not_active_is_refused(signed_in: Journey, ada: Any, clock: Clock) -> None:
    ada.is_active = False
    ada.save()

    assert refusal_of(previewed(signed_in, ada, clock, scopes=())) == (
        "authorize",
        "authorize.access",
    )


def test_a_scope_that_is_not_defined_is_refused(signed_in: Journey, ada: Any, clock: Clock) -> None:
    found = previewed(signed_in, ada, clock, scopes=("other",))

    assert refusal_of(found)[1] == "authorize.scope"


def test_a_confidential_client_without_a_live_secret_is_refused(
    confidential: Journey, ada: Any, clock: Clock
) -> None:
    confidential.application.scopes.create(name="files")
    assert previewed(confidential, ada, clock).refused_by is None

    make_service_user(make_user("mute"))
    found = previewed(confidential, ada, clock, client_id="mute")

    assert refusal_of(found)[1] == "client.secret"


def test_a_flow_that_is_not_ticked_is_refused(
    confidential: Journey, ada: Any, clock: Clock
) -> None:
    found = previewed(confidential, None, clock, grant_type=CLIENT_CREDENTIALS, scopes=())

    assert refusal_of(found)[1] == "token.flow"


def test_consent_is_said_and_taken_for_given(asking: Journey, ada: Any, clock: Clock) -> None:
    found = previewed(asking, ada, clock, scopes=("read",))

    assert found.owed is Owed.CONSENT
    assert found.access_token is not None
    assert found.access_token.claims["scope"] == "read"
    assert not Consent.objects.exists()


def test_networks_are_not_judged(signed_in: Journey, ada: Any, clock: Clock) -> None:
    Application.objects.update(allowed_networks=["192.0.2.0/24"])

    assert previewed(signed_in, ada, clock, scopes=()).refused_by is None


def test_within_a_transaction_of_the_host_nothing_remains_either(
    signed_in: Journey, ada: Any, clock: Clock
) -> None:
    assert connection.in_atomic_block
    previewed(signed_in, ada, clock, scopes=())

    assert not connection.needs_rollback
    assert AuditEvent.objects.filter(action="token.previewed").count() == 1
    assert not Grant.objects.exists()
