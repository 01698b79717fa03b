"""Ask a person whether a client may act, and remember the answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from .. import audit
from ..conf import settings
from ..models import Consent, Scope
from ..models.consent import scope_digest
from ..protocol import claims_request, scope
from ..protocol.application import ApplicationFacts
from ..protocol.authorization import AuthorizationRequest
from ..protocol.checks import Trace, check
from ..protocol.errors import AccessDenied
from ..protocol.response_mode import AuthorizationResponse
from . import authorization
from .authorization import Given
from .interaction import Person, ShownConsent

REFUSAL = "User denied confirmation"

#: What the scopes of OpenID Connect Core §5.4 and §11 let a client do, in a person's words.
STANDARD_DESCRIPTIONS: Mapping[str, str | Promise] = {
    "openid": _("Sign you in, and recognise you when you return"),
    "profile": _("See your name and your public profile"),
    "email": _("See your e-mail address"),
    "address": _("See your postal address"),
    "phone": _("See your telephone number"),
    "offline_access": _("Stay signed in while you are away"),
}
SINGLE_CLAIM = _("See what is known of you as “{claim}”")


@dataclass(frozen=True, slots=True)
class PermissionLine:
    """One scope, or one claim of no standard scope, as the page shows it.

    ``name`` is what the form posts, and ``shown`` what the person reads.
    """

    name: str
    shown: str
    description: str | Promise


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person chose: allowed or not, and the lines left ticked."""

    allowed: bool
    ticked: frozenset[str]


def describe(application: ApplicationFacts, permissions: Collection[str]) -> list[PermissionLine]:
    """What is asked for, with the descriptions that the Scope page holds."""
    own = Scope.objects.filter(application=application.pk, name__in=permissions)
    told = {name: text for name, text in own.values_list("name", "description") if text}
    descriptions = {**STANDARD_DESCRIPTIONS, **told}
    return [_line(name, descriptions) for name in permissions]


def _line(name: str, descriptions: Mapping[str, str | Promise]) -> PermissionLine:
    claim = claims_request.claim_of(name)
    if claim is None:
        return PermissionLine(name, name, descriptions.get(name, ""))
    return PermissionLine(name, claim, format_lazy(SINGLE_CLAIM, claim=claim))


@check(
    "consent.allowed",
    spec="RFC 6749 §4.1.2.1",
    fix="Nothing is wrong: the person refused. Ask again when the person wants to go on.",
)
def person_allows_the_client(decision: Decision) -> None:
    """The person allows what the consent page shows."""
    if not decision.allowed:
        raise AccessDenied(REFUSAL)


@check(
    "consent.openid",
    spec="OpenID Connect Core §3.1.2.1, §3.2.2.5",
    fix="Nothing is wrong: the person does not want to be signed in. Send response_type=code.",
)
def granted_scopes_suffice(request: AuthorizationRequest, given: Given) -> None:
    """Where the answer itself holds an ID token, openid is among the scopes left ticked."""
    if request.response_type.has_id_token and scope.OPENID not in given.scopes:
        raise AccessDenied(REFUSAL, detail="openid was unticked")


def decide(
    application: ApplicationFacts,
    request: AuthorizationRequest,
    person: Person,
    shown: ShownConsent,
    decision: Decision,
    *,
    given: Given,
    now: datetime,
    trace: Trace,
) -> AuthorizationResponse:
    """Grant what was shown and left ticked, or raise ``AccessDenied``; both are audited."""
    if not decision.allowed:
        _record(audit.Action.CONSENT_REFUSED, application, request, person, (), now)
    trace.take(person_allows_the_client, decision)
    allowed = _allowed(application, shown, decision)
    given = given.within(allowed)
    trace.take(granted_scopes_suffice, request, given)
    signers = authorization.signers(application, request, now)
    with transaction.atomic():
        remember(application, request.client_id, person, allowed, now)
        _record(audit.Action.CONSENT_GIVEN, application, request, person, allowed, now)
        return authorization.grant(application, request, person, given, signers=signers, now=now)


def remember(
    application: ApplicationFacts,
    client_id: str,
    person: Person,
    allowed: Collection[str],
    now: datetime,
) -> None:
    """Keep that this user allowed this client these scopes and single claims."""
    Consent.objects.update_or_create(
        application_id=application.pk,
        user_id=person.user.pk,
        client_id=client_id,
        scope_digest=scope_digest(allowed),
        defaults={
            "scope": scope.render(allowed),
            "created_at": now,
            "expires_at": now + settings.consent_lifetime,
        },
    )


def _allowed(
    application: ApplicationFacts, shown: ShownConsent, decision: Decision
) -> tuple[str, ...]:
    """What was shown and left ticked, never more."""
    if not application.allows_scope_selection:
        return shown.permissions
    return tuple(name for name in shown.permissions if name in decision.ticked)


def _record(
    action: audit.Action,
    application: ApplicationFacts,
    request: AuthorizationRequest,
    person: Person,
    allowed: Collection[str],
    now: datetime,
) -> None:
    audit.record(
        action,
        now=now,
        actor_pk=person.user.pk,
        actor_name=person.user.get_username(),
        application_pk=application.pk,
        application_name=application.name,
        client_id=request.client_id,
        details={"scope": scope.render(allowed)},
    )
