"""The two lines that adopting oidc_pkce takes, an API that takes its tokens, and the admin."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from demo_site.api import NotesView, latest_note
from oidc_pkce.portal.sign_in import LimitedAuthenticationForm

admin.site.login_form = LimitedAuthenticationForm

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/api/oidc_pkce/", include("oidc_pkce.api.urls")),  # before the admin's own pattern
    path("admin/", admin.site.urls),
    path("api/notes", NotesView.as_view()),
    path("api/notes/latest", latest_note),
    path("", include("oidc_pkce.resource_server.urls")),
    path("", include("oidc_pkce.urls")),
    path("", include("oidc_pkce.well_known_urls")),
]
