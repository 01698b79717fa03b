"""The Snippets page as a developer sees it: opened by an administrator, its blocks copied."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser

import requests

from tests.clients.person import Form
from tests.live_server import ProductionServer

KEYS = """
import json
from oidc_pkce.models import Application
print(json.dumps(dict(Application.objects.values_list("application_id", "pk"))))
"""


class Blocks(HTMLParser):
    """Every text that the page offers for copying, by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self._name: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._name = dict(attrs)["data-copy-name"] or ""
            self.texts[self._name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._name = None

    def handle_data(self, data: str) -> None:
        if self._name is not None:
            self.texts[self._name] += data


def blocks_of(html: str) -> dict[str, str]:
    parser = Blocks()
    parser.feed(html)
    return parser.texts


@dataclass
class SnippetPage:
    """An administrator's browser before a live server."""

    server: ProductionServer
    username: str
    password: str
    http: requests.Session = field(default_factory=requests.Session)
    _keys: dict[str, int] = field(default_factory=dict)

    def sign_in(self) -> SnippetPage:
        page = self.http.get(f"{self.server.base}/admin/login/")
        typed = {"username": self.username, "password": self.password}
        fields = {name: typed.get(name, value) for name, value in Form.of(page.text).fields}
        arrived = self.http.post(page.url, data=fields, headers={"Referer": page.url})
        assert "/admin/login/" not in arrived.url
        return self

    def copy(self, application_id: str, client: str, **choices: str) -> dict[str, str]:
        """What the page offers to copy for one client, as printed."""
        if application_id not in self._keys:
            self._keys = json.loads(self.server.manage("shell", "--no-imports", "-c", KEYS))
        address = f"/admin/oidc_pkce/application/{self._keys[application_id]}/snippets/"
        query = {"client": client, **choices}
        answer = self.http.get(self.server.base + address, params=query)
        assert answer.status_code == 200, answer.text
        return blocks_of(answer.text)
