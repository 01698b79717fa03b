"""The UserInfo endpoint (OpenID Connect Core §5.3)."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from .. import headers
from ..flows import application as applications
from ..flows import userinfo
from ..flows.bearer import bearer_is_readable
from ..protocol.checks import check
from ..protocol.errors import InvalidRequest
from ..protocol.parameters import Parameters
from .base import ApplicationJsonEndpoint


@check(
    "bearer.form",
    spec="RFC 6750 §2.2",
    fix="Send access_token once, percent-encoded as UTF-8.",
)
def bearer_form_is_wellformed(parameters: Parameters) -> None:
    """No parameter of the form is repeated, undecodable or too long."""
    parameters.require_wellformed()


@check(
    "bearer.json",
    spec="RFC 8259 §2",
    fix="Send a JSON object, a form, or an empty body.",
)
def body_is_json(body: bytes) -> object:
    """A body that says it is JSON is JSON."""
    try:
        return json.loads(body or b"null", object_pairs_hook=_members)
    except (ValueError, RecursionError):
        raise InvalidRequest("the body is not JSON, or names a member twice") from None


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is named twice")
    return members


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
        found = self.remember(applications.find(application_id, self.trace))
        in_body = self._token_in_body()
        token = self.trace.take(bearer_is_readable, request.headers.get("Authorization"), in_body)
        bearer, members = userinfo.userinfo(found, token, now=self.now, trace=self.trace)
        self.traced.user_pk, self.traced.client_id = bearer.user_pk, bearer.client_id
        response = JsonResponse(members)
        headers.forbid_caching(response)
        return response

    def _token_in_body(self) -> str | None:
        if self.request.method != "POST":
            return None
        if self.request.content_type == "application/json":
            return self._token_in_json()
        parameters = Parameters.parse(body=self.form())
        self.trace.take(bearer_form_is_wellformed, parameters)
        return parameters.get("access_token")

    def _token_in_json(self) -> str | None:
        members = self.trace.take(body_is_json, self.body().strip())
        token = members.get("access_token") if isinstance(members, dict) else None
        return token if isinstance(token, str) and token else None
