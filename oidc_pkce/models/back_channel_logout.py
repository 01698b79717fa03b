"""The outbox of sign-outs: who is still to be told that a browser session has ended."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _


class LogoutDeliveryQuerySet(models.QuerySet["LogoutDelivery"]):
    """Deliveries, asked in the words of the domain."""

    def due(self, now: datetime) -> LogoutDeliveryQuerySet:
        """Those whose next attempt is due, and that have not been given up."""
        return self.filter(next_attempt_at__lte=now, expires_at__gt=now)

    def claim(self, pk: uuid.UUID, now: datetime, until: datetime) -> bool:
        """Take one delivery until a moment: true for exactly one caller.

        Whoever dies in between has only delayed it.
        """
        mine = self.due(now).filter(pk=pk)
        return mine.update(next_attempt_at=until, attempts=F("attempts") + 1) == 1


class LogoutDelivery(models.Model):
    """One logout token that one application has to be given (OpenID Connect Back-Channel Logout).

    Written in the transaction that ends the session, deleted when it was taken.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey("Application", models.CASCADE, related_name="+")
    client_id = models.CharField(_("client"), max_length=255)
    subject = models.CharField(max_length=255)
    sid = models.CharField(max_length=64)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("signed out"))
    next_attempt_at = models.DateTimeField(_("next attempt"), db_index=True)
    expires_at = models.DateTimeField(_("given up"), db_index=True)

    objects = LogoutDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-out delivery")
        verbose_name_plural = _("sign-out deliveries")
        constraints = (
            models.UniqueConstraint(
                fields=("application", "client_id", "subject", "sid"),
                name="oidc_pkce_logout_delivery",
            ),
        )

    def __str__(self) -> str:
        return f"sign-out of {self.client_id}"
