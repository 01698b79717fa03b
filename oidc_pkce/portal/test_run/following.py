"""What a client can do next with what it holds: the forms below an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from ...conf import settings
from ...models import Application
from ...protocol.metadata import grant_types
from ...protocol.token import REFRESH_TOKEN as REFRESH_GRANT
from . import forms
from .calls import CALLS
from .decoded import ACCESS_TOKEN, ID_TOKEN, REFRESH_TOKEN
from .page import RunPage, is_same_origin
from .remembered import Run


@dataclass(frozen=True, slots=True)
class Known:
    """What the client of a run holds. It travels in hidden fields of our own forms alone."""

    client_id: str
    nonce: str = ""
    code: str = field(default="", repr=False)
    run: Run | None = None
    redirect_uri: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)


def context(
    page: RunPage, request: HttpRequest, application: Application, known: Known
) -> dict[str, Any]:
    """The exchange of a code, requests with tokens, and the sign-out."""
    client = {"client_id": known.client_id}
    return {
        "code_form": _code_form(known) if known.code else None,
        "challenge_is_ours": bool(known.run and known.run.challenge_is_ours),
        "has_challenge": bool(known.run and known.run.get("code_challenge")),
        "run_name": known.run.name if known.run else "",
        "code": known.code,
        "code_seconds": int(settings.authorization_code_lifetime.total_seconds()),
        "nonce": known.nonce,
        "held": [pair for pair in known.tokens.items() if pair[1]],
        "next_form": forms.ClientForm(initial=client, auto_id="next_%s") if known.tokens else None,
        "buttons": _buttons(application, known),
        "may_introspect": forms.may_introspect(application),
        "sign_out": _sign_out(page, request, application, known),
    }


def _code_form(known: Known) -> forms.CodeForm:
    own = known.run is not None and known.run.challenge_is_ours
    initial = {
        "client_id": known.client_id,
        "redirect_uri": known.redirect_uri,
        "verifier": forms.OWN_VERIFIER if own else forms.NO_VERIFIER,
    }
    return forms.CodeForm(initial=initial)


def _buttons(application: Application, known: Known) -> list[tuple[str, Any]]:
    """The requests that there is a token for, and that the application answers."""
    answers_refresh = REFRESH_GRANT in grant_types(application.facts())
    offered = {name: call for name, call in CALLS.items() if known.tokens.get(call.needs)}
    if not forms.may_introspect(application):
        offered = {name: c for name, c in offered.items() if c.endpoint != "introspect"}
    if not answers_refresh:
        offered.pop("refresh", None)
    return [(name, call.title) for name, call in offered.items()]


def _sign_out(
    page: RunPage, request: HttpRequest, application: Application, known: Known
) -> dict[str, Any] | None:
    """A form that goes to the public endpoint; elsewhere a page's policy may forbid that."""
    if not any(known.tokens.get(kind) for kind in (ID_TOKEN, ACCESS_TOKEN, REFRESH_TOKEN)):
        return None
    back = page.test_page_uri(request, application)
    is_on = back in application.post_logout_redirect_uris
    address = application.locations.of("end_session")
    fields = {
        "id_token_hint": known.tokens.get(ID_TOKEN, ""),
        "client_id": known.client_id,
        "post_logout_redirect_uri": back if is_on else "",
    }
    return {
        "address": address,
        "fields": [pair for pair in fields.items() if pair[1]],
        "is_on": is_on,
        "is_same_origin": is_same_origin(request, address),
    }
