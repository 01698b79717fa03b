"""What happens in the same moment as a sign-out, or twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from oidc_pkce.flows import authorization, end_session
from oidc_pkce.models import AuditEvent, EndedSession, Grant, LogoutDelivery
from oidc_pkce.receivers import SID
from tests.journeys import Browser, Journey
from tests.spec import spec

pytestmark = pytest.mark.django_db(transaction=True)

SIGN_OUT = "/OAuth2/EndSession"


def sid_of(journey: Journey) -> str:
    return str(journey.browser.session[SID])


@pytest.fixture
def late(signed_in: Journey, ada: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """An authorization request that has read its session before the sign-out, and writes after."""

    def authorize(**parameters: Any) -> Any:
        write, sid = authorization._write_grant, sid_of(signed_in)

        def slow(*arguments: Any) -> Grant:
            end_session.end(ada, sid, now=timezone.now())
            return write(*arguments)

        monkeypatch.setattr(authorization, "_write_grant", slow)
        return signed_in.authorize(**parameters)

    return authorize


@spec("OpenID Connect Back-Channel Logout", "2.7")
def test_a_grant_that_comes_after_its_sign_out_gives_nothing(signed_in: Journey, late: Any) -> None:
    answer = late()

    assert signed_in.redeem(answer.code).error == "invalid_grant"
    assert Grant.objects.get().revoked_at is not None


@spec("OpenID Connect Back-Channel Logout", "2.7")
def test_a_late_grant_for_offline_access_lives_as_every_other_one(
    signed_in: Journey, late: Any
) -> None:
    signed_in.application.scopes.create(name="offline_access")
    answer = late(scope="offline_access")

    assert signed_in.redeem(answer.code).status == 200


def test_grants_of_other_sessions_are_not_late(signed_in: Journey, ada: Any) -> None:
    other = Journey(signed_in.application, browser=Browser()).log_in(ada)
    end_session.end(ada, sid_of(other), now=timezone.now())

    assert signed_in.redeem(signed_in.authorize().code).status == 200


@spec("OpenID Connect Back-Channel Logout", "2.5")
def test_sign_outs_at_the_same_moment_tell_and_audit_once(signed_in: Journey, ada: Any) -> None:
    signed_in.application.backchannel_logout_uri = "https://rp.example/out"
    signed_in.application.save()
    signed_in.tokens()
    sid = sid_of(signed_in)

    for _ in range(4):
        end_session.end(ada, sid, now=timezone.now())

    assert LogoutDelivery.objects.count() == 1
    assert AuditEvent.objects.filter(action="user.signed_out").count() == 1


def test_a_session_that_ended_is_forgotten_after_a_while(signed_in: Journey, ada: Any) -> None:
    end_session.end(ada, sid_of(signed_in), now=timezone.now())

    kept = EndedSession.objects.get()
    assert kept.expires_at - timezone.now() <= end_session.UNDER_WAY


@spec("OpenID Connect RP-Initiated Logout", "6")
def test_a_hint_without_a_session_asks(openid_with_secret: Journey, ada: Any) -> None:
    """An ID token of the password grant names no browser session."""
    application = openid_with_secret.application
    application.flows = ["AuthorizationCode", "ResourceCreds"]
    application.save()
    password = {"username": "ada", "password": "correct horse battery staple", "scope": "openid"}
    tokens = openid_with_secret.redeem(
        None, grant_type="password", redirect_uri=None, code_verifier=None, **password
    ).json

    page = openid_with_secret.browser.get(SIGN_OUT, {"id_token_hint": tokens["id_token"]})

    assert b"Do you want to sign out?" in page.content
    assert openid_with_secret.authorize(prompt="none").code


@spec("OpenID Connect Core", "8.1")
def test_a_pairwise_application_knows_the_session_by_a_name_of_its_own(openid: Journey) -> None:
    openid.application.subject_type = "pairwise"
    openid.application.post_logout_redirect_uris = ["https://rp.example/bye"]
    openid.application.save()
    hint = openid.tokens(scope="openid")["id_token"]
    sid = sid_of(openid)

    assert sid not in hint
    gone = openid.browser.get(
        SIGN_OUT,
        {"id_token_hint": hint, "post_logout_redirect_uri": "https://rp.example/bye"},
    )
    assert gone["Location"] == "https://rp.example/bye"
