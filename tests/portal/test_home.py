"""The portal's home: limited to what an administrator may see, and cheap however much there is."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission as DjangoPermission
from django.utils import timezone

from oidc_pkce import audit
from oidc_pkce.flows import keys
from oidc_pkce.identifiers import digest
from oidc_pkce.models import (
    Application,
    ClientSecret,
    Grant,
    Permission,
    Principal,
    RequestTrace,
    SigningKey,
)
from tests.fixtures import make_user
from tests.journeys import give_secret, make_application, make_service_user
from tests.portal.conftest import INLINE, Portal

pytestmark = pytest.mark.django_db


def administrator(*codenames: str) -> Portal:
    """A member of staff with these Django permissions."""
    user = make_user("staff", is_staff=True)
    for codename in codenames:
        user.user_permissions.add(DjangoPermission.objects.get(codename=codename))
    return Portal(user)


def happened(action: audit.Action, hours_ago: float = 0, count: int = 1) -> None:
    for _ in range(count):
        audit.record(action, now=timezone.now() - timedelta(hours=hours_ago), actor_name="ada")


def numbers(page: str) -> list[tuple[int, int]]:
    """Sign-ins and failures, hour by hour, from the table."""
    rows = re.findall(r'<th scope="row">[^<]*</th><td>(\d+)</td><td>(\d+)</td>', page)
    return [(int(signed_in), int(failed)) for signed_in, failed in rows]


def test_an_empty_portal_has_nothing_to_do_and_says_so(portal):
    page = portal.text("")

    for told in ("Admin Portal", "Nothing needs attention.", "Add Web Apps", "None yet."):
        assert told in page
    assert "Nobody has signed in or tried to" in page
    assert numbers(page) == [(0, 0)] * 24


def test_the_plain_list_of_screens_stays_within_reach(portal):
    page = portal.get("").content.decode()

    for name in ("application", "serviceuser", "role", "grant", "signingkey", "auditevent"):
        assert page.count(f'href="/admin/oidc_pkce/{name}/"') >= 1
    assert "All screens" in page


def test_the_administrations_own_index_is_left_alone(portal):
    page = portal.browser.get("/admin/").content.decode()

    assert "Needs attention" not in page
    assert "oidc-home" not in page


def test_home_holds_no_inline_script_or_style(portal, list_app):
    happened(audit.Action.SIGNED_IN, count=3)
    Application.objects.update(requires_pkce=False)

    page = portal.get("").content.decode()

    assert not INLINE.search(page), INLINE.search(page)


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        ("deployed", {}),
        ("ready_to_deploy", {"everybody": False}),
        ("not_configured", {"redirect_uris": []}),
    ],
)
def test_a_status_leads_to_the_applications_that_have_it(portal, status, fields):
    make_application(name="The one", **fields)
    make_application(name="Switched off", application_id="off", enabled=False, **fields)

    page = portal.get("").content.decode()
    address = f"application/?status={status}&amp;enabled__exact=1"

    assert re.search(rf'{re.escape(address)}">.*?<span>1</span>', page)
    listed = portal.text("application/", status=status, enabled__exact="1")
    assert "The one" in listed
    assert "Switched off" not in listed


def test_sign_ins_and_failures_stand_in_their_hours(portal):
    happened(audit.Action.SIGNED_IN, count=3)
    happened(audit.Action.SIGN_IN_FAILED, count=2)
    happened(audit.Action.SIGN_IN_BLOCKED)
    happened(audit.Action.SIGNED_IN, hours_ago=5)
    happened(audit.Action.SIGNED_IN, hours_ago=25)
    happened(audit.Action.SIGNED_OUT)

    page = portal.text("")

    assert numbers(page)[-1] == (3, 3)
    assert numbers(page)[-6] == (1, 0)
    assert sum(signed_in for signed_in, _ in numbers(page)) == 4
    assert "4 sign-ins" in page
    assert "3 failures" in page
    assert page.count('class="oidc-bar-good"') == 2
    assert page.count('class="oidc-bar-bad"') == 1


def test_the_drawing_has_a_name_and_a_description(portal):
    happened(audit.Action.SIGNED_IN)

    page = portal.text("")

    assert 'role="img" aria-labelledby="oidc-chart-title oidc-chart-text"' in page
    assert re.search(r'<desc id="oidc-chart-text">.*1 sign-ins and 0 failures', page)


def test_bars_stay_within_the_drawing(portal):
    happened(audit.Action.SIGNED_IN, count=200)
    happened(audit.Action.SIGN_IN_FAILED, count=1)

    page = portal.text("")
    bars = re.findall(r'<rect class="[^"]*" x="\d+" y="(-?\d+)" width="8" height="(\d+)"', page)

    assert len(bars) == 2
    for y, height in bars:
        assert 0 <= int(y) <= int(y) + int(height) <= 100
        assert int(height) >= 2


WEAK: Any = [
    ({"client_id_type": "Anything", "client_ids": []}, "accepts any client ID", "general-usage"),
    ({"requires_pkce": False}, "does not require PKCE", "tokens"),
    ({"allows_plain_pkce": True}, "allows plain PKCE", "tokens"),
    ({"client_ids": []}, "serves nobody", "general-usage"),
]


@pytest.mark.parametrize(("fields", "sentence", "page"), WEAK, ids=[each[1] for each in WEAK])
def test_a_weak_application_is_named_with_the_page_that_cures_it(portal, fields, sentence, page):
    weak = make_application(name="Weak one", **fields)

    home = portal.text("")

    assert f"“Weak one” {sentence}" in home
    assert f'href="/admin/oidc_pkce/application/{weak.pk}/{page}/"' in home
    portal.get(f"application/{weak.pk}/{page}/")


@pytest.mark.parametrize(("fields", "sentence", "page"), WEAK, ids=[each[1] for each in WEAK])
def test_several_weak_applications_are_one_warning_that_lists_them(portal, fields, sentence, page):
    make_application(name="Sound one", application_id="sound", client_ids=["listed"])
    for number in range(3):
        make_application(name=f"Weak {number}", application_id=f"weak{number}", **fields)

    home = portal.get("").content.decode()
    address = re.search(
        r'<strong>3 applications.*?href="/admin/oidc_pkce/([^"]*)"', home, re.DOTALL
    )
    assert address
    listed = portal.text(address.group(1).replace("&amp;", "&"))

    for number in range(3):
        assert f"Weak {number}" in listed
    assert "Sound one" not in listed


@pytest.mark.parametrize(
    "fields",
    [
        {"requires_pkce": False, "flows": ["ClientCreds"], "enabled": True},
        {"requires_pkce": False, "allows_plain_pkce": True, "enabled": False},
    ],
    ids=["issues no codes", "disabled"],
)
def test_what_cannot_be_attacked_is_no_warning(portal, fields):
    make_application(**fields)

    assert "Nothing needs attention." in portal.text("")


def test_a_secret_that_ends_soon_is_a_warning_until_a_later_one_is_there(portal, openid_app):
    give_secret(openid_app, expires_at=timezone.now() + timedelta(days=5))

    assert "The client secret of “Portal” expires on" in portal.text("")

    give_secret(openid_app, "another secret of thirty-two characters")
    assert "The client secret of" not in portal.text("")


@pytest.mark.parametrize("days", [-1, 30], ids=["ended", "far"])
def test_a_secret_that_has_ended_or_lives_on_is_no_warning(portal, robot, days):
    ClientSecret.objects.update(expires_at=timezone.now() + timedelta(days=days))

    assert "The client secret of" not in portal.text("")


def test_a_service_users_secret_is_told_to_whoever_may_see_service_users(robot):
    ClientSecret.objects.update(expires_at=timezone.now() + timedelta(days=5))

    viewer = administrator("view_application")
    assert "“robot”" not in viewer.text("")
    viewer.user.user_permissions.add(DjangoPermission.objects.get(codename="view_serviceuser"))
    assert "The client secret of “robot” expires on" in viewer.text("")


def key_that_signed_for(**age: float) -> SigningKey:
    keys.clear()
    return keys.rotate("RS256", timezone.now() - timedelta(**age))


@pytest.mark.parametrize(
    ("days", "sentence"),
    [
        (10, None),
        (86, "The RS256 key should be replaced on"),
        (100, "The RS256 key should have been replaced on"),
    ],
)
def test_a_key_is_a_warning_when_its_end_is_near_or_past(portal, settings, days, sentence):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "SIGNING_KEY_LIFETIME": 90 * 86400}
    key_that_signed_for(days=days)

    page = portal.text("")

    if sentence is None:
        assert "Nothing needs attention." in page
    else:
        assert sentence in page


def test_a_key_that_nothing_decrypts_is_the_first_warning(portal):
    key_that_signed_for(days=1)
    SigningKey.objects.update(private_key="damaged")
    make_application(requires_pkce=False)

    page = portal.text("")

    assert "No secret decrypts the newest RS256 key" in page
    assert page.index("No secret decrypts") < page.index("does not require PKCE")


@pytest.mark.parametrize(("days", "warned"), [(1, False), (3, True)])
def test_rows_that_expired_days_ago_say_that_nobody_cleans_up(portal, days, warned):
    past = timezone.now() - timedelta(days=days)
    RequestTrace.objects.create(
        request_id="r", endpoint="token", succeeded=False, at=past, expires_at=past
    )

    assert ("cleanup_tokens" in portal.text("")) is warned


def test_an_administrator_of_one_application_learns_of_no_other():
    mine = make_application(name="Mine", application_id="mine", everybody=False)
    make_application(name="Hidden", application_id="hidden", requires_pkce=False, everybody=False)
    give_secret(
        make_application(
            name="Secret keeper",
            application_id="keeper",
            template="Generic OpenID Connect",
            client_ids=[],
            client_id_type="Confidential",
            everybody=False,
        ),
        expires_at=timezone.now() + timedelta(days=3),
    )
    happened(audit.Action.SIGN_IN_FAILED)
    key_that_signed_for(days=1000)
    staff = administrator()
    Permission.objects.create(
        application=mine, principal=Principal.USER, user=staff.user, can_manage=True
    )

    page = staff.text("")

    assert "Nothing needs attention." in page
    assert re.search(r'Web Apps</a></h2>\s*<p class="oidc-count">1</p>', page)
    for hidden in ("Hidden", "Secret keeper", "Sign-ins of the last day", "RS256", "Service users"):
        assert hidden not in page
    assert "Add Web Apps" not in page


@pytest.mark.parametrize(
    ("codename", "told", "hidden"),
    [
        ("view_auditevent", "Sign-ins of the last day", "Signing keys"),
        ("view_signingkey", "Signing keys", "Sign-ins of the last day"),
        ("view_serviceuser", "Service users", "Web Apps"),
        ("view_group", "Everybody is built in.", "Service users"),
        ("add_application", "Add Web Apps", "Sign-ins of the last day"),
    ],
)
def test_each_part_needs_the_right_to_see_it(codename, told, hidden):
    page = administrator(codename).text("")

    assert told in page
    assert hidden not in page


def test_whoever_may_see_nothing_finds_no_portal(db):
    staff = administrator()

    assert staff.browser.get("/admin/oidc_pkce/").status_code == 404


def test_names_are_shown_as_text(portal):
    make_application(name="<script>alert(1)</script>", requires_pkce=False)

    page = portal.get("").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.fixture
def crowded(ada: Any) -> None:
    """Many of everything."""
    now = timezone.now()
    made = Application.objects.bulk_create(
        Application(
            template="OAuth2ServerClient",
            application_id=f"app{number}",
            name=f"App {number}",
            access_token_typ="JWT",
            openid_client_id=f"client{number}",
            requires_pkce=False,
        )
        for number in range(300)
    )
    Grant.objects.bulk_create(
        Grant(
            application=made[0],
            user=ada,
            client_id="c",
            subject="s",
            auth_time=now,
            created_at=now,
            expires_at=now - timedelta(days=3),
        )
        for _ in range(300)
    )
    for number in range(20):
        secret = make_service_user(make_user(f"svc{number}"))
        ClientSecret.objects.create(
            service_user=secret, digest=digest(str(number)), expires_at=now + timedelta(days=1)
        )
    happened(audit.Action.SIGNED_IN, count=100)


def test_home_costs_the_same_however_much_there_is(portal, crowded, django_assert_max_num_queries):
    with django_assert_max_num_queries(14) as captured:
        page = portal.text("")

    assert "300 applications do not require PKCE" in page
    assert page.count("The client secret of") == 5
    grants = [one["sql"] for one in captured.captured_queries if "oidc_pkce_grant" in one["sql"]]
    assert grants
    assert all("COUNT" not in sql for sql in grants)
