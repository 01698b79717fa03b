"""Watch: the checks of requests as they arrive."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .application_page import ApplicationPage


class WatchPage(ApplicationPage):
    """The newest requests of the application, while somebody tries a client out."""

    name = "watch"
    title = _("Watch")
    template_name = "admin/oidc_pkce/application/watch.html"
