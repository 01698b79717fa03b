"""An administrator before the portal, over HTTP."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponse
from django.test import Client as Browser

from oidc_pkce.models import Application, Role
from tests.fixtures import make_user
from tests.journeys import Journey, make_application
from tests.portal.explaining import REGISTERED
from tests.portal.running import Runner

INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>\s*[^\s<]|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE
)


class Fields(HTMLParser):
    """What a browser would send of a form as it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given and self._select:
            self.values[self._select] = given.get("value") or ""
        elif tag == "textarea":
            self._textarea = name
            self.values[name] = ""
        elif tag == "input" and name:
            self._input(name, given)

    def _input(self, name: str, given: dict[str, str | None]) -> None:
        kind = given.get("type")
        if kind in ("checkbox", "radio"):
            if "checked" in given:
                listed = self.values.get(name, [])
                value = given.get("value") or "on"
                self.values[name] = [*listed, value] if kind == "checkbox" else value
        elif kind not in ("submit", "button"):
            self.values[name] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea] += data.removeprefix("\n")


@dataclass
class Portal:
    """One administrator's browser."""

    user: Any
    browser: Browser = field(default_factory=Browser)

    def __post_init__(self) -> None:
        self.browser.force_login(self.user)

    def get(self, path: str, **query: Any) -> HttpResponse:
        response = self.browser.get(f"/admin/oidc_pkce/{path}", query)
        assert response.status_code == 200, (response.status_code, response.headers)
        return response

    def text(self, path: str, **query: Any) -> str:
        return html.unescape(self.get(path, **query).content.decode())

    def fields(self, path: str) -> dict[str, Any]:
        """The form as it stands, templates for further rows left out."""
        parser = Fields()
        parser.feed(self.get(path).content.decode())
        return {name: value for name, value in parser.values.items() if "__prefix__" not in name}

    def post(self, path: str, data: dict[str, Any]) -> HttpResponse:
        return self.browser.post(f"/admin/oidc_pkce/{path}", data, follow=True)

    def save(self, path: str, **changes: Any) -> str:
        """Open a form, change some fields, save; the page that follows."""
        sent = {**self.fields(path), **changes, "_continue": "1"}
        return html.unescape(self.post(path, sent).content.decode())


@pytest.fixture
def portal(db: None) -> Portal:
    """A superuser."""
    return Portal(make_user("robin", is_staff=True, is_superuser=True))


@pytest.fixture
def second(db: None) -> Portal:
    """Another one, at the same time."""
    return Portal(make_user("kim", is_staff=True, is_superuser=True))


@pytest.fixture
def robin(db: None) -> Any:
    return make_user("robin", is_staff=True, is_superuser=True)


@pytest.fixture
def runner(robin: Any, list_app: Application) -> Runner:
    """OAuth2 Client, Client ID Type List."""
    return Runner(robin, list_app).allow()


@pytest.fixture
def openid_runner(robin: Any, openid_app: Application) -> Runner:
    """OpenID Connect, PKCE alone."""
    return Runner(robin, openid_app).allow()


@pytest.fixture
def server_runner(robin: Any, robot: Any) -> Runner:
    """OAuth2 Server, Confidential: the service user robot has a secret."""
    made = make_application(
        template="OAuth2Server",
        application_id="api",
        name="API",
        client_id_type="Confidential",
        client_ids=[],
        audience="company://api",
        flows=["AuthorizationCode", "ClientCreds"],
        issues_refresh_tokens=True,
    )
    made.scopes.create(name="read")
    return Runner(robin, made).allow()


@pytest.fixture
def scene(request: pytest.FixtureRequest, db: None) -> Any:
    """Any fixture, by its name."""
    return request.getfixturevalue


@pytest.fixture
def web(ada: Any) -> Journey:
    """A browser before an application with an https redirect URI and one of a loopback."""
    made = make_application(redirect_uris=[REGISTERED, "http://localhost:5000/callback"])
    made.scopes.create(name="notes.read")
    made.scopes.create(name="notes.write")
    return Journey(made, redirect_uri=REGISTERED).log_in(ada)


@pytest.fixture
def bare(db: None) -> Application:
    """An application without any row."""
    return make_application(everybody=False)


@pytest.fixture
def role(db: None) -> Role:
    Group.objects.create(name="Field workers")
    return Role.objects.get()
