"""What posture is judged on: the configuration, the server, the secrets, and the traffic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..application import ApplicationFacts
from ..metadata import Locations
from ..usage import Feature


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What no application decides; ``metadata`` holds the members that its document publishes."""

    base: str
    code_lifetime: timedelta
    metadata: frozenset[str] = frozenset()
    authentication_methods: frozenset[str] = frozenset()
    #: The resource of RFC 9728 that the same project publishes, and whose tokens it takes.
    resource: str = ""
    resource_applications: frozenset[str] = frozenset()

    @property
    def is_https(self) -> bool:
        """Whether its endpoints are behind TLS."""
        return self.base.lower().startswith("https://")


@dataclass(frozen=True, slots=True)
class SecretFacts:
    """One live secret of a client of the application, without the secret."""

    client_id: str
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """How often one client did one thing in one way."""

    client_id: str
    feature: Feature
    value: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule sees. Rules that a profile enforces look at ``application`` alone."""

    application: ApplicationFacts
    server: ServerFacts
    uses: tuple[Use, ...] = ()
    secrets: tuple[SecretFacts, ...] = ()
    now: datetime | None = None

    def seen(self, feature: Feature, values: Iterable[str] | None = None) -> Iterator[Use]:
        """What was seen of a feature, in these ways or in any."""
        wanted = None if values is None else frozenset(values)
        for use in self.uses:
            if use.feature is feature and (wanted is None or use.value in wanted):
                yield use

    @property
    def own_place(self) -> str:
        """The issuer that this application has unless another one is typed."""
        return Locations(self.server.base, self.application.application_id).issuer
