"""Client secrets: SHA-256 digests, one or two of them live, so that one can be rolled."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..protocol.client_authentication import StoredSecret

LIVE_SECRETS = 2


class ClientSecretQuerySet(models.QuerySet["ClientSecret"]):
    """Secrets, asked in the words of the domain."""

    def live(self, now: datetime) -> ClientSecretQuerySet:
        """Those that have not expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class ClientSecret(models.Model):
    """The secret of an OpenID Connect application or of a service user; never readable again."""

    application = models.ForeignKey(
        "Application", models.CASCADE, null=True, blank=True, related_name="client_secrets"
    )
    service_user = models.ForeignKey(
        "ServiceUser", models.CASCADE, null=True, blank=True, related_name="client_secrets"
    )
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, db_index=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ClientSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("client secret")
        verbose_name_plural = _("client secrets")
        ordering = ("-pk",)
        constraints = (
            models.CheckConstraint(
                name="oidc_pkce_client_secret_owner",
                condition=Q(application=None, service_user__isnull=False)
                | Q(application__isnull=False, service_user=None),
            ),
        )

    def __str__(self) -> str:
        return f"secret {self.pk}"

    def facts(self) -> StoredSecret:
        """This secret as the rules see it."""
        return StoredSecret(self.pk, bytes(self.digest), self.expires_at, self.last_used_at)
