"""The customer's example, from the browser to a verified token."""

from __future__ import annotations

import base64
import json

from tests.journeys import CALLBACK, Journey
from tests.spec import spec


@spec("RFC 7636", "4")
def test_the_customers_example_signs_in(list_app, ada):
    journey = Journey(list_app)

    answer = journey.sign_in(journey.authorize(), "ada")

    assert answer.status == 303
    assert answer.location.startswith(
        f"{CALLBACK}?responseType=code&iss=https%3A%2F%2Fid.example.com%2Fmy_app%2F&code="
    )
    token = journey.redeem(answer.code)
    assert token.status == 200
    assert list(token.json) == ["access_token", "token_type", "expires_in", "scope"]
    assert (token.json["token_type"], token.json["expires_in"], token.json["scope"]) == (
        "Bearer",
        18000,
        "",
    )
    header = json.loads(base64.urlsafe_b64decode(token.json["access_token"].split(".")[0] + "=="))
    assert list(header.items())[:2] == [("alg", "RS256"), ("typ", "JWT")]
    assert list(header)[2:] == ["kid"]
    assert token.json["access_token"].startswith("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIs")
    who = journey.userinfo(token.json["access_token"])
    assert who.json["unique_name"] == "ada"
