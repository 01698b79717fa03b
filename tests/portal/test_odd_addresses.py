"""Whatever stands in an address: lists answer, and no database is asked what it cannot be."""

from __future__ import annotations

import pytest

LISTS = (
    *("application", "serviceuser", "role", "grant"),
    *("requesttrace", "auditevent", "signingkey", "logoutdelivery"),
)
NAMES = ("q", "category", "status", "endpoint", "failed_check", "action", "algorithm")


@pytest.mark.parametrize("screen", LISTS)
@pytest.mark.parametrize("name", NAMES)
def test_text_with_u_0000_reaches_no_database(portal, screen, name):
    """PostgreSQL stores and compares no such text."""
    answer = portal.browser.get(f"/admin/oidc_pkce/{screen}/", {name: "a\0b"})

    # Django says so by leading to the list as it is; 400 where this list knows no such name.
    assert answer.status_code in (302, 400)
    assert answer.headers.get("Location", "?e=1").endswith("?e=1")


def test_the_export_refuses_it_too(portal):
    answer = portal.browser.post("/admin/oidc_pkce/auditevent/export/csv/?action=a%00b")

    assert answer.status_code == 302


@pytest.mark.parametrize("screen", LISTS)
def test_a_thousand_words_are_no_thousand_conditions(portal, list_app, screen):
    """SQLite refuses expressions of such a depth, and each costs time anywhere."""
    answer = portal.browser.get(f"/admin/oidc_pkce/{screen}/", {"q": "a " * 2000})

    assert answer.status_code == 200


@pytest.mark.parametrize("screen", LISTS)
@pytest.mark.parametrize("name", ["user", "group", "application", "pk", "id"])
def test_a_number_beyond_the_databases_is_no_crash(portal, screen, name):
    answer = portal.browser.get(f"/admin/oidc_pkce/{screen}/", {name: "9" * 30})

    assert answer.status_code in (200, 302, 400)
