"""The screens beside Web Apps: service users, grants, requests, audit log, signing keys."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import AuditEvent, Grant, RequestTrace, ServiceUser, SigningKey
from tests.fixtures import make_user
from tests.journeys import Journey, make_application
from tests.portal.conftest import INLINE, Portal


def secret_in(page: bytes) -> str:
    return re.search(r'id="client-secret">([^<]+)<', page.decode()).group(1)


def test_a_service_user_is_created_and_signs_in_with_its_first_secret(portal, ada):
    answer = portal.post(
        "serviceuser/add/", {"login_name": "svc", "is_oauth_confidential_client": "on"}
    )
    made = ServiceUser.objects.get()
    assert answer.redirect_chain[-1][0].endswith(f"/serviceuser/{made.pk}/client-secret/")
    secret = secret_in(portal.post(f"serviceuser/{made.pk}/client-secret/", {}).content)

    confidential = make_application(client_id_type="Confidential", client_ids=[])
    journey = Journey(confidential, client_id="svc").log_in(ada)
    answer = journey.redeem(journey.authorize().code, client_secret=secret)

    assert answer.status == 200
    assert not made.user.has_usable_password()
    assert {"service_user.created", "secret.created"} <= set(
        AuditEvent.objects.values_list("action", flat=True)
    )


@pytest.mark.parametrize("screen", ["application", "serviceuser"])
def test_a_key_beyond_all_numbers_names_nothing(portal, screen):
    path = f"/admin/oidc_pkce/{screen}/{'9' * 30}"

    assert portal.browser.get(f"{path}/client-secret/").status_code == 404
    assert portal.browser.get(f"{path}/change/").status_code == 302  # to the index, which says so


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("ada", "a person&#x27;s account"), ("sv c", "letters, digits"), ("svc", "already")],
)
def test_a_service_users_name_must_be_free_and_simple(portal, ada, name, sentence):
    portal.post("serviceuser/add/", {"login_name": "svc"})

    answer = portal.post("serviceuser/add/", {"login_name": name})

    assert sentence in answer.content.decode()
    assert ServiceUser.objects.count() == 1


def test_the_flag_of_a_service_user_is_changed_and_audited(portal):
    portal.post("serviceuser/add/", {"login_name": "svc"})
    made = ServiceUser.objects.get()
    assert not made.is_oauth_confidential_client

    portal.save(f"serviceuser/{made.pk}/change/", is_oauth_confidential_client="on")

    assert ServiceUser.objects.get().is_oauth_confidential_client
    assert AuditEvent.objects.first().action == "service_user.updated"


def test_deleting_a_service_user_takes_its_account_along(portal):
    portal.post("serviceuser/add/", {"login_name": "svc"})
    made = ServiceUser.objects.get()

    portal.post(f"serviceuser/{made.pk}/delete/", {"post": "yes"})

    assert not get_user_model().objects.filter(username="svc").exists()
    assert AuditEvent.objects.first().action == "service_user.deleted"


def test_service_users_are_searched_by_login_name(portal):
    for name in ("robot", "crawler"):
        portal.post("serviceuser/add/", {"login_name": name})

    page = portal.text("serviceuser/", q="robot")

    assert "robot" in page
    assert "crawler" not in page


def test_a_refused_request_is_explained_by_its_id(portal, signed_in):
    signed_in.authorize(redirect_uri="http://localhost:5000/callback/")
    trace = RequestTrace.objects.get()

    listed = portal.text("requesttrace/", q=trace.request_id)
    page = portal.text(f"requesttrace/{trace.pk}/change/")

    assert "authorize.redirect_uri" in listed
    for told in ("refused", "authorize.redirect_uri", "RFC", "Allowed Redirects", "callback/"):
        assert told in page
    assert "passed" in page


def test_what_a_request_sent_is_shown_as_text(portal, signed_in):
    signed_in.authorize(redirect_uri="https://x.example/<script>alert(1)</script>")
    trace = RequestTrace.objects.get()

    page = portal.get(f"requesttrace/{trace.pk}/change/").content.decode()

    assert "<script>alert" not in page


def test_a_check_of_an_earlier_version_is_still_shown(portal, list_app, signed_in):
    signed_in.authorize(redirect_uri="http://localhost:5000/callback/")
    RequestTrace.objects.update(outcomes=[{"check": "gone.check", "passed": False}])

    assert "gone.check" in portal.text(f"requesttrace/{RequestTrace.objects.get().pk}/change/")


def test_a_grant_is_revoked_and_its_token_ends(portal, signed_in):
    token = signed_in.tokens()["access_token"]
    grant = Grant.objects.get()

    answer = portal.post("grant/", {"action": "revoke", "_selected_action": [str(grant.pk)]})

    assert "1 grant was revoked." in answer.content.decode()
    assert signed_in.userinfo(token).status == 401
    event = AuditEvent.objects.first()
    assert (event.action, event.details["user"]) == ("grant.revoked", "ada")


def test_revoking_needs_the_right_to_change_grants(signed_in):
    from django.contrib.auth.models import Permission

    signed_in.tokens()
    viewer = make_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_grant"))

    Portal(viewer).post(
        "grant/", {"action": "revoke", "_selected_action": [str(Grant.objects.get().pk)]}
    )

    assert Grant.objects.get().revoked_at is None


def test_the_audit_log_shows_before_and_after(portal, list_app):
    portal.save(f"application/{list_app.pk}/change/", name="Renamed")

    page = portal.text(f"auditevent/{AuditEvent.objects.get().pk}/change/")

    for told in ("application.updated", "robin", "My App", "Renamed"):
        assert told in page


def test_signing_keys_show_their_public_half_only(portal, signed_in):
    signed_in.tokens()
    key = SigningKey.objects.get()

    page = portal.text(f"signingkey/{key.pk}/change/")

    assert "current" in page
    assert key.public_jwk["n"] in page
    assert key.private_key not in page


@pytest.mark.parametrize("name", ["auditevent", "requesttrace", "grant", "signingkey"])
def test_records_cannot_be_added_changed_or_deleted(portal, signed_in, name):
    signed_in.tokens()

    for path in (f"{name}/add/",):
        assert portal.browser.get(f"/admin/oidc_pkce/{path}").status_code == 403


@pytest.mark.parametrize(
    "name", ["auditevent", "requesttrace", "grant", "signingkey", "serviceuser"]
)
def test_lists_and_pages_hold_no_inline_script_or_style_of_ours(portal, signed_in, name):
    signed_in.tokens()
    signed_in.authorize(redirect_uri="http://localhost:5000/nowhere")
    portal.post("serviceuser/add/", {"login_name": "svc"})

    listed = portal.get(f"{name}/").content.decode()
    found = re.search(rf"/admin/oidc_pkce/({name}/[^/]+/change/)", listed)

    assert found
    for page in (listed, portal.get(found.group(1)).content.decode()):
        assert not INLINE.search(page), INLINE.search(page)
