"""How people prove who they are on the host project's own pages: what those pages tell us."""

from __future__ import annotations

import re
import time
from typing import Any

from django.conf import settings as django_settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from .receivers import AMR, AUTH_TIME, NOTED

MAX_METHODS = 20

_METHOD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,50}")


def note_methods(request: HttpRequest | None, user: Any, *methods: str) -> None:
    """Say by which methods this user has just proved to be themselves (RFC 8176 §2).

    A page that asks a signed-in person for more calls it when the proof has held: the methods are
    added to those of this browser session, and ``auth_time`` is now. An authentication backend
    calls it when it returns the user: the methods are those of the sign-in that follows in the
    same request. Raises ``ValueError`` for what is no name of a method.
    """
    for method in methods:
        if not _METHOD.fullmatch(method):
            raise ValueError(f"{method!r} is no method: write a word such as 'otp' (RFC 8176 §2)")
    if request is None:  # a backend is not always asked for a browser
        return
    noted = dict(getattr(request, NOTED, {}))
    noted[user.pk] = _added(noted.get(user.pk, ()), methods)
    setattr(request, NOTED, noted)
    signed_in = getattr(request, "user", None)
    # The proof of one person is never added to the session of another.
    if signed_in is None or not signed_in.is_authenticated or signed_in.pk != user.pk:
        return
    if AUTH_TIME in request.session:
        request.session.cycle_key()  # who knew the key before gains nothing
        request.session[AMR] = _added(request.session.get(AMR, ()), methods)
        request.session[AUTH_TIME] = time.time()


def user_of(request: HttpRequest) -> Any:
    """Who is signed in in this browser, also when deactivated meanwhile; ``None`` for nobody."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return user
    return _deactivated(request)


def _added(known: Any, methods: tuple[str, ...]) -> list[str]:
    return list(dict.fromkeys((*known, *methods)))[:MAX_METHODS]


def _deactivated(request: HttpRequest) -> Any:
    """The user of a session that would be valid if its user were active.

    Django's own backend says that there is nobody. Only a session with a user costs a statement.
    """
    session = request.session
    known_backend = session.get(BACKEND_SESSION_KEY) in django_settings.AUTHENTICATION_BACKENDS
    if SESSION_KEY not in session or not known_backend:
        return None
    user = get_user_model()._base_manager.filter(pk=session[SESSION_KEY]).first()
    if user is None or user.is_active or not _is_its_session(user, session.get(HASH_SESSION_KEY)):
        return None
    return user


def _is_its_session(user: Any, given: str | None) -> bool:
    """Whether the session was made with the password that the user still has."""
    valid = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return given is not None and any(constant_time_compare(given, each) for each in valid)
