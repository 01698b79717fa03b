"""Roles: Django's groups, their members, and the applications that they reach."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_permission_codename, get_user_model
from django.contrib.auth.models import Group
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..flows import administration, roles
from ..flows.escalation import joining_gives_more
from ..models import Permission, Principal, Right, Role
from .base import PortalAdmin, actor_of, whole_number
from .role_pages import AdministrativeRightsPage, ApplicationsPage, MembersPage, RolePage
from .seen import SeenForm

#: The list at the left of a role, below its own form.
PAGES: tuple[type[RolePage], ...] = (MembersPage, AdministrativeRightsPage, ApplicationsPage)
NAMED_APPLICATIONS = 50  # on the page that asks whether to delete a role


class RoleForm(SeenForm):
    """A name."""

    class Meta:
        model = Role
        fields = ("name",)

    def stored(self) -> str:
        """The name."""
        return str(self.instance.name)


class RoleAdmin(PortalAdmin):
    """Whoever may work on Django's groups works on roles; the flows keep what was changed."""

    form = RoleForm
    list_display = ("name", "member_count", "application_count")
    search_fields = ("name",)
    search_help_text = _("Name")
    ordering = ("name",)
    show_full_result_count = False
    change_list_template = "admin/oidc_pkce/role/change_list.html"
    change_form_template = "admin/oidc_pkce/role/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Roles with their counts; of applications those that this administrator may see."""
        visible = administration.holding(request.user).order_by().values("pk")
        rows = Permission.objects.filter(group=OuterRef("pk"), application__in=visible)
        counts = {"application_count": _counted(rows, "group")}
        if roles.users_have_roles():
            user_model: Any = get_user_model()
            memberships = user_model.groups.through.objects.filter(group_id=OuterRef("pk"))
            counts["member_count"] = _counted(memberships, "group_id")
        stored: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = stored.annotate(**counts)
        return counted

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The name; a page that can save carries what it showed."""
        may_save = obj is not None and self.has_change_permission(request, obj)
        return ("name", "seen") if may_save else ("name",)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Without members where users have no groups."""
        hidden = () if roles.users_have_roles() else ("member_count",)
        return [column for column in self.list_display if column not in hidden]

    def get_urls(self) -> list[URLPattern]:
        """A page each."""
        pages = [page(self) for page in PAGES]
        own = [
            path(
                f"<path:object_id>/{page.name}/",
                self.admin_site.admin_view(page.view),
                name=page.route(),
            )
            for page in pages
        ]
        return [*own, *super().get_urls()]

    def role_or_404(self, request: HttpRequest, object_id: str) -> Role:
        """The role. Raises ``Http404`` unless there is one and this administrator may see it."""
        named = self.get_queryset(request).filter(pk=whole_number(object_id))
        found: Role | None = named.first()
        if found is None or not self.has_view_permission(request, found):
            raise Http404
        return found

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        """The role; ``None`` also for a key that is larger than the database's numbers."""
        try:
            return super().get_object(request, object_id, from_field)
        except OverflowError:
            return None

    def may_change_members(self, request: HttpRequest, role: Role) -> bool:
        """Whoever may change groups and users, and gets nothing new by joining this role."""
        user: Any = request.user
        opts = get_user_model()._meta
        change_user = f"{opts.app_label}.{get_permission_codename('change', opts)}"
        return (
            roles.users_have_roles()
            and user.has_perms(["auth.change_group", change_user])
            and not joining_gives_more(role, user)
        )

    def navigation(self, role: Any, current: str = "") -> list[tuple[str, Any, bool]]:
        """Address, words, and whether it is the page that is open."""
        own = f"{self.admin_site.name}:oidc_pkce_role_change"
        pages = [page(self) for page in PAGES]
        return [
            (reverse(own, args=[role.pk]), gettext("Description"), not current),
            *((page.address(role), page.title, page.name == current) for page in pages),
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The form beside the list of pages."""
        role = kwargs.get("obj")
        if role is not None:
            context.update(pages=self.navigation(role), title=role.name, subtitle=None)
        return super().render_change_form(request, context, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say what Everybody is, who has no row in this list."""
        visible = administration.holding(request.user).order_by().values("pk")
        everybody = Permission.objects.giving(Right.RUN).filter(
            principal=Principal.EVERYBODY, application__in=visible
        )
        context = {
            "title": gettext("Roles"),
            "everybody_runs": everybody.count(),
            "users_have_roles": roles.users_have_roles(),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Create or rename it, audited."""
        by, now = actor_of(request), timezone.now()
        if change:
            roles.rename(obj, form.cleaned_data["name"], actor=by, now=now)
        else:
            obj.pk = roles.create(form.cleaned_data["name"], actor=by, now=now).pk

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: Any = None
    ) -> HttpResponse:
        """Go on to its members, unless another one is to be added."""
        if "_addanother" in request.POST or not roles.users_have_roles():
            return super().response_add(request, obj, post_url_continue)
        self.message_user(
            request, gettext("The role “%(name)s” was added.") % {"name": obj}, messages.SUCCESS
        )
        return HttpResponseRedirect(MembersPage(self).address(obj))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete it, audited."""
        roles.delete(obj, actor=actor_of(request), now=timezone.now())

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The role, how many members lose it, and the applications that it no longer reaches."""
        (role,) = objs
        members = roles.members(role).count()
        told: list[Any] = [str(role)]
        if members:
            sentence = ngettext(
                "the membership of %(count)d user", "the membership of %(count)d users", members
            )
            told.append(sentence % {"count": members})
        visible = administration.holding(request.user)
        named = visible.filter(permissions__group=role.pk).order_by("name", "pk")
        told += [
            gettext("the rights on %(application)s") % {"application": application}
            for application in named[:NAMED_APPLICATIONS]
        ]
        return told, {self.opts.verbose_name: 1}, set(), []

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """Roles are deleted one at a time: each page says what ends."""
        # Before 6.1 Django knew lists alone.
        place = () if action_location is None else (action_location,)
        found = super().get_actions(request, *place)
        return {name: action for name, action in found.items() if name != "delete_selected"}

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whoever may see or add groups."""
        return self.has_view_permission(request) or self.has_add_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for groups."""
        return any(_may(request, verb) for verb in ("view", "change"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """As for groups."""
        return _may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for groups."""
        return _may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for groups."""
        return _may(request, "delete")

    def group_address(self, request: HttpRequest, role: Role) -> str:
        """Where Django's own screen shows this group; empty where there is none to open."""
        screen = self.admin_site._registry.get(Group)
        if screen is None or not screen.has_view_or_change_permission(request, role):
            return ""
        return reverse(f"{self.admin_site.name}:auth_group_change", args=[role.pk])

    @admin.display(description=_("Members"), ordering="member_count")
    def member_count(self, obj: Any) -> int:
        """How many users are in it."""
        return int(obj.member_count)

    @admin.display(description=_("Applications"), ordering="application_count")
    def application_count(self, obj: Any) -> int:
        """How many applications have a row about it."""
        return int(obj.application_count)


def _may(request: HttpRequest, verb: str) -> bool:
    user: Any = request.user
    return bool(user.has_perm(f"auth.{verb}_group"))


def _counted(rows: Any, column: str) -> Coalesce:
    counts = rows.order_by().values(column).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)
