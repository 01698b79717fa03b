"""Opaque access tokens, over HTTP: as good as a JWT, and nothing about them can be read."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce.claims import ClaimsProvider
from oidc_pkce.flows import cleanup, issuing
from oidc_pkce.identifiers import digest
from oidc_pkce.models import AccessToken, Application, Grant, Permission, ServiceUser
from tests.journeys import FORM, Browser, Journey, encode, last_trace
from tests.spec import spec


class Renamed(ClaimsProvider):
    """A host whose people go by their addresses."""

    def login_name(self, user: Any) -> str:
        return f"{user.get_username()}@example.com"


def issuing_opaque_tokens(application: Application) -> None:
    application.token_type = "Opaque"
    application.issues_refresh_tokens = True
    application.flows = ["AuthorizationCode", "ClientCreds"]
    application.save()


@pytest.fixture
def owner(confidential: Journey) -> Journey:
    """A service user as the client, Ada signed in."""
    issuing_opaque_tokens(confidential.application)
    return confidential


@pytest.fixture
def itself(openid_with_secret: Journey) -> Journey:
    """An OpenID Connect client that knows its secret, Ada signed in."""
    issuing_opaque_tokens(openid_with_secret.application)
    return openid_with_secret


def own_token(journey: Journey) -> str:
    """An access token that the client gets for itself."""
    credentials = {"client_id": journey.client_id, "client_secret": journey.secret}
    answer = journey.post("Token", {"grant_type": "client_credentials", **credentials})
    return str(answer.json["access_token"])


def is_good(journey: Journey, token: str) -> bool:
    """What UserInfo and Introspect agree on."""
    served = journey.userinfo(token).status == 200
    assert journey.introspect(token).json["active"] is served
    return served


def reason() -> str:
    return str(last_trace().outcomes[-1]["detail"])


# --- what it is ---------------------------------------------------------------------------------


@spec("RFC 6749", "10.10")
def test_it_is_256_random_bits_and_no_two_are_alike(owner):
    found = {owner.tokens()["access_token"] for _ in range(5)} | {own_token(owner)}

    assert len(found) == 6
    for token in found:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
        assert len(urlsafe_b64decode(f"{token}=")) == 32


@spec("RFC 6749", "10.3")
def test_it_is_stored_as_its_digest_and_nowhere_else(owner):
    token = owner.tokens()["access_token"]
    owner.userinfo(token)
    owner.introspect(token)

    assert bytes(AccessToken.objects.get().pk) == digest(token)
    stored = [
        bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
        for model in apps.get_models()
        for row in model._base_manager.values_list()
        for value in row
    ]
    assert [text for text in stored if token in text] == []


@spec("RFC 6749", "5.1")
def test_the_answer_is_that_of_a_jwt_and_the_id_token_stays_one(itself):
    answer = itself.tokens(scope="openid")

    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 18000)
    assert answer["access_token"].count(".") == 0
    assert answer["id_token"].count(".") == 2


@spec("RFC 6749", "1.4")
def test_a_refresh_gives_another_one_and_the_first_stays_good(owner):
    tokens = owner.tokens()

    fresh = owner.refresh(tokens["refresh_token"]).json

    assert is_good(owner, tokens["access_token"])
    assert is_good(owner, fresh["access_token"])
    assert AccessToken.objects.count() == 2


# --- what it opens ------------------------------------------------------------------------------


@spec("OpenID Connect Core", "5.3.2")
def test_userinfo_tells_by_its_scopes_whom_it_stands_for(itself):
    token = itself.tokens(scope="openid email")["access_token"]

    members = itself.userinfo(token).json

    assert (members["unique_name"], members["email"]) == ("ada", "ada@example.com")
    assert members["sub"] == Grant.objects.get().subject


@spec("OpenID Connect Core", "5.3.2")
def test_introspection_calls_a_person_as_the_host_does(owner, settings):
    path = f"{Renamed.__module__}.{Renamed.__qualname__}"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": path}

    token = owner.tokens()["access_token"]

    assert owner.introspect(token).json["unique_name"] == "ada@example.com"


def test_looking_at_one_costs_one_statement_beside_the_application(owner, itself):
    for journey in (owner, itself):
        for token in (journey.tokens()["access_token"], own_token(journey)):
            journey.userinfo(token)
            with CaptureQueriesContext(connection) as queries:
                assert journey.userinfo(token).status == 200
            assert len(queries) == 2


@spec("RFC 6749", "4.4")
def test_a_clients_own_token_belongs_to_no_grant_and_is_good(owner, itself):
    for journey, user in ((owner, "robot"), (itself, None)):
        token = own_token(journey)

        row = AccessToken.objects.get(pk=digest(token))
        assert (row.grant, row.user and row.user.get_username()) == (None, user)
        assert is_good(journey, token)
    assert not Grant.objects.exists()


# --- how it ends --------------------------------------------------------------------------------


@spec("RFC 6749", "5.1")
def test_it_expires_with_its_own_lifetime(owner, clock):
    owner.application.access_token_lifetime = timedelta(minutes=1)
    owner.application.save()
    tokens = [owner.tokens()["access_token"], own_token(owner)]
    clock.step(59)
    assert all(is_good(owner, token) for token in tokens)

    clock.step(1)

    for token in tokens:
        assert not is_good(owner, token)
        assert reason() == "the token has expired"


@spec("RFC 7009", "2.1")
def test_it_ends_with_its_grant_and_a_clients_own_does_not(owner):
    tokens, own = owner.tokens(), own_token(owner)

    owner.revoke(tokens["refresh_token"])

    assert not is_good(owner, tokens["access_token"])
    assert reason() == "the grant is revoked"
    assert is_good(owner, own)


@spec("RFC 7009", "2.1")
def test_it_ends_alone(owner):
    one, two, own = owner.tokens()["access_token"], owner.tokens()["access_token"], own_token(owner)

    owner.revoke(one)
    owner.revoke(own)

    assert not is_good(owner, one)
    assert not is_good(owner, own)
    assert is_good(owner, two)


@spec("RFC 6749", "4.1.2")
def test_it_ends_when_its_code_is_used_again(owner):
    code = owner.authorize().code
    token = owner.redeem(code).json["access_token"]
    assert is_good(owner, token)

    owner.redeem(code)

    assert not is_good(owner, token)


@spec("RFC 6750", "3.1")
def test_it_ends_with_whom_it_stands_for(owner, ada):
    token, own = owner.tokens()["access_token"], own_token(owner)
    ada.is_active = False
    ada.save()
    assert not is_good(owner, token)
    assert reason() == "the user is not active"

    ada.delete()
    assert not is_good(owner, token)
    assert is_good(owner, own)


@spec("RFC 6750", "3.1")
@pytest.mark.parametrize("change", ["right", "disabled", "deleted"])
def test_it_ends_with_the_right_and_the_application(owner, change):
    tokens = [owner.tokens()["access_token"], own_token(owner)]
    if change == "right":
        Permission.objects.all().delete()
    elif change == "disabled":
        Application.objects.update(enabled=False)
    else:
        Application.objects.all().delete()

    for token in tokens:
        assert owner.userinfo(token).status in {401, 404}
        assert owner.introspect(token).json.get("active", False) is False


@spec("RFC 6749", "4.4")
def test_a_clients_own_token_ends_with_its_service_user(owner):
    """Also where the Django user stays, as somebody who may use the application."""
    token = own_token(owner)
    ServiceUser.objects.all().delete()

    assert owner.userinfo(token).status == 401
    assert reason() == "the service user is gone"


@spec("RFC 6749", "4.4")
def test_a_clients_own_token_ends_with_its_client_id(itself):
    token = own_token(itself)
    itself.application.openid_client_id = "replaced"
    itself.application.save()

    assert itself.userinfo(token).status == 401
    assert last_trace().failed_check == "bearer.client"


@spec("RFC 6750", "3.1")
def test_it_is_good_at_its_own_application_only(owner, itself):
    for token in (owner.tokens()["access_token"], own_token(owner)):
        assert itself.userinfo(token).status == 401
        assert last_trace().failed_check == "bearer.application"
        assert itself.introspect(token).json == {"active": False}
        assert is_good(owner, token)


@spec("RFC 6750", "3.1")
def test_no_other_credential_of_the_same_form_is_taken_for_one(owner):
    """A refresh token, a code and a client secret look just like it."""
    tokens, code = owner.tokens(), owner.authorize().code

    for text in (tokens["refresh_token"], code, owner.secret, digest(code).hex()):
        answer = owner.userinfo(text)
        assert (answer.status, answer.error) == (401, "invalid_token")


@spec("RFC 6750", "3.1")
def test_every_flipped_character_and_every_cut_is_refused(owner):
    token = owner.tokens()["access_token"]

    for at in range(len(token)):
        flipped = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        assert not is_good(owner, flipped), at
        assert not is_good(owner, token[: at + 1][:-1] or "x"), at
    assert not is_good(owner, f"{token}=")
    assert is_good(owner, token)


@spec("RFC 6749", "5.1")
def test_a_change_of_the_token_type_leaves_what_is_out(owner):
    first = owner.tokens()["access_token"]
    owner.application.token_type = "JwtRS256"
    owner.application.save()
    second = owner.tokens()["access_token"]
    issuing_opaque_tokens(owner.application)

    assert is_good(owner, first)
    assert is_good(owner, second)


def test_expired_rows_are_swept_and_others_stay(owner):
    token = owner.tokens()["access_token"]
    AccessToken.objects.filter(pk=digest(own_token(owner))).update(expires_at=timezone.now())

    assert cleanup.sweep(timezone.now())["access_tokens"] == 1
    assert is_good(owner, token)


def test_an_answer_that_fails_leaves_no_token_behind(itself, monkeypatch):
    """What was stored and never sent goes with the transaction, and the code stays usable."""
    code = itself.authorize(scope="openid").code
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": itself.redirect_uri,
        "client_id": itself.client_id,
        "client_secret": itself.secret,
        "code_verifier": itself.verifier,
    }
    with monkeypatch.context() as patched:
        patched.setattr(issuing, "_id_token", break_down)
        browser = Browser(raise_request_exception=False)
        answer = browser.post(itself.url("Token"), encode(form), content_type=FORM)

    assert answer.status_code == 500
    assert not AccessToken.objects.exists()
    assert itself.redeem(code).status == 200


def break_down(*args: Any) -> Any:
    raise RuntimeError
