"""Client secrets in the portal: made and shown once, ended, and only by whoever may."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from oidc_pkce.models import (
    Application,
    AuditEvent,
    ClientSecret,
    Permission,
    Principal,
    ServiceUser,
)
from tests.fixtures import make_user
from tests.journeys import SECRET, Journey, give_secret, make_application, make_service_user
from tests.portal.conftest import INLINE, Portal

ROOT = "/admin/oidc_pkce/"


@pytest.fixture(params=["application", "serviceuser"])
def owner(request: Any, openid_app: Application) -> Any:
    """Whoever can own secrets."""
    if request.param == "application":
        return openid_app
    return make_service_user(make_user("robot"))


def path_of(owner: Any) -> str:
    return f"{owner._meta.model_name}/{owner.pk}/client-secret/"


def home_of(owner: Any) -> str:
    page = "trust" if isinstance(owner, Application) else "change"
    return f"{owner._meta.model_name}/{owner.pk}/{page}/"


def make(portal: Portal, owner: Any, **fields: str) -> Any:
    return portal.post(path_of(owner), {**portal.fields(path_of(owner)), **fields})


def secret_in(answer: Any) -> str:
    return re.search(r'id="client-secret">([^<]+)<', answer.content.decode()).group(1)


def manager(application: Application) -> Portal:
    user = make_user("sam", is_staff=True)
    Permission.objects.create(
        application=application, principal=Principal.USER, user=user, can_manage=True
    )
    return Portal(user)


def test_a_new_secret_is_shown_once(portal, owner):
    assert "Make a new secret" in portal.text(path_of(owner))
    assert not ClientSecret.objects.exists()

    answer = make(portal, owner)

    secret = secret_in(answer)
    assert len(secret) == 43
    assert answer.redirect_chain == []
    assert "no-store" in answer.headers["Cache-Control"]
    event = AuditEvent.objects.get(action="secret.created")
    for page in (path_of(owner), home_of(owner), f"auditevent/{event.pk}/change/"):
        assert secret not in portal.text(page)
    stored = ClientSecret.objects.get()
    assert stored.facts().matches(secret, timezone.now())
    assert stored.expires_at is None


def test_a_person_signs_in_with_the_secret_that_was_made(portal, openid_app, ada):
    secret = secret_in(make(portal, openid_app))
    journey = Journey(openid_app, client_id=openid_app.openid_client_id).log_in(ada)

    answer = journey.redeem(journey.authorize().code, client_secret=secret)

    assert answer.status == 200


def test_a_secret_can_be_made_to_end(portal, owner):
    before = timezone.now()

    make(portal, owner, days="30")

    ends = ClientSecret.objects.get().expires_at
    assert before + timedelta(days=30) <= ends <= timezone.now() + timedelta(days=30)
    assert AuditEvent.objects.first().details["expires_at"] == ends.isoformat()


@pytest.mark.parametrize("days", ["0", "-1", "3651", "tomorrow", "9" * 40])
def test_an_end_that_cannot_be_is_named_and_no_secret_is_made(portal, owner, days):
    page = make(portal, owner, days=days).content.decode()

    assert "No secret was made." in page
    assert "errorlist" in page
    assert f'value="{days}"' in page
    assert not ClientSecret.objects.exists()


def test_sending_the_page_twice_makes_one_secret(portal, owner):
    """A reload after the secret was shown would end the one that is in use."""
    sent = portal.fields(path_of(owner))
    first = secret_in(portal.post(path_of(owner), sent))

    page = portal.post(path_of(owner), sent).content.decode()

    assert "A secret was made since this page was opened" in page
    assert "client-secret&quot;" not in page
    assert ClientSecret.objects.get().facts().matches(first, timezone.now())


def test_that_the_older_secret_ends_is_said_before(portal, owner):
    assert "the older one ends" not in portal.text(path_of(owner))
    make(portal, owner)
    make(portal, owner)

    assert "the older one ends" in portal.text(path_of(owner))
    make(portal, owner)
    assert ClientSecret.objects.live(timezone.now()).count() == 2


def test_a_secret_is_revoked_after_a_question(portal, owner):
    make(portal, owner)
    stored = ClientSecret.objects.get()
    revoke = f"{path_of(owner)}{stored.pk}/revoke/"
    assert revoke in portal.text(home_of(owner))

    assert "ends at once" in portal.text(revoke)
    assert ClientSecret.objects.exists()
    answer = portal.post(revoke, {})

    assert answer.redirect_chain[-1][0] == f"{ROOT}{home_of(owner)}"
    assert "The client secret was revoked." in answer.content.decode()
    assert not ClientSecret.objects.exists()
    event = AuditEvent.objects.first()
    assert (event.action, event.actor_name) == ("secret.revoked", "robin")
    assert event.details == {"secret": stored.pk}
    assert portal.browser.post(f"{ROOT}{revoke}").status_code == 404


def test_a_revoked_secret_is_refused_at_once(portal, openid_with_secret):
    application = openid_with_secret.application
    stored = ClientSecret.objects.get()
    portal.post(f"{path_of(application)}{stored.pk}/revoke/", {})

    answer = openid_with_secret.redeem(openid_with_secret.authorize().code, client_secret=SECRET)

    assert answer.error == "invalid_client"


def test_a_secret_of_another_owner_is_not_revoked_from_here(portal, openid_app):
    robot = make_service_user(make_user("robot"), SECRET)
    other = make_application(
        template="Generic OpenID Connect", application_id="other", client_id_type="Confidential"
    )
    theirs = [ClientSecret.objects.get(), give_secret(other)]

    for secret in theirs:
        for address in (path_of(openid_app), path_of(robot)):
            if secret.service_user_id and address == path_of(robot):
                continue
            answer = portal.browser.post(f"{ROOT}{address}{secret.pk}/revoke/")
            assert answer.status_code == 404

    assert ClientSecret.objects.count() == 2


@pytest.mark.parametrize("secret_id", ["0", "9" * 30])
def test_a_secret_that_is_not_there_is_404(portal, openid_app, secret_id):
    answer = portal.browser.get(f"{ROOT}{path_of(openid_app)}{secret_id}/revoke/")

    assert answer.status_code == 404


def test_only_openid_connect_applications_have_a_secret_of_their_own(portal, list_app):
    for answer in (portal.browser.get, portal.browser.post):
        assert answer(f"{ROOT}{path_of(list_app)}").status_code == 404
    assert "New client secret" not in portal.text(f"application/{list_app.pk}/general-usage/")


def test_manage_on_the_application_is_enough(openid_app):
    sam = manager(openid_app)

    secret_in(make(sam, openid_app))
    sam.post(f"{path_of(openid_app)}{ClientSecret.objects.get().pk}/revoke/", {})

    assert not ClientSecret.objects.exists()


def test_manage_on_one_application_reaches_no_other(openid_app, list_app):
    hidden = make_application(
        template="Generic OpenID Connect",
        application_id="hidden",
        client_id_type="Confidential",
        everybody=False,
    )
    secret = give_secret(hidden)
    sam = manager(openid_app)

    for path in (path_of(hidden), f"{path_of(hidden)}{secret.pk}/revoke/"):
        assert sam.browser.get(f"{ROOT}{path}").status_code == 404
        assert sam.browser.post(f"{ROOT}{path}").status_code == 404
    assert ClientSecret.objects.get() == secret


def test_one_without_rights_on_service_users_reaches_none(db):
    robot = make_service_user(make_user("robot"), SECRET)
    secret = ClientSecret.objects.get()
    stranger = Portal(make_user("stranger", is_staff=True))

    for path in (path_of(robot), f"{path_of(robot)}{secret.pk}/revoke/"):
        assert stranger.browser.get(f"{ROOT}{path}").status_code in (403, 404)
        assert stranger.browser.post(f"{ROOT}{path}").status_code in (403, 404)
    assert ClientSecret.objects.get() == secret


def test_a_post_without_the_csrf_token_is_refused(portal, openid_app):
    secret = give_secret(openid_app)
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)

    for path in (path_of(openid_app), f"{path_of(openid_app)}{secret.pk}/revoke/"):
        assert strict.post(f"{ROOT}{path}").status_code == 403
    assert ClientSecret.objects.get() == secret


def test_the_pages_stand_in_the_frame_of_their_application(portal, openid_app):
    secret = give_secret(openid_app)

    for path in (path_of(openid_app), f"{path_of(openid_app)}{secret.pk}/revoke/"):
        page = portal.text(path)
        assert '<nav class="oidc-pages"' in page
        assert f'<li><a href="{ROOT}{home_of(openid_app)}">Trust</a></li>' in page
        assert '<li aria-current="page">' in page


def test_the_page_that_shows_a_secret_holds_nothing_inline(portal, owner):
    page = make(portal, owner).content.decode()

    assert not INLINE.search(page), INLINE.search(page)


def test_names_are_shown_as_text(portal, openid_app):
    openid_app.name = "<script>alert(1)</script>"
    openid_app.save()

    assert "<script>alert" not in portal.get(path_of(openid_app)).content.decode()
    assert "<script>alert" in html.unescape(portal.get(path_of(openid_app)).content.decode())


def test_a_service_users_form_lists_its_secrets(portal):
    robot: ServiceUser = make_service_user(make_user("robot"), SECRET)

    page = portal.text(home_of(robot))

    assert "Client secrets" in page
    assert f"{path_of(robot)}{ClientSecret.objects.get().pk}/revoke/" in page
    assert f"{ROOT}{path_of(robot)}" in page
