"""Every screen before every role: who may open it, and who may send something there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import (
    Application,
    AuditEvent,
    ClientSecret,
    Grant,
    LogoutDelivery,
    Principal,
    RequestTrace,
    Right,
    ServiceUser,
    SigningKey,
)
from oidc_pkce.models import Permission as ApplicationPermission
from tests.fixtures import make_user
from tests.journeys import give_secret, make_application

ROWS = ("view", "manage", "delete", "grant")
PERMISSIONS = (
    "oidc_pkce.view_application",
    "oidc_pkce.add_application",
    "oidc_pkce.change_application",
    "oidc_pkce.delete_application",
    "oidc_pkce.change_permission",
    "oidc_pkce.view_serviceuser",
    "oidc_pkce.add_serviceuser",
    "oidc_pkce.change_serviceuser",
    "oidc_pkce.delete_serviceuser",
    "oidc_pkce.view_grant",
    "oidc_pkce.change_grant",
    "oidc_pkce.view_requesttrace",
    "oidc_pkce.view_auditevent",
    "oidc_pkce.view_signingkey",
    "oidc_pkce.change_signingkey",
    "oidc_pkce.view_logoutdelivery",
    "auth.view_group",
    "auth.add_group",
    "auth.change_group",
    "auth.delete_group",
)
OUTSIDE = ("anonymous", "person", "service_user")
ROLES = (*OUTSIDE, "staff", *ROWS, *PERMISSIONS, "superuser")

NOBODY: frozenset[str] = frozenset()


def of(app: str, model: str, *verbs: str) -> frozenset[str]:
    return frozenset({"superuser", *(f"{app}.{verb}_{model}" for verb in verbs)})


SEE = {"view", "manage", "delete", "grant"} | of(
    "oidc_pkce", "application", "view", "change", "delete"
)
SEE = frozenset(SEE | {"oidc_pkce.change_permission"})
MANAGE = of("oidc_pkce", "application", "change") | {"manage"}
DELETE = of("oidc_pkce", "application", "delete") | {"delete"}
SHARE = of("oidc_pkce", "permission", "change") | {"grant"}
ADD = of("oidc_pkce", "application", "add")

IMPORT = ADD | MANAGE
SERVICE_USERS = of("oidc_pkce", "serviceuser", "view", "change")
CHANGE_SERVICE_USERS = of("oidc_pkce", "serviceuser", "change")
ADD_SERVICE_USERS = of("oidc_pkce", "serviceuser", "add")
DELETE_SERVICE_USERS = of("oidc_pkce", "serviceuser", "delete")
GRANTS = of("oidc_pkce", "grant", "view", "change") | {"manage", "oidc_pkce.change_application"}
REVOKE = of("oidc_pkce", "grant", "change") | {"manage", "oidc_pkce.change_application"}
REQUESTS = of("oidc_pkce", "requesttrace", "view") | {"manage", "oidc_pkce.change_application"}
DELIVERIES = of("oidc_pkce", "logoutdelivery", "view") | {"manage", "oidc_pkce.change_application"}
AUDIT = of("oidc_pkce", "auditevent", "view")
KEYS = of("oidc_pkce", "signingkey", "view", "change")
CHANGE_KEYS = of("oidc_pkce", "signingkey", "change")
GROUPS = of("auth", "group", "view", "change")
CHANGE_GROUPS = of("auth", "group", "change")
ONLY_SUPERUSER = frozenset({"superuser"})

#: Per screen: what it is about, who may open it, who may send something there.
SCREENS: Mapping[str, tuple[str, frozenset[str], frozenset[str]]] = {
    "application_changelist": ("", SEE, SEE),
    "application_add": ("", IMPORT, IMPORT),
    "application_import": ("", IMPORT, IMPORT),
    "application_add_one": ("entry", ADD, ADD),
    "application_change": ("application", SEE, MANAGE),
    "application_general_usage": ("application", SEE, MANAGE),
    "application_trust": ("openid", SEE, MANAGE),
    "application_tokens": ("application", SEE, MANAGE),
    "application_account_mapping": ("application", SEE, MANAGE),
    "application_policy": ("application", SEE, MANAGE),
    "application_test": ("application", SEE, SEE),
    "application_test_callback": ("application", SEE, SEE),
    "application_test_call": ("application", SEE, SEE),
    "application_test_redirect": ("application", SEE, MANAGE),
    "application_watch": ("application", SEE, MANAGE),
    "application_watch_news": ("application", MANAGE, NOBODY),
    "application_scope": ("application", SEE, MANAGE),
    "application_scope_definition": ("application", MANAGE, MANAGE),
    "application_scope_delete": ("scope", MANAGE, MANAGE),
    "application_permissions": ("application", SEE, SHARE),
    "application_token_preview": ("application", SEE, SEE),
    "application_changelog": ("application", SEE, NOBODY),
    "application_history": ("application", SEE, SEE),
    "application_posture": ("application", SEE, NOBODY),
    "application_posture_profile": ("application", SEE, MANAGE),
    "application_snippets": ("application", SEE, NOBODY),
    "application_clone": ("application", ONLY_SUPERUSER, ONLY_SUPERUSER),
    "application_export": ("application", SEE, NOBODY),
    "application_enable": ("disabled", MANAGE, MANAGE),
    "application_disable": ("application", MANAGE, MANAGE),
    "application_delete": ("application", DELETE, DELETE),
    "application_client_secret": ("openid", MANAGE, MANAGE),
    "application_client_secret_revoke": ("openid secret", MANAGE, MANAGE),
    "serviceuser_changelist": ("", SERVICE_USERS, SERVICE_USERS),
    "serviceuser_add": ("", ADD_SERVICE_USERS, ADD_SERVICE_USERS),
    "serviceuser_change": ("service user", SERVICE_USERS, CHANGE_SERVICE_USERS),
    "serviceuser_history": ("service user", SERVICE_USERS, SERVICE_USERS),
    "serviceuser_delete": ("service user", DELETE_SERVICE_USERS, DELETE_SERVICE_USERS),
    "serviceuser_client_secret": ("service user", CHANGE_SERVICE_USERS, CHANGE_SERVICE_USERS),
    "serviceuser_client_secret_revoke": (
        "service user secret",
        CHANGE_SERVICE_USERS,
        CHANGE_SERVICE_USERS,
    ),
    "role_changelist": ("", GROUPS, GROUPS),
    "role_add": ("", of("auth", "group", "add"), of("auth", "group", "add")),
    "role_change": ("group", GROUPS, CHANGE_GROUPS),
    "role_members": ("group", GROUPS, ONLY_SUPERUSER),
    "role_applications": ("group", GROUPS, GROUPS),
    "role_rights": ("group", GROUPS, NOBODY),
    "role_history": ("group", GROUPS, GROUPS),
    "role_delete": ("group", of("auth", "group", "delete"), of("auth", "group", "delete")),
    "grant_changelist": ("", GRANTS, GRANTS),
    "grant_change": ("grant", GRANTS, NOBODY),
    "grant_revoke": ("grant", REVOKE, REVOKE),
    "grant_history": ("grant", GRANTS, GRANTS),
    "requesttrace_history": ("trace", REQUESTS, REQUESTS),
    "auditevent_history": ("event", AUDIT, AUDIT),
    "signingkey_history": ("key", KEYS, KEYS),
    "logoutdelivery_history": ("delivery", DELIVERIES, DELIVERIES),
    "requesttrace_changelist": ("", REQUESTS, REQUESTS),
    "requesttrace_change": ("trace", REQUESTS, NOBODY),
    "requesttrace_why": ("", REQUESTS, NOBODY),
    "requesttrace_checks": ("", REQUESTS, NOBODY),
    "requesttrace_cure": ("trace", NOBODY, MANAGE),
    "auditevent_changelist": ("", AUDIT, AUDIT),
    "auditevent_change": ("event", AUDIT, NOBODY),
    "auditevent_export": ("format", NOBODY, AUDIT),
    "signingkey_changelist": ("", KEYS, KEYS),
    "signingkey_change": ("key", KEYS, NOBODY),
    "signingkey_rotate": ("algorithm", CHANGE_KEYS, CHANGE_KEYS),
    "signingkey_retire": ("key", CHANGE_KEYS, CHANGE_KEYS),
    "logoutdelivery_changelist": ("", DELIVERIES, DELIVERIES),
    "logoutdelivery_change": ("delivery", DELIVERIES, NOBODY),
}
#: The administration's own addresses that lead nowhere for what is only shown, for anybody.
CLOSED = tuple(
    f"{model}_{verb}"
    for model in ("grant", "requesttrace", "auditevent", "signingkey", "logoutdelivery")
    for verb in ("add", "delete")
)


@pytest.fixture
def arguments(db: None) -> dict[str, list[Any]]:
    """One of each thing that has a screen, as the arguments of its address."""
    now = timezone.now()
    application = make_application(everybody=False)
    application.scopes.create(name="notes.read")
    openid = make_application(
        application_id="openid", template="Generic OpenID Connect", everybody=False
    )
    disabled = make_application(application_id="disabled", enabled=False, everybody=False)
    ada = make_user("ada")
    robot = ServiceUser.objects.create(user=make_user("robot"))
    whole_day = {"created_at": now, "expires_at": now + timedelta(days=1)}
    grant = Grant.objects.create(
        application=application, user=ada, client_id="c", subject="s", auth_time=now, **whole_day
    )
    trace = RequestTrace.objects.create(
        request_id="abc",
        application=application,
        endpoint="token",
        succeeded=False,
        at=now,
        expires_at=whole_day["expires_at"],
    )
    event = AuditEvent.objects.create(at=now, action="user.signed_in", expires_at=now)
    delivery = LogoutDelivery.objects.create(
        application=application,
        client_id="c",
        subject="s",
        sid="s",
        next_attempt_at=now,
        **whole_day,
    )
    keys.ring(now)
    keys.signer("RS256", now)
    return {
        "": [],
        "entry": ["oauth2-client"],
        "application": [application.pk],
        "scope": [application.pk],
        "disabled": [disabled.pk],
        "openid": [openid.pk],
        "openid secret": [openid.pk, give_secret(openid).pk],
        "service user": [robot.pk],
        "service user secret": [
            robot.pk,
            ClientSecret.objects.create(service_user=robot, digest=b"x" * 32).pk,
        ],
        "group": [Group.objects.create(name="Botanists").pk],
        "grant": [grant.pk],
        "trace": [trace.pk],
        "event": [event.pk],
        "format": ["csv"],
        "key": [SigningKey.objects.latest("generation").pk],
        "algorithm": ["RS256"],
        "delivery": [delivery.pk],
    }


@pytest.mark.parametrize("role", ROLES)
def test_each_screen_opens_for_whom_it_is_meant(role: str, arguments: dict[str, list[Any]]) -> None:
    browser = browser_of(role)

    answers = {name: ask(browser.get, name, kind, arguments) for name, kind, _, _ in rows()}

    assert opened(answers) == [name for name, _, readers, _ in rows() if role in readers]


@pytest.mark.parametrize("role", ROLES)
def test_each_screen_takes_from_whom_it_may(role: str, arguments: dict[str, list[Any]]) -> None:
    browser = browser_of(role)

    answers = {name: ask(browser.post, name, kind, arguments) for name, kind, _, _ in rows()}

    assert opened(answers) == [name for name, _, _, writers in rows() if role in writers]


@pytest.mark.parametrize("name", CLOSED)
def test_what_is_only_shown_is_neither_added_nor_deleted(
    name: str, arguments: dict[str, list[Any]]
) -> None:
    kind = {"requesttrace": "trace", "auditevent": "event", "signingkey": "key"}
    model = name.partition("_")[0]
    about = [] if name.endswith("_add") else arguments[kind.get(model, model.replace("logout", ""))]

    answer = browser_of("superuser").post(address(name, about))

    assert answer.status_code in (302, 403, 404, 405)


def test_no_screen_is_missing_here() -> None:
    prefix = "oidc_pkce_"
    named = {
        str(pattern.name).removeprefix(prefix)
        for model_admin in admin.site._registry.values()
        for pattern in model_admin.get_urls()
        if str(pattern.name).startswith(prefix)
    }

    assert named == {*SCREENS, *CLOSED}


def opened(answers: Mapping[str, bool]) -> list[str]:
    return [name for name, let_in in answers.items() if let_in]


def rows() -> Iterator[tuple[str, str, frozenset[str], frozenset[str]]]:
    for name, (kind, readers, writers) in SCREENS.items():
        yield name, kind, readers, writers


def browser_of(role: str) -> Browser:
    browser = Browser()
    if role != "anonymous":
        browser.force_login(user_of(role))
    return browser


def user_of(role: str) -> Any:
    if role == "service_user":
        return ServiceUser.objects.get().user
    user = make_user("robin", is_staff=role not in OUTSIDE, is_superuser=role == "superuser")
    if role in ROWS:
        for application in Application.objects.all():
            rights = {right.value: False for right in Right} | {f"can_{role}": True}
            ApplicationPermission.objects.create(
                application=application, principal=Principal.USER, user=user, **rights
            )
    elif role in PERMISSIONS:
        app, codename = role.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return user


def ask(send: Any, name: str, kind: str, arguments: dict[str, list[Any]]) -> bool:
    """Whether the request was let in; whatever it did is undone."""
    query = {"name": "notes.read"} if kind == "scope" else {}
    with transaction.atomic():
        answer: HttpResponseBase = send(address(name, arguments[kind]), query)
        transaction.set_rollback(True)
    assert answer.status_code in (200, 204, 302, 400, 403, 404, 405), (name, answer.status_code)
    to_sign_in = "/login/" in answer.headers.get("Location", "")
    return answer.status_code in (200, 204, 302, 400) and not to_sign_in


def address(name: str, about: list[Any]) -> str:
    return reverse(f"admin:oidc_pkce_{name}", args=about)
