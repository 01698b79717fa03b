"""Tell the bearer of an access token whom it stands for (OpenID Connect Core §5.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..protocol.application import ApplicationFacts
from ..protocol.checks import Trace
from . import account_mapping, claims
from . import bearer as bearers
from .access_token import Bearer


def userinfo(
    application: ApplicationFacts, token: str | None, *, now: datetime, trace: Trace
) -> tuple[Bearer, dict[str, Any]]:
    """The claims that the token's scopes, and the request behind it, ask for.

    Raises ``MissingToken`` or ``InvalidToken``.
    """
    bearer = bearers.identify(token, now=now, trace=trace, expected=application)
    members: dict[str, Any] = {
        "sub": bearer.subject,
        "aud": bearer.audience[0] if len(bearer.audience) == 1 else list(bearer.audience),
        "unique_name": bearer.login_name,
        "auth_time": bearer.auth_time,
    }
    if bearer.user is None:
        return bearer, members
    members["unique_name"] = account_mapping.user_name(application, bearer.user)
    told = claims.userinfo(application, bearer.user, bearer.scopes, bearer.requested_claims)
    return bearer, {**told, **members}
