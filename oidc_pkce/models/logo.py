"""The logos of applications."""

from __future__ import annotations

from django.db import models


class ApplicationLogo(models.Model):
    """An application's logo; kept apart, so that no hot path reads its bytes."""

    application = models.OneToOneField(
        "Application", models.CASCADE, related_name="logo", primary_key=True
    )
    content_type = models.CharField(max_length=32)
    content = models.BinaryField()
    etag = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"logo of {self.application}"
