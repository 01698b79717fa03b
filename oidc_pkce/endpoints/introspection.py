"""The introspection endpoint (RFC 7662). No script may read it: a browser keeps no secret."""

from __future__ import annotations

from django.http import HttpResponseBase, JsonResponse

from .. import headers
from ..flows import introspection
from ..protocol.application import ApplicationFacts
from ..protocol.client_authentication import Client
from ..protocol.parameters import Parameters
from ..protocol.presented_token import PRESENTED_TOKEN_CHECKS, PresentedToken
from .client_authentication import ClientEndpoint


class IntrospectEndpoint(ClientEndpoint):
    """Tell the owner or the audience of a token whether it is still good."""

    name = "introspect"

    def judge(self, found: ApplicationFacts, parameters: Parameters) -> None:
        """The form is well-formed, and a token is sent."""
        self.trace.run(PRESENTED_TOKEN_CHECKS, PresentedToken(parameters, self.query()))

    def answer(
        self, found: ApplicationFacts, client: Client, parameters: Parameters
    ) -> HttpResponseBase:
        """Answer for the one token."""
        token = parameters.get("token") or ""
        members = introspection.introspect(found, client, token, now=self.now, trace=self.trace)
        response = JsonResponse(members)
        headers.forbid_caching(response)
        return response
