"""A host project's URLs: its own page, the administration, and the two lines that adopt us."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def host_page(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(f"page {number} of the host project", content_type="text/plain")


urlpatterns = [
    path("admin/", admin.site.urls),
    path("host/<int:number>/", host_page, name="host-page"),
    path("", include("oidc_pkce.urls")),
    path("", include("oidc_pkce.well_known_urls")),
]
