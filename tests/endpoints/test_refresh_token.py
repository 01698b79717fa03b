"""Refresh, over HTTP: what rotates, what is answered twice alike, and what ends the grant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from oidc_pkce.flows import issuing
from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.revocation import revoke
from oidc_pkce.identifiers import digest
from oidc_pkce.models import (
    Application,
    AuditEvent,
    ClientAuthentication,
    Grant,
    Permission,
    Principal,
    RefreshToken,
)
from tests.clock import Clock
from tests.fixtures import make_user
from tests.journeys import (
    SECRET,
    Answer,
    Journey,
    basic,
    claims_of,
    give_secret,
    last_trace,
    make_application,
    make_service_user,
)
from tests.spec import spec

DOES_NOT_MATCH = "supplied code does not match known request"
REFUSED = (400, "invalid_grant", DOES_NOT_MATCH)
DENIED = (400, "invalid_grant", "access denied")
WRONG_CLIENT = (400, "invalid_client", "invalid client creds")
ONE, TWO = "https://api.example/1", "https://api.example/2"


def refreshing(journey: Journey, **fields: Any) -> Journey:
    """Let the application issue refresh tokens, and set whatever else is said."""
    for name, value in {"issues_refresh_tokens": True, **fields}.items():
        setattr(journey.application, name, value)
    journey.application.save()
    return journey


def is_served(journey: Journey, token: str) -> bool:
    """Whether UserInfo still takes an access token."""
    return journey.userinfo(token).status == 200


@pytest.fixture
def public(signed_in: Journey, clock: Clock) -> Journey:
    """A public client of the List application, Ada signed in."""
    return refreshing(signed_in)


@pytest.fixture
def secretive(confidential: Journey, clock: Clock) -> Journey:
    """A service user as the client, whose refresh tokens rotate."""
    return refreshing(confidential)


# --- what it answers ----------------------------------------------------------------------------


@spec("RFC 6749", "6")
@spec("RFC 6749", "5.1")
def test_the_answer_has_real_types_and_is_kept_out_of_caches(public):
    answer = public.refresh(public.tokens()["refresh_token"])

    assert answer.status == 200
    assert list(answer.json) == [
        *("access_token", "token_type", "expires_in", "scope", "refresh_token")
    ]
    assert (answer.json["token_type"], answer.json["scope"]) == ("Bearer", "")
    assert answer.json["expires_in"] == 18000
    assert isinstance(answer.json["expires_in"], int)
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert is_served(public, answer.json["access_token"])


@spec("RFC 6749", "1.5")
def test_no_refresh_token_comes_where_the_application_issues_none(signed_in):
    assert "refresh_token" not in signed_in.tokens()
    assert signed_in.refresh("x").told == (
        400,
        "unauthorized_client",
        "grant refresh_token is not offered",
    )


@spec("RFC 6749", "10.4")
def test_a_refresh_token_is_random_and_stored_as_its_digest(public):
    token = public.tokens()["refresh_token"]

    assert len(token) == 43
    assert bytes(RefreshToken.objects.get().digest) == digest(token)
    successor = public.refresh(token).json["refresh_token"]
    assert len(successor) == 43
    stored = {bytes(row.digest) for row in RefreshToken.objects.all()}
    assert stored == {digest(token), digest(successor)}


@spec("RFC 6749", "6")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_the_fresh_access_token_is_of_the_same_grant(public, token_type):
    refreshing(public, token_type=token_type, audience="https://api.example")
    tokens = public.tokens()
    fresh = public.refresh(tokens["refresh_token"]).json

    assert fresh["access_token"] != tokens["access_token"]
    for token in (tokens["access_token"], fresh["access_token"]):
        assert public.userinfo(token).json["aud"] == "https://api.example"
    revoke(Grant.objects.get(), actor=Actor(name="tests"), now=timezone.now())
    for token in (tokens["access_token"], fresh["access_token"]):
        assert not is_served(public, token)


@spec("RFC 6749", "6")
def test_the_lifetime_of_the_access_token_is_what_the_application_says_now(public):
    token = public.tokens()["refresh_token"]
    refreshing(public, access_token_lifetime=timedelta(minutes=1))

    assert public.refresh(token).json["expires_in"] == 60


@spec("RFC 6749", "3.2")
def test_the_fields_of_published_clients_are_tolerated(public):
    token = public.tokens()["refresh_token"]

    answer = public.refresh(
        token, state="s", nonce="n", redirect_uri=public.redirect_uri, debug="1", token="x"
    )
    assert answer.status == 200


# --- what is malformed --------------------------------------------------------------------------


@spec("RFC 6749", "5.2")
@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"refresh_token": None}, "invalid_request", "refresh_token is missing"),
        ({"refresh_token": ""}, "invalid_request", "refresh_token is missing"),
        ({"refresh_token": "x" * 1025}, "invalid_request", "refresh_token is too long"),
        (
            {"refresh_token": "x" * 9000},
            "invalid_request",
            "the parameter refresh_token is too long",
        ),
        (
            {"refresh_token": ["x", "x"]},
            "invalid_request",
            "the parameter refresh_token is repeated",
        ),
        (
            {"refresh_token": "a\0b"},
            "invalid_request",
            "the parameter refresh_token is not UTF-8 text",
        ),
        ({"refresh_token": "x" * 43}, "invalid_grant", DOES_NOT_MATCH),
        ({"refresh_token": "é" * 43}, "invalid_grant", DOES_NOT_MATCH),
        ({"client_id": None}, "invalid_request", "client_id is missing"),
        ({"client_id": "unknown"}, "invalid_client", "invalid client creds"),
        ({"client_secret": "x" * 43}, "invalid_client", "invalid client creds"),
        ({"scope": "write"}, "invalid_scope", "scope write was not granted"),
        (
            {"scope": "read\twrite"},
            "invalid_scope",
            "scope holds a character that RFC 6749 section 3.3 does not allow",
        ),
        ({"resource": ONE}, "invalid_target", "resource was not granted"),
        ({"grant_type": None}, "invalid_request", "grant_type is missing"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_has_its_error_and_leaves_the_token(public, changes, error, description):
    public.application.scopes.create(name="read")
    token = public.tokens(scope="read")["refresh_token"]

    answer = public.refresh(token, **changes)

    assert answer.told == (400, error, description)
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert RefreshToken.objects.get().used_at is None
    assert public.refresh(token).status == 200


@spec("RFC 6749", "10.4")
@pytest.mark.parametrize("spoil", [str.lower, str.upper, lambda t: t[:-1], lambda t: t + "A"])
def test_another_spelling_of_a_refresh_token_is_none(public, spoil):
    token = public.tokens()["refresh_token"]

    assert public.refresh(spoil(token)).told == REFUSED
    assert last_trace().failed_check == "refresh.known"


@spec("RFC 6749", "10.4")
def test_no_other_credential_is_a_refresh_token(public):
    tokens = public.tokens()

    for credential in (tokens["access_token"][:1024], public.authorize().code):
        assert public.refresh(credential).told[:2] == (400, "invalid_grant")
    assert public.redeem(tokens["refresh_token"]).told == REFUSED
    assert public.userinfo(tokens["refresh_token"]).status == 401


# --- rotation -----------------------------------------------------------------------------------


def clients(ada: Any) -> dict[str, Journey]:
    """One client of each kind, signed in."""
    make_service_user(make_user("robot"), SECRET)
    backend = {"client_id_type": "Confidential", "client_ids": []}
    openid = {**backend, "template": "Generic OpenID Connect"}
    made = {
        "List": Journey(make_application(application_id="list")),
        "Anything": Journey(make_application(application_id="any", client_id_type="Anything")),
        "Confidential": Journey(
            make_application(application_id="backend", **backend), client_id="robot", secret=SECRET
        ),
        "GUID by challenge": Journey(
            make_application(application_id="spa", openid_client_id="spa", **openid),
            client_id="spa",
        ),
        "GUID by secret": Journey(
            make_application(application_id="web", openid_client_id="web", **openid),
            client_id="web",
            secret=SECRET,
        ),
    }
    for name in ("spa", "web"):
        give_secret(Application.objects.get(application_id=name))
    for journey in made.values():
        refreshing(journey).log_in(ada)
    return made


@spec("RFC 9700", "2.2.2")
@pytest.mark.parametrize("rotates", [True, False])
def test_public_clients_always_rotate_and_others_as_the_application_says(ada, rotates):
    for kind, journey in clients(ada).items():
        refreshing(journey, rotates_refresh_tokens=rotates)
        token = journey.tokens()["refresh_token"]
        answer = journey.refresh(token)

        assert answer.status == 200, kind
        rotated = answer.json["refresh_token"] != token
        assert rotated == (rotates or journey.secret is None), kind


@spec("RFC 6749", "6")
def test_a_token_that_does_not_rotate_comes_back_and_stays_usable(secretive, clock):
    refreshing(secretive, rotates_refresh_tokens=False)
    token = secretive.tokens()["refresh_token"]
    seen = set()
    for _ in range(4):
        answer = secretive.refresh(token)
        assert answer.json["refresh_token"] == token
        assert is_served(secretive, answer.json["access_token"])
        seen.add(answer.json["access_token"])
        clock.step(3600)

    assert len(seen) == 4
    assert RefreshToken.objects.get().used_at is None


@spec("RFC 9700", "4.14.2")
def test_each_successor_works_in_its_turn(public, clock):
    token = public.tokens()["refresh_token"]
    chain = [token]
    for _ in range(5):
        clock.step(3600)
        chain.append(public.refresh(chain[-1]).json["refresh_token"])

    assert len(set(chain)) == 6
    assert RefreshToken.objects.filter(used_at=None).count() == 1
    assert Grant.objects.count() == 1


# --- the window ---------------------------------------------------------------------------------


@spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("kind", ["List", "Anything", "Confidential", "GUID by challenge"])
def test_the_same_token_again_gives_the_same_successor_and_a_fresh_access_token(clock, ada, kind):
    journey = clients(ada)[kind]
    token = journey.tokens()["refresh_token"]
    answers = [journey.refresh(token)]
    for seconds in (0, 3, 6.9):
        clock.step(seconds)
        answers.append(journey.refresh(token))

    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    tokens = {answer.json["access_token"] for answer in answers}
    assert len(tokens) == 4
    assert all(is_served(journey, token) for token in tokens)
    assert RefreshToken.objects.count() == 2
    assert journey.refresh(answers[-1].json["refresh_token"]).status == 200


@spec("RFC 9700", "4.14.2")
def test_after_the_window_a_reuse_ends_the_whole_grant(public, clock):
    tokens = public.tokens()
    fresh = public.refresh(tokens["refresh_token"]).json
    other = public.tokens()  # another grant of the same person and client
    clock.step(10)

    assert public.refresh(tokens["refresh_token"]).told == REFUSED
    assert last_trace().failed_check == "refresh.single_use"

    for token in (tokens["access_token"], fresh["access_token"]):
        assert public.userinfo(token).status == 401
    assert public.refresh(fresh["refresh_token"]).told == REFUSED
    assert last_trace().failed_check == "refresh.grant"
    assert AuditEvent.objects.filter(action="refresh_token.replayed").count() == 1
    assert is_served(public, other["access_token"])
    assert public.refresh(other["refresh_token"]).status == 200


@spec("RFC 9700", "4.14.2")
def test_the_hosts_atomic_requests_do_not_undo_the_revocation(public, clock, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    token = public.tokens()["refresh_token"]
    fresh = public.refresh(token).json
    clock.step(11)

    assert public.refresh(token).told == REFUSED

    assert Grant.objects.get().revoked_at is not None
    assert not is_served(public, fresh["access_token"])
    assert public.refresh(fresh["refresh_token"]).told == REFUSED


@spec("RFC 9700", "4.14.2")
def test_the_reuse_of_an_older_ancestor_ends_the_grant_as_well(public, clock):
    first = public.tokens()["refresh_token"]
    second = public.refresh(first).json["refresh_token"]
    clock.step(8)
    third = public.refresh(second).json["refresh_token"]
    assert public.refresh(first).json["refresh_token"] == second
    clock.step(3)

    assert public.refresh(first).told == REFUSED
    assert public.refresh(third).told == REFUSED


@spec("RFC 9700", "4.14.2")
def test_without_a_window_the_second_use_ends_the_grant_at_once(public, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "REFRESH_TOKEN_REUSE_WINDOW": 0}
    token = public.tokens()["refresh_token"]
    fresh = public.refresh(token).json

    assert public.refresh(token).told == REFUSED
    assert not is_served(public, fresh["access_token"])
    assert public.refresh(fresh["refresh_token"]).told == REFUSED


@spec("RFC 7009", "2.1")
def test_a_revocation_inside_the_window_wins(public, clock):
    token = public.tokens()["refresh_token"]
    successor = public.refresh(token).json["refresh_token"]
    revoke(Grant.objects.get(), actor=Actor(name="tests"), now=clock.now())

    for presented in (token, successor):
        assert public.refresh(presented).told == REFUSED
        assert last_trace().failed_check == "refresh.grant"
    assert AuditEvent.objects.filter(action="refresh_token.replayed").count() == 0


def test_the_same_successor_comes_although_rotation_was_turned_off_meanwhile(secretive):
    token = secretive.tokens()["refresh_token"]
    successor = secretive.refresh(token).json["refresh_token"]
    refreshing(secretive, rotates_refresh_tokens=False)

    assert secretive.refresh(token).json["refresh_token"] == successor
    assert secretive.refresh(successor).json["refresh_token"] == successor


@pytest.mark.parametrize("fallbacks", [1, 3])
def test_a_new_secret_key_gives_the_same_successor(public, settings, fallbacks):
    token = public.tokens()["refresh_token"]
    successor = public.refresh(token).json["refresh_token"]
    older = [f"another key, number {n}" for n in range(fallbacks - 1)]
    settings.SECRET_KEY_FALLBACKS = [*older, settings.SECRET_KEY]
    settings.SECRET_KEY = "the new key of this server"

    again = public.refresh(token)

    assert again.json["refresh_token"] == successor
    assert RefreshToken.objects.count() == 2
    newer = public.refresh(successor).json["refresh_token"]
    assert newer not in (token, successor)


def test_a_secret_key_that_is_gone_refuses_inside_the_window_and_ends_nothing(public, settings):
    token = public.tokens()["refresh_token"]
    fresh = public.refresh(token).json
    settings.SECRET_KEY = "a server whose older key nobody kept"

    assert public.refresh(token).told == REFUSED

    assert is_served(public, fresh["access_token"])
    assert public.refresh(fresh["refresh_token"]).status == 200


# --- reuse by somebody else ---------------------------------------------------------------------


@spec("RFC 9700", "4.14.2")
@pytest.mark.parametrize("age", [0, 11])
def test_reuse_by_somebody_else_ends_nothing(secretive, robot, clock, age):
    make_service_user(make_user("thief"), "of-the-thief" * 4)
    make_application(application_id="other", client_id_type="Confidential", client_ids=[])
    elsewhere = Journey(
        Application.objects.get(application_id="other"), client_id="robot", secret=SECRET
    )
    refreshing(elsewhere)
    token = secretive.tokens()["refresh_token"]
    fresh = secretive.refresh(token).json
    clock.step(age)

    for answer in (
        secretive.refresh(token, client_id="thief", client_secret="of-the-thief" * 4),
        secretive.refresh(token, client_id="thief", client_secret=SECRET),
        secretive.refresh(token, client_secret="wrong" * 9),
        secretive.refresh(token, client_secret=None),
        elsewhere.refresh(token),
    ):
        assert answer.status == 400

    assert is_served(secretive, fresh["access_token"])
    assert secretive.refresh(fresh["refresh_token"]).status == 200
    assert AuditEvent.objects.filter(action="refresh_token.replayed").count() == 0


@spec("RFC 6749", "10.4")
def test_a_refresh_token_fits_no_other_client_and_no_other_application(ada):
    owners = clients(ada)
    refreshing(owners["List"], client_ids=["my_service_user", "another"])
    make_service_user(make_user("robot2"), SECRET)
    strangers = [
        *owners.values(),
        Journey(owners["List"].application, client_id="another"),
        Journey(owners["Anything"].application, client_id="another"),
        Journey(owners["Confidential"].application, client_id="robot2", secret=SECRET),
    ]
    for owner in owners.values():
        token = owner.tokens()["refresh_token"]
        for stranger in strangers:
            if stranger is not owner:
                assert stranger.refresh(token).told == REFUSED
        assert owner.refresh(token).status == 200


# --- scope, resource, ID token ------------------------------------------------------------------


@spec("RFC 6749", "6")
def test_scope_only_narrows_and_the_successor_keeps_all_of_it(public):
    for name in ("read", "write", "admin"):
        public.application.scopes.create(name=name)
    token = public.tokens(scope="read write")["refresh_token"]

    narrowed = public.refresh(token, scope="write").json
    assert narrowed["scope"] == claims_of(narrowed["access_token"])["scope"] == "write"
    assert public.refresh(token, scope="read").json["scope"] == "read"
    whole = public.refresh(narrowed["refresh_token"]).json
    assert whole["scope"] == "read write"

    for wider in ("admin", "read admin", "Read", "openid", "offline_access"):
        answer = public.refresh(whole["refresh_token"], scope=wider)
        assert answer.told[:2] == (400, "invalid_scope")
        assert wider.split()[-1] in answer.told[2]
    assert public.refresh(whole["refresh_token"], scope="write read").json["scope"] == "write read"


@spec("RFC 8707", "2.2")
def test_resource_only_narrows_and_the_successor_keeps_all_of_them(public):
    token = public.tokens(resource=[ONE, TWO])["refresh_token"]

    one = public.refresh(token, resource=ONE).json
    assert claims_of(one["access_token"])["aud"] == ONE
    both = public.refresh(one["refresh_token"]).json
    assert claims_of(both["access_token"])["aud"] == [ONE, TWO]
    wider = public.refresh(both["refresh_token"], resource=[ONE, "https://api.example/3"])
    assert wider.told == (400, "invalid_target", "resource was not granted")


@spec("OpenID Connect Core", "12.2")
def test_the_id_token_keeps_who_and_when_and_is_newer(openid, clock):
    refreshing(openid)
    tokens = openid.tokens(scope="openid profile", nonce="n-0S6_WzA2Mj")
    before = claims_of(tokens["id_token"])
    clock.step(5)
    fresh = openid.refresh(tokens["refresh_token"]).json
    after = claims_of(fresh["id_token"])

    for name in ("iss", "sub", "aud", "azp", "auth_time", "sid"):
        assert after[name] == before[name]
    assert after["iat"] == before["iat"] + 5
    assert after["exp"] == before["exp"] + 5
    assert "nonce" not in after
    assert after["at_hash"] != before["at_hash"]
    assert "id_token" not in openid.refresh(fresh["refresh_token"], scope="profile").json


# --- lifetimes ----------------------------------------------------------------------------------


@spec("RFC 9700", "4.14.2")
def test_rotation_never_prolongs(public, clock):
    refreshing(public, refresh_token_lifetime=timedelta(days=1))
    token = public.tokens()["refresh_token"]
    for _ in range(23):
        clock.step(3600)
        token = public.refresh(token).json["refresh_token"]
    refreshing(public, refresh_token_lifetime=timedelta(days=300))
    clock.step(3599)
    token = public.refresh(token).json["refresh_token"]
    clock.step(1)

    assert public.refresh(token).told == REFUSED
    assert last_trace().failed_check == "refresh.lifetime"
    assert len(set(RefreshToken.objects.values_list("expires_at", flat=True))) == 1


@spec("RFC 6749", "1.5")
def test_the_last_refresh_still_gives_a_whole_access_token(public, clock):
    refreshing(public, refresh_token_lifetime=timedelta(hours=1))
    token = public.tokens()["refresh_token"]
    clock.step(3599)
    fresh = public.refresh(token).json
    clock.step(fresh["expires_in"] - 1)
    assert is_served(public, fresh["access_token"])
    clock.step(1)

    assert not is_served(public, fresh["access_token"])


@spec("RFC 6749", "1.5")
def test_a_grant_that_has_expired_is_not_refreshed_whatever_its_token_says(signed_in, clock):
    """Issue refresh tokens was ticked after the person had said yes."""
    code = signed_in.authorize().code
    refreshing(signed_in)
    token = signed_in.redeem(code).json["refresh_token"]
    clock.at = Grant.objects.get().expires_at

    assert signed_in.refresh(token).told == REFUSED
    assert last_trace().failed_check == "refresh.lifetime"


# --- how the client proves itself ---------------------------------------------------------------


@spec("RFC 6749", "6")
def test_what_was_issued_to_a_secret_is_not_refreshed_without_one(openid_with_secret, clock):
    journey = refreshing(openid_with_secret)
    token = journey.tokens()["refresh_token"]

    assert journey.refresh(token, client_secret=None).told == WRONG_CLIENT
    assert last_trace().failed_check == "refresh.client_authentication"
    named = journey.refresh(
        token, client_secret=None, client_id=None, headers=basic(journey.client_id, "")
    )
    assert named.told == (401, "invalid_client", "invalid client creds")
    assert named.response.headers["WWW-Authenticate"].startswith("Basic ")

    fresh = journey.refresh(token).json
    clock.step(11)
    assert journey.refresh(token, client_secret=None).told == WRONG_CLIENT
    assert is_served(journey, fresh["access_token"])


@spec("RFC 6749", "6")
def test_what_was_issued_to_a_challenge_is_refreshed_without_a_secret(openid_with_secret):
    journey = refreshing(openid_with_secret)
    journey.secret = None
    token = journey.tokens()["refresh_token"]

    answer = journey.refresh(token)
    assert answer.status == 200
    assert answer.json["refresh_token"] != token


@spec("RFC 6749", "6")
def test_a_secret_once_shown_is_asked_for_ever_after(openid_with_secret):
    journey = refreshing(openid_with_secret)
    token = journey.redeem(journey.authorize().code, client_secret=None).json["refresh_token"]

    proved = journey.refresh(token).json["refresh_token"]

    assert Grant.objects.get().client_authentication == ClientAuthentication.SECRET
    assert journey.refresh(proved, client_secret=None).told == WRONG_CLIENT
    assert journey.refresh(proved).status == 200


@spec("RFC 6749", "2.3.1")
def test_a_confidential_client_proves_itself_in_the_header_or_in_the_body(secretive):
    token = secretive.tokens()["refresh_token"]
    for changes in (
        {"client_secret": SECRET},
        {"client_secret": None, "headers": basic("robot", SECRET)},
        {"client_secret": None, "client_id": None, "headers": basic("robot", SECRET)},
    ):
        answer = secretive.refresh(token, **changes)
        assert answer.status == 200
        token = answer.json["refresh_token"]


@spec("RFC 6749", "5.2")
def test_a_failure_in_the_header_is_a_401_with_a_challenge(secretive):
    token = secretive.tokens()["refresh_token"]
    answer = secretive.refresh(
        token, client_id=None, client_secret=None, headers=basic("robot", "wrong" * 9)
    )

    assert answer.told == (401, "invalid_client", "invalid client creds")
    assert answer.response.headers["WWW-Authenticate"].startswith("Basic ")
    assert secretive.refresh(token).status == 200


# --- who may, at every refresh ------------------------------------------------------------------


def deactivate(journey: Journey, ada: Any) -> None:
    ada.is_active = False
    ada.save()


def leave_the_group(journey: Journey, ada: Any) -> None:
    ada.groups.clear()


def take_the_right(journey: Journey, ada: Any) -> None:
    Permission.objects.update(can_run=False)


def become_a_service_user(journey: Journey, ada: Any) -> None:
    make_service_user(ada)


def disable_the_application(journey: Journey, ada: Any) -> None:
    refreshing(journey, enabled=False)


def issue_none_any_more(journey: Journey, ada: Any) -> None:
    refreshing(journey, issues_refresh_tokens=False)


def remove_the_client(journey: Journey, ada: Any) -> None:
    refreshing(journey, client_ids=["somebody_else"])


def make_clients_confidential(journey: Journey, ada: Any) -> None:
    refreshing(journey, client_id_type="Confidential")


NOT_OFFERED = (400, "unauthorized_client", "grant refresh_token is not offered")


@spec("RFC 6749", "6")
@pytest.mark.parametrize(
    ("happening", "refusal"),
    [
        (deactivate, DENIED),
        (leave_the_group, DENIED),
        (take_the_right, DENIED),
        (become_a_service_user, DENIED),
        (disable_the_application, DENIED),
        (issue_none_any_more, NOT_OFFERED),
        (remove_the_client, WRONG_CLIENT),
        (make_clients_confidential, WRONG_CLIENT),
    ],
)
def test_what_is_lost_stops_the_refresh_and_spends_nothing(
    clock, ada, happening: Callable[[Journey, Any], None], refusal
):
    app = make_application(everybody=False, issues_refresh_tokens=True)
    group = Group.objects.create(name="makers")
    Permission.objects.create(application=app, principal=Principal.GROUP, group=group)
    ada.groups.add(group)
    journey = Journey(app).log_in(ada)
    token = journey.tokens()["refresh_token"]

    happening(journey, ada)

    assert journey.refresh(token).told == refusal
    assert RefreshToken.objects.get().used_at is None
    assert Grant.objects.get().revoked_at is None


@spec("RFC 6749", "6")
def test_what_was_lost_and_found_again_lets_the_same_token_go_on(public, ada):
    token = public.tokens()["refresh_token"]
    for active in (False, True):
        ada.is_active = active
        ada.save()
        assert (public.refresh(token).status == 200) == active


@spec("RFC 6749", "6")
def test_a_secret_that_is_required_later_is_asked_for(openid_with_secret):
    journey = refreshing(openid_with_secret)
    token = journey.redeem(journey.authorize().code, client_secret=None).json["refresh_token"]
    refreshing(journey, require_client_secret=True)

    assert journey.refresh(token, client_secret=None).told == WRONG_CLIENT
    assert RefreshToken.objects.get().used_at is None
    assert journey.refresh(token).status == 200


@spec("RFC 6749", "6")
def test_a_deleted_user_leaves_nothing_that_can_be_refreshed(public, ada):
    token = public.tokens()["refresh_token"]
    ada.delete()

    assert public.refresh(token).told == REFUSED


# --- when something breaks ----------------------------------------------------------------------


class Breakdown(Exception):
    """A worker that is killed."""


def break_down(*args: Any, **kwargs: Any) -> Any:
    raise Breakdown


def test_a_worker_that_dies_before_it_has_signed_leaves_the_token_unspent(public, monkeypatch):
    token = public.tokens()["refresh_token"]
    with monkeypatch.context() as broken:
        broken.setattr(issuing, "issue", break_down)
        with pytest.raises(Breakdown):
            public.refresh(token)

    assert RefreshToken.objects.get().used_at is None
    assert public.refresh(token).status == 200


def test_a_worker_that_dies_before_it_has_answered_gives_the_same_successor_to_the_retry(
    public, monkeypatch, clock
):
    from oidc_pkce.endpoints import token as endpoint

    token = public.tokens()["refresh_token"]
    with monkeypatch.context() as broken:
        broken.setattr(endpoint, "JsonResponse", break_down)
        with pytest.raises(Breakdown):
            public.refresh(token)
    (spent,) = RefreshToken.objects.exclude(used_at=None)
    (stored,) = RefreshToken.objects.filter(used_at=None)
    clock.step(9)

    answer: Answer = public.refresh(token)

    assert bytes(spent.digest) == digest(token)
    assert bytes(stored.digest) == digest(answer.json["refresh_token"])
    assert RefreshToken.objects.count() == 2
