"""Signing keys: what is published, and since when."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ..flows import keys
from ..models import KeyState
from .base import ReadOnlyAdmin, badge, code

COLOURS = {
    KeyState.NEXT: "warning",
    KeyState.CURRENT: "good",
    KeyState.RETIRING: "muted",
    KeyState.EXPIRED: "bad",
}


class SigningKeyAdmin(ReadOnlyAdmin):
    """Public halves only; ``rotate_keys`` makes new ones."""

    list_display = ("algorithm", "generation", "state", "kid", "signs_from", "expires_at")
    list_filter = ("algorithm",)
    fields = (
        ("algorithm", "generation", "state"),
        "kid",
        "shown_jwk",
        "created_at",
        "signs_from",
        "expires_at",
    )
    readonly_fields = ("state", "shown_jwk")

    @admin.display(description=_("State"))
    def state(self, obj: Any) -> SafeString:
        """Where the key stands in its life."""
        found = keys.state(obj, timezone.now())
        return badge(COLOURS[found], found.label)

    @admin.display(description=_("public key"))
    def shown_jwk(self, obj: Any) -> SafeString:
        """The JSON Web Key."""
        return code(obj.public_jwk)
