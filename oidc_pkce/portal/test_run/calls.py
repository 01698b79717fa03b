"""What a client sends from server to server, and how request and answer are shown."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from ...models import Application
from .decoded import ACCESS_TOKEN, KINDS, REFRESH_TOKEN
from .in_process import Received, Sent

FORM = "application/x-www-form-urlencoded"
HIDDEN = "•••"
BEGINNING = 12  # characters of a token that tell it from others

#: Shown as dots, and with their beginning.
_SECRETS = frozenset({"client_secret", "code_verifier"})
_CREDENTIALS = frozenset({"code", "token", *KINDS})

Values = Mapping[str, Any]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a client: to which endpoint, with what, and which credential it needs."""

    endpoint: str
    title: Any
    pairs: Callable[[Values], Pairs]
    needs: str = ""
    bears_token: bool = False


def _code(given: Values) -> Pairs:
    return (
        ("grant_type", "authorization_code"),
        ("code", given["code"]),
        ("redirect_uri", given["redirect_uri"]),
        ("code_verifier", given["code_verifier"]),
    )


def _refresh(given: Values) -> Pairs:
    return (("grant_type", "refresh_token"), ("refresh_token", given["refresh_token"]))


def _machine(given: Values) -> Pairs:
    grant = ("grant_type", "client_credentials")
    return (grant, ("scope", given["scope"]), ("resource", given["resource"]))


def _nothing(_: Values) -> Pairs:
    return ()


def _token(kind: str) -> Callable[[Values], Pairs]:
    return lambda given: (("token", given[kind]), ("token_type_hint", kind))


#: By the name of the button that sends it.
CALLS: Mapping[str, Call] = {
    "code": Call("token", _("Exchange the code"), _code, "code"),
    "client_credentials": Call("token", _("Client credentials"), _machine),
    "userinfo": Call("userinfo", _("UserInfo"), _nothing, ACCESS_TOKEN, bears_token=True),
    "introspect_access_token": Call(
        "introspect", _("Introspect the access token"), _token(ACCESS_TOKEN), ACCESS_TOKEN
    ),
    "introspect_refresh_token": Call(
        "introspect", _("Introspect the refresh token"), _token(REFRESH_TOKEN), REFRESH_TOKEN
    ),
    "refresh": Call("token", _("Refresh"), _refresh, REFRESH_TOKEN),
    "revoke_access_token": Call(
        "revoke", _("Revoke the access token"), _token(ACCESS_TOKEN), ACCESS_TOKEN
    ),
    "revoke_refresh_token": Call(
        "revoke", _("Revoke the refresh token"), _token(REFRESH_TOKEN), REFRESH_TOKEN
    ),
}


@sensitive_variables()
def request_of(call: Call, application: Application, given: Values) -> Sent:
    """The request, as a client of this application makes it."""
    address = application.locations.of(call.endpoint)
    if call.bears_token:
        return Sent("GET", address, {"Authorization": f"Bearer {given[call.needs]}"})
    headers, proof = _authentication(given)
    body = urlencode([pair for pair in (*call.pairs(given), *proof) if pair[1]], errors="replace")
    return Sent("POST", address, {"Content-Type": FORM, **headers}, body.encode("ascii"))


@sensitive_variables()
def _authentication(given: Values) -> tuple[dict[str, str], Pairs]:
    """By the method that was chosen (RFC 6749 §2.3.1)."""
    client_id, secret = given["client_id"], given["client_secret"]
    method = given["authentication"] or ("client_secret_basic" if secret else "none")
    if method == "client_secret_basic":
        pair = ":".join(quote(each, safe="", errors="replace") for each in (client_id, secret))
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, ()
    named = ("client_id", client_id)
    return {}, (named, ("client_secret", secret)) if method == "client_secret_post" else (named,)


# --- how it is shown ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """A request that was sent, and its answer, as they stood on the wire."""

    request: str
    answer: str = field(repr=False)
    status: int
    reason: str
    milliseconds: int
    members: Mapping[str, Any] = field(repr=False)

    @property
    def succeeded(self) -> bool:
        """Whether the endpoint did what was asked."""
        return self.status < 300

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens of the answer."""
        found = ((kind, self.members.get(kind)) for kind in KINDS)
        return {kind: value for kind, value in found if isinstance(value, str) and value}

    def text(self, name: str) -> str:
        """A member of the answer that is a text, or nothing."""
        value = self.members.get(name)
        return value if isinstance(value, str) else ""


def step(sent: Sent, received: Received) -> Step:
    """What the page shows of a request and its answer."""
    text = received.body.decode("utf-8", "replace")
    members = _members(text)
    head = [f"HTTP/1.1 {received.status} {received.reason}"]
    head += [f"{name}: {value}" for name, value in received.headers]
    body = text if members is None else json.dumps(members, indent=2, ensure_ascii=False)
    rest = "\n…" if received.is_cut else ""
    return Step(
        request=shown(sent),
        answer="\n".join((*head, "", body)).rstrip() + rest,
        status=received.status,
        reason=received.reason,
        milliseconds=received.milliseconds,
        members=members or {},
    )


def shown(sent: Sent) -> str:
    """A request without what must not be read over somebody's shoulder."""
    parts = urlsplit(sent.address)
    head = [f"{sent.method} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    head += [f"{name}: {_header(name, value)}" for name, value in sent.headers.items()]
    pairs = filter(None, sent.body.decode("ascii").split("&"))
    return "\n".join((*head, "", "&\n".join(map(_pair, pairs)))).rstrip()


def _header(name: str, value: str) -> str:
    if name != "Authorization":
        return value
    scheme, _, credential = value.partition(" ")
    return f"{scheme} {HIDDEN if scheme == 'Basic' else shortened(credential)}"


def _pair(pair: str) -> str:
    name, _, value = pair.partition("=")
    if name in _SECRETS:
        return f"{name}={HIDDEN}"
    return f"{name}={shortened(value)}" if name in _CREDENTIALS else pair


def shortened(credential: str) -> str:
    """Enough of a credential to tell it from another one."""
    if len(credential) <= 2 * BEGINNING:
        return HIDDEN
    return f"{credential[:BEGINNING]}{HIDDEN}"


def _members(text: str) -> dict[str, Any] | None:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None
