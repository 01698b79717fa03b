"""One sign-in over real HTTP, with nothing but the standard library: the browser and the client.

    python sign_in.py BASE APPLICATION CLIENT REDIRECT_URI USERNAME PASSWORD

Prints the token answer after it has verified the access token against the published keys.
"""

import base64
import hashlib
import json
import secrets
import sys
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO
from urllib.parse import parse_qsl, urlencode, urljoin
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener, urlopen

# DigestInfo of SHA-256, RFC 8017 §9.2 note 1.
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class ReachedCallback(Exception):
    """The provider sent the browser back to the client."""


@dataclass(frozen=True)
class Client:
    base: str
    application: str
    client_id: str
    redirect_uri: str

    def endpoint(self, name: str) -> str:
        return f"{self.base}/OAuth2/{name}/{self.application}"


class Form(HTMLParser):
    """The page's first form that posts: its action and the values it already holds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.values: dict[str, str] = {}
        self._inside = self._done = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form" and (attributes.get("method") or "").lower() == "post" and not self._done:
            self._inside, self.action = True, attributes.get("action") or ""
        elif tag in {"input", "button"} and self._inside and attributes.get("name"):
            self.values.setdefault(attributes["name"] or "", attributes.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._inside:
            self._inside, self._done = False, True


class StopAtCallback(HTTPRedirectHandler):
    def __init__(self, redirect_uri: str) -> None:
        self.redirect_uri = redirect_uri

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if newurl.startswith(self.redirect_uri):
            raise ReachedCallback(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Browser:
    def __init__(self, redirect_uri: str) -> None:
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()), StopAtCallback(redirect_uri))

    def open(self, address: str, data: dict[str, str] | None = None) -> tuple[str, str]:
        """Return the address it ended at and the page; raises ReachedCallback."""
        body = urlencode(data).encode() if data is not None else None
        with self.opener.open(Request(address, body), timeout=30) as answer:
            return answer.url, answer.read().decode()


def sign_in(client: Client, username: str, password: str) -> dict[str, object]:
    """Walk the authorization code flow with PKCE and return the verified token answer."""
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    callback = authorize(client, challenge_of(verifier), state, (username, password))
    query = parse_qsl(callback.partition("?")[2], keep_blank_values=True)
    expect(query[-1][0] == "code", f"the callback does not end in code: {callback}")
    expect(("state", state) in query, f"the state is not ours: {callback}")
    answer = exchange(client, dict(query)["code"], verifier)
    verify(str(answer["access_token"]), client)
    return answer


def authorize(client: Client, challenge: str, state: str, credentials: tuple[str, str]) -> str:
    browser = Browser(client.redirect_uri)
    parameters = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "state": state,
    }
    try:
        address, page = browser.open(f"{client.endpoint('Authorize')}?{urlencode(parameters)}")
        form = Form(page)
        values = {**form.values, "username": credentials[0], "password": credentials[1]}
        address, page = browser.open(urljoin(address, form.action), values)
    except ReachedCallback as reached:
        return str(reached)
    raise SystemExit(f"No callback; the browser stands at {address}:\n{page}")


def exchange(client: Client, code: str, verifier: str) -> dict[str, object]:
    parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "client_id": client.client_id,
        "code_verifier": verifier,
    }
    request = Request(client.endpoint("Token"), urlencode(parameters).encode())
    with urlopen(request, timeout=30) as answer:
        tokens: dict[str, object] = json.load(answer)
    expect(tokens["token_type"] == "Bearer", f"not a bearer token: {tokens}")
    return tokens


def verify(token: str, client: Client) -> None:
    """RS256 by hand (RFC 8017 §8.2.2), so that no library of ours judges our own token."""
    signed, _, signature = token.rpartition(".")
    header = json.loads(decoded(signed.partition(".")[0]))
    with urlopen(client.endpoint("Keys"), timeout=30) as answer:
        keys = {key["kid"]: key for key in json.load(answer)["keys"]}
    key = keys[header["kid"]]
    modulus, exponent = (int.from_bytes(decoded(key[part])) for part in ("n", "e"))
    size = (modulus.bit_length() + 7) // 8
    opened = pow(int.from_bytes(decoded(signature)), exponent, modulus).to_bytes(size)
    digest = SHA256_PREFIX + hashlib.sha256(signed.encode()).digest()
    padding = b"\xff" * (size - len(digest) - 3)
    expect(opened == b"\x00\x01" + padding + b"\x00" + digest, "the signature is wrong")


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise SystemExit(otherwise)


if __name__ == "__main__":
    base, application, client_id, redirect_uri, username, password = sys.argv[1:]
    print(
        json.dumps(sign_in(Client(base, application, client_id, redirect_uri), username, password))
    )
