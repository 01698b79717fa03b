"""The doctor finds a healthy provider healthy, and names what ails another."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from oidc_pkce.management.doctor import EXAMINATIONS
from oidc_pkce.protocol import jwk
from tests.live_server import ProductionServer

ADD_APPLICATION = "from tests.journeys import make_application; make_application()"
PUBLIC_KEY = jwk.public_jwk(jwk.generate("ES256"), kid="one", algorithm="ES256")
PUBLIC = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=300"}

Page = tuple[int, dict[str, str], Any]
Site = dict[tuple[str, str], Page]


def healthy_site(base: str) -> Site:
    """What a provider in good health answers, by method and path."""
    metadata = {
        "issuer": f"{base}/app/",
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/keys",
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
    }
    names = ("openid-configuration", "oauth-authorization-server")
    paths = [p for n in names for p in (f"/app/.well-known/{n}", f"/.well-known/{n}/app")]
    refusal = {"error": "invalid_request"}
    return {
        **{("GET", path): (200, PUBLIC, metadata) for path in paths},
        ("GET", "/keys"): (200, PUBLIC, {"keys": [PUBLIC_KEY]}),
        ("GET", "/authorize"): (400, {"Content-Type": "text/html; charset=utf-8"}, "<p>No."),
        ("GET", "/token"): (405, {"Allow": "POST"}, ""),
        ("POST", "/token"): (400, {"Cache-Control": "no-store"}, refusal),
    }


class Patient(BaseHTTPRequestHandler):
    """Answers as the site of its server says."""

    site: Site
    offset = 0

    def do_GET(self) -> None:
        status, headers, body = self.site.get((self.command, self.path), (404, {}, ""))
        content = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response_only(status)
        sent = {"Date": formatdate(time.time() + self.offset, usegmt=True), **headers}
        for name, value in {**sent, "Content-Length": str(len(content))}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""


@pytest.fixture
def patient(db: None) -> Iterator[tuple[str, type[Patient]]]:
    """A provider whose answers a test may spoil, and its base."""
    handler = type("OnePatient", (Patient,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    base = f"http://127.0.0.1:{server.server_port}"
    handler.site = healthy_site(base)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield base, handler
    server.shutdown()
    server.server_close()


def findings(issuer: str, capsys: pytest.CaptureFixture[str]) -> dict[str, list[str]]:
    """What the doctor complains of, by examination."""
    with suppress(CommandError):
        call_command("oidc_doctor", issuer, "--json")
    told = json.loads(capsys.readouterr().out)
    found = {each["examination"]: each["complaints"] for each in told["findings"]}
    assert told["healthy"] is not any(found.values())
    return {name: complaints for name, complaints in found.items() if complaints}


def test_our_own_server_is_healthy(live_provider: ProductionServer) -> None:
    live_provider.manage("shell", "--no-imports", "-c", ADD_APPLICATION)

    by_name = live_provider.manage("oidc_doctor", "MY_APP")
    by_address = live_provider.manage("oidc_doctor", f"{live_provider.base}/my_app", "--json")

    assert by_name.count("ok ") == len(EXAMINATIONS)
    assert json.loads(by_address)["healthy"] is True


def test_an_application_that_does_not_exist_is_named(live_provider: ProductionServer) -> None:
    with pytest.raises(RuntimeError, match=r"nobody/\.well-known/openid-configuration answers 404"):
        live_provider.manage("oidc_doctor", "nobody")


def test_a_healthy_stranger_is_healthy(
    patient: tuple[str, type[Patient]], capsys: pytest.CaptureFixture[str]
) -> None:
    base, _ = patient

    assert findings(f"{base}/app", capsys) == {}
    assert findings(f"{base}/app/.well-known/openid-configuration", capsys) == {}


def all_metadata(site: Site, **members: Any) -> None:
    for key in [key for key in site if ".well-known" in key[1]]:
        status, headers, document = site[key]
        site[key] = (status, headers, {**document, **members})


def spoil(method: str, path: str, *page: Any) -> Callable[[Site], None]:
    return lambda site: site.update({(method, path): page})


AILMENTS: dict[str, tuple[str, str, Callable[[Site], None]]] = {
    "a path without metadata": (
        "metadata",
        "/.well-known/openid-configuration/app answers 404.",
        lambda site: site.pop(("GET", "/.well-known/openid-configuration/app")) and None,
    ),
    "metadata that is no JSON": (
        "metadata",
        "answers something that is not JSON",
        spoil("GET", "/.well-known/openid-configuration/app", 200, PUBLIC, "<html>"),
    ),
    "two documents": (
        "metadata",
        "answers another document than",
        spoil("GET", "/.well-known/openid-configuration/app", 200, PUBLIC, {"issuer": "x"}),
    ),
    "another issuer": (
        "issuer",
        'says issuer "https://id.example.com/app"',
        lambda site: all_metadata(site, issuer="https://id.example.com/app"),
    ),
    "an endpoint elsewhere": (
        "endpoints",
        "userinfo_endpoint is https://elsewhere.example/, which is not on",
        lambda site: all_metadata(site, userinfo_endpoint="https://elsewhere.example/"),
    ),
    "no PKCE": (
        "pkce",
        "does not offer S256",
        lambda site: all_metadata(site, code_challenge_methods_supported=["plain"]),
    ),
    "a key that is none": (
        "keys",
        "The key one cannot be used",
        spoil("GET", "/keys", 200, PUBLIC, {"keys": [{"kid": "one", "kty": "EC", "alg": "ES256"}]}),
    ),
    "two keys of one name": (
        "keys",
        "have no kid each of its own",
        spoil("GET", "/keys", 200, PUBLIC, {"keys": [PUBLIC_KEY, PUBLIC_KEY]}),
    ),
    "an algorithm without a key": (
        "algorithms",
        "promises RS256",
        lambda site: all_metadata(site, id_token_signing_alg_values_supported=["RS256", "ES256"]),
    ),
    "keys that scripts cannot read": (
        "public_documents",
        "no Access-Control-Allow-Origin",
        spoil(
            "GET",
            "/keys",
            200,
            {**PUBLIC, "Access-Control-Allow-Origin": ""},
            {"keys": [PUBLIC_KEY]},
        ),
    ),
    "keys that nobody may keep": (
        "public_documents",
        "no Cache-Control with a max-age",
        spoil("GET", "/keys", 200, {**PUBLIC, "Cache-Control": "no-store"}, {"keys": [PUBLIC_KEY]}),
    ),
    "a redirect to whoever asks": (
        "authorize",
        "redirects a request without parameters",
        spoil("GET", "/authorize", 302, {"Location": "https://evil.example/"}, ""),
    ),
    "no error page": (
        "authorize",
        "no error page",
        spoil("GET", "/authorize", 500, {"Content-Type": "text/html"}, "trouble"),
    ),
    "a token endpoint that takes GET": (
        "token_method",
        "answers GET with 200 instead of 405",
        spoil("GET", "/token", 200, {}, {}),
    ),
    "a refusal without an error": (
        "token_error",
        "no error in JSON",
        spoil("POST", "/token", 400, {"Cache-Control": "no-store"}, "Bad Request"),
    ),
    "a refusal that caches keep": (
        "token_error",
        "no-store is missing",
        spoil("POST", "/token", 400, {}, {"error": "invalid_request"}),
    ),
}


@pytest.mark.parametrize("ailment", AILMENTS)
def test_each_ailment_is_named(
    ailment: str, patient: tuple[str, type[Patient]], capsys: pytest.CaptureFixture[str]
) -> None:
    base, handler = patient
    examination, sentence, apply = AILMENTS[ailment]
    apply(handler.site)

    found = findings(f"{base}/app/", capsys)

    assert list(found) == [examination], found
    assert any(sentence in complaint for complaint in found[examination])


def test_a_clock_that_differs_is_named(
    patient: tuple[str, type[Patient]], capsys: pytest.CaptureFixture[str]
) -> None:
    base, handler = patient
    handler.offset = -90

    (complaint,) = findings(f"{base}/app/", capsys)["clock"]
    assert "differ by" in complaint


def test_a_server_that_does_not_answer_is_named_once(
    db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    found = findings("http://127.0.0.1:9/app/", capsys)

    assert found == {"metadata": ["127.0.0.1 cannot be reached: Connection refused."]}


def test_plain_http_is_named(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    found = findings("http://192.0.2.1/app/", capsys)

    assert "is not https: everybody on the way" in found["https"][0]
    assert "is not https" in found["metadata"][0]


def test_sentences_are_printed_and_the_exit_code_is_one(
    patient: tuple[str, type[Patient]], capsys: pytest.CaptureFixture[str]
) -> None:
    base, handler = patient
    AILMENTS["no PKCE"][2](handler.site)

    with pytest.raises(CommandError, match=f"1 of {len(EXAMINATIONS)} examinations"):
        call_command("oidc_doctor", f"{base}/app/")
    printed = capsys.readouterr().out
    assert "WRONG  The metadata does not offer S256" in printed
    assert "  ok   The issuer's clock and this machine's agree." in printed
