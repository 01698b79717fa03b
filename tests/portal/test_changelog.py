"""The Changelog page: who changed what, and when, in words; no secret among them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from oidc_pkce.flows import webapps
from oidc_pkce.flows.webapps import Actor, Changes, PermissionChange, ScopeChange
from oidc_pkce.models import Application, AuditEvent, Permission, Principal, Right
from tests.fixtures import make_user
from tests.portal.conftest import INLINE, Portal

MINUS = "\N{MINUS SIGN}"
ROBIN = Actor(name="robin")


def page_of(application: Application) -> str:
    return f"application/{application.pk}/changelog/"


def change(application: Application, changes: Changes) -> None:
    webapps.update(application, changes, actor=ROBIN, now=timezone.now())


def words(portal: Portal, application: Application, **query: str) -> str:
    """The page without its tags, one space between words."""
    text = portal.text(page_of(application), **query)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_a_change_says_who_what_and_from_what_to_what(portal, list_app):
    change(list_app, Changes({"name": "Renamed", "requires_pkce": False}))

    said = words(portal, list_app)

    assert "Application changed by robin" in said
    assert "Application Name My App → became Renamed" in said
    assert "Require PKCE Yes → became No" in said


def test_lists_tell_what_came_and_what_went(portal, list_app):
    change(list_app, Changes({"client_ids": ["another_client", "a_third"]}))
    change(list_app, Changes({"client_ids": ["a_third", "another_client"]}))

    said = words(portal, list_app)

    assert "Client ID List + added: another_client + added: a_third" in said
    assert f"{MINUS} removed: my_service_user" in said
    assert "Client ID List ~ changed: the order" in said


def test_choices_bear_their_labels(portal, list_app):
    change(list_app, Changes({"user_name_strategy": "Fixed", "shared_user_name": "all"}))

    assert "All users share one name" in words(portal, list_app)


def test_scopes_are_told_one_by_one(portal, list_app):
    read, write = ScopeChange("read", "Read", ("a/.*",)), ScopeChange("write", "Write")
    change(list_app, Changes(scopes=(read, write)))
    changed = ScopeChange("read", "See", ("b/.*",))
    change(list_app, Changes(scopes=(changed,)))

    said = words(portal, list_app)

    assert "Scope definitions + added: read: Read · a/.* + added: write: Write" in said
    assert f"~ changed: read: “Read” → “See”, +b/.*, {MINUS}a/.*" in said
    assert f"{MINUS} removed: write: Write" in said


def test_permissions_are_told_by_name_and_right(portal, list_app, ada):
    rights = frozenset({Right.VIEW, Right.RUN})
    user = PermissionChange(Principal.USER, rights, "ada", ada.pk)
    change(list_app, Changes(permissions=(user,)))
    more = PermissionChange(Principal.USER, frozenset({Right.VIEW, Right.GRANT}), "ada", ada.pk)
    change(list_app, Changes(permissions=(more,)))

    said = words(portal, list_app)

    assert "Permissions + added: User ada: View, Run" in said
    assert f"{MINUS} removed: Everybody: View, Run, Automatically Deploy" in said
    assert f"~ changed: User ada: +Grant, {MINUS}Run" in said


def test_a_secret_is_told_of_but_not_told(portal, openid_app):
    secret = webapps.set_client_secret(
        openid_app, actor=ROBIN, now=timezone.now(), expires_at=timezone.now() + timedelta(days=9)
    )

    page = portal.text(page_of(openid_app))

    assert "Client secret created, until 2" in page
    assert secret not in page
    assert openid_app.subject_salt not in page


def test_the_beginning_tells_what_it_began_with(portal):
    made = webapps.create(
        Changes(
            {"template": "OAuth2ServerClient", "application_id": "fresh", "name": "Fresh"},
            scopes=(ScopeChange("read"),),
        ),
        actor=ROBIN,
        now=timezone.now(),
    )

    said = words(portal, made)

    assert "Application created by robin" in said
    assert "Application ID fresh" in said
    assert "Scope definitions + added: read" in said
    assert "Audience" not in said


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_deleted_user_or_group_is_named(portal, list_app, kind):
    made = make_user("leaver") if kind == "user" else Group.objects.create(name="leaver")
    Permission.objects.create(application=list_app, principal=kind, **{kind: made})

    made.delete()

    said = words(portal, list_app)
    assert f"The {kind} “leaver” was deleted" in said
    assert f"removed: {kind.capitalize()} leaver: View, Run" in said


def test_newest_first_a_page_at_a_time(portal, list_app):
    for n in range(25):
        change(list_app, Changes({"name": f"Name {n:02}"}))

    first, rest = words(portal, list_app), words(portal, list_app, p="2")

    assert first.index("became Name 24") < first.index("became Name 05")
    assert "became Name 04" not in first
    assert "became Name 04" in rest
    assert "Page 2 of 2 (25 rows)" in rest


def test_many_events_of_many_entries_cost_few_statements(
    portal, list_app, django_assert_max_num_queries
):
    for n in range(20):
        many = tuple(ScopeChange(f"s{n}.{i}") for i in range(200))
        change(list_app, Changes(scopes=many))

    with django_assert_max_num_queries(12):
        said = words(portal, list_app)

    assert "and 150 more" in said or "and 350 more" in said


def test_what_people_did_with_the_application_is_no_change_of_it(portal, asking):
    asking.decide(asking.authorize())

    assert AuditEvent.objects.filter(application=asking.application).exists()
    assert "Nothing is recorded" in words(portal, asking.application)


def test_an_event_of_an_earlier_version_is_still_shown(portal, list_app):
    AuditEvent.objects.create(
        at=timezone.now(),
        action="application.updated",
        application=list_app,
        details={"changes": {"gone_field": {"before": 1, "after": [2, "x"]}}},
        expires_at=timezone.now(),
    )

    assert "gone_field" in words(portal, list_app)


def test_markup_is_shown_as_text(portal, list_app):
    markup = "<script>alert(1)</script>"
    change(list_app, Changes({"name": markup}, scopes=(ScopeChange("<b>", "<i>x"),)))
    AuditEvent.objects.update(actor_name="<u>robin")

    page = portal.get(page_of(list_app)).content.decode()

    for tag in ("<script>alert", "<b>", "<i>x", "<u>robin"):
        assert tag not in page
    assert not INLINE.search(page), INLINE.search(page)


def test_it_takes_view_and_nothing_can_be_posted(portal, list_app):
    Permission.objects.update(can_view=False)
    stranger = Portal(make_user("stranger", is_staff=True))

    assert stranger.browser.get(f"/admin/oidc_pkce/{page_of(list_app)}").status_code == 404
    Permission.objects.update(can_view=True)
    assert stranger.browser.get(f"/admin/oidc_pkce/{page_of(list_app)}").status_code == 200
    assert stranger.browser.post(f"/admin/oidc_pkce/{page_of(list_app)}").status_code == 403
    assert portal.browser.post(f"/admin/oidc_pkce/{page_of(list_app)}").status_code == 405
