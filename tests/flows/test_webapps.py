"""Applications are created, changed and deleted whole, and the audit log says how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction

from oidc_pkce import signals
from oidc_pkce.flows import metadata
from oidc_pkce.flows.webapps import (
    Actor,
    Changes,
    EditedMeanwhile,
    PermissionChange,
    ScopeChange,
    create,
    delete,
    set_client_secret,
    update,
)
from oidc_pkce.models import (
    Application,
    AuditEvent,
    ClientSecret,
    Grant,
    Permission,
    Principal,
    Right,
)

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ROBIN = Actor(name="robin")
BASICS = {"template": "OAuth2ServerClient", "application_id": "fresh", "name": "Fresh"}
EVERYBODY = PermissionChange(Principal.EVERYBODY, frozenset({Right.RUN, Right.MANAGE}))


#: Four scopes of 500 patterns are possible, for each is tried against each path.
PATTERNS = tuple(f"a/{n}" for n in range(500))


def change(application: Application, **fields: object) -> Application:
    return update(application, Changes(fields), actor=ROBIN, now=NOW)


def secrets_of(application: Application) -> int:
    return ClientSecret.objects.filter(application=application).live(NOW).count()


def test_an_application_is_created_with_its_scopes_and_permissions(db):
    scopes = (ScopeChange("b", "second"), ScopeChange("a", rest_patterns=("a/.*",)))

    made = create(Changes(BASICS, scopes, (EVERYBODY,)), actor=ROBIN, now=NOW)

    assert [scope.name for scope in made.scopes.all()] == ["b", "a"]
    row = made.permissions.get()
    assert (row.can_run, row.can_manage, row.can_view, row.can_delete) == (True, True, True, False)
    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name, event.at) == ("application.created", "robin", NOW)
    assert event.details["changes"]["name"] == {"before": None, "after": "Fresh"}


def test_a_change_counts_the_version_and_is_audited(list_app):
    changed = change(list_app, name="Renamed", access_token_lifetime=timedelta(hours=1))

    assert (changed.version, Application.objects.get().version) == (2, 2)
    assert AuditEvent.objects.get().details["changes"] == {
        "name": {"before": "My App", "after": "Renamed"},
        "access_token_lifetime": {"before": "0.05:00:00", "after": "0.01:00:00"},
    }


def test_a_change_that_changes_nothing_leaves_no_trace(list_app):
    assert change(list_app, name="My App").version == 1
    assert not AuditEvent.objects.exists()


def test_rows_that_stay_the_same_are_not_written_again(list_app):
    before = Permission.objects.get().pk
    rights = frozenset({Right.VIEW, Right.RUN, Right.DEPLOY})
    same = (PermissionChange(Principal.EVERYBODY, rights),)

    update(list_app, Changes({"name": "Renamed"}, permissions=same), actor=ROBIN, now=NOW)

    assert Permission.objects.get().pk == before


def test_what_is_not_named_stays(list_app):
    changed = update(list_app, Changes(scopes=(ScopeChange("a"),)), actor=ROBIN, now=NOW)

    assert changed.permissions.count() == 1
    assert changed.client_ids == ["my_service_user"]


def test_the_second_of_two_is_refused(list_app):
    change(list_app, name="First")

    with pytest.raises(EditedMeanwhile):
        update(list_app, Changes({"name": "Second"}), actor=ROBIN, now=NOW, expected_version=1)

    assert Application.objects.get().name == "First"


def test_of_two_that_read_the_same_version_one_writes(list_app, monkeypatch):
    """As on a database without row locks, where both pass the comparison."""
    from oidc_pkce.flows.webapps import saving

    def overtaken(application: Application, changes: Changes, further: object) -> None:
        Application.objects.update(version=2)

    monkeypatch.setattr(saving, "require_sound", overtaken)

    with pytest.raises(EditedMeanwhile):
        change(list_app, name="Mine")

    assert Application.objects.get().name == "My App"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (Changes({"redirect_uris": ["javascript:alert(1)"]}), "redirect_uris"),
        (Changes({"name": ""}), "name"),
        (Changes({"template": "Generic SAML"}), "template"),
        (Changes({"access_token_lifetime": timedelta(seconds=59)}), "access_token_lifetime"),
        (Changes(scopes=(ScopeChange("a b"),)), "__all__"),
        (Changes(scopes=(ScopeChange("a"), ScopeChange("a"))), "__all__"),
        (Changes(scopes=tuple(ScopeChange(f"s{n}", "", PATTERNS) for n in range(5))), "__all__"),
        (Changes(permissions=(EVERYBODY, EVERYBODY)), "__all__"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_written(list_app, changes, field):
    with pytest.raises(ValidationError) as refused:
        update(list_app, changes, actor=ROBIN, now=NOW)

    assert list(refused.value.message_dict) == [field]
    assert Application.objects.get().version == 1


def test_only_fields_of_an_application_can_be_set(list_app):
    with pytest.raises(TypeError):
        change(list_app, version=7)


def test_an_application_id_is_taken_whatever_the_case(list_app):
    with pytest.raises(ValidationError, match="Another application has this Application ID"):
        create(Changes({**BASICS, "application_id": "MY_APP"}), actor=ROBIN, now=NOW)


def test_deleting_costs_the_same_however_much_was_issued(
    signed_in, openid, django_assert_max_num_queries
):
    openid.tokens()
    for _ in range(5):
        signed_in.tokens()

    with django_assert_max_num_queries(30):
        delete(signed_in.application, actor=ROBIN, now=NOW)

    assert Grant.objects.get().application == openid.application


def test_deleting_takes_everything_along_and_is_audited(signed_in):
    signed_in.tokens()

    delete(signed_in.application, actor=ROBIN, now=NOW)

    assert not Application.objects.exists()
    event = AuditEvent.objects.get(action="application.deleted")
    assert event.details["changes"]["client_ids"]["before"] == ["my_service_user"]


def test_the_host_hears_of_a_change_after_the_commit(list_app, django_capture_on_commit_callbacks):
    heard = []
    receiver = lambda **sent: heard.append((sent["application_id"], sent["action"]))  # noqa: E731
    signals.application_changed.connect(receiver)

    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        change(list_app, name="Renamed")
        assert heard == []

    signals.application_changed.disconnect(receiver)
    assert heard == [("my_app", "application.updated")]


def test_metadata_is_made_anew_after_a_change(list_app, django_capture_on_commit_callbacks):
    before = metadata.openid_configuration("my_app", NOW)

    with django_capture_on_commit_callbacks(execute=True):
        change(list_app, requires_pkce=False, allows_plain_pkce=True)

    assert metadata.openid_configuration("my_app", NOW).body != before.body


def test_a_generated_secret_has_256_bits_and_is_stored_as_a_digest(openid_app):
    secret = set_client_secret(openid_app, actor=ROBIN, now=NOW)

    stored = ClientSecret.objects.get()
    assert len(secret) == 43
    assert len(bytes(stored.digest)) == 32
    assert stored.facts().matches(secret, NOW)


def test_of_three_live_secrets_the_oldest_goes(openid_app):
    first, second, third = (set_client_secret(openid_app, actor=ROBIN, now=NOW) for _ in range(3))

    live = [row.facts() for row in ClientSecret.objects.all()]
    assert [any(row.matches(one, NOW) for row in live) for one in (first, second, third)] == [
        False,
        True,
        True,
    ]


def test_an_expired_secret_does_not_push_a_live_one_out(openid_app):
    kept = set_client_secret(openid_app, actor=ROBIN, now=NOW)
    past = NOW - timedelta(seconds=1)
    set_client_secret(openid_app, actor=ROBIN, now=past, expires_at=NOW)
    set_client_secret(openid_app, actor=ROBIN, now=NOW)

    rows = ClientSecret.objects.live(NOW)
    assert rows.count() == 2
    assert any(row.facts().matches(kept, NOW) for row in rows)


def test_setting_the_same_secret_twice_changes_nothing(openid_app):
    for _ in range(2):
        set_client_secret(openid_app, "a secret of 24 characters", actor=ROBIN, now=NOW)

    assert secrets_of(openid_app) == 1
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    "secret", ["", "fifteen chars..", "x" * 256, "sixteen chars...\n", "ü" * 20]
)
def test_a_secret_that_is_weak_or_cannot_be_sent_is_refused(openid_app, secret):
    with pytest.raises(ValidationError):
        set_client_secret(openid_app, secret, actor=ROBIN, now=NOW)

    assert secrets_of(openid_app) == 0


def test_no_secret_reaches_the_audit_log(openid_app):
    secret = set_client_secret(openid_app, "canary-secret-0123456789", actor=ROBIN, now=NOW)
    delete(openid_app, actor=ROBIN, now=NOW)

    kept = repr(list(AuditEvent.objects.values()))
    assert secret not in kept
