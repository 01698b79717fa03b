"""Let a request in, or say why not: what REST framework and plain Django views share."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from django.core.exceptions import (
    BadRequest,
    ImproperlyConfigured,
    RequestDataTooBig,
    TooManyFieldsSent,
)
from django.db import Error
from django.http import HttpRequest
from django.utils import timezone

from ..conf import settings
from ..flows import resource_server, tracing
from ..flows.bearer import bearer_is_readable
from ..flows.resource_server import Accepts, BearerToken, Identified
from ..flows.tracing import Traced
from ..protocol.access_token import challenge
from ..protocol.checks import Trace, check
from ..protocol.errors import (
    BearerError,
    InvalidRequest,
    MissingToken,
    OAuthError,
    TemporarilyUnavailable,
)
from ..protocol.protected_resource import metadata_url
from ..protocol.rest_patterns import MissingEngine
from .users import TokenUser

FORM = "application/x-www-form-urlencoded"

logger = logging.getLogger(__name__)


class Refused(Exception):
    """A request that is not let in, with everything that the answer says."""

    def __init__(self, refusal: OAuthError, request_id: str) -> None:
        self.refusal = refusal
        self.request_id = request_id
        super().__init__(refusal.error)

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.refusal.status)

    @property
    def body(self) -> dict[str, str]:
        """The members of the answer."""
        return {
            "error": self.refusal.error,
            "error_description": self.refusal.description,
            "request_id": self.request_id,
        }

    @property
    def challenge(self) -> str | None:
        """What ``WWW-Authenticate`` says (RFC 6750 §3)."""
        if isinstance(self.refusal, BearerError | InvalidRequest):
            return challenge(self.refusal, metadata_url=_metadata_url())
        return None

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait, where waiting helps."""
        late = isinstance(self.refusal, TemporarilyUnavailable)
        return self.refusal.retry_after if late else None  # type: ignore[attr-defined]


@check(
    "bearer.form_field",
    spec="RFC 6750 §2.2",
    fix="Send access_token once.",
)
def form_field_is_single(values: Sequence[str]) -> str | None:
    """The form holds one access_token at most."""
    if len(values) > 1:
        raise InvalidRequest("the parameter access_token is repeated")
    return values[0] or None if values else None


def accepted(
    applications: Sequence[str] | None,
    audience: str | None,
    issuers: Sequence[str] | None,
    *,
    takes_own: bool = True,
) -> Accepts:
    """Whose tokens an API takes: what it says itself, else what ``RESOURCE_SERVER`` says.

    Raises ``ImproperlyConfigured`` when nothing says so: no API takes just any token.
    """
    if isinstance(applications, str) or isinstance(issuers, str):
        raise ImproperlyConfigured("applications and issuers are lists, not texts.")
    default = settings.resource_server
    made = Accepts(
        applications=default.applications if applications is None else tuple(applications),
        audience=default.audience if audience is None else audience,
        issuers=default.issuers if issuers is None else tuple(issuers),
        takes_own=takes_own,
    )
    if made.problem:
        raise ImproperlyConfigured(
            f"An API that takes bearer tokens is not configured: {made.problem}, in"
            ' OIDC_PKCE["RESOURCE_SERVER"] or as an attribute of its own.'
        )
    return made


def bare_challenge(request: HttpRequest, accepts: Accepts) -> str:
    """The challenge to a request that brought no token and was let in by nothing else.

    Only now is it known to be refused, so only now it leaves a trace.
    """
    with suppress(Refused, Error):  # nobody may lose the challenge over a trace
        identify(request, accepts, lambda _: None, required=True)
    return challenge(MissingToken(), metadata_url=_metadata_url())


def identify(
    request: HttpRequest,
    accepts: Accepts,
    user_for: Callable[[Mapping[str, Any]], Any],
    *,
    required: bool,
) -> tuple[Any, BearerToken] | None:
    """The user and the token of a request; ``None`` for no token where none is required.

    Raises ``Refused``.
    """
    traced, token = Traced("resource_server"), None
    with _traced(traced) as (trace, now):
        try:
            token = _read(request, trace)
            if token is None and not required:
                trace.clear()  # another way of authentication may follow: nothing happened
                return None
            found = resource_server.identify(
                token, accepts=accepts, now=now, trace=trace, user_for=user_for
            )
        except OAuthError:
            traced.application_pk = resource_server.application_pk(token, accepts)
            raise
        _note(traced, found)
    return found.user if found.user is not None else TokenUser(found.token), found.token


def require_scopes(user: Any, token: BearerToken, scopes: Sequence[str]) -> None:
    """Let the bearer in only with ALL of these scopes. Raises ``Refused``."""
    with _traced_refusal(user, token) as trace:
        trace.take(resource_server.scopes_are_granted, token, scopes)


def require_path(user: Any, token: BearerToken, path: str) -> None:
    """Let the bearer in only where a REST pattern of its scopes opens the path.

    Raises ``Refused``, or ``ImproperlyConfigured`` without the engine that matches patterns.
    """
    try:
        with _traced_refusal(user, token) as trace:
            trace.take(resource_server.path_is_opened, token, path)
    except MissingEngine:
        raise ImproperlyConfigured(
            "REST patterns are matched by google-re2, which is not installed: install"
            " oidc-pkce[resource-server]."
        ) from None


def _read(request: HttpRequest, trace: Trace) -> str | None:
    """The token in the header or in a posted form; never one in the address (RFC 6750 §2)."""
    in_body = trace.take(form_field_is_single, _form_values(request))
    if in_body is not None:
        # A crash report of the view must not show it.
        request.sensitive_post_parameters = "__ALL__"  # type: ignore[attr-defined]
    return trace.take(bearer_is_readable, request.headers.get("Authorization"), in_body)


def _form_values(request: HttpRequest) -> Sequence[str]:
    """A form that Django cannot read is the view's matter; a token is not looked for there."""
    if request.method != "POST" or request.content_type != FORM:
        return ()
    try:
        return request.POST.getlist("access_token")
    except (BadRequest, RequestDataTooBig, TooManyFieldsSent, LookupError, UnicodeError):
        return ()


@contextmanager
def _traced(traced: Traced) -> Iterator[tuple[Trace, datetime]]:
    """Keep the trace of what happens inside; a refusal leaves as ``Refused``."""
    trace, now = Trace(), timezone.now()
    try:
        yield trace, now
    except OAuthError as refusal:
        _keep(traced, trace, now)
        raise Refused(refusal, traced.request_id) from None
    if not trace.is_empty:
        _keep(traced, trace, now)


@contextmanager
def _traced_refusal(user: Any, token: BearerToken) -> Iterator[Trace]:
    """The same for a token that was let in before: only a refusal is worth a second row."""
    trace, now = Trace(list(token.passed)), timezone.now()
    try:
        yield trace
    except OAuthError as refusal:
        traced = Traced("resource_server")
        _note(traced, Identified(token, user, getattr(user, "pk", None)))
        _keep(traced, trace, now)
        raise Refused(refusal, traced.request_id) from None


def _note(traced: Traced, found: Identified) -> None:
    traced.application_pk = found.token.application_pk
    traced.client_id = found.token.client_id
    traced.user_pk = found.user_pk
    traced.watched_until = found.watched_until


def _keep(traced: Traced, trace: Trace, now: datetime) -> None:
    """What cannot be written must not take the answer away."""
    try:
        tracing.record(traced, trace, now)
    except Error:
        logger.exception("the trace of request %s was not kept", traced.request_id)


def _metadata_url() -> str:
    return metadata_url(settings.resource_server.resource)
