"""What an application is told when a browser session has ended: the logout token.

OpenID Connect Back-Channel Logout §2.4.
"""

from __future__ import annotations

from typing import Any

from .application import ApplicationFacts
from .subject import session_for

TYP = "logout+jwt"
LIFETIME = 120  # seconds; two minutes at most, says §2.4
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def logout_token(
    application: ApplicationFacts, *, client_id: str, subject: str, sid: str, jti: str, now: int
) -> dict[str, Any]:
    """The claims of a logout token; ``now`` in seconds. It has no nonce (§2.4)."""
    return {
        "iss": application.issuer,
        "sub": subject,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": jti,
        "sid": session_for(application, sid),
        "events": {EVENT: {}},
    }
