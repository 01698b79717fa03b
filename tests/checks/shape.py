"""What a test of one check looks like: a scene, and two requests that differ in one thing.

A scenario sets its scene and returns ``OneThing``: how to send the request, what to put into it so
that this check fails and no other, and what makes it right. As both go through one function in one
scene, nothing else can differ::

    @scenario("authorize.scope")
    def an_unknown_scope(scene: Scene) -> OneThing:
        return OneThing(
            lambda scope: scene.signed_in.authorize(scope=scope), broken="unknown", mended="openid"
        )

Every module of this folder is read for scenarios; ``test_every_check`` runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from oidc_pkce.models import RequestTrace
from oidc_pkce.protocol import checks
from oidc_pkce.protocol.checks import Check
from tests.journeys import Answer

Send = Callable[[Any], Answer]


@dataclass(frozen=True)
class Scene:
    """Where a scenario plays: every fixture of the tests by its name."""

    _request: pytest.FixtureRequest

    def __getattr__(self, name: str) -> Any:
        return self._request.getfixturevalue(name)

    def configure(self, **values: Any) -> None:
        """Set members of ``OIDC_PKCE``, beside those that are set."""
        self.settings.OIDC_PKCE = {**self.settings.OIDC_PKCE, **values}


@dataclass(frozen=True)
class OneThing:
    """The one thing in which two requests differ.

    ``send`` puts it into a request; the trace of its LAST request is the one that counts. The
    mended request succeeds. Where it cannot, ``ends_at`` names the later check at which it ends,
    and ``because`` says why. ``is_listed`` is false for a check that only a refusal writes down.
    """

    send: Send
    broken: Any
    mended: Any
    ends_at: str = ""
    because: str = ""
    is_listed: bool = True


@dataclass(frozen=True)
class Scenario:
    """One way to fail one check."""

    check: str
    play: Callable[[Scene], OneThing] = field(repr=False)

    @property
    def name(self) -> str:
        """As the parametrized test is called."""
        return f"{self.check}-{self.play.__name__}"


@dataclass(frozen=True)
class Kept:
    """What one request left in the database."""

    trace: RequestTrace
    answer: Answer

    @property
    def order(self) -> list[str]:
        """The checks that ran, as they ran."""
        return [item["check"] for item in self.trace.outcomes]

    @property
    def failed(self) -> list[str]:
        """The checks that failed: one, or none."""
        return [item["check"] for item in self.trace.outcomes if not item["passed"]]


_SCENARIOS: list[Scenario] = []


def scenario(check: str) -> Callable[[Callable[[Scene], OneThing]], Callable[[Scene], OneThing]]:
    """Register a scenario under the check that it fails."""

    def register(play: Callable[[Scene], OneThing]) -> Callable[[Scene], OneThing]:
        _SCENARIOS.append(Scenario(check, play))
        return play

    return register


def scenarios() -> Sequence[Scenario]:
    """Every scenario of this folder, in one order wherever it is asked for."""
    package = import_module(__package__ or "")
    for module in iter_modules(package.__path__):
        if module.name not in ("conftest", "shape") and not module.name.startswith("test_"):
            import_module(f"{__package__}.{module.name}")
    return sorted(_SCENARIOS, key=lambda each: each.name)


def every_check() -> Mapping[str, Check[..., Any]]:
    """The registry, when all that registers has been imported."""
    import_module("oidc_pkce.urls")
    import_module("oidc_pkce.resource_server.admission")
    return checks.registry()


def sent(send: Send, thing: Any) -> Kept:
    """Send a request, and find what it left."""
    before = RequestTrace.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    answer = send(thing)
    trace = RequestTrace.objects.filter(pk__gt=before).order_by("pk").last()
    assert trace is not None, f"no trace: {answer.status} {answer.location or answer.html[:500]}"
    return Kept(trace, answer)
