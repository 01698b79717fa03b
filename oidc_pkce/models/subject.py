"""Subject identifiers: who a user is to applications (OpenID Connect Core §8)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Subject(models.Model):
    """The stable ``sub`` of a user: a UUID, never the primary key or the login name."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="oidc_pkce_subject",
    )
    identifier = models.UUIDField(default=uuid.uuid4, unique=True)

    class Meta:
        verbose_name = _("subject identifier")
        verbose_name_plural = _("subject identifiers")

    def __str__(self) -> str:
        return str(self.identifier)
