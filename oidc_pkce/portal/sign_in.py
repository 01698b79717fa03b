"""The administration's own sign-in, within the limits on failed attempts."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from .. import throttling
from ..conf import settings
from ..protocol.errors import TemporarilyUnavailable


class LimitedAuthenticationForm(AdminAuthenticationForm):
    """Counts failures together with our sign-in page: no door gives further guesses.

    A project sets it as its ``AdminSite.login_form``.
    """

    def clean(self) -> dict[str, Any]:
        """Count the attempt, ask the backends, and forgive it when it succeeds."""
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return super().clean()  # Django asks no backend then
        address = address_of(self.request) if self.request else ""
        counters = throttling.sign_in_counters(self.cleaned_data["username"], address)
        if not throttling.reserve(counters):
            message = _("Too many attempts. Wait a few minutes, then try again.")
            raise ValidationError(message, code="blocked")
        try:
            with throttling.password_slot():
                cleaned = super().clean()
        except TemporarilyUnavailable:  # nothing was looked at: it is no failed attempt
            throttling.release(counters)
            message = _("Many people are signing in at this moment. Wait a moment, then try again.")
            raise ValidationError(message, code="busy") from None
        throttling.release(counters)
        return cleaned


def address_of(request: HttpRequest) -> str:
    """Who sent the request, as far as trusted proxies say."""
    return throttling.client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        settings.trusted_proxies,
    )
