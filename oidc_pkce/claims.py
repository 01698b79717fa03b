"""Which claims a user has, and by what name applications know one: what adopters subclass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .models import Subject
from .protocol.scope import STANDARD


class ClaimsProvider:
    """Says what tokens and UserInfo tell of a user.

    Subclass it and name the subclass in ``OIDC_PKCE["CLAIMS_PROVIDER"]``. One instance serves every
    request of a process: keep no state. Protocol claims (``iss``, ``sub``, ``aud`` …) cannot be
    replaced. Values must be JSON, others are left out; so are empty ones.
    """

    def login_name(self, user: Any) -> str:
        """What ``unique_name`` and ``preferred_username`` hold; Account Mapping may say more."""
        return str(user.get_username())

    def claims(self, user: Any) -> Mapping[str, Any]:
        """Every claim that is known of a user; scopes decide which of them are told."""
        return {
            "name": _full_name(user),
            "given_name": getattr(user, "first_name", ""),
            "family_name": getattr(user, "last_name", ""),
            "preferred_username": self.login_name(user),
            "email": getattr(user, "email", ""),
        }

    def access_token(self, user: Any, scopes: Collection[str]) -> Mapping[str, Any]:
        """Further claims of an access token; none by default, for it travels to other services."""
        return {}

    def id_token(self, user: Any, scopes: Collection[str]) -> Mapping[str, Any]:
        """Further claims of an ID token; none by default: they live in UserInfo (Core §5.4)."""
        return {}

    def userinfo(self, user: Any, scopes: Collection[str]) -> Mapping[str, Any]:
        """The claims that the granted scopes ask for, without empty ones (Core §5.4)."""
        asked = {claim for scope in scopes for claim in STANDARD.get(scope, ())}
        known = self.claims(user)
        told = {name: value for name, value in known.items() if name in asked and _is_told(value)}
        if "email" in told:
            told["email_verified"] = bool(known.get("email_verified", False))
        return told

    def requested(self, user: Any, names: Collection[str]) -> Mapping[str, Any]:
        """Those of :meth:`claims` that a client asked for one by one, without empty ones (§5.5).

        ``names`` are claims of standard scopes and of :meth:`supported`, as the person allowed.
        """
        known = dict(self.claims(user))
        if known.get("email"):
            known.setdefault("email_verified", False)
        return {name: known[name] for name in names if _is_told(known.get(name))}

    def supported(self) -> tuple[str, ...]:
        """What the metadata document lists beside the protocol's own claims.

        Name here what :meth:`claims` can fill, when you add to it: a claim of no standard scope is
        told to a client that asks for it only when it is listed, and Account Mapping offers it as
        a name only then.
        """
        return (
            "name",
            "given_name",
            "family_name",
            "preferred_username",
            "email",
            "email_verified",
        )


class SubjectIdentifier:
    """Says what ``sub`` is: by default a UUID per user, made once and kept for ever.

    Subclass it and name the subclass in ``OIDC_PKCE["SUBJECT_IDENTIFIER"]``. The answer must be
    stable, unique among users, at most 255 ASCII characters (Core §2), and reveal nothing.
    """

    def subject(self, user: Any, known: str | None) -> str:
        """The ``sub`` of a user; ``known`` is the stored one, read along with the user."""
        if known is not None:
            return known
        made, _ = Subject.objects.get_or_create(user_id=user.pk)
        return str(made.identifier)


def _full_name(user: Any) -> str:
    return str(user.get_full_name()) if hasattr(user, "get_full_name") else ""


def _is_told(value: Any) -> bool:
    return value is not None and value != "" and value != [] and value != {}
