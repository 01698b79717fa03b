"""create_service_user: one JSON line, a secret that nobody can read again."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from oidc_pkce.models import AuditEvent, ClientSecret, ServiceUser
from tests.journeys import Journey, make_application


def live(secret: str) -> bool:
    now = timezone.now()
    return any(row.facts().matches(secret, now) for row in ClientSecret.objects.all())


def test_a_service_user_is_created_with_a_generated_secret(run):
    answer = run("create_service_user", "svc@example.com")

    assert answer.out.count("\n") == 1
    assert answer.json["client_id"] == "svc@example.com"
    assert len(answer.json["client_secret"]) == 43
    user = get_user_model().objects.get(username="svc@example.com")
    assert not user.has_usable_password()
    assert ServiceUser.objects.get().is_oauth_confidential_client


def test_its_secret_works_at_the_token_endpoint(run, ada):
    made = run("create_service_user", "svc", "--secret", "a supplied secret").json
    application = make_application(client_id_type="Confidential", client_ids=[])
    journey = Journey(application, client_id="svc").log_in(ada)

    answer = journey.redeem(journey.authorize().code, client_secret=made["client_secret"])

    assert made["client_secret"] == "a supplied secret"
    assert answer.status == 200


def test_a_second_time_says_what_to_do(run):
    run("create_service_user", "svc")

    answer = run("create_service_user", "svc")

    assert "add --rotate" in answer.failure
    assert ClientSecret.objects.count() == 1


def test_rotate_adds_a_second_secret_and_lets_the_oldest_go(run):
    secrets = [run("create_service_user", "svc").json["client_secret"]]
    secrets += [
        run("create_service_user", "svc", "--rotate").json["client_secret"] for _ in range(2)
    ]

    assert [live(secret) for secret in secrets] == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("svc", "--rotate"), "leave out --rotate"),
        (("ada",), "a person's account"),
        (("a b",), "letters, digits"),
        (("a:b",), "letters, digits"),
        (("",), "letters, digits"),
        (("x" * 151,), "at most 150 characters"),
        (("svc", "--secret", "short"), "at least 16 characters"),
    ],
)
def test_what_is_impossible_is_said_in_a_sentence_and_leaves_nothing(run, ada, arguments, sentence):
    answer = run("create_service_user", *arguments)

    assert sentence in answer.failure
    assert not ServiceUser.objects.exists()
    assert get_user_model().objects.count() == 1


def test_no_secret_reaches_the_audit_log(run):
    secret = run("create_service_user", "svc").json["client_secret"]

    assert secret not in repr(list(AuditEvent.objects.values()))
    assert AuditEvent.objects.filter(action="secret.created", client_id="svc").exists()
