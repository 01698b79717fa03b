"""Metadata documents and paths: where everything is, whatever the spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.contrib import admin
from django.db import connection
from django.http import HttpResponse
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse

from oidc_pkce.flows import metadata
from oidc_pkce.models import Application
from oidc_pkce.protocol import jwk
from tests.journeys import FORM, Answer, Browser, Journey, encode, make_application
from tests.spec import spec

GOLDEN = Path(__file__).parent / "golden"
DOCUMENT = "/my_app/.well-known/openid-configuration"

TEMPLATES: dict[str, dict[str, Any]] = {
    "oauth2_client": {"audience": "https://api.example.com"},
    "oauth2_server": {
        "template": "OAuth2Server",
        "client_id_type": "Confidential",
        "client_ids": [],
        "token_type": "JwtES256",
    },
    "openid_connect": {
        "template": "Generic OpenID Connect",
        "client_id_type": "Confidential",
        "client_ids": [],
        "openid_client_id": "0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11",
        "allows_plain_pkce": True,
    },
}


def metadata_of(application: Application) -> dict[str, Any]:
    answer = Answer(
        Browser().get(f"/{application.application_id}/.well-known/openid-configuration")
    )
    assert answer.status == 200
    return dict(answer.json)


# --- the document -------------------------------------------------------------------------------


@spec("OpenID Connect Discovery", "3")
@spec("RFC 8414", "2")
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_document_of_each_template_is_the_golden_one(db, name):
    made = make_application(**TEMPLATES[name])
    made.scopes.create(name="read")
    golden = GOLDEN / f"{name}.json"

    assert metadata_of(made) == json.loads(golden.read_text())


@spec("OpenID Connect Discovery", "3")
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_document_has_what_the_specifications_require(db, name):
    document = metadata_of(make_application(**TEMPLATES[name]))

    assert {
        *("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"),
        *("response_types_supported", "response_modes_supported", "grant_types_supported"),
        *("scopes_supported", "claims_supported", "subject_types_supported"),
        *("id_token_signing_alg_values_supported", "code_challenge_methods_supported"),
        *("token_endpoint_auth_methods_supported",),
        *("authorization_response_iss_parameter_supported", "prompt_values_supported"),
        *("request_parameter_supported", "request_uri_parameter_supported"),
        *("claims_parameter_supported", "ui_locales_supported"),
    } <= set(document)
    assert document["issuer"] == "https://id.example.com/my_app/"
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "none" not in document["id_token_signing_alg_values_supported"]


@spec("RFC 8414", "2")
def test_the_document_follows_the_tokens_page(list_app):
    assert metadata_of(list_app)["code_challenge_methods_supported"] == ["S256"]
    assert metadata_of(list_app)["token_endpoint_auth_methods_supported"] == ["none"]


@spec("RFC 8414", "2")
def test_a_flow_that_is_not_ticked_is_not_promised(db):
    document = metadata_of(make_application(flows=["ClientCreds"]))

    assert document["response_types_supported"] == []
    assert "authorization_code" not in document["grant_types_supported"]


@spec("OpenID Connect Discovery", "3")
@pytest.mark.parametrize(
    ("flows", "response_types"),
    [
        (["AuthorizationCode"], ["code"]),
        (["Implicit"], ["token", "id_token", "id_token token"]),
        (
            ["Implicit", "AuthorizationCode"],
            [
                *("code", "token", "id_token", "id_token token"),
                *("code id_token", "code token", "code id_token token"),
            ],
        ),
    ],
)
def test_the_document_promises_the_response_types_that_are_answered(
    openid_app, flows, response_types
):
    openid_app.flows = flows
    openid_app.save()
    document = metadata_of(openid_app)

    assert document["response_types_supported"] == response_types
    assert ("implicit" in document["grant_types_supported"]) is ("Implicit" in flows)
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]


@spec("OpenID Connect Discovery", "3")
def test_request_objects_are_promised_where_the_clients_keys_are_known(openid_app):
    algorithms = "request_object_signing_alg_values_supported"
    before = metadata_of(openid_app)
    assert before["request_parameter_supported"] is False
    assert algorithms not in before

    key = jwk.public_jwk(jwk.generate("ES256"), kid="k", algorithm="ES256")
    openid_app.client_jwks = {"keys": [key]}
    openid_app.save()
    metadata.clear()

    after = metadata_of(openid_app)
    assert after["request_parameter_supported"] is True
    assert after[algorithms] == ["RS256", "ES256", "PS256"]
    assert after["request_uri_parameter_supported"] is False


@spec("OpenID Connect Discovery", "3")
def test_an_application_that_does_not_know_openid_promises_no_id_token(db):
    made = make_application(flows=["AuthorizationCode", "Implicit"])
    assert metadata_of(made)["response_types_supported"] == ["code", "token", "code token"]

    other = make_application(application_id="other", flows=["Implicit"])
    other.scopes.create(name="openid")
    assert metadata_of(other)["response_types_supported"] == ["token", "id_token", "id_token token"]


@spec("OpenID Connect Discovery", "3")
@pytest.mark.parametrize("name", TEMPLATES)
def test_everything_that_the_document_names_answers(db, name):
    document = metadata_of(make_application(**TEMPLATES[name]))

    for member, url in document.items():
        if member.endswith(("_endpoint", "_uri")):
            assert url.startswith("https://id.example.com/")
            response = Browser().get(url.removeprefix("https://id.example.com"))
            assert response.status_code in {200, 400, 401, 405}, member


@spec("OpenID Connect Discovery", "4.3")
def test_the_issuer_of_the_document_is_that_of_the_tokens_and_of_the_answer(openid):
    answer = openid.authorize(scope="openid")
    tokens = openid.redeem(answer.code).json
    issuers = {
        metadata_of(openid.application)["issuer"],
        answer.query["iss"],
        *(
            jwt.decode(tokens[name], options={"verify_signature": False})["iss"]
            for name in ("access_token", "id_token")
        ),
    }
    assert issuers == {"https://id.example.com/portal/"}


# --- where the document is ----------------------------------------------------------------------


@spec("RFC 8414", "3")
@spec("OpenID Connect Discovery", "4")
@pytest.mark.parametrize(
    "address",
    [
        "/my_app/.well-known/openid-configuration",
        "/my_app/.well-known/openid-configuration/",
        "/MY_APP/.Well-Known/OpenID-Configuration",
        "/my_app/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/my_app",
        "/.well-known/oauth-authorization-server/my_app/",
        "/.well-known/openid-configuration/my_app",
        "/.well-known/OAUTH-authorization-server/My_App/",
        "/.WELL-KNOWN/openid-configuration/my_app",
    ],
)
def test_every_address_of_the_document_gives_the_same_bytes(list_app, address):
    assert Browser().get(address).content == Browser().get(DOCUMENT).content
    assert Browser().get(address).status_code == 200


@spec("RFC 8414", "3.1")
@pytest.mark.parametrize(
    "address",
    [
        "/nowhere/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/nowhere",
        "/.well-known/oauth-authorization-server/x/my_app",
        "/a%00b/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/a%00b",
        "/%ff/.well-known/openid-configuration",
        f"/{'x' * 3000}/.well-known/openid-configuration",
        "/OAuth2/Keys/nowhere",
        "/OAuth2/Keys/a%00b",
    ],
)
def test_an_unknown_application_is_a_404_in_json_that_nobody_keeps(list_app, address):
    answer = Answer(Browser().get(address))

    assert (answer.status, answer.json["error"]) == (404, "invalid_request")
    assert answer.response.headers["Cache-Control"] == "no-store"
    assert answer.response.headers["Access-Control-Allow-Origin"] == "*"


@spec("RFC 8414", "2")
def test_introspection_is_listed_where_a_client_can_have_a_secret(list_app, openid_app):
    """How Revoke may be called is how Token may; nobody introspects without a secret."""
    listed, openid = metadata_of(list_app), metadata_of(openid_app)

    assert "introspection_endpoint" not in listed
    assert listed["revocation_endpoint_auth_methods_supported"] == ["none"]
    assert openid["introspection_endpoint_auth_methods_supported"] == [
        *("client_secret_basic", "client_secret_post")
    ]
    methods = openid["token_endpoint_auth_methods_supported"]
    assert openid["revocation_endpoint_auth_methods_supported"] == methods


# --- caching ------------------------------------------------------------------------------------


@spec("RFC 9110", "8.8.3")
@pytest.mark.parametrize("address", [DOCUMENT, "/OAuth2/Keys/my_app"])
def test_the_bytes_are_kept_by_their_tag_and_read_nothing_when_warm(list_app, address):
    first = Browser().get(address)

    with CaptureQueriesContext(connection) as queries:
        second = Browser().get(address)
        same = Browser().get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert len(queries) == 0
    assert second.content == first.content
    assert (same.status_code, same.content) == (304, b"")
    for response in (first, same):
        assert response.headers["Cache-Control"] == "public, max-age=300"
        assert response.headers["ETag"] == first.headers["ETag"]
        assert response.headers["ETag"].startswith('"')
    assert not first.cookies


def test_a_refusal_is_never_kept(db):
    assert Browser().get(DOCUMENT).status_code == 404
    make_application()

    assert Browser().get(DOCUMENT).status_code == 200


def test_a_change_counts_within_seconds(list_app, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "PROCESS_CACHE_SECONDS": 0}
    before = Browser().get(DOCUMENT)
    list_app.scopes.create(name="read")

    after = Browser().get(DOCUMENT)

    assert after.json()["scopes_supported"] == ["read"]
    assert after.headers["ETag"] != before.headers["ETag"]


# --- paths --------------------------------------------------------------------------------------

PATHS = {
    "/OAuth2/Authorize/my_app": ({"GET": 400, "POST": 400}, "GET, POST"),
    "/OAuth2/Confirm/my_app": ({"GET": 400, "POST": 400}, "GET, POST"),
    "/OAuth2/Login/my_app": ({"GET": 400, "POST": 400}, "GET, POST"),
    "/OAuth2/Token/my_app": ({"POST": 400}, "POST"),
    "/OAuth2/Keys/my_app": ({"GET": 200, "POST": 200}, "GET, POST"),
    "/OAuth2/UserInfo/my_app": ({"GET": 401, "POST": 401}, "GET, POST"),
    "/OAuth2/Introspect/my_app": ({"POST": 400}, "POST"),
    "/OAuth2/Revoke/my_app": ({"POST": 400}, "POST"),
    "/OAuth2/EndSession/my_app": ({"GET": 200, "POST": 303}, "GET, POST"),
    "/OAuth2/EndSession": ({"GET": 200, "POST": 303}, "GET, POST"),
    DOCUMENT: ({"GET": 200}, "GET"),
    "/my_app/.well-known/oauth-authorization-server": ({"GET": 200}, "GET"),
    "/.well-known/openid-configuration/my_app": ({"GET": 200}, "GET"),
    "/.well-known/oauth-authorization-server/my_app": ({"GET": 200}, "GET"),
}


@spec("RFC 9110", "15.5.6")
@pytest.mark.parametrize("address", PATHS)
def test_each_endpoint_takes_its_methods_and_says_so_to_others(list_app, address):
    takes, allow = PATHS[address]

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"):
        response = Browser().generic(method, address, b"", content_type=FORM)
        assert response.status_code == takes.get(method, 405), method
        if method not in takes:
            assert response.headers["Allow"] == allow


@pytest.mark.parametrize("spell", [str.lower, str.upper, str.swapcase, lambda p: p + "/"])
@pytest.mark.parametrize("address", PATHS)
def test_paths_match_whatever_the_case_and_the_slash(list_app, address, spell):
    takes, _ = PATHS[address]
    method, status = next(iter(takes.items()))

    assert Browser().generic(method, spell(address), b"", content_type=FORM).status_code == status


@spec("RFC 6749", "4.1")
def test_a_whole_sign_in_works_in_another_spelling(list_app, ada):
    journey = Journey(list_app)
    journey.browser.force_login(ada)
    answer = Answer(journey.browser.get("/oauth2/AUTHORIZE/MY_APP/", journey.parameters()))
    body = {
        "grant_type": "authorization_code",
        "code": answer.code,
        "redirect_uri": journey.redirect_uri,
        "client_id": journey.client_id,
        "code_verifier": journey.verifier,
    }
    tokens = Browser().post("/OAUTH2/token/My_App/", encode(body), content_type=FORM).json()

    assert answer.query["iss"] == "https://id.example.com/my_app/"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert Browser().get("/oauth2/userinfo/MY_app", headers=bearer).status_code == 200


@pytest.mark.parametrize("name", ["Authorize", "Confirm", "Login", "EndSession"])
def test_an_unknown_application_is_a_page_where_people_come(db, name):
    for application_id in ("nowhere", "a%00b", "%ff", "x" * 200):
        answer = Answer(Browser().get(f"/OAuth2/{name}/{application_id}"))
        assert answer.status == 404
        assert answer.response.headers["Content-Type"].startswith("text/html")
        assert "<h1>" in answer.html


@pytest.mark.parametrize("name", ["Keys", "UserInfo", "Token", "Introspect", "Revoke", "Logo"])
def test_an_unknown_application_is_json_where_clients_come(db, name):
    for application_id in ("nowhere", "a%00b", "%ff", "x" * 200):
        method = "POST" if name in {"Token", "Introspect", "Revoke"} else "GET"
        url = f"/OAuth2/{name}/{application_id}"
        answer = Answer(Browser().generic(method, url, b"", content_type=FORM))
        assert (answer.status, answer.error) == (404, "invalid_request")


def test_addresses_of_the_host_can_still_be_reversed():
    assert reverse("host-page", args=[7]) == "/host/7/"
    assert reverse("admin:index") == "/admin/"
    assert Browser().get("/host/7/").content == b"page 7 of the host project"


def host_page(request: Any, number: int) -> HttpResponse:
    return HttpResponse(str(number))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("host/<int:number>/", host_page, name="host-page"),
    path("sso/", include("oidc_pkce.urls")),
    path("", include("oidc_pkce.well_known_urls")),
]


@spec("RFC 8414", "3.1")
def test_a_prefix_stands_in_every_address_and_behind_the_well_known_part(list_app, ada):
    under = {"ISSUER_BASE": "https://id.example.com/sso"}
    with override_settings(ROOT_URLCONF=__name__, OIDC_PKCE=under):
        well_known = "/.well-known/oauth-authorization-server"
        document = Browser().get(f"{well_known}/sso/my_app").json()
        assert document["issuer"] == "https://id.example.com/sso/my_app/"
        assert document["token_endpoint"] == "https://id.example.com/sso/OAuth2/Token/my_app"
        assert Browser().get(f"{well_known}/my_app").status_code == 404
        assert Browser().get(f"/sso{DOCUMENT}").json() == document
        assert reverse("host-page", args=[7]) == "/host/7/"
        journey = Journey(list_app)
        asked = Answer(journey.browser.get("/sso/OAuth2/Authorize/my_app", journey.parameters()))
        assert asked.location.startswith("https://id.example.com/sso/OAuth2/Login/my_app?ticket=")
        answer = journey.sign_in(asked, "ada")
        assert answer.query["iss"] == "https://id.example.com/sso/my_app/"
        assert answer.code


@spec("RFC 9110", "13.1.2")
@pytest.mark.parametrize("known", ["{}", "W/{}", '"another", {}', "*"])
def test_whoever_has_the_document_is_not_sent_it_again(journey, known):
    path = "/my_app/.well-known/openid-configuration"
    etag = journey.browser.get(path).headers["ETag"]

    answer = journey.browser.get(path, headers={"If-None-Match": known.format(etag)})

    assert answer.status_code == 304
    assert answer.content == b""
