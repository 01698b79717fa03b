"""Ask a running issuer what a client would ask, and say in sentences what is wrong.

Each examination is a generator of complaints. One that cannot be made, because an earlier one
failed, raises ``Postponed``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from .. import outbound
from ..conf import is_loopback, settings
from ..models import LogoutDelivery
from ..outbound import Answer, OutboundError
from ..protocol import jwk

CLOCKS_DIFFER = timedelta(seconds=30)  # clients allow little more on iat and exp
SIGN_OUTS_WAIT = timedelta(hours=1)  # a delivery that failed is tried again within it
OPENID = ".well-known/openid-configuration"
OAUTH = ".well-known/oauth-authorization-server"


class Postponed(Exception):
    """Something that failed before has to be mended first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one examination found: a rule that holds, or complaints."""

    examination: str
    rule: str
    complaints: tuple[str, ...]
    postponed: bool = False


class Issuer:
    """One issuer, as a client sees it. Answers are kept, so that each is asked for once."""

    def __init__(self, url: str) -> None:
        """Take the issuer's address, with or without the path of its metadata."""
        self.url = url.partition("/.well-known/")[0].rstrip("/") + "/"
        self._answers: dict[str, Answer] = {}

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def metadata_urls(self) -> tuple[str, ...]:
        """Where clients look (OpenID Connect Discovery §4, RFC 8414 §3.1), the commonest first."""
        path = urlsplit(self.url).path.rstrip("/")
        return (
            f"{self.url}{OPENID}",
            f"{self.url}{OAUTH}",
            f"{self.origin}/{OPENID}{path}",
            f"{self.origin}/{OAUTH}{path}",
        )

    def get(self, url: str) -> Answer:
        """Ask once. Raises ``OutboundError``."""
        if url not in self._answers:
            self._answers[url] = outbound.get(url, trusted=self._is_named(url))
        return self._answers[url]

    def post(self, url: str) -> Answer:
        """Post an empty form. Raises ``OutboundError``."""
        return outbound.post(url, b"", trusted=self._is_named(url))

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata document. Raises ``Postponed`` when there is none."""
        try:
            return json_object(self.get(self.metadata_urls[0]))
        except (OutboundError, ValueError):
            raise Postponed from None

    def address(self, member: str) -> str:
        """An address from the metadata. Raises ``Postponed`` when there is none."""
        found = self.metadata.get(member)
        if not isinstance(found, str):
            raise Postponed
        return found

    def _is_named(self, url: str) -> bool:
        """The operator named this host; what its metadata names elsewhere is judged as any URL."""
        return url.startswith(f"{self.origin}/")


def examine(issuer: Issuer) -> list[Finding]:
    """Make every examination, in order."""
    return [_finding(name, rule, look, issuer) for name, rule, look in EXAMINATIONS]


def json_object(answer: Answer) -> Mapping[str, Any]:
    """A JSON object. Raises ``ValueError`` with the rest of a sentence."""
    if answer.status != 200:
        raise ValueError(f"answers {answer.status}")
    try:
        members = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ValueError("answers something that is not JSON") from None
    if not isinstance(members, dict):
        raise ValueError("answers JSON that is not an object")
    return members


def issuer_is_encrypted(issuer: Issuer) -> Iterator[str]:
    """Nobody on the way can read or change what is asked."""
    parts = urlsplit(issuer.url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        yield f"{issuer.url} is not https: everybody on the way can read codes and tokens."


def metadata_is_served(issuer: Issuer) -> Iterator[str]:
    """The metadata stands under all four paths, the same everywhere."""
    first, *others = issuer.metadata_urls
    expected = issuer.get(first)  # where nobody answers, the others need not be asked
    for url in (first, *others):
        try:
            json_object(issuer.get(url))
        except ValueError as error:
            yield f"{url} {error}."
            continue
        if issuer.get(url).body != expected.body:
            yield f"{url} answers another document than {first}."


def issuer_is_its_own(issuer: Issuer) -> Iterator[str]:
    """The issuer in the metadata is the address that was asked, character for character."""
    found = issuer.metadata.get("issuer")
    if found != issuer.url:
        yield (
            f'The metadata says issuer "{found}", but it was asked at "{issuer.url}": clients'
            " compare the two character for character. Correct ISSUER_BASE, the Issuer field of"
            " the application, or the address that clients are given."
        )


def endpoints_are_near(issuer: Issuer) -> Iterator[str]:
    """Every endpoint in the metadata has an address on the issuer's own origin."""
    for member in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        found = issuer.metadata.get(member)
        if not isinstance(found, str):
            yield f"The metadata has no {member}."
        elif not found.startswith(f"{issuer.origin}/"):
            yield f"{member} is {found}, which is not on {issuer.origin}."


def challenge_is_offered(issuer: Issuer) -> Iterator[str]:
    """The metadata offers PKCE with S256."""
    if "S256" not in (issuer.metadata.get("code_challenge_methods_supported") or ()):
        yield "The metadata does not offer S256 in code_challenge_methods_supported."


def keys_can_be_read(issuer: Issuer) -> Iterator[str]:
    """Every key of the key set can be read and has a name of its own."""
    keys = _keys(issuer)
    names = [key.get("kid") for key in keys]
    if len(set(names)) != len(names) or None in names:
        yield f"The keys at {issuer.address('jwks_uri')} have no kid each of its own."
    for key in keys:
        try:
            jwk.public_key_from_jwk(key)
        except ValueError as error:
            yield f"The key {key.get('kid')} cannot be used: {error}."


def keys_cover_the_algorithms(issuer: Issuer) -> Iterator[str]:
    """There is a key for every algorithm that signs."""
    have = {key.get("alg") for key in _keys(issuer)}
    for algorithm in issuer.metadata.get("id_token_signing_alg_values_supported") or ():
        if algorithm not in have:
            yield f"The metadata promises {algorithm}, but no key is published for it."


def documents_are_public(issuer: Issuer) -> Iterator[str]:
    """Scripts of any origin may read metadata and keys, and caches may keep them."""
    for url in (issuer.metadata_urls[0], issuer.address("jwks_uri")):
        sent = issuer.get(url).headers
        if sent.get("access-control-allow-origin") != "*":
            yield f"{url} has no Access-Control-Allow-Origin: *, so browser apps cannot read it."
        if "max-age=" not in sent.get("cache-control", ""):
            yield f"{url} has no Cache-Control with a max-age, so clients ask it every time."


def authorize_shows_a_page(issuer: Issuer) -> Iterator[str]:
    """A request without parameters gets an error page, and is redirected nowhere."""
    url = issuer.address("authorization_endpoint")
    answer = issuer.get(url)
    if "location" in answer.headers:
        yield f"{url} redirects a request without parameters to {answer.headers['location']}."
    elif not 400 <= answer.status < 500 or not _is(answer, "text/html"):
        yield f"{url} answers {answer.status} to a request without parameters, and no error page."


def token_refuses_get(issuer: Issuer) -> Iterator[str]:
    """The token endpoint refuses GET and says what it takes."""
    url = issuer.address("token_endpoint")
    answer = issuer.get(url)
    if answer.status != 405 or "POST" not in answer.headers.get("allow", ""):
        yield f"{url} answers GET with {answer.status} instead of 405 with Allow: POST."


def token_explains_refusals(issuer: Issuer) -> Iterator[str]:
    """An empty token request is refused in JSON that no cache keeps."""
    url = issuer.address("token_endpoint")
    answer = issuer.post(url)
    if answer.status not in (400, 401) or not _has_error(answer):
        yield f"{url} answers an empty request with {answer.status} and no error in JSON."
    if "no-store" not in answer.headers.get("cache-control", ""):
        yield f"{url} lets caches keep its answers: Cache-Control: no-store is missing."


def clocks_agree(issuer: Issuer) -> Iterator[str]:
    """The issuer's clock and this machine's agree."""
    issuer.metadata  # noqa: B018 - without an answer there is no Date
    now = datetime.now(UTC)
    try:
        said = parsedate_to_datetime(issuer.get(issuer.metadata_urls[0]).headers.get("date", ""))
        difference = abs(said.astimezone(UTC) - now)
    except ValueError:
        yield "The issuer sends no Date, so its clock cannot be compared."
        return
    if difference > CLOCKS_DIFFER:
        seconds = int(difference.total_seconds())
        yield f"The issuer's clock and this machine's differ by {seconds} seconds."


def sign_outs_are_told(issuer: Issuer) -> Iterator[str]:
    """No sign-out of this server waits for an hour to be told to its application."""
    if not issuer.url.startswith(f"{settings.issuer_base}/"):
        return
    waiting = LogoutDelivery.objects.due(datetime.now(UTC) - SIGN_OUTS_WAIT).count()
    if waiting:
        yield (
            f"{waiting} sign-outs have waited for more than an hour to be told to applications:"
            " run `manage.py deliver_logouts --forever`."
        )


Examination = Callable[[Issuer], Iterator[str]]

EXAMINATIONS: tuple[tuple[str, str, Examination], ...] = tuple(
    (name, (look.__doc__ or "").splitlines()[0], look)
    for name, look in (
        ("https", issuer_is_encrypted),
        ("metadata", metadata_is_served),
        ("issuer", issuer_is_its_own),
        ("endpoints", endpoints_are_near),
        ("pkce", challenge_is_offered),
        ("keys", keys_can_be_read),
        ("algorithms", keys_cover_the_algorithms),
        ("public_documents", documents_are_public),
        ("authorize", authorize_shows_a_page),
        ("token_method", token_refuses_get),
        ("token_error", token_explains_refusals),
        ("clock", clocks_agree),
        ("sign_outs", sign_outs_are_told),
    )
)


def _finding(name: str, rule: str, look: Examination, issuer: Issuer) -> Finding:
    complaints: list[str] = []
    try:
        complaints.extend(look(issuer))
    except Postponed:
        return Finding(name, rule, (), postponed=True)
    except OutboundError as error:
        complaints.append(str(error))
    return Finding(name, rule, tuple(complaints))


def _keys(issuer: Issuer) -> list[Mapping[str, Any]]:
    """The members of the key set. Raises ``Postponed`` when it cannot be read."""
    url = issuer.address("jwks_uri")
    try:
        keys = json_object(issuer.get(url)).get("keys")
    except ValueError as error:
        raise OutboundError(f"{url} {error}.") from None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise OutboundError(f"{url} answers no key set.")
    return keys


def _has_error(answer: Answer) -> bool:
    try:
        members = json.loads(answer.body)
    except ValueError:
        return False
    return isinstance(members, dict) and isinstance(members.get("error"), str)


def _is(answer: Answer, content_type: str) -> bool:
    return answer.headers.get("content-type", "").startswith(content_type)
