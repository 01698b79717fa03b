"""Why did this fail? No credential is told to anybody."""

from __future__ import annotations

import html
import json
import re
from io import StringIO

from django.core.management import call_command

from oidc_pkce.flows import tracing
from oidc_pkce.flows.reasons import NEAR_MISSES
from oidc_pkce.identifiers import digest
from oidc_pkce.models import Application, AuditEvent, RequestTrace
from oidc_pkce.protocol.near_miss import NearMiss
from tests.journeys import CHALLENGE, SECRET, VERIFIER, Journey, last_trace, make_application
from tests.portal.explaining import GUESS, REGISTERED, page_of

N = NearMiss


def test_no_credential_stands_in_trace_page_command_or_audit(portal, confidential):
    """A canary in every place where a credential is sent, and refused."""
    application = confidential.application
    application.issues_refresh_tokens = True
    application.save()
    code = confidential.authorize().code
    spent = confidential.authorize().code
    tokens = confidential.redeem(spent).json
    canaries = [GUESS, SECRET, VERIFIER, code, spent, tokens["access_token"].rpartition(".")[2]]
    canaries += [tokens["refresh_token"], "canary-password"]

    confidential.redeem(code, client_secret=GUESS)
    confidential.redeem(code, code_verifier=GUESS)
    confidential.redeem(spent)
    confidential.redeem(GUESS)
    confidential.refresh(GUESS)
    confidential.refresh(tokens["refresh_token"], client_id="nobody")
    confidential.userinfo(GUESS)
    confidential.userinfo(tokens["access_token"] + "x")
    confidential.authorize(id_token_hint=f"{GUESS}.{GUESS}.{GUESS}", scope="openid")
    confidential.post(
        "Token",
        {"grant_type": "password", "username": "ada", "password": "canary-password"}
        | {"client_id": "robot", "client_secret": SECRET},
    )
    traces = list(RequestTrace.objects.filter(succeeded=False))
    assert len(traces) >= 9

    said = [str(list(RequestTrace.objects.values()))]
    for trace in traces:
        said.append(page_of(portal, trace))
        for options in ((), ("--json",)):
            out = StringIO()
            call_command("oidc_doctor", "explain", trace.request_id, *options, stdout=out)
            said.append(out.getvalue())
    said.append(str(list(AuditEvent.objects.values())))
    for canary in canaries:
        assert not [text for text in said if canary in text], canary


def test_a_persons_password_leaves_not_even_its_length(confidential):
    Application.objects.update(flows=["AuthorizationCode", "ResourceCreds"])
    confidential.post(
        "Token",
        {"grant_type": "password", "username": "ada", "password": "p" * 31}
        | {"client_id": "robot", "client_secret": SECRET},
    )
    trace = last_trace()

    assert trace.failed_check == "password.sign_in"
    assert trace.outcomes[-1]["credential"] is None
    assert "31" not in json.dumps(trace.outcomes)


def test_the_client_learns_nothing_more_than_before(portal, web, confidential):
    """A mistake that is recognised is answered like one that is not."""

    def told(answer):
        """The answer without its id, and without what the client itself sent."""
        body = re.sub(r"[2-9A-HJ-NP-Z]{12}", "ID", answer.response.content.decode())
        return answer.status, re.sub(r"“[^”]*”", "“…”", html.unescape(body))

    other = make_application(application_id="other")
    code = web.authorize().code
    pairs = [
        (
            web.authorize(redirect_uri=f"{REGISTERED}/"),
            web.authorize(redirect_uri="https://evil.example/"),
        ),
        (web.authorize(client_id="My_Service_User"), web.authorize(client_id="nobody")),
        (web.redeem(code, code_verifier=CHALLENGE), web.redeem(code, code_verifier=GUESS)),
        (Journey(other).redeem(code), Journey(other).redeem(GUESS)),
        (
            confidential.redeem("x", client_secret=f"{SECRET} "),
            confidential.redeem("x", client_secret=GUESS),
        ),
    ]
    words = {
        *(miss.value for miss in N if "_" in miss),
        *(str(text) for text in NEAR_MISSES.values()),
    }
    kinds = ("client_secret", "code_verifier", "code")
    words |= {
        tracing.fingerprint(kind, digest(each))
        for kind in kinds
        for each in (SECRET, GUESS, CHALLENGE, code)
    }
    for near, far in pairs:
        assert told(near) == told(far)
        assert not [word for word in words if word in near.html]
    assert REGISTERED not in pairs[0][1].html
    assert "my_service_user" not in pairs[1][1].html
