"""Who manages one application takes the name of no other; all of them share their keys."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from oidc_pkce.flows import webapps
from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.webapps import Changes
from oidc_pkce.models import Application, Right
from tests.journeys import make_application
from tests.portal.administrators import give, hide, staff

ISSUER = "https://tenant.example.com/portal/"


@pytest.fixture
def other(db: None) -> Application:
    made = make_application(application_id="portal", issuer=ISSUER)
    hide(made)
    return made


@pytest.fixture
def manager(list_app, other):
    hide(list_app)
    return give(staff("kim"), list_app, Right.VIEW, Right.MANAGE).user


def change(user, application, **fields):
    actor = Actor.of(user) if user else Actor(name="command")
    return webapps.update(application, Changes(fields), actor=actor, now=timezone.now())


@pytest.mark.parametrize("issuer", [ISSUER, ISSUER.upper().replace("HTTPS", "https")])
def test_a_manager_takes_no_issuer_of_an_application_that_is_not_theirs(manager, list_app, issuer):
    with pytest.raises(ValidationError) as refused:
        change(manager, list_app, issuer=issuer)

    assert list(refused.value.error_dict) == ["issuer"]
    assert Application.objects.get(pk=list_app.pk).issuer == ""


def test_whoever_manages_both_lets_them_share(manager, list_app, other):
    robin = staff("robin")
    give(robin, list_app, Right.MANAGE)
    give(robin, other, Right.MANAGE)

    assert change(robin.user, list_app, issuer=ISSUER).issuer == ISSUER


def test_a_shared_issuer_stands_in_the_way_of_no_other_change(manager, list_app):
    Application.objects.filter(pk=list_app.pk).update(issuer=ISSUER)

    assert change(manager, list_app, name="New").name == "New"


def test_a_command_may_share_an_issuer(list_app, other):
    assert change(None, list_app, issuer=ISSUER).issuer == ISSUER


def test_an_import_is_refused_the_same(manager, list_app):
    document = {"ServiceName": "my_app", "OAuthProfile": {"Issuer": ISSUER}}

    report = webapps.import_documents(
        json.dumps(document), actor=Actor.of(manager), now=timezone.now(), user=manager
    )

    assert [str(error) for error in report.errors] == [
        "OAuthProfile.Issuer: Another application, which you do not manage, has this issuer."
    ]


@pytest.mark.parametrize(
    "trust",
    [
        {"MANAGEMENT_API": {"APPLICATIONS": ["Operations"]}},
        {"RESOURCE_SERVER": {"APPLICATIONS": ["Operations"]}},
    ],
    ids=["management", "resource-server"],
)
def test_a_name_that_the_project_trusts_is_not_for_any_manager(manager, list_app, settings, trust):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, **trust}

    with pytest.raises(ValidationError) as refused:
        change(manager, list_app, application_id="operations")
    assert list(refused.value.error_dict) == ["application_id"]
    assert change(None, list_app, application_id="operations").application_id == "operations"
    assert change(manager, Application.objects.get(pk=list_app.pk), name="New").name == "New"


def test_whoever_may_only_add_takes_no_trusted_name(db, settings):
    settings.OIDC_PKCE = {
        **settings.OIDC_PKCE,
        "MANAGEMENT_API": {"APPLICATIONS": ["operations"]},
    }
    user = staff("kim", "add_application").user
    fields = {"template": "OAuth2Server", "application_id": "operations", "name": "Operations"}

    with pytest.raises(ValidationError):
        webapps.create(Changes(fields), actor=Actor.of(user), now=timezone.now())


def test_whoever_may_only_look_clones_no_issuer(other):
    looking = give(staff("kim", "add_application"), other, Right.VIEW)

    answer = looking.post(
        f"application/{other.pk}/clone/", {"application_id": "portal-copy", "name": "Portal"}
    )

    assert "which you do not manage, has this issuer" in answer.content.decode()
    assert not Application.objects.named("portal-copy").exists()


def test_whoever_manages_an_application_clones_its_issuer(other):
    managing = give(staff("kim", "add_application"), other, Right.MANAGE)

    managing.post(
        f"application/{other.pk}/clone/", {"application_id": "portal-copy", "name": "Portal"}
    )

    assert Application.objects.named("portal-copy").get().issuer == ISSUER
