"""Ties a test to the clause it holds us to; the matrix in docs/reference comes from these."""

import pytest

# What we leave out on purpose, so that the matrix is honest: document, section, reason.
NOT_SUPPORTED = (
    ("OpenID Connect Core", "6", "request objects: request_not_supported, as metadata says"),
    ("RFC 6749", "4.3 with openid", "a password exchanged at the token endpoint is no sign-in"),
    ("RFC 9700", "2.1.2", "front-channel tokens stay possible for old clients, off by default"),
)


def spec(document: str, section: str) -> pytest.MarkDecorator:
    """Mark a test: `@spec("RFC 9700", "2.1.1")`."""
    return pytest.mark.spec(document, section)
