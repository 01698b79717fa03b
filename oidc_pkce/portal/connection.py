"""What a client needs to know of an application, as the snippets fill it in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from ..models import Application
from ..protocol import redirect_uri as rules
from ..protocol.application import ApplicationFacts, Flow, TokenType
from .literals import UnwritableError

PORT = 5000  # where a registered loopback address names none, any port is allowed (RFC 8252 §7.3)
YOUR_SERVICE_USER = "YOUR_SERVICE_USER"
GRAFANA = "/login/generic_oauth"
BASIC_SCOPES = ("openid", "profile", "email")


@dataclass(frozen=True)
class Connection:
    """One client of one application: what was chosen, and what follows from it."""

    application: Application
    facts: ApplicationFacts
    client_id: str
    #: Empty where none is registered.
    redirect_uri: str
    has_secret: bool

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the snippets ask for: who it is, to stay signed in, and the application's own."""
        own = tuple(name for name in self.facts.scope_names if name not in BASIC_SCOPES)
        if not self.facts.is_openid_connect:
            return self.facts.scope_names
        return (*BASIC_SCOPES, *(("offline_access",) if self.refreshes else ()), *own)

    @property
    def refreshes(self) -> bool:
        """Whether a sign-in brings a refresh token."""
        return self.facts.issues_refresh_tokens

    @property
    def is_discoverable(self) -> bool:
        """Whether the issuer is where the metadata are."""
        return self.facts.issuer == self.application.locations.issuer

    @property
    def has_machines(self) -> bool:
        """Whether a client may ask in its own name."""
        return self.has_secret and Flow.CLIENT_CREDENTIALS in self.facts.flows

    @property
    def is_loopback(self) -> bool:
        """Whether a program on the person's own machine can listen on the redirect URI."""
        is_plain = self.redirect_uri.startswith("http:")
        return is_plain and self._listener in ("localhost", "127.0.0.1")

    def values(self, write: Callable[[str], str]) -> dict[str, Any]:
        """What a template may use; every text is a whole literal of its language, by ``write``.

        Written where a template names it: what a file does not hold cannot spoil it.
        """
        return {
            **{name: partial(write, text) for name, text in self._texts().items()},
            "name": partial(self._name, write),
            "scopes": [partial(write, name) for name in self.scopes],
            "is_openid": self.facts.is_openid_connect,
            "is_insecure": self.application.locations.base.startswith("http:"),
            "is_jwt": self.facts.token_type is not TokenType.OPAQUE,
            "has_secret": self.has_secret,
            "has_scopes": bool(self.scopes),
            "has_own_scopes": bool(self.facts.scope_names),
            "is_discoverable": self.is_discoverable,
            "is_loopback": self.is_loopback,
            "refreshes": self.refreshes,
            "port": self._port,
        }

    def _texts(self) -> dict[str, str]:
        places, redirect = self.application.locations, urlsplit(self.redirect_uri)
        site = urlunsplit((redirect.scheme, redirect.netloc, "", "", ""))
        root = redirect.path.removesuffix(GRAFANA) if redirect.path.endswith(GRAFANA) else ""
        return {
            "issuer": self.facts.issuer,
            "discovery": places.discovery,
            "authorize": places.of("authorize"),
            "token": places.of("token"),
            "userinfo": places.of("userinfo"),
            "keys": places.of("keys"),
            "end_session": places.of("end_session"),
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.scopes),
            "own_scope": " ".join(self.facts.scope_names),
            "query": self._query(),
            "audience": self.facts.audience or self.client_id,
            "algorithm": self.facts.algorithm,
            "host": self._listener,
            "path": redirect.path or "/",
            "site": site,
            "root": f"{site}{root}/",
            "provider_id": self._provider_id(),
        }

    def _name(self, write: Callable[[str], str]) -> str:
        """What people read; where the language cannot write it, the Application ID will do."""
        try:
            return write(" ".join(self.application.name.split()))
        except UnwritableError:
            return write(self.application.application_id)

    def _query(self) -> str:
        """The parameters of an authorization request that are the same at every sign-in."""
        wanted = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.scopes),
        }
        return urlencode({k: v for k, v in wanted.items() if v}, quote_via=quote)

    def _provider_id(self) -> str:
        """The name of the connection within a library: what the redirect URI says, else ours."""
        path = urlsplit(self.redirect_uri).path
        found = re.search(r"/(?:oidc|auth/callback|oauth2/code)/([a-z0-9_-]+)(?:/|\Z)", path)
        return found[1] if found else self.application.application_id.lower().replace(".", "-")

    @property
    def _listener(self) -> str:
        return urlsplit(self.redirect_uri).hostname or ""

    @property
    def _port(self) -> int:
        return urlsplit(self.redirect_uri).port or PORT


def with_port(uri: str) -> str:
    """A redirect URI that a program can listen on: a loopback address without a port gets one."""
    parts = urlsplit(uri)
    if parts.hostname == "127.0.0.1" and parts.port is None and not rules.problem(uri):
        return uri.replace("//127.0.0.1", f"//127.0.0.1:{PORT}", 1)
    return uri


def best_redirect_uri(registered: Sequence[str], callback: str) -> str:
    """The one that a client's own callback address fits, else one on this machine, else the first.

    ``callback`` is a regular expression for the end of the path.
    """
    fitting = [uri for uri in registered if re.search(callback + r"\Z", urlsplit(uri).path)]
    local = [uri for uri in registered if not rules.problem(uri) and rules.kind(uri) == "loopback"]
    several = (*(fitting if callback else ()), *local, *registered, "")
    return with_port(several[0])
