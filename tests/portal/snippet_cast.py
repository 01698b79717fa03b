"""The applications whose snippets the tests read, and how they read them."""

from __future__ import annotations

from typing import Any

from oidc_pkce.models import Application
from tests.clients.snippet_page import blocks_of
from tests.journeys import make_application
from tests.portal.conftest import Portal

NASTY = """it's "my" $HOME `id` $(id) \\ \\" {x} <b>&amp;</b> #{z} ünï é"""
# Redirect URIs have a narrower alphabet.
NASTY_URI = "http://127.0.0.1:5000/it's/$HOME/$(id)/*;!&a=1"
CALLBACKS = (
    "https://a.example.com/oidc/callback/",
    "https://a.example.com/accounts/oidc/notes/login/callback/",
    "https://a.example.com/auth/callback/notes",
    "https://a.example.com/login/oauth2/code/notes",
    "https://a.example.com/oauth2/callback",
    "https://a.example.com/grafana/login/generic_oauth",
)


def make_notes() -> Application:
    """An OpenID Connect application with everything ticked that a client may wish for."""
    return make_application(
        application_id="notes",
        name=f"Notes\n{NASTY}",
        template="Generic OpenID Connect",
        client_id_type="Confidential",
        client_ids=[],
        openid_client_id="0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11",
        redirect_uris=[NASTY_URI, *CALLBACKS],
        issues_refresh_tokens=True,
    )


def make_plain() -> Application:
    """An OAuth2 Client, List, with a client ID that nobody should have chosen."""
    made = make_application(client_ids=["first", NASTY], redirect_uris=[NASTY_URI])
    made.scopes.create(name="it's`read`$HOME", description="Read")
    return made


def snippets(portal: Portal, application: Application, client: str, **chosen: str) -> Any:
    page = portal.get(f"application/{application.pk}/snippets/", client=client, **chosen)
    return blocks_of(page.content.decode())


def text(portal: Portal, application: Application, **query: str) -> str:
    return portal.text(f"application/{application.pk}/snippets/", **query)
