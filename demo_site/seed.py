"""The people, applications and permissions of the demonstration; what is there already stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.utils import timezone

from demo_site import environment
from oidc_pkce.flows import keys, webapps
from oidc_pkce.flows.webapps import Actor, Changes, PermissionChange, ScopeChange
from oidc_pkce.models import Application, Principal, Right
from oidc_pkce.protocol.application import ClientIdType, Template, TokenType

LIST_APPLICATION = "sample_app"
LIST_CLIENT = "my_service_user"
OPENID_APPLICATION = "sample_oidc"
OPENID_CLIENT = "b3f1c0de-7a11-4c1e-9d0a-5a3b1e0c0de1"
NOTES_SCOPE = "notes.read"
NOTES_PATHS = "/api/notes(/.*)?"
GROUP = "Lighthouse keepers"
SEEDER = Actor(name="demo")
#: What a new row of the Permissions page gives.
USING = frozenset({Right.VIEW, Right.RUN, Right.DEPLOY})


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who can sign in; nobody real, and the password is no secret."""

    username: str
    first_name: str
    last_name: str
    password: str
    is_administrator: bool = False

    @property
    def role(self) -> str:
        return "administrator" if self.is_administrator else "person"


PEOPLE = (
    DemoPerson("ada", "Ada", "Lovelace", "keep-the-lamp-lit"),
    DemoPerson("grace", "Grace", "Darling", "row-through-the-storm"),
    DemoPerson("admin", "Robin", "Stevenson", "build-on-the-rock", is_administrator=True),
)


@dataclass(frozen=True, slots=True)
class SampleClient:
    """The sample client as it serves one application, on a port of its own."""

    port: int
    title: str
    issuer: str
    client_id: str
    scope: str

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def redirect_uri(self) -> str:
        return f"{self.origin}/callback"

    @property
    def config(self) -> dict[str, str]:
        """What its page reads."""
        return {
            "issuer": self.issuer,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
        }


def sample_clients(base: str, first_port: int) -> tuple[SampleClient, SampleClient]:
    """One client for each application; two origins show that one sign-in serves both."""
    scope = f"openid profile email {NOTES_SCOPE}"
    return (
        SampleClient(
            first_port,
            "OAuth2, Client ID Type List",
            f"{base}/{LIST_APPLICATION}/",
            LIST_CLIENT,
            scope="",
        ),
        SampleClient(
            first_port + 1,
            "OpenID Connect",
            f"{base}/{OPENID_APPLICATION}/",
            OPENID_CLIENT,
            scope=scope,
        ),
    )


def refuse_unless_local(*addresses: str) -> None:
    """Raise ImproperlyConfigured unless every URL or host leads to this machine alone.

    Everybody who can read this file knows the passwords.
    """
    for address in addresses:
        host = urlsplit(address).hostname if "//" in address else address.strip("[]")
        if not environment.is_loopback(host or ""):
            raise ImproperlyConfigured(
                f'The demo has passwords that everybody knows, and "{address}" can be reached from '
                "other machines: leave HOST and OIDC_PKCE_ISSUER_BASE out, or use `make serve`."
            )


@transaction.atomic
def seed(clients: tuple[SampleClient, SampleClient]) -> dict[DemoPerson, str]:
    """Make what is missing, and say which password each person has; '' where it was changed."""
    keys.signer(TokenType.RS256.algorithm, timezone.now())
    group, _ = Group.objects.get_or_create(name=GROUP)
    passwords = {person: _add_person(person, group) for person in PEOPLE}
    _add_list_application(clients[0].redirect_uri)
    _add_openid_application(clients[1].redirect_uri, group)
    return passwords


def _add_person(person: DemoPerson, group: Group) -> str:
    users = get_user_model().objects
    user: Any = users.filter(username=person.username).first()
    if user is None:
        user = users.create_user(
            person.username,
            f"{person.username}@example.com",
            person.password,
            first_name=person.first_name,
            last_name=person.last_name,
            is_staff=person.is_administrator,
            is_superuser=person.is_administrator,
        )
        user.groups.add(group)
    return person.password if user.check_password(person.password) else ""


def _add_list_application(redirect_uri: str) -> None:
    """The customer's own configuration: public clients from a list, and PKCE."""
    _add_application(
        LIST_APPLICATION,
        redirect_uri,
        PermissionChange(Principal.EVERYBODY, USING),
        template=Template.OAUTH2_CLIENT.value,
        name="Sample App",
        description="Public clients from a Client ID List, held together by PKCE.",
        client_id_type=ClientIdType.LIST.value,
        client_ids=[LIST_CLIENT],
        requires_consent=True,
    )


def _add_openid_application(redirect_uri: str, group: Group) -> None:
    notes = ScopeChange(NOTES_SCOPE, "Read the notes that you have written", (NOTES_PATHS,))
    _add_application(
        OPENID_APPLICATION,
        redirect_uri,
        PermissionChange(Principal.GROUP, USING, group.name, group.pk),
        notes,
        template=Template.OPENID_CONNECT.value,
        name="Sample OpenID Connect",
        description="Learns who you are, as far as you let it.",
        openid_client_id=OPENID_CLIENT,
        requires_consent=True,
        allows_scope_selection=True,
    )


def _add_application(
    application_id: str,
    redirect_uri: str,
    permission: PermissionChange,
    *scopes: ScopeChange,
    **fields: Any,
) -> None:
    """Add it through the flow that the portal uses; to one that is there, a missing redirect."""
    found = Application.objects.named(application_id).first()
    if found is not None:
        _allow(found, redirect_uri)
        return
    basics = {
        "application_id": application_id,
        "redirect_uris": [redirect_uri],
        "post_logout_redirect_uris": [_front_page(redirect_uri)],
        "issues_refresh_tokens": True,
    }
    changes = Changes({**basics, **fields}, scopes, (permission,))
    webapps.create(changes, actor=SEEDER, now=timezone.now())


def _allow(application: Application, redirect_uri: str) -> None:
    if redirect_uri not in application.redirect_uris:
        signed_out = [*application.post_logout_redirect_uris, _front_page(redirect_uri)]
        fields = {
            "redirect_uris": [*application.redirect_uris, redirect_uri],
            "post_logout_redirect_uris": list(dict.fromkeys(signed_out)),
        }
        webapps.update(application, Changes(fields), actor=SEEDER, now=timezone.now())


def _front_page(redirect_uri: str) -> str:
    return urljoin(redirect_uri, "/")
