"""The snippet of oidc-client-ts: copied from the portal's page, loaded by a browser as printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from tests import postgres
from tests.browser.conftest import Complaints
from tests.browser.journey import PASSWORD, Site, sign_in
from tests.clients.provisioning import provision
from tests.clients.snippet_page import SnippetPage
from tests.clients.test_javascript import HERE
from tests.clients.test_snippets import NASTY, OPENID
from tests.live_server import ProductionServer

PACKAGES = HERE / "node_modules"
MODULES = {
    "oidc-client-ts": "oidc-client-ts/dist/esm/oidc-client-ts.js",
    "jwt-decode": "jwt-decode/build/esm/index.js",
}
#: The application around the snippet: what a bundler and its start page do.
START = """<!doctype html><title>Browser app</title>
<script type="importmap">{"imports": %s}</script>
<script type="module">
import { signedIn } from "/sign-in.js";
const user = await signedIn();
if (user) document.body.textContent = JSON.stringify([user.scope, user.profile]);
</script><body></body>"""


@pytest.fixture(scope="module")
def redirects(site: Site, live_provider: ProductionServer) -> dict[str, str]:
    uris = {
        name: f"http://localhost:{postgres.free_port()}/it's/$HOME"
        for name in ("script_list", "script_openid")
    }
    common = {"name": f"Script {NASTY}", "issues_refresh_tokens": True}
    listed = {
        "application_id": "script_list",
        "client_ids": [NASTY],
        "redirect_uris": [uris["script_list"]],
        "scopes": {"it's`read`$HOME": "Read"},
    }
    openid = {
        "application_id": "script_openid",
        **OPENID,
        "openid_client_id": "33333333-0f0c-4d0e-9a53-1c1de8ef0a11",
        "redirect_uris": [uris["script_openid"]],
    }
    provision(live_provider, applications=[{**listed, **common}, {**openid, **common}])
    return uris


@pytest.mark.parametrize("application_id", ["script_list", "script_openid"])
def test_oidc_client_ts_signs_a_person_in_as_printed(
    redirects: dict[str, str],
    live_provider: ProductionServer,
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
    application_id: str,
) -> None:
    portal = SnippetPage(live_provider, "robin", PASSWORD).sign_in()
    copied = portal.copy(application_id, "oidc-client-ts")["sign-in.js"]
    page, start = new_context().new_page(), redirects[application_id]
    complaints.watch(page)

    with served(start, copied):
        page.goto(start)
        sign_in(page)
        expect(page.locator("body")).to_contain_text("[")
        scope, profile = json.loads(page.locator("body").inner_text())

    if application_id == "script_list":
        assert scope == "it's`read`$HOME"
    else:
        assert scope == "openid profile email offline_access"
        assert profile["preferred_username"] == "ada"
    assert page.url == start  # no code or state stays in the address
    assert not complaints.texts


@contextmanager
def served(start: str, copied: str) -> Iterator[None]:
    """The browser app's own server: the start page, the snippet, and the packages it imports."""
    imports = json.dumps({name: f"/{name}.js" for name in MODULES})
    scripts = {f"/{name}.js": (PACKAGES / path).read_bytes() for name, path in MODULES.items()}
    scripts["/sign-in.js"] = copied.encode()

    class App(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script = scripts.get(self.path)
            self.send_response(200)
            kind = "javascript" if script else "html"
            self.send_header("Content-Type", f"text/{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(script or (START % imports).encode())

        def log_message(self, *_: object) -> None:
            """Keep the test's output short."""

    server = ThreadingHTTPServer(("127.0.0.1", urlsplit(start).port or 0), App)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
