"""Audit events: what was done, by whom, and when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """One thing that happened. Names are copied, so that they outlive what they name."""

    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=64)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    actor_name = models.CharField(max_length=255, blank=True)
    application = models.ForeignKey(
        "Application", models.SET_NULL, null=True, blank=True, related_name="audit_events"
    )
    application_name = models.CharField(max_length=255, blank=True)
    client_id = models.CharField(max_length=255, blank=True)
    details = models.JSONField(default=dict)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit log")
        ordering = ("-pk",)
        indexes = (models.Index(fields=("action", "id"), name="oidc_pkce_audit_action"),)

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_name or '-'}"
