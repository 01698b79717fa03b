"""What a browser session remembers of an authorization request until its answer comes.

No credential is among it. The code verifier is derived anew when it is needed, from a random name
that only this session holds, for this user and this application: whoever replays an answer in
another session has no verifier for it. Not from the session's key as well, which changes when the
flow signs the same person in again.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from ...conf import settings
from ...flows import tracing
from ...models import Application
from ...protocol import pkce

KEY = "oidc_pkce.test_runs"
MOST = 3  # in one session, which some projects keep in a cookie
MAX_VALUE = 600  # characters of one value, and
MAX_VALUES = 24  # values of one run

#: What the answer is compared with, and so kept as it was sent.
_COMPARED = ("state", "nonce", "client_id", "redirect_uri")
#: A parameter with such a word in its name is not kept, whoever typed it.
_CREDENTIALS = ("id_token_hint", "request", "code", "token", "secret", "password", "verifier")
_WORDS = ("scope", "claims", "resource", "code_challenge_method")

_NAME = re.compile(r"[A-Za-z0-9_-]{22,64}")

Pairs = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Run:
    """One authorization request that was sent from the page of an application."""

    name: str
    application: int
    at: float
    sent: tuple[tuple[str, str], ...]
    challenge_is_ours: bool

    def get(self, name: str) -> str | None:
        """The first value that was sent under this name, as far as it was kept."""
        return next((value for key, value in self.sent if key == name), None)

    def verifier(self, user: Any) -> str | None:
        """The verifier that belongs to the challenge, where the challenge is ours."""
        if not self.challenge_is_ours:
            return None
        derived = derive_verifier(self.name, user, self.application)
        is_plain = self.get("code_challenge_method") != pkce.S256
        return pkce.s256(derived) if is_plain else derived


def new_name() -> str:
    """A random name for a run: 192 bits."""
    return secrets.token_urlsafe(24)


def is_name(text: str) -> bool:
    """Whether a run may be called so."""
    return _NAME.fullmatch(text) is not None


def derive_verifier(name: str, user: Any, application_pk: int) -> str:
    """A code verifier of 43 characters (RFC 7636 §4.1), the same each time."""
    value = f"{name}|{user.pk}|{application_pk}"
    made = salted_hmac("oidc_pkce.portal.test_run", value, algorithm="sha256").digest()
    return urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def challenge(name: str, user: Any, application_pk: int) -> str:
    """The challenge that the page suggests, for S256; for plain it is the verifier itself."""
    return pkce.s256(derive_verifier(name, user, application_pk))


def remember(
    request: HttpRequest, application: Application, name: str, pairs: Pairs, now: datetime
) -> None:
    """Keep what is sent; of many runs in one session, the newest ones."""
    sent = tuple(pairs)
    values = dict(sent)
    ours = values.get("code_challenge") == challenge(name, request.user, application.pk)
    is_plain = values.get("code_challenge_method") != pkce.S256
    kept = tuple((key[:100], _kept(key, value, is_plain)) for key, value in sent[:MAX_VALUES])
    run = Run(name, application.pk, now.timestamp(), kept, ours)
    others = [each for each in _all(request, now) if each.name != name]
    _store(request, [*others, run][-MOST:])


def find(request: HttpRequest, application: Application, name: str, now: datetime) -> Run | None:
    """The run of this name, if this session sent it from this application not too long ago."""
    return next((run for run in _of(request, application, now) if run.name == name), None)


def waiting_for(
    request: HttpRequest, application: Application, state: str | None, now: datetime
) -> Run | None:
    """The run that was sent with this ``state``, the newest one first."""
    sent = None if state is None else _compared(state)
    return next((run for run in _of(request, application, now) if run.get("state") == sent), None)


def newest(request: HttpRequest, application: Application, now: datetime) -> Run | None:
    """The run that was sent last."""
    return next(iter(_of(request, application, now)), None)


def forget(request: HttpRequest, application: Application, name: str, now: datetime) -> None:
    """Its answer was taken: nobody derives its verifier again."""
    runs = _all(request, now)
    left = [run for run in runs if (run.name, run.application) != (name, application.pk)]
    if len(left) != len(runs):
        _store(request, left)


def _of(request: HttpRequest, application: Application, now: datetime) -> list[Run]:
    mine = [run for run in _all(request, now) if run.application == application.pk]
    return mine[::-1]


def _all(request: HttpRequest, now: datetime) -> list[Run]:
    oldest = now.timestamp() - settings.interaction_lifetime.total_seconds()
    stored = request.session.get(KEY, [])
    runs = [Run(**{**each, "sent": tuple(map(tuple, each["sent"]))}) for each in stored]
    return [run for run in runs if run.at > oldest]


def _store(request: HttpRequest, runs: list[Run]) -> None:
    request.session[KEY] = [asdict(run) for run in runs]


def _kept(name: str, value: str, is_plain: bool) -> str:
    if name in _COMPARED:
        return _compared(value)
    if name in _WORDS:
        return value[:MAX_VALUE]
    if name == "code_challenge":  # with plain, it is the verifier
        return _counted(value) if is_plain else value[:MAX_VALUE]
    if any(word in name.lower() for word in _CREDENTIALS):
        return _counted(value)
    return tracing.without_credentials(value)[:MAX_VALUE]


def _compared(value: str) -> str:
    """A value that can be compared; of a very long one, its digest."""
    if len(value) <= MAX_VALUE:
        return value
    return f"SHA-256 {sha256(value.encode('utf-8', 'replace')).hexdigest()}"


def _counted(value: str) -> str:
    return f"({len(value)} characters)"
