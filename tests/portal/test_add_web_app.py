"""Add Web Apps: Search, Custom, and the question before anything is added."""

from __future__ import annotations

import re

import pytest
from django.test import Client as Browser

from oidc_pkce.flows.webapps import catalogue
from oidc_pkce.models import Application, AuditEvent, Permission, Right
from tests.journeys import Journey, make_application
from tests.portal.administrators import give, hide, staff
from tests.portal.conftest import INLINE, Portal

ADD = "/admin/oidc_pkce/application/add/"
ANSWERS = {
    catalogue.Question.ADDRESS: "https://tool.example.com/",
    catalogue.Question.REDIRECT: "https://app.example.com/callback",
    catalogue.Question.AUDIENCE: "https://api.example.com",
}
ENTRIES = (*catalogue.CATALOGUE, *catalogue.CUSTOM)


def entries(portal: Portal, **query: str) -> list[str]:
    """What the tab offers, by its keys."""
    page = portal.text("application/add/", **query)
    return re.findall(r'<a class="button" href="[^"]*/application/add/([\w-]+)/', page)


def test_search_lists_the_whole_catalogue(portal):
    assert entries(portal) == [
        "single-page-app",
        "mobile-app",
        "server-side-web-app",
        "command-line-tool",
        "machine-client",
        "grafana",
        "oauth2-proxy",
        "mozilla-django-oidc",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "GRAFANA"}, ["grafana"]),
        ({"q": "browser refresh"}, ["single-page-app"]),
        ({"category": "MACHINES"}, ["machine-client"]),
        ({"category": "MACHINES", "q": "grafana"}, []),
        ({"category": "no such"}, []),
    ],
)
def test_search_finds_by_words_and_category(portal, query, found):
    assert entries(portal, **query) == found


def test_custom_has_cyberarks_three_types(portal):
    assert entries(portal, tab="custom") == ["oauth2-client", "oauth2-server", "openid-connect"]


def test_an_unknown_tab_is_search(portal):
    assert "grafana" in entries(portal, tab="<script>")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_every_entry_is_added_by_yes(portal, entry):
    page = portal.text(f"application/add/{entry.key}/")
    assert "Do you want to add this application?" in page
    assert not Application.objects.exists()

    fields = portal.fields(f"application/add/{entry.key}/")
    answer = {"answer": ANSWERS[entry.question]} if entry.question in ANSWERS else {}
    done = portal.post(f"application/add/{entry.key}/", {**fields, **answer})

    made = Application.objects.get()
    assert (made.application_id, made.name) == (entry.key, str(entry.title))
    assert made.template == entry.template
    assert made.requires_pkce
    assert done.redirect_chain[-1][0].startswith(ADD)
    assert f"added={made.pk}" in done.redirect_chain[-1][0]
    assert "was added" in done.content.decode()
    assert AuditEvent.objects.get().action == "application.created"


@pytest.mark.parametrize(
    ("key", "redirect"),
    [
        ("grafana", "https://tool.example.com/login/generic_oauth"),
        ("oauth2-proxy", "https://tool.example.com/oauth2/callback"),
        ("mozilla-django-oidc", "https://tool.example.com/oidc/callback/"),
    ],
)
@pytest.mark.parametrize("address", ["https://tool.example.com", " https://tool.example.com/ "])
def test_a_products_redirect_is_built_from_its_address(portal, key, redirect, address):
    portal.post(f"application/add/{key}/", {"application_id": "x", "name": "X", "answer": address})

    assert Application.objects.get().redirect_uris == [redirect]


def test_a_command_line_tool_may_listen_on_any_port(portal, ada):
    sent = {"application_id": "tool", "name": "Tool"}
    portal.post("application/add/command-line-tool/", sent)
    made = Application.objects.get()
    Permission.objects.create(application=made, principal="everybody")

    journey = Journey(
        made, client_id=made.openid_client_id, redirect_uri="http://127.0.0.1:49152/callback"
    ).log_in(ada)

    assert journey.tokens()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"application_id": "two words"}, "no spaces"),
        ({"application_id": "MY_APP"}, "Another application has this Application ID."),
        ({"application_id": ""}, "This field is required."),
        ({"name": ""}, "This field is required."),
        ({"answer": ""}, "This field is required."),
        ({"answer": "grafana.example.com"}, "it is relative: begin with https://"),
        ({"answer": "http://grafana.example.com"}, "cannot be used"),
        ({"answer": "javascript:alert(1)"}, "cannot be used"),
        ({"answer": "https://x.example/#a"}, "it has a fragment"),
        ({"answer": "https://x.example/?a=b"}, "it is no https address"),
        ({"answer": "com.example.app:/x"}, "it is no https address"),
    ],
)
def test_a_mistake_stands_beside_its_field_and_nothing_is_added(
    portal, list_app, changes, sentence
):
    sent = {"application_id": "g", "name": "G", "answer": "https://g.example", **changes}

    page = portal.post("application/add/grafana/", sent).content.decode()

    [field] = changes
    beside = re.search(rf'<ul class="errorlist"[^>]*id="id_{field}_error".*?</ul>', page, re.DOTALL)
    assert beside, page
    assert sentence in beside[0]
    assert Application.objects.count() == 1


def test_the_suggested_id_is_free(portal):
    for name in ("grafana", "GRAFANA-2"):
        make_application(application_id=name)

    assert portal.fields("application/add/grafana/")["application_id"] == "grafana-3"


def test_a_visit_remembers_what_it_added_and_close_leads_there(portal):
    page = portal.text("application/add/")
    assert 'href="/admin/oidc_pkce/application/">Close' in page

    added = []
    for name in ("first", "second"):
        path = f"application/add/oauth2-client/?added={','.join(added)}"
        portal.post(path, {"application_id": name, "name": name})
        added.append(str(Application.objects.get(application_id=name).pk))
        page = portal.text("application/add/", added=",".join(added))
        close = re.search(r'href="([^"]+)">Close', page)[1]
        only = f"/application/{added[0]}/change/"
        assert close.endswith(only if name == "first" else "/application/")
        assert f">{name}</a>" in page

    assert re.search(r'href="[^"]*added=\d+%2C\d+"', page)


def test_a_visit_names_nothing_that_its_administrator_may_not_see(list_app):
    hide(list_app)
    sam = staff("sam", "add_application")

    page = sam.text("application/add/", added=f"{list_app.pk},x,-1,{'9' * 30},٣")

    assert "My App" not in page
    assert "Added in this visit" not in page


def test_a_custom_application_has_the_safe_defaults(portal):
    portal.post("application/add/oauth2-client/", {"application_id": "mine", "name": "Mine"})

    made = Application.objects.get()
    assert (made.requires_pkce, made.allows_plain_pkce) == (True, False)
    assert made.client_id_type == "Confidential"
    assert made.flows == ["AuthorizationCode"]
    assert made.access_token_typ == "JWT"


def test_whoever_adds_becomes_the_owner(db):
    sam = staff("sam", "add_application")

    sam.post("application/add/oauth2-client/", {"application_id": "mine", "name": "Mine"})

    row = Permission.objects.get()
    assert row.user == sam.user
    assert (row.can_grant, row.can_view, row.can_manage, row.can_delete) == (True,) * 4
    assert (row.can_run, row.is_deployed) == (False, False)
    assert "Mine" in sam.text("application/")


def test_whoever_may_do_everything_needs_no_row(portal):
    portal.post("application/add/oauth2-client/", {"application_id": "mine", "name": "Mine"})

    assert not Permission.objects.exists()


@pytest.mark.parametrize("codenames", [(), ("change_application",), ("delete_application",)])
def test_adding_needs_the_right_to_add(list_app, codenames):
    sam = staff("sam", *codenames)
    sent = {"application_id": "mine", "name": "Mine"}

    assert sam.browser.get(f"{ADD}oauth2-client/").status_code == 403
    assert sam.browser.post(f"{ADD}oauth2-client/", sent).status_code == 403
    assert Application.objects.count() == 1


def test_whoever_may_only_manage_is_offered_import_alone(list_app):
    sam = give(staff("sam"), list_app, Right.MANAGE)

    page = sam.text("application/add/", tab="search")

    assert ">Import</a>" in page
    assert ">Search</a>" not in page
    assert entries(sam) == []


def test_whoever_may_neither_is_refused(list_app):
    sam = give(staff("sam"), list_app, Right.VIEW)

    assert sam.browser.get(ADD).status_code == 403


def test_adding_needs_the_csrf_token(portal):
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)

    answer = strict.post(f"{ADD}oauth2-client/", {"application_id": "mine", "name": "Mine"})

    assert answer.status_code == 403
    assert not Application.objects.exists()


def test_an_unknown_entry_is_not_found(portal):
    assert portal.browser.get(f"{ADD}no-such/").status_code == 404


@pytest.mark.parametrize("path", ["", "?tab=custom", "?tab=import", "grafana/"])
def test_pages_hold_no_inline_script_or_style(portal, path):
    made = make_application(name="<script>alert(1)</script>")
    added = f"{'&' if '?' in path else '?'}added={made.pk}&q=%3Cscript%3Ealert"

    page = portal.browser.get(f"{ADD}{path}{added}").content.decode()

    assert "<script>alert" not in page
    assert not INLINE.search(page), INLINE.search(page)
