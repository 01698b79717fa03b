"""The metadata documents (OpenID Connect Discovery §4, RFC 8414 §3)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

from .. import cors
from ..conf import settings
from ..flows import application as applications
from ..flows import metadata
from ..flows.metadata import Document
from ..protocol.checks import check
from ..protocol.errors import UnknownApplication
from .base import JsonEndpoint


@check(
    "application.prefix",
    spec="RFC 8414 §3.1",
    fix="Put the issuer's whole path behind the well-known part, the prefix included.",
)
def prefix_is_ours(prefix: str) -> None:
    """What stands before the Application ID is the path under which the issuers are."""
    if prefix != settings.prefix:
        raise UnknownApplication(received=prefix[:64])


class DocumentEndpoint(JsonEndpoint):
    """Bytes that stay the same between changes: cached by browsers, readable by every script."""

    def document(self, application_id: str) -> Document | None:
        """The document of an application, or ``None``."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        """Answer, and let every script read the answer."""
        response = super().dispatch(request, *args, **kwargs)
        cors.allow_everybody(response)
        if request.method == "OPTIONS":
            cors.answer_preflight(response, ", ".join(self.methods))
        return response

    def get(self, request: HttpRequest, application_id: str) -> HttpResponse:
        """The document, or 304 when the caller has it."""
        document = self.document(application_id)
        if document is None:
            applications.find(application_id, self.trace)
            raise UnknownApplication(received=application_id[:64])
        if _knows(request, document):
            response = HttpResponse(status=304)
        else:
            response = HttpResponse(document.body, content_type="application/json")
        response["ETag"] = document.etag
        max_age = int(settings.metadata_max_age.total_seconds())
        response["Cache-Control"] = f"public, max-age={max_age}"
        patch_vary_headers(response, ["Accept-Encoding"])
        return response


class DiscoveryEndpoint(DocumentEndpoint):
    """The metadata of an application, under its own issuer."""

    name = "discovery"

    def document(self, application_id: str) -> Document | None:
        """The metadata document."""
        return metadata.openid_configuration(application_id, self.now)


class WellKnownEndpoint(DiscoveryEndpoint):
    """The same at the host's root: RFC 8414 puts the issuer's path BEHIND the well-known part."""

    def get(self, request: HttpRequest, application_id: str) -> HttpResponse:
        """Answer for ``<prefix>/<Application ID>``."""
        prefix, _, name = application_id.rpartition("/")
        self.trace.take(prefix_is_ours, prefix)
        return super().get(request, name)


def _knows(request: HttpRequest, document: Document) -> bool:
    """Whether the caller has these bytes; a proxy that compresses weakens the tag it hands on."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or document.etag in (tag.removeprefix("W/") for tag in known)
