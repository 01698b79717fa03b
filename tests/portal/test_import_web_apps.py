"""Import: what a file would change is shown first, and only that happens."""

from __future__ import annotations

import html
import json
import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from oidc_pkce.flows.webapps import export_documents
from oidc_pkce.flows.webapps.document import render
from oidc_pkce.models import Application, AuditEvent, ClientSecret, Permission, Principal, Right
from tests.management.test_import_webapps import TENANT
from tests.portal.administrators import give, hide, staff
from tests.portal.conftest import INLINE, Fields, Portal

IMPORT = "application/add/import/"
ROOT = "/admin/oidc_pkce/"
SECRET = "an-invented-secret-of-a-tenant"


def upload(portal: Portal, documents: Any) -> str:
    """The preview of a file."""
    data = documents if isinstance(documents, bytes) else json.dumps(documents).encode()
    answer = portal.post(IMPORT, {"file": SimpleUploadedFile("apps.json", data)})
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def confirm(portal: Portal, page: str) -> str:
    parser = Fields()
    parser.feed(page)
    sent = {name: parser.values[name] for name in ("sealed", "expected")}
    return html.unescape(portal.post(IMPORT, sent).content.decode())


def document(name: str = "my_app", **members: Any) -> dict[str, Any]:
    return {"ServiceName": name, **members}


def everybody(rights: str) -> list[dict[str, str]]:
    return [{"Principal": "Everybody", "PType": "Role", "Rights": rights}]


@pytest.fixture
def hidden(list_app: Application) -> Application:
    hide(list_app)
    return list_app


def test_a_tenant_is_previewed_and_imported(portal, ada):
    Group.objects.create(name="keepers")

    page = upload(portal, TENANT.read_bytes())

    assert page.count("Will be created") == 3
    assert "A client secret is set; it is not shown." in page
    assert not Application.objects.exists()

    done = confirm(portal, page)

    assert "Imported: 3 created, 0 updated, 0 unchanged." in done
    assert Application.objects.count() == 3
    assert ClientSecret.objects.count() == 1
    assert {event.actor_name for event in AuditEvent.objects.all()} == {"robin"}


def test_a_secret_is_neither_shown_nor_carried_readably(portal, ada):
    Group.objects.create(name="keepers")
    assert SECRET.encode() in TENANT.read_bytes()

    answer = portal.post(IMPORT, {"file": SimpleUploadedFile("a.json", TENANT.read_bytes())})

    assert SECRET.encode() not in answer.content
    assert b"lighthouse_api" not in re.findall(rb'name="sealed" value="([^"]+)"', answer.content)[0]
    assert "no-store" in answer["Cache-Control"]


def test_a_change_is_shown_field_by_field(portal, list_app):
    page = upload(portal, document(Name="Renamed", Permissions=everybody("View,Execute")))

    assert "Will be updated" in page
    row = re.search(r"<th scope=\"row\">Application Name</th><td>(.*?)</td><td>(.*?)</td>", page)
    assert row.groups() == ("My App", "Renamed")
    assert "Everybody: View, Run, Automatically Deploy" in page
    assert Application.objects.get().name == "My App"

    confirm(portal, page)

    assert Application.objects.get().name == "Renamed"
    assert Application.objects.get().version == 2


def test_an_export_changes_nothing_and_offers_nothing(portal, list_app, openid_app):
    exported = render(export_documents(Application.objects.all())).encode()

    page = upload(portal, exported)

    assert "This file changes nothing." in page
    assert "Stays unchanged: my_app, portal" in page
    assert 'name="sealed"' not in page


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"this is no JSON", "The file is not JSON"),
        (b"\xff\xfe\x00", "The file is not"),
        (b"[" * 100_000, "The file is"),
        (b'{"Name": "No id"}', "the Application ID is missing"),
        (b'[{"ServiceName": "a"}, {"ServiceName": "A"}]', "has the same Application ID"),
        (b'{"ServiceName": "a", "Name": 5}', "this must be a text"),
        (b'{"ServiceName": "a b"}', "no spaces"),
        (b"[]", "This file changes nothing."),
    ],
)
def test_a_file_that_is_wrong_is_explained(portal, db, data, sentence):
    page = upload(portal, data)

    assert sentence in page
    assert 'name="sealed"' not in page
    assert not Application.objects.exists()


def test_an_error_names_its_place(portal, list_app):
    page = upload(portal, [document("fresh"), document(OAuthProfile={"Redirects": ["x"]})])

    assert "<code>[1].OAuthProfile.Redirects[0]</code>" in page
    assert Application.objects.count() == 1


def test_no_file_is_asked_for(portal):
    assert "This field is required." in portal.post(IMPORT, {}).content.decode()


def test_a_file_that_no_page_can_carry_is_for_the_command(portal, settings, db):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000
    noise = "".join(f"{n * 2_654_435_761 % 4_294_967_296:x}" for n in range(1500))

    page = upload(portal, document("big", Description=noise[:1900], Extra=noise))

    assert "import it by the command import_webapps" in page
    assert not Application.objects.exists()


def test_what_changed_since_the_preview_is_previewed_anew(portal, list_app):
    page = upload(portal, document(Name="Renamed"))
    Application.objects.update(name="Changed meanwhile")

    again = confirm(portal, page)

    assert "Nothing was imported" in again
    assert "<td>Changed meanwhile</td>" in again
    assert Application.objects.get().name == "Changed meanwhile"

    confirm(portal, again)
    assert Application.objects.get().name == "Renamed"


def test_what_was_created_meanwhile_is_not_changed_unseen(portal, db):
    from tests.journeys import make_application

    page = upload(portal, document(Name="New"))
    make_application(name="Somebody else's")

    assert "Will be updated" in confirm(portal, page)
    assert Application.objects.get().name == "Somebody else's"


def test_a_change_elsewhere_does_not_stop_an_import(portal, list_app, openid_app):
    page = upload(portal, document(Name="Renamed"))
    Application.objects.filter(pk=openid_app.pk).update(name="Other")

    assert "1 updated" in confirm(portal, page)


def test_a_preview_is_its_administrators_own(portal, second, list_app):
    page = upload(portal, document(Name="Renamed"))

    assert "This preview is too old" in confirm(second, page)
    assert Application.objects.get().name == "My App"


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA==", "\ud800", "ä"])
def test_a_preview_that_was_tampered_with_is_none(portal, list_app, sealed):
    sent = {"sealed": sealed.encode("utf-8", "surrogatepass").decode("latin-1"), "expected": "x"}

    assert "This preview is too old" in portal.post(IMPORT, sent).content.decode()


def test_a_preview_ends_after_an_hour(portal, list_app, monkeypatch):
    page = upload(portal, document(Name="Renamed"))
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 3601)

    assert (
        "too old"
        in portal.browser.post(
            ROOT + IMPORT,
            {"sealed": re.search(r'name="sealed" value="([^"]+)"', page)[1]},
            follow=True,
        ).content.decode()
    )


def test_without_a_fingerprint_nothing_is_imported(portal, list_app):
    page = upload(portal, document(Name="Renamed"))
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)[1]

    portal.post(IMPORT, {"sealed": sealed})

    assert Application.objects.get().name == "My App"


REFUSED = "Nothing can be imported"


@pytest.mark.parametrize(
    ("held", "members", "sentence"),
    [
        ((Right.VIEW,), {"Name": "Mine"}, "needs the Manage right"),
        ((Right.GRANT,), {"Name": "Mine"}, "needs the Manage right"),
        ((Right.VIEW,), {"Permissions": []}, "needs the Grant right"),
        ((Right.MANAGE,), {"Permissions": []}, "needs the Grant right"),
        ((Right.MANAGE,), {"Name": "Mine", "Permissions": []}, "needs the Grant right"),
        ((Right.VIEW,), {"OAuthProfile": {"KnownScopes": [{"Scope": "a"}]}}, "Manage right"),
        (
            (Right.GRANT, Right.MANAGE),
            {"Permissions": everybody("View")},
            "nobody would have the Grant right any more",
        ),
        ((), {"Name": "Mine"}, "you may not change the application “my_app”"),
        ((), {}, "you may not change the application “my_app”"),
    ],
)
def test_an_import_needs_each_right(hidden, openid_app, held, members, sentence):
    sam = give(give(staff("sam"), openid_app, Right.MANAGE), hidden, *held)
    if not held:
        Permission.objects.filter(user=sam.user, application=hidden).update(can_run=True)

    page = upload(sam, document(**members))

    assert REFUSED in page
    assert sentence in page
    assert "My App" not in page
    assert Application.objects.get(pk=hidden.pk).name == "My App"


@pytest.mark.parametrize(
    ("held", "members"),
    [
        ((Right.MANAGE,), {"Name": "Mine"}),
        ((Right.GRANT,), {"Permissions": everybody("View")}),
        ((Right.GRANT, Right.MANAGE), {"Name": "Mine", "Permissions": everybody("Grant,View")}),
    ],
)
def test_an_import_needs_no_more_than_that(hidden, held, members):
    sam = give(staff("sam"), hidden, Right.MANAGE)
    Permission.objects.filter(user=sam.user).update(
        **{right.value: right in held for right in Right if right in (Right.GRANT, Right.MANAGE)}
    )

    page = upload(sam, document(**members)) if Right.MANAGE in held else None
    if page is None:  # Grant alone opens no Import: the Permissions page is the place
        assert sam.browser.get(ROOT + "application/add/").status_code == 403
    else:
        assert "1 updated" in confirm(sam, page)


def test_creating_needs_the_right_to_add(hidden):
    sam = give(staff("sam"), hidden, Right.MANAGE)

    page = upload(sam, [document(Name="Mine"), document("fresh")])

    assert "you may not add applications" in page
    assert Application.objects.get().name == "My App"


def test_whoever_imports_something_new_owns_it(db):
    sam = staff("sam", "add_application")

    page = upload(sam, document("fresh", Permissions=everybody("Execute")))
    assert "sam: Grant, View, Manage, Delete" in page
    confirm(sam, page)

    owner = Permission.objects.get(principal=Principal.USER)
    assert (owner.user, owner.can_grant, owner.can_run) == (sam.user, True, False)
    assert Permission.objects.filter(principal=Principal.EVERYBODY, can_run=True).exists()


def test_a_right_lost_after_the_preview_stops_the_import(hidden):
    sam = give(staff("sam"), hidden, Right.MANAGE)
    page = upload(sam, document(Name="Mine"))
    Permission.objects.filter(user=sam.user).update(can_manage=False)

    sent = {"sealed": re.search(r'name="sealed" value="([^"]+)"', page)[1], "expected": ""}

    assert sam.browser.post(ROOT + IMPORT, sent).status_code == 403
    assert Application.objects.get().name == "My App"


def test_a_stored_secret_cannot_be_guessed_by_previews(openid_with_secret):
    from tests.journeys import SECRET as STORED

    application = openid_with_secret.application
    hide(application)
    sam = give(staff("sam", "add_application"), application, Right.VIEW)
    guesses = (STORED, "another-guess-of-a-secret")

    pages = [
        upload(sam, document("portal", OAuthProfile={"ClientSecret": guess})) for guess in guesses
    ]

    assert all("needs the Manage right" in page for page in pages)


def test_import_needs_the_csrf_token(portal, db):
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)
    sent = {"file": SimpleUploadedFile("a.json", b'{"ServiceName": "a"}')}

    assert strict.post(ROOT + IMPORT, sent).status_code == 403


def test_opening_the_address_leads_to_the_tab(portal):
    answer = portal.browser.get(ROOT + IMPORT)

    assert answer["Location"] == f"{ROOT}application/add/?tab=import"


def test_what_a_file_says_is_shown_as_text(portal, db):
    evil = "<script>alert(1)</script>"

    answer = portal.post(
        IMPORT,
        {
            "file": SimpleUploadedFile(
                "a.json", json.dumps([document("a", Name=evil, Description=evil)]).encode()
            )
        },
    )
    wrong = portal.post(
        IMPORT, {"file": SimpleUploadedFile("a.json", json.dumps(document(evil)).encode())}
    )

    for page in (answer.content.decode(), wrong.content.decode()):
        assert evil not in page
        assert not INLINE.search(page), INLINE.search(page)
