"""The token endpoint (RFC 6749 §3.2)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from .. import headers
from ..flows import application as applications
from ..flows import client_authentication
from ..flows.grants import GRANTS, GrantOrder
from ..protocol.client_authentication import credentials_are_readable
from ..protocol.parameters import Parameters
from ..protocol.token import GRANT_CHECKS, TOKEN_CHECKS, TokenQuestion
from .base import ApplicationJsonEndpoint


class TokenEndpoint(ApplicationJsonEndpoint):
    """Trade a grant for tokens."""

    name = "token"
    methods = ("POST",)

    def post(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Prove the client, then answer the grant that it asks for."""
        found, secrets = applications.find_with_secrets(application_id, self.trace)
        self.remember(found)
        parameters = Parameters.parse(body=self.form())
        self.traced.client_id = parameters.get("client_id") or ""
        question = TokenQuestion(parameters, self.query(), found, GRANTS)
        self.trace.run(TOKEN_CHECKS, question)
        client = client_authentication.authenticate(
            found,
            self.trace.take(
                credentials_are_readable,
                request.headers.get("Authorization"),
                parameters.get("client_id"),
                parameters.get("client_secret"),
            ),
            secrets,
            address=self.address,
            now=self.now,
            trace=self.trace,
        )
        self.traced.client_id = client.client_id
        self.trace.run(GRANT_CHECKS, question)
        order = GrantOrder(found, client, parameters, self.now, self.trace)
        try:
            answer = GRANTS[parameters.get("grant_type") or ""](order)
        finally:
            self.traced.user_pk = order.user_pk
        client_authentication.note_use(client, self.now)
        response = JsonResponse(answer.members())
        headers.forbid_caching(response)
        return response
