"""An application's logo: what may be one is judged by its bytes, not by what a browser says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ...models import Application, ApplicationLogo

MAX_LOGO = 256 * 1024  # bytes

_WEBP_AT = 8  # the bytes before it are "RIFF" and a length
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class LogoChange:
    """The logo as it shall be; without ``content`` there shall be none."""

    content: bytes | None = field(default=None, repr=False)

    @property
    def etag(self) -> str | None:
        """What names these bytes in caches and in the audit log."""
        return None if self.content is None else _hashed(self.content)

    def row(self) -> ApplicationLogo | None:
        """The logo, not saved."""
        if self.content is None:
            return None
        return ApplicationLogo(
            content_type=content_type_of(self.content),
            content=self.content,
            etag=_hashed(self.content),
        )


def content_type_of(content: bytes) -> str:
    """The type of a picture by its first bytes; SVG is none, for it can hold scripts: empty."""
    for signature, content_type in _SIGNATURES:
        if content.startswith(signature):
            return content_type
    is_webp = content.startswith(b"RIFF") and content[_WEBP_AT:].startswith(b"WEBP")
    return "image/webp" if is_webp else ""


def logo_problem(change: LogoChange) -> str | None:
    """Say in a sentence why these bytes cannot be a logo, or None when they can."""
    if change.content is None:
        return None
    if len(change.content) > MAX_LOGO:
        return too_large(len(change.content))
    if not content_type_of(change.content):
        return _("This is not a picture that can be a logo: use PNG, JPEG, WebP or GIF.")
    return None


def too_large(size: int) -> str:
    """The sentence for a file of so many bytes, which nobody needs to read first."""
    sizes = {"size": -(-size // 1024), "max": MAX_LOGO // 1024}
    return _("This file has %(size)s KiB; a logo has at most %(max)s KiB.") % sizes


def etag_of(application: Application) -> str | None:
    """Which logo is stored, without reading its bytes."""
    stored = ApplicationLogo.objects.filter(pk=application.pk)
    return stored.values_list("etag", flat=True).first()


def store(application: Application, change: LogoChange) -> None:
    """Put the logo in the place of the one before."""
    ApplicationLogo.objects.filter(pk=application.pk).delete()
    if row := change.row():
        row.application = application
        row.save(force_insert=True)


def _hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
