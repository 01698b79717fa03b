"""Many grants are revoked at once: each one exactly once, whoever else does the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from oidc_pkce.flows import revocation
from oidc_pkce.flows.actor import Actor
from oidc_pkce.models import AuditEvent, Grant
from tests.flows.test_keys import all_at_once
from tests.portal.records import make_grants

ROBIN = Actor(name="robin")


def revoke_everything() -> revocation.Revoked:
    return revocation.revoke_all(Grant.objects.all(), actor=ROBIN, now=timezone.now())


def test_only_live_grants_are_revoked_and_audited(list_app: Any, ada: Any) -> None:
    now = timezone.now()
    make_grants(2, list_app, ada, now)
    make_grants(1, list_app, ada, now, revoked_at=now)
    make_grants(1, list_app, ada, now, expires_at=now)

    assert revoke_everything() == revocation.Revoked(2, is_complete=True)
    assert revoke_everything() == revocation.Revoked(0, is_complete=True)
    assert AuditEvent.objects.count() == 2


def test_a_batch_that_fails_leaves_the_earlier_ones_revoked(
    list_app: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation, "BATCH", 2)
    make_grants(5, list_app, ada, timezone.now())
    write, batches = revocation.audit.record_all, []

    def failing(events: Any) -> None:
        batches.append(1)
        if len(batches) == 2:
            raise OSError("the disk is full")
        write(events)

    monkeypatch.setattr(revocation.audit, "record_all", failing)

    with pytest.raises(OSError, match="full"):
        revoke_everything()

    assert Grant.objects.filter(revoked_at__isnull=False).count() == 2
    assert AuditEvent.objects.count() == 2


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_administrators_at_once_one_revokes_each_grant(list_app: Any, ada: Any) -> None:
    make_grants(700, list_app, ada, timezone.now())

    done = all_at_once(4, revoke_everything)

    assert sum(one.count for one in done) == 700
    told = AuditEvent.objects.values_list("details__grant", flat=True)
    assert len(told) == len(set(told)) == 700
