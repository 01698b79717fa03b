"""What an API says of itself: whose tokens it takes, and how they are sent (RFC 9728)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

WELL_KNOWN = ".well-known/oauth-protected-resource"


def metadata_path(resource: str) -> str:
    """The path of a resource's metadata, without a leading slash (§3.1)."""
    return WELL_KNOWN + urlsplit(resource).path.rstrip("/")


def metadata_url(resource: str) -> str:
    """The address of a resource's metadata, which challenges name (§5.1); '' for no resource."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}/{metadata_path(resource)}" if resource else ""


def document(
    resource: str, *, issuers: Sequence[str], scopes: Sequence[str], name: str
) -> dict[str, Any]:
    """The metadata of a resource; what is empty is left out (§2, §3.2)."""
    members = {
        "resource": resource,
        "authorization_servers": list(issuers),
        "scopes_supported": list(scopes),
        "bearer_methods_supported": ["header", "body"],
        "resource_name": name,
    }
    return {member: value for member, value in members.items() if value}
