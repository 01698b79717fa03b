"""What is known of the demo's people: something for every claim of OpenID Connect Core §5.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from oidc_pkce.claims import ClaimsProvider

PEOPLE: Mapping[str, Mapping[str, Any]] = {
    "ada": {
        "middle_name": "Augusta",
        "nickname": "The Countess",
        "gender": "female",
        "birthdate": "1815-12-10",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "phone_number": "+44 20 7946 0118",
        "phone_number_verified": True,
        "address": {
            "formatted": "12 St James's Square\nLondon SW1Y 4LB\nUnited Kingdom",
            "street_address": "12 St James's Square",
            "locality": "London",
            "postal_code": "SW1Y 4LB",
            "country": "United Kingdom",
        },
    },
    "grace": {
        "middle_name": "Horsley",
        "nickname": "Grace of the Farnes",
        "gender": "female",
        "birthdate": "1815-11-24",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "phone_number": "+44 1632 960118",
        "phone_number_verified": True,
        "address": {
            "formatted": "Longstone Lighthouse\nFarne Islands\nNorthumberland\nUnited Kingdom",
            "street_address": "Longstone Lighthouse",
            "locality": "Farne Islands",
            "region": "Northumberland",
            "country": "United Kingdom",
        },
    },
    "admin": {
        "middle_name": "L.",
        "nickname": "Rob",
        "gender": "male",
        "birthdate": "0000-06-08",
        "zoneinfo": "Europe/London",
        "locale": "en-GB",
        "phone_number": "+44 131 496 0118",
        "phone_number_verified": False,
        "address": {
            "formatted": "Baxter's Place\nEdinburgh\nScotland\nUnited Kingdom",
            "street_address": "Baxter's Place",
            "locality": "Edinburgh",
            "region": "Scotland",
            "country": "United Kingdom",
        },
    },
}


class DemoClaims(ClaimsProvider):
    """Tells what stands above; of anybody else, what Django's user holds."""

    def claims(self, user: Any) -> Mapping[str, Any]:
        """Every claim that is known of a user; scopes decide which of them are told."""
        known = dict(super().claims(user))
        name = self.login_name(user)
        if name not in PEOPLE:
            return known
        return {
            **known,
            **PEOPLE[name],
            "email_verified": True,
            "profile": f"https://example.com/people/{name}",
            "website": f"https://{name}.example.com/",
            "picture": f"{settings.ISSUER_BASE}/static/demo_site/{name}.svg",
            "updated_at": int(user.date_joined.timestamp()),
        }

    def supported(self) -> tuple[str, ...]:
        """What the metadata document lists."""
        everybodys = super().supported()
        more = ("profile", "website", "picture", "updated_at", *PEOPLE["ada"])
        return (*everybodys, *more)
