"""Who may: the one question that every path asks, as a truth table over the database."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import OuterRef

from oidc_pkce.flows import access, access_token
from oidc_pkce.flows import application as applications
from oidc_pkce.models import Application, Permission, Principal
from oidc_pkce.protocol.access import Access
from tests.fixtures import make_user
from tests.journeys import SECRET, Journey, make_application, make_service_user
from tests.spec import spec


def may(application: Application, user: Any) -> str | None:
    """Why not, or None: asked of the database as every path does."""
    answers = access.expressions(user="pk", application=application.pk)
    row = get_user_model().objects.annotate(**answers).get(pk=user.pk)
    answer = Access(
        user_is_active=row.is_active,
        has_run_right=row.has_run_right,
        is_service_user=row.is_service_user,
    )
    return answer.refusal(application.facts())


@pytest.fixture
def app(db: None) -> Application:
    return make_application(everybody=False)


def let(application: Application, principal: Principal, **fields: Any) -> Permission:
    return Permission.objects.create(application=application, principal=principal, **fields)


@pytest.mark.parametrize("active", [True, False])
@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("person", [True, False])
def test_every_condition_must_hold_and_each_alone_refuses(app, ada, active, right, enabled, person):
    let(app, Principal.USER, user=ada, can_run=right)
    Application.objects.update(enabled=enabled)
    app.refresh_from_db()
    ada.is_active = active
    ada.save()
    if not person:
        make_service_user(ada)

    assert (may(app, ada) is None) == (active and right and enabled and person)


def test_who_is_named_nowhere_may_not(app, ada):
    assert may(app, ada) == "no row of Permissions gives the user the Run right"


def test_a_right_reaches_by_name_by_group_and_as_everybody(app, ada, bob):
    group = Group.objects.create(name="makers")
    ada.groups.add(group)
    for principal, fields in (
        (Principal.USER, {"user": ada}),
        (Principal.GROUP, {"group": group}),
        (Principal.EVERYBODY, {}),
    ):
        row = let(app, principal, **fields)
        assert may(app, ada) is None
        assert (may(app, bob) is None) == (principal is Principal.EVERYBODY)
        row.delete()
    assert may(app, ada) is not None


@pytest.mark.parametrize("right", ["can_grant", "can_view", "can_manage", "can_delete"])
def test_no_other_right_is_the_run_right(app, ada, right):
    let(app, Principal.USER, user=ada, can_run=False, **{right: True})

    assert may(app, ada) is not None


def test_a_row_without_the_right_takes_nothing_from_another_row(app, ada):
    let(app, Principal.USER, user=ada, can_run=False)
    let(app, Principal.EVERYBODY)

    assert may(app, ada) is None


def test_another_applications_row_and_another_groups_row_reach_nobody(app, ada):
    other = make_application(application_id="other", everybody=False)
    mine, theirs = Group.objects.create(name="mine"), Group.objects.create(name="theirs")
    ada.groups.add(mine)
    let(other, Principal.USER, user=ada)
    let(other, Principal.GROUP, group=mine)
    let(other, Principal.EVERYBODY)
    let(app, Principal.GROUP, group=theirs)
    let(app, Principal.USER, user=make_user("carol"))

    assert may(app, ada) is not None
    assert may(other, ada) is None


def test_being_a_superuser_is_no_run_right(app, db):
    root = make_user("root", is_superuser=True, is_staff=True)

    assert may(app, root) is not None


def test_a_service_user_may_where_no_person_is_needed():
    answer = Access(
        user_is_active=True, has_run_right=True, is_service_user=True, interactive=False
    )

    assert answer.refusal(_Enabled()) is None  # type: ignore[arg-type]


class _Enabled:
    enabled = True


def test_the_question_is_part_of_another_statement(app, ada, django_assert_num_queries):
    from oidc_pkce.models import Grant

    let(app, Principal.USER, user=ada)
    Journey(app).log_in(ada).authorize()
    answers = access.expressions(user="user_id", application=OuterRef("application_id"))
    with django_assert_num_queries(1):
        (grant,) = Grant.objects.annotate(**answers)
    assert (grant.has_run_right, grant.is_service_user) == (True, False)


@spec("RFC 6749", "4.1.3")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_every_path_asks_the_same_question(ada, token_type):
    app = make_application(everybody=False, token_type=token_type)
    row = let(app, Principal.USER, user=ada)
    journey = Journey(app).log_in(ada)

    def paths() -> dict[str, bool]:
        return {
            "authorize": journey.authorize().error is None,
            "silent": journey.authorize(prompt="none").error is None,
            "token": journey.redeem(code).status == 200,
            "userinfo": journey.userinfo(token).status == 200,
        }

    token, code = journey.tokens()["access_token"], journey.authorize().code
    row.can_run = False
    row.save()
    assert not any(paths().values()), paths()
    row.can_run = True
    row.save()
    assert all(paths().values())


@spec("OpenID Connect Core", "3.1.2.6")
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
def test_every_path_refuses_who_was_deactivated_though_the_session_lives_on(ada, token_type):
    app = make_application(token_type=token_type)
    journey = Journey(app).log_in(ada)
    token, code = journey.tokens()["access_token"], journey.authorize().code
    get_user_model().objects.update(is_active=False)

    assert journey.authorize().error == "access_denied"
    assert journey.authorize(prompt="none").error == "access_denied"
    assert journey.redeem(code).error == "invalid_grant"
    assert journey.userinfo(token).error == "invalid_token"
    get_user_model().objects.update(is_active=True)
    assert journey.redeem(code).status == 200
    assert journey.userinfo(token).status == 200


@spec("RFC 6749", "2.3")
def test_a_user_model_may_say_in_python_who_is_active(confidential, robot, monkeypatch):
    """Then no statement can tell: the user is asked, by every path of its own tokens."""
    monkeypatch.setattr(applications, "_has_active_column", lambda: False)
    monkeypatch.setattr(applications._with_client, "_compiled", {})
    monkeypatch.setattr(access_token._client_of_application, "_compiled", {})
    confidential.application.flows = ["AuthorizationCode", "ClientCreds"]
    confidential.application.save()
    form = {"grant_type": "client_credentials", "client_id": "robot", "client_secret": SECRET}
    token = confidential.post("Token", form).json["access_token"]
    assert confidential.introspect(token).json["active"] is True

    get_user_model().objects.filter(pk=robot.pk).update(is_active=False)

    assert confidential.userinfo(token).status == 401
    assert confidential.post("Token", form).told[1] == "invalid_client"
    assert confidential.introspect(token).told[1] == "invalid_client"
