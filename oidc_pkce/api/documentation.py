"""The OpenAPI document, and a page made of it: plain HTML, for whoever may call the API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from .. import headers
from .base import ManagementView
from .problems import KINDS
from .schema import JSON, document, mounted_at

_making = Lock()


class OpenAPI(ManagementView):
    """The document."""

    schema = None
    patterns: ClassVar[Sequence[Any]] = ()

    def get(self, request: Request) -> Response:
        """The document, as this project mounts the API."""
        return Response(_document(mounted_at(), _Patterns(self.patterns)))


class Documentation(ManagementView):
    """The page."""

    schema = None
    patterns: ClassVar[Sequence[Any]] = ()

    def get(self, request: Request) -> TemplateResponse:
        """Every operation with its parameters, bodies and answers."""
        made = _document(mounted_at(), _Patterns(self.patterns))
        context = {
            "info": made["info"],
            "mounted_at": mounted_at(),
            "openapi": reverse("oidc_pkce_api:openapi"),
            "chapters": chapters(made),
            "kinds": [(kind, int(kind.status), _(kind.title), _(kind.meaning)) for kind in KINDS],
        }
        return TemplateResponse(request._request, "oidc_pkce/api/documentation.html", context)

    def handle_exception(self, exc: Exception) -> Any:
        """Send a browser that is not signed in to the administration's sign-in."""
        if isinstance(exc, NotAuthenticated):
            try:
                login = reverse("admin:login")
            except NoReverseMatch:
                return super().handle_exception(exc)
            query = urlencode({"next": self.request.path})
            return HttpResponseRedirect(f"{login}?{query}")
        return super().handle_exception(exc)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """A page as ours are: no frame, no script, no cache."""
        made = super().finalize_response(request, response, *args, **kwargs)
        headers.protect_page(made)
        return made


class _Patterns(tuple[Any, ...]):
    """URL patterns as a key of a cache: there is one list of them in a process."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Patterns)


@lru_cache(maxsize=4)
def _document(place: str, patterns: _Patterns) -> dict[str, Any]:
    """Made once for each place: it takes a moment, and sets what all of drf-spectacular reads."""
    with _making:
        made = document(patterns)
    return {**made, "servers": [{"url": place}]}


@dataclass(frozen=True, slots=True)
class Member:
    """One row of a table: a parameter, or a member of a body."""

    name: str
    kind: str
    is_required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, as the page shows it."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Member, ...]
    body: tuple[Member, ...]
    example: str
    status: str
    answer: tuple[Member, ...]
    refusals: tuple[str, ...]


def chapters(made: Mapping[str, Any]) -> list[tuple[str, list[Operation]]]:
    """The operations by chapter, in the order of the addresses."""
    found: dict[str, list[Operation]] = {}
    for path, methods in made["paths"].items():
        for method, told in methods.items():
            chapter = found.setdefault(told["tags"][0], [])
            chapter.append(_operation(made, path, method, told))
    return list(found.items())


def _operation(
    made: Mapping[str, Any], path: str, method: str, told: Mapping[str, Any]
) -> Operation:
    body = _content(told.get("requestBody", {}))
    status = min(told["responses"])
    return Operation(
        name=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        description=told["description"] if told["description"] != told["summary"] else "",
        parameters=tuple(_parameters(told)),
        body=tuple(_members(made, body.get("schema", {}))),
        example=_example(body),
        status=f"{status} {HTTPStatus(int(status)).phrase}",
        answer=tuple(_members(made, _content(told["responses"][status]).get("schema", {}))),
        refusals=tuple(sorted(code for code in told["responses"] if code >= "400")),
    )


def _content(told: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = told.get("content", {}).get(JSON, {})
    return found


def _parameters(told: Mapping[str, Any]) -> Iterator[Member]:
    for each in told.get("parameters", ()):
        kind = f"{_kind(each['schema'])}, {each['in']}"
        yield Member(each["name"], kind, each.get("required", False), each.get("description", ""))


def _members(made: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Member]:
    """The members of an object; of a list, those of what it lists."""
    schema = _resolved(made, schema.get("items", schema))
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        meaning = inner.get("description", "")
        yield Member(name, _kind(inner), name in required, meaning)


def _resolved(made: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = made["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kind(schema: Mapping[str, Any]) -> str:
    """The type of a value in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2].removesuffix("Request"))
    if listed := schema.get("oneOf") or schema.get("allOf") or schema.get("anyOf"):
        return " or ".join(map(_kind, listed))
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    kinds = schema.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(schema.get("format", kinds))


def _example(body: Mapping[str, Any]) -> str:
    for each in body.get("examples", {}).values():
        return json.dumps(each["value"], indent=2, ensure_ascii=False)
    return ""
