"""Make a service user fit to be a client; asks what the screen of service users asks."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from ...models import ServiceUser
from .. import service_user as flow
from ..escalation import acting_as_gives_more
from .case import Case
from .cure import Change, Cure, Place, Sentence


def activate(case: Case) -> Cure | None:
    """Let it act as a client again."""
    found = _named(case)
    if found is None or found.user.is_active or not flow.can_be_deactivated():
        return None
    return _cure(
        case,
        found,
        "activate",
        gettext("Activate the service user %(value)s."),
        gettext("The service user %(value)s is active."),
        lambda actor, now: flow.activate(found, actor=actor, now=now),
        button=gettext("Activate"),
        warning=gettext(
            "Somebody shut it out, perhaps because its secret is in the wrong hands: its secrets"
            " and its tokens are good again."
        ),
    )


def flag(case: Case) -> Cure | None:
    """Mark it as one that may be a client here."""
    found = _named(case)
    is_asked = case.facts.must_be_oauth_client
    if found is None or not is_asked or found.is_oauth_confidential_client:
        return None
    return _cure(
        case,
        found,
        "flag",
        gettext("Flag the service user %(value)s as an OAuth confidential client."),
        gettext("The service user %(value)s is flagged as an OAuth confidential client."),
        lambda actor, now: flow.flag(
            found, is_oauth_confidential_client=True, actor=actor, now=now
        ),
        button=gettext("Flag it"),
        warning=gettext("It may then be a client of every application that asks for the flag."),
    )


def _named(case: Case) -> ServiceUser | None:
    """The service user that proved itself, or whose token was brought: by its key, not a name."""
    return ServiceUser.objects.select_related("user").filter(pk=case.trace.user_id).first()


def _cure(
    case: Case,
    found: ServiceUser,
    name: str,
    to_do: str,
    done: str,
    change: Change,
    **more: Any,
) -> Cure:
    obstacle = _obstacle(case, found)
    login_name = str(found)
    return Cure(
        name=name,
        trace_pk=case.trace.pk,
        sentence=Sentence.about(to_do, login_name, host=login_name),
        done=str(Sentence.about(done, login_name)),
        is_allowed=not obstacle,
        obstacle=obstacle,
        place=_place(case, found),
        # It has no version: what is to be changed is what was seen.
        seen=f"{found.user.is_active:d}{found.is_oauth_confidential_client:d}",
        change=change,
        **more,
    )


def _obstacle(case: Case, found: ServiceUser) -> str:
    administrator = case.administrator
    may_change = administrator.is_active and administrator.has_perm("oidc_pkce.change_serviceuser")
    if not may_change:
        return gettext(
            "You cannot do this: it needs the permission to change service users. Ask somebody"
            " who has it."
        )
    if acting_as_gives_more(found.user, administrator):
        return gettext("“%(name)s” may do more than you: it was left alone.") % {"name": found}
    return ""


def _place(case: Case, found: ServiceUser) -> Place | None:
    sees = ("oidc_pkce.view_serviceuser", "oidc_pkce.change_serviceuser")
    if not any(case.administrator.has_perm(name) for name in sees):
        return None
    return Place("serviceuser_change", found.pk, str(found))
