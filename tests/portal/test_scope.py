"""The Scope page: consent, definitions one by one, and which scopes open a path."""

from __future__ import annotations

import pytest

from oidc_pkce.flows import rest_patterns as flow
from oidc_pkce.models import Application, AuditEvent, Permission, Scope
from oidc_pkce.protocol import rest_patterns
from tests.fixtures import make_user
from tests.journeys import Journey, make_application
from tests.portal.conftest import INLINE, Portal

NOTES = {
    "name": "notes.read",
    "description": "Read your notes",
    "rest_patterns": "notes/.*\r\n\r\nnote",
}


def page_of(application: Application) -> str:
    return f"application/{application.pk}/scope/"


def definition(application: Application, name: str | None = None) -> str:
    return f"application/{application.pk}/scope-definition/" + (f"?name={name}" if name else "")


def deletion(application: Application, name: str) -> str:
    return f"application/{application.pk}/scope-delete/?name={name}"


def names_of(application: Application) -> list[str]:
    return [scope.name for scope in application.scopes.all()]


@pytest.fixture
def three(list_app: Application) -> Application:
    for name in ("first", "second", "third"):
        list_app.scopes.create(name=name, description=f"The {name}", rest_patterns=[f"{name}/.*"])
    return list_app


@pytest.fixture
def viewer(list_app: Application) -> Portal:
    """Somebody whom a row of Permissions lets look, and no more."""
    user = make_user("viewer", is_staff=True)
    Permission.objects.create(application=list_app, principal="user", user=user)
    return Portal(user)


def test_a_scope_is_added_and_audited(portal, list_app):
    page = portal.save(definition(list_app), **NOTES)

    assert "The scope “notes.read” was saved." in page
    assert Scope.objects.get().rest_patterns == ["notes/.*", "note"]
    assert list(AuditEvent.objects.get().details["changes"]) == ["scopes"]
    assert Permission.objects.count() == 1


def test_a_scope_that_was_added_can_be_granted(portal, signed_in):
    portal.save(definition(signed_in.application), **NOTES)

    assert signed_in.tokens(scope="notes.read")["scope"] == "notes.read"


def test_the_order_stays_when_one_is_edited_and_a_new_one_comes_last(portal, three):
    portal.save(definition(three, "second"), name="renamed", description="Another text")
    portal.save(definition(three), **NOTES)

    assert names_of(three) == ["first", "renamed", "third", "notes.read"]
    assert three.scopes.get(name="renamed").rest_patterns == ["second/.*"]
    assert three.scopes.get(name="first").description == "The first"


def test_a_scope_is_deleted_after_a_question(portal, three):
    question = portal.text(deletion(three, "second"))
    assert "Delete the scope “second”?" in question
    assert names_of(three) == ["first", "second", "third"]

    assert "The scope “second” was deleted." in portal.save(deletion(three, "second"))
    assert names_of(three) == ["first", "third"]


def test_the_table_names_each_with_the_number_of_its_patterns(portal, three):
    three.scopes.create(name="many", rest_patterns=[f"p{n}" for n in range(137)])

    page = portal.text(page_of(three))

    for shown in ("first", "The second", "third", ">137<"):
        assert shown in page


def test_saving_a_definition_as_it_is_changes_nothing(portal, three):
    portal.save(definition(three, "second"))

    assert Application.objects.get().version == 1
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "two words", "cannot name a scope"),
        ("name", "", "This field is required"),
        ("name", "third", "The scope “third” is defined already"),
        ("name", "x" * 256, "at most 255 characters"),
        ("description", "See \u202eyour files", "control character"),
        ("rest_patterns", "(", "not a regular expression"),
        ("rest_patterns", "a\r\na", "is listed twice"),
        ("rest_patterns", "(?=a)", "not a regular expression"),
    ],
)
def test_a_mistake_is_named_beside_its_field_and_nothing_is_saved(
    portal, three, field, value, sentence
):
    page = portal.save(definition(three, "second"), **{field: value})

    assert sentence in page
    assert f'id="id_{field}_error"' in page
    assert names_of(three) == ["first", "second", "third"]
    assert Application.objects.get().version == 1


def test_no_more_than_500_are_possible(portal, list_app):
    Scope.objects.bulk_create(Scope(application=list_app, name=f"s{n}") for n in range(500))

    page = portal.save(definition(list_app), **NOTES)

    assert "At most 500 entries are possible." in page
    assert Scope.objects.count() == 500


def test_500_scopes_cost_as_many_statements_as_one(portal, list_app, django_assert_max_num_queries):
    Scope.objects.bulk_create(
        Scope(application=list_app, name=f"s{n}", rest_patterns=["a/.*"]) for n in range(500)
    )

    with django_assert_max_num_queries(15):
        assert "s499" in portal.text(page_of(list_app), tried="/a/b")


def test_the_second_of_two_administrators_is_told(portal, second, three):
    stale = second.fields(definition(three, "first"))
    portal.save(definition(three, "second"), description="Robin's")

    answer = second.post(definition(three, "first"), {**stale, "description": "Kim's"})

    assert "robin changed this application while you were editing it" in answer.content.decode()
    assert three.scopes.get(name="first").description == "The first"
    assert three.scopes.get(name="second").description == "Robin's"


def test_a_scope_that_was_renamed_meanwhile_is_no_server_error(portal, second, three):
    stale = second.fields(definition(three, "first"))
    asked = second.fields(deletion(three, "first"))
    portal.save(definition(three, "first"), name="other")

    edited = second.post(definition(three, "first"), {**stale, "description": "Kim's"})
    deleted = second.post(deletion(three, "first"), asked)

    assert "while you were editing it" in edited.content.decode()
    assert "There is no scope “first”" in deleted.content.decode()
    reopened = second.browser.get(f"/admin/oidc_pkce/{definition(three, 'first')}", follow=True)
    assert "There is no scope “first”" in reopened.content.decode()
    assert names_of(three) == ["other", "second", "third"]


@pytest.mark.parametrize("seen", ["", "abc", "9" * 30, "-1"])
def test_whoever_does_not_say_what_they_saw_changes_nothing(portal, three, seen):
    sent = {**portal.fields(definition(three, "first")), "seen_version": seen, "name": "x"}

    portal.post(definition(three, "first"), sent)
    portal.post(deletion(three, "first"), {"seen_version": seen})

    assert names_of(three) == ["first", "second", "third"]


def test_consent_is_saved_on_the_page_itself(portal, three):
    portal.save(page_of(three), requires_consent="on", allows_scope_selection="on")

    stored = Application.objects.get()
    assert (stored.requires_consent, stored.allows_scope_selection) == (True, True)
    assert names_of(three) == ["first", "second", "third"]


def test_an_oauth2_server_knows_no_paths_and_keeps_what_was_imported(portal):
    server = make_application(template="OAuth2Server")
    server.scopes.create(name="imported", rest_patterns=["kept/.*"])

    page = portal.text(page_of(server)) + portal.text(definition(server, "imported"))
    portal.save(definition(server, "imported"), description="New")

    assert "REST" not in page
    assert "Which scopes open a path" not in page
    assert Scope.objects.get().description == "New"
    assert Scope.objects.get().rest_patterns == ["kept/.*"]


@pytest.mark.parametrize(
    ("path", "expected", "hidden"),
    [
        ("/first/x", '<code class="oidc-value">first/.*</code>', "second/.*"),
        ("FIRST/x", "first/.*", "second/.*"),
        ("https://api.example.com/second/x?q=1", "second/.*", "first/.*"),
        ("/second/%41?q=1", "second/.*", "first/.*"),
        ("/nothing", "No scope opens", "first/.*"),
        ("/first/../second/x", "servers disagree", "first/.*"),
        ("https://[", "This is not an address", "first/.*"),
    ],
)
def test_a_path_says_which_scopes_open_it_and_by_which_pattern(
    portal, three, path, expected, hidden
):
    page = portal.text(page_of(three), tried=path)

    assert expected in page
    assert hidden not in page


def test_the_tester_agrees_with_the_resource_server(portal, three):
    for path in ("/first/x", "/x/first", "/firsts/x", "third/", "/third"):
        opened = [s for s in names_of(three) if flow.opens(three.pk, [s], path)]
        page = portal.text(page_of(three), tried=path)
        assert [s for s in names_of(three) if f'<code class="oidc-value">{s}/.*' in page] == opened


def test_a_pattern_that_the_engine_cannot_read_is_named(portal, three):
    three.scopes.create(name="old", rest_patterns=["(?=look)ahead"])

    assert "(?=look)ahead" in portal.text(page_of(three), tried="/lookahead")


def test_without_the_engine_the_tester_says_what_to_install(portal, three, monkeypatch):
    def missing() -> None:
        raise rest_patterns.MissingEngine

    monkeypatch.setattr(rest_patterns, "_engine", missing)

    page = portal.text(page_of(three), tried="/first/x")

    assert "oidc-pkce[resource-server]" in page
    assert "is opened by" not in page


def test_whoever_may_only_look_sees_no_controls_and_saves_nothing(viewer, three):
    page = viewer.text(page_of(three))
    shown = viewer.text(definition(three, "first"))

    for control in ('type="submit" class="default"', "scope-delete/", ">Add<"):
        assert control not in page
    assert "first/.*" in shown
    assert 'class="default"' not in shown
    for path in (page_of(three), definition(three, "first"), deletion(three, "first")):
        answer = viewer.browser.post(f"/admin/oidc_pkce/{path}", {**NOTES, "seen_version": "1"})
        assert answer.status_code == 403
    for path in (definition(three), deletion(three, "first")):
        assert viewer.browser.get(f"/admin/oidc_pkce/{path}").status_code == 403
    assert names_of(three) == ["first", "second", "third"]


def test_whoever_may_not_look_finds_nothing(three):
    Permission.objects.update(can_view=False)
    stranger = Portal(make_user("stranger", is_staff=True))

    for path in (page_of(three), definition(three, "first"), deletion(three, "first")):
        assert stranger.browser.get(f"/admin/oidc_pkce/{path}").status_code == 404
        assert stranger.browser.post(f"/admin/oidc_pkce/{path}").status_code == 404


def test_markup_in_descriptions_and_paths_is_shown_as_text(portal, list_app):
    list_app.scopes.create(name="<script>x</script>", description="<b>bold</b>")

    page = portal.get(page_of(list_app), tried="/<img src=x>").content.decode()

    for markup in ("<script>x", "<b>bold", "<img src=x"):
        assert markup not in page
    assert not INLINE.search(page), INLINE.search(page)


def test_odd_names_are_found_again_by_their_address(portal, list_app):
    list_app.scopes.create(name="a&b=c#d+e%20", description="Odd")

    page = portal.text(page_of(list_app))
    form = portal.text(definition(list_app, "a%26b%3Dc%23d%2Be%2520"))

    assert "?name=a%26b%3Dc%23d%2Be%2520" in page
    assert 'value="Odd"' in form


def test_a_scope_whose_name_is_gone_is_no_longer_granted(portal, signed_in):
    signed_in.application.scopes.create(name="read")
    journey = Journey(signed_in.application, browser=signed_in.browser)
    assert journey.tokens(scope="read")["scope"] == "read"

    portal.save(deletion(signed_in.application, "read"))

    assert journey.authorize(scope="read").error == "invalid_scope"
