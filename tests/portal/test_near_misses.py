"""Why did this fail? The page names every near miss."""

from __future__ import annotations

from hashlib import sha256

import pytest

from oidc_pkce.flows import tracing
from oidc_pkce.flows.reasons import NEAR_MISSES, REASONS
from oidc_pkce.identifiers import digest
from oidc_pkce.models import Application, RequestTrace
from oidc_pkce.protocol.near_miss import NearMiss
from tests.journeys import CHALLENGE, SECRET, VERIFIER, Journey, last_trace, make_application, s256
from tests.portal.explaining import GUESS, REGISTERED, page_of
from tests.portal.records import manager

N = NearMiss

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
