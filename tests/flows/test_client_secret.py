"""Client secrets end: by themselves, or because somebody revokes them."""

from __future__ import annotations

from datetime import timedelta

from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.client_secret import has_secret, revoke_client_secret, set_client_secret
from oidc_pkce.models import AuditEvent, ClientSecret
from tests.flows.test_logo import NOW

ROBIN = Actor(name="robin")


def test_a_secret_is_live_until_it_ends(openid_app):
    ends = NOW + timedelta(days=1)
    told = set_client_secret(openid_app, actor=ROBIN, now=NOW, expires_at=ends)

    assert has_secret(openid_app, told, ends - timedelta(seconds=1))
    assert not has_secret(openid_app, told, ends)


def test_a_revoked_secret_is_gone_and_the_other_stays(openid_app):
    first, second = (set_client_secret(openid_app, actor=ROBIN, now=NOW) for _ in range(2))
    oldest = ClientSecret.objects.order_by("pk").values_list("pk", flat=True)[0]

    assert revoke_client_secret(openid_app, oldest, actor=ROBIN, now=NOW)

    assert not has_secret(openid_app, first, NOW)
    assert has_secret(openid_app, second, NOW)
    event = AuditEvent.objects.first()
    assert (event.action, event.client_id) == ("secret.revoked", openid_app.openid_client_id)


def test_revoking_again_or_for_another_owner_does_nothing(openid_app, robot):
    secret = ClientSecret.objects.get()

    assert not revoke_client_secret(openid_app, secret.pk, actor=ROBIN, now=NOW)
    assert ClientSecret.objects.exists()
    assert revoke_client_secret(robot, secret.pk, actor=ROBIN, now=NOW)
    assert not revoke_client_secret(robot, secret.pk, actor=ROBIN, now=NOW)
    assert AuditEvent.objects.count() == 1
