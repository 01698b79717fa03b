"""Why did this fail? The page names every near miss and no secret; and who may read it."""

from __future__ import annotations

import html
import json
import re
from hashlib import sha256
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from oidc_pkce.audit import Action
from oidc_pkce.flows import tracing
from oidc_pkce.flows.reasons import NEAR_MISSES, REASONS
from oidc_pkce.identifiers import digest
from oidc_pkce.models import Application, AuditEvent, RequestTrace, Right
from oidc_pkce.protocol.checks import registry
from oidc_pkce.protocol.near_miss import NearMiss
from tests.journeys import (
    CHALLENGE,
    SECRET,
    VERIFIER,
    Journey,
    last_trace,
    make_application,
    s256,
)
from tests.portal.administrators import staff
from tests.portal.conftest import INLINE
from tests.portal.records import manager

N = NearMiss
REGISTERED = "https://notes.example.com/callback"
GUESS = "canary-guess-of-43-characters-01234567890ab"


def page_of(portal, trace=None):
    return portal.text(f"requesttrace/{(trace or last_trace()).pk}/change/")


@pytest.fixture
def web(ada):
    """A browser before an application with an https redirect URI and one of a loopback."""
    made = make_application(redirect_uris=[REGISTERED, "http://localhost:5000/callback"])
    made.scopes.create(name="notes.read")
    made.scopes.create(name="notes.write")
    return Journey(made, redirect_uri=REGISTERED).log_in(ada)


#: What a client sends to Authorize, and the near miss that it is.
AT_AUTHORIZE = {
    "trailing slash": ({"redirect_uri": f"{REGISTERED}/"}, N.TRAILING_SLASH),
    "scheme": ({"redirect_uri": "http://notes.example.com/callback"}, N.SCHEME),
    "port": ({"redirect_uri": "http://localhost:5001/callback"}, N.PORT),
    "letter case": ({"redirect_uri": "https://notes.example.com/Callback"}, N.LETTER_CASE),
    "white space": ({"redirect_uri": f"{REGISTERED} "}, N.WHITE_SPACE),
    "loopback name": ({"redirect_uri": "http://127.0.0.1:5000/callback"}, N.LOOPBACK_NAME),
    "double encoding": (
        {"redirect_uri": "https%3A%2F%2Fnotes.example.com%2Fcallback"},
        N.DOUBLE_ENCODING,
    ),
    "query": ({"redirect_uri": f"{REGISTERED}?tab=1"}, N.QUERY),
    "fragment": ({"redirect_uri": f"{REGISTERED}#/in"}, N.FRAGMENT),
    "path": ({"redirect_uri": "https://notes.example.com/elsewhere"}, N.PATH),
    "client in capitals": ({"client_id": "My_Service_User"}, N.LETTER_CASE),
    "client with a space": ({"client_id": "my_service_user "}, N.WHITE_SPACE),
    "commas": ({"scope": "notes.read,notes.write"}, N.COMMAS),
    "scope in capitals": ({"scope": "Notes.Read"}, N.LETTER_CASE),
    "response type in capitals": ({"response_type": "Code"}, N.LETTER_CASE),
    "padded challenge": ({"code_challenge": f"{CHALLENGE}="}, N.PADDING),
    "ordinary base64": ({"code_challenge": "+/" * 22}, N.STANDARD_BASE64),
    "no method": ({"code_challenge_method": None}, N.METHOD_LEFT_OUT),
    "method in small letters": ({"code_challenge_method": "s256"}, N.LETTER_CASE),
}

#: The challenge and the verifier that a client sends, and the near miss that they are.
WITH_PKCE = {
    "challenge as verifier": (CHALLENGE, CHALLENGE, N.CHALLENGE_AS_VERIFIER),
    "verifier as challenge": ("x" * 43, "x" * 43, N.VERIFIER_AS_CHALLENGE),
    "hexadecimal": (sha256(VERIFIER.encode()).hexdigest(), VERIFIER, N.HEXADECIMAL),
    "hashed twice": (s256(CHALLENGE), VERIFIER, N.HASHED_TWICE),
    "padding": (CHALLENGE, f"{VERIFIER}=", N.PADDING),
    "white space": (CHALLENGE, f"{VERIFIER}\n", N.WHITE_SPACE),
    "length": (s256("canary-of-few"), "canary-of-few", N.VERIFIER_LENGTH),
}


@pytest.mark.parametrize("mistake", AT_AUTHORIZE)
def test_the_page_names_a_near_miss_at_authorize(portal, web, mistake):
    sent, miss = AT_AUTHORIZE[mistake]
    web.authorize(**sent)

    assert last_trace().outcomes[-1]["near_misses"] == [miss]
    assert str(NEAR_MISSES[miss]) in page_of(portal)


@pytest.mark.parametrize("mistake", WITH_PKCE)
def test_the_page_names_a_near_miss_of_pkce(portal, web, mistake):
    challenge, verifier, miss = WITH_PKCE[mistake]
    code = web.authorize(code_challenge=challenge).code
    assert web.redeem(code, code_verifier=verifier).error == "invalid_grant"

    page = page_of(portal)

    assert last_trace().failed_check == "code.verifier"
    assert str(NEAR_MISSES[miss]) in page
    assert verifier not in page
    assert challenge not in page


def test_a_hashed_challenge_without_its_method_is_named_where_plain_is_allowed(portal, web):
    Application.objects.update(allows_plain_pkce=True)
    code = web.authorize(code_challenge_method=None).code
    web.redeem(code)

    page = page_of(portal)

    assert str(NEAR_MISSES[N.METHOD_LEFT_OUT]) in page
    assert (
        tracing.fingerprint("code_verifier", digest(CHALLENGE)) in page
    )  # a plain challenge is a credential
    assert CHALLENGE not in page


def test_a_secret_sent_to_a_public_client_is_named(portal, web):
    web.redeem("x", client_secret=GUESS)
    page = page_of(portal)

    assert str(NEAR_MISSES[N.SECRET_OF_PUBLIC_CLIENT]) in page
    assert str(REASONS["client.public"]) in page
    assert tracing.fingerprint("client_secret", digest(GUESS)) in page
    assert GUESS not in page


def test_a_guess_in_another_field_has_another_fingerprint(portal, confidential):
    """Guesses at a code are not counted: they must say nothing of a client's secret."""
    confidential.redeem(SECRET)
    page = page_of(portal)

    assert tracing.fingerprint("code", digest(SECRET)) in page
    assert tracing.fingerprint("client_secret", digest(SECRET)) not in page


@pytest.mark.parametrize(
    ("sent", "miss"),
    [(f" {SECRET}\n", N.WHITE_SPACE), (SECRET.replace("-", "%2D"), N.DOUBLE_ENCODING)],
)
def test_a_secret_that_is_nearly_right_is_named(portal, confidential, sent, miss):
    confidential.redeem("x", client_secret=sent)
    page = page_of(portal)

    assert str(NEAR_MISSES[miss]) in page
    assert SECRET not in page
    assert tracing.fingerprint("client_secret", digest(SECRET)) in page
    assert "It is none of those that are stored." in page


def test_a_wrong_secret_and_an_unknown_client_are_told_apart_for_the_administrator(
    portal, confidential
):
    confidential.redeem("x", client_secret=GUESS)
    assert "Refused because the client's secret is wrong or has expired." in page_of(portal)

    confidential.redeem("x", client_id="nobody", client_secret=GUESS)
    assert "Refused because the application has no such client." in page_of(portal)


def test_a_code_redeemed_at_another_application_is_named_with_it(portal, web):
    other = make_application(application_id="other", name="Other Notes")
    code = web.authorize().code
    Journey(other, redirect_uri=REGISTERED).redeem(code)

    page = page_of(portal)

    assert str(NEAR_MISSES[N.CODE_OF_ANOTHER_APPLICATION]) in page
    assert "It belongs to the application “My App”." in page
    assert code not in page


def test_the_other_application_is_not_named_to_who_may_not_see_it(web):
    other = make_application(application_id="other", name="Other Notes", everybody=False)
    code = web.authorize().code
    Journey(other, redirect_uri=REGISTERED).redeem(code)
    web.application.permissions.update(can_view=False)

    page = page_of(manager(other))

    assert "It belongs to an application that you may not see, or that is gone." in page
    assert "My App" not in page


def test_a_token_of_another_application_is_named(portal, web):
    web.application.issues_refresh_tokens = True
    web.application.save()
    other = make_application(application_id="other", name="Other", issues_refresh_tokens=True)
    tokens = web.tokens()
    elsewhere = Journey(other)

    elsewhere.userinfo(tokens["access_token"])
    assert str(NEAR_MISSES[N.TOKEN_OF_ANOTHER_APPLICATION]) in page_of(portal)
    elsewhere.refresh(tokens["refresh_token"])
    assert "It belongs to the application “My App”." in page_of(portal)


def test_who_uses_another_application_is_not_told(portal, web, confidential):
    """Neither on the page nor by a search, whatever of that application is presented here."""
    web.application.issues_refresh_tokens = True
    web.application.save()
    other = make_application(application_id="other", name="Other", issues_refresh_tokens=True)
    elsewhere, keeper = Journey(other), manager(other)
    code = web.authorize().code
    tokens = web.tokens()

    elsewhere.redeem(code, redirect_uri=REGISTERED)
    elsewhere.refresh(tokens["refresh_token"])
    elsewhere.userinfo(tokens["access_token"])
    confidential.introspect(tokens["access_token"])
    traces = RequestTrace.objects.filter(succeeded=False)

    assert [each.failed_check for each in traces.order_by("pk")] == [
        "code.application",
        "refresh.application",
        "bearer.application",
        "introspection.application",
    ]
    assert not traces.exclude(user=None).exists()
    assert not any(">ada<" in page_of(keeper, each) for each in traces.filter(application=other))
    assert "0 requests" in keeper.text("requesttrace/", q="ada")


def test_an_id_token_sent_as_an_access_token_is_named(portal, openid):
    openid.userinfo(openid.tokens(scope="openid")["id_token"])

    assert str(NEAR_MISSES[N.ID_TOKEN_AS_ACCESS_TOKEN]) in page_of(portal)


def test_a_code_for_another_redirect_uri_is_compared(portal, web):
    code = web.authorize().code
    web.redeem(code, redirect_uri=f"{REGISTERED}/")

    page = page_of(portal)

    assert str(REASONS["code.redirect_uri"]) in page
    assert str(NEAR_MISSES[N.TRAILING_SLASH]) in page
    assert f"{REGISTERED}<mark>/</mark>" in page


def test_a_near_miss_of_the_address_after_the_sign_out_is_named(portal, web):
    web.application.post_logout_redirect_uris = ["https://notes.example.com/bye"]
    web.application.save()
    web.raw("EndSession", "post_logout_redirect_uri=https://notes.example.com/bye/")

    page = page_of(portal)

    assert str(NEAR_MISSES[N.TRAILING_SLASH]) in page
    assert "https://notes.example.com/bye<mark>/</mark>" in page


# --- what the page shows ---------------------------------------------------------------------


def test_the_closest_candidate_stands_beside_what_was_received(portal, web):
    Application.objects.update(
        redirect_uris=["org.elsewhere:/q", "https://notes.example.com/other", REGISTERED]
    )
    web.authorize(redirect_uri=f"{REGISTERED}/")

    page = page_of(portal)

    assert page.index(f"{REGISTERED}<mark>/</mark>") < page.index(f"{REGISTERED}<mark ")
    assert page.index(f"{REGISTERED}<mark ") < page.index("org.elsewhere:/q")


def test_the_checks_stand_in_order_with_clause_and_reference(portal, web):
    web.authorize(scope="unknown")
    page = page_of(portal)

    assert "https://www.rfc-editor.org/rfc/rfc6749#section-3.3" in page
    assert "/admin/oidc_pkce/requesttrace/checks/#authorize.scope" in page
    names = re.findall(r"checks/#([a-z_.]+)", page)
    assert names.index("authorize.redirect_uri") < names.index("authorize.scope")
    assert names.index("authorize.scope") < names.index("authorize.max_age")
    assert page.count("not reached") == len(names) - names.index("authorize.scope") - 1


def test_a_success_is_explained_too(portal, web, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    web.tokens()

    page = page_of(portal)

    assert "Answered: every check passed." in page
    assert "code.single_use" in page
    assert "What to do" not in page


def test_the_time_is_told_to_the_second_as_logs_do(portal, web):
    web.authorize(scope="unknown")
    at = timezone.localtime(last_trace().at)

    assert f"{at:%H:%M:%S %Z}" in page_of(portal)


def test_values_of_a_query_are_neither_shown_nor_marked(portal, web):
    web.authorize(redirect_uri=f"{REGISTERED}?session=canary-in-a-query")
    page = page_of(portal)

    assert "canary-in-a-query" not in page
    assert "<mark>?session=…</mark>" in page
    assert "Values in the query of an address are not kept" in page


HOSTILE = {
    "script": "https://x.example/<script>alert(1)</script>",
    "attribute": 'x" onmouseover="alert(1)',
    "bidi": "https://x.example/\u202egnp.exe",
    "isolate": "\u2066abc\u2069",
    "escape": "\x1b[31mred\x07",
    "long": "https://x.example/" + "a" * 8000,
    "too long": "a" * 10_000,
    "NUL": "https://x.example/\0",
    "entities": "&lt;b&gt;",
}


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "scope", "response_type"])
def test_whatever_was_sent_is_shown_as_text(portal, web, name, value):
    web.authorize(**{name: HOSTILE[value]})
    trace = last_trace()

    page = portal.get(f"requesttrace/{trace.pk}/change/").content.decode()
    out = StringIO()
    call_command("oidc_doctor", "explain", trace.request_id, stdout=out)

    assert "<script>alert" not in page
    bare = page.replace("&quot; onmouseover=&quot;", "")  # as text, it is harmless
    assert not INLINE.search(bare), INLINE.search(bare)
    for text in (page, out.getvalue()):
        assert not re.search("[\x00\x07\x1b\u202a-\u202e\u2066-\u2069]", text)
    assert len(page) < 100_000


def test_the_page_costs_the_same_for_few_and_for_many_candidates(
    portal, web, django_assert_max_num_queries
):
    web.authorize(redirect_uri="https://x.example/")
    page_of(portal)
    with django_assert_max_num_queries(20) as few:
        page_of(portal)
    count = len(few)
    Application.objects.update(
        redirect_uris=[f"https://station-{n}.example.com/" for n in range(500)],
        client_ids=[f"client-{n}" for n in range(500)],
    )
    web.authorize(redirect_uri="https://x.example/", client_id="client-1")

    with django_assert_max_num_queries(count):
        assert page_of(portal).count("<li><code") < 30


# --- nothing secret ----------------------------------------------------------------------------


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


# --- who may read it ---------------------------------------------------------------------------


def test_reading_needs_a_permission_of_its_own_or_manage(web, list_app_viewer, portal):
    web.authorize(redirect_uri="https://x.example/")
    path = f"/admin/oidc_pkce/requesttrace/{last_trace().pk}/change/"

    assert staff("reader", "view_requesttrace").browser.get(path).status_code == 200
    assert manager(web.application).browser.get(path).status_code == 200
    assert list_app_viewer.browser.get(path).status_code == 403
    assert (
        staff("others", "view_application", "change_signingkey").browser.get(path).status_code
        == 403
    )


@pytest.fixture
def list_app_viewer(web):
    """Somebody who may see the application, but not manage it."""
    return manager(web.application, Right.VIEW, name="viola")


def explained():
    return AuditEvent.objects.filter(action=Action.REQUEST_EXPLAINED)


def test_each_reading_is_audited_once(portal, web):
    web.authorize(redirect_uri="https://x.example/")
    trace = last_trace()
    portal.get("requesttrace/")
    assert not explained().exists()

    page_of(portal)
    event = explained().get()
    assert (event.actor, event.actor_name) == (portal.user, "robin")
    assert (event.application, event.application_name) == (web.application, "My App")
    assert event.details == {"request": trace.request_id}

    page_of(portal)
    assert explained().count() == 2


def test_what_was_not_shown_is_not_audited(web):
    web.authorize(redirect_uri="https://x.example/")
    other = make_application(application_id="other", everybody=False)
    path = f"/admin/oidc_pkce/requesttrace/{last_trace().pk}/change/"

    assert manager(other).browser.get(path).status_code == 404
    assert staff("stranger").browser.get(path).status_code == 403
    assert staff("reader", "view_requesttrace").browser.post(path).status_code == 405
    assert not explained().exists()


# --- the way to it by its id -------------------------------------------------------------------


@pytest.mark.parametrize("write", [str, str.lower, lambda text: f" {text[:4]} {text[4:]}\t"])
def test_the_id_of_an_error_page_leads_to_the_explanation(portal, web, write):
    web.authorize(redirect_uri="https://x.example/")
    trace = last_trace()

    answer = portal.browser.get(
        "/admin/oidc_pkce/requesttrace/why/", {"id": write(trace.request_id)}
    )

    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/admin/oidc_pkce/requesttrace/{trace.pk}/change/"


def test_an_unknown_id_and_one_that_is_not_yours_are_answered_alike(web):
    web.authorize(redirect_uri="https://x.example/")
    other = manager(make_application(application_id="other", everybody=False))

    def told(request_id):
        answer = other.browser.get("/admin/oidc_pkce/requesttrace/why/", {"id": request_id})
        body = answer.content.decode().replace(request_id, "ID")
        return answer.status_code, re.sub(r'value="[A-Za-z0-9]{64}"', "", body)  # of the log-out

    foreign = told(last_trace().request_id)
    assert foreign[0] == 404
    assert "There is no request with the ID" in foreign[1]
    assert foreign == told("ABCDEFGHJKM9")


@pytest.mark.parametrize("text", ["", "\0", "<script>", "é" * 100, "x" * 9000, "' OR 1=1"])
def test_whatever_is_typed_as_an_id_is_answered(portal, text):
    answer = portal.browser.get("/admin/oidc_pkce/requesttrace/why/", {"id": text})

    assert answer.status_code == (404 if text.strip() else 200)
    assert "<script>" not in answer.content.decode().replace("<script src", "")


def test_the_home_page_asks_for_an_id_whom_it_may_tell(portal):
    assert 'action="/admin/oidc_pkce/requesttrace/why/"' in portal.text("")
    assert "requesttrace/why" not in staff("apps", "view_application").text("")


def test_every_check_stands_in_the_portals_reference(portal, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        page = portal.text("requesttrace/checks/")

    for check in registry().values():
        assert f'id="{check.id}"' in page
        assert check.sentence in page
        assert check.fix in page


def test_the_sentences_of_the_checks_are_spoken_in_the_language_of_the_page(
    portal, web, monkeypatch
):
    """They come from docstrings, which makemessages cannot see: a module of its own names them."""
    from django.utils.translation import trans_real

    web.authorize(redirect_uri="https://x.example/")
    german = trans_real.translation("de")
    fix = registry()["authorize.redirect_uri"].sentence
    monkeypatch.setitem(german._catalog._catalogs[0], fix, "Genau eine davon.")
    portal.browser.cookies["django_language"] = "de"

    assert "Genau eine davon." in page_of(portal)
