"""Every refusal as a problem detail that names the field (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    BadRequest,
    ObjectDoesNotExist,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as Invalid
from django.db import IntegrityError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from ..flows.webapps import EditedMeanwhile
from ..flows.webapps.problems import Unsound
from ..resource_server.authentication import BearerRefused

MEDIA_TYPE = "application/problem+json"
MOST_FAULTS = 1000  # of one answer, which must not be many times as long as the request


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its status, its title, and what the documentation says of it."""

    slug: str
    status: HTTPStatus
    title: str
    meaning: str

    @property
    def address(self) -> str:
        """Its heading in the documentation of this API: the problem's ``type``."""
        return f"{reverse('oidc_pkce_api:documentation')}#{self.slug}"


def _kind(slug: str, status: HTTPStatus, title: str, meaning: str) -> Kind:
    return Kind(slug, status, title, meaning)


MALFORMED = _kind(
    "malformed",
    HTTPStatus.BAD_REQUEST,
    gettext_noop("The request cannot be read"),
    gettext_noop(
        "The body is not JSON, a member is unknown or of the wrong type, or a query parameter is"
        " wrong. “errors” names each one."
    ),
)
UNAUTHENTICATED = _kind(
    "unauthenticated",
    HTTPStatus.UNAUTHORIZED,
    gettext_noop("Nobody is signed in"),
    gettext_noop("Send an access token, or sign in to the administration."),
)
FORBIDDEN = _kind(
    "forbidden",
    HTTPStatus.FORBIDDEN,
    gettext_noop("A right is missing"),
    gettext_noop(
        "Whoever asks lacks a right, the token lacks the scope, or a session sent a change without"
        " the CSRF token."
    ),
)
NOT_FOUND = _kind(
    "not-found",
    HTTPStatus.NOT_FOUND,
    gettext_noop("There is no such thing"),
    gettext_noop("It does not exist, or whoever asks may not see it."),
)
METHOD = _kind(
    "method",
    HTTPStatus.METHOD_NOT_ALLOWED,
    gettext_noop("This address has no such method"),
    gettext_noop("“Allow” lists those that it has."),
)
CONFLICT = _kind(
    "conflict",
    HTTPStatus.CONFLICT,
    gettext_noop("Somebody else was faster"),
    gettext_noop("Two requests met, and this one was not carried out: send it again."),
)
STALE = _kind(
    "stale",
    HTTPStatus.PRECONDITION_FAILED,
    gettext_noop("It was changed meanwhile"),
    gettext_noop("If-Match names another version than the present one: read it again."),
)
TOO_LARGE = _kind(
    "too-large",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    gettext_noop("The body is too large"),
    gettext_noop("Two MiB are the limit, and eight for an import."),
)
MEDIA = _kind(
    "media-type",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    gettext_noop("The body is not JSON"),
    gettext_noop("Send Content-Type: application/json."),
)
INVALID = _kind(
    "invalid",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    gettext_noop("A rule refuses this"),
    gettext_noop(
        "The members have the right types, but their values cannot be. “errors” points to each"
        " fault. Nothing was saved."
    ),
)
UNCONDITIONAL = _kind(
    "precondition-required",
    HTTPStatus.PRECONDITION_REQUIRED,
    gettext_noop("If-Match is missing"),
    gettext_noop("Send the ETag that the application was read with, or “*” for any version."),
)
THROTTLED = _kind(
    "throttled",
    HTTPStatus.TOO_MANY_REQUESTS,
    gettext_noop("Too many requests"),
    gettext_noop("Wait for as many seconds as Retry-After says."),
)
UNAVAILABLE = _kind(
    "unavailable",
    HTTPStatus.SERVICE_UNAVAILABLE,
    gettext_noop("The server is busy"),
    gettext_noop("Wait for as many seconds as Retry-After says."),
)

KINDS = (
    *(MALFORMED, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, METHOD, CONFLICT, STALE, TOO_LARGE),
    *(MEDIA, INVALID, UNCONDITIONAL, THROTTLED, UNAVAILABLE),
)
_BY_STATUS: Mapping[int, Kind] = {int(kind.status): kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where it stands (a JSON pointer, or a parameter's name), and a sentence."""

    where: str
    sentence: str
    member: str = "pointer"

    def as_json(self) -> dict[str, str]:
        """One entry of ``errors``."""
        return {self.member: self.where, "detail": self.sentence}


class Problem(Exception):
    """A refusal of this API, with everything that its answer says."""

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.detail = detail
        self.faults = tuple(islice(faults, MOST_FAULTS))
        self.headers = dict(headers or {})
        super().__init__(detail or kind.title)

    def response(self) -> Response:
        """The answer."""
        body = {
            "type": self.kind.address,
            "title": _(self.kind.title),
            "status": int(self.kind.status),
            "detail": self.detail or _(self.kind.meaning),
        }
        if self.faults:
            body["errors"] = [fault.as_json() for fault in self.faults]
        return Response(body, int(self.kind.status), headers=self.headers, content_type=MEDIA_TYPE)


class TooLarge(Problem):
    """A body of more bytes than are read."""

    def __init__(self, limit: int) -> None:
        sentence = _("The body is larger than %(limit)s MiB.") % {"limit": limit // 1024**2}
        super().__init__(TOO_LARGE, sentence)


def answer(error: Exception, context: Mapping[str, Any]) -> Response | None:  # noqa: ARG001
    """What an exception answers, for REST framework; ``None`` for one that is no refusal."""
    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    return problem.response()


def problem_of(error: Exception) -> Problem | None:
    """The problem that an exception stands for."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, Unsound):
        faults = (Fault(pointer(fault.place), fault.sentence) for fault in error.problems)
        return Problem(INVALID, faults=faults)
    if isinstance(error, Invalid):
        return Problem(INVALID, faults=_of_fields(error))
    kind = next((kind for types, kind in _PLAIN if isinstance(error, types)), None)
    return Problem(kind) if kind is not None else None


_PLAIN: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Kind], ...] = (
    (EditedMeanwhile, STALE),
    (IntegrityError, CONFLICT),
    ((Http404, ObjectDoesNotExist), NOT_FOUND),
    (DjangoPermissionDenied, FORBIDDEN),
    (RequestDataTooBig, TOO_LARGE),
    ((BadRequest, SuspiciousOperation), MALFORMED),
)


def _of_framework(error: exceptions.APIException) -> Problem:
    kind = _BY_STATUS.get(error.status_code, MALFORMED)
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if isinstance(error, exceptions.ValidationError):
        return Problem(kind, faults=_of_members("", error.detail), headers=headers)
    if isinstance(error, BearerRefused):
        told: Any = error.detail
        return Problem(kind, str(told["error_description"]), headers=headers)
    return Problem(kind, str(error.detail), headers=headers)


def _of_fields(error: Invalid) -> Iterator[Fault]:
    for name, errors in error.update_error_dict({}).items():
        place = () if name == NON_FIELD_ERRORS else (name,)
        for each in errors:
            yield from (Fault(pointer(place), sentence) for sentence in each.messages)


def _of_members(path: str, found: Any) -> Iterator[Fault]:
    """REST framework nests its sentences as the body nests its members."""
    if isinstance(found, Mapping):
        for name, inner in found.items():
            below = "" if name == api_settings.NON_FIELD_ERRORS_KEY else pointer((name,))
            yield from _of_members(path + below, inner)
    elif isinstance(found, list):
        for index, inner in enumerate(found):
            below = "" if isinstance(inner, str) else f"/{index}"
            yield from _of_members(path + below, inner)
    else:
        yield Fault(path, str(found))


def pointer(place: Iterable[str | int]) -> str:
    """A JSON pointer (RFC 6901 §3)."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in place)
    return "".join(f"/{part}" for part in parts)
