"""`cleanup_tokens`: what has expired goes, what is live stays, whatever hangs on what."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from oidc_pkce import models
from oidc_pkce.conf import settings
from oidc_pkce.flows import cleanup
from oidc_pkce.identifiers import digest
from oidc_pkce.models import Application

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def clean(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command("cleanup_tokens", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def make_one_of_each(application: Application, user: Any, expires_at: datetime) -> None:
    """One row of every kind that expires then; the grant's children, too."""
    now, name = timezone.now(), uuid.uuid4().hex
    about = {"application": application, "expires_at": expires_at}
    grant = make_grant(application, user, expires_at)
    make_children(grant, expires_at)
    models.AccessToken.objects.create(
        digest=digest(name), user=user, client_id="c", subject="s", issued_at=now, **about
    )
    models.RevokedToken.objects.create(jti=uuid.uuid4(), expires_at=expires_at)
    models.Consent.objects.create(
        user=user, client_id=name, scope_digest=digest(name), created_at=now, **about
    )
    models.ClientSecret.objects.create(digest=digest(name), **about)
    models.RequestTrace.objects.create(
        request_id=name[:16], endpoint="token", succeeded=True, at=now, **about
    )
    models.AuditEvent.objects.create(at=now, action="user.signed_in", **about)
    seen = expires_at - settings.audit_lifetime
    models.Usage.objects.create(
        application=application,
        client_id=name,
        feature="grant_type",
        value="password",
        first_seen_at=seen,
        last_seen_at=seen,
    )
    models.SigningKey.objects.create(
        algorithm="EdDSA",
        generation=models.SigningKey.objects.count() + 1,
        kid=name,
        public_jwk={},
        private_key="",
        created_at=now,
        signs_from=now,
        expires_at=expires_at,
    )


def make_grant(application: Application, user: Any, expires_at: datetime) -> models.Grant:
    now = timezone.now()
    return models.Grant.objects.create(
        application=application,
        user=user,
        client_id="my_service_user",
        subject="s",
        auth_time=now,
        created_at=now,
        expires_at=expires_at,
    )


def make_children(grant: models.Grant, expires_at: datetime) -> None:
    name = uuid.uuid4().hex
    common = {"digest": digest(name), "grant": grant, "expires_at": expires_at}
    models.AuthorizationCode.objects.create(redirect_uri="https://rp.example/", **common)
    models.RefreshToken.objects.create(created_at=timezone.now(), **common)
    models.EndedSession.objects.create(sid=name, expires_at=expires_at)
    models.LogoutDelivery.objects.create(
        application=grant.application,
        client_id=grant.client_id,
        subject="s",
        sid=name,
        created_at=timezone.now(),
        next_attempt_at=timezone.now(),
        expires_at=expires_at,
    )


def rows() -> dict[str, int]:
    return {kind: model._base_manager.count() for kind, model in cleanup.KINDS.items()}


EACH = dict.fromkeys(cleanup.KINDS, 1)


@pytest.fixture
def mixed(list_app: Application, ada: Any) -> None:
    """Of every kind, one row that has expired and one that has not."""
    make_one_of_each(list_app, ada, timezone.now() - HOUR)
    make_one_of_each(list_app, ada, timezone.now() + HOUR)


def test_what_has_expired_goes_and_what_is_live_stays(
    mixed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clean(capsys) == {"dry_run": False, "rows": EACH}
    assert rows() == {**EACH, "audit_events": 2}  # one says that a sign-out was given up
    assert not any(cleanup.count(timezone.now()).values())
    assert not any(clean(capsys)["rows"].values())


def test_a_dry_run_counts_and_deletes_nothing(
    mixed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rows()

    assert clean(capsys, "--dry-run") == {"dry_run": True, "rows": EACH}
    assert rows() == before


def test_every_table_that_expires_is_swept() -> None:
    from django.apps import apps

    tables = apps.get_app_config("oidc_pkce").get_models()
    expiring = {model for model in tables if "expires_at" in {f.name for f in model._meta.fields}}

    assert expiring | {models.Usage} == set(cleanup.KINDS.values())


def test_many_rows_go_in_batches(
    list_app: Application, ada: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(7):
        make_one_of_each(list_app, ada, timezone.now() - HOUR)

    assert clean(capsys, "--batch", "3")["rows"] == dict.fromkeys(cleanup.KINDS, 7)


def test_a_short_batch_leaves_no_rest(
    list_app: Application, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    delete = cleanup._delete
    monkeypatch.setattr(cleanup, "_delete", lambda m, k: sizes.append(len(k)) or delete(m, k))
    for _ in range(7):
        make_one_of_each(list_app, ada, timezone.now() - HOUR)

    cleanup.sweep(timezone.now(), batch=3)

    assert sizes == [3, 3, 1] * len(cleanup.KINDS)


def test_a_grant_stays_until_its_own_expiry_whatever_its_children_do(
    list_app: Application, ada: Any
) -> None:
    grant = make_grant(list_app, ada, timezone.now() + HOUR)
    make_children(grant, timezone.now() - HOUR)
    make_children(grant, timezone.now() + HOUR)

    cleanup.sweep(timezone.now())

    assert models.Grant.objects.filter(pk=grant.pk).exists()
    assert (grant.codes.count(), grant.refresh_tokens.count()) == (1, 1)


def test_an_expired_grant_takes_what_hangs_on_it_along(list_app: Application, ada: Any) -> None:
    grant = make_grant(list_app, ada, timezone.now() - HOUR)
    make_children(grant, timezone.now() + HOUR)

    assert cleanup.sweep(timezone.now())["grants"] == 1
    assert rows()["refresh_tokens"] == rows()["authorization_codes"] == 0


def test_a_spent_code_stays_until_it_expires(list_app: Application, ada: Any) -> None:
    """A replay must still be recognized as one."""
    grant = make_grant(list_app, ada, timezone.now() + HOUR)
    make_children(grant, timezone.now() + HOUR)
    models.AuthorizationCode.objects.update(used_at=timezone.now())

    cleanup.sweep(timezone.now())

    assert models.AuthorizationCode.objects.count() == 1


@pytest.mark.parametrize("batch", ["0", "-1", "ten", "1000000"])
def test_a_batch_that_makes_no_sense_is_refused(batch: str) -> None:
    with pytest.raises(CommandError, match="whole number from 1 to 10000"):
        call_command("cleanup_tokens", f"--batch={batch}")


def test_sentences_are_printed(mixed: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("cleanup_tokens", "--dry-run")
    call_command("cleanup_tokens")

    printed = capsys.readouterr().out.splitlines()
    assert "authorization codes: 1 expired" in printed
    assert "authorization codes: 1 deleted" in printed
