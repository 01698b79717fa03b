"""Every route, every method, every role: whoever is not in this table gets in nowhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import (
    Application,
    AuditEvent,
    ClientSecret,
    Grant,
    Permission,
    ServiceUser,
    SigningKey,
)
from tests.api.conftest import SCOPE, Api, allow, caller, give, token_for
from tests.fixtures import make_user
from tests.journeys import SECRET, make_application, make_service_user

NEW = {"template": "OAuth2ServerClient", "application_id": "new", "name": "New"}
DOCUMENT = {"ServiceName": "target", "Name": "Renamed"}
NEW_DOCUMENT = {"ServiceName": "new", "Name": "New"}
EVERYBODY = "applications/{id}/permissions/everybody/Everybody"

# method, address, body -> name; the table below says who may.
OPERATIONS: Mapping[str, tuple[str, str, Any]] = {
    "list_applications": ("GET", "applications", None),
    "create_application": ("POST", "applications", NEW),
    "import_applications": ("POST", "applications/import", DOCUMENT),
    "export_applications": ("GET", "applications/export", None),
    "read_application": ("GET", "applications/{id}", None),
    "replace_application": ("PUT", "applications/{id}", NEW),
    "update_application": ("PATCH", "applications/{id}", {"category": "Tools"}),
    "delete_application": ("DELETE", "applications/{id}", None),
    "clone_application": (
        "POST",
        "applications/{id}/clone",
        {"application_id": "new", "name": "New"},
    ),
    "export_application": ("GET", "applications/{id}/export", None),
    "list_application_secrets": ("GET", "applications/{id}/secrets", None),
    "rotate_application_secret": ("POST", "applications/{id}/secrets", {}),
    "revoke_application_secret": ("DELETE", "applications/{id}/secrets/{secret}", None),
    "list_permissions": ("GET", "applications/{id}/permissions", None),
    "replace_permissions": ("PUT", "applications/{id}/permissions", {"permissions": []}),
    "read_permission": ("GET", EVERYBODY, None),
    "set_permission": ("PUT", EVERYBODY, {"rights": ["can_run"]}),
    "delete_permission": ("DELETE", EVERYBODY, None),
    "list_service_users": ("GET", "service-users", None),
    "create_service_user": ("POST", "service-users", {"client_id": "new"}),
    "read_service_user": ("GET", "service-users/victim", None),
    "update_service_user": ("PATCH", "service-users/victim", {"is_active": False}),
    "delete_service_user": ("DELETE", "service-users/victim", None),
    "list_service_user_secrets": ("GET", "service-users/victim/secrets", None),
    "rotate_service_user_secret": ("POST", "service-users/victim/secrets", {}),
    "revoke_service_user_secret": ("DELETE", "service-users/victim/secrets/{robots}", None),
    "list_grants": ("GET", "grants", None),
    "revoke_grants": ("POST", "grants/revoke", {"user": "ada"}),
    "read_grant": ("GET", "grants/{grant}", None),
    "revoke_grant": ("POST", "grants/{grant}/revoke", {}),
    "list_signing_keys": ("GET", "signing-keys", None),
    "rotate_signing_key": ("POST", "signing-keys/rotate", {"algorithm": "ES256"}),
    "read_signing_key": ("GET", "signing-keys/{kid}", None),
    "retire_signing_key": ("POST", "signing-keys/{kid}/retire", {"replace": True}),
    "list_audit_events": ("GET", "audit-events", None),
    "read_audit_event": ("GET", "audit-events/{event}", None),
}

# What whoever may come in gets without any right: empty lists, and nothing that leads anywhere.
NOTHING: Mapping[str, int] = {
    **dict.fromkeys(("list_applications", "export_applications", "list_grants"), 200),
    "revoke_grants": 200,
    "import_applications": 422,
    "create_application": 403,
    **{
        name: 404
        for name, (_, address, _) in OPERATIONS.items()
        if address.startswith(("applications/{id}", "grants/{grant}"))
    },
    **{
        name: 403
        for name, (_, address, _) in OPERATIONS.items()
        if address.startswith(("service-users", "signing-keys", "audit-events"))
    },
}
READS = (
    *("read_application", "export_application", "list_application_secrets", "list_permissions"),
    "read_permission",
)
CHANGES = (
    *("replace_application", "update_application", "rotate_application_secret"),
    "revoke_application_secret",
)
GRANTING = ("replace_permissions", "set_permission", "delete_permission")
DELETING = ("delete_application",)
CLONING = ("clone_application",)

VIEW: Mapping[str, int] = {
    **NOTHING,
    **dict.fromkeys(READS, 200),
    **dict.fromkeys((*CHANGES, *GRANTING, *DELETING, *CLONING), 403),
}
GRANTS = dict.fromkeys(("read_grant", "revoke_grant"), 200)
DONE = {
    **dict.fromkeys(OPERATIONS, 200),
    **dict.fromkeys(
        (name for name in OPERATIONS if name.startswith(("delete_", "revoke_app"))), 204
    ),
    **dict.fromkeys(("create_application", "clone_application", "create_service_user"), 201),
    **dict.fromkeys((name for name in OPERATIONS if name.startswith("rotate_")), 201),
    "revoke_service_user_secret": 204,
}


def done(*names: str) -> dict[str, int]:
    return {name: DONE[name] for name in names}


MANAGE = {**VIEW, **done(*CHANGES), **GRANTS, "import_applications": 200}

EXPECTED: Mapping[str, Mapping[str, int]] = {
    "anonymous": dict.fromkeys(OPERATIONS, 401),
    "person": dict.fromkeys(OPERATIONS, 403),
    "person with every right": dict.fromkeys(OPERATIONS, 403),
    "inactive superuser": dict.fromkeys(OPERATIONS, 401),
    "staff": NOTHING,
    "staff with View": VIEW,
    "staff with Manage": MANAGE,
    "staff with Delete": {**VIEW, **done(*DELETING)},
    # Nobody takes the last Grant right away, not even their own.
    "staff with Grant": {**VIEW, **done(*GRANTING), "replace_permissions": 422},
    "staff who may view": {**VIEW, **done("list_service_users")}
    | done("read_service_user", "list_service_user_secrets", "read_grant")
    | {"revoke_grant": 403}
    | done("list_signing_keys", "read_signing_key", "list_audit_events", "read_audit_event"),
    "staff who may add": {**NOTHING, **done("create_application", "create_service_user")},
    "staff who may change": {**MANAGE, **done(*GRANTING)}
    | done(*(name for name in OPERATIONS if "service_user" in name))
    | {"create_service_user": 403, "delete_service_user": 403}
    | done(*(name for name in OPERATIONS if "signing_key" in name)),
    "staff who may delete": {**VIEW, **done(*DELETING, "delete_service_user")},
    "bearer without scope": dict.fromkeys(OPERATIONS, 403),
    "bearer without rights": NOTHING,
    "bearer of another application": dict.fromkeys(OPERATIONS, 401),
    "bearer with Manage": MANAGE,
    "superuser": DONE,
}


@pytest.fixture
def there(db: None, ada: Any) -> dict[str, Any]:
    """One of everything."""
    now = timezone.now()
    target = make_application(
        application_id="target",
        template="Generic OpenID Connect",
        client_id_type="Confidential",
        client_ids=[],
        everybody=False,
    )
    Permission.objects.create(application=target, principal="everybody", can_view=False)
    make_service_user(make_user("victim"), SECRET)
    secret = ClientSecret.objects.create(application=target, digest=b"x" * 32)
    grant = Grant.objects.create(
        application=target,
        user=ada,
        client_id="c",
        subject="s",
        auth_time=now,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    event = AuditEvent.objects.create(at=now, action="user.signed_in", expires_at=now)
    keys.signer("ES256", now)
    return {
        "id": target.pk,
        "secret": secret.pk,
        "robots": ClientSecret.objects.exclude(service_user=None).get().pk,
        "grant": grant.pk,
        "kid": SigningKey.objects.get(algorithm="ES256").kid,
        "event": event.pk,
        "target": target,
    }


def staff(*permissions: str) -> Callable[[Application, Application], Api]:
    def make(target: Application, operations: Application) -> Api:
        user = make_user("kim", is_staff=True)
        allow(user, *permissions)
        return caller(user)

    return make


def with_rights(*rights: str, **fields: Any) -> Callable[[Application, Application], Api]:
    def make(target: Application, operations: Application) -> Api:
        user = make_user("kim", **fields)
        give(user, target, *rights)
        return caller(user)

    return make


def machine(
    *rights: str, scope: str = SCOPE, application_id: str = "operations"
) -> Callable[[Application, Application], Api]:
    def make(target: Application, operations: Application) -> Api:
        user = make_user("kim")
        make_service_user(user, SECRET)
        if rights:
            give(user, target, *rights)
        if application_id != operations.application_id:
            operations.application_id = application_id
            operations.save()
        return Api(token=token_for(operations, user, scope))

    return make


def shut_out(target: Application, operations: Application) -> Api:
    user = make_user("kim", is_staff=True, is_superuser=True)
    made = caller(user)
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    return made


def all_of(verb: str) -> Callable[[Application, Application], Api]:
    models = ["application", "serviceuser", "permission", "grant", "signingkey", "auditevent"]
    return staff(*(f"{verb}_{model}" for model in models))


EVERY_RIGHT = ("can_grant", "can_view", "can_manage", "can_delete")
ROLES: Mapping[str, Callable[[Application, Application], Api]] = {
    "anonymous": lambda *_: Api(browser=Browser()),
    "person": lambda *_: caller(make_user("kim")),
    "person with every right": with_rights(*EVERY_RIGHT),
    "inactive superuser": shut_out,
    "staff": staff(),
    "staff with View": with_rights("can_view", is_staff=True),
    "staff with Manage": with_rights("can_manage", is_staff=True),
    "staff with Delete": with_rights("can_delete", is_staff=True),
    "staff with Grant": with_rights("can_grant", is_staff=True),
    "staff who may view": all_of("view"),
    "staff who may add": all_of("add"),
    "staff who may change": all_of("change"),
    "staff who may delete": all_of("delete"),
    "bearer without scope": machine(*EVERY_RIGHT, scope="other"),
    "bearer without rights": machine(),
    "bearer of another application": machine(*EVERY_RIGHT, application_id="elsewhere"),
    "bearer with Manage": machine("can_manage"),
    "superuser": lambda *_: caller(make_user("kim", is_staff=True, is_superuser=True)),
}
PAIRS = [(role, name) for role in ROLES for name in OPERATIONS]


def test_the_table_holds_every_operation_and_every_role() -> None:
    """A route that is added without saying who may call it fails here."""
    from oidc_pkce.api.urls import RESOURCES, urlpatterns

    others = [pattern.name for pattern in urlpatterns[1:]]
    assert others == ["openapi", "documentation", "nowhere"]
    assert sorted(operations_of(RESOURCES)) == sorted(OPERATIONS)
    assert list(EXPECTED) == list(ROLES)
    for role, expected in EXPECTED.items():
        assert set(expected) == set(OPERATIONS), role


def operations_of(patterns: Any) -> list[str]:
    from oidc_pkce.api.schema import document

    made = document(patterns)
    return [told["operationId"] for path in made["paths"].values() for told in path.values()]


@pytest.mark.parametrize(("role", "name"), PAIRS, ids=lambda value: value.replace(" ", "-"))
def test_a_role_gets_exactly_what_the_table_says(
    there: dict[str, Any], operations: Application, role: str, name: str
) -> None:
    api = ROLES[role](there["target"], operations)
    method, address, body = OPERATIONS[name]
    before = counts()

    told = api.call(method, address.format(**there), body, match="*")

    expected = EXPECTED[role][name]
    assert told.status == expected, told.response.content
    if expected >= 400:
        assert told.json["status"] == expected
        assert counts() == before
        there["target"].refresh_from_db()
        assert there["target"].version == 1


def counts() -> list[int]:
    kept: tuple[Any, ...] = (Application, ClientSecret, SigningKey, Permission, ServiceUser)
    live = Grant.objects.filter(revoked_at=None).count()
    return [live, *(model.objects.count() for model in kept)]


@pytest.mark.parametrize("role", ["staff", "bearer without rights"])
def test_empty_handed_callers_get_empty_lists(
    there: dict[str, Any], operations: Application, role: str
) -> None:
    api = ROLES[role](there["target"], operations)

    assert api.get("applications").json["results"] == []
    assert api.get("applications/export").json == []
    assert api.get("grants").json["results"] == []
    assert api.post("grants/revoke", {"user": "ada"}).json["revoked"] == 0


@pytest.mark.parametrize("role", list(ROLES))
@pytest.mark.parametrize("path", ["openapi.json", "docs/"])
def test_the_documentation_is_for_whoever_may_come_in(
    there: dict[str, Any], operations: Application, role: str, path: str
) -> None:
    told = ROLES[role](there["target"], operations).get(path)

    expected = 403 if EXPECTED[role]["list_applications"] == 403 else 200
    if EXPECTED[role]["list_applications"] == 401:
        expected = 302 if path == "docs/" and role != "bearer of another application" else 401
    assert told.status == expected
