"""A profile enforces its rules wherever an application is changed, and nowhere else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from oidc_pkce.flows import posture
from oidc_pkce.flows.webapps import Actor, Changes, catalogue, create, import_documents, update
from oidc_pkce.models import Application, AuditEvent
from oidc_pkce.protocol.application import Profile, Template
from tests.fixtures import make_user
from tests.journeys import Journey, make_application
from tests.portal.conftest import Portal

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ROBIN = Actor(name="robin")
OPENID = {"template": "Generic OpenID Connect", "client_ids": []}

#: What each rule that is enforced refuses, and beside which field.
BROKEN = [
    ("oauth21", {"requires_pkce": False}, "requires_pkce"),
    ("oauth21", {"allows_plain_pkce": True}, "allows_plain_pkce"),
    ("oauth21", {"flows": ["AuthorizationCode", "Implicit"]}, "flows"),
    ("oauth21", {"flows": ["ResourceCreds"]}, "flows"),
    ("fapi2", {"requires_pkce": False}, "requires_pkce"),
    ("fapi2", {"allows_plain_pkce": True}, "allows_plain_pkce"),
    ("fapi2", {"flows": ["Implicit"]}, "flows"),
    ("fapi2", {"client_id_type": "List"}, "client_id_type"),
    ("fapi2", {"client_id_type": "Anything"}, "client_id_type"),
    ("fapi2", {"token_type": "JwtRS256"}, "token_type"),
    (
        "fapi2",
        {"issues_refresh_tokens": True, "rotates_refresh_tokens": True},
        "rotates_refresh_tokens",
    ),
]


def with_profile(profile: str, **fields: Any) -> Application:
    made = make_application(**fields)
    changes = posture.switch(made, Profile(profile), NOW).changes
    return update(made, changes, actor=ROBIN, now=NOW)


def change(application: Application, **fields: Any) -> Application:
    return update(application, Changes(fields), actor=ROBIN, now=NOW)


@pytest.mark.parametrize("template", list(Template))
@pytest.mark.parametrize("client_id_type", ["Anything", "List", "Confidential"])
@pytest.mark.parametrize("profile", list(Profile))
def test_every_application_can_have_every_profile(profile, client_id_type, template):
    weak = make_application(
        template=template,
        client_id_type=client_id_type,
        client_ids=["one"],
        flows=["AuthorizationCode", "Implicit", "ResourceCreds", "ClientCreds"],
        requires_pkce=False,
        allows_plain_pkce=True,
        issues_refresh_tokens=True,
    )

    saved = update(weak, posture.switch(weak, profile, NOW).changes, actor=ROBIN, now=NOW)

    assert saved.profile == profile
    saved.full_clean()
    assert posture.report(saved, NOW).breaches == ()


@pytest.mark.parametrize(("profile", "fields", "place"), BROKEN)
def test_a_change_against_the_profile_is_refused_beside_its_field(profile, fields, place):
    app = with_profile(profile)

    with pytest.raises(ValidationError) as refused:
        change(app, **fields)

    assert list(refused.value.message_dict) == [place]
    (sentence,) = refused.value.message_dict[place]
    assert app.get_profile_display() in sentence
    assert "§" in sentence
    assert "choose another profile on the Posture page" in sentence
    assert Application.objects.get(pk=app.pk).version == app.version


@pytest.mark.parametrize("profile", ["cyberark", "legacy"])
@pytest.mark.parametrize(
    "fields",
    [fields for _, fields, _ in BROKEN],
    ids=[str(number) for number in range(len(BROKEN))],
)
def test_the_other_profiles_refuse_none_of_that(profile, fields):
    change(with_profile(profile), **fields)


def test_the_same_change_is_possible_together_with_another_profile():
    app = with_profile("oauth21")

    saved = change(app, requires_pkce=False, profile="cyberark")

    assert not saved.requires_pkce


def test_two_rules_about_one_field_are_told_together():
    app = with_profile("oauth21")

    with pytest.raises(ValidationError) as refused:
        change(app, flows=["Implicit", "ResourceCreds"])

    (told,) = refused.value.message_dict["flows"]
    assert "OAuth 2.1 §10.1" in told
    assert "OAuth 2.1 §1.8" in told


def test_an_openid_connect_application_is_told_about_its_own_field():
    app = with_profile("fapi2", **OPENID)
    assert app.require_client_secret

    with pytest.raises(ValidationError) as refused:
        change(app, require_client_secret=False)

    assert list(refused.value.message_dict) == ["require_client_secret"]


@pytest.mark.parametrize(
    "fields", [{"flows": ["Nonsense"]}, {"token_type": "None"}, {"template": ""}], ids=str
)
def test_a_field_that_holds_no_value_has_a_fault_of_its_own(fields):
    app = with_profile("fapi2")

    with pytest.raises(ValidationError) as refused:
        change(app, **fields)

    assert list(refused.value.message_dict) == list(fields)


def test_a_profile_that_does_not_exist_is_refused_as_a_choice():
    with pytest.raises(ValidationError) as refused:
        change(make_application(), profile="paranoid")

    assert list(refused.value.message_dict) == ["profile"]


def test_what_is_created_with_a_profile_keeps_it_from_the_first_moment():
    basics = {"template": "OAuth2ServerClient", "application_id": "fresh", "name": "Fresh"}

    create(Changes({**basics, "profile": "oauth21"}), actor=ROBIN, now=NOW)
    with pytest.raises(ValidationError):
        create(
            Changes({**basics, "application_id": "x", "profile": "oauth21", "flows": ["Implicit"]}),
            actor=ROBIN,
            now=NOW,
        )

    assert Application.objects.count() == 1


@pytest.mark.parametrize("entry", [*catalogue.CATALOGUE, *catalogue.CUSTOM], ids=lambda e: e.key)
def test_what_add_web_apps_adds_is_cyberark_compatible(entry):
    changes = entry.changes(entry.key, str(entry.title), entry.example)

    assert create(changes, actor=ROBIN, now=NOW).profile == "cyberark"


# --- through every door -------------------------------------------------------------------------


def test_the_portal_says_so_beside_the_field():
    app = with_profile("oauth21")
    portal = Portal(make_user("sam", is_staff=True, is_superuser=True))

    sent = portal.fields(f"application/{app.pk}/tokens/")
    sent.pop("requires_pkce", None)
    page = portal.post(f"application/{app.pk}/tokens/", sent).content.decode()

    assert 'href="#id_requires_pkce"' in page
    assert "The profile OAuth 2.1 forbids this" in page
    assert Application.objects.get(pk=app.pk).requires_pkce


def test_the_portal_names_the_field_of_another_page():
    app = with_profile("oauth21")
    Application.objects.filter(pk=app.pk).update(requires_pkce=False)  # bypasses everything
    portal = Portal(make_user("sam", is_staff=True, is_superuser=True))

    page = portal.save(f"application/{app.pk}/change/", name="Renamed")

    assert "Require PKCE: The profile OAuth 2.1 forbids this" in page


def test_an_import_says_so_with_the_place_in_the_document():
    with_profile("oauth21")
    document = [{"ServiceName": "my_app", "OAuthProfile": {"RequirePkce": False}}]

    report = import_documents(json.dumps(document), actor=ROBIN, now=NOW)

    (fault,) = report.errors
    assert "OAuthProfile.RequirePkce" in str(fault)
    assert "The profile OAuth 2.1 forbids this" in str(fault)


def test_at_the_endpoints_the_fields_decide_and_no_profile(ada):
    app = make_application()
    Application.objects.filter(pk=app.pk).update(profile="fapi2")

    assert Journey(app).log_in(ada).tokens()["access_token"]


def test_switching_is_one_event_of_the_changelog():
    app = make_application(requires_pkce=False)

    update(app, posture.switch(app, Profile.OAUTH21, NOW).changes, actor=ROBIN, now=NOW)

    changes = AuditEvent.objects.get().details["changes"]
    assert changes == {
        "profile": {"before": "cyberark", "after": "oauth21"},
        "requires_pkce": {"before": False, "after": True},
    }
