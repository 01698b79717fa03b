"""The page Account Mapping: under which name an application knows people."""

from __future__ import annotations

import re
from typing import Any

import pytest

from oidc_pkce.claims import ClaimsProvider
from oidc_pkce.models import Application, AuditEvent, Permission, Principal
from tests.fixtures import make_user
from tests.journeys import Journey, claims_of
from tests.portal.conftest import INLINE, Portal

FIXED = {"user_name_strategy": "Fixed"}


def path_of(application: Application) -> str:
    return f"application/{application.pk}/account-mapping/"


def options(page: str) -> list[str]:
    return re.findall(r'<option value="([^"]*)"', page)


def viewer(application: Application, **rights: bool) -> Portal:
    """Somebody of the staff with a row of Permissions, and nothing else."""
    user = make_user("vera", is_staff=True)
    Permission.objects.create(
        application=application, principal=Principal.USER, user=user, can_view=True, **rights
    )
    return Portal(user)


def test_one_name_for_everybody_is_what_the_next_token_holds(portal, signed_in):
    page = portal.save(path_of(signed_in.application), **FIXED, shared_user_name="reader")

    assert "errornote" not in page
    assert "Everybody is “reader” to this application now." in page
    token = signed_in.tokens()["access_token"]
    assert claims_of(token)["unique_name"] == "reader"
    assert signed_in.userinfo(token).json["unique_name"] == "reader"


def test_a_claim_is_chosen_from_those_that_can_be_a_name(portal, signed_in):
    page = portal.text(path_of(signed_in.application))

    assert options(page) == ["preferred_username", "name", "given_name", "family_name", "email"]
    assert "Login name (preferred_username)" in page
    portal.save(path_of(signed_in.application), user_name_claim="email")
    assert claims_of(signed_in.tokens()["access_token"])["unique_name"] == "ada@example.com"


def test_the_shared_name_is_asked_for_beside_its_field_and_nothing_is_saved(portal, list_app):
    page = portal.save(path_of(list_app), **FIXED, shared_user_name=" ")

    assert "Write the name that all users share" in page
    assert 'aria-invalid="true"' in page
    assert Application.objects.get().user_name_strategy == "ADAttribute"
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "claim", ["password", "is_superuser", "sub", "email_verified", "", "x" * 65]
)
def test_what_is_no_claim_is_refused(portal, list_app, claim):
    page = portal.save(path_of(list_app), user_name_claim=claim)

    assert "errornote" in page
    assert Application.objects.get().user_name_claim == "preferred_username"


def test_the_page_says_who_the_administrator_is_to_the_application(portal, list_app):
    assert "you are <strong>robin</strong>" in portal.text(path_of(list_app))

    Application.objects.update(**FIXED, shared_user_name="<b>reader</b>")
    shown = portal.get(path_of(list_app)).content.decode()
    assert "you are <strong>&lt;b&gt;reader&lt;/b&gt;</strong>" in shown
    assert not INLINE.search(shown)


class Few(ClaimsProvider):
    """A host that knows fewer claims than it did, and one of its own."""

    def supported(self) -> tuple[str, ...]:
        return ("name", "staff_number", "address", "updated_at", "iss")


def test_the_claims_are_those_of_the_host(portal, list_app, settings):
    Application.objects.update(user_name_claim="email")
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "CLAIMS_PROVIDER": f"{__name__}.Few"}

    page = portal.text(path_of(list_app))

    assert options(page) == ["preferred_username", "name", "staff_number", "email"]
    assert "email (no longer known)" in page
    assert "is no claim that can be a name here" in portal.save(path_of(list_app))


def test_a_change_is_audited_with_before_and_after(portal, list_app):
    portal.save(path_of(list_app), user_name_claim="email")

    event = AuditEvent.objects.get()
    assert event.actor_name == "robin"
    changed = {"before": "preferred_username", "after": "email"}
    assert event.details["changes"] == {"user_name_claim": changed}


def test_the_second_of_two_administrators_is_told(portal, second, list_app):
    sent = {**second.fields(path_of(list_app)), "user_name_claim": "name"}
    portal.save(path_of(list_app), user_name_claim="email")

    page = second.post(path_of(list_app), sent).content.decode()

    assert "robin changed this application" in page
    assert Application.objects.get().user_name_claim == "email"


def test_who_may_only_see_it_sees_no_save_and_cannot_post(list_app):
    kim = viewer(list_app)

    page = kim.text(path_of(list_app))

    assert 'value="Save"' not in page
    assert re.search(r"<select[^>]* disabled", page)
    answer = kim.browser.post(f"/admin/oidc_pkce/{path_of(list_app)}", {"user_name_claim": "email"})
    assert answer.status_code == 403
    assert Application.objects.get().user_name_claim == "preferred_username"


@pytest.mark.parametrize("page", ["account-mapping", "policy"])
def test_who_may_not_see_the_application_finds_nothing(list_app, page):
    Permission.objects.all().delete()
    stranger = Portal(make_user("stella", is_staff=True))
    path = f"/admin/oidc_pkce/application/{list_app.pk}/{page}/"

    assert stranger.browser.get(path).status_code == 404
    assert stranger.browser.post(path, {}).status_code == 404


@pytest.mark.parametrize("page", ["account-mapping", "policy"])
def test_the_page_costs_few_statements(portal, list_app, page, django_assert_max_num_queries):
    for number in range(30):
        list_app.scopes.create(name=f"scope{number}")
    portal.get(f"application/{list_app.pk}/{page}/")

    with django_assert_max_num_queries(12):
        portal.get(f"application/{list_app.pk}/{page}/")


def test_every_type_of_application_has_the_page(portal, list_app, openid_app):
    for application in (list_app, openid_app):
        assert "Directory Service Field" in portal.text(path_of(application))


def test_a_manager_of_this_application_may_save(signed_in: Journey, ada: Any):
    manager = viewer(signed_in.application, can_manage=True)

    manager.save(path_of(signed_in.application), user_name_claim="name")

    assert claims_of(signed_in.tokens()["access_token"])["unique_name"] == "Ada Lovelace"
