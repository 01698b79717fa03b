"""The two lines that adopting oidc_pkce takes, beside Django's own administration."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from oidc_pkce.portal.sign_in import LimitedAuthenticationForm

admin.site.login_form = LimitedAuthenticationForm

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("", include("oidc_pkce.urls")),
    path("", include("oidc_pkce.well_known_urls")),
]
