"""An administrator who runs a flow as a client, by the forms of the pages alone."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.http import HttpResponse
from django.test import Client as Browser

from oidc_pkce.models import Application
from tests.journeys import BASE

HOST = "id.example.com"


class SecureBrowser(Browser):
    """Meets the administration at the server's own public address, by https."""

    def __init__(self, **options: Any) -> None:
        super().__init__(SERVER_NAME=HOST, **options)

    def generic(self, method: str, path: str, *args: Any, **options: Any) -> Any:
        return super().generic(
            method, path.removeprefix(BASE), *args, **{**options, "secure": True}
        )


@dataclass
class Form:
    """One form of a page, as it stands."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class Forms(HTMLParser):
    """Every form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._select = self._area = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.found.append(Form(given.get("action", ""), given.get("method", "get")))
        elif not self.found:
            return
        elif tag == "button" or (tag == "input" and given.get("type") == "submit"):
            self.found[-1].buttons.append((name, given.get("value", "")))
        elif tag in ("input", "select", "textarea") and name:
            self.found[-1].fields[name] = given.get("value", "")
            self.found[-1].types[name] = given.get("type", tag)
            self._select = name if tag == "select" else self._select
            self._area = name if tag == "textarea" else ""
        elif tag == "option" and "selected" in given and self._select:
            self.found[-1].fields[self._select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area:
            self.found[-1].fields[self._area] += data.removeprefix("\n")


@dataclass
class Page:
    """A page of the run."""

    response: HttpResponse
    path: str

    @property
    def html(self) -> str:
        return self.response.content.decode()

    @property
    def text(self) -> str:
        return html.unescape(self.html)

    @property
    def forms(self) -> list[Form]:
        return Forms(self.html).found

    def form(self, name: str, value: str = "") -> Form:
        """The form that has such a button, or such a field."""
        for form in self.forms:
            if (name, value) in form.buttons or (not value and name in form.fields):
                return form
        raise AssertionError(f"no form with {name}={value}:\n{self.text}")

    def offers(self, call: str) -> bool:
        return any(("call", call) in form.buttons for form in self.forms)


@dataclass
class Runner:
    """One administrator, one application."""

    user: Any
    application: Application
    browser: Browser = field(default_factory=SecureBrowser)

    def __post_init__(self) -> None:
        self.browser.force_login(self.user)

    @property
    def path(self) -> str:
        return f"/admin/oidc_pkce/application/{self.application.pk}/test/"

    @property
    def callback_path(self) -> str:
        return self.path.replace("/test/", "/test-callback/")

    @property
    def callback(self) -> str:
        return f"{BASE}{self.callback_path}"

    def open(self, path: str = "", **query: str) -> Page:
        path = path or self.path
        response = self.browser.get(path, query or None)
        assert response.status_code == 200, (path, response.status_code, response.headers)
        return Page(response, path)

    def allow(self) -> Runner:
        """As if somebody had switched our redirect URI on."""
        self.application.redirect_uris = [*self.application.redirect_uris, self.callback]
        self.application.save()
        return self

    def switch(self, value: str, **more: str) -> Page:
        page = self.open()
        wanted = "sign_out" in more
        form = next(
            f
            for f in page.forms
            if "seen_version" in f.fields and wanted == ("sign_out" in f.fields)
        )
        sent = {**form.fields, "switch": value, **more}
        response = self.browser.post(form.action, sent, follow=True)
        return Page(response, form.action)

    def post_request(self, *, query: str = "", **changes: str) -> HttpResponse:
        """Fill in the form and press Send the request."""
        page = Page(self.browser.get(f"{self.path}?{query}"), self.path)
        fields = {**page.form("response_type").fields, **changes}
        return self.browser.post(self.path, fields)

    def send(self, *, query: str = "", **changes: str) -> Page:
        """The page that the browser ends at: ours with the answer, or one of the endpoint's."""
        response = self.post_request(query=query, **changes)
        assert response.status_code == 303, response.content.decode()
        assert response["Location"].startswith(f"{BASE}/OAuth2/Authorize/")
        return self.follow(response)

    def follow(self, response: HttpResponse) -> Page:
        path = self.path
        while response.status_code in (302, 303):
            path = response["Location"]
            assert path.startswith((BASE, "/")), path
            response = self.browser.get(path)
        if 'id="form-post"' in response.content.decode():
            form = Page(response, path).forms[0]
            path = form.action
            response = self.browser.post(path, form.fields)
        return Page(response, path)

    def press(self, page: Page, call: str, **typed: str) -> Page:
        """Press one of the buttons that send something from server to server."""
        form = page.form("call", call)
        response = self.browser.post(form.action, {**form.fields, **typed, "call": call})
        assert response.status_code == 200, (response.status_code, response.headers)
        return Page(response, form.action)

    def tokens(self, **typed: str) -> Page:
        """Go all the way to the tokens."""
        page = self.press(self.send(), "code", **typed)
        assert "200 OK" in page.text, page.text
        return page


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))


def session_text(runner: Runner) -> str:
    return json.dumps(dict(runner.browser.session.items()))


def verified(page: Page) -> int:
    return page.text.count("The signature is verified: RS256 with the published key")
