"""Offer the flow that a request needs."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...protocol.application import Flow
from ...protocol.response_type import ResponseType
from ...protocol.token import FLOW_OF_GRANT, REFRESH_TOKEN
from ..webapps import Changes
from .case import Case
from .cure import Cure, Sentence

#: As the Tokens page calls them.
NAMES = {
    Flow.AUTHORIZATION_CODE: _("Auth Code"),
    Flow.CLIENT_CREDENTIALS: _("Client Creds"),
    Flow.IMPLICIT: _("Implicit (legacy)"),
    Flow.PASSWORD: _("Resource Owner (legacy)"),
}
WARNINGS = {
    Flow.IMPLICIT: _(
        "Tokens then pass through the browser's address, where history and scripts can read them."
        " Auth Code with PKCE does the same, safely: change the client if you can."
    ),
    Flow.PASSWORD: _(
        "The client then sees people's passwords, and no second factor can be asked for. Auth"
        " Code with PKCE does the same, safely: change the client if you can."
    ),
}


#: Ticking these would not help a public client.
_FOR_SECRETS = frozenset({Flow.CLIENT_CREDENTIALS, Flow.PASSWORD})


def tick_for_response_type(case: Case) -> Cure | None:
    """The flows that a response type needs."""
    asked = ResponseType(case.received)
    return _tick(case, asked.flows) if asked.is_known else None


def tick_for_grant_type(case: Case) -> Cure | None:
    """The flow of a grant type; refreshing is none."""
    flow = FLOW_OF_GRANT.get(case.received)
    if flow is None or flow in case.facts.flows:
        return None
    is_public = not case.facts.is_openid_connect and case.facts.client_id_type.is_public
    if is_public and flow in _FOR_SECRETS:
        words = gettext(
            "This grant is for clients that keep a secret, which those of %(application)s do not:"
            " with Client ID Type Confidential they are service users."
        )
        return case.by_hand("client_id_type", words, "general_usage")
    return _tick(case, [flow])


def issue_refresh_tokens(case: Case) -> Cure | None:
    """Where a refresh token was presented."""
    application = case.application
    is_asked = case.received in ("", REFRESH_TOKEN)
    if not is_asked or application.issues_refresh_tokens:
        return None
    names = {"application": application.name}
    return case.edit(
        "issues_refresh_tokens",
        Sentence.about(gettext("Tick Issue refresh tokens on %(application)s."), **names),
        Changes({"issues_refresh_tokens": True}),
        page="tokens",
        button=gettext("Issue refresh tokens"),
        done=gettext("%(application)s issues refresh tokens.") % names,
        warning=gettext(
            "Every client of this application then gets them, and stays signed in for as long as"
            " they live."
        ),
    )


def _tick(case: Case, needed: Iterable[Flow]) -> Cure | None:
    ticked = case.application.flows
    missing = [flow for flow in needed if flow not in ticked]
    if not missing:
        return None
    names = ", ".join(str(NAMES[flow]) for flow in missing)
    about = {"flows": names, "application": case.application.name}
    return case.edit(
        "flows",
        Sentence.about(gettext("Tick %(flows)s on %(application)s."), **about),
        Changes({"flows": [*ticked, *(flow.value for flow in missing)]}),
        page="tokens",
        button=gettext("Tick this flow") if len(missing) == 1 else gettext("Tick these flows"),
        done=gettext("%(flows)s was ticked on %(application)s.") % about,
        warning=" ".join(str(WARNINGS[flow]) for flow in missing if flow in WARNINGS),
    )
