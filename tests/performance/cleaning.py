"""How fast clean-up is, and how long a token request waits for it at most."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from tests.performance.workload import stored_codes

QUIET = 400  # requests before the clean-up begins
CHUNK = 100

EXPIRED = (
    """
INSERT INTO oidc_pkce_grant (id, application_id, user_id, client_id, client_authentication, scope,
    resources, subject, sid, amr, acr, requested_claims, nonce, auth_time, created_at, expires_at)
SELECT gen_random_uuid(), %(application)s, %(user)s, 'expired', 'none', '', '[]', 'subject', '',
    '[]', '', '{}', '', now(), now(), now() - random() * interval '1 day'
FROM generate_series(1, %(count)s)
""",
    """
INSERT INTO oidc_pkce_authorizationcode
    (digest, grant_id, redirect_uri, challenge, challenge_method, expires_at)
SELECT sha256(id::text::bytea), id, 'http://localhost:5000/callback', repeat('a', 43), 'S256',
    expires_at FROM oidc_pkce_grant WHERE client_id = 'expired'
""",
    """
INSERT INTO oidc_pkce_refreshtoken (digest, grant_id, seed, created_at, expires_at)
SELECT sha256(id::text::bytea), id, '', now(), expires_at
FROM oidc_pkce_grant WHERE client_id = 'expired'
""",
    "VACUUM ANALYZE",
)


@dataclass(frozen=True)
class Cleaning:
    """What was seen; durations in seconds."""

    rows: int
    seconds: float
    quiet: float
    longest: float
    requests: int

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


def clean(send: Callable[[str], int], application: Any, user: Any, grants: int) -> Cleaning:
    """Store so many expired grants, codes and refresh tokens; delete them beside token requests."""
    parameters = {"application": application.pk, "user": user.pk, "count": grants}
    with connection.cursor() as cursor:
        for number, statement in enumerate(EXPIRED):
            cursor.execute(statement, parameters if number == 0 else None)
    quiet = _longest(send, stored_codes(application.pk, user.pk, QUIET))
    codes = iter(stored_codes(application.pk, user.pk, 20_000))
    command = [sys.executable, "-m", "django", "cleanup_tokens", "--json"]
    began, longest, requests = time.perf_counter(), 0.0, 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            chunk = [code for code, _ in zip(codes, range(CHUNK), strict=False)]
            longest, requests = max(longest, _longest(send, chunk)), requests + len(chunk)
        printed, _ = process.communicate()
    seconds = time.perf_counter() - began
    return Cleaning(sum(json.loads(printed)["rows"].values()), seconds, quiet, longest, requests)


def _longest(send: Callable[[str], int], codes: list[str]) -> float:
    longest = 0.0
    for code in codes:
        began = time.perf_counter()
        assert send(code) == 200
        longest = max(longest, time.perf_counter() - began)
    return longest
