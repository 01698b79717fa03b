"""Authorize: what the request itself says, in the order of its checks."""

from __future__ import annotations

from typing import Any

from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import CALLBACK, CHALLENGE, Journey

IMPLICIT = ["AuthorizationCode", "Implicit"]


def parameter(journey: Journey, name: str, broken: Any, mended: Any, **others: Any) -> OneThing:
    """Two authorization requests that differ in one parameter; ``None`` leaves it out."""
    return OneThing(
        lambda value: journey.authorize(**{**others, name: value}), broken=broken, mended=mended
    )


def setting(journey: Journey, name: str, broken: Any, mended: Any, **request: Any) -> OneThing:
    """One authorization request, sent under two values of a setting of the application."""

    def send(value: Any) -> Any:
        setattr(journey.application, name, value)
        journey.application.save()
        return journey.authorize(**request)

    return OneThing(send, broken=broken, mended=mended)


# --- whom to answer, and where ------------------------------------------------------------------


@scenario("authorize.readable")
def redirect_uri_twice(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "redirect_uri", [CALLBACK, CALLBACK], [CALLBACK])


@scenario("authorize.readable")
def client_id_of_bytes_that_are_no_utf_8(scene: Scene) -> OneThing:
    journey = scene.signed_in
    return OneThing(
        lambda client_id: journey.raw(
            "Authorize",
            f"response_type=code&redirect_uri={CALLBACK}&code_challenge={CHALLENGE}"
            f"&code_challenge_method=S256&client_id={client_id}",
        ),
        broken="my_service_user%ff",
        mended="my_service_user",
    )


@scenario("authorize.client_id")
def a_client_that_is_not_in_the_list(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "client_id", "my_service_users", "my_service_user")


@scenario("authorize.client_id")
def no_client_id(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "client_id", None, "my_service_user")


@scenario("authorize.client_id")
def a_client_that_is_no_service_user(scene: Scene) -> OneThing:
    return parameter(scene.confidential, "client_id", "ada", "robot")


@scenario("authorize.client_id")
def another_openid_connect_applications_client(scene: Scene) -> OneThing:
    guid = "9c1d6a55-0f2e-4d0e-9a53-5f1de8ef0a22"
    return parameter(scene.openid, "client_id", guid, scene.openid.client_id)


@scenario("authorize.redirect_uri")
def a_slash_too_many(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "redirect_uri", f"{CALLBACK}/", CALLBACK)


@scenario("authorize.redirect_uri")
def no_redirect_uri(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "redirect_uri", None, CALLBACK)


@scenario("authorize.redirect_uri")
def an_address_that_is_not_registered_yet(scene: Scene) -> OneThing:
    other = "https://app.example.com/callback"
    journey = scene.signed_in
    return setting(journey, "redirect_uris", [CALLBACK], [CALLBACK, other], redirect_uri=other)


# --- what is asked ------------------------------------------------------------------------------


@scenario("authorize.parameters")
def state_twice(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "state", ["a", "b"], ["a"])


@scenario("authorize.parameters")
def a_state_of_one_character_too_many(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "state", "s" * 4097, "s" * 4096)


@scenario("authorize.parameters")
def a_nonce_of_one_character_too_many(scene: Scene) -> OneThing:
    return parameter(scene.openid, "nonce", "n" * 2049, "n" * 2048, scope="openid")


@scenario("authorize.response_mode")
def a_mode_that_nobody_knows(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "response_mode", "body", "form_post")


@scenario("authorize.response_mode")
def a_token_in_a_query(scene: Scene) -> OneThing:
    scene.list_app.flows = IMPLICIT
    scene.list_app.save()
    return parameter(scene.signed_in, "response_mode", "query", "fragment", response_type="token")


@scenario("authorize.response_mode")
def a_form_for_an_apps_own_scheme(scene: Scene) -> OneThing:
    uri = "com.example.app:/callback"
    scene.list_app.redirect_uris = [uri]
    scene.list_app.save()
    return parameter(scene.signed_in, "response_mode", "form_post", "query", redirect_uri=uri)


@scenario("authorize.enabled")
def a_disabled_application(scene: Scene) -> OneThing:
    return setting(scene.signed_in, "enabled", broken=False, mended=True)


@scenario("authorize.response_type")
def a_response_type_that_nobody_knows(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "response_type", "authorization_code", "code")


@scenario("authorize.response_type")
def no_response_type(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "response_type", None, "code")


@scenario("authorize.flow")
def implicit_is_not_ticked(scene: Scene) -> OneThing:
    journey = scene.signed_in
    return setting(journey, "flows", ["AuthorizationCode"], IMPLICIT, response_type="token")


@scenario("authorize.flow")
def auth_code_is_not_ticked(scene: Scene) -> OneThing:
    return setting(scene.signed_in, "flows", ["Implicit"], IMPLICIT)


@scenario("authorize.code_challenge")
def no_challenge(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "code_challenge", None, CHALLENGE)


@scenario("authorize.code_challenge")
def pkce_is_required(scene: Scene) -> OneThing:
    return setting(
        scene.signed_in,
        "requires_pkce",
        broken=True,
        mended=False,
        code_challenge=None,
        code_challenge_method=None,
    )


@scenario("authorize.code_challenge")
def a_challenge_that_is_a_character_short(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "code_challenge", CHALLENGE[:-1], CHALLENGE)


@scenario("authorize.code_challenge")
def a_method_without_a_challenge(scene: Scene) -> OneThing:
    scene.list_app.requires_pkce = False
    scene.list_app.save()
    return parameter(scene.signed_in, "code_challenge_method", "S256", None, code_challenge=None)


@scenario("authorize.code_challenge_method")
def plain(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "code_challenge_method", "plain", "S256")


@scenario("authorize.code_challenge_method")
def no_method_means_plain(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "code_challenge_method", None, "S256")


@scenario("authorize.code_challenge_method")
def plain_is_not_allowed(scene: Scene) -> OneThing:
    return setting(
        scene.signed_in,
        "allows_plain_pkce",
        broken=False,
        mended=True,
        code_challenge_method="plain",
    )


@scenario("authorize.scope")
def a_scope_that_is_not_defined(scene: Scene) -> OneThing:
    scene.list_app.scopes.create(name="read")
    return parameter(scene.signed_in, "scope", "read write", "read")


@scenario("authorize.id_token")
def an_id_token_without_a_nonce(scene: Scene) -> OneThing:
    scene.openid_app.flows = IMPLICIT
    scene.openid_app.save()
    asked = {"response_type": "id_token", "scope": "openid"}
    return parameter(scene.openid, "nonce", None, "n-1", **asked)


@scenario("authorize.id_token")
def an_id_token_without_openid(scene: Scene) -> OneThing:
    scene.openid_app.flows = IMPLICIT
    scene.openid_app.save()
    asked = {"response_type": "id_token", "nonce": "n-1"}
    return parameter(scene.openid, "scope", "email", "openid email", **asked)


@scenario("authorize.claims")
def claims_that_are_no_object(scene: Scene) -> OneThing:
    good = '{"userinfo": {"email": null}}'
    return parameter(scene.openid, "claims", "email", good, scope="openid")


@scenario("authorize.claims")
def a_claim_that_is_a_word(scene: Scene) -> OneThing:
    bad, good = '{"userinfo": {"email": "yes"}}', '{"userinfo": {"email": null}}'
    return parameter(scene.openid, "claims", bad, good, scope="openid")


@scenario("authorize.resource")
def a_resource_that_is_no_address(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "resource", "files", "https://files.example.com/")


@scenario("authorize.resource")
def one_of_two_resources_has_a_fragment(scene: Scene) -> OneThing:
    first, second = "https://files.example.com/", "https://mail.example.com/"
    return parameter(scene.signed_in, "resource", [first, f"{second}#x"], [first, second])


@scenario("authorize.prompt")
def a_prompt_that_nobody_knows(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "prompt", "silent", "none")


@scenario("authorize.prompt")
def none_and_login_at_once(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "prompt", "none login", "none")


@scenario("authorize.max_age")
def a_max_age_in_words(scene: Scene) -> OneThing:
    return parameter(scene.signed_in, "max_age", "1h", "3600")
