"""Who can use this? The answer of the Permissions page, and why not."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from oidc_pkce.flows import who_can_use
from oidc_pkce.models import Application, Permission, Right
from oidc_pkce.portal.permissions import REFUSALS
from oidc_pkce.protocol.access import Access
from tests.fixtures import make_user
from tests.journeys import Journey, make_service_user
from tests.portal.permission_rows import give, page_of


def test_who_can_use_this_says_yes_and_through_which_rows(portal, bare, ada):
    editors = Group.objects.create(name="Editors")
    ada.groups.add(editors)
    give(bare, editors, Right.RUN, Right.DEPLOY)
    give(bare, ada, Right.VIEW)

    answer = portal.text(page_of(bare), who="ada").partition('id="who"')[2]

    assert "<strong>ada</strong> can use this application" in answer
    assert "Run, Automatically Deploy" in answer
    assert '<th scope="row">Editors</th>' in answer
    assert "In this administration: View" in answer
    assert "not staff" in answer


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        ("inactive", "the user is not active"),
        ("disabled", "the application is disabled"),
        ("no row", "no row of Permissions gives the user the Run right"),
    ],
)
def test_who_can_use_this_says_why_not(portal, list_app, ada, arrange, reason):
    if arrange == "inactive":
        get_user_model().objects.filter(pk=ada.pk).update(is_active=False)
    elif arrange == "disabled":
        Application.objects.update(enabled=False)
    else:
        Permission.objects.all().delete()

    answer = portal.text(page_of(list_app), who="ada")

    assert f"<strong>ada</strong> cannot use this application: {reason}." in answer


@pytest.mark.parametrize("who", ["nobody", "ADA", "<b>"])
def test_who_can_use_this_compares_login_names_exactly(portal, list_app, ada, who):
    assert f"There is no user “{who}”" in portal.text(page_of(list_app), who=who)


def test_a_service_user_is_judged_as_a_client(portal, list_app):
    make_service_user(make_user("robot"))

    answer = portal.text(page_of(list_app), who="robot")

    assert "can use this application as a client" in answer


def test_a_superuser_without_a_row_cannot_use_but_administers(portal, bare):
    answer = portal.text(page_of(bare), who="robin")

    assert "no row of Permissions gives the user the Run right" in answer
    assert "In this administration: Grant, View, Manage, Delete" in answer
    assert "on every application" in answer


def test_conditions_of_the_policy_are_mentioned(portal, list_app, ada):
    Application.objects.update(allowed_networks=["10.0.0.0/8"])

    assert "The Policy page sets conditions" in portal.text(page_of(list_app), who="ada")


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("row", ["user", "group", "everybody", None])
def test_the_answer_is_the_one_of_the_wire(bare, ada, active, row):
    if row == "group":
        group = Group.objects.create(name="Editors")
        ada.groups.add(group)
        give(bare, group, Right.RUN)
    elif row == "user":
        give(bare, ada, Right.RUN)
    elif row == "everybody":
        Permission.objects.create(application=bare, principal="everybody")
    journey = Journey(bare).log_in(ada)
    get_user_model().objects.filter(pk=ada.pk).update(is_active=active)

    reach = who_can_use.who_can_use(bare, "ada")

    assert reach is not None
    assert (reach.refusal is None) == (bool(row) and active)
    assert bool(journey.authorize().query.get("code")) == (reach.refusal is None)


@pytest.mark.parametrize("enabled", [True, False])
def test_every_refusal_can_be_translated(enabled):
    facts: Any = Application(enabled=enabled)
    every = [Access(*bits) for bits in product((True, False), repeat=4)]

    assert {access.refusal(facts) for access in every} - {None} <= set(REFUSALS)
