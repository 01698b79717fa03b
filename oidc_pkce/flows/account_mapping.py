"""Account Mapping: the name by which an application is told of a person.

It is for the application alone: whoever is to be found again is found by ``sub`` or by key.
"""

from __future__ import annotations

from typing import Any

from ..conf import settings
from ..protocol import account_mapping
from ..protocol.application import ApplicationFacts, UserNameStrategy


def user_name(application: ApplicationFacts, user: Any) -> str:
    """What ``unique_name`` holds: the shared name, the chosen claim, or else the login name."""
    if application.user_name_strategy is UserNameStrategy.FIXED:
        return application.shared_user_name
    return _claimed(application, user) or str(settings.claims_provider.login_name(user))


def mapped(application: ApplicationFacts, user: Any, told: dict[str, Any]) -> dict[str, Any]:
    """The claims as this application is told them: ``preferred_username`` follows the mapping."""
    if not told or not account_mapping.maps(application):
        return told
    return account_mapping.renamed(told, user_name(application, user))


def _claimed(application: ApplicationFacts, user: Any) -> str:
    """The claim's value, if it is a text that says something; '' sends to the login name."""
    claim, provider = application.user_name_claim, settings.claims_provider
    is_plain = not account_mapping.maps(application)
    if is_plain or claim not in account_mapping.names(provider.supported()):
        return ""
    value = provider.claims(user).get(claim)
    return value if isinstance(value, str) and value.strip() else ""
