"""Whatever arrives, in whatever mixture: every endpoint answers, and none falls over."""

from __future__ import annotations

import base64
import json
import random
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.journeys import FORM, PASSWORD, SECRET, VERIFIER, Answer, Journey
from tests.spec import spec

BYE = "https://rp.example/bye"
REQUESTS = 250
ENDPOINTS = [
    *(("GET", f"/OAuth2/{name}/portal") for name in ("Authorize", "Confirm", "Login", "UserInfo")),
    *(("POST", f"/OAuth2/{name}/portal") for name in ("Authorize", "Confirm", "Login", "UserInfo")),
    *(("POST", f"/OAuth2/{name}/portal") for name in ("Token", "Introspect", "Revoke")),
    *((method, "/OAuth2/EndSession/portal") for method in ("GET", "POST")),
    *((method, "/OAuth2/EndSession") for method in ("GET", "POST")),
]
CONTENT_TYPES = [
    *(FORM, FORM, FORM, f"{FORM}; charset=utf-16", f"{FORM}; charset=nonsense"),
    *("application/json", "multipart/form-data; boundary=x", "text/plain"),
]
OTHER_NAMES = [
    *("prompt", "max_age", "login_hint", "acr_values", "claims", "response_mode", "resource"),
    *("request", "request_uri", "ui_locales", "claims_locales", "display", "token_type_hint"),
    *("code_challenge", "code_challenge_method", "user_name", "result", "step", "switch"),
]
CLAIMS = [
    {"userinfo": {"email": None}, "id_token": {"acr": {"essential": True, "values": ["aal2", 1]}}},
    *(
        {"userinfo": []},
        {"id_token": {"acr": {"values": "x"}}},
        {"id_token": {"sub": {"value": 1}}},
    ),
    {"id_token": {"auth_time": {"essential": 1}, "sub": {"values": []}}},
]
#: As they stand in a query: percent-encoded, or on purpose not.
ODD = [
    *(
        "",
        "x",
        "%00",
        "%FF",
        "%ED%A0%80",
        "a%0Ab",
        "%20",
        "%",
        "+",
        "9" * 4000,
        "%F0%9F%98%80" * 90,
    ),
    *("0", "-1", "1e5", "NaN", "true", "null", "[]", "{}", "none", "none login", "consent"),
    *("query", "fragment", "form_post", "S256", "plain", "a" * 43, "de", "xx-%C3%BC"),
    *(
        "code id_token token",
        "id_token",
        "token",
        "refresh_token",
        "client_credentials",
        "password",
    ),
    *("urn:x:y", "javascript:alert(1)", "com.example.app:/cb", "a.b.c", "e30.e30.e30"),
    *(quote(json.dumps(claims)) for claims in CLAIMS),
]


def basic(pair: bytes) -> str:
    return f"Basic {base64.b64encode(pair).decode()}"


class Sender:
    """Sends mixtures of what is right and what is odd; the seed decides about everything."""

    def __init__(self, journey: Journey, seed: int) -> None:
        self.journey = journey
        self.random = random.Random(seed)  # noqa: S311 - nobody gains by guessing it
        tokens = journey.tokens(scope="openid")
        self.right = {
            **journey.parameters(scope="openid", nonce="n", state="s"),
            "client_secret": SECRET,
            "code": journey.authorize().code,
            "grant_type": "authorization_code",
            "code_verifier": VERIFIER,
            "refresh_token": tokens["refresh_token"],
            "id_token_hint": tokens["id_token"],
            **dict.fromkeys(("token", "access_token"), tokens["access_token"]),
            "username": "ada",
            "password": PASSWORD,
            "post_logout_redirect_uri": BYE,
        }
        self.odd = [*ODD, *tokens.values(), self.right["code"]]
        self.authorization = [
            *(None, None, f"Bearer {tokens['access_token']}", "Bearer x", "Bearer é", "Basic x"),
            *(basic(f"{journey.client_id}:{SECRET}".encode()), basic(b"%ff:%zz"), basic(b"\xff:")),
        ]

    def renew(self) -> None:
        """Take what pages are sealed with, and sign in again: some requests sign out."""
        page = Answer(self.journey.browser.get("/OAuth2/EndSession", {"ui_locales": "de"}))
        asked = Journey(self.journey.application, self.journey.client_id).authorize()
        self.right["ticket"] = asked.query["ticket"]
        self.right["sign_out_ticket"] = page.hidden("sign_out_ticket")

    def fields(self) -> str:
        """Most of what is right, and a little that is odd."""
        chosen = []
        for name in (*self.right, *OTHER_NAMES):
            chance = self.random.random()
            if name in self.right and chance < 0.6:
                chosen.append(urlencode({name: self.right[name]}))
            elif chance > 0.93:
                chosen.append(f"{name}={self.random.choice(self.odd)}")
        return "&".join(chosen)

    def send(self) -> tuple[str, Any]:
        """One request, and its answer."""
        method, path = self.random.choice(ENDPOINTS)
        fields, authorization = self.fields(), self.random.choice(self.authorization)
        headers = {} if authorization is None else {"Authorization": authorization}
        if method == "GET":
            return fields, self.journey.browser.get(f"{path}?{fields}", headers=headers)
        kind = self.random.choice(CONTENT_TYPES)
        return fields, self.journey.browser.generic(
            method, path, fields, content_type=kind, headers=headers
        )


@spec("RFC 9110", "15.5.1")
@pytest.mark.parametrize("seed", range(4))
def test_no_mixture_of_parameters_breaks_an_endpoint(
    openid_with_secret: Journey, ada: Any, settings: Any, seed: int
):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "THROTTLING": False, "TRACED_SUCCESSES": 1}
    app = openid_with_secret.application
    app.flows = ["AuthorizationCode", "Implicit", "ClientCreds", "ResourceCreds"]
    app.issues_refresh_tokens, app.allows_plain_pkce = True, True
    app.token_type = "Opaque" if seed % 2 else "JwtRS256"
    app.post_logout_redirect_uris = [BYE]
    app.frontchannel_logout_uri = "https://rp.example/front"
    app.save()
    sender = Sender(openid_with_secret, seed)

    for number in range(REQUESTS):
        if number % 25 == 0:
            openid_with_secret.browser.force_login(ada)
            sender.renew()
        fields, response = sender.send()
        assert response.status_code < 500, fields
