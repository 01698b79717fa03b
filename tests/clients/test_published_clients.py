"""What published clients are known to do, each liberty by itself, over bare HTTP.

The list is the last table of the wire contract; the library clients beside this file do none of it.
"""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import requests

from tests.clients.conftest import CALLBACK, NATIVE, SECONDS, SECRET, SERVICE_USER, Provider
from tests.clients.person import Callback, Person
from tests.journeys import CHALLENGE, VERIFIER, s256
from tests.spec import spec

CLIENT = "my_service_user"
# 43 characters from 32 bytes, 48 from 36, and the longest that RFC 7636 allows.
VERIFIERS = [VERIFIER, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk.~-_8", "dBjftJeZ4C._~-Xk" * 8]


def query(client_id: str = CLIENT, **changes: str) -> str:
    """An authorization request in the order of the customer's example."""
    parameters = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())


def authorize(
    person: Person, provider: Provider, application_id: str = "list_app", parameters: str = ""
) -> Callback:
    url = provider.url("Authorize", application_id)
    return person.open(f"{url}?{parameters or query()}")


def redeem(
    provider: Provider, code: str, application_id: str = "list_app", **options: Any
) -> requests.Response:
    return redeem_at(provider.url("Token", application_id), code, **options)


def redeem_at(
    url: str, code: str, *, headers: dict[str, str] | None = None, **changes: str | None
) -> requests.Response:
    """Post a code as the customer's example does; ``None`` leaves a field out."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "client_id": CLIENT,
        "code_verifier": VERIFIER,
        **changes,
    }
    return requests.post(url, data=fields, headers=headers, timeout=SECONDS)


def tokens(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return answer.json()


def payload(token: str) -> dict[str, Any]:
    """The claims, read without a glance at the signature, as such clients do."""
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def basic(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}


def test_one_takes_all_that_follows_the_first_code_as_the_code(
    provider: Provider, signed_in: Person
) -> None:
    callback = authorize(signed_in, provider, parameters=query(state="a&code=b c"))

    assert [name for name, _ in callback.fields] == ["state", "responseType", "iss", "code"]
    assert callback.parameters["state"] == "a&code=b c"
    tokens(redeem(provider, callback.url.split("code=", 1)[1]))


def test_one_reads_the_login_name_and_the_scope_from_the_token(
    provider: Provider, signed_in: Person
) -> None:
    callback = authorize(signed_in, provider, parameters=query(scope="read write"))

    answer = tokens(redeem(provider, callback.parameters["code"]))

    claims = payload(answer["access_token"])
    assert (claims["unique_name"], claims["scope"]) == ("ada", "read write")
    assert provider.verified(answer["access_token"], "list_app", CLIENT) == claims


@pytest.mark.parametrize(
    "parameters",
    [
        f"{query(redirect_uri='')}&redirect_uri={CALLBACK}".replace("&redirect_uri=&", "&"),
        f"{query()}&scope=read write",
        f"{query()}&scope=read+write",
        f"{query()}&post_logout_redirectUri=http://localhost:5000/&token=x&nozso=1&debug=true",
        f"{query()}&display=popup&ui_locales=xx&claims_locales=xx&scope=&state=&nonce=",
    ],
    ids=["raw redirect_uri", "raw spaces", "plus signs", "stray parameters", "empty parameters"],
)
def test_one_writes_its_query_by_hand(
    provider: Provider, signed_in: Person, parameters: str
) -> None:
    callback = authorize(signed_in, provider, parameters=parameters)

    answer = tokens(redeem(provider, callback.parameters["code"]))
    assert answer["scope"] == ("read write" if "read" in parameters else "")


@spec("RFC 7636", "4.1")
@pytest.mark.parametrize("verifier", VERIFIERS, ids=len)
def test_verifiers_are_short_odd_or_long(
    provider: Provider, signed_in: Person, verifier: str
) -> None:
    callback = authorize(signed_in, provider, parameters=query(code_challenge=s256(verifier)))

    tokens(redeem(provider, callback.parameters["code"], code_verifier=verifier))


def test_one_sends_the_same_challenge_and_nonce_at_every_sign_in(
    provider: Provider, signed_in: Person
) -> None:
    for _ in range(2):
        callback = authorize(signed_in, provider, parameters=query(nonce="constant"))
        assert payload(tokens(redeem(provider, callback.parameters["code"]))["access_token"])


def test_one_repeats_the_fields_of_the_request_at_the_token_endpoint(
    provider: Provider, signed_in: Person
) -> None:
    callback = authorize(signed_in, provider, parameters=query(state="s", nonce="n"))

    answer = redeem(
        provider,
        callback.parameters["code"],
        headers={"X-IDAP-NATIVE-CLIENT": "true"},
        state="s",
        nonce="n",
        response_type="code",
    )
    tokens(answer)


@spec("RFC 6749", "2.3.1")
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
@pytest.mark.parametrize("client_id", [None, SERVICE_USER])
@pytest.mark.parametrize(
    "credentials",
    [f"{SERVICE_USER}:{SECRET}", f"{quote_plus(SERVICE_USER)}:{quote_plus(SECRET)}"],
    ids=["raw", "encoded"],
)
def test_basic_credentials_come_raw_or_encoded(
    provider: Provider,
    signed_in: Person,
    credentials: str,
    client_id: str | None,
    scheme: str,
) -> None:
    callback = authorize(signed_in, provider, "confidential", query(SERVICE_USER))
    header = {"Authorization": basic(credentials)["Authorization"].replace("Basic", scheme, 1)}

    answer = redeem(
        provider,
        callback.parameters["code"],
        "confidential",
        headers=header,
        client_id=client_id,
    )

    assert payload(tokens(answer)["access_token"])["client_id"] == SERVICE_USER


@spec("RFC 6749", "2.3")
@pytest.mark.parametrize(
    "fields",
    [{"client_id": "somebody else"}, {"client_id": SERVICE_USER, "client_secret": SECRET}],
    ids=["another client", "two methods"],
)
def test_basic_credentials_beside_others_are_refused_and_cost_no_code(
    provider: Provider, signed_in: Person, fields: dict[str, str]
) -> None:
    callback = authorize(signed_in, provider, "confidential", query(SERVICE_USER))
    code, header = callback.parameters["code"], basic(f"{SERVICE_USER}:{SECRET}")

    refused = redeem(provider, code, "confidential", headers=header, **fields)

    assert refused.status_code in (400, 401)
    assert refused.json()["error"] in ("invalid_client", "invalid_request")
    tokens(redeem(provider, code, "confidential", headers=header, client_id=None))


@spec("OpenID Connect Core", "5.3.1")
@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain"])
def test_one_asks_userinfo_by_post_with_an_empty_body(
    provider: Provider, signed_in: Person, content_type: str | None
) -> None:
    callback = authorize(signed_in, provider)
    token = tokens(redeem(provider, callback.parameters["code"]))["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    headers |= {"Content-Type": content_type} if content_type else {}

    answer = requests.post(provider.url("UserInfo", "list_app"), headers=headers, timeout=SECONDS)

    assert answer.json()["unique_name"] == "ada"


@pytest.mark.parametrize("path", ["/oauth2/{}/LIST_APP", "/OAUTH2/{}/list_app/"])
def test_paths_are_written_in_any_case(provider: Provider, signed_in: Person, path: str) -> None:
    callback = signed_in.open(f"{provider.base}{path.format('authorize')}?{query()}")
    answer = redeem_at(f"{provider.base}{path.format('token')}", callback.parameters["code"])

    assert callback.parameters["iss"] == f"{provider.base}/list_app/"
    assert payload(tokens(answer)["access_token"])["iss"] == callback.parameters["iss"]


@spec("RFC 8252", "7.1")
def test_one_is_a_native_app_with_a_scheme_of_its_own(
    provider: Provider, signed_in: Person
) -> None:
    callback = authorize(signed_in, provider, parameters=query(redirect_uri=NATIVE))

    assert callback.url.startswith(f"{NATIVE}?responseType=code&iss=")
    tokens(redeem(provider, callback.parameters["code"], redirect_uri=NATIVE))


@spec("OAuth 2.0 Form Post Response Mode", "2")
def test_one_wants_its_answer_posted(provider: Provider, signed_in: Person) -> None:
    callback = authorize(signed_in, provider, parameters=query(response_mode="form_post"))

    assert callback.url == CALLBACK
    assert [name for name, _ in callback.fields] == ["responseType", "iss", "code"]
    tokens(redeem(provider, callback.parameters["code"]))


@spec("OpenID Connect Core", "3.1.2.1")
def test_one_posts_its_authorization_request(provider: Provider, signed_in: Person) -> None:
    authorize(signed_in, provider)  # whoever came first has signed in
    answer = signed_in.http.post(
        provider.url("Authorize", "list_app"),
        data=query(),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    )

    assert answer.headers["Location"].startswith(f"{CALLBACK}?responseType=code&iss=")


@spec("OpenID Connect Core", "3.1.2.4")
def test_a_robot_unticks_a_scope_or_refuses(provider: Provider, signed_in: Person) -> None:
    client_id = provider.registration("openid_public").client_id
    url = provider.url("Authorize", "openid_public")
    asked = query(client_id, scope="openid email profile", prompt="consent")

    refused = signed_in.open(f"{url}?{asked}", allow=False)
    allowed = signed_in.open(f"{url}?{asked}", unticked=("email",))

    assert refused.parameters["error"] == "access_denied"
    answer = redeem(provider, allowed.parameters["code"], "openid_public", client_id=client_id)
    assert tokens(answer)["scope"] == "openid profile"


def test_one_ends_the_session_without_naming_an_application(
    provider: Provider, ada: Person
) -> None:
    authorize(ada, provider)

    asked = ada.http.get(f"{provider.base}/OAuth2/EndSession")

    assert asked.status_code == 200
    assert "ada" in asked.text
