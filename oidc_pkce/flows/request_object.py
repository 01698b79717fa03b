"""Put the parameters of a signed request into its place (OpenID Connect Core §6.1, RFC 9101)."""

from __future__ import annotations

from datetime import datetime

from ..protocol import request_object
from ..protocol.application import ApplicationFacts
from ..protocol.authorization import find_destination
from ..protocol.checks import Trace
from ..protocol.errors import RedirectableError, UnreadableRequest
from ..protocol.parameters import Parameters
from ..protocol.request_object import ObjectQuestion
from . import authorization
from .authorization import Refused


def unwrap(
    application: ApplicationFacts, parameters: Parameters, *, now: datetime, trace: Trace
) -> Parameters:
    """What a request means; one without an object means what it says.

    The object is judged once, when the request arrives: from then on the sealed ticket vouches for
    what it said, however long the person takes to sign in. Raises a ``DirectError`` or ``Refused``.
    """
    if not request_object.is_used(parameters):
        return parameters
    question = ObjectQuestion(parameters, application, int(now.timestamp()))
    try:
        return request_object.unwrap(question, trace)
    except RedirectableError as refusal:
        raise _refused(application, parameters, refusal, trace) from refusal


def _refused(
    application: ApplicationFacts, parameters: Parameters, refusal: RedirectableError, trace: Trace
) -> Refused:
    """A destination that only stands in an object which does not hold is none."""
    if parameters.get("redirect_uri") is None:
        raise UnreadableRequest(refusal.description, detail=refusal.detail) from refusal
    destination = find_destination(authorization.question_of(application, parameters), trace)
    return Refused(authorization.refuse(application, destination, refusal), refusal)
