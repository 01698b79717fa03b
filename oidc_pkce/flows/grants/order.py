"""What every grant is given to answer a token request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...protocol.application import ApplicationFacts
from ...protocol.checks import Trace
from ...protocol.client_authentication import Client
from ...protocol.parameters import Parameters


@dataclass(slots=True)
class GrantOrder:
    """One token request of a client that has proved itself; the grant adds whose it is."""

    application: ApplicationFacts
    client: Client
    parameters: Parameters
    now: datetime
    trace: Trace
    user_pk: Any = None
