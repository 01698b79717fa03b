"""The logo of an application, as the portal shows it and takes it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ..flows.webapps import LogoChange
from ..flows.webapps.logo import MAX_LOGO, etag_of, too_large
from ..models import Application
from .widgets import LogoInput

ACCEPTED = "image/png,image/jpeg,image/webp,image/gif"


class LogoField(forms.FileField):
    """A picture of a few kilobytes; what it is, the flow judges by its bytes."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Logo"),
            required=False,
            widget=LogoInput(attrs={"accept": ACCEPTED}),
            help_text=_("PNG, JPEG, WebP or GIF of at most 256 KiB; square ones look best."),
        )

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The bytes, or None for no file. What is too large is not even read."""
        upload = super().clean(data, initial)
        if not upload:
            return None
        if upload.size > MAX_LOGO:
            raise ValidationError(too_large(upload.size))
        return LogoChange(upload.read())


def logo_address(application: Application) -> str:
    """Where the logo is, or an empty text; another logo has another address, past all caches."""
    etag = etag_of(application)
    return f"{application.locations.of('logo')}?{etag[:16]}" if etag else ""
