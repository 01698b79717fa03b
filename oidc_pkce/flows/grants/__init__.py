"""How each ``grant_type`` is answered. A new grant is a module here and a line in this table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...protocol.token import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    PASSWORD,
    REFRESH_TOKEN,
    TokenResponse,
)
from . import authorization_code, client_credentials, password, refresh_token
from .order import GrantOrder as GrantOrder


class Exchange(Protocol):
    """Answer one token request, or raise an ``OAuthError``."""

    def __call__(self, order: GrantOrder) -> TokenResponse: ...


GRANTS: Mapping[str, Exchange] = {
    AUTHORIZATION_CODE: authorization_code.exchange,
    REFRESH_TOKEN: refresh_token.exchange,
    CLIENT_CREDENTIALS: client_credentials.exchange,
    PASSWORD: password.exchange,
}
