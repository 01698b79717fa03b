"""Ties a test to the clause it holds us to; the matrix in docs/reference comes from these."""

import pytest

# What we leave out on purpose, so that the matrix is honest: document, section, reason.
NOT_SUPPORTED = (
    ("OpenID Connect Core", "5.6.2", "aggregated and distributed claims: not built"),
    ("OpenID Connect Core", "6.2", "request_uri: this server fetches nothing that a request names"),
    ("OpenID Connect Core", "10.2", "encrypted tokens: what travels is protected by TLS"),
    ("OpenID Connect Core", "10.1", "HS256: of client secrets only digests are kept"),
    ("OpenID Connect Dynamic Registration", "3", "applications are configured by administrators"),
    ("OpenID Connect Session Management", "3", "its frames need third-party cookies"),
    ("RFC 6749", "4.3", "the password grant stays possible for old clients, off by default"),
    ("RFC 7662", "2.2 of other clients", "a caller sees tokens of its own, or for it"),
    ("RFC 8628", "3", "device authorization: not built"),
    ("RFC 9126", "2", "pushed authorization requests: not built"),
    ("RFC 9449", "4", "DPoP: not built; access tokens are bearer tokens"),
    ("RFC 9700", "2.1.2", "front-channel tokens stay possible for old clients, off by default"),
)


def spec(document: str, section: str) -> pytest.MarkDecorator:
    """Mark a test: `@spec("RFC 9700", "2.1.1")`."""
    return pytest.mark.spec(document, section)
