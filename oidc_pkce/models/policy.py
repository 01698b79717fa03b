"""What the Policy of an application may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext

from ..conf import settings

if TYPE_CHECKING:
    from .application import Application


def problems(application: Application) -> dict[str, str]:
    """A sentence where no person could ever satisfy the Policy."""
    wanted, known = application.required_acr, settings.interaction_policy.supported()
    if not wanted or wanted in known:
        return {}
    sentence = gettext("“%(value)s” is nothing that people can reach here: use one of %(known)s.")
    return {"required_acr": sentence % {"value": wanted[:200], "known": ", ".join(known)}}
