"""`make demo`: what a stranger sees, and what it refuses."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path
from socket import create_server, socket

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured

from demo_site import seed
from oidc_pkce.models import Application, AuditEvent, Permission, SigningKey
from tests.demo_site.running_demo import demo_environment, running_demo, start

BASE = "http://127.0.0.1:8000"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_both_until_a_signal_comes(tmp_path: Path, number: signal.Signals) -> None:
    with running_demo(tmp_path) as demo:
        issuers = [demo.ask(f"{client}/config.json")["issuer"] for client in demo.clients]
        for issuer in issuers:
            metadata = demo.ask(f"{issuer}.well-known/openid-configuration")
            assert metadata["issuer"] == issuer
            assert demo.ask(metadata["jwks_uri"])["keys"]
        for told in (*demo.clients, f"{demo.base}/admin/", *(p.password for p in seed.PEOPLE)):
            assert told in demo.printed

        demo.process.send_signal(number)

        rest, _ = demo.process.communicate(timeout=20)
        assert (demo.process.returncode, rest) == (0, "Stopped.\n")
        for address in (demo.base, *demo.clients):
            assert not answers(int(address.rpartition(":")[2]))


def answers(port: int) -> bool:
    with closing(socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("variable", ["PORT", "SAMPLE_CLIENT_PORT"])
def test_a_port_that_is_taken_is_named_with_a_cure(tmp_path: Path, variable: str) -> None:
    environment = demo_environment(tmp_path)
    port = int(environment[variable])
    with create_server(("127.0.0.1", port)):
        printed, _ = (process := start(environment)).communicate(timeout=20)

    assert process.returncode == 1
    assert printed.startswith(f"CommandError: Something listens on port {port} of ")
    assert f"{variable}={port + 100} make demo" in printed


def test_what_is_no_port_is_told(tmp_path: Path) -> None:
    environment = demo_environment(tmp_path, SAMPLE_CLIENT_PORT="five thousand")

    printed, _ = start(environment).communicate(timeout=20)

    assert "SAMPLE_CLIENT_PORT is" in printed


@pytest.mark.parametrize(
    "addresses",
    [("https://id.example.com", "127.0.0.1"), (BASE, "0.0.0.0"), (BASE, ""), (BASE, "::")],  # noqa: S104
)
def test_known_passwords_stay_on_this_machine(addresses: tuple[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="passwords that everybody knows"):
        seed.refuse_unless_local(*addresses)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]", "localhost"])
def test_loopback_is_this_machine(host: str) -> None:
    seed.refuse_unless_local("http://localhost:8000", "http://[::1]:8000", host)


def test_seeding_twice_changes_nothing(db: None) -> None:
    clients = seed.sample_clients(BASE, 5000)
    first = seed.seed(clients)
    before = state()

    assert seed.seed(clients) == first
    assert state() == before
    assert Application.objects.get(application_id="sample_app").redirect_uris == [
        "http://localhost:5000/callback"
    ]


def test_seeding_keeps_what_people_changed(db: None) -> None:
    seed.seed(seed.sample_clients(BASE, 5000))
    ada = get_user_model().objects.get(username="ada")
    ada.set_password("something else")
    ada.save()
    Application.objects.update(name="Renamed", requires_consent=False)

    passwords = seed.seed(seed.sample_clients(BASE, 6000))

    assert [person.username for person, known in passwords.items() if not known] == ["ada"]
    found = Application.objects.get(application_id=seed.OPENID_APPLICATION)
    assert (found.name, found.requires_consent) == ("Renamed", False)
    assert found.redirect_uris == [f"http://localhost:{port}/callback" for port in (5001, 6001)]


def test_what_seeding_makes_stands_in_the_audit_log(db: None) -> None:
    seed.seed(seed.sample_clients(BASE, 5000))

    made = AuditEvent.objects.filter(action="application.created")
    assert {event.actor_name for event in made} == {"demo"}
    assert made.count() == Application.objects.count() == 2


def state() -> list[object]:
    models = (get_user_model(), Application, Permission, SigningKey)
    return [list(model.objects.order_by("pk").values()) for model in models]
