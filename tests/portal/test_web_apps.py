"""The list of Web Apps: what it shows, finds and sorts, and what it does with what is ticked."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from oidc_pkce.models import Application, ApplicationLogo, AuditEvent, Permission, Right
from tests.journeys import make_application
from tests.portal.administrators import give, hide, staff
from tests.portal.conftest import INLINE, Portal


def listed(portal: Portal, **query: str) -> list[str]:
    """The Application IDs of the rows, from top to bottom."""
    page = portal.text("application/", **query)
    return re.findall(r'<small class="oidc-id">([^<]+)</small>', page)


def tick(portal: Portal, action: str, *chosen: Application, **more: str) -> Any:
    sent = {"action": action, "_selected_action": [one.pk for one in chosen], **more}
    return portal.post("application/", sent)


@pytest.fixture
def three(db: None) -> dict[str, Application]:
    """One of each type and of each status."""
    made = {
        "deployed": make_application(application_id="weather", name="Weather", category="Nature"),
        "ready": make_application(
            application_id="tides", name="tides", template="OAuth2Server", everybody=False
        ),
        "raw": make_application(
            application_id="stars",
            name="Stars",
            template="Generic OpenID Connect",
            description="What shines at night",
            redirect_uris=[],
            openid_client_id="c0ffee00-0000-4000-8000-000000000001",
        ),
    }
    hide(*made.values())
    return made


def test_the_list_has_cyberarks_title_columns_and_button(portal, three):
    page = portal.text("application/")

    assert "<h1>Web Apps</h1>" in page
    heads = re.findall(r'class="(?:sortable )?column-(\w+)', page)
    assert heads == ["shown_name", "shown_template", "short_description", "shown_status"]
    assert ">Add Web Apps</a>" in page


def test_each_status_is_shown_as_a_badge(portal, three):
    page = portal.text("application/")

    for label in ("Deployed", "Ready to Deploy", "Not Configured"):
        assert f">{label}</span>" in page


def test_a_disabled_application_is_marked(portal, three):
    assert ">Disabled</span>" not in portal.text("application/")
    Application.objects.filter(application_id="tides").update(enabled=False)

    assert ">Disabled</span>" in portal.text("application/")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("weather", ["weather"]),
        ("TIDES", ["tides"]),
        ("shines night", ["stars"]),
        ("c0ffee00", ["stars"]),
        ("my_service_user tides", ["tides"]),
        ("OAuth2 Server", ["tides"]),
        ("openid", ["stars"]),
        ("not configured", ["stars"]),
        ('"Ready to Deploy"', ["tides"]),
        ("nowhere", []),
        ("100%", []),
    ],
)
def test_search_finds_what_the_list_shows(portal, three, words, found):
    assert listed(portal, q=words) == found


def test_a_status_is_found_in_the_administrators_language(portal, three):
    portal.browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    assert listed(portal, q="bereitgestellt") == ["weather"]
    assert listed(portal, q="deployed") == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "deployed"}, ["weather"]),
        ({"status": "not_configured"}, ["stars"]),
        ({"template__exact": "OAuth2Server"}, ["tides"]),
        ({"enabled__exact": "0"}, []),
        ({"category": "Nature"}, ["weather"]),
    ],
)
def test_the_list_is_filtered(portal, three, query, found):
    assert listed(portal, **query) == found


@pytest.mark.parametrize(
    ("column", "order"),
    [
        ("1", ["stars", "tides", "weather"]),
        ("-1", ["weather", "tides", "stars"]),
        ("2", ["weather", "tides", "stars"]),
        ("4", ["stars", "tides", "weather"]),
        ("-4", ["weather", "tides", "stars"]),
    ],
)
def test_the_list_is_sorted_by_what_people_read(portal, three, column, order):
    assert listed(portal, o=column) == order


def test_many_rows_cost_no_more_statements_than_few(portal, three, django_assert_max_num_queries):
    for number in range(60):
        made = make_application(application_id=f"app{number}", name=f"App {number}")
        ApplicationLogo.objects.create(
            application=made, content_type="image/png", content=b"x", etag="e"
        )

    with django_assert_max_num_queries(7) as spent:
        assert len(listed(portal)) == 63

    assert not any("content" in one["sql"].replace("content_type", "") for one in spent)


def test_rows_of_rights_cost_a_fixed_number_of_statements(db, django_assert_max_num_queries):
    sam = staff("sam")
    for number in range(40):
        made = make_application(application_id=f"app{number}", name=f"App {number}")
        give(sam, made, Right.MANAGE)

    with django_assert_max_num_queries(18):
        assert len(listed(sam, status="deployed")) == 40


def test_an_administrator_sees_only_what_a_row_reaches(three):
    sam = give(staff("sam"), three["ready"], Right.MANAGE)

    assert listed(sam) == ["tides"]
    assert ">Nature<" not in sam.text("application/")


def test_somebody_of_the_staff_without_rights_sees_no_list(three):
    assert staff("sam").browser.get("/admin/oidc_pkce/application/").status_code == 403


def test_an_empty_list_says_what_to_do(portal):
    page = portal.text("application/")

    assert "There is no application yet" in page
    assert page.count(">Add Web Apps</a>") == 2
    assert "No application matches" in portal.text("application/", q="nothing")


def test_whoever_may_only_look_is_offered_no_button(three):
    sam = give(staff("sam"), three["ready"], Right.VIEW)

    page = sam.text("application/")

    assert "Add Web Apps" not in page
    offered = re.findall(r'<option value="(\w+)">', page)
    assert offered == ["export"]


def test_names_are_shown_as_text(portal, db):
    make_application(name="<script>alert(1)</script>", description="<b>bold</b>")

    page = portal.get("application/").content.decode()

    assert "<script>alert" not in page
    assert "<b>bold" not in page
    assert not INLINE.search(page), INLINE.search(page)


def test_several_are_disabled_and_enabled_and_audited(portal, three):
    answer = tick(portal, "disable", *three.values())

    assert "3 are disabled." in answer.content.decode()
    assert not Application.objects.filter(enabled=True).exists()
    assert AuditEvent.objects.filter(action="application.updated").count() == 3

    tick(portal, "enable", three["raw"])

    assert [one.application_id for one in Application.objects.filter(enabled=True)] == ["stars"]


def test_those_without_the_right_are_named_and_stay(three):
    sam = give(staff("sam"), three["ready"], Right.MANAGE)
    give(sam, three["raw"], Right.VIEW)

    answer = tick(sam, "disable", three["ready"], three["raw"], three["deployed"])

    page = answer.content.decode()
    # What sam does not see is not named either.
    assert "you lack the Manage right on them: Stars." in page
    enabled = Application.objects.filter(enabled=True).order_by("application_id")
    assert [one.application_id for one in enabled] == ["stars", "weather"]


def test_several_are_exported_as_import_reads_them(portal, three, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        answer = tick(portal, "export", *three.values())

    assert answer["Content-Disposition"] == 'attachment; filename="web-apps.json"'
    documents = json.loads(answer.content)
    assert [one["ServiceName"] for one in documents] == ["stars", "tides", "weather"]


def test_clone_takes_one(portal, three):
    answer = tick(portal, "clone", three["raw"])
    assert answer.redirect_chain[-1][0].endswith(f"/application/{three['raw'].pk}/clone/")

    assert (
        "Choose one application to clone" in tick(portal, "clone", *three.values()).content.decode()
    )


def test_deleting_several_asks_first(portal, three):
    answer = tick(portal, "delete_selected", three["raw"], three["ready"])

    page = answer.content.decode()
    assert "Deleting cannot be undone" in page
    assert "Stars" in page
    assert not INLINE.search(page), INLINE.search(page)
    assert Application.objects.count() == 3

    tick(portal, "delete_selected", three["raw"], three["ready"], post="yes")

    assert [one.application_id for one in Application.objects.all()] == ["weather"]
    assert AuditEvent.objects.filter(action="application.deleted").count() == 2


@pytest.mark.parametrize("confirmed", [{}, {"post": "yes"}])
def test_manage_alone_deletes_nothing(three, confirmed):
    sam = give(staff("sam"), three["ready"], Right.DELETE)
    give(sam, three["raw"], Right.MANAGE)

    answer = tick(sam, "delete_selected", three["raw"], **confirmed)

    assert "you lack the Delete right on them: Stars." in answer.content.decode()
    assert Application.objects.count() == 3


def test_of_a_mixed_choice_only_the_permitted_go(three):
    sam = give(staff("sam"), three["ready"], Right.DELETE)
    give(sam, three["raw"], Right.MANAGE)

    tick(sam, "delete_selected", *three.values(), post="yes")

    left = Application.objects.order_by("application_id")
    assert [one.application_id for one in left] == ["stars", "weather"]
    assert not Permission.objects.filter(user=sam.user, can_delete=True).exists()


def test_too_many_at_once_are_refused(portal, three, monkeypatch):
    monkeypatch.setattr("oidc_pkce.portal.chosen_web_apps.MAX_CHOSEN", 2)

    answer = tick(portal, "disable", *three.values())

    assert "Choose at most 2 applications at once." in answer.content.decode()
    assert Application.objects.filter(enabled=True).count() == 3


@pytest.mark.parametrize("lookup", ["subject_salt__startswith", "client_secrets__digest"])
def test_other_columns_cannot_be_asked_by_the_address(three, lookup):
    viewer = give(staff("vera"), three["raw"], Right.VIEW)

    asked = viewer.browser.get(f"/admin/oidc_pkce/application/?{lookup}=x")

    assert asked.status_code == 400


def test_the_list_is_sorted_by_every_column_of_cyberarks(portal, three):
    page = portal.text("application/")

    sortable = re.findall(r'class="sortable column-(\w+)', page)
    assert {"shown_name", "shown_template", "short_description", "shown_status"} <= set(sortable)
    assert listed(portal, o="-3")[0] == "stars"
