"""Grants: the family that every code and token descends from, and the one thing that is revoked."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..protocol.application import ClientIdType, Template
from .fields import StringListField


class ClientAuthentication(models.TextChoices):
    """How the client proved itself when it redeemed the code."""

    PENDING = "", _("not yet")
    NONE = "none", _("without a secret")
    SECRET = "secret", _("with a secret")


class GrantQuerySet(models.QuerySet["Grant"]):
    """Grants, asked in the words of the domain."""

    def live(self, now: datetime) -> GrantQuerySet:
        """Those that are neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=now)

    def of_session(self, user_pk: Any, sid: str) -> GrantQuerySet:
        """Those that a person gave in one browser session; none where it has no name."""
        return self.filter(user=user_pk, sid=sid) if sid else self.none()

    def to_service_user(self, login_name: str) -> GrantQuerySet:
        """Those that people gave to this service user as a client."""
        guid = Q(application__template=Template.OPENID_CONNECT)
        return self.filter(
            ~guid,
            application__client_id_type=ClientIdType.CONFIDENTIAL,
            client_id=login_name,
        )

    def for_the_session_alone(self) -> GrantQuerySet:
        """Those that end with the session: without ``offline_access`` (Core §11)."""
        return self.exclude(scope__regex=r"(^| )offline_access( |$)")

    def revoke(self, now: datetime) -> int:
        """Revoke these grants in one statement; how many were live."""
        return self.filter(revoked_at=None).update(revoked_at=now)


class Grant(models.Model):
    """What one user allowed one client of one application, at one time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey("Application", models.CASCADE, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    client_id = models.CharField(max_length=255)
    client_authentication = models.CharField(
        max_length=8,
        choices=ClientAuthentication.choices,
        default=ClientAuthentication.PENDING,
        blank=True,
    )
    scope = models.TextField(blank=True)
    resources = StringListField()
    subject = models.CharField(max_length=255)
    sid = models.CharField(max_length=64, blank=True)
    amr = StringListField()
    acr = models.CharField(max_length=255, blank=True)
    requested_claims = models.JSONField(default=dict, blank=True)
    nonce = models.TextField(blank=True)
    auth_time = models.DateTimeField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(null=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        # The Admin Portal lists the newest ones, of all applications or of one.
        indexes = (models.Index(fields=("-created_at",), name="oidc_pkce_grant_newest"),)

    def __str__(self) -> str:
        return str(self.pk)
