"""What happens at every sign-in and sign-out of the host project, whichever page does it.

And when a user or a group is deleted that Permissions named.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import pre_delete
from django.http import HttpRequest
from django.utils import timezone

from . import identifiers
from .flows import end_session as sessions
from .flows import webapps
from .models import Application, Permission

AUTH_TIME = "oidc_pkce.auth_time"
SID = "oidc_pkce.sid"
AMR = "oidc_pkce.amr"
FRESH_FOR = "oidc_pkce.fresh_for"
NOTED = "_oidc_pkce_noted_methods"  # on a request: what a backend has said, by user

logger = logging.getLogger(__name__)


def connect() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    user_logged_in.connect(remember_sign_in, dispatch_uid="oidc_pkce.remember_sign_in")
    user_logged_out.connect(end_session, dispatch_uid="oidc_pkce.end_session")
    pre_delete.connect(note_departure, sender=Permission, dispatch_uid="oidc_pkce.note_departure")


def remember_sign_in(
    sender: Any, request: HttpRequest | None, user: Any = None, **kwargs: Any
) -> None:
    """Keep when the person signed in, and a name for this browser session.

    Fractions of a second matter: ``prompt=login`` asks for a sign-in after the request. The name
    stays when the same person signs in again (for another one Django empties the session first):
    a sign-out must find what was granted before, too.
    """
    session = getattr(request, "session", None)
    if session is not None:
        session[AUTH_TIME] = time.time()
        session.setdefault(SID, identifiers.new_sid())
        # Our own page says afterwards how the person proved it, and for which request.
        session[AMR] = list(getattr(request, NOTED, {}).get(getattr(user, "pk", None), ()))
        session[FRESH_FOR] = ""


def end_session(sender: Any, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """End what belongs to this browser session, before Django empties it.

    Whatever fails here must not keep the person signed in. Should the process die between the two,
    the person signs out again: the other way round nobody would ever be told.
    """
    if user is None:
        return
    session = getattr(request, "session", None)
    sid = "" if session is None else session.get(SID, "")
    try:
        sessions.end(user, sid, now=timezone.now())
    except Exception:
        logger.exception("what belongs to the session of user %s was not ended", user.pk)


def note_departure(sender: Any, instance: Any, origin: Any = None, **kwargs: Any) -> None:
    """Record that a row of Permissions goes with its user or its group.

    Listening to the rows catches every way of deleting, proxies and cascades of the host's own
    included. What fails here stops the deletion: who may do what never changes without a record.
    """
    origin_model = getattr(origin, "model", type(origin))
    if not issubclass(origin_model, Application | Permission):
        webapps.withdraw(instance, actor=webapps.Actor(), now=timezone.now())
