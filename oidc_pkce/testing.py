"""For the tests of projects that install this app."""

from __future__ import annotations


def clear_caches() -> None:
    """Forget what this process keeps of keys, metadata and requests; call it between tests."""
    from .flows import keys, metadata, remote_issuer, tracing, usage

    keys.clear()
    metadata.clear()
    remote_issuer.clear()
    tracing.clear()
    usage.forget()
