"""The token request: what every grant shares, and the answer (RFC 6749 §3.2, §5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from . import resource, scope
from .access import Access
from .application import ApplicationFacts, Flow
from .checks import check
from .errors import (
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from .near_miss import closest_first, of_word
from .parameters import Parameters

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant
CLIENT_CREDENTIALS = "client_credentials"
PASSWORD = "password"  # noqa: S105 - the name of a grant
GRANT_TYPES = (AUTHORIZATION_CODE, REFRESH_TOKEN, CLIENT_CREDENTIALS, PASSWORD)
MAX_CREDENTIAL = 1024

FLOW_OF_GRANT: Mapping[str, Flow] = MappingProxyType(
    {
        AUTHORIZATION_CODE: Flow.AUTHORIZATION_CODE,
        CLIENT_CREDENTIALS: Flow.CLIENT_CREDENTIALS,
        PASSWORD: Flow.PASSWORD,
    }
)

_GRANT_TYPE = re.compile(r"[a-z_:.\-]{1,80}")  # anything else may be a credential gone astray
NEVER_IN_THE_QUERY = (
    "client_secret",
    "code",
    "code_verifier",
    "refresh_token",
    "password",
    "token",
)


@dataclass(frozen=True, slots=True)
class TokenQuestion:
    """What the first checks of the token endpoint see."""

    parameters: Parameters
    query: Parameters
    application: ApplicationFacts
    grants: Collection[str]


class FormQuestion(Protocol):
    """A form that a client posted, and the address to which it did."""

    @property
    def parameters(self) -> Parameters: ...
    @property
    def query(self) -> Parameters: ...


@check(
    "token.parameters",
    spec="RFC 6749 §3.2",
    fix="Send each parameter once, in the body, as application/x-www-form-urlencoded.",
)
def parameters_are_wellformed(question: FormQuestion) -> None:
    """No parameter is repeated, undecodable or too long, and no credential stands in the URL."""
    for name in NEVER_IN_THE_QUERY:
        if name in question.query.names:
            raise InvalidRequest(f"{name} must not be sent in the query")
    question.parameters.require_wellformed()


@check(
    "token.grant_type",
    spec="RFC 6749 §5.2",
    fix="Send a grant_type that the metadata document lists.",
)
def grant_type_is_known(question: TokenQuestion) -> None:
    """grant_type is one that this server knows."""
    received = question.parameters.get("grant_type")
    if received is None:
        raise InvalidRequest("grant_type is missing")
    if received not in question.grants:
        shown = received if _GRANT_TYPE.fullmatch(received) else f"({len(received)} characters)"
        known = sorted(question.grants)
        misses = of_word(known, received)
        raise UnsupportedGrantType(received=shown, expected=known, near_misses=misses)


@check(
    "token.flow",
    spec="RFC 6749 §5.2",
    fix="Tick the flow, or Issue refresh tokens, on the application's Tokens page.",
)
def flow_is_ticked(question: TokenQuestion) -> None:
    """The application offers this grant."""
    grant_type = question.parameters.get("grant_type") or ""
    offered = offered_grants(question.application)
    if grant_type not in offered:
        raise UnauthorizedClient(
            f"grant {grant_type} is not offered", received=grant_type, expected=offered
        )


TOKEN_CHECKS = (parameters_are_wellformed, grant_type_is_known)
GRANT_CHECKS = (flow_is_ticked,)


def offered_grants(application: ApplicationFacts) -> tuple[str, ...]:
    """The grants that the Tokens page ticks, in the order of ``GRANT_TYPES``."""
    return tuple(
        grant
        for grant in GRANT_TYPES
        if FLOW_OF_GRANT.get(grant) in application.flows
        or (grant == REFRESH_TOKEN and application.issues_refresh_tokens)
    )


# --- what several grants ask -------------------------------------------------------------------


class Asked(Protocol):
    """A request that may ask for fewer resources than were granted."""

    @property
    def resources(self) -> tuple[str, ...]: ...


class StoredQuestion(Protocol):
    """What stands behind a code or a refresh token, beside the request that presents it."""

    @property
    def application(self) -> ApplicationFacts: ...
    @property
    def access(self) -> Access | None: ...
    @property
    def request(self) -> Asked: ...
    @property
    def stored(self) -> Asked: ...


@check(
    "token.resource",
    spec="RFC 8707 §2.2",
    fix="Send only resources that the authorization request named.",
)
def resources_are_granted(question: StoredQuestion) -> None:
    """Each resource is one that the authorization request named."""
    if wider := set(question.request.resources) - set(question.stored.resources):
        raise InvalidTarget(
            "resource was not granted",
            received=min(wider),
            expected=question.stored.resources,
        )


@check(
    "token.access",
    spec="RFC 6749 §5.2",
    fix="Activate the user and give the Run right on the Permissions page.",
)
def user_may_use_the_application(question: StoredQuestion) -> None:
    """The user may use this application now."""
    access = question.access
    reason = access.refusal(question.application) if access else "the user is gone"
    if reason:
        raise InvalidGrant("access denied", detail=reason)


@dataclass(frozen=True, slots=True)
class ScopeRequest:
    """A request that names its scopes at the token endpoint itself."""

    application: ApplicationFacts
    scope: str
    resources: tuple[str, ...]
    about_a_person: bool

    @classmethod
    def read(
        cls, application: ApplicationFacts, parameters: Parameters, *, about_a_person: bool
    ) -> ScopeRequest:
        """Take scope and resource out of the form."""
        asked = parameters.get("scope") or ""
        return cls(application, asked, parameters.all("resource"), about_a_person)


@check(
    "token.scope",
    spec="RFC 6749 §3.3, §5.2",
    fix="Define this scope on the Scope page; openid and its like need a person.",
)
def scopes_are_defined(question: ScopeRequest) -> None:
    """Every requested scope is one that the application defines, and fits who asks."""
    application = question.application
    known = application.known_scopes if question.about_a_person else application.scope_names
    for name in scope.parse(question.scope):
        if name not in known:
            raise InvalidScope(
                f"unknown scope {name}",
                received=name,
                expected=closest_first(sorted(known), name),
                near_misses=scope.near_misses(known, name),
            )


@check(
    "token.resource_form",
    spec="RFC 8707 §2.2",
    fix="Send each resource as an absolute URI without a fragment.",
)
def resources_are_absolute(question: ScopeRequest) -> None:
    """Each resource is an absolute URI without a fragment."""
    resource.require_wellformed(question.resources)


SCOPE_CHECKS = (scopes_are_defined, resources_are_absolute)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """A successful answer (RFC 6749 §5.1); ``expires_in`` is in seconds."""

    access_token: str = field(repr=False)  # tokens must not reach a log line
    expires_in: int
    scope: str
    id_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)

    def members(self) -> dict[str, str | int]:
        """The JSON members, in the order in which they are sent."""
        body: dict[str, str | int] = {
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in,
            "scope": self.scope,
        }
        if self.id_token is not None:
            body["id_token"] = self.id_token
        if self.refresh_token is not None:
            body["refresh_token"] = self.refresh_token
        return body
