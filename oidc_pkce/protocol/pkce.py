"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256

S256 = "S256"
PLAIN = "plain"

_WELLFORMED = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """The ``code_challenge`` that a code is bound to, and how it was made (RFC 7636 §4.3)."""

    value: str
    method: str

    def matches(self, verifier: str) -> bool:
        """Say whether this verifier made the challenge, in constant time (RFC 7636 §4.6).

        A malformed verifier and an unknown method are a plain no; nothing is raised.
        """
        if not is_wellformed(verifier) or self.method not in (S256, PLAIN):
            return False
        made = s256(verifier) if self.method == S256 else verifier
        return hmac.compare_digest(made.encode(), self.value.encode(errors="replace"))


def is_wellformed(text: str) -> bool:
    """Say whether a verifier or challenge is 43 to 128 unreserved characters (RFC 7636 §4.1)."""
    return _WELLFORMED.fullmatch(text) is not None


def s256(verifier: str) -> str:
    """Make the S256 challenge of a verifier (RFC 7636 §4.2).

    Raises UnicodeEncodeError for a verifier that is not ASCII.
    """
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")
