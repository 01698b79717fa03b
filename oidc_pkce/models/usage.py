"""What the traffic of an application used: counted, and when last; nothing of a person."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..protocol.usage import Feature


class Usage(models.Model):
    """How often one client of one application did one thing in one way.

    Counts are flushed by each process from time to time, so they may be a minute behind.
    """

    application = models.ForeignKey(
        "Application", models.CASCADE, related_name="usage", db_index=False
    )
    client_id = models.CharField(_("client"), max_length=255)
    feature = models.CharField(
        _("feature"), max_length=32, choices=[(each.value, each.value) for each in Feature]
    )
    value = models.CharField(_("value"), max_length=64)
    count = models.PositiveBigIntegerField(_("requests"), default=0)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("use")
        verbose_name_plural = _("uses")
        default_permissions = ()
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("application", "client_id", "feature", "value"), name="oidc_pkce_usage_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.feature}={self.value}"
