"""The UserInfo endpoint (OpenID Connect Core §5.3)."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from .. import headers
from ..flows import application as applications
from ..flows import userinfo
from ..protocol.access_token import read_bearer
from ..protocol.errors import InvalidRequest
from ..protocol.parameters import Parameters
from .base import ApplicationJsonEndpoint


class UserInfoEndpoint(ApplicationJsonEndpoint):
    """Tell the bearer of an access token whom it stands for."""

    name = "userinfo"
    methods = ("GET", "POST")

    def get(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Answer a token from the Authorization header."""
        return self.answer(request, application_id)

    def post(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Answer a token from the header, a form or a JSON body."""
        return self.answer(request, application_id)

    def answer(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """The claims as JSON."""
        found = self.remember(applications.find(application_id))
        token = read_bearer(request.headers.get("Authorization"), self._token_in_body())
        bearer, members = userinfo.userinfo(found, token, now=self.now, trace=self.trace)
        self.traced.user_pk, self.traced.client_id = bearer.user.pk, bearer.client_id
        response = JsonResponse(members)
        headers.forbid_caching(response)
        return response

    def _token_in_body(self) -> str | None:
        if self.request.method != "POST":
            return None
        if self.request.content_type == "application/json":
            return self._token_in_json()
        parameters = Parameters.parse(body=self.form())
        parameters.require_wellformed()
        return parameters.get("access_token")

    def _token_in_json(self) -> str | None:
        body = self.body()
        if not body.strip():
            return None
        try:
            members = json.loads(body)
        except (ValueError, RecursionError):
            raise InvalidRequest("the body is not JSON") from None
        token = members.get("access_token") if isinstance(members, dict) else None
        return token if isinstance(token, str) and token else None
