"""Service users: Django users that may act as confidential clients."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ServiceUser(models.Model):
    """Marks a Django user as a service user; such a user never signs in as a person."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="+"
    )
    is_oauth_confidential_client = models.BooleanField(
        _("Is OAuth confidential client"), default=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("service user")
        verbose_name_plural = _("service users")

    def __str__(self) -> str:
        return self.user.get_username()
