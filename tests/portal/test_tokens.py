"""The Tokens page: types, flows, lifetimes, refresh, PKCE."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oidc_pkce.models import Application, AuditEvent
from oidc_pkce.portal.lifetimes import LifetimeField
from tests.journeys import make_application


def tokens_of(application: Application) -> str:
    return f"application/{application.pk}/tokens/"


def test_the_page_shows_what_is_stored(portal, list_app):
    fields = portal.fields(tokens_of(list_app))

    assert fields["flows"] == ["AuthorizationCode"]
    assert fields["token_type"] == "JwtRS256"
    assert fields["access_token_lifetime"] == "0.05:00:00"
    assert fields["refresh_token_lifetime"] == "30.00:00:00"
    assert fields["requires_pkce"] == ["on"]
    assert "allows_plain_pkce" not in fields


def test_a_change_is_audited_with_before_and_after(portal, list_app):
    portal.save(tokens_of(list_app), access_token_lifetime="0.01:00:00")

    event = AuditEvent.objects.get()
    assert (event.action, event.actor_name) == ("application.updated", "robin")
    assert event.details["changes"] == {
        "access_token_lifetime": {"before": "0.05:00:00", "after": "0.01:00:00"}
    }
    assert Application.objects.get().version == 2


def test_everything_of_the_page_is_saved(portal, openid_app):
    portal.save(
        tokens_of(openid_app),
        token_type="Opaque",
        access_token_typ="JWT",
        access_token_lifetime="10 minutes",
        claims_in_id_token="on",
        subject_type="pairwise",
        flows=["AuthorizationCode", "ClientCreds"],
        issues_refresh_tokens="on",
        refresh_token_lifetime="2 weeks",
        rotates_refresh_tokens="",
        requires_pkce="",
        allows_plain_pkce="on",
    )

    stored = Application.objects.get()
    assert (stored.token_type, stored.access_token_typ) == ("Opaque", "JWT")
    assert stored.access_token_lifetime == timedelta(minutes=10)
    assert stored.refresh_token_lifetime == timedelta(days=14)
    assert (stored.claims_in_id_token, stored.subject_type) == (True, "pairwise")
    assert stored.flows == ["AuthorizationCode", "ClientCreds"]
    assert stored.issues_refresh_tokens
    assert not stored.requires_pkce


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"flows": ["AuthorizationCode", "Implicit"]}, "Implicit is on"),
        ({"flows": ["AuthorizationCode", "ResourceCreds"]}, "Resource Owner is on"),
        ({"flows": []}, "No auth method is ticked, so nobody is served."),
        ({"requires_pkce": []}, "PKCE is not required"),
        ({"allows_plain_pkce": "on"}, "Plain PKCE is allowed"),
    ],
    ids=["implicit", "password", "none", "no-pkce", "plain"],
)
def test_what_is_dangerous_is_said_when_it_is_saved(portal, list_app, changes, sentence):
    sent = {**portal.fields(tokens_of(list_app)), **changes}

    page = portal.post(tokens_of(list_app), sent).content.decode()

    assert "Tokens was saved." in page
    assert sentence in page


def test_what_is_safe_is_not_warned_about(portal, list_app):
    assert 'class="warning"' not in portal.save(tokens_of(list_app), access_token_lifetime="1 hour")


def test_the_page_says_what_each_choice_costs(portal, openid_app):
    page = portal.text(tokens_of(openid_app))

    for words in (
        "APIs must ask Introspect about each",
        "Implicit (legacy)",
        "Resource Owner (legacy)",
        "The client sees the person's password",
        "Public clients' tokens always rotate",
        "whoever catches a code can redeem it",
        "whoever sees the request can redeem the code",
        "subject differs from application to application",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("template", "is_shown"),
    [("OAuth2ServerClient", False), ("OAuth2Server", False), ("Generic OpenID Connect", True)],
)
def test_id_tokens_belong_to_openid_connect(portal, template, is_shown):
    made = make_application(template=template)

    assert ('name="subject_type"' in portal.text(tokens_of(made))) is is_shown
    portal.save(tokens_of(made), subject_type="pairwise")
    assert (Application.objects.get().subject_type == "pairwise") is is_shown


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("access_token_lifetime", "five hours", "“five hours” is no lifetime. Write d.hh:mm:ss"),
        ("access_token_lifetime", "5", "“5” is no lifetime"),
        ("access_token_lifetime", "5:00", "is no lifetime"),
        ("access_token_lifetime", "1 month", "is no lifetime"),
        ("access_token_lifetime", "-1 hours", "is no lifetime"),
        ("access_token_lifetime", "", "This field is required"),
        ("access_token_lifetime", "0.00:00:30", "at least one minute"),
        ("access_token_lifetime", "999999 weeks", "at most 3650 days"),
        ("access_token_lifetime", "<b>", "“&lt;b&gt;” is no lifetime"),
        ("refresh_token_lifetime", "3651.00:00:00", "at most 3650 days"),
        ("flows", ["Everything"], "Select a valid choice"),
        ("token_type", "none", "Select a valid choice"),
        ("access_token_typ", "x", "Select a valid choice"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_saved(portal, list_app, field, value, sentence):
    sent = {**portal.fields(tokens_of(list_app)), "allows_plain_pkce": "on", field: value}

    page = portal.post(tokens_of(list_app), sent).content.decode()

    assert sentence in page
    assert Application.objects.get().version == 1


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("0.05:00:00", timedelta(hours=5)),
        ("05:00:00", timedelta(hours=5)),
        ("5 hours", timedelta(hours=5)),
        ("5hours", timedelta(hours=5)),
        ("1 hour", timedelta(hours=1)),
        (" 30 Days ", timedelta(days=30)),
        ("1 day 12 hours", timedelta(days=1, hours=12)),
        ("1 day, 12 hours, 5 minutes", timedelta(days=1, hours=12, minutes=5)),
        ("90 seconds", timedelta(seconds=90)),
        ("2 weeks", timedelta(days=14)),
    ],
)
def test_lifetimes_are_read_in_words_too_and_spelled_one_way(text, meant):
    field = LifetimeField()

    assert field.clean(text) == meant
    assert field.clean(field.prepare_value(meant)) == meant


def test_a_lifetime_that_is_not_required_may_be_missing():
    assert LifetimeField(required=False).clean(" ") is None
    assert not LifetimeField(required=False).has_changed(None, "")
