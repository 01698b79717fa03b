"""Subjects, over HTTP: who a person is to one application, to another, and for how long."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import Application, Grant, Subject
from tests.journeys import SECRET, Browser, Journey, claims_of, give_secret, make_application
from tests.spec import spec

FLOWS = ["AuthorizationCode", "ClientCreds", "ResourceCreds", "Implicit"]


def portal(name: str, user: Any, **fields: Any) -> Journey:
    """A browser before a new OpenID Connect application, the user signed in."""
    made = make_application(
        template="Generic OpenID Connect",
        application_id=name,
        name=name,
        client_id_type="Confidential",
        client_ids=[],
        openid_client_id=f"{name}-client",
        **fields,
    )
    return Journey(made, client_id=made.openid_client_id).log_in(user)


def pairwise(name: str, user: Any, **fields: Any) -> Journey:
    return portal(name, user, subject_type="pairwise", **fields)


def subject(journey: Journey, **changes: Any) -> str:
    return str(claims_of(journey.tokens(scope="openid", **changes)["id_token"])["sub"])


@spec("OpenID Connect Core", "8.1")
def test_two_pairwise_applications_cannot_find_out_that_they_mean_one_person(ada):
    one, two = pairwise("one", ada), pairwise("two", ada)

    assert subject(one) != subject(two)
    stored = str(Subject.objects.get(user=ada).identifier)
    assert stored not in {subject(one), subject(two)}
    assert one.application.subject_salt != two.application.subject_salt


@spec("OpenID Connect Core", "8")
def test_public_applications_know_a_person_by_one_subject(ada, bob):
    one, two = portal("one", ada), portal("two", ada)

    assert subject(one) == subject(two) == str(Subject.objects.get(user=ada).identifier)
    assert subject(Journey(one.application, client_id=one.client_id).log_in(bob)) != subject(one)


@spec("OpenID Connect Core", "2")
@pytest.mark.parametrize("make", [portal, pairwise])
def test_a_subject_stays_whatever_changes_about_the_person(ada, make):
    journey = make("one", ada)
    before = subject(journey)

    users = get_user_model().objects.filter(pk=ada.pk)
    users.update(username="countess", email="new@example.com", last_name="King")
    elsewhere = Journey(journey.application, client_id=journey.client_id)
    elsewhere.log_in(users.get())
    Application.objects.update(name="Renamed", redirect_uris=[journey.redirect_uri])

    assert subject(journey) == subject(elsewhere) == before


@spec("OpenID Connect Core", "2")
@pytest.mark.parametrize("make", [portal, pairwise])
def test_a_subject_reveals_nothing(ada, make):
    told = subject(make("one", ada))

    assert uuid.UUID(told).version == 4
    assert not {str(ada.pk), "ada"} & set(told.split("-"))


@spec("OpenID Connect Core", "5.3.2")
@spec("OpenID Connect Core", "8.1")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_every_place_says_the_same_pairwise_subject(ada, token_type):
    journey = pairwise("one", ada, token_type=token_type, flows=FLOWS, issues_refresh_tokens=True)
    give_secret(journey.application)
    journey.secret = SECRET
    proof = {"client_id": journey.client_id, "client_secret": SECRET}
    tokens = journey.tokens(scope="openid")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **proof}
    again = journey.post("Token", form).json
    front = journey.authorize(scope="openid", response_type="code id_token token", nonce="n").query
    ropc = {"grant_type": "password", "username": "ada", "scope": "openid", **proof}
    own = journey.post("Token", {**ropc, "password": "correct horse battery staple"}).json

    said = {claims_of(each["id_token"])["sub"] for each in (tokens, again, front, own)}
    for each in (tokens, again, front, own):
        token = each["access_token"]
        if token_type != "Opaque":
            said.add(claims_of(token)["sub"])
        said.add(journey.userinfo(token).json["sub"])
        said.add(journey.post("Introspect", {"token": token, **proof}).json["sub"])
    said |= {grant.subject for grant in Grant.objects.all()}

    assert len(said) == 1


@spec("OpenID Connect Core", "3.1.2.1")
def test_a_hint_names_the_person_by_the_applications_own_subject(ada, bob):
    journey = pairwise("one", ada)
    hint = journey.tokens(scope="openid")["id_token"]
    stranger = Journey(journey.application, client_id=journey.client_id).log_in(bob)

    asked = {"scope": "openid", "prompt": "none", "id_token_hint": hint}
    assert journey.authorize(**asked).code
    assert stranger.authorize(**asked).error == "login_required"


@spec("OpenID Connect Core", "8.1")
def test_a_service_user_is_pairwise_too(robot):
    names = {}
    for kind in ("pairwise", "public"):
        fields = {"client_id_type": "Confidential", "client_ids": [], "flows": ["ClientCreds"]}
        app = make_application(application_id=kind, subject_type=kind, **fields)
        client = Journey(app, client_id="robot", secret=SECRET)
        form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": SECRET}
        token = client.post("Token", form).json["access_token"]
        names[kind] = claims_of(token)["sub"]
        assert client.userinfo(token).json["sub"] == names[kind]

    assert names["public"] == str(Subject.objects.get(user=robot.user).identifier)
    assert names["pairwise"] != names["public"]


@spec("OpenID Connect Discovery", "3")
def test_the_metadata_says_which_kind_an_application_has(ada):
    for make, kind in ((portal, "public"), (pairwise, "pairwise")):
        journey = make(kind, ada)
        path = f"/{journey.application.application_id}/.well-known/openid-configuration"
        assert Browser().get(path).json()["subject_types_supported"] == [kind]


@spec("OpenID Connect Core", "8.1")
def test_the_salt_never_leaves(ada, client):
    journey = pairwise("one", ada)
    salt = journey.application.subject_salt
    tokens = journey.tokens(scope="openid")

    for token in (tokens["access_token"], tokens["id_token"]):
        assert salt not in str(claims_of(token))
    assert salt not in repr(journey.application.facts())
