"""The metadata of the project's API: whose tokens it takes (RFC 9728)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import View

from .. import cors, headers
from ..conf import ResourceServer, settings
from ..flows import resource_server
from ..protocol import protected_resource


class ProtectedResourceView(View):
    """Answers under the path of ``RESOURCE`` and nowhere else."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, path: str = "") -> HttpResponse:
        """The document, or 404 for a path that no resource has."""
        configured = settings.resource_server
        if configured.resource and _is_of(configured.resource, path):
            response = JsonResponse(_document(configured))
            max_age = int(settings.metadata_max_age.total_seconds())
            response["Cache-Control"] = f"public, max-age={max_age}"
        else:
            response = JsonResponse({"error": "invalid_request"}, status=404)
            headers.forbid_caching(response)
        cors.allow_everybody(response)
        return response

    def options(self, request: HttpRequest, path: str = "") -> HttpResponse:
        """Let every script read it."""
        response = HttpResponse(status=204)
        cors.allow_everybody(response)
        cors.answer_preflight(response, "GET")
        return response


def _is_of(resource: str, path: str) -> bool:
    asked = f"{protected_resource.WELL_KNOWN}{path}".rstrip("/")
    return asked == protected_resource.metadata_path(resource)


def _document(configured: ResourceServer) -> dict[str, object]:
    own = resource_server.issuers(configured.applications)
    return protected_resource.document(
        configured.resource,
        issuers=(*own, *configured.issuers),
        scopes=configured.scopes,
        name=configured.name,
    )
