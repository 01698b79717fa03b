"""The answer to an authorization request: what arrived, and whether a client may believe it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt

from ...models import Application, Right
from . import explained, following, remembered
from .decoded import KINDS, Expected, Finding, decode
from .page import RunPage
from .remembered import Run

MOST = 100  # parameters that are shown
NAMED = ("code", "state", "iss", "error", *KINDS)


@dataclass(frozen=True, slots=True)
class Arrived:
    """The parameters of an answer, each as often as it came."""

    pairs: tuple[tuple[str, str], ...] = field(repr=False)

    @classmethod
    def of(cls, sent: QueryDict) -> Arrived:
        """What a query or a form holds, in order."""
        return cls(tuple((k, v) for k, values in sent.lists() for v in values)[:MOST])

    def get(self, name: str) -> str:
        """The first value of a parameter, or nothing."""
        return next((value for key, value in self.pairs if key == name), "")

    @property
    def repeated(self) -> list[str]:
        """Parameters that came twice, which none may (RFC 6749 §3.1)."""
        names = [name for name, _ in self.pairs]
        return [name for name in NAMED if names.count(name) > 1]


class TestCallbackPage(RunPage):
    """Our redirect URI. It shows and changes nothing, so its post needs no token of ours."""

    name = "test-callback"
    title = _("The answer")
    template_name = "admin/oidc_pkce/application/test_run_callback.html"

    def mounted(self) -> Callable[..., HttpResponse]:
        """Free of the CSRF check: with form_post, the authorization endpoint posts the answer."""
        mounted: Callable[..., HttpResponse] = csrf_exempt(super().mounted())
        return mounted

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """An answer in the query, or one in the fragment, which stays in the browser."""
        return self._show(request, application, rights, Arrived.of(request.GET))

    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """An answer in a form (OAuth 2.0 Form Post Response Mode §2)."""
        return self._show(request, application, rights, Arrived.of(request.POST))

    def _show(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        arrived: Arrived,
    ) -> HttpResponse:
        now, state = timezone.now(), arrived.get("state") or None
        run = remembered.waiting_for(request, application, state, now)
        last = run or remembered.newest(request, application, now)
        findings = list(_findings(arrived, run, last, application)) if arrived.pairs else []
        may_go_on = bool(arrived.pairs) and all(each.good for each in findings)
        context = {
            "arrived": arrived.pairs,
            "is_form": request.method == "POST",
            "findings": findings,
            "may_go_on": may_go_on,
            "run": last,
            "sent_address": _address(application, last) if last else "",
            # What nobody vouches for is not said in the words of this page.
            "error": arrived.get("error") if may_go_on else "",
            "error_description": arrived.get("error_description"),
            **self._explained(request, application, arrived, run),
        }
        if may_go_on and run is not None and not arrived.get("error"):
            context |= self._what_follows(request, application, arrived, run)
        return self.render(request, application, rights, context)

    def _explained(
        self, request: HttpRequest, application: Application, arrived: Arrived, run: Run | None
    ) -> dict[str, Any]:
        if not arrived.get("error") or run is None:
            return {}
        site = self.portal.admin_site
        error = arrived.get("error")
        return {"explanation": explained.by_error(request, site, application, error, run.at)}

    def _what_follows(
        self, request: HttpRequest, application: Application, arrived: Arrived, run: Run
    ) -> dict[str, Any]:
        """The tokens that came by the front channel, and what a client does next."""
        tokens = {kind: arrived.get(kind) for kind in KINDS if arrived.get(kind)}
        client_id, code = run.get("client_id") or "", arrived.get("code")
        expected = Expected(
            client_id, run.get("nonce"), code=code, access_token=tokens.get("access_token", "")
        )
        known = following.Known(
            client_id=client_id,
            nonce=run.get("nonce") or "",
            code=code,
            run=run,
            redirect_uri=run.get("redirect_uri") or "",
            tokens=tokens,
        )
        return {
            "tokens": decode(tokens, application, expected, timezone.now()),
            "call_url": self.place("test-call", application),
            **following.context(self, request, application, known),
        }


def _address(application: Application, run: Run) -> str:
    """What was sent, as far as it was kept."""
    return f"{application.locations.of('authorize')}?{urlencode(run.sent, quote_via=quote)}"


def _findings(
    arrived: Arrived, run: Run | None, last: Run | None, application: Application
) -> Iterator[Finding]:
    """What a client checks before it believes an answer (RFC 6749 §10.12, RFC 9207 §2.4)."""
    for name in arrived.repeated:
        yield Finding(False, gettext("%(name)s came more than once.") % {"name": name})
    yield _state(arrived, run, last)
    yield _issuer(arrived, application)


def _state(arrived: Arrived, run: Run | None, last: Run | None) -> Finding:
    if run is not None:
        return Finding(True, gettext("state is the one that was sent."))
    if last is None:
        said = gettext(
            "This browser session waits for no answer of this application: none was asked for,"
            " it was taken already, too much time has passed, or somebody else signed in since."
        )
        return Finding(False, said)
    said = gettext("state is “%(received)s”, but “%(sent)s” was sent.")
    values = {"received": arrived.get("state"), "sent": last.get("state") or ""}
    return Finding(False, said % values)


def _issuer(arrived: Arrived, application: Application) -> Finding:
    received, wanted = arrived.get("iss"), application.effective_issuer
    if received == wanted:
        return Finding(True, gettext("iss is the issuer of this application."))
    if not received:
        return Finding(False, gettext("iss is missing, which this server always sends."))
    said = gettext("iss is “%(received)s”, and not “%(expected)s”: another server answered.")
    return Finding(False, said % {"received": received, "expected": wanted})
