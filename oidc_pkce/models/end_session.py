"""Browser sessions that have ended, remembered for as long as a request may still be under way."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class EndedSession(models.Model):
    """A browser session by its name, committed before what belongs to it is ended.

    An authorization request that read the session a moment earlier looks here after it has written
    its grant: either the sign-out sees the grant, or the request sees the sign-out.
    """

    sid = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("ended session")
        verbose_name_plural = _("ended sessions")

    def __str__(self) -> str:
        return f"session that ended, kept until {self.expires_at}"
