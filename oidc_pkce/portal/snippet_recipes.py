"""The clients that the Snippets page knows: their files, and for which applications they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..protocol.application import Flow
from . import literals
from .connection import Connection
from .literals import UnwritableError

FOLDER = "admin/oidc_pkce/snippets"
Rule = Callable[[Connection], str | None]


def signs_people_in(wanted: Connection) -> str | None:
    """The authorization code flow, with somewhere to send the code."""
    if not wanted.client_id:
        return gettext("The Client ID List is empty: nobody is a client yet.")
    if Flow.AUTHORIZATION_CODE not in wanted.facts.flows:
        return gettext("It signs people in, and Authorization Code is not ticked on Tokens.")
    if not wanted.redirect_uri:
        return gettext("It signs people in, and no redirect URI is registered yet.")
    return None


def has_id_tokens(wanted: Connection) -> str | None:
    """An ID token that says who signed in."""
    if wanted.facts.is_openid_connect:
        return None
    return gettext(
        "It needs an ID token, which says who signed in. %(template)s applications issue access"
        " tokens alone: use an OpenID Connect application."
    ) % {"template": wanted.application.get_template_display()}


def finds_the_metadata(wanted: Connection) -> str | None:
    """Metadata where the issuer says that they are."""
    if wanted.is_discoverable:
        return None
    return gettext(
        "It looks for the endpoints below the issuer, and “%(issuer)s” is another place than this"
        " application's: leave Issuer empty to use it."
    ) % {"issuer": wanted.facts.issuer}


def keeps_the_redirect_uri(wanted: Connection) -> str | None:
    """A redirect URI that stays the same when a library takes it apart: a path and no query."""
    parts = urlsplit(wanted.redirect_uri)
    if parts.path and not parts.query:
        return None
    return gettext(
        "It would send “%(uri)s” back without its query or with a slash: choose a redirect URI that"
        " has a path and no query."
    ) % {"uri": wanted.redirect_uri}


def needs_no_secret(wanted: Connection) -> str | None:
    """A browser can keep none."""
    if not wanted.has_secret:
        return None
    return gettext("It runs in a browser, which cannot keep the secret that was chosen.")


def asks_in_its_own_name(wanted: Connection) -> str | None:
    """The client credentials grant."""
    if wanted.has_machines:
        return None
    return gettext("It needs a client with a secret, and Client Credentials ticked on Tokens.")


def gets_refresh_tokens(wanted: Connection) -> str | None:
    """Refresh tokens are issued."""
    if wanted.refreshes:
        return signs_people_in(wanted)
    return gettext("Issue refresh tokens is not ticked on Tokens.")


@dataclass(frozen=True)
class File:
    """One block to paste: the name that it gets, and the template it comes from."""

    name: str
    template: str
    needs: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Block:
    """A file, filled in."""

    name: str
    text: str


@dataclass(frozen=True)
class Recipe:
    """One client."""

    key: str
    title: str
    group: Any
    #: Which versions it was written for.
    version: str
    #: Where to put it, for people.
    place: Any
    files: tuple[File, ...]
    write: Callable[[str], str] = literals.double_quoted
    #: What installs it, or nothing.
    install: str = ""
    needs: tuple[Rule, ...] = (signs_people_in,)
    #: The end of the path at which it waits for answers, as a regular expression and for people.
    callback: str = ""
    callback_shown: str = ""

    def refusal(self, wanted: Connection) -> str | None:
        """Why it makes no sense for this application: a sentence, or ``None``."""
        for rule in self.needs:
            if problem := rule(wanted):
                return problem
        missing = [self._refusal_of(file, wanted) for file in self.files]
        return missing[0] if all(missing) else None

    def blocks(self, wanted: Connection) -> Iterator[Block]:
        """The files that this application can use. Raises ``UnwritableError``."""
        # The literal is final: a second escaping, for HTML, happens where it is shown.
        values = wanted.values(lambda text: mark_safe(self.write(text)))  # noqa: S308
        for file in self.files:
            if not self._refusal_of(file, wanted):
                text = render_to_string(f"{FOLDER}/{file.template}.txt", values)
                yield Block(file.name, text.strip("\n") + "\n")

    def is_elsewhere(self, wanted: Connection) -> bool:
        """Whether the client would wait for answers at another address than the chosen one."""
        parts = urlsplit(wanted.redirect_uri)
        is_web = parts.scheme in ("http", "https")
        return bool(self.callback) and not (is_web and re.search(f"{self.callback}\\Z", parts.path))

    def _refusal_of(self, file: File, wanted: Connection) -> str | None:
        return next(filter(None, (rule(wanted) for rule in file.needs)), None)


COMMAND_LINE = _("Command line")
PYTHON = "Python"
JAVASCRIPT = "JavaScript"
SERVERS = _("Java, C#, Go")
PRODUCTS = _("Proxies and products")
WITH_ID_TOKEN = (signs_people_in, has_id_tokens)
RUN_IT = _("Run it in a terminal: it prints the address to open in a browser.")

RECIPES = (
    Recipe(
        "curl",
        "curl",
        COMMAND_LINE,
        "curl 7.76, OpenSSL 1.1, bash 4",
        RUN_IT,
        (
            File("sign-in.sh", "curl.sign-in.sh", (signs_people_in,)),
            File("refresh.sh", "curl.refresh.sh", (gets_refresh_tokens,)),
            File("machine.sh", "curl.machine.sh", (asks_in_its_own_name,)),
        ),
        write=literals.shell,
        needs=(),
    ),
    Recipe(
        "authlib",
        "Authlib",
        PYTHON,
        "Authlib 1.9",
        RUN_IT,
        (File("sign_in.py", "authlib.py"),),
        install="pip install 'authlib>=1.9' requests joserfc",
    ),
    Recipe(
        "requests-oauthlib",
        "requests-oauthlib",
        PYTHON,
        "requests-oauthlib 2.0",
        RUN_IT,
        (File("sign_in.py", "requests_oauthlib.py"),),
        install="pip install 'requests-oauthlib>=2'",
    ),
    Recipe(
        "mozilla-django-oidc",
        "mozilla-django-oidc",
        PYTHON,
        "mozilla-django-oidc 5.0",
        _("At the end of the Django project's settings and URLs."),
        (
            File("settings.py", "mozilla_django_oidc.settings.py"),
            File("urls.py", "mozilla_django_oidc.urls.py"),
        ),
        install="pip install 'mozilla-django-oidc>=5'",
        needs=WITH_ID_TOKEN,
        callback="/oidc/callback/",
        callback_shown="/oidc/callback/",
    ),
    Recipe(
        "django-allauth",
        "django-allauth",
        PYTHON,
        "django-allauth 65.21",
        _("At the end of the Django project's settings and URLs."),
        (
            File("settings.py", "django_allauth.settings.py"),
            File("urls.py", "django_allauth.urls.py"),
        ),
        install="pip install 'django-allauth[socialaccount]>=65.11'",
        needs=WITH_ID_TOKEN,
        callback="/accounts/oidc/[a-z0-9_-]+/login/callback/",
        callback_shown="/accounts/oidc/…/login/callback/",
    ),
    Recipe(
        "openid-client",
        "openid-client",
        JAVASCRIPT,
        "openid-client 6.8, Node.js 20",
        RUN_IT,
        (File("sign-in.mjs", "openid_client.mjs"),),
        install="npm install openid-client@6",
        needs=(signs_people_in, finds_the_metadata, keeps_the_redirect_uri),
    ),
    Recipe(
        "oidc-client-ts",
        "oidc-client-ts",
        JAVASCRIPT,
        "oidc-client-ts 3.5",
        _("A module of the browser application, loaded at its redirect URI and where it starts."),
        (File("sign-in.js", "oidc_client_ts.js"),),
        install="npm install oidc-client-ts@3",
        needs=(needs_no_secret, signs_people_in, finds_the_metadata),
    ),
    Recipe(
        "authjs",
        "Auth.js",
        JAVASCRIPT,
        "@auth/express 0.12, Express 5.3",
        _("Start it with a random AUTH_SECRET of 32 characters in the environment."),
        (File("server.mjs", "authjs.mjs"),),
        install="npm install @auth/express@0.12 express@5",
        needs=(*WITH_ID_TOKEN, finds_the_metadata),
        callback="/auth/callback/[a-z0-9_-]+",
        callback_shown="/auth/callback/…",
    ),
    Recipe(
        "spring",
        "Spring Boot",
        SERVERS,
        "Spring Boot 4, Spring Security 7",
        _("Into src/main/resources, with the starter for OAuth2 clients among the dependencies."),
        (File("application.yml", "spring.application.yml"),),
        write=literals.spring,
        callback="/login/oauth2/code/[a-z0-9_-]+",
        callback_shown="/login/oauth2/code/…",
    ),
    Recipe(
        "aspnet",
        "ASP.NET Core",
        SERVERS,
        ".NET 8",
        _("The whole of a web project's Program.cs."),
        (File("Program.cs", "aspnet.program.cs"),),
        install="dotnet add package Microsoft.AspNetCore.Authentication.OpenIdConnect",
        needs=(*WITH_ID_TOKEN, finds_the_metadata),
    ),
    Recipe(
        "go",
        "Go",
        SERVERS,
        "Go 1.22, golang.org/x/oauth2 0.24, go-oidc 3",
        _("A program of its own: it prints the address to open in a browser."),
        (File("main.go", "go.main.go"),),
        install=(
            "go mod init example.com/sign-in\n"
            "go get golang.org/x/oauth2 github.com/coreos/go-oidc/v3/oidc"
        ),
    ),
    Recipe(
        "oauth2-proxy",
        "oauth2-proxy",
        PRODUCTS,
        "oauth2-proxy 7.4",
        _("Start it with --config=oauth2-proxy.cfg."),
        (File("oauth2-proxy.cfg", "oauth2_proxy.cfg"),),
        needs=(*WITH_ID_TOKEN, finds_the_metadata),
        callback="/oauth2/callback",
        callback_shown="/oauth2/callback",
    ),
    Recipe(
        "mod_auth_openidc",
        "mod_auth_openidc",
        PRODUCTS,
        "mod_auth_openidc 2.4, Apache 2.4",
        _("Into the virtual host, with the module enabled."),
        (File("openidc.conf", "mod_auth_openidc.conf"),),
        write=literals.apache,
        needs=WITH_ID_TOKEN,
    ),
    Recipe(
        "grafana",
        "Grafana",
        PRODUCTS,
        "Grafana 10",
        _("Into grafana.ini; then start Grafana anew."),
        (File("grafana.ini", "grafana.ini"),),
        write=literals.grafana,
        needs=WITH_ID_TOKEN,
        callback="/login/generic_oauth",
        callback_shown="/login/generic_oauth",
    ),
)


def unwritable(recipe: Recipe, fault: UnwritableError) -> str:
    """Why there is no snippet, with the value that stands in the way."""
    return gettext(
        "The configuration of %(client)s gives “%(value)s” another meaning than this text: choose"
        " another value."
    ) % {"client": recipe.title, "value": fault.value}
