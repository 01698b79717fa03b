"""Token preview: what would be issued now, to whom, or which check would refuse."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from .application_page import ApplicationPage


class TokenPreviewPage(ApplicationPage):
    """The tokens and answers that one user, client and set of scopes would get."""

    name = "token-preview"
    title = _("Token preview")
    template_name = "admin/oidc_pkce/application/token_preview.html"
