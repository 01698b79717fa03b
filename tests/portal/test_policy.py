"""The page Policy: what counts whatever the client asks for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from oidc_pkce.models import Application, AuditEvent
from tests.journeys import Journey
from tests.portal.conftest import INLINE, Portal
from tests.portal.test_account_mapping import viewer

PASSWORD_ONLY = "A password alone does not reach aal2"


def path_of(application: Application) -> str:
    return f"application/{application.pk}/policy/"


def stored() -> Application:
    return Application.objects.get()


def test_an_administrator_restricts_an_application_and_it_counts_at_once(portal, signed_in):
    path = path_of(signed_in.application)

    page = portal.save(
        path, sign_in_max_age="0.00:15:00", required_acr="aal1", allowed_networks="10.0.0.0/8\n::1"
    )

    assert "errornote" not in page
    found = stored()
    assert (found.sign_in_max_age, found.required_acr) == (timedelta(minutes=15), "aal1")
    assert found.allowed_networks == ["10.0.0.0/8", "::1"]
    assert signed_in.authorize().error == "access_denied"
    assert "These rules count whatever the client asks for." in page


def test_what_is_emptied_restricts_nothing_any_more(portal, signed_in):
    path = path_of(signed_in.application)
    portal.save(path, sign_in_max_age="15 minutes", required_acr="aal1", allowed_networks="::1")

    page = portal.save(path, sign_in_max_age="", required_acr="", allowed_networks="")

    found = stored()
    assert (found.sign_in_max_age, found.required_acr, found.allowed_networks) == (None, "", [])
    assert "Nothing is restricted" in page
    assert signed_in.authorize().code
    changes = AuditEvent.objects.first().details["changes"]
    assert changes["sign_in_max_age"] == {"before": "0.00:15:00", "after": None}
    assert changes["allowed_networks"] == {"before": ["::1"], "after": []}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("sign_in_max_age", "soon", "“soon” is no lifetime."),
        ("sign_in_max_age", "0.00:00:30", "A lifetime is at least one minute"),
        ("required_acr", "aal9", "“aal9” is nothing that people can reach here"),
        ("required_acr", "aal9", "use one of aal1, aal2"),
        ("allowed_networks", "10.0.0.1/8", "without host bits"),
        ("allowed_networks", "::1\nexample.com", "“example.com”: write a network"),
        ("allowed_networks", "::1\n::1", "“::1” is listed twice"),
        ("allowed_networks", "10.0.0.0/33", "write a network"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_saved(
    portal, list_app, field, value, sentence
):
    page = portal.save(path_of(list_app), **{"category": "Notes", field: value})

    assert sentence in page
    row = re.search(
        rf'class="form-row[^"]*field-{field}".*?</textarea>|class="form-row[^"]*field-{field}".*?<(?:input|select)[^>]*>',
        page,
        re.DOTALL,
    )
    assert row
    assert "errorlist" in row[0]
    assert value.splitlines()[-1] in page
    assert not AuditEvent.objects.exists()


def test_whoever_shuts_out_their_own_network_is_told(portal, list_app):
    page = portal.save(path_of(list_app), allowed_networks="10.0.0.0/8")

    assert "You are at 127.0.0.1, outside the allowed networks" in page
    assert "outside the allowed" not in portal.save(path_of(list_app), allowed_networks="127.0.0.1")


def test_the_page_shows_the_address_that_counts(portal, list_app, settings):
    forwarded = {"HTTP_X_FORWARDED_FOR": "192.0.2.7"}
    path = f"/admin/oidc_pkce/{path_of(list_app)}"

    assert "<code>127.0.0.1</code>" in portal.browser.get(path, **forwarded).content.decode()
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRUSTED_PROXIES": ["127.0.0.1"]}
    assert "<code>192.0.2.7</code>" in portal.browser.get(path, **forwarded).content.decode()
    nowhere = portal.browser.get(path, REMOTE_ADDR="").content.decode()
    assert "does not see from which address you come" in nowhere


def test_a_context_that_no_password_reaches_is_warned_about(portal, list_app):
    Application.objects.update(flows=["AuthorizationCode", "ResourceCreds"])

    page = portal.save(path_of(list_app), required_acr="aal2")

    assert PASSWORD_ONLY in page
    assert "The flow Resource Owner is refused" in page
    assert PASSWORD_ONLY not in portal.save(path_of(list_app), required_acr="aal1")


def test_a_context_that_is_gone_is_shown_and_must_be_chosen_anew(portal, list_app):
    Application.objects.update(required_acr="urn:old")

    assert "urn:old (no longer known)" in portal.text(path_of(list_app))
    assert "is nothing that people can reach here" in portal.save(path_of(list_app))


def test_nothing_of_the_page_is_inline(portal, list_app):
    assert not INLINE.search(portal.get(path_of(list_app)).content.decode())


def test_five_hundred_networks_are_shown_and_one_more_is_refused(portal, list_app):
    many = [f"10.{number // 250}.{number % 250}.0/24" for number in range(500)]

    page = portal.save(path_of(list_app), allowed_networks="\n".join(many))

    assert "errornote" not in page
    assert stored().allowed_networks == many
    too_many = "\n".join([*many, "192.0.2.0/24"])
    assert "At most 500 entries" in portal.save(path_of(list_app), allowed_networks=too_many)


def test_who_may_only_see_it_sees_no_save_and_cannot_post(list_app):
    kim: Portal = viewer(list_app)

    page = kim.text(path_of(list_app))

    assert 'value="Save"' not in page
    assert re.search(r"<textarea[^>]* disabled", page)
    answer = kim.browser.post(f"/admin/oidc_pkce/{path_of(list_app)}", {"allowed_networks": "::1"})
    assert answer.status_code == 403
    assert stored().allowed_networks == []


def test_the_second_of_two_administrators_is_told(portal, second, list_app):
    sent = {**second.fields(path_of(list_app)), "allowed_networks": "127.0.0.1"}
    portal.save(path_of(list_app), allowed_networks="::1\n127.0.0.0/8")

    assert "robin changed" in second.post(path_of(list_app), sent).content.decode()
    assert stored().allowed_networks == ["::1", "127.0.0.0/8"]


def test_a_limit_leads_to_the_sign_in_page(portal, signed_in: Journey):
    session = signed_in.browser.session
    session["oidc_pkce.auth_time"] -= 3600
    session.save()
    assert signed_in.authorize().code

    portal.save(path_of(signed_in.application), sign_in_max_age="15 minutes")

    assert "/OAuth2/Login/" in signed_in.authorize().location
