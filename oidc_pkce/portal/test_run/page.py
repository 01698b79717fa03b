"""What the pages of a run share: they lie below "Test this application"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from ... import headers
from ...models import Application, Right
from ..application_page import ApplicationPage


class RunPage(ApplicationPage):
    """A page of a run; whoever sees the application may use it."""

    right = Right.VIEW

    def mounted(self) -> Callable[..., HttpResponse]:
        """Nothing that was posted stands in the report of a crash.

        Never inside the host's ``ATOMIC_REQUESTS``: the endpoints that a page calls commit by
        themselves, as they do for everybody.
        """
        view: Any = sensitive_post_parameters()(super().mounted())
        for alias in connections:
            view = transaction.non_atomic_requests(using=alias)(view)
        mounted: Callable[..., HttpResponse] = view
        return mounted

    def render(
        self,
        request: HttpRequest,
        application: Application,
        rights: frozenset[Right],
        context: Mapping[str, Any],
    ) -> HttpResponse:
        """The page, which no cache keeps: it may hold tokens."""
        shown = {"test_url": self.place("test", application), **context}
        response = super().render(request, application, rights, shown)
        headers.forbid_caching(response)
        # Its own address may hold a code. A form's post needs the referrer of the same origin.
        response["Referrer-Policy"] = "same-origin"
        return response

    def place(self, name: str, application: Application) -> str:
        """Where another page of the run is."""
        route = f"oidc_pkce_application_{name.replace('-', '_')}"
        return reverse(f"{self.portal.admin_site.name}:{route}", args=[application.pk])

    def callback_uri(self, request: HttpRequest, application: Application) -> str:
        """The redirect URI of ours: an address of this administration, as the browser sees it."""
        return request.build_absolute_uri(self.place("test-callback", application))

    def test_page_uri(self, request: HttpRequest, application: Application) -> str:
        """Where a sign-out leads back to."""
        return request.build_absolute_uri(self.place("test", application))


def is_same_origin(request: HttpRequest, address: str) -> bool:
    """Whether a form of this page may lead there under ``form-action 'self'``."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" == request.build_absolute_uri("/").rstrip("/")
