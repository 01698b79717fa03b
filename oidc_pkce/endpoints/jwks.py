"""The key set (RFC 7517 §5)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ..flows import metadata
from ..flows.metadata import Document
from .discovery import DocumentEndpoint


class KeysEndpoint(DocumentEndpoint):
    """Every key that signs, will soon sign, or signed something that may still be valid."""

    name = "keys"
    methods = ("GET", "POST")

    def document(self, application_id: str) -> Document | None:
        """The key set."""
        return metadata.key_set(application_id, self.now)

    def post(self, request: HttpRequest, application_id: str) -> HttpResponse:
        """The same as GET: CyberArk's clients ask both ways."""
        return self.get(request, application_id)
