"""`deliver_logouts`: each application is told of each sign-out, whatever dies in between."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, connection, connections
from django.utils import timezone

from oidc_pkce import outbound
from oidc_pkce.flows import back_channel_logout, cleanup
from oidc_pkce.flows.back_channel_logout import LEASE, Outcome, attempt, deliver_due
from oidc_pkce.management import doctor
from oidc_pkce.management.commands import deliver_logouts
from oidc_pkce.models import Application, AuditEvent, LogoutDelivery
from tests.fixtures import make_user
from tests.journeys import FORM, Answer, Browser, Journey, encode, make_application
from tests.spec import spec

LOOPBACK = "http://127.0.0.1:8000"
EVENT = "http://schemas.openid.net/event/backchannel-logout"

pytestmark = pytest.mark.django_db(transaction=True)


class Party(BaseHTTPRequestHandler):
    """An application that is told; it answers as the test says."""

    posts: list[str]
    answer: Callable[[], int]

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        assert self.headers["Content-Type"] == FORM
        assert list(form) == ["logout_token"]
        self.posts.append(form["logout_token"][0])
        self.send_response(type(self).answer())
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""


@pytest.fixture(autouse=True)
def on_this_machine(settings: Any) -> None:
    """Plain http reaches this machine only while ISSUER_BASE is on it, too."""
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ISSUER_BASE": LOOPBACK}


@pytest.fixture
def party() -> Iterator[Any]:
    handler = type("OneParty", (Party,), {"posts": [], "answer": staticmethod(lambda: 200)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.address = f"http://127.0.0.1:{server.server_port}/logout?of=portal"  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield handler
    server.shutdown()
    server.server_close()


@pytest.fixture
def telling(party: Any) -> Application:
    return make_application(
        template="Generic OpenID Connect",
        application_id="portal",
        name="Portal",
        client_ids=[],
        openid_client_id="portal-client",
        backchannel_logout_uri=party.address,
    )


def wait_for(application: Application, number: int = 1, **changes: Any) -> list[LogoutDelivery]:
    """So many sign-outs that the application is still to be told."""
    now = timezone.now()
    fields = {
        "application": application,
        "client_id": "portal-client",
        "subject": "somebody",
        "created_at": now,
        "next_attempt_at": now,
        "expires_at": now + timedelta(hours=24),
        **changes,
    }
    first = LogoutDelivery.objects.count()
    sids = (f"sid-{n}" for n in range(first, first + number))
    return [LogoutDelivery.objects.create(sid=sid, **fields) for sid in sids]


def later(**delta: float) -> Callable[[], datetime]:
    return lambda: timezone.now() + timedelta(**delta)


def unverified(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})  # type: ignore[no-any-return]


# --- what is told --------------------------------------------------------------------------------


@spec("OpenID Connect Back-Channel Logout", "2.4")
@spec("OpenID Connect Back-Channel Logout", "2.5")
def test_an_application_verifies_what_it_is_told(telling, party, run):
    """From a real sign-in to a real sign-out, over a real socket."""
    person = Journey(telling, "portal-client").log_in(make_user("ada"))
    id_token = person.tokens(scope="openid", nonce="n")["id_token"]
    page = Answer(person.browser.get("/OAuth2/EndSession"))
    answer = {"sign_out_ticket": page.hidden("sign_out_ticket"), "result": "1"}
    person.browser.post("/OAuth2/EndSession", encode(answer), content_type=FORM)

    assert run("deliver_logouts", "--json").json == {"delivered": 1, "postponed": 0, "waiting": 0}

    (token,) = party.posts
    keys = jwt.PyJWKSet.from_dict(Browser().get("/OAuth2/Keys/portal").json())
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("logout+jwt", "RS256")
    claims = jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=["RS256"],
        audience="portal-client",
        issuer=f"{LOOPBACK}/portal/",
        options={"require": ["iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"]},
    )
    mine = unverified(id_token)
    assert claims["events"] == {EVENT: {}}
    assert claims["exp"] - claims["iat"] == 120
    assert (claims["sub"], claims["sid"]) == (mine["sub"], mine["sid"])
    assert set(claims) == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert not LogoutDelivery.objects.exists()


@spec("OpenID Connect Back-Channel Logout", "2.6")
def test_a_logout_token_is_none_of_our_other_tokens(telling, party, run):
    wait_for(telling)
    run("deliver_logouts")
    (token,) = party.posts

    assert Journey(telling).userinfo(token).status == 401
    person = Journey(telling, "portal-client").log_in(make_user("ada"))
    page = Answer(person.browser.get("/OAuth2/EndSession", {"id_token_hint": token}))
    assert "Do you want to sign out?" in page.html


@pytest.mark.parametrize("status", [200, 204])
def test_what_was_taken_is_forgotten(telling, party, run, status):
    party.answer = staticmethod(lambda: status)
    wait_for(telling, 3)

    assert run("deliver_logouts").out == "Sign-outs: 3 delivered, 0 postponed, 0 waiting.\n"
    assert (
        len({jwt.decode(t, options={"verify_signature": False})["jti"] for t in party.posts}) == 3
    )
    assert run("deliver_logouts", "--json").json == {"delivered": 0, "postponed": 0, "waiting": 0}


def test_who_no_longer_wants_to_be_told_is_not(telling, party, run):
    wait_for(telling)
    Application.objects.update(backchannel_logout_uri="")

    run("deliver_logouts")

    assert party.posts == []
    assert not LogoutDelivery.objects.exists()


# --- what is tried again -------------------------------------------------------------------------


@spec("OpenID Connect Back-Channel Logout", "2.8")
@pytest.mark.parametrize("status", [201, 302, 400, 401, 404, 500, 501, 503])
def test_what_was_not_taken_is_tried_again(telling, party, run, status):
    party.answer = staticmethod(lambda: status)
    (delivery,) = wait_for(telling)

    assert run("deliver_logouts", "--json").json == {"delivered": 0, "postponed": 1, "waiting": 1}

    delivery.refresh_from_db()
    assert delivery.last_error == f"The application answered {status}."
    assert delivery.attempts == 1
    pause = (delivery.next_attempt_at - delivery.created_at).total_seconds()
    assert 2.5 <= pause < 10
    assert len(party.posts) == 1
    assert deliver_due(timezone.now) == Counter()
    party.answer = staticmethod(lambda: 200)
    assert deliver_due(later(seconds=10)) == {Outcome.DELIVERED: 1}
    first, second = (unverified(t) for t in party.posts)
    assert first["jti"] != second["jti"]


def test_pauses_double_up_to_an_hour():
    seconds = [back_channel_logout._pause(n).total_seconds() for n in range(1, 40)]
    expected = [min(5 * 2**n, 3600) for n in range(39)]

    assert all(most / 2 <= s <= most for s, most in zip(seconds, expected, strict=True))
    assert back_channel_logout._pause(32767) <= timedelta(hours=1)
    assert len({back_channel_logout._pause(9) for _ in range(9)}) > 1


def test_what_cannot_be_reached_says_why(telling, party, run, settings):
    closed = "http://127.0.0.1:9/logout"
    for address, base, why in (
        (closed, LOOPBACK, "127.0.0.1 cannot be reached: "),
        (party.address, "https://id.example.com", " is not https; "),
        ("https://127.0.0.1/", "https://id.example.com", "which is not public"),
        ("https://nowhere.invalid/", LOOPBACK, "The name nowhere.invalid has no address."),
    ):
        settings.OIDC_PKCE = {**settings.OIDC_PKCE, "ISSUER_BASE": base}
        Application.objects.update(backchannel_logout_uri=address)
        (delivery,) = wait_for(telling)
        assert run("deliver_logouts", "--json").json["postponed"] == 1
        delivery.refresh_from_db()
        assert why in delivery.last_error
        delivery.delete()
    assert party.posts == []


def test_no_error_holds_the_token(telling, party, run, monkeypatch, caplog):
    caplog.set_level("DEBUG")
    party.answer = staticmethod(lambda: 400)
    wait_for(telling)

    ran = run("deliver_logouts")

    said = f"{ran}{caplog.text}{LogoutDelivery.objects.get().last_error}"
    assert party.posts[0] not in said
    assert party.posts[0].split(".")[2] not in said


def test_a_dead_application_costs_the_others_one_attempt_a_round(telling, party, run):
    """However many tokens wait for it, and however long it has been dead."""
    dead = make_application(
        application_id="dead", backchannel_logout_uri="http://127.0.0.1:9/", client_ids=["c"]
    )
    early = timezone.now() - timedelta(hours=1)
    wait_for(dead, 5, client_id="c", next_attempt_at=early)
    wait_for(telling, 5)

    told = deliver_due(timezone.now)

    assert told == {Outcome.DELIVERED: 5, Outcome.UNREACHABLE: 1}
    assert LogoutDelivery.objects.filter(attempts=0).count() == 4


def test_a_slow_application_has_its_turn_and_no_more(telling, party, monkeypatch):
    other = make_application(
        application_id="other", backchannel_logout_uri=party.address, client_ids=["c"]
    )
    wait_for(telling, 5)
    wait_for(other, 1, client_id="c")
    clock = {"now": timezone.now()}

    def slow(*args: Any, **kwargs: Any) -> outbound.Answer:
        clock["now"] += timedelta(seconds=4)
        return outbound.Answer(200, {}, b"")

    monkeypatch.setattr(outbound, "post", slow)

    assert deliver_due(lambda: clock["now"]) == {Outcome.DELIVERED: 4}
    assert list(LogoutDelivery.objects.values_list("application", flat=True)) == [telling.pk] * 2


def test_an_application_that_says_nothing_is_not_waited_for(telling, party, monkeypatch):
    monkeypatch.setattr(back_channel_logout, "TIME_LIMIT", 0.2)
    party.answer = staticmethod(lambda: time.sleep(2) or 200)
    wait_for(telling)
    began = time.monotonic()

    assert deliver_due(timezone.now) == {Outcome.UNREACHABLE: 1}
    assert time.monotonic() - began < 1.5
    assert LogoutDelivery.objects.get().last_error == "127.0.0.1 took longer than 0.2 seconds."


# --- nothing is lost -----------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing of ours catches this."""


def test_a_process_that_dies_before_the_post_loses_nothing(telling, party, monkeypatch):
    wait_for(telling)

    def die(*args: Any, **kwargs: Any) -> Any:
        assert not connection.in_atomic_block  # the claim is committed, nothing is locked
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(outbound, "post", die)
        with pytest.raises(Killed):
            deliver_due(timezone.now)

    assert deliver_due(timezone.now) == Counter()
    assert deliver_due(lambda: timezone.now() + LEASE) == {Outcome.DELIVERED: 1}
    assert len(party.posts) == 1
    assert not LogoutDelivery.objects.exists()


def test_a_process_that_dies_after_the_post_tells_twice(telling, party, monkeypatch):
    wait_for(telling)

    def die(*args: Any, **kwargs: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(LogoutDelivery, "delete", die)
        with pytest.raises(Killed):
            deliver_due(timezone.now)

    assert deliver_due(timezone.now) == Counter()
    assert deliver_due(lambda: timezone.now() + LEASE) == {Outcome.DELIVERED: 1}
    assert len(party.posts) == 2
    assert not LogoutDelivery.objects.exists()


def test_a_claim_belongs_to_one(telling, party):
    (delivery,) = wait_for(telling)
    now = timezone.now()

    assert LogoutDelivery.objects.claim(delivery.pk, now, now + LEASE)
    assert attempt(delivery.pk, now) is Outcome.ELSEWHERE
    assert attempt(delivery.pk, now + LEASE) is Outcome.DELIVERED
    assert attempt(delivery.pk, now + LEASE) is Outcome.ELSEWHERE


def test_who_was_suspended_beyond_its_claim_does_not_disturb_the_next(telling, party, monkeypatch):
    (delivery,) = wait_for(telling)
    now = timezone.now()
    theirs = now + 2 * LEASE

    def lose(*args: Any, **kwargs: Any) -> Any:
        assert LogoutDelivery.objects.claim(delivery.pk, now + LEASE, theirs)
        raise outbound.OutboundFailed("It took too long.")

    monkeypatch.setattr(outbound, "post", lose)
    attempt(delivery.pk, now)

    delivery.refresh_from_db()
    assert (delivery.next_attempt_at, delivery.last_error) == (theirs, "")


def test_deliverers_at_once_post_each_token_once(telling, party):
    """As separate processes: each has a connection of its own, and looks at the same rows."""
    wait_for(telling, 30)
    barrier = threading.Barrier(4)

    def deliver() -> Counter[Outcome]:
        barrier.wait(timeout=60)
        try:
            return deliver_due(timezone.now)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        told = sum((f.result() for f in [pool.submit(deliver) for _ in range(4)]), Counter())

    assert told[Outcome.DELIVERED] == 30
    assert set(told) <= {Outcome.DELIVERED, Outcome.ELSEWHERE}
    sids = [unverified(t)["sid"] for t in party.posts]
    assert Counter(sids) == dict.fromkeys((f"sid-{n}" for n in range(30)), 1)


@pytest.mark.postgresql
def test_of_twenty_claims_at_once_one_holds_on_postgresql(telling):
    for delivery in wait_for(telling, 10):
        barrier, now = threading.Barrier(20), timezone.now()

        def claim(delivery: Any = delivery, barrier: Any = barrier, now: Any = now) -> bool:
            barrier.wait(timeout=60)
            try:
                return LogoutDelivery.objects.claim(delivery.pk, now, now + LEASE)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(20) as pool:
            assert sum(f.result() for f in [pool.submit(claim) for _ in range(20)]) == 1


# --- for ever ------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_until_it_is_told_to_stop(telling, party, run, monkeypatch, number):
    monkeypatch.setattr(deliver_logouts, "PAUSE", 0.01)
    before = signal.getsignal(number)
    wait_for(telling)

    def second() -> None:
        while party.posts == []:
            time.sleep(0.01)
        wait_for(telling)
        while len(party.posts) < 2:
            time.sleep(0.01)
        connections.close_all()
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=second)
    thread.start()
    ran = run("deliver_logouts", "--forever")
    thread.join()

    assert len(party.posts) == 2
    assert ran.out.count("Sign-outs: 1 delivered") == 2
    assert signal.getsignal(number) is before


def test_what_is_under_way_is_finished_and_the_rest_stays(telling, party, run):
    def stop() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.1)
        return 200

    party.answer = staticmethod(stop)
    wait_for(telling, 3)

    ran = run("deliver_logouts", "--forever", "--json")

    assert ran.json == {"delivered": 1, "postponed": 0, "waiting": 2}
    assert LogoutDelivery.objects.filter(attempts=0).count() == 2


@pytest.mark.parametrize("trouble", [DatabaseError, InterfaceError])
def test_a_database_that_is_away_is_waited_for(telling, party, run, monkeypatch, caplog, trouble):
    monkeypatch.setattr(deliver_logouts, "PAUSE", 0.01)
    wait_for(telling)
    real, rounds = deliver_due, []

    def away(*args: Any) -> Counter[Outcome]:
        rounds.append(1)
        if len(rounds) == 1:
            raise trouble("the server closed the connection")
        os.kill(os.getpid(), signal.SIGTERM)
        return real(args[0])

    monkeypatch.setattr(back_channel_logout, "deliver_due", away)
    run("deliver_logouts", "--forever")

    assert "cannot be delivered at this moment" in caplog.text
    assert len(party.posts) == 1
    rounds.clear()
    with pytest.raises(trouble):
        call_command("deliver_logouts")


# --- what is given up ----------------------------------------------------------------------------


def test_after_a_day_it_is_given_up_and_the_audit_log_says_so(telling, party, run):
    over = {"expires_at": timezone.now() - timedelta(seconds=1), "last_error": "It is away."}
    wait_for(telling, 2, **over)
    wait_for(telling, 1, client_id="another", **over)
    wait_for(telling)

    assert run("deliver_logouts", "--json").json == {"delivered": 1, "postponed": 0, "waiting": 3}
    assert cleanup.sweep(timezone.now())["logout_deliveries"] == 3
    assert cleanup.sweep(timezone.now())["logout_deliveries"] == 0

    events = AuditEvent.objects.filter(action="logout.given_up").order_by("client_id")
    assert [(e.client_id, e.application, e.application_name, e.details) for e in events] == [
        ("another", telling, "Portal", {"deliveries": 1, "last_error": "It is away."}),
        ("portal-client", telling, "Portal", {"deliveries": 2, "last_error": "It is away."}),
    ]
    assert len(party.posts) == 1


def test_the_doctor_complains_when_nobody_delivers(telling):
    ours, elsewhere = doctor.Issuer(f"{LOOPBACK}/portal/"), doctor.Issuer("https://op.example/")
    wait_for(telling, 2)
    assert list(doctor.sign_outs_are_told(ours)) == []

    LogoutDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=61))

    (complaint,) = doctor.sign_outs_are_told(ours)
    assert "2 sign-outs have waited" in complaint
    assert "deliver_logouts --forever" in complaint
    assert list(doctor.sign_outs_are_told(elsewhere)) == []
