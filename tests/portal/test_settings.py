"""The Settings page: name, Application ID, category, addresses."""

from __future__ import annotations

import pytest

from oidc_pkce.models import Application, AuditEvent
from oidc_pkce.portal.settings import MOST_CATEGORIES
from tests.fixtures import make_user
from tests.journeys import make_application
from tests.portal.conftest import Portal


def settings_of(application: Application) -> str:
    return f"application/{application.pk}/change/"


def test_settings_are_saved_and_audited_field_by_field(portal, list_app):
    portal.save(
        settings_of(list_app),
        name="Field Notes",
        description="Keeps notes.",
        category="Outdoors",
        show_in_user_app_list="on",
    )

    stored = Application.objects.get()
    assert (stored.name, stored.description, stored.category) == (
        "Field Notes",
        "Keeps notes.",
        "Outdoors",
    )
    assert (stored.show_in_user_app_list, stored.version) == (True, 2)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name) == ("application.updated", "robin")
    assert event.details["changes"]["name"] == {"before": "My App", "after": "Field Notes"}
    assert set(event.details["changes"]) == {
        "name",
        "description",
        "category",
        "show_in_user_app_list",
    }


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("application_id", "my app", "no spaces"),
        ("application_id", "", "This field is required"),
        ("application_id", "OAUTH2", "stand for something else"),
        ("application_id", "x" * 65, "at most 64 characters"),
        ("application_id", "TAKEN", "Another application has this Application ID"),
        ("name", "My \u202eppA", "control character"),
        ("name", " ", "This field is required"),
        ("category", "", "This field is required"),
        ("description", "x" * 2001, "at most 2000 characters"),
    ],
)
def test_a_mistake_is_named_beside_its_field_and_nothing_is_saved(
    portal, list_app, field, value, sentence
):
    make_application(application_id="taken")

    page = portal.save(settings_of(list_app), **{"category": "New", field: value})

    assert sentence in page
    assert f'aria-describedby="id_{field}' in page
    assert Application.objects.get(pk=list_app.pk).version == 1


def test_the_page_says_what_another_application_id_costs(portal, list_app):
    assert "Whoever changes it changes all of them" in portal.text(settings_of(list_app))

    page = portal.save(settings_of(list_app), application_id="renamed")

    assert "The Application ID was my_app and is renamed" in page
    assert "https://id.example.com/OAuth2/Token/renamed" in page


def test_nothing_is_said_of_addresses_when_the_application_id_stays(portal, list_app):
    assert "every address has changed" not in portal.save(settings_of(list_app), name="Renamed")


@pytest.mark.parametrize(
    "address",
    [
        "https://id.example.com/portal/",
        "https://id.example.com/portal/.well-known/openid-configuration",
        "https://id.example.com/OAuth2/Authorize/portal",
        "https://id.example.com/OAuth2/Token/portal",
        "https://id.example.com/OAuth2/Keys/portal",
    ],
)
def test_the_addresses_are_there_to_be_copied(portal, openid_app, address):
    page = portal.text(settings_of(openid_app))

    assert f">{address}</code>" in page
    assert 'data-copy="Copy"' in page


def test_the_categories_in_use_are_offered_and_others_can_be_written(portal, list_app):
    make_application(application_id="other", category="Outdoors")

    page = portal.text(settings_of(list_app))

    assert 'list="oidc-categories"' in page
    assert page.count('<option value="Outdoors">') == 1
    portal.save(settings_of(list_app), category="Brand new")
    assert Application.objects.get(pk=list_app.pk).category == "Brand new"


def test_categories_of_applications_that_somebody_may_not_see_stay_untold(list_app):
    make_application(application_id="secret", category="Secret project", everybody=False)
    list_app.permissions.update(can_view=True, can_manage=True)

    page = Portal(make_user("sam", is_staff=True)).text(settings_of(list_app))

    assert "oidc-categories" in page
    assert "Secret project" not in page


def test_the_categories_offered_are_bounded(portal, list_app):
    Application.objects.bulk_create(
        Application(application_id=f"a{n}", name="A", template="OAuth2Server", category=f"C{n:03}")
        for n in range(MOST_CATEGORIES + 20)
    )

    page = portal.text(settings_of(list_app))

    assert page.count('<option value="C') == MOST_CATEGORIES


def test_whether_an_application_is_enabled_is_not_saved_here(portal, list_app):
    portal.save(settings_of(list_app), name="Renamed", enabled="")

    assert Application.objects.get().enabled
