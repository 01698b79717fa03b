"""Authorization codes: single use, short-lived, stored as digests."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..protocol.grants.authorization_code import CodeFacts
from ..protocol.pkce import Challenge
from .statement import UpdateStatement


class AuthorizationCodeQuerySet(models.QuerySet["AuthorizationCode"]):
    """Codes, asked in the words of the domain."""

    def claim(self, digest: bytes, now: datetime) -> bool:
        """Spend a code: true for exactly one caller (RFC 6749 §4.1.2)."""
        return _claim.run(digest=digest, now=now) == 1


_claim = UpdateStatement(
    lambda digest, now: (
        AuthorizationCode.objects.filter(pk=digest, used_at=None),
        {"used_at": now},
    ),
    digest=models.BinaryField(),
    now=models.DateTimeField(),
)


class AuthorizationCode(models.Model):
    """One code of one grant, and what it is bound to."""

    digest = models.BinaryField(primary_key=True, max_length=32, editable=False)
    grant = models.ForeignKey("Grant", models.CASCADE, related_name="codes")
    redirect_uri = models.TextField()
    challenge = models.CharField(max_length=128, blank=True)
    challenge_method = models.CharField(max_length=8, blank=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    objects = AuthorizationCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("authorization code")
        verbose_name_plural = _("authorization codes")

    def __str__(self) -> str:
        return f"code of grant {self.grant_id}"

    def facts(self) -> CodeFacts:
        """This code as the rules see it; reads the grant."""
        grant = self.grant
        return CodeFacts(
            application_pk=grant.application_id,
            client_id=grant.client_id,
            redirect_uri=self.redirect_uri,
            challenge=Challenge(self.challenge, self.challenge_method) if self.challenge else None,
            resources=tuple(grant.resources),
            expires_at=self.expires_at,
            used_at=self.used_at,
            grant_is_revoked=grant.revoked_at is not None,
        )
