"""Judge a sign-out request, and end what belongs to a browser session.

A hint or client that cannot be believed is not used (RP-Initiated Logout §4): the person is asked,
and the browser goes nowhere. The trace says which check it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.core import signing
from django.db import transaction

from .. import audit, signals
from ..conf import settings
from ..models import Application, EndedSession, Grant, LogoutDelivery, Subject
from ..models.application_facts import FACTS, facts_of, scope_names
from ..protocol import end_session as rules
from ..protocol import id_token, jose, redirect_uri
from ..protocol.application import ApplicationFacts, Template
from ..protocol.checks import Trace, check
from ..protocol.credential import Credential
from ..protocol.end_session import EndSessionRequest, Hint, Question
from ..protocol.errors import InvalidRequest, StalePage
from ..protocol.parameters import Parameters
from ..protocol.subject import session_for
from . import application as applications
from . import keys
from .interaction import page_is_fresh
from .subject import subject_of

TRIED_FOR = timedelta(hours=24)
UNDER_WAY = timedelta(hours=1)  # far longer than any authorization request takes
_TICKET = "oidc_pkce.end_session"
_PAGE = "oidc_pkce.end_session_page"


@dataclass(frozen=True, slots=True)
class Asked:
    """A sign-out request, the application that it names, and what its hint says."""

    parameters: Parameters
    application: ApplicationFacts | None
    hint: Hint | None


@dataclass(frozen=True, slots=True)
class Frame:
    """One application that the signed-out page tells: ``address`` adds to what is registered."""

    name: str
    registered: str
    address: str


# --- whose request it is -----------------------------------------------------------------------


def find(application_id: str, parameters: Parameters, *, now: datetime, trace: Trace) -> Asked:
    """Whom the request comes from, as far as it says. Raises an ``OAuthError``.

    Without an Application ID in the address, the hint names the application, else the client.
    """
    application = applications.find(application_id, trace) if application_id else None
    trace.take(rules.parameters_are_wellformed, parameters)
    hint = None
    if parameters.get("id_token_hint"):
        hint = trace.believe(hint_is_ours, parameters, now)
    if application is None and hint is not None:
        application = _issued_by(hint)
    if hint is not None:
        hint = trace.believe(rules.hint_is_of_application, application, hint)
    if application is None:
        application = _first(_openid_connect(parameters.get("client_id") or ""))
    return Asked(parameters, application, hint)


def judge(asked: Asked, trace: Trace) -> EndSessionRequest:
    """What of the request may be believed. Raises ``UnusableRedirectUri``."""
    parameters, application, hint = asked.parameters, asked.application, asked.hint
    address = parameters.get("post_logout_redirect_uri") or ""
    trace.take(rules.address_is_registered, application, address)
    question = Question(parameters, application, hint)
    client_id = None
    if question.client_id is not None or address:
        exists = application and applications.client_exists(application, question.client_id)
        question = Question(parameters, application, hint, bool(exists))
        client_id = trace.believe(rules.client_is_served, question)
    return EndSessionRequest(
        application_id=application.application_id if application else "",
        client_id=client_id or "",
        subject=hint.subject if hint else "",
        sid=hint.sid if hint else "",
        post_logout_redirect_uri=address,
        state=parameters.get("state"),
        ui_locales=(parameters.get("ui_locales") or "")[: rules.MAX_UI_LOCALES],
    )


def find_again(request: EndSessionRequest, trace: Trace) -> ApplicationFacts | None:
    """The application of a request that was sealed a while ago.

    Raises ``UnknownApplication``, ``UnusableRedirectUri``.
    """
    if not request.application_id:
        return None
    application = applications.find(request.application_id, trace)
    trace.take(rules.address_is_registered, application, request.post_logout_redirect_uri)
    return application


@check(
    "end_session.id_token_hint",
    spec="OpenID Connect RP-Initiated Logout §2",
    fix="Send an ID token that this server issued to this client; it may be old.",
)
def hint_is_ours(parameters: Parameters, now: datetime) -> Hint:
    """id_token_hint is an ID token that this server signed, issued to client_id if that is sent."""
    hint = parameters.get("id_token_hint") or ""
    try:
        claims = keys.verify(hint, now, typ=(id_token.TYP,))
    except jose.InvalidJWT as problem:
        raise InvalidRequest(
            "id_token_hint is not valid",
            detail=str(problem),
            credential=Credential("id_token_hint", hint),
        ) from None
    return rules.read_hint(claims, parameters.get("client_id"))


def vouches(
    request: EndSessionRequest, application: ApplicationFacts, user: Any, sid: str, trace: Trace
) -> bool:
    """Whether the hint is about this very person and session, so that nobody need be asked."""
    if not request.subject:
        return False
    known = Subject.objects.filter(user=user.pk).values_list("identifier", flat=True).first()
    subject = subject_of(application, user, known)
    mine = session_for(application, sid)
    return trace.believe(rules.hint_is_of_session, request, subject, mine) is not None


def _issued_by(hint: Hint) -> ApplicationFacts | None:
    """The application whose issuer this is: the client's own, or the one under our base."""
    base = f"{settings.issuer_base}/"
    name = hint.issuer.removeprefix(base).removesuffix("/") if hint.issuer.startswith(base) else ""
    candidates = (*_openid_connect(hint.client_id), *_read(Application.objects.named(name)))
    return _first(found for found in candidates if found.issuer == hint.issuer)


def _openid_connect(client_id: str) -> list[ApplicationFacts]:
    """The OpenID Connect application that is this client, if there is one."""
    openid = Application.objects.filter(template=Template.OPENID_CONNECT)
    return _read(openid.filter(openid_client_id=client_id))


def _read(found: Any) -> list[ApplicationFacts]:
    rows = found.order_by("pk").annotate(**scope_names()).values_list(*FACTS)
    return [facts_of(row) for row in rows]


def _first(found: Iterable[ApplicationFacts]) -> ApplicationFacts | None:
    return next(iter(found), None)


# --- on its way through our own pages ----------------------------------------------------------


def seal(request: EndSessionRequest, address: str) -> str:
    """Sign a request, for this address of ours alone."""
    return signing.dumps(astuple(request), salt=f"{_TICKET}.{address.lower()}", compress=True)


def unseal(text: str, address: str, trace: Trace) -> EndSessionRequest:
    """Read a request. Raises ``StalePage`` when it is forged, of another address or too old."""
    return EndSessionRequest(*trace.take(page_is_fresh, text, f"{_TICKET}.{address.lower()}"))


def seal_page(request: EndSessionRequest, address: str, user: Any, sid: str) -> str:
    """Bind the page that asks to the person, the browser session and the request."""
    content = (str(user.pk), sid, astuple(request))
    return signing.dumps(content, salt=f"{_PAGE}.{address.lower()}", compress=True)


def unseal_page(text: str, address: str, user: Any, sid: str, trace: Trace) -> EndSessionRequest:
    """Read what the page asked. ``user`` is ``None`` when nobody is signed in any more.

    Raises ``StalePage`` when it was shown to somebody else.
    """
    user_pk, session, content = trace.take(page_is_fresh, text, f"{_PAGE}.{address.lower()}")
    if user is not None:
        trace.take(page_was_shown_here, (user_pk, session), (str(user.pk), sid))
    return EndSessionRequest(*content)


@check(
    "end_session.page",
    spec="RFC 6749 §10.12",
    fix="Open the sign-out page again, as the person who is signed in now.",
)
def page_was_shown_here(shown: tuple[str, str], here: tuple[str, str]) -> None:
    """The sign-out page was shown to the person and the browser session that post it."""
    if shown != here:
        raise StalePage(detail="the page was shown to another person or browser session")


# --- the end -----------------------------------------------------------------------------------


def end(user: Any, sid: str, *, now: datetime) -> None:
    """Revoke what this browser session granted, and note whom to tell (Back-Channel Logout §2.7).

    A grant with ``offline_access`` lives on, for that is what it is for; its client is told. Of
    sign-outs at the same moment the first is audited.
    """
    is_first = _mark(sid, now)  # committed before the grants are read
    with transaction.atomic():
        _end(user, sid, now, is_first=is_first)


def end_if_late(grant: Grant, now: datetime) -> None:
    """Revoke a grant that was committed after its session had ended.

    Its request had read the session before the sign-out. Ask when the grant is committed.
    """
    if grant.sid and EndedSession.objects.filter(pk=grant.sid).exists():
        Grant.objects.filter(pk=grant.pk).for_the_session_alone().revoke(now)


def _mark(sid: str, now: datetime) -> bool:
    """Remember that a session has ended; whether it had not been remembered yet."""
    if not sid:
        return True
    _, is_new = EndedSession.objects.get_or_create(
        sid=sid, defaults={"expires_at": now + UNDER_WAY}
    )
    return is_new


def _end(user: Any, sid: str, now: datetime, *, is_first: bool) -> None:
    mine = Grant.objects.of_session(user.pk, sid)
    mine.live(now).for_the_session_alone().revoke(now)
    columns = ("pk", "revoked_at", "client_id", "subject", "application_id")
    rows = list(mine.values(*columns, "application__backchannel_logout_uri"))
    ended = [str(row["pk"]) for row in rows if row["revoked_at"] == now]
    told = {
        (row["application_id"], row["client_id"], row["subject"])
        for row in rows
        if row["application__backchannel_logout_uri"]
    }
    deliveries = (_delivery(*whom, sid, now) for whom in sorted(told))
    LogoutDelivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    if is_first or ended:
        audit.record(
            audit.Action.SIGNED_OUT,
            now=now,
            actor_pk=user.pk,
            actor_name=user.get_username(),
            details={"grants": len(ended), "applications": len(told)},
        )
    transaction.on_commit(partial(_announce, ended))


def _delivery(
    application: Any, client_id: str, subject: str, sid: str, now: datetime
) -> LogoutDelivery:
    return LogoutDelivery(
        application_id=application,
        client_id=client_id,
        subject=subject,
        sid=sid,
        created_at=now,
        next_attempt_at=now,
        expires_at=now + TRIED_FOR,
    )


def frames(user: Any, sid: str) -> list[Frame]:
    """The applications of this session that are told in a frame. Ask before the session ends."""
    of_session = Grant.objects.of_session(user.pk, sid).values("application")
    wanted = Application.objects.filter(pk__in=of_session).exclude(frontchannel_logout_uri="")
    return [
        Frame(found.name, found.frontchannel_logout_uri, rules.frame_address(found, sid))
        for found in _read(wanted)
        if not redirect_uri.problem(found.frontchannel_logout_uri)
    ]


def _announce(grants: Iterable[str]) -> None:
    reason = audit.Action.SIGNED_OUT.value
    for grant_id in grants:
        signals.grant_revoked.send_robust(sender=Grant, grant_id=grant_id, reason=reason)
