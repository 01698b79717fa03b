"""What Account Mapping may say of an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext

from ..conf import settings
from ..protocol import account_mapping
from ..protocol.application import UserNameStrategy

if TYPE_CHECKING:
    from .application import Application


def choices() -> tuple[str, ...]:
    """The claims that can be the name of a person, the login name first."""
    return account_mapping.names(settings.claims_provider.supported())


def problems(application: Application) -> dict[str, str]:
    """A sentence per field where the strategy lacks what it needs."""
    if application.user_name_strategy == UserNameStrategy.FIXED:
        return {} if application.shared_user_name.strip() else {"shared_user_name": _missing()}
    claim = application.user_name_claim
    return {} if claim in choices() else {"user_name_claim": _unknown(claim)}


def _missing() -> str:
    return gettext("Write the name that all users share, or choose Directory Service Field.")


def _unknown(claim: str) -> str:
    return gettext("“%(value)s” is no claim that can be a name here: use one of %(choices)s.") % {
        "value": claim[:64],
        "choices": ", ".join(choices()),
    }
