"""A click that changes nothing: forged, too late, or not possible."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from oidc_pkce.models import Application, AuditEvent, ServiceUser
from tests.flows.test_cures import make_trace
from tests.journeys import CALLBACK, last_trace
from tests.portal.cure_stories import shut_out
from tests.portal.curing import IMPLICIT, OTHER, cure, page_of, post, refused, seen_of_robot


def test_nothing_is_changed_by_looking(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    answer = portal.browser.get(path, {"cure": "redirect_uris", "seen": "1"})

    assert answer.status_code == 405
    assert not AuditEvent.objects.filter(action="application.updated").exists()


def test_a_click_from_another_site_changes_nothing(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(portal.user)
    path = f"/admin/oidc_pkce/requesttrace/{refused().pk}/cure/"

    assert strict.post(path, {"cure": "redirect_uris", "seen": "1"}).status_code == 403


@pytest.mark.parametrize(
    "name", ["", "flows", "run", "enable", "requires_pkce", "tokens", "redirect_uris\0", "x" * 5000]
)
def test_a_forged_name_changes_nothing(name, portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)

    page = post(portal, refused(), name, seen=str(signed_in.application.version))

    assert "nothing was changed" in page
    assert not AuditEvent.objects.filter(action="application.updated").exists()


def test_the_form_cannot_bring_another_value(portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    forged = {
        "received": "https://evil.example/",
        "redirect_uris": "https://evil.example/",
        "value": "https://evil.example/",
        "application": "2",
        "user": "1",
    }

    cure(portal, refused(), "redirect_uris", **forged)

    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK, OTHER]


@pytest.mark.parametrize("seen", ["", "0", "99", "x", "1 ", "-1"])
def test_another_version_than_was_seen_changes_nothing(seen, portal, signed_in):
    signed_in.authorize(redirect_uri=OTHER)

    page = post(portal, refused(), "redirect_uris", seen=seen)

    assert "Somebody changed this since you opened the page" in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK]


def test_the_second_of_two_administrators_is_told(portal, second, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    seen = signed_in.application.version
    path = f"application/{signed_in.application.pk}/change/"
    second.save(path, description="Meanwhile")

    page = post(portal, refused(), "redirect_uris", seen=str(seen))

    assert "so nothing was done" in page
    cure(portal, refused(), "redirect_uris")
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK, OTHER]
    assert signed_in.application.description == "Meanwhile"


def test_whoever_comes_second_finds_it_done(portal, second, signed_in):
    signed_in.authorize(redirect_uri=OTHER)
    seen = str(signed_in.application.version)
    cure(second, refused(), "redirect_uris")

    page = post(portal, refused(), "redirect_uris", seen=seen)

    assert "nothing was changed" in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK, OTHER]


def test_a_service_user_that_was_changed_meanwhile_stays_as_it_is(portal, scene):
    shut_out(scene).send()
    seen = seen_of_robot()
    ServiceUser.objects.update(is_oauth_confidential_client=False)

    page = post(portal, refused(), "activate", seen=seen)

    assert "so nothing was done" in page
    assert not get_user_model().objects.get(username="robot").is_active


@pytest.mark.parametrize(
    "sent",
    [
        "https://app.example/callback?tenant=7",
        "http://app.example/callback",
        "javascript:alert(1)",
        "https://bank.example@evil.example/",
    ],
)
def test_an_address_that_is_not_known_whole_or_not_possible_is_not_added(sent, portal, signed_in):
    signed_in.authorize(redirect_uri=sent)
    trace = refused()

    page = portal.text(page_of(trace))
    after = post(portal, trace, "redirect_uris", seen=str(signed_in.application.version))

    assert 'name="cure"' not in page
    assert "Open General Usage" in page
    assert "Nothing was changed." in after
    signed_in.application.refresh_from_db()
    assert signed_in.application.redirect_uris == [CALLBACK]


def test_what_the_rules_of_an_application_forbid_is_told_and_not_done(
    portal, signed_in, monkeypatch
):
    """As a profile does, or a subclass of a host."""
    from django.core.exceptions import ValidationError

    signed_in.authorize(**IMPLICIT)

    def clean(self: Application) -> None:
        if "Implicit" in self.flows:
            raise ValidationError({"flows": "OAuth 2.1 has no Implicit flow."})

    monkeypatch.setattr(Application, "clean", clean)

    page = cure(portal, refused(), "flows")

    assert "Nothing was changed. OAuth 2.1 has no Implicit flow." in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.flows == ["AuthorizationCode"]


def test_a_profile_forbids_what_it_forbids_by_hand(portal, signed_in):
    Application.objects.update(profile="oauth21")
    signed_in.authorize(**IMPLICIT)

    page = cure(portal, refused(), "flows")

    assert "Nothing was changed." in page
    signed_in.application.refresh_from_db()
    assert signed_in.application.flows == ["AuthorizationCode"]
    assert not AuditEvent.objects.filter(action="application.updated").exists()


def test_a_list_that_is_full_takes_no_more(portal, signed_in):
    full = [f"https://app.example/{number}" for number in range(500)]
    Application.objects.update(redirect_uris=full)
    signed_in.authorize(redirect_uri=OTHER)

    page = cure(portal, refused(), "redirect_uris")

    assert "Nothing was changed. At most 500 entries are possible." in page


def test_a_request_of_an_unknown_application_is_not_cured(portal, ada):
    Browser().get("/OAuth2/Authorize/nothing", {"client_id": "x", "redirect_uri": OTHER})
    trace = last_trace()

    assert 'name="cure"' not in portal.text(page_of(trace))
    path = f"/admin/oidc_pkce/requesttrace/{trace.pk}/cure/"
    assert portal.browser.post(path, {"cure": "redirect_uris", "seen": "1"}).status_code == 403


def test_a_name_in_a_request_activates_nobody(portal, scene):
    """The service user that proved itself is known by its key; whoever else has the name is not."""
    mine = scene("confidential")
    get_user_model().objects.filter(username="robot").update(is_active=False)
    trace = make_trace(mine.application, "client.service_user", received="robot")

    assert 'name="cure"' not in portal.text(page_of(trace))
