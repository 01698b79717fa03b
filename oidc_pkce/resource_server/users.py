"""Whom a token stands for when that is no user of this project."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser

from ..flows.resource_server import BearerToken


class TokenUser(AnonymousUser):
    """A client that acts for itself, or a person whom only another server knows.

    It has proved who it is, so ``is_authenticated`` is true; but it has no row, no key and no
    permission of Django's. ``pk`` is ``None`` and ``username`` an issuer and a subject, so that
    neither can be mistaken for a user's of this project.
    """

    username: Any
    is_active: Any = True
    is_anonymous: Any = False
    is_authenticated: Any = True

    def __init__(self, token: BearerToken) -> None:
        super().__init__()
        self.issuer = token.issuer
        self.subject = token.subject
        self.client_id = token.client_id
        self.username = f"{token.issuer}#{token.subject}"

    def __str__(self) -> str:
        return str(self.username)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenUser) and self._who == other._who

    def __hash__(self) -> int:
        return hash(self._who)

    @property
    def _who(self) -> tuple[str, str]:
        """A subject is unique within its issuer only (OpenID Connect Core §2)."""
        return self.issuer, self.subject
