"""Define the scope that a request asks for."""

from __future__ import annotations

from functools import partial

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from ...protocol.response_type import ResponseType
from ...protocol.scope import OPENID, STANDARD
from ...validators import validate_scope_name
from ..webapps import Changes, ScopeChange
from .case import Case
from .cure import Cure, Sentence


def define(case: Case) -> Cure | None:
    """The scope that the check named; without a description, which the Scope page adds."""
    return _define(case, case.received, case.not_whole) if case.received else None


def define_for_a_client(case: Case) -> Cure | None:
    """The same at the token endpoint, where OpenID Connect's own scopes need a person."""
    if case.facts.is_openid_connect and case.received in STANDARD:
        return None
    return define(case)


def define_openid(case: Case) -> Cure | None:
    """An ID token is asked for, and the application does not know its scope."""
    asked = ResponseType(case.received)
    return _define(case, OPENID) if asked.is_known and asked.has_id_token else None


def _define(case: Case, scope: str, not_whole: str = "") -> Cure | None:
    if scope in case.facts.known_scopes:
        return None
    names = {"application": case.application.name}
    to_do = gettext("Define the scope %(value)s on %(application)s, without a description.")
    done = gettext("The scope %(value)s was added to %(application)s.")
    return case.edit(
        "scopes",
        Sentence.about(to_do, scope, host=scope, **names),
        partial(_with, case, scope),
        page="scope",
        button=gettext("Define this scope"),
        done=str(Sentence.about(done, scope, **names)),
        warning=_warning(scope),
        obstacle=not_whole or _obstacle(scope),
    )


def _with(case: Case, scope: str) -> Changes:
    stored = map(ScopeChange.of, case.application.scopes.all())
    return Changes(scopes=(*stored, ScopeChange(scope)))


def _obstacle(scope: str) -> str:
    try:
        validate_scope_name(scope)
    except ValidationError as fault:
        return " ".join(fault.messages)
    return ""


def _warning(scope: str) -> str:
    told = gettext(
        "Anybody can send such a request. Every client of this application may then ask for the"
        " scope, and an API may open something to it."
    )
    if scope not in STANDARD:
        return told
    openid = gettext("OpenID Connect defines it: with openid, clients are told about people.")
    return f"{told} {openid}"
