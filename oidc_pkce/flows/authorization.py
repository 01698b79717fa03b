"""Judge an authorization request, and grant it (RFC 6749 §4.1, OpenID Connect Core §3.1.2)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import FilteredRelation, Q

from .. import identifiers, signals
from ..conf import settings
from ..models import Application, AuthorizationCode, ClientAuthentication, Grant
from ..protocol import response_mode, scope
from ..protocol.access import Access
from ..protocol.application import ApplicationFacts
from ..protocol.authorization import (
    AuthorizationRequest,
    Destination,
    Question,
    find_destination,
    read_request,
)
from ..protocol.checks import Trace, check
from ..protocol.claims_request import RequestedClaims
from ..protocol.errors import AccessDenied, RedirectableError
from ..protocol.parameters import Parameters
from ..protocol.policy import NETWORK_CHECKS, NetworkQuestion
from ..protocol.response_mode import AuthorizationResponse
from . import access, claims, end_session, interaction, issuing, step_up
from . import application as applications
from .interaction import Owed, Person, Standing, Ticket
from .issuing import Issue, Signers
from .subject import subject_of


class Refused(Exception):
    """The request is refused, and its client can be told so."""

    def __init__(self, response: AuthorizationResponse, refusal: RedirectableError) -> None:
        self.response = response
        self.refusal = refusal
        super().__init__(str(refusal))


@dataclass(frozen=True, slots=True)
class Given:
    """What a person gives a client: scopes and single claims; under which subject, how proved."""

    subject: str = ""
    acr: str = ""
    scopes: tuple[str, ...] = ()
    claims: RequestedClaims = field(default_factory=RequestedClaims)

    @property
    def permissions(self) -> tuple[str, ...]:
        """What the person allows, line by line: a claim counts as the scope that holds it."""
        return tuple(dict.fromkeys((*self.scopes, *self.claims.permissions)))

    def within(self, allowed: Collection[str]) -> Given:
        """As much of it as is allowed; who is not signed in to the client is not told about."""
        scopes = tuple(name for name in self.scopes if name in allowed)
        claims = self.claims.within(allowed) if scope.OPENID in scopes else RequestedClaims()
        return replace(self, scopes=scopes, claims=claims)


@dataclass(frozen=True, slots=True)
class Judged:
    """A request that passed, what is still owed for it, and what would be given.

    ``step_up_path`` is where the person can prove more, when that is owed.
    """

    request: AuthorizationRequest
    owed: Owed
    given: Given = field(default_factory=Given)
    step_up_path: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """What the database says of one user and one application, in one statement."""

    access: Access
    subject: str
    consented: tuple[frozenset[str], ...]


@check(
    "authorize.access",
    spec="OpenID Connect Core §3.1.2.6",
    fix="Activate the user and give the Run right on the Permissions page.",
)
def user_may_use_the_application(answer: Access, application: ApplicationFacts) -> None:
    """The person who is signed in may use this application now."""
    if reason := answer.refusal(application):
        raise AccessDenied(detail=reason)


ACCESS_CHECKS = (user_may_use_the_application,)


def begin(
    application: ApplicationFacts,
    parameters: Parameters,
    person: Person | None,
    *,
    ticket: Ticket,
    address: str,
    now: datetime,
    trace: Trace,
) -> Judged:
    """Judge a request, its object unwrapped, and say what is still owed. Writes nothing.

    ``ticket`` names the request: only a sign-in on its own page counts as fresh. ``address`` is the
    browser's. Raises a ``DirectError`` (a page) or :class:`Refused` (an answer that travels to the
    client).
    """
    question = question_of(application, parameters)
    destination = find_destination(question, trace)
    try:
        request = read_request(question, destination, trace)
        # Before the sign-in: from outside no password is typed in vain.
        trace.run(NETWORK_CHECKS, NetworkQuestion(address, application.allowed_networks))
        return _what_is_owed(application, request, person, ticket, now, trace)
    except RedirectableError as refusal:
        raise Refused(refuse(application, destination, refusal), refusal) from refusal


def refuse(
    application: ApplicationFacts, destination: Destination, refusal: RedirectableError
) -> AuthorizationResponse:
    """The answer that tells a client why not."""
    return response_mode.error(
        destination.redirect_uri,
        destination.mode,
        error=refusal.error,
        description=refusal.description,
        issuer=application.issuer,
        state=destination.state,
    )


def grant(
    application: ApplicationFacts,
    request: AuthorizationRequest,
    person: Person,
    given: Given,
    *,
    signers: Signers | None,
    now: datetime,
) -> AuthorizationResponse:
    """Write grant and code in one transaction; the answer carries the code, last of all.

    ``signers`` are those that :func:`signers` gave before any transaction began.
    """
    code = identifiers.new_secret() if request.response_type.has_code else None
    with transaction.atomic():
        made = _write_grant(application, request, person, given, now)
        if code is not None:
            _write_code(code, made, request, now)
        order = Issue(application, made, person.user, given.scopes, request.resources, now)
        asked = request.response_type
        tokens = issuing.front_channel(order, asked, code, signers) if signers else ()
        transaction.on_commit(partial(end_session.end_if_late, made, now))
        transaction.on_commit(partial(_announce, application, made))
    return response_mode.success(
        request.redirect_uri,
        request.response_mode,
        response_type=request.response_type.sent,
        issuer=application.issuer,
        state=request.state,
        code=code,
        front_channel=tokens,
    )


def signers(
    application: ApplicationFacts, request: AuthorizationRequest, now: datetime
) -> Signers | None:
    """The keys for the tokens that the answer itself carries, or nothing when it carries none."""
    if not request.response_type.is_front_channel:
        return None
    return issuing.signers(application, now)


def question_of(application: ApplicationFacts, parameters: Parameters) -> Question:
    """What the checks see: a Confidential application's clients are asked of the database."""
    exists = applications.client_exists(application, parameters.get("client_id"))
    return Question(parameters, application, exists)


def _what_is_owed(
    application: ApplicationFacts,
    request: AuthorizationRequest,
    person: Person | None,
    ticket: Ticket,
    now: datetime,
    trace: Trace,
) -> Judged:
    asks, limit = application.requires_consent, application.sign_in_max_age
    standing = Standing(request, person, ticket, now, asks, limit)
    hinted = trace.take(interaction.hinted_subject, application, request, now)
    trace.run(interaction.SIGN_IN_CHECKS, standing)
    if person is None or interaction.must_sign_in(standing):
        return Judged(request, Owed.SIGN_IN)
    member = membership(application, request.client_id, person, now)
    if not _is_the_one(request, hinted, member.subject):
        trace.take(interaction.hinted_person_can_still_sign_in, standing)
        return Judged(request, Owed.SIGN_IN)
    trace.run(ACCESS_CHECKS, member.access, application)
    reached = step_up.context(application, standing)
    trace.run(step_up.CONTEXT_CHECKS, reached)
    if reached.owed is not Owed.NOTHING:
        return Judged(request, reached.owed, step_up_path=reached.path)
    asked = claims.asked(application, request)
    given = Given(member.subject, reached.told, request.scopes, asked)
    covered = any(set(given.permissions) <= allowed for allowed in member.consented)
    standing = replace(standing, has_consented=covered)
    trace.run(interaction.CONSENT_CHECKS, standing)
    owed = Owed.CONSENT if interaction.must_consent(standing) else Owed.NOTHING
    return Judged(request, owed, given)


def _is_the_one(request: AuthorizationRequest, hinted: str | None, subject: str) -> bool:
    """Whether the client asks for anybody, or for this very person (Core §3.1.2.1, §5.5.1)."""
    return hinted in {None, subject} and request.claims.names_subject(subject)


def membership(
    application: ApplicationFacts, client_id: str, person: Person, now: datetime
) -> Membership:
    """Run right, subject and remembered consents of one user: one statement."""
    rows = list(_membership_rows(application, client_id, person.user.pk, now))
    if not rows:  # deleted since the session was read
        return Membership(Access(False, False, False), "", ())
    first = rows[0]
    answer = Access(
        user_is_active=bool(person.user.is_active),
        has_run_right=first["has_run_right"],
        is_service_user=first["is_service_user"],
    )
    known = first["oidc_pkce_subject__identifier"]
    subject = subject_of(application, person.user, known)
    consented = (row["consent__scope"] for row in rows if row["consent__pk"] is not None)
    return Membership(answer, subject, tuple(frozenset(text.split()) for text in consented))


def _membership_rows(
    application: ApplicationFacts, client_id: str, user_pk: Any, now: datetime
) -> Any:
    mine = Q(
        oidc_pkce_consents__application=application.pk,
        oidc_pkce_consents__client_id=client_id,
        oidc_pkce_consents__expires_at__gt=now,
    )
    return (
        get_user_model()
        ._base_manager.filter(pk=user_pk)
        .annotate(
            consent=FilteredRelation("oidc_pkce_consents", condition=mine),
            **access.expressions(user="pk", application=application.pk),
        )
        .values(
            "has_run_right",
            "is_service_user",
            "oidc_pkce_subject__identifier",
            "consent__pk",
            "consent__scope",
        )
    )


def _write_grant(
    application: ApplicationFacts,
    request: AuthorizationRequest,
    person: Person,
    given: Given,
    now: datetime,
) -> Grant:
    return Grant.objects.create(
        application_id=application.pk,
        user_id=person.user.pk,
        client_id=request.client_id,
        client_authentication=_expected_authentication(application, request),
        scope=scope.render(given.scopes),
        resources=list(request.resources),
        subject=given.subject,
        sid=person.sid,
        amr=list(person.amr),
        acr=given.acr,
        requested_claims=given.claims.stored(),
        nonce=request.nonce or "",
        auth_time=person.auth_time,
        created_at=now,
        expires_at=now + _lifetime(application, request),
    )


def _lifetime(application: ApplicationFacts, request: AuthorizationRequest) -> timedelta:
    """How long anything that descends from the grant can live; without a code nothing follows."""
    if not request.response_type.has_code:
        return application.access_token_lifetime
    return settings.authorization_code_lifetime + application.longest_grant


def _expected_authentication(
    application: ApplicationFacts, request: AuthorizationRequest
) -> ClientAuthentication:
    """How the client will have to prove itself; an OpenID Connect client may choose."""
    if not request.response_type.has_code:
        return ClientAuthentication.NONE
    if application.is_openid_connect:
        return ClientAuthentication.PENDING
    public = application.client_id_type.is_public
    return ClientAuthentication.NONE if public else ClientAuthentication.SECRET


def _write_code(code: str, grant: Grant, request: AuthorizationRequest, now: datetime) -> None:
    challenge = request.challenge
    AuthorizationCode.objects.create(
        digest=identifiers.digest(code),
        grant=grant,
        redirect_uri=request.redirect_uri,
        challenge=challenge.value if challenge else "",
        challenge_method=challenge.method if challenge else "",
        expires_at=now + settings.authorization_code_lifetime,
    )


def _announce(application: ApplicationFacts, made: Grant) -> None:
    signals.grant_created.send_robust(
        sender=Application,
        application_id=application.application_id,
        client_id=made.client_id,
        user_pk=made.user_id,
        grant_id=str(made.pk),
    )
