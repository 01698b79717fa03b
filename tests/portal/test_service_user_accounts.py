"""Service users: the account behind each, its name, its flag, its first secret."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model

from oidc_pkce.models import AuditEvent, ServiceUser
from tests.journeys import Journey, make_application


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


def test_a_key_beyond_all_numbers_names_nothing(portal):
    path = f"/admin/oidc_pkce/serviceuser/{'9' * 30}"

    assert portal.browser.get(f"{path}/client-secret/").status_code == 404
    assert portal.browser.get(f"{path}/change/").status_code in (302, 404)


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
