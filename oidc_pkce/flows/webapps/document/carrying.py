"""An uploaded document on its way from preview to import: in the page, readable by nobody."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

LIFETIME = timedelta(hours=1)  # to read a preview of a whole tenant


class Lost(Exception):
    """What was carried is too old, was changed, or was another user's."""


def seal(data: bytes, user: Any) -> str:
    """Compress and encrypt, for this user alone: a document may hold client secrets."""
    return _box(user).encrypt(zlib.compress(data)).decode("ascii")


def unseal(text: str, user: Any) -> bytes:
    """What :func:`seal` was given. Raises ``Lost``."""
    try:
        packed = _box(user).decrypt(text.encode(), ttl=int(LIFETIME.total_seconds()))
    except (InvalidToken, ValueError):
        raise Lost from None
    return zlib.decompress(packed)


def _box(user: Any) -> MultiFernet:
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_key(secret, user)) for secret in secrets])


def _key(secret: str | bytes, user: Any) -> bytes:
    info = f"oidc_pkce.import.{user.pk}".encode()
    material = secret if isinstance(secret, bytes) else secret.encode()
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(material)
    return urlsafe_b64encode(derived)
