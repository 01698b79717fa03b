"""Resource indicators: whom an access token is for (RFC 8707)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .errors import InvalidTarget

# RFC 3986 §4.3: a scheme, then its characters; no fragment.
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")

MAX_RESOURCES = 10
MAX_RESOURCE = 255


def require_wellformed(resources: Sequence[str]) -> None:
    """Each is an absolute URI without a fragment (§2). Raises ``InvalidTarget``."""
    if len(resources) > MAX_RESOURCES:
        raise InvalidTarget("too many resource parameters")
    for resource in resources:
        if len(resource) > MAX_RESOURCE:
            raise InvalidTarget("resource is too long")
        if not _ABSOLUTE_URI.fullmatch(resource):
            raise InvalidTarget("resource must be an absolute URI", received=resource)
