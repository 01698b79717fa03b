"""A small API: the notes of whoever brings a token of the sample OpenID Connect application.

Protected in both ways that there are: by REST framework's classes, and by a decorator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from demo_site.seed import NOTES_SCOPE
from oidc_pkce.resource_server.authentication import OAuth2Authentication
from oidc_pkce.resource_server.decorators import requires_scope
from oidc_pkce.resource_server.permissions import RestScopePermission

NOTES: Mapping[str, tuple[str, ...]] = {
    "ada": ("Ask Charles about the brass.", "Note G: check the eighth Bernoulli number again."),
    "grace": ("Mend the oars.", "Thank Father for rowing."),
    "admin": ("Order more granite.", "The lamp wants oil."),
}


class NotesView(APIView):
    """All notes, for whoever holds a scope whose REST pattern matches the path."""

    authentication_classes = [OAuth2Authentication]
    permission_classes = [RestScopePermission]
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        """The notes, oldest first."""
        return Response({"owner": request.user.get_username(), "notes": notes_of(request.user)})


@requires_scope(NOTES_SCOPE)
def latest_note(request: HttpRequest) -> JsonResponse:
    """The newest note, for whoever was granted the scope by its name."""
    return JsonResponse({"note": next(reversed(notes_of(request.user)), None)})


def notes_of(user: Any) -> tuple[str, ...]:
    """What somebody has written; most people nothing yet."""
    return NOTES.get(user.get_username(), ())
