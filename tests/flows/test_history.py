"""The record of an application replays to what is stored of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from oidc_pkce.flows import cleanup, webapps
from oidc_pkce.flows.webapps import (
    Actor,
    Changes,
    LogoChange,
    PermissionChange,
    ScopeChange,
    cloning,
    history,
)
from oidc_pkce.flows.webapps.changes import snapshot
from oidc_pkce.models import Application, AuditEvent, Permission, Principal, Right, Role
from oidc_pkce.protocol.application import UserNameStrategy
from tests.fixtures import make_user
from tests.journeys import make_application, make_service_user

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ROBIN = Actor(name="robin")
BASICS = {"template": "OAuth2ServerClient", "application_id": "fresh", "name": "Fresh"}
PNG = b"\x89PNG\r\n\x1a\n"

#: Every field that a page sets, with values to choose from.
FIELDS: dict[str, list[Any]] = {
    "application_id": ["fresh", "fresher", "Freshest"],
    "name": ["Fresh", "Ünïcode “x”", "<b>"],
    "description": ["", "Several\nlines"],
    "enabled": [True, False],
    "client_id_type": ["List", "Anything", "Confidential"],
    "client_ids": [[], ["a"], ["b", "a"]],
    "redirect_uris": [[], ["https://a.example/cb"], ["https://b.example/", "app.example:/x"]],
    "flows": [["AuthorizationCode"], ["ClientCreds", "AuthorizationCode"]],
    "access_token_lifetime": [timedelta(minutes=1), timedelta(days=3, seconds=7)],
    "issues_refresh_tokens": [True, False],
    "token_type": ["JwtRS256", "Opaque"],
    "requires_consent": [True, False],
    "user_name_strategy": list(UserNameStrategy),
    "shared_user_name": ["", "all"],
    "sign_in_max_age": [None, timedelta(minutes=15)],
    "allowed_networks": [[], ["10.0.0.0/8", "2001:db8::/32"]],
    "required_acr": ["", "aal2"],
    "category": ["Other", "Tools"],
}


def create(**fields: Any) -> Application:
    return webapps.create(Changes({**BASICS, **fields}), actor=ROBIN, now=NOW)


def replayed(application: Application) -> dict[str, Any]:
    return history.replay(AuditEvent.objects.filter(application=application))


def stored(application: Application) -> dict[str, Any]:
    """As JSON, for that is what a record can hold."""
    current = Application.objects.get(pk=application.pk)
    return dict(json.loads(json.dumps(snapshot(current))))


class Administrators:
    """They do what they like, by one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a test that can be repeated
        self.application = create()
        self.users = [make_user(f"user{n}") for n in range(4)]
        self.groups = [Group.objects.create(name=f"group{n}") for n in range(3)]

    def act(self) -> None:
        """One change, of whatever kind."""
        acts: list[Callable[[], None]] = [
            self.set_fields,
            self.set_fields,
            self.set_scopes,
            self.set_permissions,
            self.set_logo,
            self.import_again,
            self.somebody_goes,
            self.something_is_refused,
        ]
        self.random.choice(acts)()

    def update(self, changes: Changes) -> None:
        webapps.update(self.application, changes, actor=ROBIN, now=NOW)

    def set_fields(self) -> None:
        names = self.random.sample(sorted(FIELDS), 3)
        chosen = {name: self.random.choice(FIELDS[name]) for name in names}
        with suppress(ValidationError):  # what contradicts itself is refused, and leaves nothing
            self.update(Changes(chosen))

    def set_scopes(self) -> None:
        names = self.random.sample(["a", "b", "c", "d"], self.random.randrange(4))
        scopes = (ScopeChange(n, f"About {n}", (f"{n}/.*",) * (n > "b")) for n in names)
        self.update(Changes(scopes=tuple(scopes)))

    def set_permissions(self) -> None:
        rows = [PermissionChange(Principal.EVERYBODY, self._rights())]
        rows += [
            PermissionChange(Principal.USER, self._rights(), user.username, user.pk)
            for user in self.users
        ]
        rows += [
            PermissionChange(Principal.GROUP, self._rights(), group.name, group.pk)
            for group in self.groups
        ]
        self.update(Changes(permissions=tuple(self.random.sample(rows, len(rows) // 2))))

    def set_logo(self) -> None:
        content = self.random.choice([None, PNG + b"one", PNG + b"two"])
        self.update(Changes(logo=LogoChange(content)))

    def import_again(self) -> None:
        current = Application.objects.get(pk=self.application.pk)
        (document,) = webapps.export_documents([current])
        document["Description"] = f"Imported {self.random.randrange(3)}"
        document["OAuthProfile"]["KnownScopes"] += [{"Scope": f"x{self.random.randrange(99)}"}]
        scopes = {scope["Scope"]: scope for scope in document["OAuthProfile"]["KnownScopes"]}
        document["OAuthProfile"]["KnownScopes"] = list(scopes.values())
        webapps.import_documents(json.dumps([document]), actor=ROBIN, now=NOW)

    def somebody_goes(self) -> None:
        people = self.random.choice([self.users, self.groups])
        if len(people) > 1:
            people.pop().delete()

    def something_is_refused(self) -> None:
        bad = Changes({"redirect_uris": ["javascript:alert(1)"], "name": "Half"})
        with pytest.raises(Exception, match="cannot carry"):
            self.update(bad)

    def _rights(self) -> frozenset[Right]:
        return frozenset(self.random.sample(list(Right), self.random.randrange(1, 6)))


@pytest.mark.parametrize("seed", range(12))
def test_many_changes_replay_to_the_present_state(seed):
    administrators = Administrators(seed)

    for _ in range(25):
        administrators.act()
        assert replayed(administrators.application) == stored(administrators.application)

    assert AuditEvent.objects.count() > 5


def test_what_was_never_changed_replays_too():
    made = create()

    assert replayed(made) == stored(made)


def test_a_clone_replays_from_its_own_beginning():
    source = create()
    scopes, logo = (ScopeChange("read", "Read", ("a/.*",)),), LogoChange(PNG)
    webapps.update(source, Changes(scopes=scopes, logo=logo), actor=ROBIN, now=NOW)
    owner = make_user("owner")

    made = cloning.clone(source, application_id="copy", name="Copy", user=owner, now=NOW)

    assert replayed(made) == stored(made)
    assert replayed(made)["scopes"] == replayed(source)["scopes"]


def test_events_in_any_order_replay_alike():
    made = create()
    for n in range(5):
        webapps.update(made, Changes({"name": f"Name {n}"}), actor=ROBIN, now=NOW)
    events = list(AuditEvent.objects.all())

    random.Random(1).shuffle(events)  # noqa: S311 - a test

    assert history.replay(events) == stored(made)


def test_what_is_imported_anew_replays(db):
    data = json.dumps([{"ServiceName": "new", "TemplateName": "OAuth2Server", "Name": "New"}])
    webapps.import_documents(data, actor=ROBIN, now=NOW)
    made = Application.objects.get()

    assert replayed(made) == stored(made)


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_deleted_principal_is_recorded_in_each_application_and_no_other(kind):
    made = make_user("leaver") if kind == "user" else Group.objects.create(name="leaver")
    names = ("first", "second", "untouched")
    applications = [make_application(application_id=name, name=name) for name in names]
    for each in applications[:2]:
        Permission.objects.create(application=each, principal=kind, **{kind: made})

    made.delete()

    recorded = AuditEvent.objects.order_by("pk")
    assert [event.application_name for event in recorded] == ["first", "second"]
    event = recorded[0]
    assert (event.action, event.actor_name) == ("application.updated", "")
    assert event.details["departed"] == {"principal": kind, "name": "leaver"}
    change = event.details["changes"]["permissions"]
    gone = {"principal": kind, "name": "leaver", "rights": ["can_view", "can_run", "is_deployed"]}
    assert [entry for entry in change["before"] if entry not in change["after"]] == [gone]
    versions = Application.objects.order_by("pk").values_list("version", flat=True)
    assert list(versions) == [2, 2, 1]


@pytest.mark.parametrize("way", ["instance", "queryset", "role", "service user"])
def test_however_somebody_is_deleted_it_is_recorded(list_app, way):
    user, role = make_user("leaver"), Role.objects.create(name="leaver")
    kind = "group" if way == "role" else "user"
    principal = Group.objects.get() if way == "role" else user
    Permission.objects.create(application=list_app, principal=kind, **{kind: principal})

    if way == "instance":
        user.delete()
    elif way == "queryset":
        get_user_model().objects.filter(username="leaver").delete()
    elif way == "role":
        role.delete()
    else:
        from oidc_pkce.flows import service_user

        service_user.delete(make_service_user(user), actor=ROBIN, now=NOW)

    assert AuditEvent.objects.filter(action="application.updated").count() == 1
    assert Permission.objects.get().principal == "everybody"


def test_an_open_form_notices_that_somebody_went(list_app, ada):
    Permission.objects.create(application=list_app, principal="user", user=ada)
    ada.delete()

    with pytest.raises(webapps.EditedMeanwhile):
        webapps.update(list_app, Changes({"name": "x"}), actor=ROBIN, now=NOW, expected_version=1)


def test_deleting_costs_the_same_for_each_application_however_many_rows_it_has(
    list_app, ada, bob, django_assert_max_num_queries
):
    for user in (ada, bob):
        Permission.objects.create(application=list_app, principal="user", user=user)
    with django_assert_max_num_queries(60) as few:
        ada.delete()
    users: Any = get_user_model()
    made = users.objects.bulk_create(users(username=f"u{n}") for n in range(300))
    Permission.objects.bulk_create(
        Permission(application=list_app, principal="user", user=user) for user in made
    )

    with django_assert_max_num_queries(len(few)):
        bob.delete()


def test_deleting_an_application_or_replacing_its_rows_records_no_departure(list_app, ada):
    Permission.objects.create(application=list_app, principal="user", user=ada)
    webapps.update(list_app, Changes(permissions=()), actor=ROBIN, now=NOW)
    Permission.objects.create(application=list_app, principal="user", user=ada)
    webapps.delete(list_app, actor=ROBIN, now=NOW)

    assert [event.action for event in AuditEvent.objects.order_by("pk")] == [
        "application.updated",
        "application.deleted",
    ]
    assert not any("departed" in event.details for event in AuditEvent.objects.all())


def test_a_deletion_that_fails_records_nothing(list_app, ada):
    Permission.objects.create(application=list_app, principal="user", user=ada)

    with transaction.atomic():
        ada.delete()
        transaction.set_rollback(True)

    assert not AuditEvent.objects.exists()
    assert Application.objects.get().version == 1
    assert Permission.objects.count() == 2


def test_history_names_people_as_they_were_called_then(ada):
    made = create()
    row = PermissionChange(Principal.USER, frozenset({Right.RUN}), "ada", ada.pk)
    webapps.update(made, Changes(permissions=(row,)), actor=ROBIN, now=NOW)
    get_user_model().objects.filter(pk=ada.pk).update(username="ada.lovelace")

    assert replayed(made)["permissions"][0]["name"] == "ada"
    assert stored(made)["permissions"][0]["name"] == "ada.lovelace"

    webapps.update(made, Changes(permissions=()), actor=ROBIN, now=NOW)
    assert replayed(made) == stored(made)


def test_the_record_of_an_application_outlives_the_audit_lifetime():
    made = create()
    later = timezone.now() + timedelta(days=10 * 365)
    webapps.update(made, Changes({"name": "Renamed"}), actor=ROBIN, now=NOW)

    swept = cleanup.sweep(later + timedelta(days=5000))

    assert swept["audit_events"] == 0
    assert replayed(made) == stored(made)


def test_the_record_of_a_deleted_application_expires_as_every_other():
    made = create()
    webapps.delete(made, actor=ROBIN, now=NOW)
    later = NOW + timedelta(days=5000)

    assert cleanup.count(later)["audit_events"] == 2
    assert cleanup.sweep(later)["audit_events"] == 2


def test_other_events_of_an_application_expire(openid_app):
    webapps.set_client_secret(openid_app, actor=ROBIN, now=NOW)

    assert cleanup.sweep(NOW + timedelta(days=5000))["audit_events"] == 1
