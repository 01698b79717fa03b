"""What a sign-out request only does not believe may be followed by more: the screen names both."""

from __future__ import annotations

from oidc_pkce.flows import explanation
from tests.checks.shape import every_check
from tests.journeys import Answer, last_trace

HINT, ADDRESS = "end_session.id_token_hint", "end_session.post_logout_redirect_uri"
CLIENT = "end_session.client_id"


def end(openid, **parameters) -> Answer:
    return Answer(openid.browser.get("/OAuth2/EndSession/portal", parameters))


def screen(portal) -> str:
    page = portal.text(f"requesttrace/{last_trace().pk}/change/")
    for check in (HINT, last_trace().failed_check):
        assert check in page
        assert every_check()[check].sentence in page
    return page


def test_the_page_that_the_person_saw_is_explained_and_the_hint_is_named_too(openid, portal):
    answer = end(openid, id_token_hint="x", post_logout_redirect_uri="https://elsewhere.example/")
    told = explanation.explain(last_trace(), user=portal.user)

    assert answer.status == 400
    assert told.failed_check == ADDRESS
    assert told.cure == every_check()[ADDRESS].fix
    assert told.reason in screen(portal)


def test_a_bad_hint_is_explained_and_not_what_follows_from_it(openid, portal):
    bye = "https://rp.example/bye"
    openid.application.post_logout_redirect_uris = [bye]
    openid.application.save()

    answer = end(openid, id_token_hint="x", post_logout_redirect_uri=bye)
    told = explanation.explain(last_trace(), user=portal.user)

    assert "Do you want to sign out?" in answer.html
    assert told.failed_check == HINT
    assert told.cure == every_check()[HINT].fix
    page = screen(portal)
    assert CLIENT in page
    assert told.reason in page
