"""What happens to a service user beyond its own row."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from oidc_pkce.flows import service_user
from oidc_pkce.flows.actor import Actor
from oidc_pkce.models import AuditEvent, ServiceUser
from tests.fixtures import make_user
from tests.journeys import SECRET, Journey, make_application, make_service_user
from tests.spec import spec


def delete(name: str) -> None:
    found = ServiceUser.objects.get(user__username=name)
    service_user.delete(found, actor=Actor(name="tests"), now=timezone.now())


@spec("RFC 6749", "10.4")
def test_who_takes_a_service_users_name_inherits_nothing(confidential: Journey, ada: Any) -> None:
    confidential.application.issues_refresh_tokens = True
    confidential.application.save()
    tokens = confidential.tokens()

    delete("robot")
    make_service_user(make_user("robot"), SECRET)

    assert confidential.userinfo(tokens["access_token"]).status == 401
    assert confidential.refresh(tokens["refresh_token"]).error == "invalid_grant"
    assert AuditEvent.objects.get(action="service_user.deleted").details == {"grants": 1}


def test_a_listed_client_of_the_same_name_keeps_its_grants(robot: Any, ada: Any) -> None:
    listed = make_application(client_ids=["robot"])
    journey = Journey(listed, client_id="robot").log_in(ada)
    tokens = journey.tokens()

    delete("robot")

    assert journey.userinfo(tokens["access_token"]).status == 200
