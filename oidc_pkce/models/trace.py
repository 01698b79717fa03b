"""Request traces: the checks that a request went through, kept for a while, without secrets."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class RequestTrace(models.Model):
    """One request to one endpoint, and why it was refused if it was."""

    request_id = models.CharField(_("request ID"), max_length=16)
    application = models.ForeignKey(
        "Application",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="request_traces",
        db_index=False,
    )
    endpoint = models.CharField(_("endpoint"), max_length=32)
    client_id = models.CharField(_("client"), max_length=255, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    succeeded = models.BooleanField(_("succeeded"))
    failed_check = models.CharField(_("failed check"), max_length=64, blank=True)
    error = models.CharField(_("error"), max_length=64, blank=True)
    outcomes = models.JSONField(_("checks"), default=list)
    at = models.DateTimeField(_("time"))
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("request")
        verbose_name_plural = _("requests")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("request_id",), name="oidc_pkce_trace_request_id"),
        )
        indexes = (models.Index(fields=("application", "id"), name="oidc_pkce_trace_newest"),)

    def __str__(self) -> str:
        return self.request_id
