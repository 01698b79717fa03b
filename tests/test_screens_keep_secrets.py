"""Canaries before every reader: no screen, fragment, export, command or API answer holds a secret.

What is stored and logged is searched in ``test_secrets_stay_secret.py``; here the same journeys,
and some odd ones, are looked at through everything that shows requests, uses and audit events.
A new screen is a line in ``READERS``; the pages of an application are found by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.http import HttpResponseBase

from oidc_pkce.flows import watch
from oidc_pkce.models import Application, AuditEvent, RequestTrace, Usage
from oidc_pkce.portal.web_apps import PAGES, TOOLS
from tests.fixtures import make_user
from tests.journeys import FORM, Answer, Browser, Journey
from tests.portal.conftest import Portal
from tests.spec import spec
from tests.test_secrets_stay_secret import (
    PASSWORD,
    SECRET,
    WRONG,
    Canaries,
    journeys,
    live_through,
)

API = "/admin/api/oidc_pkce/v1/"
PLAIN = "canary-plain-challenge-that-is-the-verifier-4e8f"
ASSERTION = "canary-assertion-0000000000000000000000.payload0000.signature0000"

AT_AUTHORIZE = (
    *("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce"),
    *("prompt", "max_age", "login_hint", "id_token_hint", "claims", "resource", "request"),
    *("request_uri", "acr_values", "ui_locales", "code_challenge", "code_challenge_method"),
    *("client_secret", "code"),
)
AT_THE_OTHERS = (
    *("client_id", "grant_type", "redirect_uri", "code_verifier", "scope", "resource", "assertion"),
    *("client_assertion", "username", "token_type_hint"),
)
AT_END_SESSION = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint")

Texts = Iterator[str]


@pytest.fixture
def secrets() -> Canaries:
    """Everything that nobody but its owner may read."""
    return Canaries()


@pytest.fixture
def person(db: None) -> Any:
    """Who signs in."""
    made = make_user("ada")
    made.set_password(PASSWORD)
    made.save()
    return made


@pytest.fixture
def portal(db: None) -> Portal:
    """A superuser, who sees everything."""
    return Portal(make_user("robin", is_staff=True, is_superuser=True))


def odd_places(journey: Journey, secrets: Canaries) -> None:
    """Credentials where nobody expects them."""
    secrets.add(PLAIN, ASSERTION)
    browser = journey.browser
    cookies = [browser.cookies[name].value for name in ("sessionid", "csrftoken")]
    secrets.add(*cookies)
    for secret in (SECRET, ASSERTION, *cookies):
        at_authorize(journey, secret)
        at_the_others(journey, secret)
    plain = {"code_challenge": PLAIN, "code_challenge_method": "plain"}
    journey.authorize(**plain, scope="unknown")
    journey.authorize(**{**plain, "code_challenge": [PLAIN, PLAIN]})
    journey.authorize(code_challenge=PLAIN, code_challenge_method=PLAIN)
    code = journey.authorize(**plain, prompt="none").query.get("code")
    if code:
        secrets.add(code)
        journey.redeem(code, code_verifier=PLAIN[::-1])
        journey.redeem(code, code_verifier=PLAIN)
        journey.redeem(code, code_verifier=PLAIN)
    secrets.add(PLAIN[::-1])
    stranger = Journey(journey.application, journey.client_id)
    stranger.sign_in(stranger.authorize(), PASSWORD, WRONG)


def at_authorize(journey: Journey, secret: str) -> None:
    for name in AT_AUTHORIZE:
        journey.authorize(**{name: secret})
    uri = journey.redirect_uri
    journey.authorize(redirect_uri=f"{uri}?token={secret}")
    journey.authorize(redirect_uri=f"{uri}#{secret}")
    journey.authorize(redirect_uri=f"https://{secret}@evil.example/")
    journey.authorize(scope=f"openid {secret}")
    journey.authorize(claims=f'{{"id_token": {{"{secret}": null}}}}')
    journey.raw("Authorize", f"client_id={quote(secret)}&client_id={quote(secret)}")


def at_the_others(journey: Journey, secret: str) -> None:
    for ask in (journey.redeem, journey.refresh, journey.introspect, journey.revoke):
        ask(secret)
        for name in AT_THE_OTHERS:
            ask("x", **{name: secret})
    for name in AT_END_SESSION:
        journey.raw("EndSession", f"{name}={quote(secret)}")
    journey.userinfo(secret)
    for page in ("Login", "Confirm"):
        journey.raw(page, f"ticket={quote(secret)}")
        Answer(Browser().post(journey.url(page), f"ticket={secret}", content_type=FORM))
    Answer(Browser().post(f"/OAuth2/Token/{quote(secret)}", "", content_type=FORM))
    Answer(Browser().get(f"/OAuth2/Authorize/{quote(secret)}"))


def text_of(answer: HttpResponseBase) -> str:
    content = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined, arg-type]
    return content.decode() + repr(answer.headers)


def each_page(portal: Portal, path: str, **query: Any) -> Texts:
    """A list, from its first page to its last one."""
    for number in range(1, 100):
        answer = portal.browser.get(f"/admin/oidc_pkce/{path}", {**query, "p": number})
        if answer.status_code != 200:
            return
        yield text_of(answer)


def requests(portal: Portal) -> Texts:
    yield from each_page(portal, "requesttrace/")
    yield from each_page(portal, "requesttrace/", succeeded__exact="0")


def one_request(portal: Portal) -> Texts:
    """Of those that say the same one is enough."""
    seen: set[str] = set()
    for trace in RequestTrace.objects.all():
        said = f"{trace.endpoint} {trace.client_id} {trace.outcomes}"
        if said not in seen:
            seen.add(said)
            yield text_of(portal.get(f"requesttrace/{trace.pk}/change/"))


def explained(portal: Portal) -> Texts:
    """``oidc_doctor explain``, for people and for programs."""
    seen: set[str] = set()
    for trace in RequestTrace.objects.filter(succeeded=False):
        said = f"{trace.endpoint} {trace.client_id} {trace.outcomes}"
        if said not in seen:
            seen.add(said)
            for more in ([], ["--json"]):
                yield printed("explain", trace.request_id, *more)


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("oidc_doctor", *arguments, stdout=out)
    return out.getvalue()


def postures(portal: Portal) -> Texts:
    yield printed("posture")
    yield printed("posture", "--json")


def watched(portal: Portal) -> Texts:
    """The page, and what is polled; fifty requests at a time, from the last to the first."""
    for application in Application.objects.all():
        mine = RequestTrace.objects.filter(application=application)
        yield text_of(portal.get(f"application/{application.pk}/watch/"))
        while mine.exists():
            news = portal.get(f"application/{application.pk}/watch-news/", after=0)
            assert b"data-request" in news.content
            yield text_of(news)
            newest = mine.order_by("-pk").values_list("pk", flat=True)[: watch.SHOWN]
            RequestTrace.objects.filter(pk__in=list(newest)).delete()


def application_pages(portal: Portal) -> Texts:
    for application in Application.objects.all():
        for page in (*PAGES, *TOOLS):
            if application.template in page.templates:
                yield text_of(portal.get(f"application/{application.pk}/{page.name}/"))


def audit_log(portal: Portal) -> Texts:
    yield from each_page(portal, "auditevent/")
    for event in AuditEvent.objects.all():
        yield text_of(portal.get(f"auditevent/{event.pk}/change/"))


def audit_exports(portal: Portal) -> Texts:
    for form in ("csv", "json"):
        yield text_of(portal.browser.post(f"/admin/oidc_pkce/auditevent/export/{form}/"))


def exports(portal: Portal) -> Texts:
    for application in Application.objects.all():
        yield text_of(portal.get(f"application/{application.pk}/export/"))


def api(portal: Portal) -> Texts:
    for path in ("applications", "grants", "service-users", "signing-keys", "audit-events"):
        answer = portal.browser.get(API + path, {})
        assert answer.status_code == 200, path
        yield text_of(answer)


def other_lists(portal: Portal) -> Texts:
    for path in ("", "application/", "grant/", "serviceuser/", "logoutdelivery/", "signingkey/"):
        yield text_of(portal.get(path))


def rows(_: Portal) -> Texts:
    for model in (RequestTrace, Usage, AuditEvent):
        yield from map(repr, model._default_manager.values())


#: Who reads, in this order: the last one deletes what it has seen.
READERS: Mapping[str, Callable[[Portal], Texts]] = {
    "rows": rows,
    "other lists": other_lists,
    "requests": requests,
    "one request": one_request,
    "oidc_doctor explain": explained,
    "oidc_doctor posture": postures,
    "application pages": application_pages,
    "application exports": exports,
    "audit log": audit_log,
    "audit exports": audit_exports,
    "API": api,
    "watch": watched,
}


@spec("RFC 6819", "5.1.4.1.3")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_no_screen_export_or_command_shows_a_secret(person, secrets, portal, settings, token_type):
    settings.OIDC_PKCE = {
        **settings.OIDC_PKCE,
        "TRACES_PER_APPLICATION": 10_000,
        "TRACED_SUCCESSES": 1,
        "MANAGEMENT_API": {"APPLICATIONS": ["operations"]},
    }
    settings.ROOT_URLCONF = "tests.api.urls"
    for journey in journeys(person, requires_consent=True, allows_plain_pkce=True):
        Application.objects.update(token_type=token_type)
        portal.post(f"application/{journey.application.pk}/watch/", {"watch": "1"})
        live_through(journey, secrets)
        odd_places(journey, secrets)
    assert RequestTrace.objects.count() > 500
    assert Usage.objects.count() > 20

    for name, read in READERS.items():
        shown = 0
        for text in read(portal):
            shown += 1
            assert secrets.found_in(text) == [], (name, text)
        assert shown, name


def test_each_reader_would_find_what_is_kept_in_the_clear(person, secrets, portal, settings):
    """The canary's own canary: a client id that is no secret is seen by whoever shows clients."""
    settings.ROOT_URLCONF = "tests.api.urls"
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "MANAGEMENT_API": {"APPLICATIONS": ["operations"]}}
    journey = journeys(person)[0]
    portal.post(f"application/{journey.application.pk}/watch/", {"watch": "1"})
    journey.log_in(person).tokens()
    journey.redeem("x")

    canary = journey.client_id
    blind = {"oidc_doctor posture", "audit exports", "audit log", "other lists"}
    for name, read in READERS.items():
        if name not in blind:
            assert any(canary in text for text in read(portal)), name
