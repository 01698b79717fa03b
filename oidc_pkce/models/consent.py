"""Consents: what a person allowed a client, remembered."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..identifiers import digest


def scope_digest(scopes: Iterable[str]) -> bytes:
    """One name for a set of scopes, whatever their order: 32 bytes."""
    return digest(" ".join(sorted(scopes)))


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Consents, asked in the words of the domain."""

    def live(self, now: datetime) -> ConsentQuerySet:
        """Those that have not expired."""
        return self.filter(expires_at__gt=now)


class Consent(models.Model):
    """One scope set that one user allowed one client of one application."""

    application = models.ForeignKey("Application", models.CASCADE, related_name="consents")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="oidc_pkce_consents"
    )
    client_id = models.CharField(max_length=255)
    scope = models.TextField(blank=True)
    scope_digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "application", "client_id", "scope_digest"),
                name="oidc_pkce_consent_scope",
            ),
        )

    def __str__(self) -> str:
        return f"{self.client_id}: {self.scope}"
