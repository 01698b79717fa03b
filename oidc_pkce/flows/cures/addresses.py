"""Register an address that a request named; anybody can name one, so its host is pointed out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from django.utils.translation import gettext

from ...protocol import redirect_uri as rules
from ...validators import redirect_problem
from ..webapps import Changes
from .case import Case
from .cure import Cure, Sentence

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*:)(?://([^/?#\\]*))?(.*)", re.DOTALL)
_ASCII = "".join(map(chr, range(128)))
_PUNYCODE = re.compile(r"(?:\A|\.)xn--", re.IGNORECASE)


def add_redirect(case: Case) -> Cure | None:
    """Where codes may be sent."""
    return _add(case, "redirect_uris", case.application.redirect_uris)


def add_post_logout_redirect(case: Case) -> Cure | None:
    """Where a person may be sent after signing out."""
    return _add(case, "post_logout_redirect_uris", case.application.post_logout_redirect_uris)


def _add(case: Case, field: str, registered: Sequence[str]) -> Cure | None:
    uri = case.received
    if not uri or rules.matches(registered, uri):
        return None
    shown, host = _in_ascii(uri)
    names = {"list": _list_of(case, field), "application": case.application.name}
    to_do = gettext("Add %(value)s to %(list)s of %(application)s.")
    done = gettext("Added to %(list)s of %(application)s: %(value)s.")
    return case.edit(
        field,
        Sentence.about(to_do, shown, host=host, **names),
        Changes({field: [*registered, uri]}),
        page="trust" if case.facts.is_openid_connect else "general_usage",
        button=gettext("Add this address"),
        done=str(Sentence.about(done, shown, **names)),
        warning=_warning(host),
        obstacle=case.not_whole or _obstacle(uri),
    )


def _list_of(case: Case, field: str) -> str:
    if field == "post_logout_redirect_uris":
        return gettext("Authorized post-logout redirect URIs")
    if case.facts.is_openid_connect:
        return gettext("Authorized Redirect URIs")
    return gettext("Allowed Redirects")


def _in_ascii(uri: str) -> tuple[str, str]:
    """The address as a browser sends it, and the host in it, or the scheme of an app.

    Letters of other scripts, which look like ASCII, show as what they are.
    """
    found = _ADDRESS.fullmatch(uri)
    if found is None:
        return _escaped(uri), ""
    scheme, authority, rest = found.groups()
    if authority is None:
        return f"{scheme}{_escaped(rest)}", scheme
    try:
        host = authority.encode("idna").decode("ascii")
    except UnicodeError:
        host = _escaped(authority)
    return f"{scheme}//{host}{_escaped(rest)}", host


def _escaped(text: str) -> str:
    return "…".join(quote(part, safe=_ASCII) for part in text.split("…"))


def _obstacle(uri: str) -> str:
    fault = redirect_problem(uri)
    return gettext("It cannot be added: %(fault)s.") % {"fault": fault} if fault else ""


def _warning(host: str) -> str:
    told = gettext("Anybody can send such a request. Add it only if this address is yours.")
    if not _PUNYCODE.search(host):
        return told
    lookalike = gettext(
        "A name that begins with xn-- stands for letters outside ASCII, which can look like those"
        " of another host."
    )
    return f"{told} {lookalike}"
