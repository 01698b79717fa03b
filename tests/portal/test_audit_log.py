"""The audit log: readable, found by exact words, exported without harm, and that is audited."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.functional import Promise

from oidc_pkce import audit
from oidc_pkce.flows import audit_export
from oidc_pkce.models import AuditEvent
from oidc_pkce.portal.audit_log import SUBJECTS, actions_about
from oidc_pkce.portal.base import BoundedPaginator
from tests.portal.administrators import staff
from tests.portal.conftest import INLINE
from tests.portal.records import manager, shown

FORMULAS = {
    "equals": "=1+1",
    "plus": "+1",
    "minus": "-1+cmd|' /C calc'!A0",
    "at": "@SUM(1)",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "newline": "\n=1+1",
    "space": "  =1+1",
    "no-break space": "\u00a0=1+1",
    "zero width": "\u200b=1+1",
    "byte order mark": "\ufeff=1+1",
    "wide equals": "\uff1d1+1",
    "wide plus": "\uff0b1",
    "wide minus": "\uff0d1",
    "wide at": "\uff20SUM(1)",
    "behind a quotation mark": '"=1+1',
    "behind a semicolon": "a;=1+1",
    "behind a line": "a\n=1+1",
    "behind a tab": "a\t@SUM(1)",
}
HARMLESS = ("a=b", "a - b", "ada@example.com", "https://x.example/?a=b", "", "2031-05-01", "1+1")


def event(action=audit.Action.APPLICATION_UPDATED, **fields):
    moment = fields.pop("now", timezone.now())
    audit.record(action, now=moment, **fields)
    return AuditEvent.objects.first()


def many(count):
    now = timezone.now()
    made = [
        audit.event(audit.Action.SIGNED_IN, now=now - timedelta(minutes=n), actor_name=f"u{n % 7}")
        for n in range(count)
    ]
    audit.record_all(made)


def download(portal, form="csv", query=""):
    answer = portal.browser.post(f"/admin/oidc_pkce/auditevent/export/{form}/{query}")
    assert answer.status_code == 200, answer.status_code
    return answer, b"".join(answer.streaming_content).decode()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("action", list(audit.Action), ids=str)
def test_every_action_has_a_translatable_name_and_a_group(action):
    assert isinstance(action._label_, Promise)
    assert str(action.label)
    assert action.value in actions_about(action.partition(".")[0])
    assert action.partition(".")[0] in SUBJECTS


def test_an_event_says_what_was_before_and_what_is_after(portal, list_app):
    changes = {"name": {"before": "My App", "after": "Renamed"}}
    found = event(actor_name="robin", application_name="Renamed", details={"changes": changes})

    page = portal.text(f"auditevent/{found.pk}/change/")

    for told in ("Application changed", "robin", "My App", "Renamed", "Before", "After"):
        assert told in page


def test_an_event_of_another_version_is_still_shown(portal):
    found = event("later.invented", details={"changes": {"x": {"after": 1}}, "odd": [1]})

    assert "later.invented" in portal.text("auditevent/")
    assert "later.invented" in portal.text(f"auditevent/{found.pk}/change/")


def test_an_event_outlives_its_actor_and_its_application(portal, list_app, ada):
    event(actor_pk=ada.pk, actor_name="ada", application_pk=list_app.pk, application_name="My App")
    ada.delete()
    list_app.delete()

    page = portal.text("auditevent/", q='ada "My App"')

    assert shown(page) == 1


@pytest.mark.parametrize("word", ["ada", "My App", "my_app", "my_client"])
def test_an_event_is_found_by_each_of_its_names(portal, list_app, ada, word):
    event(
        actor_pk=ada.pk,
        actor_name="ada",
        application_pk=list_app.pk,
        application_name="My App",
        client_id="my_client",
    )
    event(actor_name="bob", application_name="Other", client_id="c")

    assert shown(portal.text("auditevent/", q=word)) == 1
    assert shown(portal.text("auditevent/", q=word[:2])) == 0


def test_events_are_filtered_by_group_action_and_time(portal):
    event(audit.Action.KEY_ROTATED)
    event(audit.Action.KEY_CREATED)
    event(audit.Action.SIGNED_IN, now=timezone.now() - timedelta(days=2))

    assert shown(portal.text("auditevent/", about="key")) == 2
    assert shown(portal.text("auditevent/", about="key", action="key.rotated")) == 1
    assert shown(portal.text("auditevent/", action="key.rotated")) == 1
    assert shown(portal.text("auditevent/", within="24")) == 2
    assert shown(portal.text("auditevent/", about="nonsense")) == 0


def test_actions_are_offered_for_the_group_that_was_chosen(portal):
    page = portal.text("auditevent/", about="key")

    assert "Signing key rotated" in page
    assert "Grant revoked" not in page


def test_the_list_costs_the_same_for_few_and_for_many(portal, django_assert_max_num_queries):
    many(3)
    with django_assert_max_num_queries(12) as few:
        portal.get("auditevent/")
    many(4000)

    with django_assert_max_num_queries(len(few)):
        portal.get("auditevent/")
    with django_assert_max_num_queries(len(few)):
        portal.get("auditevent/", q="u1", about="user", within="720")


def test_rows_are_counted_up_to_a_bound(portal, monkeypatch):
    monkeypatch.setattr(BoundedPaginator, "most", 60)
    many(100)

    assert "There are more than these 60." in portal.text("auditevent/")


def test_what_strangers_wrote_is_shown_as_text(portal):
    nasty = "<script>alert(1)</script>"
    found = event(actor_name=nasty, client_id=nasty, details={nasty: nasty, "changes": {nasty: {}}})

    for path in ("auditevent/", f"auditevent/{found.pk}/change/"):
        page = portal.get(path).content.decode()
        assert "<script>alert" not in page
        assert not INLINE.search(page), INLINE.search(page)


# --- export -------------------------------------------------------------------------------------


def test_the_export_as_csv_holds_what_the_list_shows(portal):
    event(audit.Action.KEY_ROTATED, actor_name="robin", details={"kid": "k"})
    event(audit.Action.SIGNED_IN, actor_name='Ödön, "the" admin')

    answer, text = download(portal, query="?about=user")

    (row,) = rows_of(text)
    assert (row["action"], row["label"]) == ("user.signed_in", "Signed in")
    assert row["actor"] == 'Ödön, "the" admin'
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="audit-log.csv"'
    assert "no-store" in answer["Cache-Control"]


def test_the_export_as_json_holds_what_is_stored(portal):
    event(audit.Action.KEY_ROTATED, actor_name="=robin", details={"kid": "=k"})
    event(audit.Action.SIGNED_IN)

    _, text = download(portal, "json")

    first, second = json.loads(text)
    assert first["action"] == "user.signed_in"
    assert (second["actor"], second["details"]) == ("=robin", {"kid": "=k"})


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_export_of_nothing_is_still_a_file(portal, form):
    _, text = download(portal, form, "?q=nobody")

    assert (json.loads(text) if form == "json" else rows_of(text)) == []


def test_the_export_is_audited_and_does_not_hold_itself(portal):
    event(audit.Action.SIGNED_IN, actor_name="ada")

    _, text = download(portal, query="?q=ada&about=user")

    found = AuditEvent.objects.first()
    assert (found.action, found.actor_name) == ("audit.exported", "robin")
    assert found.details == {"format": "csv", "filter": {"q": "ada", "about": "user"}}
    assert "audit.exported" not in text


def test_the_export_is_bounded_and_read_in_batches(
    portal, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr(audit_export, "MOST", 250)
    monkeypatch.setattr(audit_export, "BATCH", 100)
    many(400)
    newest = list(AuditEvent.objects.values_list("at", flat=True)[:250])

    with django_assert_max_num_queries(20):
        _, text = download(portal)

    assert [row["time"] for row in rows_of(text)] == [at.isoformat() for at in newest]


@pytest.mark.parametrize("name", list(FORMULAS))
def test_no_cell_of_the_csv_is_a_formula(portal, name):
    text = FORMULAS[name]
    event("later.x", actor_name=text, application_name=text, client_id=text, details={text: text})

    _, csv_text = download(portal)

    (row,) = rows_of(csv_text)
    for column in ("actor", "application", "client"):
        cell = row[column]
        assert cell.replace("'", "") == text.replace("'", "")
        assert "'" in cell.partition("1")[0]
        assert not re.search(r"(\A|[;\t\r\n])[=+\-@\uff1d\uff0b\uff0d\uff20]", cell)
    assert row["details"].startswith("{")
    assert all(line.startswith('"') for line in csv_text.removeprefix("\ufeff").split("\r\n")[:-1])


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_exported_as_it_is(text):
    assert audit_export.harmless(text) == text


def test_guarding_a_long_hostile_text_takes_no_time():
    start = timezone.now()

    audit_export.harmless(";\t \n" * 20_000 + "x")

    assert timezone.now() - start < timedelta(seconds=5)


def test_an_export_is_posted(portal):
    assert portal.browser.get("/admin/oidc_pkce/auditevent/export/csv/").status_code == 405
    assert portal.browser.post("/admin/oidc_pkce/auditevent/export/xml/").status_code == 404
    assert not AuditEvent.objects.exists()


def test_an_export_asks_no_other_columns(portal):
    path = "/admin/oidc_pkce/auditevent/export/csv/?actor__password__startswith=x"

    assert portal.browser.post(path).status_code == 400
    assert not AuditEvent.objects.exists()


# --- who may -----------------------------------------------------------------------------------


def test_nothing_less_than_the_right_to_view_events_opens_the_log(list_app):
    found = event(application_pk=list_app.pk)
    for stranger in (
        manager(list_app),
        staff("other", "change_application", "view_grant", "change_auditevent"),
    ):
        for path in ("", f"{found.pk}/change/"):
            answer = stranger.browser.get(f"/admin/oidc_pkce/auditevent/{path}")
            assert answer.status_code == 403
        assert stranger.browser.post("/admin/oidc_pkce/auditevent/export/csv/").status_code == 403


def test_who_may_view_events_may_export_and_change_none(list_app):
    found = event()
    viewer = staff("viewer", "view_auditevent")

    download(viewer)
    viewer.browser.post(f"/admin/oidc_pkce/auditevent/{found.pk}/change/", {"action": "x"})
    answer = viewer.browser.post(f"/admin/oidc_pkce/auditevent/{found.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert AuditEvent.objects.get(pk=found.pk).action == "application.updated"
