"""Give a client a secret: stored as a digest, told once, two of them live at most."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from .. import audit, identifiers
from ..models import Application, ClientSecret, ServiceUser
from ..models.client_secret import LIVE_SECRETS, ClientSecretQuerySet
from ..protocol import secret as rules
from .actor import Actor

Owner = Application | ServiceUser


@transaction.atomic
def set_client_secret(
    owner: Owner,
    secret: str | None = None,
    *,
    actor: Actor,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """Give an OpenID Connect application or a service user a secret, and return it this once.

    Without ``secret`` one of 256 bits is made. Of three live secrets the oldest goes; one that is
    live already stays as it is. Raises ``ValidationError`` for a secret that is too weak.
    """
    told = identifiers.new_secret() if secret is None else secret
    if fault := rules.problem(told):
        raise ValidationError(fault)
    # Two that set a secret at once wait for each other here, or three would stay live.
    type(owner)._base_manager.select_for_update().get(pk=owner.pk)
    if not has_secret(owner, told, now):
        made = ClientSecret.objects.create(
            **_owned(owner), digest=identifiers.digest(told), expires_at=expires_at
        )
        _retire(owner, now)
        expiry = made.expires_at.isoformat() if made.expires_at else None
        details = {"secret": made.pk, "expires_at": expiry}
        _record(audit.Action.SECRET_CREATED, owner, details, actor, now)
    return told


@transaction.atomic
def revoke_client_secret(owner: Owner, pk: int, *, actor: Actor, now: datetime) -> bool:
    """End one secret of this owner at once; whether it was there. Tokens live on."""
    revoked, _ = _secrets(owner).filter(pk=pk).delete()
    if revoked:
        _record(audit.Action.SECRET_REVOKED, owner, {"secret": pk}, actor, now)
    return bool(revoked)


def has_secret(owner: Owner, secret: str, now: datetime) -> bool:
    """Whether this is one of the owner's live secrets."""
    return any(row.facts().matches(secret, now) for row in _secrets(owner).live(now))


def _secrets(owner: Owner) -> ClientSecretQuerySet:
    return ClientSecret.objects.filter(**_owned(owner))


def _owned(owner: Owner) -> dict[str, Any]:
    return {"application" if isinstance(owner, Application) else "service_user": owner}


def _retire(owner: Owner, now: datetime) -> None:
    live = _secrets(owner).live(now).order_by("-pk").values_list("pk", flat=True)
    ClientSecret.objects.filter(pk__in=list(live)[LIVE_SECRETS:]).delete()


def _record(
    action: audit.Action, owner: Owner, details: dict[str, Any], actor: Actor, now: datetime
) -> None:
    application = owner if isinstance(owner, Application) else None
    audit.record(
        action,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=application.pk if application else None,
        application_name=application.name if application else "",
        client_id=application.openid_client_id if application else str(owner),
        details=details,
    )
