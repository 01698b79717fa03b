"""What stands in for the database and the clock where uses are counted."""

from __future__ import annotations

from django.utils import timezone

from oidc_pkce.flows import usage
from oidc_pkce.models import Application, Usage

NOW = timezone.now()


class Written(list[tuple[usage.Use, usage.Seen]]):
    """Takes the place of the database."""

    def __call__(self, use: usage.Use, seen: usage.Seen) -> None:
        self.append((use, seen))


class ProcessClock:
    """The clock by which a process knows when it wrote last."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def stored(application: Application) -> dict[str, int]:
    """What other processes can see of one feature: client by client."""
    rows = Usage.objects.filter(application=application, feature="grant_type")
    return dict(rows.values_list("client_id", "count"))
