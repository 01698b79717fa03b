"""The scopes that applications define."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .. import validators
from .fields import StringListField


class Scope(models.Model):
    """A scope that an application defines, with the REST paths that it opens."""

    application = models.ForeignKey("Application", models.CASCADE, related_name="scopes")
    name = models.CharField(_("Name"), max_length=255, validators=[validators.validate_scope_name])
    description = models.CharField(
        _("Description"), max_length=500, blank=True, validators=[validators.validate_text]
    )
    rest_patterns = StringListField(
        _("Allowed REST APIs"),
        validators=[validators.validate_rest_patterns],
        help_text=_("One regular expression per line, matched against the path below the host."),
    )

    class Meta:
        verbose_name = _("scope")
        verbose_name_plural = _("scopes")
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(fields=("application", "name"), name="oidc_pkce_scope_name"),
        )

    def __str__(self) -> str:
        return self.name
