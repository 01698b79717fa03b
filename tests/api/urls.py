"""A host project that mounts the management API."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("admin/api/oidc_pkce/", include("oidc_pkce.api.urls")),
    path("", include("tests.urls")),
]
