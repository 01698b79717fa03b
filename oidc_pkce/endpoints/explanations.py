"""What a person reads when a request is refused: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ..flows.tracing import printable
from ..protocol.errors import ForeignForm, OAuthError, StalePage, UnknownApplication

Text = str | Promise
MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Explanation:
    """One refusal in a person's words."""

    title: Text
    explanation: Text
    cure: Text


_ASK = _("Go back to the application and try again. If that does not help, tell its makers.")
_RESTART = _("Go back to the application and sign in from there.")

_BY_CHECK: Mapping[str, tuple[Text, Text, Text]] = {
    "authorize.client_id": (
        _("This application is not known here"),
        _("The request names the client “%(received)s”, which may not use this address."),
        _("The administrator can add it to the Client ID List of the application."),
    ),
    "authorize.redirect_uri": (
        _("This address is not registered"),
        _("The request asks to return to “%(received)s”, which is not one of Allowed Redirects."),
        _("The administrator can add exactly this address to the Allowed Redirects."),
    ),
    "end_session.post_logout_redirect_uri": (
        _("This address is not registered"),
        _(
            "The request asks to go to “%(received)s” after the sign-out, which is not one of the"
            " application's post-logout redirect URIs. Nobody was signed out."
        ),
        _("The administrator can add exactly this address to those URIs."),
    ),
    "authorize.readable": (
        _("This request cannot be read"),
        _("It does not say clearly who asks and where the answer should go."),
        _ASK,
    ),
}

_BY_TYPE: Mapping[type[OAuthError], tuple[Text, Text, Text]] = {
    UnknownApplication: (
        _("There is no such application"),
        _("Nothing is configured here under the name “%(received)s”."),
        _("Check the address: the Application ID stands at its end."),
    ),
    ForeignForm: (
        _("This form was not sent from its own page"),
        _("The page that was open and the answer that arrived do not belong together."),
        _("Allow cookies for this site, go back to the application and sign in from there."),
    ),
    StalePage: (
        _("This page is no longer valid"),
        _("It was open for too long, or was opened by somebody else or in another browser."),
        _RESTART,
    ),
}

_MISSING: Mapping[str, Text] = {
    "authorize.client_id": _("The request does not say which client asks: client_id is missing."),
    "authorize.redirect_uri": _(
        "The request does not say where to return to: redirect_uri is missing."
    ),
}

_OTHERWISE = (
    _("This request cannot be answered"),
    _("The server refused it: %(description)s."),
    _ASK,
)


def explain(check: str, refusal: OAuthError) -> Explanation:
    """The refusal in a person's words; what was received is shown, what is registered is not."""
    title, text, cure = _BY_TYPE.get(type(refusal)) or _BY_CHECK.get(check) or _OTHERWISE
    if refusal.received is None and check in _MISSING:
        text, cure = _MISSING[check], _ASK
    received = printable((refusal.received or "")[:MAX_SHOWN])
    shown = str(text) % {"received": received, "description": refusal.description}
    return Explanation(title, shown, cure)
