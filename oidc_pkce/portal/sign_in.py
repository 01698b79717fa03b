"""The administration's own sign-in, within the limits on failed attempts."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import audit, throttling
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
        except ValidationError:
            self._record(audit.Action.SIGN_IN_FAILED, address)
            if throttling.blocked(
                counters
            ):  # said once: what is refused from now on writes nothing
                self._record(audit.Action.SIGN_IN_BLOCKED, address)
            raise
        throttling.release(counters)
        self._record(audit.Action.SIGNED_IN, address, self.get_user())
        return cleaned

    def _record(self, action: audit.Action, address: str, user: Any = None) -> None:
        """As our sign-in page does: what was typed as a user name is not kept."""
        audit.record(
            action,
            now=timezone.now(),
            actor_pk=user.pk if user else None,
            actor_name=user.get_username() if user else "",
            details={"address": throttling.network_of(address), "page": "administration"},
        )


def address_of(request: HttpRequest) -> str:
    """Who sent the request, as far as trusted proxies say."""
    return throttling.client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.META.get("HTTP_X_FORWARDED_FOR", ""),
        settings.trusted_proxies,
    )
