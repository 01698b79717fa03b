"""The Actions menu of an application: clone, export, enable, disable, delete, and two lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.test import Client as Browser

from oidc_pkce.models import Application, AuditEvent, Grant, Permission, Right
from tests.journeys import make_application
from tests.portal.administrators import give, hide, staff
from tests.portal.conftest import INLINE

ROOT = "/admin/oidc_pkce/"
PAGES = ("clone", "disable", "delete")


def at(application: Application, name: str) -> str:
    return f"application/{application.pk}/{name}/"


def test_the_menu_offers_everything_to_a_superuser(portal, list_app):
    page = portal.text(at(list_app, "change"))

    for name in ("clone", "export", "disable", "delete"):
        assert f'href="{ROOT}{at(list_app, name)}"' in page
    assert f'href="{ROOT}{at(list_app, "enable")}"' not in page
    for name in ("grant", "requesttrace"):
        assert f"{ROOT}{name}/?application__id__exact={list_app.pk}" in page


@pytest.mark.parametrize(
    ("held", "offered"),
    [
        ((Right.VIEW,), {"export"}),
        ((Right.MANAGE,), {"export", "disable"}),
        ((Right.DELETE,), {"export", "delete"}),
        ((Right.GRANT,), {"export"}),
    ],
)
def test_the_menu_offers_what_is_permitted(list_app, held, offered):
    sam = give(staff("sam"), list_app, *held)

    page = sam.text(at(list_app, "change"))

    found = {n for n in ("clone", "export", "disable", "delete") if ROOT + at(list_app, n) in page}
    assert found == offered


def test_the_menu_leads_to_no_list_that_would_refuse(list_app):
    sam = give(staff("sam"), list_app, Right.VIEW)

    page = sam.text(at(list_app, "change"))

    assert "application__id__exact" not in page


@pytest.mark.parametrize("name", ["clone", "export", "enable", "disable", "delete", "history"])
def test_whoever_may_not_see_it_finds_nothing(list_app, openid_app, name):
    hide(list_app, openid_app)
    sam = give(staff("sam", "add_application"), openid_app, Right.DELETE, Right.MANAGE)

    for method in (sam.browser.get, sam.browser.post):
        assert method(f"{ROOT}{at(list_app, name)}").status_code == 404
    assert Application.objects.count() == 2


@pytest.mark.parametrize("name", PAGES)
def test_whoever_only_sees_it_is_refused(list_app, name):
    sam = give(staff("sam"), list_app, Right.VIEW)

    for method in (sam.browser.get, sam.browser.post):
        answer = method(f"{ROOT}{at(list_app, name)}", {"application_id": "x", "name": "X"})
        assert answer.status_code == 403
    assert Application.objects.get().enabled


def test_manage_does_not_delete(list_app):
    sam = give(staff("sam", "add_application"), list_app, Right.MANAGE, Right.GRANT)

    answer = sam.browser.post(f"{ROOT}{at(list_app, 'delete')}")

    assert answer.status_code == 403
    assert Application.objects.exists()


@pytest.mark.parametrize("name", PAGES)
def test_looking_changes_nothing_and_posting_needs_the_token(portal, list_app, name):
    portal.get(at(list_app, name))
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)

    assert strict.post(f"{ROOT}{at(list_app, name)}").status_code == 403
    assert Application.objects.get().enabled
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("name", PAGES)
def test_questions_hold_no_inline_script_and_show_names_as_text(portal, name):
    made = make_application(name="<script>alert(1)</script>")

    page = portal.get(at(made, name)).content.decode()

    assert "<script>alert" not in page
    assert not INLINE.search(page), INLINE.search(page)


def test_an_application_is_disabled_and_enabled(portal, list_app):
    page = portal.post(at(list_app, "disable"), {}).content.decode()

    assert "serves nobody" in page
    assert not Application.objects.get().enabled
    assert AuditEvent.objects.get().details["changes"] == {
        "enabled": {"before": True, "after": False}
    }

    portal.post(at(list_app, "disable"), {})  # twice is once
    assert AuditEvent.objects.count() == 1

    portal.post(at(list_app, "enable"), {})
    assert Application.objects.get().enabled


def test_a_clone_has_the_name_that_was_asked_for(portal, list_app):
    fields = portal.fields(at(list_app, "clone"))
    assert (fields["application_id"], fields["name"]) == ("my_app-copy", "My App (copy)")

    answer = portal.post(at(list_app, "clone"), {"application_id": "second", "name": "Second"})

    made = Application.objects.get(application_id="second")
    assert answer.redirect_chain[-1][0].endswith(at(made, "change"))
    assert made.client_ids == list_app.client_ids
    assert AuditEvent.objects.get().action == "application.created"


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"application_id": "MY_APP", "name": "X"}, "Another application has this Application ID."),
        ({"application_id": "two words", "name": "X"}, "no spaces"),
        ({"application_id": "x", "name": ""}, "This field is required."),
        ({"application_id": "x", "name": "My \u202eppA"}, "control character"),
    ],
)
def test_a_mistake_in_a_clone_stands_beside_its_field(portal, list_app, sent, sentence):
    page = portal.post(at(list_app, "clone"), sent).content.decode()

    assert sentence in page
    assert "errorlist" in page
    assert Application.objects.count() == 1


def test_whoever_clones_owns_the_clone(list_app):
    sam = give(staff("sam", "add_application"), list_app, Right.VIEW)

    sam.post(at(list_app, "clone"), {"application_id": "second", "name": "Second"})

    row = Permission.objects.get(application__application_id="second", user=sam.user)
    owned = (row.can_grant, row.can_view, row.can_manage, row.can_delete, row.can_run)
    assert owned == (True, True, True, True, False)
    assert not Permission.objects.get(application=list_app, user=sam.user).can_manage


def test_an_export_is_what_the_importer_reads_and_changes_nothing(portal, openid_app):
    answer = portal.get(at(openid_app, "export"))

    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="portal.json"'
    assert "no-store" in answer["Cache-Control"]
    assert [one["ServiceName"] for one in json.loads(answer.content)] == ["portal"]
    assert portal.browser.post(f"{ROOT}{at(openid_app, 'export')}").status_code == 405
    assert not AuditEvent.objects.exists()


def test_deleting_counts_what_goes_along(portal, signed_in):
    signed_in.tokens()
    application = signed_in.application

    assert "1 grant goes along with its tokens" in portal.text(at(application, "delete"))
    portal.post(at(application, "delete"), {})

    assert not Application.objects.exists()
    assert not Grant.objects.exists()
    event = AuditEvent.objects.first()
    assert (event.action, event.application_name) == ("application.deleted", "My App")


def test_history_is_the_changelog(portal, list_app):
    answer = portal.browser.get(f"{ROOT}{at(list_app, 'history')}")

    assert answer["Location"] == f"{ROOT}{at(list_app, 'changelog')}"


@pytest.mark.parametrize("name", ["grant", "requesttrace"])
def test_the_lists_that_the_menu_leads_to_show_this_application_alone(
    portal, signed_in, openid, name
):
    signed_in.tokens()
    for journey in (signed_in, openid):
        journey.authorize(redirect_uri="https://elsewhere.example/")

    page = portal.text(f"{name}/", application__id__exact=str(signed_in.application.pk))

    assert "<td" in page or "<th" in page
    assert page.count("/change/") >= 1
    assert openid.client_id not in page


def test_no_page_here_is_made_of_a_copied_template():
    folder = Path(__file__).parents[2] / "oidc_pkce/templates/admin/oidc_pkce"
    for name in ("application/change_list.html", "application/action.html", "add_web_apps.html"):
        assert (folder / name).read_text().startswith("{% extends ")


@pytest.mark.parametrize("name", ["delete", "disable"])
def test_what_was_changed_since_the_question_is_asked_about_once_more(
    portal, second, list_app, name
):
    asked = portal.fields(at(list_app, name))
    second.save(at(list_app, "change"), name="Repaired")

    page = portal.post(at(list_app, name), asked).content.decode()

    assert "Somebody changed this application since you opened this page" in page
    assert Application.objects.get().enabled
    portal.post(at(list_app, name), portal.fields(at(list_app, name)))
    assert not Application.objects.filter(enabled=True).exists()
