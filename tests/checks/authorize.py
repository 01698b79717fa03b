"""Authorize: the request itself, in the order of its checks."""

from __future__ import annotations

from tests.checks.shape import OneThing, Scene, scenario
from tests.journeys import CALLBACK


@scenario("authorize.redirect_uri")
def a_slash_too_many(scene: Scene) -> OneThing:
    return OneThing(
        lambda uri: scene.signed_in.authorize(redirect_uri=uri),
        broken=f"{CALLBACK}/",
        mended=CALLBACK,
    )
