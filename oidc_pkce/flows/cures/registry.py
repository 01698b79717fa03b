"""Which check has which cures, and how one of them is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ...models import Application, RequestTrace, Right
from ...protocol.pkce import PLAIN
from .. import administration
from ..actor import Actor
from ..webapps import EditedMeanwhile
from . import access, addresses, clients, scopes, service_users, tokens
from .case import Case
from .cure import Cure

#: Says what it would do about a case; nothing, where that is done already or would not help.
Recipe = Callable[[Case], Cure | None]


class NotNeeded(Exception):
    """There is no such cure for the request, or no longer."""


class NotAllowed(Exception):
    """The administrator lacks the right that the cure needs."""


def _by_hand(words: Any, page: str, *, when: Callable[[Case], bool] = bool) -> Recipe:
    return partial(_explain, words=words, page=page, when=when)


def _explain(case: Case, *, words: Any, page: str, when: Callable[[Case], bool]) -> Cure | None:
    return case.by_hand(page, str(words), page) if when(case) else None


_CLIENT: tuple[Recipe, ...] = (clients.add_client, clients.name_the_client)
_ACCESS: tuple[Recipe, ...] = (access.enable, service_users.activate, access.grant_run)
_NETWORK: tuple[Recipe, ...] = (
    _by_hand(
        _("Allowed networks of %(application)s stand on its Policy page; none is added here."),
        "policy",
    ),
)
_ACR: tuple[Recipe, ...] = (
    _by_hand(
        _("Required acr of %(application)s stands on its Policy page; it is not lowered here."),
        "policy",
    ),
)

#: By the check that failed. What would make an application less safe than it is by default has no
#: button: only the page is named, where it is a decision of its own.
CURES: Mapping[str, tuple[Recipe, ...]] = {
    "authorize.client_id": _CLIENT,
    "authorize.redirect_uri": (addresses.add_redirect,),
    "authorize.enabled": (access.enable,),
    "authorize.flow": (tokens.tick_for_response_type, scopes.define_openid),
    "authorize.scope": (scopes.define,),
    "authorize.access": _ACCESS,
    "authorize.network": _NETWORK,
    "authorize.acr": _ACR,
    "authorize.code_challenge": (
        _by_hand(
            _(
                "Let the client send a code_challenge: every current library can. Require PKCE of"
                " %(application)s can be turned off on its Tokens page; then whoever catches a code"
                " can redeem it."
            ),
            "tokens",
            when=lambda case: case.application.requires_pkce,
        ),
    ),
    "authorize.code_challenge_method": (
        _by_hand(
            _(
                "Let the client send code_challenge_method=S256. Plain PKCE can be allowed on the"
                " Tokens page of %(application)s; then whoever sees a request can redeem its code."
            ),
            "tokens",
            when=lambda case: case.received == PLAIN and not case.application.allows_plain_pkce,
        ),
    ),
    "client.known": _CLIENT,
    "client.service_user": (service_users.activate, service_users.flag),
    "token.flow": (tokens.tick_for_grant_type, tokens.issue_refresh_tokens),
    "token.access": _ACCESS,
    "token.scope": (scopes.define_for_a_client,),
    "client_credentials.access": _ACCESS,
    "client_credentials.network": _NETWORK,
    "password.access": _ACCESS,
    "password.network": _NETWORK,
    "password.required_acr": _ACR,
    "bearer.client": (clients.add_client,),
    "bearer.access": _ACCESS,
    "introspection.refresh": (tokens.issue_refresh_tokens,),
    "introspection.client": (clients.add_client,),
    "introspection.access": _ACCESS,
    "end_session.post_logout_redirect_uri": (addresses.add_post_logout_redirect,),
    "end_session.client_id": (clients.add_client,),
}


def offered(user: Any, trace: RequestTrace) -> tuple[Cure, ...]:
    """What can be done about a refused request now, those for which ``user`` lacks a right too.

    None for a request of an unknown application, nor for one that succeeded.
    """
    case = _case(user, trace)
    if case is None:
        return ()
    found = (recipe(case) for recipe in CURES.get(trace.failed_check, ()))
    return tuple(cure for cure in found if cure is not None)


def may_cure(user: Any, trace: RequestTrace) -> bool:
    """Whether ``user`` may change anything of what this request met."""
    if trace.application is None or not user.is_active:
        return False
    held = administration.rights(user, trace.application)
    changes = not held.isdisjoint({Right.MANAGE, Right.GRANT})
    return changes or bool(user.has_perm("oidc_pkce.change_serviceuser"))


def apply(user: Any, trace: RequestTrace, name: str, *, seen: str, now: datetime) -> Cure:
    """Carry out the cure of this name, recomputed from what is stored; the one that was done.

    ``seen`` is what the page showed of it. Raises ``NotNeeded``, ``NotAllowed``,
    ``EditedMeanwhile``, and ``ValidationError`` with the sentence that a manual edit would meet.
    """
    cure = next((each for each in offered(user, trace) if each.name == name), None)
    if cure is None:
        raise NotNeeded(name)
    if not cure.is_allowed:
        raise NotAllowed(name)
    if cure.change is None or cure.obstacle:
        raise ValidationError(cure.obstacle or str(cure.sentence))
    if seen != cure.seen:
        raise EditedMeanwhile(name)
    cure.change(Actor.of(user), now)
    return cure


def _case(user: Any, trace: RequestTrace) -> Case | None:
    if trace.succeeded or trace.application_id is None:
        return None
    failed = next(
        (each for each in trace.outcomes if each.get("check") == trace.failed_check), None
    )
    application = Application.objects.filter(pk=trace.application_id).first()
    if failed is None or application is None:
        return None
    return Case(user, trace, application, failed)
