"""What the portal's screens show in tests and pictures, easy and hard, made through the flows.

`furnish` runs this module in the server's own environment; it prints which row is which.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

from tests.live_server import ROOT, ProductionServer

LONG_NAME = "The Society for the Observation of Migrating Birds, Tides and Northern Lights " * 2
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
REDIRECTS = [f"https://station-{number}.notes.example.com/signed-in" for number in range(1, 20)]
PERMISSIONS = 1000


# An ordinary application of each type.
NOTES = {
    "application_id": "field_notes",
    "name": "Field Notes",
    "description": "Keeps what you saw outdoors, on all your devices.",
    "template": "OAuth2ServerClient",
    "client_id_type": "List",
    "client_ids": ["my_service_user"],
    "redirect_uris": ["https://notes.example.com/signed-in"],
}
ONLINE = {
    "application_id": "field_notes_online",
    "name": "Field Notes Online",
    "description": "The same in a browser.",
    "template": "Generic OpenID Connect",
    "client_id_type": "Confidential",
    "url": "https://online.notes.example.com/",
    "redirect_uris": ["https://online.notes.example.com/signed-in"],
}
API = {
    "application_id": "tide_api",
    "name": "Tide API",
    "description": "Water levels of all harbours.",
    "template": "OAuth2Server",
    "client_id_type": "Confidential",
    "audience": "company://tides",
    "redirect_uris": ["https://tides.example.com/signed-in"],
}


def furnish(server: ProductionServer, what: str = "screens") -> dict[str, Any]:
    """Fill the portal for all `screens`, for `forms` or for `pictures`, which show nothing hard.

    Gives the keys of the rows, for addresses.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__, what],
        cwd=ROOT,
        env={**server.environment, "DJANGO_SETTINGS_MODULE": "demo_site.settings"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows: dict[str, Any] = json.loads(done.stdout)
    return rows


def main() -> None:
    import django

    django.setup()
    if sys.argv[1] == "forms":
        rows = add_rows_to_change()
    else:
        is_hard = sys.argv[1] == "screens"
        rows = {**add_applications(), **(add_hard_applications() if is_hard else {})}
        rows.update(add_other_rows(is_hard))
        rows.update(add_records(rows))
    print(json.dumps(rows, default=str))


def add_rows_to_change() -> dict[str, Any]:
    """What each form changes: no test disturbs another."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from oidc_pkce.flows import keys, service_user
    from oidc_pkce.models import Grant, SigningKey

    now = timezone.now()
    oauth2 = {"template": "OAuth2ServerClient", "client_id_type": "List", "name": "Plain"}
    names = {
        "oauth2": "plain",
        "api": "plain_api",
        "doomed": "doomed",
        "listed": "switched_by_list",
    }
    made = {key: create({**oauth2, "application_id": name}) for key, name in names.items()}
    openid = {"application_id": "plain_openid", "template": "Generic OpenID Connect"}
    made["openid"] = create(
        {**openid, "name": "Plain OpenID", "redirect_uris": ["https://a.example/x"]}, everybody=True
    )
    robot = service_user.add("secretive-robot", actor=robin(), now=now)
    for _ in range(2):
        keys.rotate("ES256", now - timedelta(days=1), actor=robin(), at_once=True)
    grant = Grant.objects.create(
        application=made["openid"],
        user=get_user_model().objects.get(username="bob"),
        subject="bob",
        client_id="my_service_user",
        auth_time=now,
        created_at=now,
        expires_at=now + timedelta(days=1),
    )
    return {
        **{key: application.pk for key, application in made.items()},
        "robot": robot.pk,
        "grant": grant.pk,
        "key": SigningKey.objects.filter(algorithm="ES256").earliest("generation").pk,
    }


def add_applications() -> dict[str, Any]:
    """An ordinary one of each type; in pictures, those of the other pictures are gone."""
    from django.utils import timezone

    from oidc_pkce.flows import client_secret
    from oidc_pkce.flows.webapps import Changes, ScopeChange, update
    from oidc_pkce.models import Application

    if sys.argv[1] == "pictures":
        Application.objects.filter(application_id__startswith="browser_").delete()
    notes = create(
        NOTES,
        scopes=(
            ScopeChange("notes.read", "Read the notes that you have written", ("/notes(/.*)?",)),
            ScopeChange("notes.write", "Write and change notes", ("/notes", "/notes/[0-9]+")),
        ),
        everybody=True,
    )
    update(
        notes,
        Changes({"issues_refresh_tokens": True, "access_token_lifetime": timedelta(hours=1)}),
        actor=robin(),
        now=timezone.now() - timedelta(hours=3),
    )
    online = create(
        ONLINE,
        everybody=True,
    )
    for days in (None, 20):
        now = timezone.now()
        ends = now + timedelta(days=days) if days else None
        client_secret.set_client_secret(online, actor=robin(), now=now, expires_at=ends)
    api = create(
        API,
    )
    return {
        "notes": notes.pk,
        "online": online.pk,
        "secret": online.client_secrets.first().pk,
        "api": api.pk,
    }


def add_hard_applications() -> dict[str, Any]:
    """One that holds much, and one that holds nothing."""
    from oidc_pkce.flows.webapps import ScopeChange
    from oidc_pkce.models import Permission, Principal

    bare = create({"application_id": "bare", "name": "Bare", "template": "OAuth2ServerClient"})
    hard = create(
        {
            "application_id": "h" * 64,
            "name": LONG_NAME.strip(),
            "description": f"{LONG_WORD} {LONG_NAME * 3}",
            "template": "OAuth2ServerClient",
            "client_id_type": "List",
            "client_ids": ["my_service_user", "c" * 200],
            "redirect_uris": [*REDIRECTS, f"https://notes.example.com/{'long/' * 60}"],
        },
        scopes=tuple(
            ScopeChange(f"scope.{number}.{'x' * 40}", LONG_NAME, (f"/{'path/' * 20}{number}",))
            for number in range(12)
        ),
        everybody=True,
    )
    crowd(hard, Permission, Principal)
    return {"bare": bare.pk, "hard": hard.pk}


def create(fields: dict[str, Any], *, everybody: bool = False, scopes: Any = ()) -> Any:
    """One application, as the portal makes it."""
    from django.utils import timezone

    from oidc_pkce.flows.webapps import Changes, PermissionChange
    from oidc_pkce.flows.webapps import create as create_application
    from oidc_pkce.models import Principal, Right

    rights = frozenset({Right.VIEW, Right.RUN, Right.DEPLOY})
    rows = (PermissionChange(Principal.EVERYBODY, rights),) if everybody else ()
    changes = Changes({"client_ids": [], **fields}, scopes=scopes, permissions=rows)
    return create_application(changes, actor=robin(), now=timezone.now() - timedelta(days=2))


def robin() -> Any:
    from django.contrib.auth import get_user_model

    from oidc_pkce.flows.actor import Actor

    return Actor.of(get_user_model().objects.get(username="robin"))


def crowd(application: Any, permission: Any, principal: Any) -> None:
    """A thousand principals."""
    from django.contrib.auth import get_user_model

    people: Any = get_user_model()
    names = [f"observer-{number:04}@{'station' * 5}.example.com" for number in range(PERMISSIONS)]
    people.objects.bulk_create([people(username=name, password="!") for name in names])
    observers = people.objects.filter(username__startswith="observer-")
    permission.objects.bulk_create(
        [
            permission(application=application, principal=principal.USER, user=user)
            for user in observers
        ]
    )


def add_other_rows(is_hard: bool) -> dict[str, Any]:
    """Service users, roles and signing keys."""
    from django.utils import timezone

    from oidc_pkce.flows import keys, roles, service_user
    from oidc_pkce.models import Application, SigningKey

    now = timezone.now()
    weather = service_user.create("weather-station", actor=robin(), now=now).service_user
    helper = service_user.add("backup-robot", actor=robin(), now=now)
    if is_hard:
        service_user.add("r" * 150, actor=robin(), now=now)
        roles.create(LONG_NAME[:150].strip(), actor=robin(), now=now)
    keepers = roles.create("Lighthouse keepers", actor=robin(), now=now)
    for name in ("ada", "bob"):
        roles.add_member(keepers, name, actor=robin(), now=now)
    roles.assign(
        keepers, Application.objects.get(application_id="tide_api"), actor=robin(), now=now
    )
    keys.rotate("RS256", now - timedelta(days=60), actor=robin())
    keys.rotate("RS256", now - timedelta(hours=1), actor=robin())
    keys.rotate("ES256", now - timedelta(days=1), actor=robin())
    return {
        "service_user": weather.pk,
        "helper": helper.pk,
        "service_secret": weather.client_secrets.get().pk,
        "role": keepers.pk,
        "key": SigningKey.objects.filter(algorithm="RS256").earliest("generation").pk,
    }


def add_records(rows: dict[str, Any]) -> dict[str, Any]:
    """What happened: sign-ins, grants, refused requests, a sign-out that was not delivered."""
    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from oidc_pkce.audit import Action
    from oidc_pkce.models import AuditEvent, Grant, LogoutDelivery, RequestTrace

    now = timezone.now()
    ada = get_user_model().objects.get(username="ada")
    add_sign_ins(ada, rows["notes"], now)
    add_uses(rows["notes"], now)
    common = {"user": ada, "subject": "ada", "auth_time": now, "created_at": now}
    grants = Grant.objects.bulk_create(
        Grant(
            application_id=rows[name],
            client_id=client,
            scope=scope,
            client_authentication="none",
            expires_at=now + timedelta(days=days),
            revoked_at=now if revoked else None,
            **common,
        )
        for name, client, scope, days, revoked in GRANTS
        if name in rows
    )
    traces = RequestTrace.objects.bulk_create(
        RequestTrace(
            request_id=f"{'ABCDEFGHJKM'}{number}",
            application_id=rows["notes"],
            endpoint="authorize",
            client_id="my_service_user",
            user=ada,
            succeeded=not failed,
            failed_check=failed,
            error="invalid_request" if failed else "",
            outcomes=OUTCOMES if failed else OUTCOMES[:3],
            at=now,
            expires_at=now + timedelta(days=7),
        )
        for number, failed in ((2, ""), (3, "authorize.redirect_uri"), (4, ""))
    )
    delivery = LogoutDelivery.objects.create(
        application_id=rows["online"],
        client_id="my_service_user",
        subject="ada",
        sid="s" * 32,
        attempts=3,
        last_error="The application answered 503",
        created_at=now,
        next_attempt_at=now + timedelta(minutes=8),
        expires_at=now + timedelta(days=1),
    )
    changed = AuditEvent.objects.filter(action=Action.APPLICATION_UPDATED).latest("pk")
    return {
        "grant": grants[0].pk,
        "request": traces[1].pk,
        "event": changed.pk,
        "delivery": delivery.pk,
    }


def add_sign_ins(user: Any, application_pk: int, now: datetime) -> None:
    """An ordinary day, hour by hour."""
    from oidc_pkce import audit

    for hour, (signed_in, failed) in enumerate(zip(SIGN_INS, FAILURES, strict=True)):
        at = now - timedelta(hours=hour, minutes=1)
        done = [audit.Action.SIGNED_IN] * signed_in + [audit.Action.SIGN_IN_FAILED] * failed
        audit.record_all(
            audit.event(
                each, now=at, actor_pk=user.pk, actor_name="ada", application_pk=application_pk
            )
            for each in done
        )


def add_uses(application_pk: int, now: datetime) -> None:
    """Five weeks of requests, some of them old-fashioned."""
    from oidc_pkce.models import Usage

    Usage.objects.bulk_create(
        Usage(
            application_id=application_pk,
            client_id="my_service_user",
            feature=feature,
            value=value,
            count=count,
            first_seen_at=now - timedelta(days=35),
            last_seen_at=now - timedelta(days=days),
        )
        for feature, value, count, days in USES
    )


USES = (
    ("code_challenge", "S256", 12040, 0),
    ("code_challenge", "none", 35, 6),
    ("response_type", "code", 12075, 0),
    ("grant_type", "authorization_code", 12011, 0),
    ("grant_type", "refresh_token", 40377, 0),
    ("client_authentication", "none", 52388, 0),
    ("algorithm", "RS256", 52388, 0),
    ("redirect_uri", "https", 12075, 0),
    ("resource", "none", 12075, 0),
)
SIGN_INS = (4, 9, 14, 11, 18, 21, 16, 9, 5, 2, 0, 0, 1, 0, 0, 2, 6, 8, 12, 13, 10, 9, 7, 3)
FAILURES = (0, 1, 2, 0, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 1, 0, 0)
GRANTS = (
    ("notes", "my_service_user", "notes.read notes.write", 30, False),
    ("notes", "my_service_user", "notes.read", 30, True),
    ("notes", "my_service_user", "", -1, False),
    ("hard", "c" * 200, " ".join(f"scope.{number}.{'x' * 40}" for number in range(12)), 9, False),
)
OUTCOMES: list[dict[str, Any]] = [
    {"check": "application.known", "passed": True},
    {"check": "authorize.readable", "passed": True},
    {"check": "authorize.client_id", "passed": True},
    {
        "check": "authorize.redirect_uri",
        "passed": False,
        "error": "invalid_request",
        "description": "unusable redirect_uri",
        "received": "https://notes.example.com/signed-in/",
        "expected": ["https://notes.example.com/signed-in"],
        "detail": "differs from https://notes.example.com/signed-in by trailing slash",
        "near_misses": ["trailing_slash"],
    },
]


if __name__ == "__main__":
    main()
