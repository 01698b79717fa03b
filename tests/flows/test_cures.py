"""Which checks have cures, and what a cure says of what the request brought."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

import oidc_pkce.urls  # noqa: F401 - registers every check
from oidc_pkce.flows import cures
from oidc_pkce.flows.cures import Cure, Sentence
from oidc_pkce.flows.tracing import without_credentials
from oidc_pkce.models import Application, AuditEvent, RequestTrace
from oidc_pkce.protocol.checks import registry
from tests.fixtures import make_user
from tests.journeys import make_application

#: What makes an application less safe than it is by default is decided on its page.
NEVER_ONE_CLICK = (
    "authorize.code_challenge",
    "authorize.code_challenge_method",
    "authorize.network",
    "authorize.acr",
    "client_credentials.network",
    "password.network",
    "password.required_acr",
)


def make_trace(application: Application | None, check: str, **fields: Any) -> RequestTrace:
    received = fields.pop("received", None)
    failed = {"check": check, "passed": False, "received": received, **fields.pop("more", {})}
    now = timezone.now()
    return RequestTrace.objects.create(
        request_id=f"r{RequestTrace.objects.count():011}",
        application=application,
        endpoint="authorize",
        succeeded=False,
        failed_check=check,
        outcomes=[{"check": "authorize.readable", "passed": True}, failed],
        at=now,
        expires_at=now,
        **fields,
    )


@pytest.fixture
def robin(db: None) -> Any:
    return make_user("robin", is_staff=True, is_superuser=True)


def only(user: Any, trace: RequestTrace) -> Cure:
    (cure,) = cures.offered(user, trace)
    return cure


def test_every_check_that_has_a_cure_exists() -> None:
    assert set(cures.CURES) <= set(registry())


@pytest.mark.parametrize("check", NEVER_ONE_CLICK)
def test_what_would_weaken_an_application_is_a_link_and_no_button(
    check: str, robin: Any, list_app: Application
) -> None:
    trace = make_trace(list_app, check, received="plain")

    cure = only(robin, trace)

    assert not cure.can_be_applied
    assert cure.place is not None
    assert cure.place.route in ("application_tokens", "application_policy")
    assert list_app.name in str(cure.sentence)


def test_what_is_turned_off_already_is_not_suggested(robin: Any, list_app: Application) -> None:
    Application.objects.update(requires_pkce=False, allows_plain_pkce=True)

    for check in ("authorize.code_challenge", "authorize.code_challenge_method"):
        assert cures.offered(robin, make_trace(list_app, check, received="plain")) == ()


@pytest.mark.parametrize("grant", ["client_credentials", "password"])
def test_a_flow_for_secrets_is_not_ticked_where_clients_have_none(
    grant: str, robin: Any, list_app: Application
) -> None:
    cure = only(robin, make_trace(list_app, "token.flow", received=grant))

    assert not cure.can_be_applied
    assert "keep a secret" in str(cure.sentence)


def test_another_method_than_plain_is_not_cured_by_plain(robin: Any, list_app: Application) -> None:
    trace = make_trace(list_app, "authorize.code_challenge_method", received="S512")

    assert cures.offered(robin, trace) == ()


@pytest.mark.parametrize("check", sorted(cures.CURES))
def test_a_request_of_an_unknown_application_has_no_cure(check: str, robin: Any) -> None:
    trace = make_trace(None, check, received="https://app.example/callback", user=robin)

    assert cures.offered(robin, trace) == ()


@pytest.mark.parametrize("check", sorted(cures.CURES))
def test_a_request_that_succeeded_has_no_cure(
    check: str, robin: Any, list_app: Application
) -> None:
    trace = make_trace(list_app, check, received="https://app.example/callback", user=robin)
    trace.succeeded = True

    assert cures.offered(robin, trace) == ()


@pytest.mark.parametrize("check", sorted(registry()))
def test_any_check_can_fail_without_anything_being_known(
    check: str, robin: Any, list_app: Application
) -> None:
    for received in (None, "", "x", "…", "(40 characters)"):
        for cure in cures.offered(robin, make_trace(list_app, check, received=received)):
            assert str(cure.sentence)


SENT = {
    "a query": ("https://app.example/callback?tenant=7", False),
    "an empty query": ("https://app.example/callback?", False),
    "a name without a value": ("https://app.example/callback?tenant", False),
    "a fragment": ("https://app.example/callback#here", False),
    "a long one": (f"https://app.example/{'long/' * 60}", False),
    "two queries": (
        "https://app.example/callback?tenant=7&user=\N{LATIN SMALL LETTER A WITH DIAERESIS}",
        False,
    ),
    "what cannot be printed": ("https://app.example/call\0back", False),
    "a plain one": ("https://app.example/callback", True),
    "an app's own": ("com.example.app:/callback", True),
}


@pytest.mark.parametrize(("sent", "is_whole"), SENT.values(), ids=SENT)
def test_an_address_is_added_only_as_it_was_sent(
    sent: str, is_whole: bool, robin: Any, list_app: Application
) -> None:
    kept = without_credentials(sent)[:300]

    cure = only(robin, make_trace(list_app, "authorize.redirect_uri", received=kept))

    assert cure.can_be_applied is is_whole
    if is_whole:
        assert cure.sentence.value == sent
    else:
        assert "shortened" in cure.obstacle
        assert "%E2%80%A6" not in cure.sentence.value
        assert cure.place is not None


REFUSED = {
    "http elsewhere": ("http://app.example/callback", "use https"),
    "javascript": ("javascript:alert(1)", "cannot carry an answer"),
    "relative": ("callback", "begin with https://"),
    "a user name": ("https://bank.example@evil.example/", "user name"),
    "not ASCII": ("https://b\N{CYRILLIC SMALL LETTER A}nk.example/callback", "punycode"),
}


@pytest.mark.parametrize(("sent", "why"), REFUSED.values(), ids=REFUSED)
def test_an_address_that_cannot_be_registered_has_no_button(
    sent: str, why: str, robin: Any, list_app: Application
) -> None:
    cure = only(robin, make_trace(list_app, "authorize.redirect_uri", received=sent))

    assert not cure.can_be_applied
    assert why in cure.obstacle


def test_the_host_of_an_address_is_pointed_out(robin: Any, list_app: Application) -> None:
    sent = "https://notes.example.com.evil.example:8443/https://notes.example.com/"

    cure = only(robin, make_trace(list_app, "authorize.redirect_uri", received=sent))

    assert cure.sentence.host == "notes.example.com.evil.example:8443"
    assert cure.sentence.head == "https://"
    assert str(cure.sentence) == f"Add {sent} to Allowed Redirects of My App."
    assert "Anybody can send such a request" in cure.warning


def test_a_host_that_looks_like_another_one_shows_as_ascii(
    robin: Any, list_app: Application
) -> None:
    sent = "https://b\N{CYRILLIC SMALL LETTER A}nk.example/callback"

    cure = only(robin, make_trace(list_app, "authorize.redirect_uri", received=sent))

    assert str(cure.sentence).isascii()
    assert cure.sentence.host.startswith("xn--")


def test_punycode_is_warned_of(robin: Any, list_app: Application) -> None:
    sent = "https://login.xn--bnk-7cd.example/callback"

    cure = only(robin, make_trace(list_app, "authorize.redirect_uri", received=sent))

    assert "xn--" in cure.warning


def test_a_client_of_other_letters_is_spelled_out(robin: Any, list_app: Application) -> None:
    sent = "m\N{CYRILLIC SMALL LETTER U}_service_user"

    cure = only(robin, make_trace(list_app, "authorize.client_id", received=sent))

    assert cure.can_be_applied
    assert r"m\u0443_service_user" in cure.warning


@pytest.mark.parametrize("sent", ["c" * 256 + "!", "two\0parts", " spaces "])
def test_a_client_id_that_cannot_be_has_no_button(
    sent: str, robin: Any, list_app: Application
) -> None:
    kept = without_credentials(sent)[:300]

    cure = only(robin, make_trace(list_app, "authorize.client_id", received=kept))

    assert not cure.can_be_applied
    assert cure.obstacle


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"client_id_type": "Confidential", "client_ids": []}, "service users"),
        ({"template": "Generic OpenID Connect", "client_ids": []}, "one client ID"),
    ],
)
def test_only_a_list_takes_clients(fields: dict[str, Any], word: str, robin: Any) -> None:
    application = make_application(application_id="other", **fields)

    cure = only(robin, make_trace(application, "authorize.client_id", received="stranger"))

    assert not cure.can_be_applied
    assert word in str(cure.sentence)


def test_what_is_nearly_right_is_rather_mended_at_the_client(
    robin: Any, list_app: Application
) -> None:
    more = {"near_misses": ["letter_case"]}

    cure = only(
        robin, make_trace(list_app, "authorize.client_id", received="MY_SERVICE_USER", more=more)
    )

    assert cure.warning.startswith("It is nearly what is there already")


@pytest.mark.parametrize(
    "check", ["authorize.access", "token.access", "password.access", "bearer.access"]
)
def test_an_inactive_person_is_not_cured_by_a_right(check: str, robin: Any, ada: Any) -> None:
    application = make_application(everybody=False)
    ada.is_active = False
    ada.save()

    assert cures.offered(robin, make_trace(application, check, user=ada)) == ()


def test_an_inactive_service_user_is_activated_first(robin: Any, confidential: Any) -> None:
    robot = confidential_user("robot")
    confidential.application.permissions.all().delete()
    robot.is_active = False
    robot.save()

    cure = only(robin, make_trace(confidential.application, "bearer.access", user=robot))

    assert cure.name == "activate"


@pytest.mark.parametrize("check", ["authorize.access", "token.access", "password.access"])
def test_a_service_user_gets_no_right_to_sign_in_as_a_person(
    check: str, robin: Any, confidential: Any
) -> None:
    confidential.application.permissions.all().delete()
    robot = confidential_user("robot")

    assert cures.offered(robin, make_trace(confidential.application, check, user=robot)) == ()


def confidential_user(name: str) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.get(username=name)


def test_standard_scopes_are_not_defined_for_a_client_without_a_person(
    robin: Any, openid_app: Application
) -> None:
    assert cures.offered(robin, make_trace(openid_app, "token.scope", received="openid")) == ()


def test_what_there_is_already_needs_no_cure(robin: Any, list_app: Application, ada: Any) -> None:
    list_app.scopes.create(name="read")
    there = {
        "authorize.redirect_uri": list_app.redirect_uris[0],
        "authorize.client_id": "my_service_user",
        "authorize.flow": "code",
        "token.flow": "authorization_code",
        "authorize.scope": "read",
        "authorize.enabled": None,
    }

    for check, received in there.items():
        assert cures.offered(robin, make_trace(list_app, check, received=received)) == ()
    assert cures.offered(robin, make_trace(list_app, "authorize.access", user=ada)) == ()


@pytest.mark.parametrize("check", sorted(cures.CURES))
def test_looking_writes_nothing_and_costs_a_bounded_number_of_statements(
    check: str,
    robin: Any,
    ada: Any,
    list_app: Application,
    django_assert_max_num_queries: Any,
) -> None:
    trace = make_trace(list_app, check, received="https://app.example/callback", user=ada)

    with django_assert_max_num_queries(8):
        cures.offered(robin, RequestTrace.objects.get(pk=trace.pk))

    assert not AuditEvent.objects.exists()


def test_a_sentence_keeps_its_words_whatever_an_application_is_called() -> None:
    made = Sentence.about(
        "Add %(value)s to %(application)s.", "a", host="a", application="100 %(value)s \0 a"
    )

    assert str(made) == "Add a to 100 %(value)s  a."
