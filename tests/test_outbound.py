"""What this server may ask of others: https, public addresses, once, bounded in size and time."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from oidc_pkce import outbound
from oidc_pkce.outbound import OutboundFailed, OutboundRefused
from tests.spec import spec

NAME = "partner.example"


class Handler(BaseHTTPRequestHandler):
    """Answers by path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.strip("/").partition("?")[0] or "hello"
        getattr(self, f"answer_{name}")()

    def do_POST(self) -> None:
        self.answer(200, self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for header, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def answer_hello(self) -> None:
        self.answer(200, b"hello", X_Host=self.headers["Host"])

    def answer_redirect(self) -> None:
        self.answer(302, Location="/hello")

    def answer_largest(self) -> None:
        self.answer(200, b"x" * outbound.MAX_BODY)

    def answer_oversized(self) -> None:
        self.answer(200, b"x" * (outbound.MAX_BODY + 1))

    def answer_endless(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    def answer_broken(self) -> None:
        self.answer(200, b"half", Content_Length="8")
        self.close_connection = True

    def answer_silent(self) -> None:
        time.sleep(2)

    def answer_dripping(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        for _ in range(40):
            self.wfile.write(b"x")
            time.sleep(0.05)

    def answer_dripping_headers(self) -> None:
        for _ in range(40):
            self.wfile.write(b"H")
            time.sleep(0.05)

    def answer_nonsense(self) -> None:
        self.wfile.write(b"SSH-2.0-server\r\n\r\n")
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the tests' output quiet."""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what the tests are about."""


@pytest.fixture
def server() -> Iterator[str]:
    yield from serve(None)


def serve(context: ssl.SSLContext | None) -> Iterator[str]:
    running = Quiet(("127.0.0.1", 0), Handler)
    if context:
        running.socket = context.wrap_socket(running.socket, server_side=True)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def developing(settings: Any) -> None:
    """Our own base is on this machine, as in development."""
    settings.OIDC_PKCE = {"ISSUER_BASE": "http://localhost:8000"}


@dataclass
class Resolver:
    """Stands in for the name server."""

    names: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def getaddrinfo(self, host: str, port: Any, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in self.names:
            return self.real(host, port, *args, **kwargs)
        self.asked.append(host)
        answers = self.names[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port or 0)) for a in addresses]

    real = staticmethod(socket.getaddrinfo)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made.getaddrinfo)
    return made


def test_an_answer_has_status_headers_and_body(developing: None, server: str) -> None:
    answer = outbound.get(f"{server}/hello?x=1", headers={"Accept": "text/plain"})

    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["x-host"] == server.removeprefix("http://")


def test_a_post_carries_its_body(developing: None, server: str) -> None:
    assert outbound.post(server, b"logout_token=x").body == b"logout_token=x"
    assert outbound.post(server, b"").body == b""


def test_a_redirect_is_an_answer_and_is_not_followed(developing: None, server: str) -> None:
    answer = outbound.get(f"{server}/redirect")

    assert (answer.status, answer.headers["location"]) == (302, "/hello")


@pytest.mark.parametrize("path", ["oversized", "endless"])
def test_an_oversized_answer_is_given_up(developing: None, server: str, path: str) -> None:
    with pytest.raises(OutboundFailed, match="more than 1048576 bytes"):
        outbound.get(f"{server}/{path}")


def test_the_largest_answer_is_taken(developing: None, server: str) -> None:
    assert len(outbound.get(f"{server}/largest").body) == outbound.MAX_BODY


@pytest.mark.parametrize("path", ["silent", "dripping", "dripping_headers"])
def test_a_slow_answer_is_given_up(developing: None, server: str, path: str) -> None:
    began = time.monotonic()

    with pytest.raises(OutboundFailed, match=r"took longer than 0\.3 seconds"):
        outbound.get(f"{server}/{path}", time_limit=0.3)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("path", "sentence"), [("broken", "broke off its answer"), ("nonsense", "valid HTTP")]
)
def test_half_an_answer_is_none(developing: None, server: str, path: str, sentence: str) -> None:
    with pytest.raises(OutboundFailed, match=sentence):
        outbound.get(f"{server}/{path}")


def test_a_port_that_nobody_listens_on_is_named(developing: None) -> None:
    with pytest.raises(OutboundFailed, match=r"127\.0\.0\.1 cannot be reached"):
        outbound.get("http://127.0.0.1:9")


def test_an_unknown_name_is_named(resolver: Resolver) -> None:
    resolver.names[NAME] = [[]]

    with pytest.raises(OutboundFailed, match=f"The name {NAME} has no address"):
        outbound.get(f"https://{NAME}/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://partner.example/",
        "file:///etc/passwd",
        "//partner.example",
        "https://",
        "https://ada@partner.example/",
        "https://partner.example/#top",
        "https://partner.example:port/",
        "https://[::1/",
        "https://partner.example\\@evil.example/",
        "https://partner.example/\r\nHost: evil.example",
        "https://partner.example/a b",
        "https://pärtner.example/",
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused(url: str, resolver: Resolver) -> None:
    with pytest.raises(OutboundRefused):
        outbound.get(url, trusted=True)


@spec("RFC 9700", "4.15")
@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "fd00::1",
        "2002:7f00:1::",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "::127.0.0.1",
        "::a9fe:a9fe",
    ],
)
def test_a_private_address_is_refused_by_number_and_by_name(
    address: str, resolver: Resolver
) -> None:
    resolver.names[NAME] = [[address]]
    literal = f"[{address}]" if ":" in address else address

    for host in (literal, NAME):
        with pytest.raises(OutboundRefused, match=r"is not public.*OUTBOUND_TRUSTED_NETWORKS"):
            outbound.get(f"https://{host}/")


def test_one_private_address_among_public_ones_is_refused(resolver: Resolver) -> None:
    resolver.names[NAME] = [["93.184.215.14", "10.0.0.1"]]

    with pytest.raises(OutboundRefused, match=r"has the address 10\.0\.0\.1"):
        outbound.get(f"https://{NAME}/")


@pytest.mark.parametrize("url", ["https://127.1/", "https://2130706433/", "https://0x7f000001/"])
def test_other_spellings_of_loopback_are_refused(url: str) -> None:
    with pytest.raises(OutboundRefused, match="is not public"):
        outbound.get(url)


def test_plain_http_is_refused_where_our_own_base_is_public(server: str) -> None:
    with pytest.raises(OutboundRefused, match="is not https"):
        outbound.get(server)


def test_plain_http_never_leaves_this_machine(developing: None, resolver: Resolver) -> None:
    resolver.names[NAME] = [["93.184.215.14"]]

    for trusted in (False, True):
        with pytest.raises(OutboundRefused, match="is not https"):
            outbound.get(f"http://{NAME}/", trusted=trusted)


def test_a_name_of_this_machine_is_fine_in_development(
    developing: None, resolver: Resolver, server: str
) -> None:
    resolver.names[NAME] = [["127.0.0.1"]]
    port = server.rpartition(":")[2]

    assert outbound.get(f"http://{NAME}:{port}/").headers["x-host"] == f"{NAME}:{port}"


def test_what_the_operator_names_may_be_on_this_machine(server: str) -> None:
    assert outbound.get(server, trusted=True).status == 200


def test_a_trusted_network_may_be_asked(
    settings: Any, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = {**settings.OIDC_PKCE, "OUTBOUND_TRUSTED_NETWORKS": ["10.1.0.0/16"]}
    settings.OIDC_PKCE = trusted
    resolver.names[NAME] = [["10.1.2.3"]]
    tried = []

    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "create_connection", refuse)

    with pytest.raises(OutboundFailed, match="cannot be reached: Connection refused"):
        outbound.get(f"https://{NAME}/")
    assert tried == [("10.1.2.3", 443)]
    resolver.names[NAME] = [["10.2.0.1"]]
    with pytest.raises(OutboundRefused):
        outbound.get(f"https://{NAME}/")


def test_the_name_is_resolved_once_and_the_judged_address_is_used(
    developing: None, resolver: Resolver, server: str
) -> None:
    """A name server that answers otherwise the second time changes nothing."""
    resolver.names[NAME] = [["127.0.0.1"], ["93.184.215.14"]]

    assert outbound.get(f"http://{NAME}:{server.rpartition(':')[2]}/").status == 200
    assert resolver.asked == [NAME]


@pytest.fixture
def tls_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server whose certificate is for NAME, and is trusted."""
    path = tmp_path / "certificate.pem"
    path.write_bytes(certificate_for(NAME))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    for address in serve(context):
        yield address.replace("http:", "https:")


def certificate_for(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def test_https_is_checked_against_the_name_that_was_asked(
    tls_server: str, resolver: Resolver
) -> None:
    port = tls_server.rpartition(":")[2]
    resolver.names = {NAME: [["127.0.0.1"]], "other.example": [["127.0.0.1"]]}

    assert outbound.get(f"https://{NAME}:{port}/", trusted=True).body == b"hello"
    with pytest.raises(OutboundFailed, match=r"certificate of other\.example does not hold"):
        outbound.get(f"https://other.example:{port}/", trusted=True)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls_server: str, resolver: Resolver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
    resolver.names[NAME] = [["127.0.0.1"]]

    with pytest.raises(OutboundFailed, match="does not hold"):
        outbound.get(f"https://{NAME}:{tls_server.rpartition(':')[2]}/", trusted=True)


def test_a_server_without_tls_is_named(server: str, resolver: Resolver) -> None:
    with pytest.raises(OutboundFailed, match="does not speak TLS"):
        outbound.get(server.replace("http:", "https:"), trusted=True)


def test_proxies_of_the_environment_are_not_used(
    developing: None, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert outbound.get(server).status == 200


def test_only_outbound_opens_a_socket() -> None:
    root = Path(outbound.__file__).parent
    words = ("import socket", "http.client", "urllib.request", "import requests", "import httpx")
    users = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(word in path.read_text() for word in words)
    }

    assert users == {"outbound.py"}
