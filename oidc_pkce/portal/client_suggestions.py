"""The clients that a page suggests, where anything else can be typed, too."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from ..models import Application, ServiceUser
from ..protocol.application import ClientIdType
from ..protocol.client import known_clients

MOST_CLIENTS = 100  # that are suggested


def clients_of(application: Application, user: Any) -> list[str]:
    """Whom the page may suggest as a client: service users only to whom may see their list."""
    facts = application.facts()
    if facts.is_openid_connect or facts.client_id_type is not ClientIdType.CONFIDENTIAL:
        return list(known_clients(facts))[:MOST_CLIENTS]
    if not any(user.has_perm(f"oidc_pkce.{verb}_serviceuser") for verb in ("view", "change")):
        return []
    login = f"user__{get_user_model().USERNAME_FIELD}"
    rows = ServiceUser.objects.order_by(login)
    if facts.must_be_oauth_client:
        rows = rows.filter(is_oauth_confidential_client=True)
    return [str(name) for name in rows.values_list(login, flat=True)[:MOST_CLIENTS]]
