"""The token endpoint (RFC 6749 §3.2)."""

from __future__ import annotations

from functools import partial

from django.contrib import auth
from django.http import HttpResponseBase, JsonResponse

from .. import headers
from ..flows.grants import GRANTS, GrantOrder
from ..protocol import usage
from ..protocol.application import ApplicationFacts
from ..protocol.client_authentication import Client
from ..protocol.parameters import Parameters
from ..protocol.token import GRANT_CHECKS, TOKEN_CHECKS, TokenQuestion
from .base import ApplicationJsonEndpoint
from .client_authentication import ClientEndpoint


class TokenEndpoint(ClientEndpoint, ApplicationJsonEndpoint):
    """Trade a grant for tokens."""

    name = "token"

    def judge(self, found: ApplicationFacts, parameters: Parameters) -> None:
        """The form is well-formed, and its grant is known."""
        self.trace.run(TOKEN_CHECKS, self._question(found, parameters))

    def answer(
        self, found: ApplicationFacts, client: Client, parameters: Parameters
    ) -> HttpResponseBase:
        """Answer the grant that the client asks for."""
        self.trace.run(GRANT_CHECKS, self._question(found, parameters))
        order = GrantOrder(
            found,
            client,
            parameters,
            self.now,
            self.trace,
            address=self.address,
            authenticate=partial(auth.authenticate, self.request),
        )
        try:
            answer = GRANTS[parameters.get("grant_type") or ""](order)
        finally:
            self.traced.user_pk = order.user_pk
        self.used = usage.of_token_request(
            found,
            parameters,
            proved=client.is_authenticated,
            by_header="Authorization" in self.request.headers,
        )
        response = JsonResponse(answer.members())
        headers.forbid_caching(response)
        return response

    def _question(self, found: ApplicationFacts, parameters: Parameters) -> TokenQuestion:
        return TokenQuestion(parameters, self.query(), found, GRANTS)
