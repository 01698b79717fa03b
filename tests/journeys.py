"""A client and a person, as tests use them: over HTTP, through Django's test client."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jwt
from django.http import HttpResponse
from django.test import Client as Browser

from oidc_pkce.identifiers import digest
from oidc_pkce.models import (
    Application,
    ClientSecret,
    Permission,
    Principal,
    RequestTrace,
    ServiceUser,
)

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CALLBACK = "http://localhost:5000/callback"
PASSWORD = "correct horse battery staple"
SECRET = "a-client-secret-of-43-characters-0123456789"
BASE = "https://id.example.com"


def s256(verifier: str) -> str:
    hashed = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def make_application(**fields: Any) -> Application:
    """The application of the customer's example: Client ID Type List, everybody may run it."""
    everybody = fields.pop("everybody", True)
    defaults = {
        "template": "OAuth2ServerClient",
        "application_id": "my_app",
        "name": "My App",
        "client_id_type": "List",
        "client_ids": ["my_service_user"],
        "redirect_uris": [CALLBACK],
    }
    made = Application(**{**defaults, **fields})
    made.full_clean(exclude=["access_token_typ"])
    made.save()
    if everybody:
        Permission.objects.create(application=made, principal=Principal.EVERYBODY)
    return made


def make_service_user(user: Any, *secrets: str, **fields: Any) -> ServiceUser:
    """Let a user act as a confidential client that knows these secrets."""
    made = ServiceUser.objects.create(user=user, **fields)
    for secret in secrets:
        ClientSecret.objects.create(service_user=made, digest=digest(secret))
    return made


def give_secret(application: Application, secret: str = SECRET, **fields: Any) -> ClientSecret:
    """Give an OpenID Connect application a client secret."""
    return ClientSecret.objects.create(application=application, digest=digest(secret), **fields)


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of client_secret_basic, as RFC 6749 §2.3.1 encodes it."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unverified."""
    return dict(jwt.decode(token, options={"verify_signature": False}))


def path_of(location: str) -> str:
    """What the test client is given for an address of ours."""
    assert location.startswith(BASE), location
    return location.removeprefix(BASE)


def last_trace() -> RequestTrace:
    """The newest request trace."""
    return RequestTrace.objects.order_by("pk").last()  # type: ignore[return-value]


@dataclass
class Answer:
    """What came back from an endpoint."""

    response: HttpResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def location(self) -> str:
        return self.response.headers.get("Location", "")

    @property
    def query(self) -> dict[str, str]:
        parts = urlsplit(self.location)
        return dict(parse_qsl(parts.query or parts.fragment, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.response.content)

    @property
    def html(self) -> str:
        return self.response.content.decode()

    @property
    def error(self) -> str | None:
        """The wire error, wherever it stands; ``page`` for an error page."""
        if self.location:
            return self.query.get("error")
        if "json" in self.response.headers.get("Content-Type", ""):
            return self.json.get("error")
        return "page" if self.status >= 400 else None

    @property
    def told(self) -> tuple[int, str, str]:
        """Status, error and description of a refusal in JSON."""
        return self.status, self.json["error"], self.json["error_description"]

    @property
    def code(self) -> str:
        return self.query["code"]

    def hidden(self, name: str) -> str:
        """The value of a hidden input of the page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.html)
        assert found, f"no input {name} in the page"
        return found.group(1)


@dataclass
class Journey:
    """One browser, one client, one application."""

    application: Application
    client_id: str = "my_service_user"
    redirect_uri: str = CALLBACK
    verifier: str = VERIFIER
    browser: Browser = field(default_factory=Browser)
    secret: str | None = None

    def url(self, endpoint: str) -> str:
        return f"/OAuth2/{endpoint}/{self.application.application_id}"

    def parameters(self, **changes: Any) -> dict[str, Any]:
        defaults = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": s256(self.verifier),
            "code_challenge_method": "S256",
        }
        merged = {**defaults, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def authorize(self, *, method: str = "get", **changes: Any) -> Answer:
        """Send an authorization request; ``None`` leaves a parameter out."""
        url, parameters = self.url("Authorize"), self.parameters(**changes)
        if method == "get":
            return Answer(self.browser.get(url, parameters))
        return Answer(self.browser.post(url, encode(parameters), content_type=FORM))

    def sign_in(self, answer: Answer, username: str, password: str = PASSWORD) -> Answer:
        """Fill in the sign-in page to which ``answer`` leads."""
        assert "/OAuth2/Login/" in answer.location, answer.location
        path = answer.location.removeprefix("https://id.example.com")
        page = Answer(self.browser.get(path))
        assert page.status == 200
        data = {"username": username, "password": password, "ticket": page.hidden("ticket")}
        return Answer(self.browser.post(path, data))

    def consent_page(self, answer: Answer) -> Answer:
        """Open the consent page to which ``answer`` leads."""
        assert "/OAuth2/Confirm/" in answer.location, answer.location
        page = self.follow(answer)
        assert page.status == 200
        return page

    def post_decision(self, page: Answer, result: str = "1", **changes: Any) -> Answer:
        """Post the form of a consent page that was opened."""
        data = {"ticket": page.hidden("ticket"), "result": result, **changes}
        return Answer(self.browser.post(self.url("Confirm"), data))

    def follow(self, answer: Answer) -> Answer:
        """Open the page of ours to which ``answer`` leads."""
        return Answer(self.browser.get(answer.location.removeprefix("https://id.example.com")))

    def decide(self, answer: Answer, result: str = "1", **changes: Any) -> Answer:
        """Fill in the consent page to which ``answer`` leads."""
        path = answer.location.removeprefix("https://id.example.com")
        page = Answer(self.browser.get(path))
        data = {"ticket": page.hidden("ticket"), "result": result, **changes}
        return Answer(self.browser.post(path, data))

    def log_in(self, user: Any) -> Journey:
        """Start with a session, as a person who has signed in before."""
        self.browser.force_login(user)
        return self

    def redeem(self, code: str | None, *, headers: Any = None, **changes: Any) -> Answer:
        """Post a code to the token endpoint; ``None`` leaves a parameter out."""
        defaults = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "code_verifier": self.verifier,
            "client_secret": self.secret,
        }
        merged = {**defaults, **changes}
        return self.post("Token", merged, headers=headers)

    def refresh(self, token: str | None, /, *, headers: Any = None, **changes: Any) -> Answer:
        """Post a refresh token to the token endpoint; ``None`` leaves a parameter out."""
        defaults = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "client_id": self.client_id,
            "client_secret": self.secret,
        }
        return self.post("Token", {**defaults, **changes}, headers=headers)

    def introspect(self, token: str | None, /, *, headers: Any = None, **changes: Any) -> Answer:
        """Ask what a token is worth; ``None`` leaves a parameter out."""
        return self._present("Introspect", token, headers, changes)

    def revoke(self, token: str | None, /, *, headers: Any = None, **changes: Any) -> Answer:
        """Ask to end a token; ``None`` leaves a parameter out."""
        return self._present("Revoke", token, headers, changes)

    def _present(
        self, endpoint: str, token: str | None, headers: Any, changes: dict[str, Any]
    ) -> Answer:
        mine = {"client_id": self.client_id, "client_secret": self.secret}
        return self.post(endpoint, {"token": token, **mine, **changes}, headers=headers)

    def post(self, endpoint: str, data: dict[str, Any], *, headers: Any = None) -> Answer:
        """Post a form without cookies, as a client does."""
        sent = {name: value for name, value in data.items() if value is not None}
        return Answer(
            Browser().post(self.url(endpoint), encode(sent), content_type=FORM, headers=headers)
        )

    def raw(self, endpoint: str, query: str) -> Answer:
        """Send a query string as it stands, to an endpoint, from the browser."""
        return Answer(self.browser.get(f"{self.url(endpoint)}?{query}"))

    def userinfo(self, token: str | None) -> Answer:
        """Ask UserInfo with a bearer token."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return Answer(Browser().get(self.url("UserInfo"), headers=headers))

    def tokens(self, **changes: Any) -> dict[str, Any]:
        """Go all the way; the token answer."""
        answer = self.redeem(self.authorize(**changes).code)
        assert answer.status == 200, answer.json
        return answer.json  # type: ignore[no-any-return]


FORM = "application/x-www-form-urlencoded"


def encode(data: dict[str, Any]) -> str:
    return urlencode(data, doseq=True)


def new_verifier() -> str:
    return secrets.token_urlsafe(48)
