"""What the list of Web Apps does with the applications that are ticked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..flows import administration, webapps
from ..models import Application, Right
from .base import MAX_CHOSEN, actor_of, listed
from .web_app_actions import ClonePage, deletion, exported, switch
from .web_app_list import WebAppList


class ChosenWebApps(WebAppList):
    """Each action asks the right on each application, and names those that it leaves alone."""

    actions = ("enable", "disable", "export", "clone", "delete_selected")

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Enable those that the administrator may manage."""
        if (allowed := _allowed(request, queryset, Right.MANAGE)) is not None:
            done = _each(request, allowed, lambda one: switch(request, one, enabled=True))
            told = ngettext("%(count)s is enabled.", "%(count)s are enabled.", done)
            _say(request, told, done)

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Disable those that the administrator may manage."""
        if (allowed := _allowed(request, queryset, Right.MANAGE)) is not None:
            done = _each(request, allowed, lambda one: switch(request, one, enabled=False))
            told = ngettext("%(count)s is disabled.", "%(count)s are disabled.", done)
            _say(request, told, done)

    @admin.action(description=_("Export"), permissions=["view"])
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """One file with all of them."""
        allowed = _allowed(request, queryset, Right.VIEW)
        return exported(allowed) if allowed else None

    @admin.action(description=_("Clone"), permissions=["add"])
    def clone(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Go to the page that asks for the new name."""
        chosen = list(queryset[:2])
        if len(chosen) == 1:
            route = f"{self.admin_site.name}:{ClonePage.route()}"
            return HttpResponseRedirect(reverse(route, args=[chosen[0].pk]))
        messages.error(request, gettext("Choose one application to clone: it gets a new name."))
        return None

    @admin.action(description=_("Delete"), permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask first; delete those on which the administrator holds Delete."""
        allowed = _allowed(request, queryset, Right.DELETE)
        if not allowed:
            return None
        if "post" not in request.POST:
            return self._ask(request, allowed)
        with transaction.atomic():
            done = _each(request, allowed, lambda one: _delete(request, one))
        told = ngettext("%(count)s was deleted.", "%(count)s were deleted.", done)
        _say(request, told, done)
        return None

    def _ask(self, request: HttpRequest, applications: Sequence[Application]) -> HttpResponse:
        listed = reverse(f"{self.admin_site.name}:oidc_pkce_application_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Delete Web Apps"),
            "opts": self.opts,
            "crumbs": [(listed, _("Web Apps")), ("", _("Delete"))],
            "applications": applications,
            "sentence": deletion(applications),
            "back_url": listed,
        }
        return TemplateResponse(request, "admin/oidc_pkce/delete_web_apps.html", context)


def _allowed(
    request: HttpRequest, queryset: QuerySet[Any], right: Right
) -> list[Application] | None:
    """Those on which the administrator holds the right; ``None`` when there are too many.

    The others are named in a sentence.
    """
    chosen: list[Application] = list(queryset[: MAX_CHOSEN + 1])
    if len(chosen) > MAX_CHOSEN:
        told = gettext("Choose at most %(max)s applications at once.") % {"max": MAX_CHOSEN}
        messages.error(request, told)
        return None
    mine = administration.holding(request.user, right).filter(pk__in=[one.pk for one in chosen])
    keys = set(mine.values_list("pk", flat=True))
    if others := [one.name for one in chosen if one.pk not in keys]:
        told = gettext(
            "These stay as they are, for you lack the %(right)s right on them: %(names)s."
        )
        messages.error(request, told % {"right": right.label, "names": listed(others)})
    return [one for one in chosen if one.pk in keys]


def _each(
    request: HttpRequest, applications: Sequence[Application], do: Callable[[Application], None]
) -> int:
    """Do it to each; how often it went well."""
    done = 0
    for application in applications:
        try:
            do(application)
        except webapps.EditedMeanwhile:
            told = gettext("%(name)s was changed by somebody else in this moment: try again.")
            messages.error(request, told % {"name": application.name})
        except ValidationError as fault:
            messages.error(request, f"{application.name}: {' '.join(fault.messages)}")
        else:
            done += 1
    return done


def _delete(request: HttpRequest, application: Application) -> None:
    webapps.delete(application, actor=actor_of(request), now=timezone.now())


def _say(request: HttpRequest, told: str, count: int) -> None:
    if count:
        messages.success(request, told % {"count": count})
