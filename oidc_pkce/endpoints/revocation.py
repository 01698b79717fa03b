"""The revocation endpoint (RFC 7009)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from .. import headers
from ..flows import revocation
from ..flows.revocation import Presented
from ..protocol.application import ApplicationFacts
from ..protocol.client_authentication import Client, ClientRecord
from ..protocol.errors import TemporarilyUnavailable
from ..protocol.parameters import Parameters
from ..protocol.presented_token import PRESENTED_TOKEN_CHECKS, PresentedToken
from .base import ApplicationJsonEndpoint
from .client_authentication import ClientEndpoint

logger = logging.getLogger(__name__)


class RevokeEndpoint(ClientEndpoint, ApplicationJsonEndpoint):
    """End a token at its owner's request, and never say that it is ended when it is not."""

    name = "revoke"

    presented: Presented

    def post(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Revoke; storage that does not answer is a 503: the client tries again (§2.2.1)."""
        try:
            return super().post(request, application_id)
        except Error as trouble:
            logger.exception("request %s revoked nothing", self.traced.request_id)
            detail = f"the storage does not answer: {type(trouble).__name__}"
            raise TemporarilyUnavailable(detail=detail) from trouble

    def find(
        self, application_id: str, names: Sequence[str], parameters: Parameters
    ) -> tuple[ApplicationFacts, tuple[ClientRecord, ...]]:
        """The same statement looks for the token."""
        token = parameters.get("token") or ""
        found, records, self.presented = revocation.find(
            application_id, names, token, self.now, self.trace
        )
        return found, records

    def judge(self, found: ApplicationFacts, parameters: Parameters) -> None:
        """The form is well-formed, and a token is sent."""
        self.trace.run(PRESENTED_TOKEN_CHECKS, PresentedToken(parameters, self.query()))

    def answer(
        self, found: ApplicationFacts, client: Client, parameters: Parameters
    ) -> HttpResponseBase:
        """200 with an empty body, whether or not there was such a token (§2.2)."""
        revocation.revoke_token(found, client, self.presented, now=self.now, trace=self.trace)
        response = HttpResponse()
        headers.forbid_caching(response)
        return response
