"""Applications: what the Admin Portal's screens configure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from itertools import permutations
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import identifiers, validators
from ..conf import settings
from ..protocol.access_token import AT_JWT, JWT
from ..protocol.application import (
    ApplicationFacts,
    ClientIdType,
    Flow,
    Profile,
    SubjectType,
    Template,
    TokenType,
    UserNameStrategy,
)
from ..protocol.metadata import Locations, issuer_problem
from . import account_mapping, policy, profile
from .application_facts import FACTS, facts_of
from .fields import StringListField

TEMPLATE_NAMES: Mapping[str, str] = {
    Template.OAUTH2_CLIENT.value: "OAuth2 Client",
    Template.OAUTH2_SERVER.value: "OAuth2 Server",
    Template.OPENID_CONNECT.value: "OpenID Connect",
}


class Status(models.TextChoices):
    """How far an application is from serving somebody; computed, never stored."""

    NOT_CONFIGURED = "not_configured", _("Not Configured")
    READY_TO_DEPLOY = "ready_to_deploy", _("Ready to Deploy")
    DEPLOYED = "deployed", _("Deployed")


class LoginInitiation(models.TextChoices):
    """Who may start a sign-in to an OpenID Connect application."""

    RELYING_PARTY_OR_PORTAL = (
        "relying_party_or_portal",
        _("Login initiated by the relying party (or the user portal)"),
    )
    APP_ONLY = "app_only", _("Login initiated by the app only")


class Profiles(models.TextChoices):
    """The sets of rules that an application can promise to keep, as people read them."""

    CYBERARK = Profile.CYBERARK.value, _("CyberArk compatible")
    OAUTH21 = Profile.OAUTH21.value, _("OAuth 2.1")
    FAPI2 = Profile.FAPI2.value, _("FAPI 2.0")
    LEGACY = Profile.LEGACY.value, _("Legacy")


def default_flows() -> list[str]:
    """A new application offers the authorization code flow alone (RFC 9700 §2.1)."""
    return [Flow.AUTHORIZATION_CODE.value]


class ApplicationQuerySet(models.QuerySet["Application"]):
    """Applications, asked in the words of the domain."""

    def named(self, application_id: str) -> ApplicationQuerySet:
        """The one with this Application ID, whatever the case."""
        return self.alias(folded=Lower("application_id")).filter(folded=application_id.lower())

    def with_status(self) -> ApplicationQuerySet:
        """Annotate ``status``, so that lists can filter and sort by it."""
        from .permission import Permission

        runnable = Permission.objects.filter(application=OuterRef("pk"), can_run=True)
        return self.annotate(
            status=Case(
                When(self._unconfigured(), then=Value(Status.NOT_CONFIGURED)),
                When(Exists(runnable), then=Value(Status.DEPLOYED)),
                default=Value(Status.READY_TO_DEPLOY),
                output_field=models.CharField(),
            )
        )

    def _unconfigured(self) -> Q:
        browserless = (Flow.CLIENT_CREDENTIALS.value, Flow.PASSWORD.value)
        unneeded = [list(some) for n in range(3) for some in permutations(browserless, n)]
        browser = Q(redirect_uris=[]) & ~Q(flows__in=unneeded)
        oauth2 = ~Q(template=Template.OPENID_CONNECT)
        nobody = oauth2 & Q(client_id_type=ClientIdType.LIST, client_ids=[])
        return browser | nobody


class Application(models.Model):
    """One configured app: its own issuer, endpoints, scopes, token settings and client list."""

    template = models.CharField(_("type"), max_length=32, choices=TEMPLATE_NAMES.items())
    enabled = models.BooleanField(
        _("enabled"), default=True, help_text=_("A disabled application serves nobody.")
    )

    profile = models.CharField(
        _("Profile"),
        max_length=16,
        choices=Profiles.choices,
        default=Profiles.CYBERARK,
        help_text=_("The set of rules that this application keeps; what it demands is enforced."),
    )
    watched_until = models.DateTimeField(null=True, editable=False)

    # Settings
    application_id = models.CharField(
        _("Application ID"),
        max_length=64,
        validators=[validators.validate_application_id],
        help_text=_("Stands in every address of this application."),
    )
    name = models.CharField(
        _("Application Name"), max_length=200, validators=[validators.validate_text]
    )
    description = models.TextField(
        _("Application Description"),
        blank=True,
        max_length=2000,
        # A text column has no length of its own: max_length only bounds the form.
        validators=[validators.validate_text, MaxLengthValidator(2000)],
    )
    category = models.CharField(
        _("Category"), max_length=100, default="Other", validators=[validators.validate_text]
    )
    show_in_user_app_list = models.BooleanField(_("Show in user app list"), default=False)

    # General Usage (OAuth2 templates)
    client_id_type = models.CharField(
        _("Client ID Type"),
        max_length=16,
        choices=[(t.value, t.value) for t in ClientIdType],
        default=ClientIdType.CONFIDENTIAL,
        help_text=_(
            "List is the setting for PKCE: the clients are public and prove themselves with a"
            " code verifier. Anything lets whoever asks be a client. Confidential clients are"
            " service users with a secret."
        ),
    )
    client_ids = StringListField(_("Client ID List"), validators=[validators.validate_client_ids])
    must_be_oauth_client = models.BooleanField(
        _("Must be OAuth Client"),
        default=False,
        help_text=_("Confidential clients must be flagged as OAuth confidential clients."),
    )
    issuer = models.CharField(
        _("Issuer"),
        max_length=500,
        blank=True,
        validators=[validators.validate_text],
        help_text=_("Leave empty for this server's own address, which is what discovery needs."),
    )
    audience = models.CharField(
        _("Audience"), max_length=500, blank=True, validators=[validators.validate_text]
    )
    redirect_uris = StringListField(
        _("Allowed Redirects"), validators=[validators.validate_redirect_uris]
    )
    post_logout_redirect_uris = StringListField(
        _("Authorized post-logout redirect URIs"), validators=[validators.validate_redirect_uris]
    )
    backchannel_logout_uri = models.CharField(
        _("Back-channel logout URI"),
        max_length=2000,
        blank=True,
        validators=[validators.validate_logout_uri],
        help_text=_("This server posts a logout token there when a person signs out."),
    )
    frontchannel_logout_uri = models.CharField(
        _("Front-channel logout URI"),
        max_length=2000,
        blank=True,
        validators=[validators.validate_logout_uri],
        help_text=_("The sign-out page opens it in a frame. Back-channel logout is more reliable."),
    )
    trusted_origins = StringListField(
        _("Trusted Origins"),
        validators=[validators.validate_origins],
        help_text=_(
            "Origins whose scripts may call this application, beside its redirects'. One per line."
        ),
    )

    # Trust (OpenID Connect)
    openid_client_id = models.CharField(
        _("OpenID Connect client ID"),
        max_length=255,
        default=identifiers.new_guid,
        validators=[validators.validate_text],
    )
    require_client_secret = models.BooleanField(
        _("Require client secret"),
        default=False,
        help_text=_("Refuse clients that prove themselves by PKCE alone."),
    )
    subject_type = models.CharField(
        _("Subject type"),
        max_length=8,
        choices=[(t.value, t.value) for t in SubjectType],
        default=SubjectType.PUBLIC,
        help_text=_("Pairwise: the subject of a person differs from application to application."),
    )
    subject_salt = models.CharField(max_length=64, default=identifiers.new_secret, editable=False)
    client_jwks = models.JSONField(
        _("Client keys"),
        default=dict,
        blank=True,
        validators=[validators.validate_client_jwks],
        help_text=_("A JSON Web Key Set: the public keys that sign this client's request objects."),
    )
    login_initiation = models.CharField(
        _("Login initiation"),
        max_length=32,
        choices=LoginInitiation.choices,
        default=LoginInitiation.RELYING_PARTY_OR_PORTAL,
    )
    url = models.URLField(_("Resource application URL"), max_length=2000, blank=True)

    # Tokens
    token_type = models.CharField(
        _("Token Type"),
        max_length=16,
        choices=[(t.value, t.value) for t in TokenType],
        default=TokenType.RS256,
    )
    access_token_typ = models.CharField(
        _("Access token header typ"), max_length=8, choices=[(JWT, JWT), (AT_JWT, AT_JWT)]
    )
    flows = StringListField(
        _("Auth methods"), default=default_flows, validators=[validators.validate_flows]
    )
    access_token_lifetime = models.DurationField(
        _("Token Lifetime"),
        default=timedelta(hours=5),
        validators=[validators.validate_lifetime],
    )
    issues_refresh_tokens = models.BooleanField(_("Issue refresh tokens"), default=False)
    refresh_token_lifetime = models.DurationField(
        _("Refresh token lifetime"),
        default=timedelta(days=30),
        validators=[validators.validate_lifetime],
    )
    rotates_refresh_tokens = models.BooleanField(_("Rotate tokens after use"), default=True)
    claims_in_id_token = models.BooleanField(
        _("Claims in the ID token"),
        default=False,
        help_text=_("For clients that never ask UserInfo: the ID token repeats what scopes tell."),
    )
    requires_pkce = models.BooleanField(_("Require PKCE"), default=True)
    allows_plain_pkce = models.BooleanField(
        _("Allow plain PKCE"),
        default=False,
        help_text=_("With plain, whoever sees the request can redeem the code."),
    )

    # Scope
    requires_consent = models.BooleanField(
        _("User must confirm authorization request"), default=False
    )
    allows_scope_selection = models.BooleanField(_("Allow scope selection"), default=False)

    # Account Mapping
    user_name_strategy = models.CharField(
        _("Account mapping"),
        max_length=16,
        choices=[
            (UserNameStrategy.DIRECTORY_FIELD.value, _("Directory Service Field")),
            (UserNameStrategy.FIXED.value, _("All users share one name")),
        ],
        default=UserNameStrategy.DIRECTORY_FIELD,
        help_text=_("What unique_name and preferred_username hold."),
    )
    user_name_claim = models.CharField(
        _("Directory field name"),
        max_length=64,
        default="preferred_username",
        validators=[validators.validate_text],
        help_text=_("The claim whose value is told; preferred_username is the login name."),
    )
    shared_user_name = models.CharField(
        _("User name"),
        max_length=255,
        blank=True,
        validators=[validators.validate_text],
        help_text=_("The one name that this application sees for everybody."),
    )

    # Policy
    sign_in_max_age = models.DurationField(
        _("Fresh sign-in after"),
        null=True,
        blank=True,
        validators=[validators.validate_lifetime],
        help_text=_("Whoever signed in longer ago signs in again. Empty: no limit."),
    )
    allowed_networks = StringListField(
        _("Allowed networks"),
        validators=[validators.validate_networks],
        help_text=_("People sign in from these networks alone, e.g. 10.0.0.0/8. Empty: anywhere."),
    )
    required_acr = models.CharField(
        _("Required acr"),
        max_length=255,
        blank=True,
        validators=[validators.validate_text],
        help_text=_("How strongly people must have signed in, whatever the client asks for."),
    )

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        verbose_name = _("Web App")
        verbose_name_plural = _("Web Apps")
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint(
                Lower("application_id"),
                name="oidc_pkce_application_id",
                violation_error_message=_("Another application has this Application ID."),
            ),
            models.UniqueConstraint(
                fields=("openid_client_id",),
                name="oidc_pkce_openid_client_id",
                violation_error_message=_("Another application has this client ID."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, after filling in what the template decides."""
        self.complete()
        super().save(*args, **kwargs)

    def clean_fields(self, exclude: Any = None) -> None:
        """Judge each field, after filling in what the template decides."""
        self.complete()
        super().clean_fields(exclude)

    def complete(self) -> None:
        """Fill in what the template decides at creation."""
        if not self.access_token_typ:
            self.access_token_typ = JWT if self.template == Template.OAUTH2_CLIENT else AT_JWT

    def clean(self) -> None:
        """Raise a sentence per field where fields contradict each other."""
        problems: dict[str, str] = {}
        if self.issuer and (problem := self._issuer_problem()):
            problems["issuer"] = problem
        if self.template == Template.OPENID_CONNECT and self.audience:
            problems["audience"] = gettext("Only OAuth2 applications have an audience.")
        problems |= account_mapping.problems(self)
        problems |= policy.problems(self)
        problems |= profile.problems(self)
        if problems:
            raise ValidationError(problems)

    def _issuer_problem(self) -> str | None:
        """All applications share one key set: none may speak in the name of another of ours.

        Elsewhere, several may share an issuer: a tenant's applications often do.
        """
        if fault := issuer_problem(self.issuer):
            return gettext("“%(value)s” cannot be an issuer: %(fault)s.") % {
                "value": self.issuer,
                "fault": gettext(fault),
            }
        own = self.locations.issuer.lower()
        under_our_base = f"{self.issuer.lower()}/".startswith(f"{settings.issuer_base.lower()}/")
        if under_our_base and self.issuer.lower() != own:
            return gettext("“%(value)s” is another application's place here: leave this empty.") % {
                "value": self.issuer
            }
        return None

    @property
    def locations(self) -> Locations:
        """The public URLs of this application."""
        return Locations(settings.issuer_base, self.application_id)

    def facts(self) -> ApplicationFacts:
        """This application as the rules see it."""
        return facts_of([getattr(self, column) for column in FACTS])

    @property
    def effective_issuer(self) -> str:
        """The ``iss`` of its tokens: what was typed, else this application's own place."""
        return self.issuer or self.locations.issuer

    @property
    def scope_names(self) -> list[str]:
        """The scopes that this application defines, in their order."""
        return [scope.name for scope in self.scopes.all()]
