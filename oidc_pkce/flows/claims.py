"""What is told of a person: by scopes, and one by one (OpenID Connect Core §5.4, §5.5)."""

from __future__ import annotations

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..conf import settings
from ..protocol import claims_request
from ..protocol.application import ApplicationFacts
from ..protocol.authorization import AuthorizationRequest
from ..protocol.claims_request import PROTOCOL_CLAIMS, RequestedClaims
from ..protocol.scope import OPENID
from . import account_mapping

MAX_DEPTH = 10

logger = logging.getLogger(__name__)


def asked(application: ApplicationFacts, request: AuthorizationRequest) -> RequestedClaims:
    """The single claims that a request asks for, as far as anything could be told."""
    supported = settings.claims_provider.supported() if request.claims.asks_anything else ()
    return claims_request.tellable(request.claims, application, supported)


def userinfo(
    application: ApplicationFacts,
    user: Any,
    scopes: Collection[str],
    requested: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """What UserInfo tells: what the scopes ask for, and the requested claims of a sign-in."""
    provider = settings.claims_provider
    names = requested.get("userinfo", ()) if OPENID in scopes else ()
    single = provider.requested(user, names) if names else {}
    told = _sound({**single, **provider.userinfo(user, scopes)})
    return account_mapping.mapped(application, user, told)


def id_token(
    application: ApplicationFacts,
    user: Any,
    scopes: Collection[str],
    requested: Mapping[str, Sequence[str]],
    *,
    tells_scopes: bool,
) -> dict[str, Any]:
    """What an ID token tells beside the protocol's own claims.

    ``tells_scopes`` repeats what UserInfo tells by scopes, for a client that never asks there.
    """
    provider, names = settings.claims_provider, requested.get("id_token", ())
    single = provider.requested(user, names) if names else {}
    by_scope = provider.userinfo(user, scopes) if tells_scopes else {}
    told = _sound({**single, **by_scope, **provider.id_token(user, scopes)})
    return account_mapping.mapped(application, user, told)


def access_token(
    application: ApplicationFacts, user: Any, scopes: Collection[str]
) -> dict[str, Any]:
    """What an access token tells beside the protocol's own claims."""
    told = _sound(settings.claims_provider.access_token(user, scopes))
    return account_mapping.mapped(application, user, told)


def _sound(told: Mapping[Any, Any]) -> dict[str, Any]:
    """Only what a provider may say, and what JSON can hold: nothing it answers breaks a token."""
    kept = {name: value for name, value in told.items() if name not in PROTOCOL_CLAIMS}
    for name, value in list(kept.items()):
        if not (isinstance(name, str) and _is_json(value, MAX_DEPTH)):
            logger.warning("the claims provider's %r is no JSON, so it is left out", name)
            del kept[name]
    return kept


def _is_json(value: Any, levels: int) -> bool:
    if value is None or isinstance(value, str | int):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if levels == 0 or not isinstance(value, dict | list | tuple):
        return False
    inside = value.values() if isinstance(value, dict) else value
    names = value if isinstance(value, dict) else ()
    return all(isinstance(name, str) for name in names) and all(
        _is_json(each, levels - 1) for each in inside
    )
