"""What a client asks the authorization endpoint for: a code, tokens, or both.

RFC 6749 §3.1.1, OAuth 2.0 Multiple Response Types §3 and §5, OpenID Connect Core §3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .application import ApplicationFacts, Flow
from .scope import OPENID

CODE = "code"
ID_TOKEN = "id_token"  # noqa: S105 - the name of a parameter
TOKEN = "token"  # noqa: S105 - the name of a parameter

FRONT_CHANNEL = frozenset({ID_TOKEN, TOKEN})


@dataclass(frozen=True, slots=True)
class ResponseType:
    """A set of things to hand out, whose order says nothing; ``sent`` is how the client wrote it.

    Whether the set is one that there is, and one that an application offers, is for the checks.
    """

    sent: str

    @property
    def wanted(self) -> frozenset[str]:
        """What the answer holds."""
        return frozenset(self.sent.split(" "))

    @property
    def has_code(self) -> bool:
        """Whether the answer holds an authorization code."""
        return CODE in self.wanted

    @property
    def has_token(self) -> bool:
        """Whether the answer itself holds an access token."""
        return TOKEN in self.wanted

    @property
    def has_id_token(self) -> bool:
        """Whether the answer itself holds an ID token."""
        return ID_TOKEN in self.wanted

    @property
    def is_front_channel(self) -> bool:
        """Whether a token passes through the browser: then never in a query (§5)."""
        return not FRONT_CHANNEL.isdisjoint(self.wanted)

    @property
    def is_known(self) -> bool:
        """Whether it is one of ``KNOWN``, in any order, nothing named twice."""
        words = sorted(self.sent.split(" "))
        return any(words == sorted(each.sent.split(" ")) for each in KNOWN)

    @property
    def flows(self) -> Iterator[Flow]:
        """The flows that an application must offer for it (Core §3)."""
        if self.has_code:
            yield Flow.AUTHORIZATION_CODE
        if self.is_front_channel:
            yield Flow.IMPLICIT


KNOWN = tuple(
    map(
        ResponseType,
        (
            "code",
            "token",
            "id_token",
            "id_token token",
            "code id_token",
            "code token",
            "code id_token token",
        ),
    )
)


def offered(application: ApplicationFacts) -> tuple[str, ...]:
    """The response types that this application answers, in the order of ``KNOWN``."""
    return tuple(each.sent for each in KNOWN if is_offered(each, application))


def is_offered(asked: ResponseType, application: ApplicationFacts) -> bool:
    """Whether the flows are ticked, and an ID token's scope is one that the application knows."""
    knows_openid = OPENID in application.known_scopes
    return application.flows.issuperset(asked.flows) and (knows_openid or not asked.has_id_token)
