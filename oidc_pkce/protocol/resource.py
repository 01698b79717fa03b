"""Resource indicators: whom an access token is for (RFC 8707)."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import InvalidTarget

MAX_RESOURCES = 10
MAX_RESOURCE = 255


def require_wellformed(resources: Sequence[str]) -> None:
    """Each is an absolute URI without a fragment (§2). Raises ``InvalidTarget``."""
    if len(resources) > MAX_RESOURCES:
        raise InvalidTarget("too many resource parameters")
    for resource in resources:
        if len(resource) > MAX_RESOURCE:
            raise InvalidTarget("resource is too long")
        head, colon, tail = resource.partition(":")
        if not (head and colon and tail) or "#" in resource or not resource.isprintable():
            raise InvalidTarget("resource must be an absolute URI", received=resource)
