"""What happens at every sign-in and sign-out of the host project, whichever page does it."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest

from . import identifiers

AUTH_TIME = "oidc_pkce.auth_time"
SID = "oidc_pkce.sid"
AMR = "oidc_pkce.amr"
FRESH_FOR = "oidc_pkce.fresh_for"
NOTED = "_oidc_pkce_noted_methods"  # on a request: what a backend has said, by user


def connect() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    user_logged_in.connect(remember_sign_in, dispatch_uid="oidc_pkce.remember_sign_in")


def remember_sign_in(
    sender: Any, request: HttpRequest | None, user: Any = None, **kwargs: Any
) -> None:
    """Keep when the person signed in, and a name for this browser session.

    Fractions of a second matter: ``prompt=login`` asks for a sign-in after the request.
    """
    session = getattr(request, "session", None)
    if session is not None:
        session[AUTH_TIME] = time.time()
        session[SID] = identifiers.new_sid()
        # Our own page says afterwards how the person proved it, and for which request.
        session[AMR] = list(getattr(request, NOTED, {}).get(getattr(user, "pk", None), ()))
        session[FRESH_FOR] = ""
