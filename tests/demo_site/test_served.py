"""demo_site as `make serve` serves it."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.live_server import ProductionServer, production_server

HOST = "id.example.com"


@pytest.fixture(scope="module")
def behind_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProductionServer]:
    """The server as it stands behind a proxy that ends TLS."""
    folder = tmp_path_factory.mktemp("behind_tls")
    with production_server(folder, DJANGO_ALLOWED_HOSTS=f"{HOST},127.0.0.1", **BASE) as server:
        yield server


BASE = {"OIDC_PKCE_ISSUER_BASE": f"https://{HOST}"}


def get(server: ProductionServer, path: str, host: str = "") -> http.client.HTTPResponse:
    address = urlsplit(f"http://127.0.0.1:{server.environment['PORT']}")
    connection = http.client.HTTPConnection(address.netloc, timeout=30)
    headers = {"Host": host or address.netloc, "X-Forwarded-Proto": "https"}
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def test_static_files_need_no_further_command(live_provider: ProductionServer) -> None:
    answer = get(live_provider, "/static/admin/css/base.css")

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/css")


def test_the_administration_runs_no_foreign_and_no_inline_script(
    live_provider: ProductionServer,
) -> None:
    policy = get(live_provider, "/admin/login/").headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'self'; ")
    assert "unsafe" not in policy


def test_on_loopback_cookies_travel_over_http(live_provider: ProductionServer) -> None:
    cookie = get(live_provider, "/admin/login/").headers["Set-Cookie"]

    assert "csrftoken=" in cookie
    assert "Secure" not in cookie


def test_behind_tls_cookies_are_secure_and_browsers_stay_with_https(
    behind_tls: ProductionServer,
) -> None:
    answer = get(behind_tls, "/admin/login/", HOST)

    assert answer.status == 200
    assert "; Secure" in answer.headers["Set-Cookie"]
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]


def test_a_host_that_nobody_configured_is_refused(
    behind_tls: ProductionServer,
) -> None:
    assert get(behind_tls, "/admin/login/", "evil.example.com").status == 400


def test_the_deployment_checks_have_nothing_to_say(behind_tls: ProductionServer) -> None:
    behind_tls.manage("check", "--deploy", "--fail-level", "WARNING")


def test_a_missing_page_tells_no_inner_detail(live_provider: ProductionServer) -> None:
    answer = get(live_provider, "/no/such/page")

    assert answer.status == 404
    assert b"ROOT_URLCONF" not in answer.read()
