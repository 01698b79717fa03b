"""Revocation, over HTTP: the owner ends what was issued, nobody else does, and 200 means ended."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce import signals
from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.revocation import revoke
from oidc_pkce.identifiers import digest
from oidc_pkce.models import (
    AccessToken,
    AuditEvent,
    ClientAuthentication,
    Grant,
    RefreshToken,
    RequestTrace,
    RevokedToken,
)
from tests import forgeries
from tests.fixtures import make_user
from tests.journeys import (
    FORM,
    SECRET,
    Answer,
    Browser,
    Journey,
    basic,
    claims_of,
    encode,
    give_secret,
    last_trace,
    make_application,
    make_service_user,
)
from tests.spec import spec

WRONG_CLIENT = (400, "invalid_client", "invalid client creds")
ANOTHER_SECRET = "another-secret-of-43-characters-0123456789a"
KINDS = ("access_token", "refresh_token")
CONTROL = re.compile(r"^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)|oidc_pkce_requesttrace")


def refreshing(journey: Journey, token_type: str = "JwtRS256") -> Journey:
    """Let the application issue refresh tokens, and access tokens of this type."""
    app = journey.application
    app.issues_refresh_tokens, app.token_type = True, token_type
    app.flows = ["AuthorizationCode", "ClientCreds"]
    app.save()
    return journey


@pytest.fixture(params=["JwtRS256", "Opaque"])
def token_type(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["signed_in", "confidential", "openid", "openid_with_secret"])
def owner(request: pytest.FixtureRequest, token_type: str) -> Journey:
    """Each kind of client, with each kind of access token; Ada signed in."""
    return refreshing(request.getfixturevalue(request.param), token_type)


@pytest.fixture
def public(signed_in: Journey) -> Journey:
    """A public client, of an application that lists another one, too."""
    signed_in.application.client_ids = ["my_service_user", "another"]
    return refreshing(signed_in)


@pytest.fixture
def secretive(confidential: Journey) -> Journey:
    """A service user as the client."""
    return refreshing(confidential)


@pytest.fixture
def announced() -> Iterator[list[dict[str, Any]]]:
    """What ``grant_revoked`` told."""
    told: list[dict[str, Any]] = []

    def listen(sender: Any, **kwargs: Any) -> None:
        told.append(kwargs)

    signals.grant_revoked.connect(listen)
    yield told
    signals.grant_revoked.disconnect(listen)


def is_served(journey: Journey, token: str) -> bool:
    """Whether UserInfo still takes an access token."""
    return journey.userinfo(token).status == 200


def is_done(answer: Answer) -> bool:
    """200 with an empty body, which nobody may keep."""
    assert answer.response.headers["Cache-Control"] == "no-store"
    return (answer.status, answer.response.content) == (200, b"")


def own_token(journey: Journey) -> str:
    """An access token that the client gets for itself."""
    credentials = {"client_id": journey.client_id, "client_secret": journey.secret}
    answer = journey.post("Token", {"grant_type": "client_credentials", **credentials})
    return str(answer.json["access_token"])


def audited() -> list[str]:
    return list(
        AuditEvent.objects.filter(action__contains="revoked")
        .order_by("pk")
        .values_list("action", flat=True)
    )


def traced() -> tuple[str, str]:
    """What only the trace tells: the check that failed, and the private sentence."""
    return last_trace().failed_check, last_trace().outcomes[-1]["detail"]


# --- what is ended ------------------------------------------------------------------------------


@spec("RFC 7009", "2.1")
def test_a_refresh_token_takes_its_grant_along(owner):
    tokens, others = owner.tokens(), owner.tokens()
    fresh = owner.refresh(tokens["refresh_token"]).json

    assert is_done(owner.revoke(fresh["refresh_token"]))

    assert owner.refresh(fresh["refresh_token"]).error == "invalid_grant"
    assert not is_served(owner, tokens["access_token"])
    assert not is_served(owner, fresh["access_token"])
    assert is_served(owner, others["access_token"])
    assert owner.refresh(others["refresh_token"]).status == 200


@spec("RFC 7009", "2.1")
def test_the_audit_log_and_the_hosts_signal_tell_of_it_once(
    owner, announced, django_capture_on_commit_callbacks
):
    tokens = owner.tokens()
    grant = Grant.objects.get()

    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            assert is_done(owner.revoke(tokens["refresh_token"]))

    (event,) = AuditEvent.objects.filter(action="grant.revoked")
    assert (event.actor_name, event.client_id) == (owner.client_id, owner.client_id)
    assert event.application == owner.application
    assert event.application_name == owner.application.name
    assert event.details == {"grant": str(grant.pk), "user": "ada"}
    assert [(told["grant_id"], told["reason"]) for told in announced] == [
        (str(grant.pk), "grant.revoked")
    ]


@spec("RFC 7009", "2.1")
def test_an_access_token_ends_alone(owner):
    tokens = owner.tokens()
    fresh = owner.refresh(tokens["refresh_token"]).json

    assert is_done(owner.revoke(tokens["access_token"]))

    assert not is_served(owner, tokens["access_token"])
    assert is_served(owner, fresh["access_token"])
    assert owner.refresh(fresh["refresh_token"]).status == 200
    assert audited() == ["access_token.revoked"]
    assert Grant.objects.get().revoked_at is None


@spec("RFC 7009", "2.2")
def test_an_access_token_may_be_revoked_again(owner):
    token = owner.tokens()["access_token"]

    for _ in range(3):
        assert is_done(owner.revoke(token))

    assert audited() == ["access_token.revoked"]
    assert RevokedToken.objects.count() + AccessToken.objects.count() <= 1


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("name", ["confidential", "openid_with_secret"])
def test_a_clients_own_token_ends(request, name, token_type):
    owner = refreshing(request.getfixturevalue(name), token_type)
    token, other = own_token(owner), own_token(owner)
    assert owner.introspect(token).json["active"] is True

    assert is_done(owner.revoke(token))

    assert not is_served(owner, token)
    assert owner.introspect(token).json == {"active": False}
    assert owner.introspect(other).json["active"] is True
    assert audited() == ["access_token.revoked"]


@spec("RFC 7009", "2.1")
def test_a_single_jwt_is_remembered_until_it_would_have_expired(public):
    token = public.tokens()["access_token"]
    public.revoke(token)

    (kept,) = RevokedToken.objects.all()
    assert kept.jti == uuid.UUID(claims_of(token)["jti"])
    assert int(kept.expires_at.timestamp()) == claims_of(token)["exp"]


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "id_token", "x" * 5000, "é", ""])
@pytest.mark.parametrize("kind", KINDS)
def test_a_hint_changes_nothing(signed_in, token_type, kind, hint):
    owner = refreshing(signed_in, token_type)
    tokens = owner.tokens()

    assert is_done(owner.revoke(tokens[kind], token_type_hint=hint))

    assert not is_served(owner, tokens["access_token"])


@spec("RFC 9700", "4.14.2")
def test_a_used_refresh_token_still_ends_the_grant(owner):
    tokens = owner.tokens()
    fresh = owner.refresh(tokens["refresh_token"]).json

    assert is_done(owner.revoke(tokens["refresh_token"]))

    assert not is_served(owner, fresh["access_token"])
    assert owner.refresh(fresh["refresh_token"]).error == "invalid_grant"


@spec("RFC 7009", "2.1")
def test_a_revocation_inside_the_reuse_window_wins(public):
    tokens = public.tokens()
    public.refresh(tokens["refresh_token"])
    public.revoke(tokens["refresh_token"])

    assert public.refresh(tokens["refresh_token"]).error == "invalid_grant"


@spec("RFC 7009", "2.1")
def test_an_expired_refresh_token_ends_a_grant_that_is_still_live(public, clock):
    public.application.refresh_token_lifetime = public.application.access_token_lifetime / 2
    public.application.save()
    tokens = public.tokens()
    clock.step(public.application.refresh_token_lifetime.total_seconds() + 1)
    assert is_served(public, tokens["access_token"])

    assert is_done(public.revoke(tokens["refresh_token"]))

    assert not is_served(public, tokens["access_token"])


@spec("RFC 7009", "2.2")
def test_an_expired_access_token_is_no_news(signed_in, token_type, clock):
    owner = refreshing(signed_in, token_type)
    token = owner.tokens()["access_token"]
    clock.step(18001)

    assert is_done(owner.revoke(token))

    assert (audited(), RevokedToken.objects.count()) == ([], 0)


@spec("RFC 7009", "2.2")
def test_what_ended_with_its_grant_is_no_news(signed_in, token_type):
    owner = refreshing(signed_in, token_type)
    tokens = owner.tokens()
    revoke(Grant.objects.get(), actor=Actor(name="tests"), now=timezone.now())

    assert is_done(owner.revoke(tokens["access_token"]))
    assert is_done(owner.revoke(tokens["refresh_token"]))

    assert (audited(), RevokedToken.objects.count()) == (["grant.revoked"], 0)


@spec("RFC 7009", "2")
@pytest.mark.parametrize("kind", KINDS)
def test_it_costs_three_statements(owner, kind):
    owner.revoke(owner.tokens()[kind])  # notes when the secret was used, and compiles
    token = owner.tokens()[kind]

    with CaptureQueriesContext(connection) as queries:
        assert is_done(owner.revoke(token))
    sent = [query["sql"] for query in queries if not CONTROL.search(query["sql"])]
    assert len(sent) == 3, sent


# --- the client proves itself -------------------------------------------------------------------


@spec("RFC 7009", "2.1")
@spec("RFC 6749", "2.3.1")
def test_a_client_proves_itself_by_basic_or_in_the_body(secretive):
    header = basic("robot", SECRET)
    for client in (
        {"headers": header, "client_secret": None},
        {"headers": header, "client_secret": None, "client_id": None},
        {},
    ):
        token = secretive.tokens()["access_token"]
        assert is_done(secretive.revoke(token, **client))
        assert not is_served(secretive, token)


@spec("RFC 7009", "2.1")
def test_a_wrong_client_is_refused_and_ends_nothing(secretive):
    tokens = secretive.tokens()
    for token in (*(tokens[kind] for kind in KINDS), "unknown"):
        assert secretive.revoke(token, client_secret="x" * 43).told == WRONG_CLIENT
        assert secretive.revoke(token, client_secret=None).told == WRONG_CLIENT
        assert secretive.revoke(token, client_id="nobody").told == WRONG_CLIENT
        wrong = basic("robot", "x" * 43)
        answer = secretive.revoke(token, headers=wrong, client_id=None, client_secret=None)
        assert (answer.status, answer.error) == (401, "invalid_client")
        assert answer.response.headers["WWW-Authenticate"].startswith("Basic")

    assert is_served(secretive, tokens["access_token"])
    assert secretive.refresh(tokens["refresh_token"]).status == 200


@spec("RFC 7009", "2.1")
def test_a_public_client_names_itself_and_has_no_secret(public):
    tokens = public.tokens()
    for changes in ({"client_id": "stranger"}, {"client_secret": SECRET}):
        assert public.revoke(tokens["refresh_token"], **changes).told == WRONG_CLIENT
    nameless = public.revoke(tokens["refresh_token"], client_id=None)
    assert nameless.told == (400, "invalid_request", "client_id is missing")
    assert is_served(public, tokens["access_token"])

    assert is_done(public.revoke(tokens["refresh_token"]))

    assert not is_served(public, tokens["access_token"])


@spec("RFC 6749", "2.3.1")
def test_wrong_secrets_are_counted_here_too(secretive, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ATTEMPTS_PER_ACCOUNT": 3}
    token = secretive.tokens()["access_token"]
    for _ in range(3):
        secretive.revoke(token, client_secret="x" * 43)

    assert secretive.revoke(token).told == WRONG_CLIENT
    assert last_trace().failed_check == "client.attempts"
    assert is_served(secretive, token)


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_issued_to_a_secret_is_never_revoked_without_one(
    openid_with_secret, token_type, kind
):
    """A stranger learns nothing: the answer is the one for an unknown token."""
    owner = refreshing(openid_with_secret, token_type)
    tokens = owner.tokens()

    answer = owner.revoke(tokens[kind], client_secret=None)

    assert is_done(answer)
    unknown = owner.revoke("unknown", client_secret=None)
    assert answer.response.headers == unknown.response.headers
    assert is_served(owner, tokens["access_token"])
    owner.revoke(tokens[kind], client_secret=None)
    assert traced() == (
        "revocation.client_authentication",
        "the token was issued to a secret, and none was sent",
    )
    assert audited() == []


@spec("RFC 7009", "2.1")
def test_a_clients_own_token_is_never_revoked_without_a_secret(openid_with_secret, token_type):
    owner = refreshing(openid_with_secret, token_type)
    token = own_token(owner)

    assert is_done(owner.revoke(token, client_secret=None))

    assert owner.introspect(token).json["active"] is True


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", KINDS)
def test_not_even_where_the_application_became_public(secretive, token_type, kind):
    """The client of the same name on the new list is whoever says so."""
    owner = refreshing(secretive, token_type)
    tokens = owner.tokens()
    owner.application.client_id_type, owner.application.client_ids = "List", ["robot"]
    owner.application.save()

    assert is_done(owner.revoke(tokens[kind], client_secret=None))

    assert Grant.objects.get().client_authentication == ClientAuthentication.SECRET
    assert is_served(owner, tokens["access_token"])


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_issued_without_a_secret_is_revoked_with_or_without_one(openid, token_type, kind):
    owner = refreshing(openid, token_type)
    first, second = owner.tokens(), owner.tokens()
    give_secret(owner.application)

    assert is_done(owner.revoke(first[kind]))
    assert is_done(owner.revoke(second[kind], client_secret=SECRET))

    assert not is_served(owner, first["access_token"])
    assert not is_served(owner, second["access_token"])


# --- what belongs to others ---------------------------------------------------------------------


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token"])
@pytest.mark.parametrize("kind", KINDS)
def test_another_client_of_the_same_application_ends_nothing(public, token_type, kind, hint):
    owner = refreshing(public, token_type)
    tokens = owner.tokens()

    assert is_done(owner.revoke(tokens[kind], client_id="another", token_type_hint=hint))

    assert traced() == ("revocation.client", "the token was issued to another client")
    assert is_served(owner, tokens["access_token"])
    assert owner.refresh(tokens["refresh_token"]).status == 200
    assert audited() == []


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", KINDS)
def test_another_service_user_ends_nothing(secretive, token_type, kind):
    """Nor does the audience: it may look at a token, and no more."""
    make_service_user(make_user("api"), ANOTHER_SECRET)
    owner = refreshing(secretive, token_type)
    owner.application.audience = "api"
    owner.application.save()
    tokens = owner.tokens()
    stranger = Journey(owner.application, client_id="api", secret=ANOTHER_SECRET)

    for token in (tokens[kind], own_token(owner)):
        assert is_done(stranger.revoke(token))
        assert traced()[0] == "revocation.client"
        assert owner.introspect(token).json["active"] is True


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("kind", KINDS)
def test_another_applications_token_is_untouched(secretive, token_type, kind, ada):
    """Also where the same service user is a client of both."""
    owner = refreshing(secretive, token_type)
    second = make_application(application_id="second", client_id_type="Confidential", client_ids=[])
    elsewhere = refreshing(Journey(second, client_id="robot", secret=SECRET), token_type)
    listed = Journey(make_application(client_ids=["robot"]), client_id="robot")
    tokens = owner.tokens()

    for stranger in (elsewhere, listed):
        for token in (tokens[kind], own_token(owner)):
            assert is_done(stranger.revoke(token))
            assert traced()[0] == "revocation.token"
            assert owner.introspect(token).json["active"] is True
    assert audited() == []


@spec("RFC 7009", "2.1")
def test_a_twin_that_claims_the_same_issuer_ends_nothing(secretive):
    tokens = secretive.tokens()
    twin = make_application(application_id="twin", client_id_type="Confidential", client_ids=[])
    twin.issuer = "https://id.example.com/backend/"  # no form lets this pass
    twin.save()

    assert is_done(Journey(twin, client_id="robot", secret=SECRET).revoke(tokens["access_token"]))

    assert is_served(secretive, tokens["access_token"])


# --- what is no token ---------------------------------------------------------------------------


@spec("RFC 7009", "2.2")
@pytest.mark.parametrize("text", ["x", "a.b.c", "...", ".", "é", "a" * 43, "x" * 8000, "' or 1=1"])
def test_an_unknown_token_is_ended_already(owner, text):
    assert is_done(owner.revoke(text))
    assert audited() == []


@spec("RFC 7009", "2.2")
def test_codes_id_tokens_and_secrets_are_no_tokens(openid_with_secret):
    owner = refreshing(openid_with_secret)
    tokens, code = owner.tokens(scope="openid"), owner.authorize().code

    for text in (tokens["id_token"], code, SECRET):
        assert is_done(owner.revoke(text))

    assert owner.redeem(code).status == 200
    assert is_served(owner, tokens["access_token"])


@spec("RFC 8725", "3")
def test_no_forgery_ends_the_token_it_was_made_of(public):
    token = public.tokens()["access_token"]
    for _, forged in forgeries.all_of(token):
        assert is_done(public.revoke(forged))
    for at in range(0, len(token), 5):
        public.revoke(token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])

    assert is_served(public, token)
    assert (RevokedToken.objects.count(), audited()) == (0, [])


@spec("RFC 7009", "2.2")
def test_what_was_deleted_is_ended_already(owner, ada):
    tokens = owner.tokens()
    ada.delete()

    for kind in KINDS:
        assert is_done(owner.revoke(tokens[kind]))


# --- what is malformed --------------------------------------------------------------------------


@spec("RFC 7009", "2.2.1")
@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"token": None}, "token is missing"),
        ({"token": ""}, "token is missing"),
        ({"token": "x" * 9000}, "the parameter token is too long"),
        ({"token": "a\0b"}, "the parameter token is not UTF-8 text"),
        ({"token_type_hint": ["a", "b"]}, "the parameter token_type_hint is repeated"),
        ({"client_id": ["robot", "robot"]}, "the parameter client_id is repeated"),
        ({"client_secret": [SECRET, SECRET]}, "the parameter client_secret is repeated"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_fault_of_the_form_is_named(secretive, changes, description):
    form = {"token": "x", "client_id": "robot", "client_secret": SECRET, **changes}

    answer = secretive.post("Revoke", form)

    assert answer.told == (400, "invalid_request", description)


@spec("RFC 7009", "2.1")
def test_two_tokens_at_once_are_refused_and_none_ends(public):
    one, two = public.tokens(), public.tokens()

    answer = public.revoke([one["refresh_token"], two["refresh_token"]])

    assert answer.told == (400, "invalid_request", "the parameter token is repeated")
    assert is_served(public, one["access_token"])


@spec("RFC 7009", "2.1")
@pytest.mark.parametrize("name", ["token", "client_secret", "refresh_token"])
def test_a_credential_never_stands_in_the_url(secretive, name):
    token = secretive.tokens()["access_token"]
    form = {"token": token, "client_id": "robot", "client_secret": SECRET}
    address = f"{secretive.url('Revoke')}?{encode({name: form.get(name, 'x')})}"

    answer = Answer(Browser().post(address, encode(form), content_type=FORM))

    assert answer.told == (400, "invalid_request", f"{name} must not be sent in the query")
    assert is_served(secretive, token)


@spec("RFC 7009", "2.1")
def test_a_token_is_posted(public):
    token = public.tokens()["refresh_token"]

    answer = Browser().get(public.url("Revoke"), {"token": token, "client_id": public.client_id})

    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert public.refresh(token).status == 200


def test_an_unknown_application_is_a_404_in_json(db):
    answer = Answer(Browser().post("/OAuth2/Revoke/nowhere", "token=x", content_type=FORM))

    assert answer.told == (404, "invalid_request", "unknown app")


# --- the storage fails --------------------------------------------------------------------------


@contextmanager
def failing(pattern: str, trouble: type[Exception]) -> Iterator[None]:
    """Every statement that fits the pattern fails."""

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if re.search(pattern, sql):
            raise trouble("the disk is full")
        return run(sql, *rest)

    with connection.execute_wrapper(execute):
        yield


def is_postponed(answer: Answer) -> bool:
    """A 503 that says when to try again."""
    return (
        answer.told[:2] == (503, "temporarily_unavailable")
        and int(answer.response.headers["Retry-After"]) > 0
        and answer.response.headers["Cache-Control"] == "no-store"
        and "disk" not in answer.html
    )


@spec("RFC 7009", "2.2.1")
@pytest.mark.parametrize("trouble", [OperationalError, DatabaseError, InterfaceError])
@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        *((kind, "FROM .oidc_pkce_application") for kind in KINDS),
        *((kind, "INSERT INTO .oidc_pkce_auditevent") for kind in KINDS),
        ("refresh_token", "UPDATE .oidc_pkce_grant"),
        ("access_token", "INSERT INTO .oidc_pkce_revokedtoken|DELETE FROM .oidc_pkce_accesstoken"),
        ("access_token", "."),
        ("refresh_token", "."),
    ],
)
def test_storage_that_fails_anywhere_is_a_503_and_never_a_200(
    signed_in, token_type, kind, pattern, trouble
):
    owner = refreshing(signed_in, token_type)
    tokens = owner.tokens()

    with failing(pattern, trouble):
        answer = owner.revoke(tokens[kind])

    assert is_postponed(answer)
    assert is_served(owner, tokens["access_token"])
    assert audited() == []
    assert is_done(owner.revoke(tokens[kind]))  # as the client was asked to
    assert not is_served(owner, tokens["access_token"])


@spec("RFC 7009", "2.2.1")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("refresh_token", "oidc_pkce_grant"),
        ("refresh_token", "oidc_pkce_application"),
        ("refresh_token", "oidc_pkce_auditevent"),
        ("access_token", "oidc_pkce_revokedtoken"),
        ("access_token", "oidc_pkce_auditevent"),
    ],
)
def test_a_table_that_is_really_gone_is_a_503_too(kind, table):
    ada = make_user("ada")
    owner = refreshing(Journey(make_application()).log_in(ada))
    tokens = owner.tokens()

    with without(table):
        answer = owner.revoke(tokens[kind])

    assert is_postponed(answer)
    assert is_served(owner, tokens["access_token"])
    assert audited() == []
    assert traced_trouble() == ("server.available", "the storage does not answer: ")


@contextmanager
def without(table: str) -> Iterator[None]:
    def rename(one: str, other: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER TABLE "{one}" RENAME TO "{other}"')

    rename(table, f"{table}_gone")
    try:
        yield
    finally:
        rename(f"{table}_gone", table)


def traced_trouble() -> tuple[str, str]:
    check, detail = traced()
    return check, detail.partition("Operational")[0].partition("Programming")[0]


@spec("RFC 7009", "2.2")
def test_a_note_or_a_trace_that_is_not_kept_takes_no_answer_away(secretive, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    token = secretive.tokens()["access_token"]

    with failing("UPDATE .oidc_pkce_clientsecret|oidc_pkce_requesttrace", DatabaseError):
        assert is_done(secretive.revoke(token))

    assert not is_served(secretive, token)


# --- what is kept -------------------------------------------------------------------------------


@spec("RFC 7009", "5")
def test_no_token_and_no_secret_is_traced_audited_or_logged(owner, caplog, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    caplog.set_level("DEBUG")
    tokens = owner.tokens()
    secrets = [SECRET, *(tokens[kind].rpartition(".")[2] for kind in KINDS)]
    for kind in KINDS:
        token = tokens[kind]
        owner.revoke(token, client_secret="x" * 43)
        owner.revoke(f"{token}x")
        owner.revoke([token, token])
        owner.revoke("x", client_id=token)
        owner.revoke("x", token_type_hint=token)
        with failing("oidc_pkce_(auditevent|application)", OperationalError):
            owner.revoke(token)
        owner.revoke(token)
        owner.revoke(token)

    kept = repr(list(RequestTrace.objects.values_list())) + caplog.text
    kept += repr(list(AuditEvent.objects.values_list()))
    assert RequestTrace.objects.filter(endpoint="revoke").count() > 10
    assert [secret for secret in secrets if secret in kept] == []


def test_nothing_of_a_token_is_stored_in_the_clear(owner):
    tokens = owner.tokens()

    stored = {bytes(pk) for pk in RefreshToken.objects.values_list("pk", flat=True)}
    assert stored == {digest(tokens["refresh_token"])}
