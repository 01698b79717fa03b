"""Create and delete service users: Django users that act as confidential clients."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from .. import audit
from ..models import Grant, ServiceUser
from .actor import Actor
from .client_secret import set_client_secret

_NAME = re.compile(r"[\w.@-]+")


@dataclass(frozen=True, slots=True)
class NewClient:
    """A service user's credentials; the secret is told this once."""

    service_user: ServiceUser
    client_id: str
    client_secret: str = field(repr=False)


class ServiceUserExists(Exception):
    """A service user of this name is there already."""


class NameTaken(Exception):
    """The name is a person's account, and a person cannot become a service user."""


@transaction.atomic
def create(
    name: str,
    *,
    actor: Actor,
    now: datetime,
    secret: str | None = None,
    is_oauth_confidential_client: bool = True,
) -> NewClient:
    """Create a Django user without a password, mark it as a service user, give it a secret.

    Raises ``ServiceUserExists``, ``NameTaken``, or ``ValidationError`` for an impossible name or
    a secret that is too weak.
    """
    made = add(
        name, is_oauth_confidential_client=is_oauth_confidential_client, actor=actor, now=now
    )
    told = set_client_secret(made, secret, actor=actor, now=now)
    return NewClient(made, str(made), told)


@transaction.atomic
def add(
    name: str, *, actor: Actor, now: datetime, is_oauth_confidential_client: bool = True
) -> ServiceUser:
    """Create a service user that has no secret yet. Raises as ``create`` does."""
    made = ServiceUser.objects.create(
        user=_new_user(name), is_oauth_confidential_client=is_oauth_confidential_client
    )
    _record(audit.Action.SERVICE_USER_CREATED, made, actor, now)
    return made


def rotate(name: str, *, actor: Actor, now: datetime, secret: str | None = None) -> NewClient:
    """Give a service user another secret; the earlier one lives on, an older one goes.

    Raises ``ServiceUser.DoesNotExist``, or ``ValidationError`` for a secret that is too weak.
    """
    found = ServiceUser.objects.select_related("user").get(**{_login(): name})
    told = set_client_secret(found, secret, actor=actor, now=now)
    return NewClient(found, str(found), told)


@transaction.atomic
def delete(service_user: ServiceUser, *, actor: Actor, now: datetime) -> None:
    """Delete a service user: its secrets, and the Django user behind it, which it alone used.

    What people granted to it ends: whoever takes the name later is another client.
    """
    given = Grant.objects.to_service_user(str(service_user)).live(now).revoke(now)
    _record(audit.Action.SERVICE_USER_DELETED, service_user, actor, now, {"grants": given})
    service_user.user.delete()


def flag(
    service_user: ServiceUser, *, is_oauth_confidential_client: bool, actor: Actor, now: datetime
) -> None:
    """Set or clear "Is OAuth confidential client"; nothing is written when it is so already."""
    name, after = "is_oauth_confidential_client", is_oauth_confidential_client
    with transaction.atomic():
        same = ServiceUser.objects.filter(pk=service_user.pk)
        if same.exclude(**{name: after}).update(**{name: after}):
            _record_change(service_user, name, after, actor, now)
    service_user.is_oauth_confidential_client = after


def activate(service_user: ServiceUser, *, actor: Actor, now: datetime) -> bool:
    """Let it act as a client again; whether that changed anything."""
    return _set_active(service_user, True, actor, now)


def deactivate(service_user: ServiceUser, *, actor: Actor, now: datetime) -> bool:
    """Shut it out; whether that changed anything.

    Its secrets prove nothing and its tokens are refused until it is activated again.
    """
    return _set_active(service_user, False, actor, now)


def can_be_deactivated() -> bool:
    """A host's own user model may hold every user for active."""
    return any(field.name == "is_active" for field in get_user_model()._meta.concrete_fields)


def require_free(name: str) -> None:
    """Raise what ``create`` raises for a name, unless it can be used."""
    model: Any = get_user_model()
    name = model.normalize_username(name)  # as it is stored
    if not _NAME.fullmatch(name):
        raise ValidationError(
            _("A service user's name consists of letters, digits and the characters - _ . @")
        )
    if ServiceUser.objects.filter(**{_login(): name}).exists():
        raise ServiceUserExists(name)
    if model._default_manager.filter(**{model.USERNAME_FIELD: name}).exists():
        raise NameTaken(name)
    model._meta.get_field(model.USERNAME_FIELD).clean(name, model())


def _new_user(name: str) -> Any:
    require_free(name)
    model: Any = get_user_model()
    user = model(**{model.USERNAME_FIELD: model.normalize_username(name)})
    user.set_unusable_password()
    user.save()
    return user


@transaction.atomic
def _set_active(service_user: ServiceUser, active: bool, actor: Actor, now: datetime) -> bool:
    same = get_user_model()._base_manager.filter(pk=service_user.pk, is_active=not active)
    if not same.update(is_active=active):
        return False
    service_user.user.is_active = active
    _record_change(service_user, "is_active", active, actor, now)
    return True


def _login() -> str:
    return f"user__{get_user_model().USERNAME_FIELD}"


def _record_change(
    service_user: ServiceUser, name: str, after: bool, actor: Actor, now: datetime
) -> None:
    details = {"changes": {name: {"before": not after, "after": after}}}
    _record(audit.Action.SERVICE_USER_UPDATED, service_user, actor, now, details)


def _record(
    action: audit.Action,
    service_user: ServiceUser,
    actor: Actor,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> None:
    audit.record(
        action,
        now=now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        client_id=str(service_user),
        details=details,
    )
