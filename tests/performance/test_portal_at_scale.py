"""Lists and screens of the Admin Portal cost the same with a great many rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from oidc_pkce.models import Application, Grant
from oidc_pkce.models import Permission as ApplicationPermission
from tests.portal.test_every_screen import (  # noqa: F401 - a fixture
    NOBODY,
    SCREENS,
    address,
    arguments,
    browser_of,
)

APPLICATIONS = 10_000
GRANTS = 1_000_000
MOST = 40  # statements of one screen


@pytest.mark.postgresql
@pytest.mark.parametrize("role", ["superuser", "manage"])
def test_no_screen_costs_more_with_ten_thousand_applications_and_a_million_grants(
    role: str,
    arguments: dict[str, list[Any]],  # noqa: F811
) -> None:
    browser = browser_of(role)
    few = statements(browser, role, arguments)

    fill()
    assert Application.objects.count() > APPLICATIONS
    assert Grant.objects.count() > GRANTS
    many = statements(browser, role, arguments)

    # A page of a list shows a hundred rows instead of one, and reads what they name at once.
    assert {name: (few[name], many[name]) for name in many if many[name] > few[name] + 3} == {}
    assert {name: many[name] for name in many if many[name] > MOST} == {}


def statements(browser: Browser, role: str, about: dict[str, list[Any]]) -> dict[str, int]:
    """What opening each screen costs; the home, too."""
    places = {"home": "/admin/oidc_pkce/"} | {
        name: address(name, about[kind])
        for name, (kind, readers, _) in SCREENS.items()
        if role in readers and readers != NOBODY
    }
    return {name: cost(browser, place) for name, place in places.items()}


def cost(browser: Browser, place: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = browser.get(place, {"name": "notes.read"} if "scope-delete" in place else {})
    nothing_new = 204 if "watch-news" in place else 200
    assert answer.status_code in (200, 302, nothing_new), (place, answer.status_code)
    return len(captured)


def fill() -> None:
    """Copies of what is there, made by the database itself."""
    copy(
        Application,
        APPLICATIONS,
        {
            "id": "id + n + 1000",
            "application_id": "application_id || n",
            "name": "name || ' ' || n",
            "openid_client_id": "openid_client_id || n",
        },
        "application_id = 'my_app'",
    )
    copy(
        ApplicationPermission,
        APPLICATIONS,
        {"id": "id + n + 1000", "application_id": "application_id + n + 1000"},
        "application_id = (SELECT id FROM oidc_pkce_application WHERE application_id = 'my_app')",
    )
    spread = f"application_id + 1000 + 1 + n % {APPLICATIONS}"
    copy(
        Grant,
        GRANTS,
        {
            "id": "gen_random_uuid()",
            "application_id": f"CASE WHEN n % 2 = 0 THEN application_id ELSE {spread} END",
            "created_at": "created_at - n * interval '1 second'",
        },
        "TRUE",
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def copy(model: Any, times: int, changed: dict[str, str], where: str) -> None:
    columns = [field.column for field in model._meta.concrete_fields]
    chosen = ", ".join(changed.get(column, column) for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen}"  # noqa: S608
            f" FROM {table}, generate_series(1, {times}) AS n WHERE {where}"
        )
