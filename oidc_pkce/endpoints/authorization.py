"""The authorization endpoint (RFC 6749 §3.1)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase

from ..flows import request_object
from ..flows.authorization import Refused
from ..flows.interaction import Ticket
from ..protocol.parameters import Parameters
from ..protocol.usage import algorithm_of_object
from .pages import JourneyEndpoint


class AuthorizeEndpoint(JourneyEndpoint):
    """Judge a request; answer it at once, or start the person's journey."""

    name = "authorize"
    methods = ("GET", "POST")

    def get(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """A request in the URL."""
        return self.answer(application_id, request.META.get("QUERY_STRING", ""))

    def post(self, request: HttpRequest, application_id: str) -> HttpResponseBase:
        """A request in a form; a name that also stands in the URL counts as repeated."""
        parts = (request.META.get("QUERY_STRING", ""), self.form().decode("latin-1"))
        return self.answer(application_id, "&".join(filter(None, parts)))

    def answer(self, application_id: str, query: str) -> HttpResponseBase:
        """Begin the journey now, with the parameters of a request object in the object's place."""
        self.ticket, sent = Ticket(query), Parameters.parse(query)
        found = self.find(application_id)
        self.traced.client_id = sent.get("client_id") or ""
        try:
            meant = request_object.unwrap(found, sent, now=self.now, trace=self.trace)
        except Refused as refused:
            return self.send(refused.response)
        if meant is not sent:
            self.ticket = Ticket(meant.as_query(), signed_with=algorithm_of_object(sent))
        return self.proceed(found)
