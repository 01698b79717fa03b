"""Signing keys: states and public halves; rotated and withdrawn by whoever may, and by one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from oidc_pkce.flows import key_retirement, keys
from oidc_pkce.models import AuditEvent, SigningKey
from tests.portal.administrators import staff
from tests.portal.conftest import INLINE

CHEAP = "EdDSA"
LIFETIME = timedelta(days=90)


@pytest.fixture
def current(db):
    """The key that signs."""
    return keys.rotate(CHEAP, timezone.now() - LIFETIME)


@pytest.fixture
def following(current):
    """The key that will sign next."""
    return keys.rotate(CHEAP, timezone.now())


@pytest.fixture
def retiring(db):
    """A key that signs no longer; another one does."""
    made = keys.rotate(CHEAP, timezone.now() - timedelta(hours=1))
    keys.rotate(CHEAP, timezone.now() - timedelta(minutes=30))
    return made


def published():
    return set(SigningKey.objects.published(timezone.now()).values_list("kid", flat=True))


def test_the_list_shows_each_key_and_where_it_stands(portal, current, following):
    page = portal.text("signingkey/")

    for shown in (current.kid, following.kid, ">current<", ">next<", f"Rotate {CHEAP}"):
        assert shown in page


def test_a_key_shows_its_public_half_only(portal, signed_in):
    signed_in.tokens()
    key = SigningKey.objects.get()

    page = portal.text(f"signingkey/{key.pk}/change/")

    assert key.public_jwk["n"] in page
    assert key.private_key not in page


@pytest.mark.parametrize("lookup", ["private_key__startswith", "private_key", "public_jwk__d"])
def test_the_private_half_cannot_be_asked_by_the_address(portal, current, lookup):
    assert portal.browser.get(f"/admin/oidc_pkce/signingkey/?{lookup}=g").status_code == 400


def test_rotating_publishes_a_key_that_signs_later(portal, current):
    asked = portal.text(f"signingkey/rotate/{CHEAP}/")
    assert current.kid in asked
    assert SigningKey.objects.count() == 1

    told = portal.save(f"signingkey/rotate/{CHEAP}/")

    made = SigningKey.objects.get(generation=2)
    assert f"The new key {made.kid} is published and signs from" in told
    assert made.signs_from > timezone.now()
    assert published() == {current.kid, made.kid}
    event = AuditEvent.objects.first()
    assert (event.action, event.actor_name) == ("key.rotated", "robin")


def test_the_second_of_two_administrators_rotates_nothing_and_is_told(portal, second, current):
    first = portal.fields(f"signingkey/rotate/{CHEAP}/")
    same = second.fields(f"signingkey/rotate/{CHEAP}/")

    portal.post(f"signingkey/rotate/{CHEAP}/", first)
    told = second.post(f"signingkey/rotate/{CHEAP}/", same).content.decode()

    assert f"Somebody else has just rotated {CHEAP}" in told
    assert SigningKey.objects.count() == 2


@pytest.mark.parametrize("seen", ["", "x", "9" * 30, "-1"])
def test_a_stale_or_forged_page_rotates_nothing(portal, current, seen):
    portal.post(f"signingkey/rotate/{CHEAP}/", {"seen": seen})

    assert SigningKey.objects.count() == 1


def test_a_next_key_that_waits_is_told(portal, following):
    assert "waiting already" in portal.text(f"signingkey/rotate/{CHEAP}/")


def test_an_unknown_algorithm_is_not_found(portal):
    assert portal.browser.get("/admin/oidc_pkce/signingkey/rotate/HS256/").status_code == 404


def test_a_retiring_key_is_withdrawn_at_once(portal, retiring):
    asked = portal.text(f"signingkey/{retiring.pk}/retire/")
    assert "signs no longer" in asked
    assert "10 seconds" in asked
    assert "300 seconds" in asked

    told = portal.save(f"signingkey/{retiring.pk}/retire/")

    assert f"The key {retiring.kid} is withdrawn." in told
    assert retiring.kid not in published()
    event = AuditEvent.objects.first()
    assert (event.action, event.details["kid"]) == ("key.retired", retiring.kid)
    assert event.details["was"] == "retiring"


def test_the_current_key_is_withdrawn_together_with_a_replacement(portal, signed_in):
    token = signed_in.tokens()["access_token"]
    key = SigningKey.objects.get()
    assert "becomes invalid" in portal.text(f"signingkey/{key.pk}/retire/")

    told = portal.save(f"signingkey/{key.pk}/retire/")

    keys.clear()
    made = SigningKey.objects.get(generation=2)
    assert f"The new key {made.kid} signs now." in told
    assert published() == {made.kid}
    assert signed_in.userinfo(token).status == 401
    assert signed_in.userinfo(signed_in.tokens()["access_token"]).status == 200


def test_a_key_that_signs_by_now_is_not_withdrawn_by_a_page_that_said_otherwise(portal, current):
    told = portal.post(f"signingkey/{current.pk}/retire/", {}).content.decode()

    assert "This key signs by now" in told
    assert "Replace and retire now" in told
    assert published() == {current.kid}


def test_a_key_that_was_withdrawn_meanwhile_is_told(portal, second, retiring):
    portal.post(f"signingkey/{retiring.pk}/retire/", {})

    told = second.post(f"signingkey/{retiring.pk}/retire/", {}).content.decode()

    assert "withdrawn already" in told
    assert AuditEvent.objects.filter(action="key.retired").count() == 1


def test_who_may_view_keys_sees_no_button_and_may_do_nothing(current):
    viewer = staff("viewer", "view_signingkey")

    assert "Rotate" not in viewer.text("signingkey/")
    assert "retire/" not in viewer.text(f"signingkey/{current.pk}/change/")
    for path in (f"rotate/{CHEAP}", f"{current.pk}/retire"):
        for method in (viewer.browser.get, viewer.browser.post):
            assert method(f"/admin/oidc_pkce/signingkey/{path}/").status_code == 403
    assert published() == {current.kid}


def test_without_a_right_there_are_no_keys(current):
    stranger = staff("stranger", "view_grant")

    for path in ("", f"{current.pk}/change/", f"{current.pk}/retire/"):
        assert stranger.browser.get(f"/admin/oidc_pkce/signingkey/{path}").status_code == 403


@pytest.mark.parametrize("key", ["nothing", "9" * 30, "0"])
def test_a_key_that_is_none_is_not_found(portal, key):
    for path in ("change", "retire"):
        assert portal.browser.get(f"/admin/oidc_pkce/signingkey/{key}/{path}/").status_code == 404


def test_no_page_holds_inline_script_or_style(portal, current, following):
    for path in ("", f"{current.pk}/change/", f"{current.pk}/retire/", f"rotate/{CHEAP}/"):
        page = portal.get(f"signingkey/{path}").content.decode()
        assert not INLINE.search(page), INLINE.search(page)


def test_a_rotation_in_the_same_moment_is_told(portal, current, monkeypatch):
    from django.db import IntegrityError

    def beaten(*args, **kwargs):
        raise IntegrityError

    monkeypatch.setattr(key_retirement, "retire", beaten)

    told = portal.post(f"signingkey/{current.pk}/retire/", {"replace": "yes"}).content.decode()

    assert "Somebody else is rotating" in told
