"""Signed authorization requests (OpenID Connect Core §6.1, RFC 9101)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from . import jose
from .application import ApplicationFacts
from .checks import Trace, check
from .errors import (
    InvalidRequest,
    InvalidRequestObject,
    RequestNotSupported,
    RequestUriNotSupported,
)
from .jose import VerificationKey, is_key_id
from .jwk import public_key_from_jwk
from .parameters import MAY_REPEAT, Parameters
from .response_type import ResponseType

ALGORITHMS = ("RS256", "ES256", "PS256")
MAX_KEYS = 10
TYP = "oauth-authz-req+jwt"  # RFC 9101 §10.8: nothing else that the client signs is of this type
LEEWAY = 30  # seconds by which the clocks of client and server may differ

_TYPES = (None, "JWT", TYP)
_BY_VALUE, _BY_REFERENCE = "request", "request_uri"
_ABOUT_ITSELF = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti"})  # RFC 7519 §4.1


@dataclass(frozen=True, slots=True)
class ObjectQuestion:
    """What the checks of a request object see; ``now`` is in seconds since the epoch."""

    parameters: Parameters
    application: ApplicationFacts
    now: int


@dataclass(frozen=True, slots=True)
class RequestObject:
    """The claims of an object whose signature is right.

    With its own ``typ`` only what is inside counts (RFC 9101 §6.3); otherwise what stands outside
    counts where the object is silent (OpenID Connect Core §6.1).
    """

    claims: Mapping[str, Any] = field(repr=False)  # a nonce or a state may be inside
    is_alone: bool


def is_used(parameters: Parameters) -> bool:
    """Whether a request brings a request object, readable or not."""
    return any(
        name in parameters.names or name in parameters.malformed
        for name in (_BY_VALUE, _BY_REFERENCE)
    )


@check(
    "authorize.request_object",
    spec="OpenID Connect Core §6.1, RFC 9101 §5",
    fix="Register the client's keys as Client keys, or send the parameters in the request itself.",
)
def request_object_is_taken(question: ObjectQuestion) -> None:
    """A request object comes by value, to an application that knows its client's keys."""
    parameters = question.parameters
    parameters.require_wellformed()
    if parameters.get(_BY_VALUE) and parameters.get(_BY_REFERENCE):
        raise InvalidRequest("request and request_uri were sent together")
    if parameters.get(_BY_REFERENCE):
        raise RequestUriNotSupported
    if not question.application.client_jwks:
        raise RequestNotSupported


@check(
    "request_object.signature",
    spec="RFC 9101 §6.2, RFC 8725 §3.1",
    fix="Sign with RS256, ES256 or PS256 by a registered key, and name the key by its kid.",
)
def signature_is_the_clients(question: ObjectQuestion) -> RequestObject:
    """The request object is a JWT that one of the registered keys signed."""
    token = question.parameters.get(_BY_VALUE) or ""
    try:
        header = jose.unverified_header(token)
        keys = _usable(registered_keys(question.application.client_jwks), header)
        return RequestObject(jose.verify(token, keys, typ=_TYPES), header.get("typ") == TYP)
    except (jose.InvalidJWT, ValueError) as problem:
        raise InvalidRequestObject(detail=str(problem)) from None


@check(
    "request_object.client",
    spec="RFC 9101 §5, OpenID Connect Core §6.1",
    fix="Put the client_id of the request into the object as client_id, and as iss.",
)
def object_is_this_clients(question: ObjectQuestion, found: RequestObject) -> None:
    """client_id and iss inside name the client that stands outside; one of them is there."""
    outside = question.parameters.get("client_id")
    named = [found.claims[name] for name in ("client_id", "iss") if name in found.claims]
    if found.is_alone and "client_id" not in found.claims:
        raise InvalidRequestObject("the request object has no client_id")
    if not named:
        raise InvalidRequestObject("the request object does not name its client")
    for value in named:
        if value != outside or outside is None:
            raise InvalidRequestObject(
                "the request object is another client's",
                received=str(value)[:255],
                expected=[outside or ""],
            )


@check(
    "request_object.audience",
    spec="RFC 9101 §4, RFC 8725 §3.9",
    fix="Put the issuer of the metadata document into aud, character for character.",
)
def object_is_for_this_issuer(question: ObjectQuestion, found: RequestObject) -> None:
    """aud holds this application's issuer; only an object of the older type may lack it."""
    if "aud" not in found.claims and not found.is_alone:
        return
    audience, issuer = found.claims.get("aud"), question.application.issuer
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidRequestObject(
            "the request object is for another server",
            received=str(audience)[:255],
            expected=[issuer],
        )


@check(
    "request_object.times",
    spec="RFC 7519 §4.1.4, §4.1.5",
    fix="Make a fresh object for each request, and set the client's clock.",
)
def object_is_in_time(question: ObjectQuestion, found: RequestObject) -> None:
    """exp, where there is one, lies ahead, and nbf behind, when the request arrives."""
    claims = {"exp": question.now + 1, **found.claims}
    try:
        jose.check_times(claims, now=question.now, leeway=LEEWAY)
    except jose.InvalidJWT as problem:
        raise InvalidRequestObject(
            "the request object is out of time", detail=str(problem)
        ) from None


@check(
    "request_object.response_type",
    spec="OpenID Connect Core §6.1",
    fix="Send the same response_type outside and inside.",
)
def response_types_agree(question: ObjectQuestion, found: RequestObject) -> None:
    """response_type is the same inside and outside, where it stands in both."""
    outside, inside = question.parameters.get("response_type"), found.claims.get("response_type")
    if outside is None or inside is None:
        return
    if ResponseType(outside).wanted != ResponseType(str(inside)).wanted:
        raise InvalidRequestObject(
            "response_type differs inside and outside", received=str(inside)[:255]
        )


@check(
    "request_object.members",
    spec="OpenID Connect Core §6.1, RFC 9101 §4, §6.3",
    fix="Write each parameter as text or a whole number; only claims may be an object.",
)
def members_are_parameters(question: ObjectQuestion, found: RequestObject) -> Parameters:
    """Every member but the claims of the JWT itself is a parameter."""
    inside = [pair for member in found.claims.items() for pair in _parameter(*member)]
    outside = question.parameters
    names = ("client_id",) if found.is_alone else outside.names
    silent = [name for name in names if name != _BY_VALUE and name not in found.claims]
    pairs = [(name, value) for name in silent for value in outside.all(name)]
    merged = Parameters.from_pairs([*pairs, *inside])
    merged.require_wellformed()
    return merged


OBJECT_CHECKS = (
    object_is_this_clients,
    object_is_for_this_issuer,
    object_is_in_time,
    response_types_agree,
)


def unwrap(question: ObjectQuestion, trace: Trace) -> Parameters:
    """The parameters that count, to be judged like those of any other request.

    Raises a ``RedirectableError``.
    """
    trace.take(request_object_is_taken, question)
    found = trace.take(signature_is_the_clients, question)
    trace.run(OBJECT_CHECKS, question, found)
    return trace.take(members_are_parameters, question, found)


def registered_keys(jwks: Mapping[str, Any]) -> Mapping[str, VerificationKey]:
    """The same as :func:`verification_keys`, parsed once for each content."""
    return _parsed(json.dumps(jwks, sort_keys=True))


def verification_keys(jwks: object) -> dict[str, VerificationKey]:
    """A client's public keys by ``kid``.

    Raises ``ValueError`` with a fragment of a sentence for anything but a set of public keys, each
    with a ``kid`` of its own and an ``alg`` of ``ALGORITHMS`` (RFC 7517 §4).
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise ValueError(f'write {{"keys": […]}} with 1 to {MAX_KEYS} keys')
    found = [_verification_key(key) for key in keys]
    if len({key.kid for key in found}) != len(found):
        raise ValueError("two keys have one kid")
    return {key.kid: key for key in found}


@lru_cache(maxsize=1000)
def _parsed(jwks: str) -> Mapping[str, VerificationKey]:
    """Parsing a key costs several times what a signature does."""
    return MappingProxyType(verification_keys(json.loads(jwks)))


def _verification_key(key: Any) -> VerificationKey:
    if not isinstance(key, Mapping) or not isinstance(key.get("kid"), str) or not key["kid"]:
        raise ValueError("each key needs a kid")
    if not is_key_id(key["kid"]):
        raise ValueError("a kid is up to 255 printable ASCII characters")
    if key.get("alg") not in ALGORITHMS:
        raise ValueError("each key needs an alg: " + ", ".join(ALGORITHMS))
    if "d" in key or "k" in key:
        raise ValueError(f"the key {key['kid']} is private: register its public half")
    try:
        return VerificationKey(key["kid"], key["alg"], public_key_from_jwk(key))
    except ValueError:
        raise ValueError(f"the key {key['kid']} cannot be read, or does not fit its alg") from None


def _usable(
    keys: Mapping[str, VerificationKey], header: Mapping[str, Any]
) -> Mapping[str, VerificationKey]:
    """A header without ``kid`` means the only key of its ``alg``, if there is just one."""
    fitting = [key for key in keys.values() if key.algorithm == header.get("alg")]
    return {"": fitting[0]} if "kid" not in header and len(fitting) == 1 else keys


def _parameter(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """A member as a parameter would have been sent; one that is about the JWT itself is none."""
    if name in _ABOUT_ITSELF:
        return
    if name in (_BY_VALUE, _BY_REFERENCE):
        raise InvalidRequestObject("a request object must not hold another one")
    many = isinstance(value, list) and name in MAY_REPEAT
    for each in value if many else [value]:
        yield name, _text(name, each)


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if name == "claims" and isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    raise InvalidRequestObject("a member of the request object is no parameter", detail=name[:100])
