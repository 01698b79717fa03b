"""Everything that a client calls often, as the benchmark sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from oidc_pkce import identifiers
from oidc_pkce.flows import bearer
from oidc_pkce.models import ClientAuthentication, Grant, RefreshToken
from oidc_pkce.protocol.checks import Trace
from tests.fixtures import make_user
from tests.journeys import SECRET, give_secret, make_application, make_service_user
from tests.performance.workload import Bench, grant, stored_codes

GUID = "0b7ea5b4-1f0c-4d0e-9a53-1c1de8ef0a11"


@dataclass(frozen=True)
class Operation:
    """One kind of request: what is stored for so many of them, and how one is sent."""

    prepare: Callable[[int], list[str]]
    send: Callable[[str], int]


@dataclass
class Cast:
    """The applications and people of the benchmark."""

    bench: Bench
    user: Any

    def __post_init__(self) -> None:
        make_service_user(make_user("robot"), SECRET)
        self.refreshing = make_application(
            application_id="refreshing", name="R", issues_refresh_tokens=True
        )
        machine = {"client_id_type": "Confidential", "client_ids": [], "flows": ["ClientCreds"]}
        make_application(application_id="machines", name="M", **machine)
        self.portal = make_application(
            application_id="portal",
            name="P",
            template="Generic OpenID Connect",
            client_id_type="Confidential",
            client_ids=[],
            openid_client_id=GUID,
        )
        give_secret(self.portal)

    def operations(self) -> Mapping[str, Operation]:
        """By the names under which they are printed."""
        return {
            "refresh": Operation(self.refresh_tokens, self.refresh),
            "client credentials": Operation(nothing, self.client_credentials),
            "introspection": Operation(self.access_tokens, self.introspect),
            "revocation": Operation(self.refresh_tokens, self.revoke),
            "userinfo": Operation(self.access_tokens, self.userinfo),
            "bearer check of an API": Operation(self.access_tokens, self.check),
        }

    def refresh_tokens(self, count: int) -> list[str]:
        """Store grants with one live refresh token each; the tokens."""
        now = timezone.now()
        tokens = [identifiers.new_secret() for _ in range(count)]
        grants = [grant(self.refreshing.pk, self.user.pk, now) for _ in tokens]
        Grant.objects.bulk_create(grants)
        RefreshToken.objects.bulk_create(
            RefreshToken(
                digest=identifiers.digest(token),
                grant=owner,
                created_at=now,
                expires_at=now + timedelta(hours=1),
            )
            for token, owner in zip(tokens, grants, strict=True)
        )
        return tokens

    def access_tokens(self, count: int) -> list[str]:
        """Redeem so many codes of the OpenID Connect application; the access tokens."""
        codes = stored_codes(
            self.portal.pk,
            self.user.pk,
            count,
            owner={"client_id": GUID, "client_authentication": ClientAuthentication.SECRET},
        )
        return [self.bench.redeemed("portal", code, GUID, SECRET) for code in codes]

    def refresh(self, token: str) -> int:
        """Refresh as a public client does: the token rotates."""
        return self.bench.post(
            "/OAuth2/Token/refreshing",
            {
                "grant_type": "refresh_token",
                "refresh_token": token,
                "client_id": "my_service_user",
            },
        )

    def client_credentials(self, _: str) -> int:
        """A service user asks for a token of its own."""
        return self.bench.post(
            "/OAuth2/Token/machines",
            {"grant_type": "client_credentials", "client_id": "robot", "client_secret": SECRET},
        )

    def introspect(self, token: str) -> int:
        """A confidential client asks about its own token."""
        return self.bench.post(
            "/OAuth2/Introspect/portal",
            {"token": token, "client_id": GUID, "client_secret": SECRET},
        )

    def revoke(self, token: str) -> int:
        """A public client gives its refresh token back."""
        return self.bench.post(
            "/OAuth2/Revoke/refreshing", {"token": token, "client_id": "my_service_user"}
        )

    def userinfo(self, token: str) -> int:
        """UserInfo by a form post."""
        return self.bench.post("/OAuth2/UserInfo/portal", {"access_token": token})

    def check(self, token: str) -> int:
        """What the DRF authenticator does for each request."""
        found = bearer.identify(token, now=timezone.now(), trace=Trace())
        return 200 if found.user.pk == self.user.pk else 401


def nothing(count: int) -> list[str]:
    """Nothing has to be stored."""
    return [""] * count
