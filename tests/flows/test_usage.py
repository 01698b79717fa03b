"""Usage: what granted requests used is counted, seldom written, bounded, and never in the way."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oidc_pkce.flows import usage
from oidc_pkce.models import Application, Usage
from oidc_pkce.protocol import jose, jwk
from oidc_pkce.protocol.usage import Feature
from tests.journeys import CALLBACK, basic, give_secret, make_application

NOW = timezone.now()
MINUTE = 60.0
GRANT = {Feature.GRANT_TYPE: "password"}


class Written(list[tuple[usage.Use, usage.Seen]]):
    """Takes the place of the database."""

    def __call__(self, use: usage.Use, seen: usage.Seen) -> None:
        self.append((use, seen))


class Failing:
    """Takes the place of a database that fails at first."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, use: usage.Use, seen: usage.Seen) -> None:
        self.times -= 1
        if self.times >= 0:
            raise DatabaseError("no room left")
        usage.write(use, seen)


class ProcessClock:
    """The clock by which a process knows when it wrote last."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def process_clock(monkeypatch: pytest.MonkeyPatch) -> ProcessClock:
    made = ProcessClock()
    monkeypatch.setattr(usage, "_tally", usage.Tally(usage.write, made))
    return made


def counted(application: Application) -> dict[tuple[str, str], int]:
    """By feature and value, summed over the clients."""
    found: dict[tuple[str, str], int] = {}
    for row in usage.of(application.pk):
        key = (row.feature, row.value)
        found[key] = found.get(key, 0) + row.count
    return found


def stored(application: Application) -> dict[str, int]:
    """What other processes can see of one feature: client by client."""
    rows = Usage.objects.filter(application=application, feature="grant_type")
    return dict(rows.values_list("client_id", "count"))


def note(application: Application, client_id: str = "a", **more: Any) -> None:
    usage.note(application.pk, client_id, GRANT, more.get("now", NOW))


def test_a_code_flow_is_counted_feature_by_feature(signed_in):
    signed_in.tokens()

    assert counted(signed_in.application) == {
        ("algorithm", "RS256"): 1,
        ("client_authentication", "none"): 1,
        ("code_challenge", "S256"): 1,
        ("grant_type", "authorization_code"): 1,
        ("redirect_uri", "loopback"): 1,
        ("request_object", "none"): 1,
        ("resource", "none"): 2,
        ("response_mode", "query"): 1,
        ("response_type", "code"): 1,
    }
    row = usage.of(signed_in.application.pk)[0]
    assert row.client_id == "my_service_user"
    assert row.first_seen_at == row.last_seen_at


def test_what_is_refused_is_not_counted(signed_in):
    signed_in.authorize(redirect_uri="https://evil.example/")
    signed_in.authorize(scope="unknown")
    signed_in.redeem("wrong")

    assert Usage.objects.count() == 0
    assert counted(signed_in.application) == {}


def test_a_sign_in_page_that_is_only_shown_is_not_counted(journey, ada):
    asked = journey.authorize()
    assert counted(journey.application) == {}

    assert journey.sign_in(asked, "ada").code

    assert counted(journey.application)["response_type", "code"] == 1


def test_consent_is_counted_when_it_is_given(asking):
    asked = asking.authorize(scope="read")
    assert asking.decide(asked, "0").error == "access_denied"
    assert counted(asking.application) == {}

    assert asking.decide(asking.authorize(scope="read")).code

    assert counted(asking.application)["code_challenge", "S256"] == 1


@pytest.mark.parametrize(
    ("changes", "feature", "value"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "code_challenge", "none"),
        ({"code_challenge": "v" * 43, "code_challenge_method": "plain"}, "code_challenge", "plain"),
        ({"response_mode": "form_post"}, "response_mode", "form_post"),
        ({"response_type": "token"}, "response_type", "token"),
        ({"response_type": "token code"}, "response_type", "code token"),
        ({"resource": "https://api.example.com/"}, "resource", "named"),
        ({"redirect_uri": "app.example:/back"}, "redirect_uri", "custom"),
        ({"redirect_uri": "https://app.example/back"}, "redirect_uri", "https"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_way_of_asking_is_told_apart(signed_in, changes, feature, value):
    application = signed_in.application
    application.requires_pkce, application.allows_plain_pkce = False, True
    application.flows = ["AuthorizationCode", "Implicit"]
    application.redirect_uris = [CALLBACK, "app.example:/back", "https://app.example/back"]
    application.save()

    signed_in.authorize(**changes)

    assert counted(application)[feature, value] == 1


def test_a_token_without_a_code_has_no_challenge_but_an_algorithm(signed_in):
    application = signed_in.application
    application.flows = ["Implicit"]
    application.token_type = "JwtES256"
    application.save()

    signed_in.authorize(response_type="token")

    found = counted(application)
    assert found["algorithm", "ES256"] == 1
    assert not [value for feature, value in found if feature == "code_challenge"]


def test_the_algorithm_of_a_request_object_outlives_the_sign_in(journey, ada):
    key = jose.SigningKey("k", "ES256", jwk.generate("ES256"))
    application = journey.application
    public = jwk.public_jwk(key.private_key, kid="k", algorithm="ES256")
    application.client_jwks = {"keys": [public]}
    application.save()
    claims = {**journey.parameters(), "iss": journey.client_id}

    asked = journey.authorize(request=jose.sign(claims, key, typ="JWT"))
    assert journey.sign_in(asked, "ada").code

    assert counted(application)["request_object", "ES256"] == 1


@pytest.mark.parametrize("way", ["basic", "post"])
def test_how_a_client_proved_itself_is_told_apart(openid, way):
    give_secret(openid.application, "a-secret-of-the-openid-application-00000000")
    secret = "a-secret-of-the-openid-application-00000000"
    code = openid.authorize().code
    if way == "basic":
        openid.redeem(code, client_id=None, headers=basic(openid.client_id, secret))
    else:
        openid.redeem(code, client_secret=secret)

    assert counted(openid.application)["client_authentication", way] == 1


def test_an_opaque_token_is_told_apart_and_a_refresh_says_nothing_of_resources(signed_in):
    application = signed_in.application
    application.token_type, application.issues_refresh_tokens = "Opaque", True
    application.save()

    signed_in.refresh(signed_in.tokens()["refresh_token"])

    found = counted(application)
    assert found["algorithm", "Opaque"] == 2
    assert found["grant_type", "refresh_token"] == 1
    assert found["resource", "none"] == 2  # at Authorize and with the code


def test_the_first_sight_is_written_at_once_and_the_rest_once_a_minute(list_app, process_clock):
    note(list_app)
    assert stored(list_app) == {"a": 1}

    with CaptureQueriesContext(connection) as queries:
        for _ in range(50):
            note(list_app)
    assert len(queries) == 0
    assert stored(list_app) == {"a": 1}

    process_clock.at += MINUTE
    note(list_app)
    assert stored(list_app) == {"a": 52}


def test_whoever_comes_by_writes_what_is_due(list_app, process_clock):
    """A client that is not seen again is not forgotten, either."""
    for _ in range(3):
        note(list_app, "gone")
    process_clock.at += MINUTE
    note(list_app, "other")

    assert stored(list_app) == {"gone": 3, "other": 1}


def test_no_request_writes_more_than_two_uses(list_app, process_clock):
    for n in range(20):
        note(list_app, f"c{n}")
        note(list_app, f"c{n}")
    process_clock.at += MINUTE
    note(list_app, "c0")

    assert sorted(stored(list_app).values()) == [1] * 18 + [2, 3]
    for _ in range(10):
        note(list_app, "c0")
    assert sorted(stored(list_app).values()) == [2] * 19 + [3]


def test_a_reader_in_this_process_sees_everything(list_app, process_clock):
    for _ in range(7):
        note(list_app)

    (row,) = usage.of(list_app.pk)
    assert row.count == 7
    assert usage.of(list_app.pk)[0].count == 7


def test_a_reader_writes_nothing_of_other_applications(list_app, openid_app, process_clock):
    for application in (list_app, openid_app):
        note(application)
        note(application)
    usage.flush(list_app.pk)

    assert stored(list_app) == {"a": 2}
    assert stored(openid_app) == {"a": 1}


def test_the_last_use_is_the_latest_whoever_writes_last(list_app, process_clock):
    later, earlier = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    note(list_app, now=later)
    usage.write(usage.Use(list_app.pk, "a", (("grant_type", "password"),)), usage.Seen(1, earlier))

    (row,) = usage.of(list_app.pk)
    assert (row.first_seen_at, row.last_seen_at, row.count) == (later, later, 2)


def test_two_processes_add_up(list_app):
    clock = ProcessClock()
    for _ in range(2):
        usage.Tally(usage.write, clock).note(
            usage.Use(list_app.pk, "a", (("grant_type", "password"),)), NOW
        )

    assert stored(list_app) == {"a": 2}


def test_strangers_cannot_fill_the_table_with_client_ids(list_app, openid_app, process_clock):
    for n in range(usage.MOST_CLIENTS + 50):
        note(list_app, f"stranger-{n}")
    note(openid_app, "known")
    note(list_app, "stranger-3")
    usage.flush()

    found = stored(list_app)
    assert len(found) == usage.MOST_CLIENTS + 1
    assert found[usage.OTHERS] == 50
    assert found["stranger-3"] == 2
    assert stored(openid_app) == {"known": 1}


def test_strangers_cannot_fill_the_memory(list_app, process_clock, monkeypatch):
    written = Written()
    tally = usage.Tally(written, process_clock)
    monkeypatch.setattr(usage, "MOST_USES", 100)
    for n in range(1000):
        tally.note(usage.Use(list_app.pk, f"stranger-{n}", ()), NOW)

    assert len(tally) <= 100
    assert len(written) == 1000


def test_what_nobody_did_for_a_while_leaves_the_memory(list_app, process_clock):
    tally = usage.Tally(Written(), process_clock)
    for n in range(50):
        tally.note(usage.Use(list_app.pk, f"c{n}", ()), NOW)
    process_clock.at += MINUTE
    for _ in range(60):
        tally.note(usage.Use(list_app.pk, "c0", ()), NOW)

    assert len(tally) == 1


def test_a_long_client_id_is_cut_and_two_of_them_count_as_one(list_app):
    note(list_app, "x" * 255 + "a")
    note(list_app, "x" * 255 + "b")

    assert [(row.client_id, row.count) for row in usage.of(list_app.pk)] == [("x" * 255, 2)]


def test_a_count_that_cannot_be_written_costs_nobody_the_answer(signed_in, monkeypatch, caplog):
    monkeypatch.setattr(usage, "_tally", usage.Tally(Failing(100)))

    assert signed_in.tokens()["access_token"]
    assert "was not counted" in caplog.text


def test_what_could_not_be_written_is_not_lost(list_app, process_clock, monkeypatch):
    monkeypatch.setattr(usage, "_tally", usage.Tally(Failing(1), process_clock))
    note(list_app)
    assert stored(list_app) == {}

    process_clock.at += MINUTE
    note(list_app)
    assert stored(list_app) == {"a": 2}


def test_a_count_for_an_application_that_is_gone_is_dropped(list_app, process_clock):
    pk = list_app.pk
    note(list_app)
    note(list_app)
    list_app.delete()
    usage.flush()

    assert Usage.objects.filter(application=pk).count() == 0


def test_the_rows_go_with_their_application(list_app):
    note(list_app)
    list_app.delete()

    assert Usage.objects.count() == 0


def test_the_end_of_the_process_writes_what_is_pending(list_app, process_clock, monkeypatch):
    note(list_app)
    note(list_app)
    monkeypatch.setattr(usage, "_written_to", {usage._database()})
    usage._at_exit()

    assert stored(list_app) == {"a": 2}


def test_the_end_of_the_tests_writes_nothing_into_another_database(
    list_app, process_clock, monkeypatch
):
    note(list_app)
    note(list_app)
    monkeypatch.setattr(usage, "_written_to", {"a database of tests that is gone"})
    usage._at_exit()

    assert stored(list_app) == {"a": 1}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_processes_that_begin_at_once_lose_nothing_and_make_no_row_twice():
    """Each thread is a process of its own: a tally and a connection."""
    application = make_application()
    barrier = threading.Barrier(6)

    def process(number: int) -> None:
        tally = usage.Tally(usage.write)
        barrier.wait()
        for client in range(20):
            each = (("grant_type", "password"), ("algorithm", "RS256"))
            tally.note(usage.Use(application.pk, f"c{client}", each), NOW)
            tally.note(usage.Use(application.pk, f"c{client}", each), NOW)
        tally.flush()
        connections.close_all()

    threads = [threading.Thread(target=process, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert stored(application) == {f"c{n}": 12 for n in range(20)}


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_row_holds_none_that_was_made_later():
    """However the rows lie in the table: so no two processes wait for each other."""
    application = make_application()
    use = usage.Use(application.pk, "a", (("grant_type", "password"), ("algorithm", "RS256")))
    usage.write(use, usage.Seen(1, NOW))
    mine = Usage.objects.filter(application=application)
    first, second = mine.order_by("pk").values_list("pk", flat=True)
    mine.filter(pk=first).update(count=1)  # from now on it lies behind the second

    def process() -> None:
        usage.write(use, usage.Seen(1, NOW))
        connections.close_all()

    other = threading.Thread(target=process)
    with transaction.atomic():
        mine.select_for_update().get(pk=first)
        other.start()
        wait_until_somebody_waits()
        mine.select_for_update(nowait=True).get(pk=second)
    other.join()

    assert set(mine.values_list("count", flat=True)) == {2}


def wait_until_somebody_waits() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    pytest.fail("nobody waits for the row that is held")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_clients_are_never_too_many_however_many_processes_begin(monkeypatch):
    monkeypatch.setattr(usage, "MOST_CLIENTS", 5)
    application = make_application()
    barrier = threading.Barrier(8)

    def process(number: int) -> None:
        barrier.wait()
        usage.Tally(usage.write).note(
            usage.Use(application.pk, f"c{number}", (("grant_type", "password"),)), NOW
        )
        connections.close_all()

    threads = [threading.Thread(target=process, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = stored(application)
    assert len(found) == 6
    assert found[usage.OTHERS] == 3


def test_threads_of_one_process_lose_no_count(list_app):
    written = Written()
    tally = usage.Tally(written, ProcessClock())

    def work() -> None:
        for _ in range(2000):
            tally.note(usage.Use(list_app.pk, "a", ()), NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.flush()

    assert sum(seen.requests for _, seen in written) == 8000
