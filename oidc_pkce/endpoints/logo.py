"""An application's logo, as the sign-in and consent pages show it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ..flows import application as applications
from ..models import ApplicationLogo
from .base import JsonEndpoint


class LogoEndpoint(JsonEndpoint):
    """The bytes of a logo; its type was checked when it was stored."""

    name = "logo"

    def get(self, request: HttpRequest, application_id: str) -> HttpResponse:
        """The picture."""
        found = self.remember(applications.find(application_id, self.trace))
        logo = ApplicationLogo.objects.filter(pk=found.pk).first()
        if logo is None:
            return HttpResponse(status=404)
        response = HttpResponse(bytes(logo.content), content_type=logo.content_type)
        response["ETag"] = f'"{logo.etag}"'
        response["Cache-Control"] = "public, max-age=300"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response
