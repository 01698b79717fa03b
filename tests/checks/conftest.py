"""What scenarios find beside the fixtures of every test."""

from __future__ import annotations

import pytest

from tests.checks.shape import Scene
from tests.portal.conftest import portal, second  # noqa: F401
from tests.resource_server.conftest import other_server  # noqa: F401


@pytest.fixture
def scene(request: pytest.FixtureRequest, db: None) -> Scene:
    """Every fixture by its name; every request leaves a trace, not only the refused ones."""
    made = Scene(request)
    made.configure(TRACED_SUCCESSES=1)
    return made
