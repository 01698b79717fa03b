"""Tokens that cost a row: refresh tokens, opaque access tokens, and single revoked JWTs."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from .. import identifiers
from .fields import StringListField
from .statement import UpdateStatement


class RefreshTokenQuerySet(models.QuerySet["RefreshToken"]):
    """Refresh tokens, asked in the words of the domain."""

    def claim(self, digest: bytes, now: datetime) -> bool:
        """Spend a refresh token: true for exactly one caller (RFC 9700 §4.14.2)."""
        return _claim.run(digest=digest, now=now) == 1


_claim = UpdateStatement(
    lambda digest, now: (
        RefreshToken.objects.filter(pk=digest, used_at=None),
        {"used_at": now},
    ),
    digest=models.BinaryField(),
    now=models.DateTimeField(),
)


class RefreshToken(models.Model):
    """One refresh token of a grant, stored as its digest."""

    digest = models.BinaryField(primary_key=True, max_length=32, editable=False)
    grant = models.ForeignKey("Grant", models.CASCADE, related_name="refresh_tokens")
    seed = models.BinaryField(max_length=16, default=identifiers.new_seed, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    objects = RefreshTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("refresh token")
        verbose_name_plural = _("refresh tokens")

    def __str__(self) -> str:
        return f"refresh token of grant {self.grant_id}"


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    """Opaque access tokens, asked in the words of the domain."""

    def revoke(self, digest: bytes, now: datetime) -> bool:
        """Delete a live token: true for exactly one caller (RFC 7009 §2.1)."""
        return self.filter(pk=digest, expires_at__gt=now).delete()[0] == 1


class AccessToken(models.Model):
    """One opaque access token. A JWT costs no row: its grant is what is revoked."""

    digest = models.BinaryField(primary_key=True, max_length=32, editable=False)
    grant = models.ForeignKey("Grant", models.CASCADE, null=True, related_name="access_tokens")
    application = models.ForeignKey("Application", models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    client_id = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    scope = models.TextField(blank=True)
    audience = StringListField()
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("opaque access token")
        verbose_name_plural = _("opaque access tokens")

    def __str__(self) -> str:
        return f"access token of {self.client_id}"


class RevokedTokenQuerySet(models.QuerySet["RevokedToken"]):
    """The denylist, asked in the words of the domain."""

    def add(self, jti: uuid.UUID, expires_at: datetime) -> bool:
        """Revoke a token: true for exactly one caller (RFC 7009 §2.1)."""
        try:
            with transaction.atomic():
                self.create(jti=jti, expires_at=expires_at)
        except IntegrityError:
            return False
        return True

    def naming(self, jti: uuid.UUID, now: datetime) -> RevokedTokenQuerySet:
        """The live entry of this token, if there is one."""
        return self.filter(jti=jti, expires_at__gt=now)


class RevokedToken(models.Model):
    """A single JWT that was revoked, by its ``jti``, until it would have expired."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = RevokedTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("revoked access token")
        verbose_name_plural = _("revoked access tokens")

    def __str__(self) -> str:
        return str(self.jti)
