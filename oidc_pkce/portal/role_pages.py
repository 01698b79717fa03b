"""The pages of a role: members, administrative rights, applications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import administration, roles, webapps
from ..flows.escalation import carried
from ..models import Application, Permission, Right, Role, ServiceUser
from .base import actor_of, whole_number

if TYPE_CHECKING:
    from .roles import RoleAdmin

ROWS = 50  # of a table, until the next page
SUGGESTED = 100  # applications that the field proposes


class RolePage:
    """One entry of the list at the left of a role."""

    name: ClassVar[str]
    title: ClassVar[Any]
    template_name: ClassVar[str]

    def __init__(self, portal: RoleAdmin) -> None:
        self.portal = portal

    @classmethod
    def route(cls) -> str:
        """The name of its address within ``admin:``."""
        return f"oidc_pkce_role_{cls.name.replace('-', '_')}"

    def address(self, role: Any) -> str:
        """Where this page of a role is."""
        return reverse(f"{self.portal.admin_site.name}:{self.route()}", args=[role.pk])

    def view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show the page, or do what was sent. 404 for whoever may not see roles."""
        role = self.portal.role_or_404(request, object_id)
        if request.method == "POST":
            return self.post(request, role)
        return self.render(request, role, {})

    def post(self, request: HttpRequest, role: Role) -> HttpResponse:
        """Do what was sent; this page takes nothing."""
        return HttpResponse(status=405, headers={"Allow": "GET"})

    def context(self, request: HttpRequest, role: Role) -> Mapping[str, Any]:
        """What the page shows."""
        raise NotImplementedError

    def render(self, request: HttpRequest, role: Role, context: Mapping[str, Any]) -> HttpResponse:
        """The page in its frame."""
        site = self.portal.admin_site
        changelist = reverse(f"{site.name}:oidc_pkce_role_changelist")
        own = reverse(f"{site.name}:oidc_pkce_role_change", args=[role.pk])
        frame = {
            **site.each_context(request),
            "opts": self.portal.opts,
            "original": role,
            "title": role.name,
            "page": self,
            "pages": self.portal.navigation(role, self.name),
            "crumbs": [(changelist, _("Roles")), (own, role.name), ("", self.title)],
        }
        return TemplateResponse(
            request, self.template_name, {**frame, **self.context(request, role), **context}
        )

    def done(self, request: HttpRequest, role: Role, sentence: str) -> HttpResponse:
        """Say what was done, and show the page anew."""
        messages.success(request, sentence)
        return HttpResponseRedirect(self.address(role))


class MemberForm(forms.Form):
    """A user to add."""

    login_name = forms.CharField(label=_("Login Name"), max_length=255, widget=AdminTextInputWidget)


class MembersPage(RolePage):
    """Who is in a role."""

    name = "members"
    title = _("Members")
    template_name = "admin/oidc_pkce/role/members.html"

    def post(self, request: HttpRequest, role: Role) -> HttpResponse:
        """Add a user by login name, or remove one by key."""
        if not self.portal.may_change_members(request, role):
            raise PermissionDenied
        if "remove" in request.POST:
            return self._remove(request, role, request.POST["remove"])
        return self._add(request, role)

    def context(self, request: HttpRequest, role: Role) -> Mapping[str, Any]:
        """One page of members, perhaps of those whose name holds what was searched for."""
        asked = request.GET.get("q", "").replace("\0", "").strip()
        found = roles.members(role)
        if asked:
            found = found.filter(**{f"{get_user_model().USERNAME_FIELD}__icontains": asked})
        page = _page(request, found)
        keys = [user.pk for user in page]
        service_users = set(ServiceUser.objects.filter(pk__in=keys).values_list("pk", flat=True))
        may_change = self.portal.may_change_members(request, role)
        return {
            "asked": asked,
            "rows": page,
            "members": [(user, user.pk in service_users) for user in page],
            "form": MemberForm() if may_change else None,
            "may_change": may_change,
            "users_have_roles": roles.users_have_roles(),
        }

    def _add(self, request: HttpRequest, role: Role) -> HttpResponse:
        form = MemberForm(request.POST)
        if form.is_valid():
            name = form.cleaned_data["login_name"]
            try:
                user = roles.add_member(role, name, actor=actor_of(request), now=timezone.now())
            except ValidationError as fault:
                form.add_error("login_name", fault)
            else:
                told = gettext("“%(name)s” is a member now.") % {"name": user.get_username()}
                return self.done(request, role, told)
        return self.render(request, role, {"form": form})

    def _remove(self, request: HttpRequest, role: Role, key: str) -> HttpResponse:
        user = _member(role, key)
        roles.remove_member(role, user, actor=actor_of(request), now=timezone.now())
        told = gettext("“%(name)s” is no longer a member.") % {"name": user.get_username()}
        return self.done(request, role, told)


class AdministrativeRightsPage(RolePage):
    """Which of Django's permissions a role carries; they are changed on Django's own screen."""

    name = "rights"
    title = _("Administrative Rights")
    template_name = "admin/oidc_pkce/role/rights.html"

    def context(self, request: HttpRequest, role: Role) -> Mapping[str, Any]:
        """Ours by name, the others counted."""
        ours = role.permissions.filter(content_type__app_label="oidc_pkce")
        names = ours.select_related("content_type").order_by("content_type", "codename")
        others = len([name for name in carried(role) if not name.startswith("oidc_pkce.")])
        return {
            "held": list(names),
            "others": others,
            "group_address": self.portal.group_address(request, role),
        }


class ApplicationForm(forms.Form):
    """An application to assign."""

    application_id = forms.CharField(
        label=_("Application ID"),
        max_length=64,
        widget=AdminTextInputWidget(attrs={"list": "oidc-assignable", "autocomplete": "off"}),
        help_text=_("The role gets View and Run."),
    )


@dataclass(frozen=True, slots=True)
class Reached:
    """An application that a role reaches."""

    application: Application
    address: str
    rights: tuple[Any, ...]
    may_change: bool


class ApplicationsPage(RolePage):
    """Which applications have a row about a role."""

    name = "applications"
    title = _("Assigned Applications")
    template_name = "admin/oidc_pkce/role/applications.html"

    def post(self, request: HttpRequest, role: Role) -> HttpResponse:
        """Assign an application, or take one away; either needs the Grant right on it."""
        if "remove" in request.POST:
            return self._remove(request, role, request.POST["remove"])
        return self._add(request, role)

    def context(self, request: HttpRequest, role: Role) -> Mapping[str, Any]:
        """One page of what this administrator may see of it."""
        visible = administration.holding(request.user).order_by().values("pk")
        rows = Permission.objects.filter(group=role.pk, application__in=visible)
        found = rows.select_related("application").order_by("application__name", "pk")
        page = _page(request, found)
        assignable = administration.holding(request.user, Right.GRANT)
        free = assignable.exclude(permissions__group=role.pk).order_by("name", "pk")
        suggested = list(free.only("application_id", "name")[:SUGGESTED])
        return {
            "rows": page,
            "reached": list(self._reached(request, page)),
            "suggested": suggested,
            "may_assign": bool(suggested),
            "form": ApplicationForm(),
        }

    def _reached(self, request: HttpRequest, page: Page[Any]) -> Iterator[Reached]:
        shown = [row.application_id for row in page]
        mine = administration.holding(request.user, Right.GRANT).filter(pk__in=shown)
        grantable = set(mine.values_list("pk", flat=True))
        route = f"{self.portal.admin_site.name}:oidc_pkce_application_permissions"
        for row in page:
            rights = tuple(right.label for right in Right if right in row.rights)
            address = reverse(route, args=[row.application_id])
            yield Reached(row.application, address, rights, row.application_id in grantable)

    def _add(self, request: HttpRequest, role: Role) -> HttpResponse:
        form = ApplicationForm(request.POST)
        if form.is_valid():
            try:
                application = self._assign(request, role, form.cleaned_data["application_id"])
            except ValidationError as fault:
                form.add_error("application_id", fault.messages)
            except webapps.EditedMeanwhile:
                form.add_error(None, _edited_meanwhile())
            else:
                told = gettext("“%(name)s” is assigned.") % {"name": application}
                return self.done(request, role, told)
        return self.render(request, role, {"form": form})

    def _assign(self, request: HttpRequest, role: Role, application_id: str) -> Application:
        """The application. Raises ``ValidationError``: what nobody may see does not exist."""
        named = {"id": application_id}
        visible = administration.holding(request.user).named(application_id)
        application: Application | None = visible.first()
        if application is None:
            raise ValidationError(gettext("There is no application “%(id)s”.") % named)
        if Right.GRANT not in administration.rights(request.user, application):
            raise ValidationError(gettext("You need the Grant right on “%(id)s”.") % named)
        by, now = actor_of(request), timezone.now()
        if not roles.assign(role, application, actor=by, now=now):
            raise ValidationError(gettext("“%(id)s” is assigned to this role already.") % named)
        return application

    def _remove(self, request: HttpRequest, role: Role, key: str) -> HttpResponse:
        visible: Any = administration.holding(request.user).filter(permissions__group=role.pk)
        application: Application | None = visible.filter(pk=whole_number(key)).first()
        if application is None:
            raise Http404
        if Right.GRANT not in administration.rights(request.user, application):
            raise PermissionDenied
        try:
            roles.unassign(role, application, user=request.user, now=timezone.now())
        except webapps.EditedMeanwhile:
            told = _edited_meanwhile()
        except ValidationError as fault:
            told = " ".join(fault.messages)
        else:
            done = gettext("“%(name)s” is no longer assigned.") % {"name": application}
            return self.done(request, role, done)
        messages.error(request, told)
        return HttpResponseRedirect(self.address(role))


def _member(role: Role, key: str) -> Any:
    """A member by key, whatever kind of key the host's users have. Raises ``Http404``."""
    try:
        found = roles.members(role).filter(pk=key).first()
    except (ValueError, ValidationError, OverflowError):
        found = None
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, rows: Any) -> Page[Any]:
    return Paginator(rows, ROWS).get_page(request.GET.get("p"))


def _edited_meanwhile() -> str:
    return gettext("Somebody changed this application at the same moment: try again.")
