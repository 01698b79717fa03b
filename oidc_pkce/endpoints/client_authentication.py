"""What the endpoints share that a client calls with its own credentials (RFC 6749 §2.3)."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponseBase

from ..flows import application as applications
from ..flows import client_authentication
from ..protocol import credentials
from ..protocol.application import ApplicationFacts
from ..protocol.client_authentication import Client, ClientRecord, credentials_are_readable
from ..protocol.errors import InvalidClient, OAuthError
from ..protocol.parameters import Parameters
from .base import JsonEndpoint


class ClientEndpoint(JsonEndpoint):
    """Read the form, judge it, prove the client, answer."""

    methods = ("POST",)

    def post(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """Answer a client that proves itself, or one that is public and says so."""
        parameters = Parameters.parse(body=self.form())
        sent = (
            request.headers.get("Authorization"),
            parameters.get("client_id"),
            parameters.get("client_secret"),
        )
        names = credentials.names(*sent)
        found, records = self.find(application_id, names, parameters)
        self.remember(found)
        self.traced.client_id = parameters.get("client_id") or ""
        self.judge(found, parameters)
        client = client_authentication.authenticate(
            found,
            self.trace.take(credentials_are_readable, *sent),
            records,
            address=self.address,
            now=self.now,
            trace=self.trace,
        )
        self.traced.client_id = client.client_id
        response = self.answer(found, client, parameters)
        client_authentication.note_use(client, self.now)
        return response

    def find(
        self, application_id: str, names: Sequence[str], parameters: Parameters
    ) -> tuple[ApplicationFacts, tuple[ClientRecord, ...]]:
        """The application, with what is stored of the clients of these names."""
        return applications.find_with_clients(application_id, names, self.now, self.trace)

    def judge(self, found: ApplicationFacts, parameters: Parameters) -> None:
        """Judge the form before anybody has proved anything. Raises an ``OAuthError``."""
        raise NotImplementedError

    def answer(
        self, found: ApplicationFacts, client: Client, parameters: Parameters
    ) -> HttpResponseBase:
        """Answer a client that has proved itself. Raises an ``OAuthError``."""
        raise NotImplementedError

    def refuse(self, refusal: OAuthError) -> HttpResponseBase:
        """Whoever used the Authorization header is challenged (RFC 6749 §5.2)."""
        if isinstance(refusal, InvalidClient):
            refusal.challenge = refusal.challenge or "Authorization" in self.request.headers
        return super().refuse(refusal)
