"""Lost updates: the ETag of an application is its version (RFC 9110 §13)."""

from __future__ import annotations

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.request import Request

from ..models import Application
from . import problems
from .problems import Problem

ANY = "*"


def etag(application: Application) -> str:
    """The entity tag of an application as it is stored."""
    return f'"{application.version}"'


def expected_version(request: Request, application: Application) -> int | None:
    """The version that a change may replace; ``None`` for any. Raises ``Problem`` 428 or 412.

    The flow compares once more, behind its lock: this is the polite answer, that one is the rule.
    """
    given = request.headers.get("If-Match", "")
    if not given:
        raise Problem(problems.UNCONDITIONAL)
    if given.strip() == ANY:
        return None
    if etag(application) not in parse_etags(given):
        sentence = _("The application is at version %(now)s, and If-Match says %(given)s.")
        raise Problem(problems.STALE, sentence % {"now": etag(application), "given": given[:80]})
    return application.version


def is_known(request: Request, application: Application) -> bool:
    """Whether the client has this version already (RFC 9110 §13.1.2: compared weakly)."""
    given = parse_etags(request.headers.get("If-None-Match", ""))
    known = {tag.removeprefix("W/") for tag in given}
    return etag(application) in known or ANY in known
