"""Who may do what with an application: rows of the Permissions page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class Principal(models.TextChoices):
    """Whom a row is about. Everybody is every active user, service users included."""

    USER = "user", _("User")
    GROUP = "group", _("Group")
    EVERYBODY = "everybody", _("Everybody")


class Right(models.TextChoices):
    """A right, by the name of its column."""

    GRANT = "can_grant", _("Grant")
    VIEW = "can_view", _("View")
    MANAGE = "can_manage", _("Manage")
    DELETE = "can_delete", _("Delete")
    RUN = "can_run", _("Run")
    DEPLOY = "is_deployed", _("Automatically Deploy")


class PermissionQuerySet(models.QuerySet["Permission"]):
    """Permissions, asked in the words of the domain."""

    def giving(self, right: Right) -> PermissionQuerySet:
        """The rows that give this right."""
        return self.filter(**{right.value: True})

    def reaching(self, user: Any) -> PermissionQuerySet:
        """The rows that are about this user: by name, through a group, or as one of Everybody."""
        reached = Q(principal=Principal.EVERYBODY) | Q(user=user.pk)
        if _users_have_groups():
            reached |= Q(group__in=_memberships().filter(user_id=user.pk).values("group_id"))
        return self.filter(reached)

    def by_name(self) -> PermissionQuerySet:
        """Everybody, then the groups, then the users, each by name; the names come along."""
        name = Coalesce(
            f"user__{_login_name()}", "group__name", Value(""), output_field=models.CharField()
        )
        return self.select_related("user", "group").order_by("principal", name, "pk")

    def about(self, words: str) -> PermissionQuerySet:
        """The rows whose user or group has these words in its name."""
        found = Q(group__name__icontains=words)
        found |= Q(**{f"user__{_login_name()}__icontains": words})
        if any(words.casefold() in name for name in _names_of_everybody()):
            found |= Q(principal=Principal.EVERYBODY)
        return self.filter(found)


def _names_of_everybody() -> tuple[str, str]:
    return "everybody", str(Principal.EVERYBODY.label).casefold()


def _login_name() -> str:
    return str(get_user_model().USERNAME_FIELD)


def has_right(right: Right, *, user: str, application: Any) -> Exists:
    """An expression: does the user named by a column of the outer query hold ``right``?

    ``application`` is a key, or an ``OuterRef`` to a column that holds one.
    """
    reached = Q(principal=Principal.EVERYBODY) | Q(user=OuterRef(user))
    if _users_have_groups():
        reached |= Q(
            group__in=_memberships().filter(user_id=OuterRef(OuterRef(user))).values("group_id")
        )
    return Exists(Permission.objects.giving(right).filter(reached, application=application))


def _users_have_groups() -> bool:
    """A host's own user model may have been made without PermissionsMixin."""
    return hasattr(get_user_model(), "groups")


def _memberships() -> Any:
    user_model: Any = get_user_model()
    return user_model.groups.through.objects


class Permission(models.Model):
    """One principal's rights on one application."""

    application = models.ForeignKey("Application", models.CASCADE, related_name="permissions")
    principal = models.CharField(_("Type"), max_length=16, choices=Principal.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="+")
    can_grant = models.BooleanField(Right.GRANT.label, default=False)
    can_view = models.BooleanField(Right.VIEW.label, default=True)
    can_manage = models.BooleanField(Right.MANAGE.label, default=False)
    can_delete = models.BooleanField(Right.DELETE.label, default=False)
    can_run = models.BooleanField(Right.RUN.label, default=True)
    is_deployed = models.BooleanField(Right.DEPLOY.label, default=True)

    objects = PermissionQuerySet.as_manager()

    class Meta:
        verbose_name = _("permission")
        verbose_name_plural = _("permissions")
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                name="oidc_pkce_permission_principal",
                condition=(
                    Q(principal=Principal.USER, user__isnull=False, group__isnull=True)
                    | Q(principal=Principal.GROUP, user__isnull=True, group__isnull=False)
                    | Q(principal=Principal.EVERYBODY, user__isnull=True, group__isnull=True)
                ),
            ),
            models.UniqueConstraint(
                fields=("application", "user"),
                condition=Q(principal=Principal.USER),
                name="oidc_pkce_permission_user",
            ),
            models.UniqueConstraint(
                fields=("application", "group"),
                condition=Q(principal=Principal.GROUP),
                name="oidc_pkce_permission_group",
            ),
            models.UniqueConstraint(
                fields=("application",),
                condition=Q(principal=Principal.EVERYBODY),
                name="oidc_pkce_permission_everybody",
            ),
        )

    def __str__(self) -> str:
        return self.principal_name

    @property
    def principal_name(self) -> str:
        """The login name, the group's name, or Everybody."""
        if self.user is not None:
            return self.user.get_username()
        return self.group.name if self.group is not None else "Everybody"

    @property
    def shown_name(self) -> str:
        """The same for people: in their language, Everybody is called otherwise."""
        if self.principal == Principal.EVERYBODY:
            return str(Principal.EVERYBODY.label)
        return self.principal_name

    @property
    def principal_key(self) -> Any:
        """The user's or the group's; none for Everybody."""
        return self.user_id if self.principal == Principal.USER else self.group_id

    @property
    def rights(self) -> frozenset[Right]:
        """The rights that this row gives."""
        return frozenset(right for right in Right if getattr(self, right.value))

    def clean(self) -> None:
        """The principal named is of the type chosen; Manage and Delete bring View along."""
        named = {Principal.USER: self.user_id, Principal.GROUP: self.group_id}
        for principal, pk in named.items():
            if (self.principal == principal) != (pk is not None):
                raise ValidationError(
                    gettext("Choose a user for User, a group for Group, neither for Everybody.")
                )
        self.can_view = self.can_view or self.can_manage or self.can_delete
