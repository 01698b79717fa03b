"""The catalogue of Add Web Apps: what a well-known client needs, filled in beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...protocol import redirect_uri
from ...protocol.application import ClientIdType, Flow, Template
from ...validators import redirect_problem
from .changes import Changes


class Question(Enum):
    """What an entry must be told beside Application ID and name."""

    NOTHING = "nothing"
    ADDRESS = "address"
    REDIRECT = "redirect"
    AUDIENCE = "audience"


class Category(Enum):
    """Where the Search tab lists an entry."""

    WEB = _("Web applications")
    DEVICES = _("Mobile, desktop and command line")
    MACHINES = _("Machines and APIs")
    PRODUCTS = _("Ready-made products")
    CUSTOM = _("Custom")


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue; ``callback`` and ``signed_out`` stand behind the address asked."""

    key: str
    title: Any
    category: Category
    words: Any
    template: Template
    question: Question = Question.NOTHING
    fields: Mapping[str, Any] = field(default_factory=dict)
    callback: str = ""
    signed_out: str = "/"
    example: str = ""
    #: What to do at the client, told once the application is there.
    advice: Any = ""

    def matches(self, words: str) -> bool:
        """Whether every word stands in the title, the description or the type."""
        text = f"{self.title} {self.words} {self.template.value} {self.key}".casefold()
        return all(word in text for word in words.casefold().split())

    def changes(self, application_id: str, name: str, answer: str) -> Changes:
        """What to create. Raises ``ValidationError`` on ``answer`` when it is none."""
        basics = {"template": self.template.value, "application_id": application_id, "name": name}
        return Changes({**self.fields, **self._answered(answer.strip()), **basics})

    def _answered(self, answer: str) -> dict[str, Any]:
        if self.question is Question.ADDRESS:
            base = _address(answer)
            return {
                "redirect_uris": [base + self.callback],
                "post_logout_redirect_uris": [base + self.signed_out],
            }
        if self.question is Question.REDIRECT:
            return {"redirect_uris": [_registrable(answer)]}
        return {"audience": answer} if self.question is Question.AUDIENCE else {}


def find(key: str) -> Entry | None:
    """The entry of this key."""
    return next((entry for entry in (*CATALOGUE, *CUSTOM) if entry.key == key), None)


def search(words: str = "", category: str = "") -> Iterator[Entry]:
    """The entries of the Search tab that hold all words; ``category`` is a name, or empty."""
    for entry in CATALOGUE:
        if category in ("", entry.category.name) and entry.matches(words):
            yield entry


def _address(answer: str) -> str:
    """Where a web application is, without a slash at the end."""
    base = answer.rstrip("/")
    fault = redirect_problem(base)
    if not fault and (redirect_uri.kind(base) == "custom" or "?" in base):
        fault = gettext("it is no https address")
    if fault:
        raise _unusable(answer, fault)
    return base


def _registrable(answer: str) -> str:
    if fault := redirect_problem(answer):
        raise _unusable(answer, fault)
    return answer


def _unusable(answer: str, fault: str) -> ValidationError:
    told = gettext("“%(value)s” cannot be used: %(fault)s.")
    return ValidationError({"answer": told % {"value": answer[:200], "fault": fault}})


_PUBLIC = {"require_client_secret": False, "requires_pkce": True}
_SECRET = {"require_client_secret": True, "requires_pkce": True}
_REFRESHED = {"issues_refresh_tokens": True, "rotates_refresh_tokens": True}
_HOUR = {"access_token_lifetime": timedelta(hours=1)}

CATALOGUE: tuple[Entry, ...] = (
    Entry(
        key="single-page-app",
        title=_("Single-page app"),
        category=Category.WEB,
        words=_(
            "JavaScript in a browser: a public client with PKCE, no secret, and refresh tokens that"
            " change with each use."
        ),
        template=Template.OPENID_CONNECT,
        question=Question.REDIRECT,
        # A browser keeps nothing safely, so what it holds does not live long.
        fields={**_PUBLIC, **_REFRESHED, **_HOUR, "refresh_token_lifetime": timedelta(days=1)},
        example="https://app.example.com/callback",
        advice=_("Give the app its issuer and client ID; it has no secret."),
    ),
    Entry(
        key="mobile-app",
        title=_("Mobile app"),
        category=Category.DEVICES,
        words=_(
            "iOS or Android: a public client with PKCE that comes back by a claimed https address"
            " or by a scheme of its own."
        ),
        template=Template.OPENID_CONNECT,
        question=Question.REDIRECT,
        fields={**_PUBLIC, **_REFRESHED, **_HOUR, "refresh_token_lifetime": timedelta(days=90)},
        example="com.example.app:/callback",
        advice=_("Sign in with the system's browser, as AppAuth does, never within a web view."),
    ),
    Entry(
        key="server-side-web-app",
        title=_("Server-side web app"),
        category=Category.WEB,
        words=_("Pages made on a server that can keep a secret: a client secret and PKCE."),
        template=Template.OPENID_CONNECT,
        question=Question.REDIRECT,
        fields={**_SECRET, **_HOUR},
        example="https://www.example.com/oidc/callback",
        advice=_("Make a client secret on the Trust page."),
    ),
    Entry(
        key="command-line-tool",
        title=_("Command-line tool"),
        category=Category.DEVICES,
        words=_(
            "A program in a terminal that opens the browser and listens on 127.0.0.1 or [::1], on"
            " any port: a public client with PKCE."
        ),
        template=Template.OPENID_CONNECT,
        fields={
            **_PUBLIC,
            **_REFRESHED,
            **_HOUR,
            "redirect_uris": ["http://127.0.0.1/callback", "http://[::1]/callback"],
        },
        advice=_("Let the tool listen at /callback on a free port of 127.0.0.1, not of localhost."),
    ),
    Entry(
        key="machine-client",
        title=_("Machine client"),
        category=Category.MACHINES,
        words=_(
            "A program that acts for itself, without a person: Client Credentials, with a service"
            " user's secret."
        ),
        template=Template.OAUTH2_SERVER,
        question=Question.AUDIENCE,
        fields={
            **_HOUR,
            "client_id_type": ClientIdType.CONFIDENTIAL.value,
            "must_be_oauth_client": True,
            "flows": [Flow.CLIENT_CREDENTIALS.value],
        },
        example="https://api.example.com",
        advice=_("Add a service user that is an OAuth confidential client, and give it Run here."),
    ),
    Entry(
        key="grafana",
        title="Grafana",
        category=Category.PRODUCTS,
        words=_("Dashboards; signs in by Grafana's generic OAuth."),
        template=Template.OPENID_CONNECT,
        question=Question.ADDRESS,
        fields={**_SECRET, **_HOUR},
        callback="/login/generic_oauth",
        signed_out="/login",
        example="https://grafana.example.com",
        advice=_(
            "Make a client secret on the Trust page. In Grafana's [auth.generic_oauth], write"
            " use_pkce = true and scopes = openid profile email; root_url of [server] must be the"
            " address that you gave."
        ),
    ),
    Entry(
        key="oauth2-proxy",
        title="oauth2-proxy",
        category=Category.PRODUCTS,
        words=_("A proxy that asks for a sign-in before a site that knows none."),
        template=Template.OPENID_CONNECT,
        question=Question.ADDRESS,
        fields={**_SECRET, **_HOUR, "claims_in_id_token": True},
        callback="/oauth2/callback",
        example="https://intranet.example.com",
        advice=_(
            "Make a client secret on the Trust page. Start oauth2-proxy with --provider=oidc and"
            " --code-challenge-method=S256; it refuses e-mail addresses that are not verified."
        ),
    ),
    Entry(
        key="mozilla-django-oidc",
        title="Django (mozilla-django-oidc)",
        category=Category.PRODUCTS,
        words=_("A Django project that signs people in by mozilla-django-oidc."),
        template=Template.OPENID_CONNECT,
        question=Question.ADDRESS,
        fields={**_SECRET, **_HOUR},
        callback="/oidc/callback/",
        example="https://www.example.com",
        advice=_(
            "Make a client secret on the Trust page. In the project's settings, write"
            ' OIDC_RP_SIGN_ALGO = "RS256" and OIDC_USE_PKCE = True.'
        ),
    ),
)

CUSTOM: tuple[Entry, ...] = (
    Entry(
        key="oauth2-client",
        title="OAuth2 Client",
        category=Category.CUSTOM,
        words=_("Access tokens for this server's own REST APIs, opened path by path by scopes."),
        template=Template.OAUTH2_CLIENT,
    ),
    Entry(
        key="oauth2-server",
        title="OAuth2 Server",
        category=Category.CUSTOM,
        words=_("Access tokens for somebody else's API, which is named as their audience."),
        template=Template.OAUTH2_SERVER,
    ),
    Entry(
        key="openid-connect",
        title="OpenID Connect",
        category=Category.CUSTOM,
        words=_("Single sign-on: ID tokens that tell a relying party who signed in."),
        template=Template.OPENID_CONNECT,
        fields={"show_in_user_app_list": True},
    ),
)
