"""Signing keys: private keys encrypted at rest, states that follow from times."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from ..protocol import jwk
from ..protocol.jose import SigningKey as Signer


class KeyState(models.TextChoices):
    """Where a key stands in its life; computed from its times, so no job has to move it on."""

    NEXT = "next", _("next")
    CURRENT = "current", _("current")
    RETIRING = "retiring", _("retiring")
    EXPIRED = "expired", _("expired")


class SigningKeyQuerySet(models.QuerySet["SigningKey"]):
    """Keys, asked in the words of the domain."""

    def published(self, now: datetime) -> SigningKeyQuerySet:
        """Those that clients may still need: next, current and retiring."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now))


class SigningKey(models.Model):
    """One key pair of one algorithm.

    A key is published from ``created_at``, signs from ``signs_from`` until the next one of its
    algorithm does, and is published until ``expires_at`` (``None``: nothing has replaced it).
    """

    algorithm = models.CharField(_("algorithm"), max_length=8)
    generation = models.PositiveIntegerField(_("generation"))
    kid = models.CharField(_("key ID"), max_length=64)
    public_jwk = models.JSONField(_("public key"))
    private_key = models.TextField(editable=False)
    created_at = models.DateTimeField(_("created"))
    signs_from = models.DateTimeField(_("signs from"))
    expires_at = models.DateTimeField(_("published until"), null=True, blank=True, db_index=True)

    objects = SigningKeyQuerySet.as_manager()

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        ordering = ("algorithm", "-generation")
        constraints = (
            models.UniqueConstraint(
                fields=("algorithm", "generation"), name="oidc_pkce_key_generation"
            ),
            models.UniqueConstraint(fields=("kid",), name="oidc_pkce_key_kid"),
        )

    def __str__(self) -> str:
        return f"{self.algorithm} {self.generation}"

    def seal(self, private_key: jwk.PrivateKey) -> None:
        """Keep a private key, encrypted, and its public half with its thumbprint as ``kid``."""
        bare = jwk.public_jwk(private_key, kid="", algorithm=self.algorithm)
        self.kid = jwk.thumbprint(bare)
        self.public_jwk = jwk.public_jwk(private_key, kid=self.kid, algorithm=self.algorithm)
        self.private_key = jwk.encrypt(jwk.to_pem(private_key), settings.signing_key_secrets[0])

    def open(self) -> Signer:
        """Decrypt and parse the private key: once per process, for it costs tens of milliseconds.

        Raises ``protocol.jwk.UndecryptableKey``.
        """
        pem = jwk.decrypt(self.private_key, settings.signing_key_secrets)
        return Signer(self.kid, self.algorithm, jwk.from_pem(pem))
