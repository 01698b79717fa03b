"""One request from server to server, sent as the client, and its answer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from ...models import Application, Right
from . import calls, explained, following, forms, in_process, remembered
from .calls import CALLS, Call, Step
from .decoded import ACCESS_TOKEN, ID_TOKEN, KINDS, Decoded, Expected, Finding, decode
from .following import Known
from .page import RunPage
from .remembered import Run


class TestCallPage(RunPage):
    """Sends what a button of the run stands for. Its posts hold tokens, its address nothing."""

    name = "test-call"
    title = _("The answer from server to server")
    template_name = "admin/oidc_pkce/application/test_run_call.html"

    def get(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """There is nothing to see without a request."""
        return HttpResponseRedirect(self.place("test", application))

    @sensitive_variables()
    def post(
        self, request: HttpRequest, application: Application, rights: frozenset[Right]
    ) -> HttpResponse:
        """Send it to the public endpoint, and show what comes back."""
        form = forms.SentForm(request.POST)
        call = CALLS.get(request.POST.get("call", ""))
        if call is None or not form.is_valid():
            said = gettext("This form is incomplete or too long: begin again.")
            return self.render(request, application, rights, {"trouble": said})
        given = form.cleaned_data
        run = remembered.find(request, application, given["run"], timezone.now())
        known = _known(given, run)
        if given["verifier"] == forms.OWN_VERIFIER and not given["code_verifier"]:
            given["code_verifier"] = (run.verifier(request.user) if run else "") or ""
        try:
            step = self._send(request, application, call, given)
        except in_process.Unanswered as trouble:
            context = {"trouble": str(trouble)}
            return self.render(request, application, rights, context)
        if "access_token" in step.tokens and run is not None:
            remembered.forget(request, application, run.name, timezone.now())
        context = self._context(request, application, call, step, known)
        return self.render(request, application, rights, context)

    @sensitive_variables()
    def _send(
        self, request: HttpRequest, application: Application, call: Call, given: Mapping[str, Any]
    ) -> Step:
        sent = calls.request_of(call, application, given)
        return calls.step(sent, in_process.send(sent, request))

    @sensitive_variables()
    def _context(
        self, request: HttpRequest, application: Application, call: Call, step: Step, known: Known
    ) -> dict[str, Any]:
        site = self.portal.admin_site
        held = _held(call, step, known)
        expected = _expected(step, known)
        new = decode(step.tokens, application, expected, timezone.now())
        others = {kind: text for kind, text in held.tokens.items() if kind not in step.tokens}
        old = decode(others, application, expected, timezone.now())
        is_about_person = call is CALLS["userinfo"] and step.succeeded
        return {
            "step": step,
            "page_title": call.title,
            "findings": list(_findings(step, old)) if is_about_person else [],
            "error": step.text("error"),
            "error_description": step.text("error_description"),
            "request_id": step.text("request_id"),
            "explanation": explained.by_request_id(request, site, step.text("request_id")),
            "tokens": new,
            "kept_tokens": old,
            "call_url": self.place("test-call", application),
            **following.context(self, request, application, held),
        }


def _known(given: Mapping[str, Any], run: Run | None) -> Known:
    return Known(
        client_id=given["client_id"],
        nonce=given["nonce"],
        code=given["code"],
        run=run,
        redirect_uri=given["redirect_uri"],
        tokens={kind: given[kind] for kind in KINDS if given[kind]},
    )


def _held(call: Call, step: Step, known: Known) -> Known:
    """What the client holds after the answer: a code that was redeemed is worth nothing more.

    A token that was revoked stays, to be tried.
    """
    tokens = {**known.tokens, **step.tokens}
    if call is CALLS["code"] and step.succeeded:
        return Known(client_id=known.client_id, nonce=known.nonce, tokens=tokens)
    return replace(known, tokens=tokens)


def _expected(step: Step, known: Known) -> Expected:
    access_token = step.tokens.get(ACCESS_TOKEN) or known.tokens.get(ACCESS_TOKEN, "")
    return Expected(known.client_id, known.nonce or None, known.code, access_token)


def _findings(step: Step, tokens: list[Decoded]) -> Iterator[Finding]:
    """UserInfo must be about the person of the ID token (OpenID Connect Core §5.3.2)."""
    subjects = [c.value for t in tokens if t.kind == ID_TOKEN for c in t.claims if c.name == "sub"]
    told = json.dumps(step.text("sub"), ensure_ascii=False)
    if not subjects:
        return
    if told in subjects:
        yield Finding(True, gettext("sub is the one of the ID token."))
    else:
        said = gettext("sub is %(received)s, and %(expected)s in the ID token.")
        yield Finding(False, said % {"received": told, "expected": subjects[0]})
