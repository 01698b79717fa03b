"""APIs of a host project, in every way in which one can be protected."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import include, path, re_path
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import (
    api_view,
    authentication_classes,
    permission_classes,
    renderer_classes,
)
from rest_framework.permissions import AllowAny, IsAdminUser, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from oidc_pkce.resource_server.authentication import (
    OAuth2Authentication,
    RemoteIssuerAuthentication,
)
from oidc_pkce.resource_server.decorators import (
    bearer_required,
    requires_rest_scope,
    requires_scope,
)
from oidc_pkce.resource_server.permissions import HasScope, RestScopePermission, has_scope

EVERY_METHOD = ["get", "post", "put", "patch", "delete", "head", "options"]


def told(user: Any, token: Any) -> dict[str, Any]:
    """Who came, as the view sees it."""
    return {
        "user": str(user),
        "kind": type(user).__name__,
        "pk": user.pk,
        "is_authenticated": user.is_authenticated,
        "is_anonymous": user.is_anonymous,
        "scopes": list(token.scopes) if token else None,
        "client_id": token.client_id if token else None,
        "subject": token.subject if token else None,
        "audience": list(token.audience) if token else None,
        "application_id": token.application_id if token else None,
        "expires_at": token.expires_at if token else None,
        "claims": dict(token.claims) if token else None,
    }


class Api(APIView):
    """Whoever brings a token."""

    renderer_classes = [JSONRenderer]
    authentication_classes: list[Any] = [OAuth2Authentication]
    permission_classes: list[Any] = [IsAuthenticated]

    def get(self, request: Request, **_: Any) -> Response:
        return Response(told(request.user, request.auth))

    def post(self, request: Request, **_: Any) -> Response:
        return Response({**told(request.user, request.auth), "data": dict(request.data)})


class Notes(Api):
    permission_classes = [HasScope]
    required_scopes: Any = ["notes.read"]

    def delete(self, request: Request) -> Response:
        return Response(str(request.user), status=204)


class NotesByMethod(Notes):
    required_scopes = {"GET": ["notes.read"], "POST": ["notes.read", "notes.write"]}


class NotesOfAnything(Notes):
    required_scopes = None


class NotesOrAdministrators(Notes):
    authentication_classes = [OAuth2Authentication, SessionAuthentication]
    permission_classes = [HasScope | IsAdminUser]


class Open(Api):
    permission_classes = [AllowAny]


class Rest(Api):
    permission_classes = [RestScopePermission]


class OtherApplication(OAuth2Authentication):
    applications = ("OTHER",)


class OtherAudience(OAuth2Authentication):
    audience = "https://other.example.com"


class KnownByEmail(RemoteIssuerAuthentication):
    def user_for(self, claims: Any) -> Any:
        return get_user_model().objects.filter(username=claims["sub"]).first()


class ByOther(Api):
    authentication_classes = [OtherApplication]


class ByAudience(Api):
    authentication_classes = [OtherAudience]


class ByRemote(Api):
    authentication_classes = [RemoteIssuerAuthentication]


class ByRemoteUser(Api):
    authentication_classes = [KnownByEmail]


class RestByRemote(Rest):
    authentication_classes = [RemoteIssuerAuthentication]


@api_view(["GET"])
@renderer_classes([JSONRenderer])
@authentication_classes([OAuth2Authentication])
@permission_classes([has_scope("notes.read")])
def function(request: Request) -> Response:
    return Response(told(request.user, request.auth))


@bearer_required()
def plain(request: HttpRequest, **_: Any) -> JsonResponse:
    return JsonResponse(told(request.user, request.bearer))  # type: ignore[attr-defined]


@requires_scope("notes.read", "notes.write")
def plain_notes(request: HttpRequest) -> JsonResponse:
    return JsonResponse(told(request.user, request.bearer))  # type: ignore[attr-defined]


@requires_scope("notes.read")
async def asynchronous(request: HttpRequest) -> JsonResponse:
    user = await request.auser()
    assert user == request.user
    return JsonResponse(told(user, request.bearer))  # type: ignore[attr-defined]


@requires_rest_scope()
def plain_rest(request: HttpRequest, **_: Any) -> JsonResponse:
    return JsonResponse(told(request.user, request.bearer))  # type: ignore[attr-defined]


@bearer_required(applications=["other"])
def plain_other(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


@method_decorator(requires_scope("notes.read"), name="dispatch")
class PlainClass(View):
    http_method_names = EVERY_METHOD

    def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(told(request.user, request.bearer))  # type: ignore[attr-defined]

    post = get


class AsynchronousClass(View):
    async def get(self, request: HttpRequest) -> JsonResponse:
        return JsonResponse(told(request.user, request.bearer))  # type: ignore[attr-defined]


urlpatterns = [
    path("api/", Api.as_view()),
    path("api/outside", transaction.non_atomic_requests(Api.as_view())),
    path("api/notes", Notes.as_view()),
    path("api/notes-by-method", NotesByMethod.as_view()),
    path("api/notes-of-anything", NotesOfAnything.as_view()),
    path("api/notes-or-administrators", NotesOrAdministrators.as_view()),
    path("api/open", Open.as_view()),
    path("api/other", ByOther.as_view()),
    path("api/audience", ByAudience.as_view()),
    path("api/remote", ByRemote.as_view()),
    path("api/remote-user", ByRemoteUser.as_view()),
    path("api/function", function),
    path("rest-remote", RestByRemote.as_view()),
    path("plain/", plain),
    path("plain/notes", plain_notes),
    path("plain/asynchronous", asynchronous),
    path("plain/class", PlainClass.as_view()),
    path("plain/asynchronous-class", requires_scope("notes.read")(AsynchronousClass.as_view())),
    path("plain/other", plain_other),
    re_path(r"^plain-rest/(?P<rest>(?s:.*))\Z", plain_rest),
    path("", include("oidc_pkce.resource_server.urls")),
    path("", include("tests.urls")),
    re_path(r"^(?P<rest>(?s:.*))\Z", Rest.as_view()),
]
