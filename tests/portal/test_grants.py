"""Grants and tokens: found by exact words, shown without secrets, revoked by whoever may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from oidc_pkce.flows import revocation
from oidc_pkce.models import AccessToken, AuditEvent, AuthorizationCode, Grant, RefreshToken, Right
from oidc_pkce.portal.base import BoundedPaginator
from oidc_pkce.signals import grant_revoked
from tests.journeys import make_application
from tests.portal.administrators import staff
from tests.portal.conftest import INLINE
from tests.portal.records import make_grants, manager


@pytest.fixture
def grant(signed_in):
    """One live grant of Ada's, with a code and tokens."""
    signed_in.tokens()
    return Grant.objects.get()


@pytest.fixture
def told():
    """The grants that the signal told of."""
    heard = []

    def hear(grant_id, **kwargs):
        heard.append(grant_id)

    grant_revoked.connect(hear)
    yield heard
    grant_revoked.disconnect(hear)


def listed(page):
    return re.findall(r"/admin/oidc_pkce/grant/([0-9a-f-]{36})/change/", page)


def act(portal, *grants, query="", **more):
    data = {"action": "revoke", "_selected_action": [str(one.pk) for one in grants], **more}
    return portal.post(f"grant/{query}", data)


def test_grants_are_listed_newest_first(portal, list_app, ada):
    made = make_grants(3, list_app, ada, timezone.now())

    assert listed(portal.text("grant/")) == [str(one.pk) for one in made]


@pytest.mark.parametrize("by", ["user", "application", "client", "subject", "grant"])
def test_a_grant_is_found_by_each_of_its_names(portal, list_app, openid_app, ada, bob, by):
    now = timezone.now()
    (mine,) = make_grants(1, list_app, ada, now, client_id="c-1", subject="sub-1")
    make_grants(5, openid_app, bob, now, client_id="c-2", subject="sub-2")
    names = {
        "user": "ada",
        "application": list_app.application_id,
        "client": "c-1",
        "subject": "sub-1",
        "grant": str(mine.pk),
    }

    assert listed(portal.text("grant/", q=names[by])) == [str(mine.pk)]
    assert listed(portal.text("grant/", q=f" {names[by]} ")) == [str(mine.pk)]


def test_several_words_narrow_down_and_part_of_a_word_finds_nothing(portal, list_app, ada, bob):
    now = timezone.now()
    (mine,) = make_grants(1, list_app, ada, now)
    make_grants(1, list_app, bob, now)

    assert listed(portal.text("grant/", q="ada my_app")) == [str(mine.pk)]
    assert listed(portal.text("grant/", q="ad")) == []


def test_quotation_marks_hold_a_client_id_together(portal, list_app, ada):
    (mine,) = make_grants(1, list_app, ada, timezone.now(), client_id="two words")

    assert listed(portal.text("grant/", q='ada "two words"')) == [str(mine.pk)]


@pytest.mark.parametrize("state", ["live", "revoked", "expired"])
def test_grants_are_filtered_by_state(portal, list_app, ada, state):
    now = timezone.now()
    past = now - timedelta(hours=1)
    make_grants(1, list_app, ada, now, client_id="live")
    make_grants(1, list_app, ada, now, client_id="revoked", revoked_at=now)
    make_grants(1, list_app, ada, now, client_id="expired", expires_at=past)

    (found,) = listed(portal.text("grant/", state=state))

    assert Grant.objects.get(pk=found).client_id == state


def test_grants_are_filtered_by_age(portal, list_app, ada):
    make_grants(90, list_app, ada, timezone.now())

    assert len(Grant.objects.filter(pk__in=listed(portal.text("grant/", within="1", all="")))) == 60


def test_a_link_names_the_application_and_the_filter_offers_no_others(
    portal, list_app, openid_app, ada
):
    now = timezone.now()
    make_grants(2, list_app, ada, now)
    (mine,) = make_grants(1, openid_app, ada, now)

    page = portal.text("grant/", application__id__exact=openid_app.pk)

    assert listed(page) == [str(mine.pk)]
    assert f"application__id__exact={list_app.pk}" not in page
    assert "By Application" not in portal.text("grant/")


@pytest.mark.parametrize("value", ["x", "9" * 40, "-1", "1 or 1", "٣"])
def test_an_application_that_is_none_finds_nothing(portal, list_app, ada, value):
    make_grants(1, list_app, ada, timezone.now())

    assert listed(portal.text("grant/", application__id__exact=value)) == []


def test_the_list_costs_the_same_for_few_and_for_many(
    portal, list_app, ada, django_assert_max_num_queries
):
    make_grants(3, list_app, ada, timezone.now())
    with django_assert_max_num_queries(14) as few:
        portal.get("grant/")
    make_grants(3000, list_app, ada, timezone.now())

    with django_assert_max_num_queries(len(few)):
        portal.get("grant/")
    with django_assert_max_num_queries(len(few) + 1):
        portal.get("grant/", q="ada", state="live", within="24")


def test_rows_are_counted_up_to_a_bound(portal, list_app, ada, monkeypatch):
    monkeypatch.setattr(BoundedPaginator, "most", 100)
    make_grants(150, list_app, ada, timezone.now())

    page = portal.text("grant/")

    assert "100 grants" in page
    assert "There are more than these 100." in page
    assert portal.browser.get("/admin/oidc_pkce/grant/?p=3").status_code == 302  # beyond the bound
    assert "There are more" not in portal.text("grant/", q="nobody")


def test_other_columns_cannot_be_asked_by_the_address(portal, list_app, ada):
    make_grants(1, list_app, ada, timezone.now())

    for lookup in ("nonce__startswith", "user__password__startswith", "scope__contains"):
        assert portal.browser.get(f"/admin/oidc_pkce/grant/?{lookup}=x").status_code == 400


def test_the_page_of_a_grant_tells_everything_but_secrets(portal, list_app, ada):
    now = timezone.now()
    until = now + timedelta(hours=1)
    (grant,) = make_grants(
        *(1, list_app, ada, now), client_authentication="secret", acr="urn:loa:2", amr=["otp"]
    )
    AuthorizationCode.objects.create(
        digest=b"C" * 32, grant=grant, redirect_uri="https://x", expires_at=now, used_at=now
    )
    token = RefreshToken.objects.create(
        digest=b"R" * 32, grant=grant, created_at=now, expires_at=until
    )
    AccessToken.objects.create(
        digest=b"A" * 32, grant=grant, application=list_app, user=ada, client_id="c",
        subject="s", audience=[], issued_at=now, expires_at=until,
    )  # fmt: skip

    page = portal.text(f"grant/{grant.pk}/change/")

    for shown in ("ada", "My App", "openid", "with a secret", "urn:loa:2", "otp", str(grant.pk)):
        assert shown in page
    for shown in ("Authorization code", "redeemed", "Refresh token", "Access token (opaque)"):
        assert shown in page
    for secret in (b"C" * 32, b"R" * 32, b"A" * 32, bytes(token.seed)):
        assert secret.hex() not in page
        assert secret.decode("latin-1") not in page


def test_tokens_are_shown_by_state_and_time(portal, list_app, ada):
    now = timezone.now()
    (grant,) = make_grants(1, list_app, ada, now)
    for n in range(60):
        used = now if n else None
        RefreshToken.objects.create(
            digest=bytes([n]) * 32,
            grant=grant,
            created_at=now - timedelta(minutes=n),
            expires_at=now + timedelta(days=1),
            used_at=used,
        )

    page = portal.text(f"grant/{grant.pk}/change/")

    assert page.count("Refresh token") == 20
    assert page.count(">replaced<") == 19


def test_what_a_client_sent_is_shown_as_text(portal, list_app, ada):
    nasty = "<script>alert(1)</script>"
    (grant,) = make_grants(1, list_app, ada, timezone.now(), client_id=nasty, scope=nasty)

    for path in ("grant/", f"grant/{grant.pk}/change/", f"grant/{grant.pk}/revoke/"):
        page = portal.get(path).content.decode()
        assert "<script>alert" not in page
        assert not INLINE.search(page), INLINE.search(page)


def test_a_grant_is_revoked_after_a_question_and_its_token_ends(portal, signed_in):
    token = signed_in.tokens()["access_token"]
    grant = Grant.objects.get()
    asked = portal.text(f"grant/{grant.pk}/revoke/")
    assert "ada" in asked
    assert signed_in.userinfo(token).status == 200

    answer = portal.post(f"grant/{grant.pk}/revoke/", {})

    assert "The grant was revoked." in answer.content.decode()
    assert signed_in.userinfo(token).status == 401
    event = AuditEvent.objects.first()
    assert (event.action, event.actor_name, event.details["user"]) == (
        *("grant.revoked", "robin"),
        "ada",
    )


def test_the_second_of_two_administrators_is_told(portal, second, grant):
    portal.post(f"grant/{grant.pk}/revoke/", {})

    answer = second.post(f"grant/{grant.pk}/revoke/", {}).content.decode()

    assert "revoked already" in answer
    assert AuditEvent.objects.filter(action="grant.revoked").count() == 1


def test_selected_grants_are_revoked_once_confirmed(portal, list_app, ada):
    chosen, other = make_grants(2, list_app, ada, timezone.now())

    asked = act(portal, chosen).content.decode()
    assert "1 live grant is revoked." in asked
    assert not Grant.objects.filter(revoked_at__isnull=False).exists()
    told = act(portal, chosen, confirmed="yes").content.decode()

    assert "1 grant was revoked." in told
    assert list(Grant.objects.filter(revoked_at=None)) == [other]


@pytest.mark.django_db(transaction=True)
def test_all_grants_of_a_user_are_revoked_each_with_its_event_and_signal(
    portal, list_app, ada, bob, told
):
    now = timezone.now()
    hers = make_grants(1200, list_app, ada, now)
    his = make_grants(3, list_app, bob, now)

    page = act(portal, hers[0], query="?q=ada", select_across="1", confirmed="yes")

    assert "1200 grants were revoked." in page.content.decode()
    assert set(Grant.objects.filter(revoked_at=None)) == set(his)
    events = AuditEvent.objects.filter(action="grant.revoked")
    assert events.count() == len(set(told)) == len(told) == 1200
    assert {event.details["grant"] for event in events} == set(told)


def test_the_confirmation_keeps_what_was_searched(portal, list_app, ada):
    hers = make_grants(2, list_app, ada, timezone.now())

    asked = act(portal, hers[0], query="?q=ada", select_across="1").content.decode()

    assert 'action="/admin/oidc_pkce/grant/?q=ada"' in asked
    assert 'name="select_across" value="1"' in asked
    assert not INLINE.search(asked)


def test_one_request_revokes_no_more_than_a_bound(portal, list_app, ada, monkeypatch):
    monkeypatch.setattr(revocation, "MOST", 2)
    monkeypatch.setattr(revocation, "BATCH", 1)
    made = make_grants(3, list_app, ada, timezone.now())

    assert "More than 2 live grants" in act(portal, *made).content.decode()
    first = act(portal, *made, confirmed="yes").content.decode()
    second = act(portal, *made, confirmed="yes").content.decode()

    assert "2 grants were revoked. More are left" in first
    assert "1 grant was revoked." in second


def test_revoking_many_costs_a_few_statements_for_each_batch(
    list_app, ada, django_assert_max_num_queries
):
    from oidc_pkce.flows.actor import Actor

    make_grants(1000, list_app, ada, timezone.now())

    with django_assert_max_num_queries(30):
        done = revocation.revoke_all(
            Grant.objects.all(), actor=Actor(name="robin"), now=timezone.now()
        )

    assert (done.count, done.is_complete) == (1000, True)


# --- who may -----------------------------------------------------------------------------------


def test_who_may_view_grants_may_not_revoke_them(grant):
    viewer = staff("viewer", "view_grant")

    page = viewer.text(f"grant/{grant.pk}/change/")
    assert f"{grant.pk}/revoke/" not in page
    assert 'value="revoke"' not in viewer.text("grant/")
    for path in (f"grant/{grant.pk}/revoke/",):
        assert viewer.browser.get(f"/admin/oidc_pkce/{path}").status_code == 403
        assert viewer.browser.post(f"/admin/oidc_pkce/{path}").status_code == 403
    act(viewer, grant, confirmed="yes")

    assert Grant.objects.get().revoked_at is None


def test_who_manages_an_application_sees_and_revokes_the_grants_of_that_one(
    list_app, openid_app, ada
):
    now = timezone.now()
    (mine,) = make_grants(1, list_app, ada, now)
    (other,) = make_grants(1, openid_app, ada, now)
    mona = manager(list_app)

    assert listed(mona.text("grant/")) == [str(mine.pk)]
    for path in ("change", "revoke"):
        assert mona.browser.get(f"/admin/oidc_pkce/grant/{other.pk}/{path}/").status_code == 404
    assert mona.browser.post(f"/admin/oidc_pkce/grant/{other.pk}/revoke/").status_code == 404
    act(mona, mine, other, confirmed="yes")

    assert list(Grant.objects.filter(revoked_at=None)) == [other]


@pytest.mark.parametrize("right", [Right.VIEW, Right.GRANT, Right.DELETE])
def test_rights_other_than_manage_open_no_grants(list_app, grant, right):
    mona = manager(list_app, right)

    assert mona.browser.get("/admin/oidc_pkce/grant/").status_code == 403
    assert mona.browser.get(f"/admin/oidc_pkce/grant/{grant.pk}/change/").status_code == 404


def test_who_sees_all_and_manages_one_revokes_those_of_that_one(list_app, openid_app, ada):
    now = timezone.now()
    (mine,) = make_grants(1, list_app, ada, now)
    (other,) = make_grants(1, openid_app, ada, now)
    mona = manager(list_app)
    mona.user.user_permissions.set(staff("x", "view_grant").user.user_permissions.all())

    assert len(listed(mona.text("grant/"))) == 2
    assert mona.browser.post(f"/admin/oidc_pkce/grant/{other.pk}/revoke/").status_code == 403
    act(mona, mine, other, confirmed="yes")

    assert list(Grant.objects.filter(revoked_at=None)) == [other]


def test_application_management_opens_the_grants_of_every_application(list_app, openid_app, ada):
    make_grants(1, list_app, ada, timezone.now())
    make_grants(1, openid_app, ada, timezone.now())

    assert len(listed(staff("kim", "change_application").text("grant/"))) == 2


def test_a_filter_names_no_application_that_one_may_not_see(list_app, ada):
    hidden = make_application(application_id="hidden", name="Secret Project")
    make_grants(1, hidden, ada, timezone.now())

    assert "Secret Project" not in manager(list_app).text(
        "grant/", application__id__exact=hidden.pk
    )


@pytest.mark.parametrize("key", ["nothing", "9" * 30, "00000000-0000-0000-0000-000000000000"])
def test_a_key_that_names_nothing_is_not_found(portal, key):
    for path in ("change", "revoke"):
        assert portal.browser.get(f"/admin/oidc_pkce/grant/{key}/{path}/").status_code == 404


@pytest.mark.parametrize("name", ["auditevent", "requesttrace", "grant", "signingkey"])
def test_records_cannot_be_added(portal, name):
    assert portal.browser.get(f"/admin/oidc_pkce/{name}/add/").status_code == 403
