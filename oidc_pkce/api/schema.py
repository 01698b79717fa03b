"""The OpenAPI document: written from the views, whatever the host's own settings are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.conf import settings as django_settings
from django.urls import reverse
from django.utils.translation import gettext, override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.settings import SPECTACULAR_DEFAULTS, patched_settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from .. import __version__
from . import problems
from .fields import StrictSerializer, Text

View = TypeVar("View", bound=Callable[..., Any])
JSON = "application/json"

OPENAPI: Mapping[str, Any] = {
    # All of them: a host's own say what its API's contact and licence are, and what it requires.
    **{
        name: value
        for name, value in SPECTACULAR_DEFAULTS.items()
        if not name.startswith("SERVE_") and name != "DEFAULT_GENERATOR_CLASS"
    },
    "TITLE": "oidc_pkce management API",
    "DESCRIPTION": (
        "What the Admin Portal's screens do, for scripts. Every change goes through the same rules"
        " and into the same audit log. Refusals are problem details (RFC 9457)."
    ),
    "VERSION": __version__,
    "OAS_VERSION": "3.1.1",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": True,
    "SCHEMA_PATH_PREFIX": "",
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "POSTPROCESSING_HOOKS": [],
    "SORT_OPERATIONS": False,
}

IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": r'^(\*|"[0-9]+")$'},
    OpenApiParameter.HEADER,
    required=True,
    description="The ETag that the application was read with; * for any version.",
    examples=[OpenApiExample("version", value='"7"')],
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="An ETag that is known already: the answer is 304 while it is the present one.",
)
ETAG = OpenApiParameter(
    "ETag",
    {"type": "string", "pattern": r'^"[0-9]+"$'},
    OpenApiParameter.HEADER,
    response=[200, 201],
    required=True,
    description="The version, for If-Match.",
)
LOCATION = OpenApiParameter(
    "Location",
    {"type": "string"},
    OpenApiParameter.HEADER,
    response=[201],
    required=True,
    description="The path of what was created.",
)


class FaultSerializer(StrictSerializer):
    """One fault of a problem."""

    pointer = Text(required=False, help_text="JSON pointer into the body, as /redirect_uris/1.")
    parameter = Text(required=False, help_text="Name of a query parameter.")
    detail = Text(help_text="A sentence for people.")


class ProblemSerializer(StrictSerializer):
    """A problem detail."""

    type = Text(help_text="Where this kind of problem is described.")
    title = Text()
    status = serializers.IntegerField()
    detail = Text()
    errors = FaultSerializer(many=True, required=False)  # type: ignore[assignment]


class ManagementSchema(AutoSchema):
    """Names and tags are what :func:`operation` says."""

    def get_tags(self) -> list[str]:
        """The chapter that the view belongs to."""
        return [getattr(self.view, "chapter", "")]

    def get_filter_backends(self) -> list[Any]:
        """Parameters are declared one by one."""
        return []


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An access token of an application that ``MANAGEMENT_API`` names."""

    target_class = "oidc_pkce.api.authentication.ManagementBearer"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """RFC 6750 §2.1."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token with the management scope.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The administration's session."""

    target_class = "oidc_pkce.api.authentication.ManagementSession"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Django's cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": django_settings.SESSION_COOKIE_NAME,
            "description": "The administration's session; changes need X-CSRFToken besides.",
        }


def operation(
    name: str,
    summary: str,
    *,
    answer: Any = None,
    status: int = 200,
    body: Any = None,
    example: Any = None,
    query: Any = None,
    headers: Sequence[OpenApiParameter] = (),
    kinds: Sequence[problems.Kind] = (),
    description: str = "",
    others: Mapping[int, str] | None = None,
    may_create: bool = False,
) -> Callable[[View], View]:
    """Describe one operation; what every operation can answer is added here."""
    usual = [problems.UNAUTHENTICATED, problems.FORBIDDEN, problems.UNAVAILABLE, *kinds]
    if body is not None:
        usual += [problems.MALFORMED, problems.TOO_LARGE, problems.MEDIA]
    # Every address can hold a query parameter that is not known.
    usual.append(problems.MALFORMED)
    done = OpenApiResponse(answer, description="Done" if answer is None else "")
    told = {status: done, **({201: done} if may_create else {})}
    told |= {code: OpenApiResponse(description=text) for code, text in (others or {}).items()}
    examples = [OpenApiExample("example", value=example, request_only=True)] if example else []
    decorate = extend_schema(
        operation_id=name,
        summary=summary,
        description=description or summary,
        request={JSON: body} if body is not None else None,
        responses={**told, **_refusals(usual)},
        parameters=[*([query] if query else []), *headers],
        examples=examples,
    )

    def describe(method: View) -> View:
        # Else the host's DEFAULT_SCHEMA_CLASS would be what is extended.
        method.kwargs = {"schema": ManagementSchema}  # type: ignore[attr-defined]
        return decorate(method)

    return describe


def _refusals(kinds: Sequence[problems.Kind]) -> dict[Any, Any]:
    ordered = sorted({int(kind.status): kind for kind in kinds}.items())
    return {
        (status, problems.MEDIA_TYPE): OpenApiResponse(ProblemSerializer, description=kind.title)
        for status, kind in ordered
    }


def path_parameter(name: str, schema: Any, description: str) -> OpenApiParameter:
    """A part of the address."""
    return OpenApiParameter(name, schema, OpenApiParameter.PATH, description=description)


ID = path_parameter("id", {"type": "integer", "minimum": 1}, "The application's id.")
BINARY = OpenApiTypes.BINARY


def document(patterns: Sequence[Any]) -> dict[str, Any]:
    """The OpenAPI document of these URL patterns, as this project mounts them; in English."""
    with override("en"), patched_settings(dict(OPENAPI)):
        generator: Any = SchemaGenerator(patterns=list(patterns))  # type: ignore[no-untyped-call]
        made: dict[str, Any] = generator.get_schema(public=True)
    made["servers"] = [{"url": mounted_at(), "description": gettext("This server")}]
    _tidy(made)
    schemas = made["components"]["schemas"]
    schemas.pop("EndpointsRequest", None)  # nobody sends it
    for name, component in schemas.items():
        if name.endswith("Request"):
            component["additionalProperties"] = False
    return made


def _tidy(part: Any) -> None:
    """Take away what only drf-spectacular's own hooks would read."""
    if isinstance(part, dict):
        part.pop("x-spec-enum-id", None)
    for inner in part.values() if isinstance(part, dict) else part:
        if isinstance(inner, dict | list):
            _tidy(inner)


def mounted_at() -> str:
    """The path of this version of the API, without a slash at its end."""
    return reverse("oidc_pkce_api:openapi").removesuffix("/openapi.json")
