"""What the checks of an authorization request see."""

from __future__ import annotations

from dataclasses import dataclass

from .. import claims_request, scope
from ..application import ApplicationFacts
from ..claims_request import ClaimsRequest
from ..parameters import Parameters
from ..response_type import ResponseType


@dataclass(frozen=True, slots=True)
class Question:
    """What a check of this endpoint sees: the parameters, and the application.

    ``client_exists`` is the answer of the database for a Confidential application, where a
    client is a service user.
    """

    parameters: Parameters
    application: ApplicationFacts
    client_exists: bool

    def get(self, name: str) -> str | None:
        return self.parameters.get(name)

    @property
    def response_type(self) -> ResponseType:
        return ResponseType(self.get("response_type") or "")

    @property
    def is_sign_in(self) -> bool:
        """Whether OpenID Connect defines what is asked, beyond OAuth (Core §3.1.2.1)."""
        return scope.OPENID in scope.parse(self.get("scope") or "")

    @property
    def claims(self) -> ClaimsRequest:
        """What ``claims`` asks for; without openid, nothing. Raises ``InvalidRequest``."""
        return claims_request.read(self.get("claims") if self.is_sign_in else None)
