"""What every page of an application has in common: who sees it, who saves, and what is said."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client as Browser

from oidc_pkce.flows.administration import rights
from oidc_pkce.models import Application, AuditEvent, Permission, Principal, Right
from tests.fixtures import make_user
from tests.journeys import give_secret, make_application
from tests.portal.conftest import INLINE, Portal

OAUTH2_PAGES = ("change", "general-usage", "tokens")
OPENID_PAGES = ("change", "trust", "tokens")
ROOT = "/admin/oidc_pkce/"


def page_of(application: Application, name: str) -> str:
    return f"application/{application.pk}/{name}/"


def administrator(application: Application, *held: Right, name: str = "sam") -> Portal:
    """Somebody on the staff whose rights come from a row of Permissions alone."""
    user = make_user(name, is_staff=True)
    columns = {right.value: right in held for right in Right}
    Permission.objects.create(
        application=application, principal=Principal.USER, user=user, **columns
    )
    return Portal(user)


@pytest.fixture
def viewer(list_app: Application) -> Portal:
    return administrator(list_app, Right.VIEW)


@pytest.mark.parametrize("name", OAUTH2_PAGES)
def test_saving_what_is_shown_changes_nothing(portal, list_app, name):
    before = Application.objects.get().updated_at

    page = portal.save(page_of(list_app, name))

    assert "was saved." in page
    assert (Application.objects.get().version, Application.objects.get().updated_at) == (1, before)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("name", OPENID_PAGES)
def test_saving_what_an_openid_connect_page_shows_changes_nothing(portal, openid_app, name):
    portal.save(page_of(openid_app, name))

    assert Application.objects.get().version == 1
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("name", OAUTH2_PAGES)
def test_one_without_rights_sees_404(list_app, name):
    list_app.permissions.all().delete()
    stranger = Portal(make_user("stranger", is_staff=True))

    for ask in (stranger.browser.get, stranger.browser.post):
        assert ask(f"{ROOT}{page_of(list_app, name)}").status_code == 404


@pytest.mark.parametrize("name", OAUTH2_PAGES)
def test_one_with_view_only_reads_and_cannot_save(viewer, list_app, name):
    page = viewer.text(page_of(list_app, name))

    assert 'value="Save"' not in page
    assert "that needs the right Manage on this application" in page
    visible = re.findall(r"<(?:input|textarea|select)[^>]*name=\"(?!csrf)[^>]*>", page)
    form = [tag for tag in visible if 'type="hidden"' not in tag and 'name="q"' not in tag]
    assert form
    assert [tag for tag in form if " disabled" not in tag and "theme" not in tag] == []


@pytest.mark.parametrize("name", OAUTH2_PAGES)
def test_one_with_view_only_is_refused_when_posting(viewer, list_app, name):
    sent = {**viewer.fields(page_of(list_app, name)), "name": "Mine", "requires_pkce": ""}

    answer = viewer.browser.post(f"{ROOT}{page_of(list_app, name)}", sent)

    assert answer.status_code == 403
    assert Application.objects.get().version == 1


def test_manage_on_one_application_saves_that_one_and_shows_no_other(list_app):
    other = make_application(application_id="other", name="Other", everybody=False)
    manager = administrator(list_app, Right.VIEW, Right.MANAGE)

    assert "was saved." in manager.save(page_of(list_app, "change"), name="Renamed")

    assert Application.objects.get(pk=list_app.pk).name == "Renamed"
    assert rights(manager.user, other) == frozenset()
    assert manager.browser.get(f"{ROOT}{page_of(other, 'change')}").status_code == 404


@pytest.mark.parametrize("right", [Right.GRANT, Right.DELETE, Right.RUN])
def test_another_right_than_manage_does_not_save(list_app, right):
    somebody = administrator(list_app, Right.VIEW, right)

    answer = somebody.browser.post(f"{ROOT}{page_of(list_app, 'change')}", {"name": "Mine"})

    assert answer.status_code == 403


@pytest.mark.parametrize("name", OAUTH2_PAGES)
def test_a_post_without_the_csrf_token_is_refused(portal, list_app, name):
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)

    answer = strict.post(f"{ROOT}{page_of(list_app, name)}", portal.fields(page_of(list_app, name)))

    assert answer.status_code == 403


def test_people_who_are_not_on_the_staff_are_sent_to_sign_in(list_app, ada):
    answer = Portal(ada).browser.get(f"{ROOT}{page_of(list_app, 'change')}")

    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]


def test_the_second_of_two_administrators_is_told_and_loses_no_typing(portal, second, list_app):
    stale = second.fields(page_of(list_app, "change"))
    portal.save(page_of(list_app, "change"), name="Robin's name")

    answer = second.post(
        page_of(list_app, "change"), {**stale, "name": "Kim's name", "category": "Garden"}
    )

    page = answer.content.decode()
    assert "robin changed this application while you were editing it" in page
    assert 'value="Kim&#x27;s name"' in page
    assert "Open this page as it is stored now" in page
    stored = Application.objects.get()
    assert (stored.name, stored.category) == ("Robin's name", "Other")


def test_the_second_is_told_even_when_the_pages_differ(portal, second, list_app):
    stale = second.fields(page_of(list_app, "tokens"))
    portal.save(page_of(list_app, "general-usage"), client_ids="another")

    answer = second.post(page_of(list_app, "tokens"), {**stale, "allows_plain_pkce": "on"})

    assert "changed this application while you were editing it" in answer.content.decode()
    assert not Application.objects.get().allows_plain_pkce


def test_who_was_faster_is_whoever_saved_not_whoever_signed_in(portal, second, signed_in):
    application = signed_in.application
    stale = second.fields(page_of(application, "change"))
    portal.save(page_of(application, "change"), name="First")
    signed_in.tokens()
    AuditEvent.objects.create(
        at=AuditEvent.objects.first().at,
        action="user.signed_in",
        actor_name="ada",
        application=application,
        expires_at=AuditEvent.objects.first().expires_at,
    )

    page = second.post(page_of(application, "change"), stale).content.decode()

    assert "robin changed this application" in page


def test_whoever_loses_the_race_after_the_comparison_is_told_too(portal, list_app, monkeypatch):
    """As on a database without row locks, where both pass the comparison."""
    from oidc_pkce.flows.webapps import saving

    sound = saving.require_sound

    def overtaken(*given: Any) -> None:
        sound(*given)
        Application.objects.update(version=7)

    monkeypatch.setattr(saving, "require_sound", overtaken)

    page = portal.save(page_of(list_app, "change"), name="Mine")

    assert "changed this application while you were editing it" in page
    assert Application.objects.get().name == "My App"


@pytest.mark.parametrize("seen", ["", "nonsense", "0", "2"])
def test_a_form_that_does_not_say_what_was_seen_overwrites_nothing(portal, list_app, seen):
    page = portal.save(page_of(list_app, "change"), name="Blind", seen_version=seen)

    assert "errornote" in page
    assert Application.objects.get().name == "My App"


@pytest.mark.parametrize("name", OAUTH2_PAGES)
def test_fields_of_other_pages_are_not_taken(portal, list_app, name):
    """Whatever is posted to a page, only its own fields are read."""
    before = Application.objects.values().get()

    portal.save(
        page_of(list_app, name),
        enabled="",
        template="Generic OpenID Connect",
        subject_salt="known",
        openid_client_id="mine",
        version="99",
        id="99",
        requires_consent="on",
        require_client_secret="on",
        user_name_strategy="Fixed",
        shared_user_name="root",
        permissions="[]",
        scopes="[]",
        **{"permissions-0-can_run": "on", "permissions-0-principal": "everybody"},
    )

    assert Application.objects.values().get() == before
    assert Permission.objects.count() == 1


def test_the_pages_of_the_other_type_are_not_there(portal, list_app, openid_app):
    assert portal.browser.get(f"{ROOT}{page_of(list_app, 'trust')}").status_code == 404
    sent = {"client_id_type": "Anything", "seen_version": "1"}

    answer = portal.browser.post(f"{ROOT}{page_of(openid_app, 'general-usage')}", sent)

    assert answer.status_code == 404
    assert Application.objects.get(pk=openid_app.pk).version == 1


@pytest.mark.parametrize("key", ["0", "99999", "9" * 30, "-1", "x", "1_2F"])
def test_an_application_that_is_not_there_is_404(portal, key):
    assert portal.browser.get(f"{ROOT}application/{key}/tokens/").status_code == 404


@pytest.mark.parametrize(
    ("template", "shown", "hidden"),
    [
        ("OAuth2ServerClient", ["General Usage"], ["Trust"]),
        ("OAuth2Server", ["General Usage"], ["Trust"]),
        ("Generic OpenID Connect", ["Trust"], ["General Usage"]),
    ],
)
def test_a_type_lists_its_own_pages(portal, template, shown, hidden):
    made = make_application(template=template, client_id_type="Confidential", client_ids=[])

    listed = re.search(
        r'<nav class="oidc-pages".*?</nav>', portal.text(page_of(made, "change")), re.DOTALL
    )

    assert all(f">{word}<" in listed[0] for word in shown)
    assert not any(f">{word}<" in listed[0] for word in hidden)


def test_an_error_is_in_the_title_and_the_summary_leads_to_its_field(portal, list_app):
    page = portal.save(page_of(list_app, "change"), application_id="my app", name="")

    assert "<title>Error: " in page
    assert "Please correct the errors below." in page
    for field in ("application_id", "name"):
        assert f'<a href="#id_{field}">' in page
        assert f'id="id_{field}"' in page
    assert 'value="my app"' in page


def test_the_header_shows_what_is_stored_while_the_form_shows_what_was_typed(portal, list_app):
    page = portal.save(page_of(list_app, "change"), name="Typed", application_id="no good")

    assert "<h1>My App</h1>" in page
    assert 'value="Typed"' in page


def test_cancel_leads_back_to_the_list(portal, list_app):
    assert '<a class="closelink" href="/admin/oidc_pkce/application/">' in portal.text(
        page_of(list_app, "tokens")
    )


def test_script_tags_in_names_are_shown_as_text(portal, list_app):
    portal.save(
        page_of(list_app, "change"),
        name="<script>alert(1)</script>",
        description="</textarea><b>bold</b>",
        category='"><img src=x>',
    )

    for name in OAUTH2_PAGES:
        page = portal.get(page_of(list_app, name)).content.decode()
        assert "<script>alert" not in page
        assert "<b>bold" not in page
        assert "<img src=x>" not in page


@pytest.mark.parametrize("name", [*OPENID_PAGES, "client-secret", "client-secret/{}/revoke"])
def test_pages_hold_no_inline_script_or_style_of_ours(portal, openid_app, name):
    secret = give_secret(openid_app)

    page = portal.get(page_of(openid_app, name.format(secret.pk))).content.decode()

    assert not INLINE.search(page), INLINE.search(page)


@pytest.mark.parametrize("name", OAUTH2_PAGES)
def test_a_page_with_errors_holds_no_inline_script_or_style(portal, list_app, name):
    sent = {"seen_version": "0", "client_ids": "a\na"}

    page = portal.post(page_of(list_app, name), sent).content.decode()

    assert "errornote" in page
    assert not INLINE.search(page), INLINE.search(page)


@pytest.mark.parametrize("name", OPENID_PAGES)
def test_a_page_costs_the_same_with_many_applications(
    portal, openid_app, name, django_assert_max_num_queries
):
    for number in range(40):
        make_application(application_id=f"app{number}", category=f"Category {number}")
        give_secret(openid_app, secret=f"a-secret-of-many-characters-{number}")
    with django_assert_max_num_queries(14):
        portal.get(page_of(openid_app, name))


def test_what_the_form_cannot_read_hides_no_other_fault(portal, list_app):
    page = portal.save(
        page_of(list_app, "general-usage"), client_id_type="", redirect_uris="javascript:alert(1)"
    )

    assert "This field is required." in page
    assert "cannot carry an answer safely" in page


def test_an_application_id_that_is_taken_at_the_same_moment_is_no_server_error(
    portal, list_app, openid_app, monkeypatch
):
    pages = {
        "application/add/openid-connect/": {"application_id": list_app.application_id, "name": "A"},
        f"application/{openid_app.pk}/clone/": {
            "application_id": list_app.application_id,
            "name": "A",
        },
        f"application/{openid_app.pk}/change/": {
            **portal.fields(f"application/{openid_app.pk}/change/"),
            "application_id": list_app.application_id,
        },
    }
    # Whoever is faster saves between the other's check and the other's write.
    monkeypatch.setattr("oidc_pkce.flows.webapps.saving.require_sound", lambda *_: None)

    for path, sent in pages.items():
        page = portal.post(path, sent).content.decode()
        assert "Somebody else saved at the same moment." in page, path
    assert Application.objects.count() == 2
