"""The OpenAPI document is true: schemathesis sends what it allows and what it forbids."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from django.contrib.auth import get_user_model
from django.core import signals
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import override_settings
from django.utils import timezone
from drf_spectacular.settings import spectacular_settings
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import ChecksConfig, GenerationConfig, ProjectConfig, ProjectsConfig
from schemathesis.config import SchemathesisConfig as Config
from schemathesis.config._checks import (
    MissingRequiredHeaderConfig,
    NegativeDataRejectionConfig,
    PositiveDataAcceptanceConfig,
    SimpleCheckConfig,
)
from schemathesis.generation import GenerationMode

from oidc_pkce.flows import keys
from oidc_pkce.models import Application, AuditEvent, ClientSecret, Grant, SigningKey
from tests.api.conftest import SCOPE, token_for
from tests.fixtures import make_user
from tests.journeys import SECRET, make_application, make_service_user

# Shape is judged before rules: what the document allows is never malformed.
REFUSALS = ["401", "403", "404", "405", "409", "412", "413", "415", "422", "428"]
CONFIG = Config(
    projects=ProjectsConfig(
        default=ProjectConfig(
            generation=GenerationConfig(allow_x00=False, deterministic=True),
            checks=ChecksConfig(
                positive_data_acceptance=PositiveDataAcceptanceConfig(
                    expected_statuses=["2xx", "304", *REFUSALS]
                ),
                negative_data_rejection=NegativeDataRejectionConfig(
                    expected_statuses=["400", *REFUSALS]
                ),
                missing_required_header=MissingRequiredHeaderConfig(
                    expected_statuses=["400", *REFUSALS]
                ),
                # A grant that was revoked and a key that was retired can be read.
                use_after_free=SimpleCheckConfig(enabled=False),
            ),
        )
    )
)


def load() -> Any:
    from oidc_pkce.api.schema import document
    from oidc_pkce.api.urls import RESOURCES

    with override_settings(ROOT_URLCONF="tests.api.urls"):
        made = schemathesis.openapi.from_dict(document(RESOURCES), config=CONFIG)
    made.app = get_wsgi_application()
    return made


schema = load()


@pytest.fixture
def token(operations: Application) -> Iterator[str]:
    """Of a service user that may do everything."""
    operator = make_user("operator", is_superuser=True)
    make_service_user(operator, SECRET)
    made = token_for(operations, operator, SCOPE)
    # The test's transaction goes on behind each request, as Django's own test client sees to.
    both = (signals.request_started, signals.request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield made
    for signal in both:
        signal.connect(close_old_connections)


def stock() -> dict[str, Any]:
    """One of everything, whatever earlier requests deleted; the parts of their addresses."""
    application = Application.objects.filter(application_id="stock").first() or make_application(
        application_id="stock", template="Generic OpenID Connect", client_ids=[]
    )
    users = get_user_model().objects
    robot = users.filter(username="robot").first()
    if robot is None:
        robot = make_user("robot")
        make_service_user(robot, SECRET)
    now = timezone.now()
    grant = Grant.objects.filter(revoked_at=None).first() or Grant.objects.create(
        application=application,
        user=robot,
        client_id="robot",
        subject="s",
        auth_time=now,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    keys.signer("RS256", now)
    secret = ClientSecret.objects.filter(application=application).first()
    secret = secret or ClientSecret.objects.create(application=application, digest=b"x" * 32)
    return {
        "applications": application.pk,
        "grants": str(grant.pk),
        "audit-events": AuditEvent.objects.values_list("pk", flat=True).first(),
        "client_id": "robot",
        "secret_id": secret.pk,
        "kid": SigningKey.objects.values_list("kid", flat=True).first(),
        "principal": "everybody",
        "name": "Everybody",
    }


def test_the_hosts_own_document_leaves_no_trace_in_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from oidc_pkce.api.schema import document
    from oidc_pkce.api.urls import RESOURCES

    with override_settings(ROOT_URLCONF="tests.api.urls"):
        usual = document(RESOURCES)
        for name, value in {
            "CONTACT": {"name": "Somebody else"},
            "LICENSE": {"name": "Proprietary"},
            "COMPONENT_NO_READ_ONLY_REQUIRED": True,
            "ENFORCE_NON_BLANK_FIELDS": True,
            "SORT_OPERATION_PARAMETERS": False,
            "PATH_CONVERTER_OVERRIDES": {"int": "string"},
            "EXTENSIONS_ROOT": {"x-host": True},
            "ENUM_NAME_OVERRIDES": {"Kind": ["user", "group"]},
        }.items():
            monkeypatch.setattr(spectacular_settings, name, value)
        hosted = document(RESOURCES)

    assert hosted == usual
    assert "x-spec-enum-id" not in json.dumps(usual)


def lead_somewhere(case: Any) -> None:
    """Guessed ids lead to nothing: name what there is."""
    there = stock()
    resource = case.path.strip("/").split("/")[0]
    there["id"] = there.get(resource)
    for name in case.path_parameters or {}:
        case.path_parameters[name] = there[name]
    if "If-Match" in (case.headers or {}):
        case.headers["If-Match"] = "*"


@schema.parametrize()
@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_does_what_its_description_says(case: Any, token: str) -> None:
    is_sound = case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE
    if is_sound:
        lead_somewhere(case)

    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
