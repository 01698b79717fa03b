"""A clone differs only in identifiers and secrets; a creator owns; a wish for an ID is met."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from oidc_pkce.flows.webapps import Actor, Changes, LogoChange, clone, free_application_id, update
from oidc_pkce.flows.webapps.changes import FIELDS, snapshot
from oidc_pkce.models import Application, AuditEvent, Permission, Principal, Right
from tests.fixtures import make_user
from tests.journeys import give_secret, make_application

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n and whatever follows"
IDENTIFIERS = {"application_id", "name", "openid_client_id"}
#: A value for each kind of column that no default has.
UNUSUAL: dict[str, Any] = {
    "access_token_lifetime": timedelta(minutes=7),
    "refresh_token_lifetime": timedelta(days=7),
    "sign_in_max_age": timedelta(hours=7),
    "client_jwks": {},
    "access_token_typ": "JWT",
    "required_acr": "aal2",
    "allowed_networks": ["10.0.0.0/8"],
    "user_name_strategy": "Fixed",
    "shared_user_name": "everyone",
    "subject_type": "pairwise",
    "post_logout_redirect_uris": ["https://a.example/"],
    "backchannel_logout_uri": "https://a.example/back",
    "trusted_origins": ["https://b.example"],
}


@pytest.fixture
def robin(db: None) -> Any:
    return make_user("robin", is_superuser=True)


@pytest.fixture
def source(openid_app: Application, ada: Any) -> Application:
    booleans = {
        column.name: not getattr(openid_app, column.name)
        for column in Application._meta.concrete_fields
        if column.get_internal_type() == "BooleanField"
    }
    for name, value in {**UNUSUAL, **booleans}.items():
        setattr(openid_app, name, value)
    openid_app.save()
    openid_app.scopes.create(name="b", description="second", rest_patterns=["b/.*"])
    openid_app.scopes.create(name="a")
    Permission.objects.create(
        application=openid_app, principal=Principal.USER, user=ada, can_manage=True
    )
    give_secret(openid_app)
    update(openid_app, Changes(logo=LogoChange(PNG)), actor=Actor(), now=NOW)
    return Application.objects.get()


def test_a_clone_differs_only_in_identifiers_and_secrets(source, robin):
    made = clone(source, application_id="second", name="Second", user=robin, now=NOW)

    before, after = snapshot(source), snapshot(Application.objects.get(pk=made.pk))
    assert {name for name in before if before[name] != after[name]} == IDENTIFIERS
    assert set(FIELDS) <= set(before)
    assert made.subject_salt != source.subject_salt
    assert (made.version, made.client_secrets.count()) == (1, 0)
    assert bytes(made.logo.content) == PNG


def test_a_clone_is_audited_as_created(source, robin):
    AuditEvent.objects.all().delete()

    clone(source, application_id="second", name="Second", user=robin, now=NOW)

    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name) == ("application.created", "robin")
    assert event.details["changes"]["name"] == {"before": None, "after": "Second"}


@pytest.mark.parametrize(
    ("issuer", "cloned"),
    [
        ("https://id.example.com/my_app/", ""),
        ("https://tenant.example.com/my_app/", "https://tenant.example.com/my_app/"),
    ],
)
def test_a_clone_does_not_speak_in_the_name_of_its_source(robin, issuer, cloned):
    source = make_application(issuer=issuer)

    made = clone(source, application_id="second", name="Second", user=robin, now=NOW)

    assert made.issuer == cloned


def test_a_clone_of_a_taken_name_is_refused_whole(list_app, robin):
    with pytest.raises(ValidationError, match="Another application"):
        clone(list_app, application_id="MY_APP", name="Second", user=robin, now=NOW)

    assert Application.objects.count() == 1


def test_a_creators_row_keeps_what_it_gave_before(list_app, ada):
    Permission.objects.create(
        application=list_app, principal=Principal.USER, user=ada, can_run=True, is_deployed=False
    )

    made = clone(list_app, application_id="second", name="Second", user=ada, now=NOW)

    row = made.permissions.get(principal=Principal.USER)
    assert {right for right in Right if getattr(row, right.value)} == set(Right) - {Right.DEPLOY}


@pytest.mark.parametrize(
    ("taken", "wish", "free"),
    [
        ([], "app", "app"),
        (["app"], "app", "app-2"),
        (["APP", "app-2", "app-3"], "App", "App-4"),
        (["app-2"], "app", "app"),
        (["a" * 64], "a" * 64, "a" * 58 + "-2"),
        ([], "a" * 69, "a" * 58 + "-2"),
    ],
)
def test_a_suggested_application_id_is_free(db, taken, wish, free):
    for name in taken:
        make_application(application_id=name)

    assert free_application_id(wish) == free
