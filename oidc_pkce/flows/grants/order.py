"""What every grant is given to answer a token request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...protocol.application import ApplicationFacts
from ...protocol.checks import Trace
from ...protocol.client_authentication import Client
from ...protocol.parameters import Parameters


@dataclass(slots=True)
class GrantOrder:
    """One token request of a client that has proved itself; the grant adds whose it is.

    ``authenticate`` asks the host project's backends for a user; ``address`` is the client's.
    """

    application: ApplicationFacts
    client: Client
    parameters: Parameters = field(repr=False)
    now: datetime
    trace: Trace
    address: str
    authenticate: Callable[..., Any]
    user_pk: Any = None
