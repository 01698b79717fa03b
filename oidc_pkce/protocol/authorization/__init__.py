"""The authorization request: what it says, and the rules that it must pass, in order.

First whom to answer (:mod:`.destination`), then what is asked (:mod:`.request`).
"""

from .destination import RESPONSE_MODES, Destination, find_destination
from .question import Question
from .request import (
    MAX_STATE,
    PROMPTS,
    AuthorizationRequest,
    challenge_methods,
    read_request,
)

__all__ = [
    "MAX_STATE",
    "PROMPTS",
    "RESPONSE_MODES",
    "AuthorizationRequest",
    "Destination",
    "Question",
    "challenge_methods",
    "find_destination",
    "read_request",
]
