"""A person with a browser, played over HTTP: follows redirects, fills in the forms they meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

PAGES_AT_MOST = 10
Fields = list[tuple[str, str]]


@dataclass(frozen=True)
class Callback:
    """What arrived at the client: where, and which parameters in which order."""

    url: str
    fields: Fields
    is_form: bool = False

    @property
    def parameters(self) -> dict[str, str]:
        return dict(self.fields)

    @property
    def form(self) -> Fields | None:
        return self.fields if self.is_form else None


@dataclass
class Person:
    """Signs in with a user name and a password, and allows what is asked."""

    base: str
    username: str
    password: str
    http: requests.Session = field(default_factory=requests.Session)

    def open(self, url: str, *, allow: bool = True, unticked: tuple[str, ...] = ()) -> Callback:
        """Open an authorization URL; go on until the browser leaves the provider."""
        answer = self.http.get(url, allow_redirects=False)
        for _ in range(PAGES_AT_MOST):
            assert answer.status_code < 400, answer.text
            location = answer.headers.get("Location")
            if location is None:
                form = Form.of(answer.text)
                if not form.action_on(answer.url).startswith(self.base):
                    return Callback(form.action, form.fields, is_form=True)
                answer = self._submit(form, answer.url, allow, unticked)
            elif location.startswith(f"{self.base}/"):
                answer = self.http.get(location, allow_redirects=False)
            else:
                return Callback(location, pairs_of(location))
        raise AssertionError(f"no end to the pages of {url}")

    def _submit(
        self, form: Form, page: str, allow: bool, unticked: tuple[str, ...]
    ) -> requests.Response:
        typed = {"username": self.username, "password": self.password}
        sent = [(name, typed.get(name, value)) for name, value in form.fields]
        sent = [pair for pair in sent if not (pair[0] == "scope" and pair[1] in unticked)]
        if "result" in form.buttons:
            sent.append(("result", "1" if allow else "0"))
        headers = {"Origin": self.base, "Referer": page}
        return self.http.post(
            form.action_on(page), data=sent, headers=headers, allow_redirects=False
        )


def pairs_of(url: str) -> Fields:
    parts = urlsplit(url)
    return parse_qsl(parts.query or parts.fragment, keep_blank_values=True)


class Form(HTMLParser):
    """The one form of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: Fields = []
        self.buttons: set[str] = set()

    @classmethod
    def of(cls, html: str) -> Form:
        form = cls()
        form.feed(html)
        assert form.action, f"no form in this page:\n{html}"
        return form

    def action_on(self, page: str) -> str:
        return urljoin(page, self.action)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = attributes["action"]
        elif tag == "input" and "name" in attributes:
            self.fields.append((attributes["name"], attributes.get("value", "")))
        elif tag == "button" and "name" in attributes:
            self.buttons.add(attributes["name"])
