"""Grants and tokens: what people allowed clients, and the buttons that take it back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..flows import records, revocation
from ..flows.access_token import as_uuid
from ..flows.revocation import Revoked
from ..models import Grant
from .base import actor_of, badge, code, moment, table
from .grant_tokens import tokens_of
from .records import (
    ApplicationFilter,
    OverseenAdmin,
    PeriodFilter,
    Tool,
    applications_named,
    require,
    users_named,
)

SHOWN = 10  # of the grants that are about to be revoked
SHORT_SCOPE = 60  # characters
STATES = {"live": _("live"), "revoked": _("revoked"), "expired": _("expired")}
COLOURS = {"live": "good", "revoked": "bad", "expired": "muted"}


class StateFilter(admin.SimpleListFilter):
    """Live, revoked or expired."""

    title = _("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        """The three."""
        return STATES.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The grants of the state chosen."""
        now = timezone.now()
        conditions = {
            "live": Q(revoked_at=None, expires_at__gt=now),
            "revoked": Q(revoked_at__isnull=False),
            "expired": Q(revoked_at=None, expires_at__lte=now),
        }
        return queryset.filter(conditions.get(self.value() or "", Q()))


class SinceFilter(PeriodFilter):
    """When the grant was given."""

    title = _("Since")
    field = "created_at"


class GrantAdmin(OverseenAdmin):
    """Grants, newest first; revoking one ends every code and token that descends from it."""

    list_display = ("since", "state", "shown_user", "client", "shown_application", "short_scope")
    list_filter = (StateFilter, SinceFilter, ApplicationFilter)
    list_select_related = ("user", "application")
    ordering = ("-created_at",)
    search_help_text = _("Exact login name, Application ID, client ID, subject or grant ID")
    fieldsets = (
        (None, {"fields": ("state", "shown_user", "client", "shown_application", "shown_scope")}),
        (_("Times"), {"fields": ("since", "until", "revoked")}),
        (
            _("How"),
            {"fields": ("client_proof", "signed_in_at", "methods", "context", "session")},
        ),
        (_("Identifiers"), {"fields": ("grant_id", "shown_subject", "shown_resources")}),
        (_("Tokens"), {"fields": ("tokens",)}),
    )
    readonly_fields = (
        *("state", "shown_user", "client", "shown_application", "shown_scope"),
        *("since", "until", "revoked", "client_proof", "signed_in_at", "methods", "context"),
        *("session", "grant_id", "shown_subject", "shown_resources", "tokens"),
    )
    actions = ("revoke",)

    def overseen(self, user: Any) -> QuerySet[Any]:
        """All, or those of some applications."""
        return records.grants(user)

    def matches(self, word: str) -> Q:
        """Login name, Application ID, client, subject or grant."""
        found = (
            Q(user__in=users_named(word))
            | Q(application__in=applications_named(word))
            | Q(client_id=word)
            | Q(subject=word)
        )
        grant = as_uuid(word)
        return found if grant is None else found | Q(pk=grant)

    def heading(self, obj: Any) -> str:
        """Who allowed whom."""
        names = {"user": obj.user.get_username(), "client": obj.client_id}
        return gettext("%(user)s to %(client)s") % names

    def get_urls(self) -> list[URLPattern]:
        """Add the page that revokes one."""
        view = self.admin_site.admin_view(self.revoke_view)
        own = path("<path:object_id>/revoke/", view, name="oidc_pkce_grant_revoke")
        return [own, *super().get_urls()]

    def tools(self, request: HttpRequest, obj: Any) -> Iterable[Tool]:
        """Revoke, and the ways to what else this person or client has."""
        if obj.revoked_at is None and self._may_revoke(request, obj):
            yield self.address("revoke", obj.pk), _("Revoke"), True
        yield self._search(obj.user.get_username()), _("Grants of this user"), False
        yield self._search(obj.client_id), _("Grants to this client"), False
        query = urlencode({ApplicationFilter.parameter_name: obj.application_id})
        yield f"{self.address('changelist')}?{query}", _("Grants of this application"), False

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET asks, POST revokes. 404 for whoever may not see the grant."""
        grant = self.get_object(request, object_id)
        require(self._may_revoke(request, grant))
        if request.method == "POST":
            return self._revoke_one(request, grant)
        context = {
            "sentences": (_("Every code and every token of this grant ends at once."),),
            "facts": (
                (_("User"), grant.user.get_username()),
                (_("Client"), grant.client_id),
                (_("Application"), grant.application.name),
                (_("Scope"), grant.scope or "-"),
            ),
            "submit_words": _("Revoke"),
            "is_danger": True,
            "cancel_url": self.address("change", grant.pk),
        }
        return self.confirmation(request, _("Revoke this grant?"), context)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may revoke anything; which grants, the action asks."""
        return records.may_revoke_grants(request.user)

    @admin.action(description=_("Revoke selected grants"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Ask first; then revoke those of the grants chosen that this administrator may."""
        allowed = records.revocable_grants(request.user, queryset)
        if "confirmed" in request.POST:
            by, now = actor_of(request), timezone.now()
            done = revocation.revoke_all(allowed, actor=by, now=now, most=revocation.MOST)
            self._tell(request, done)
            return None
        return self._ask(request, allowed)

    def _ask(self, request: HttpRequest, allowed: QuerySet[Any]) -> HttpResponse:
        most = revocation.MOST
        now = timezone.now()
        live = allowed.filter(revoked_at=None, expires_at__gt=now)
        count = live.order_by()[: most + 1].count()
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        across = request.POST.get("select_across", "0")
        context = {
            "sentences": _questions(count, most),
            "listed": self._listed(live),
            "hidden": [
                ("action", "revoke"),
                ("confirmed", "yes"),
                ("select_across", across),
                *((ACTION_CHECKBOX_NAME, pk) for pk in chosen),
            ],
            "form_action": request.get_full_path(),
            "submit_words": _("Revoke"),
            "is_danger": True,
            "cancel_url": request.get_full_path(),
        }
        return self.confirmation(request, _("Revoke these grants?"), context)

    def _listed(self, live: QuerySet[Any]) -> SafeString:
        heads = (gettext("User"), gettext("Client"), gettext("Application"), gettext("Scope"))
        newest = live.select_related("user", "application").order_by("-created_at")[:SHOWN]
        rows = (
            (row.user.get_username(), row.client_id, row.application.name, row.scope or "-")
            for row in newest
        )
        return table(heads, rows)

    def _tell(self, request: HttpRequest, revoked: Revoked) -> None:
        told = ngettext(
            "%(count)s grant was revoked.", "%(count)s grants were revoked.", revoked.count
        ) % {"count": revoked.count}
        if revoked.is_complete:
            self.message_user(request, told, messages.SUCCESS)
        else:
            rest = gettext("More are left: revoke again to continue.")
            self.message_user(request, f"{told} {rest}", messages.WARNING)

    def _revoke_one(self, request: HttpRequest, grant: Grant) -> HttpResponse:
        was_live = revocation.revoke(grant, actor=actor_of(request), now=timezone.now())
        if was_live:
            self.message_user(request, gettext("The grant was revoked."), messages.SUCCESS)
        else:
            told = gettext("The grant had been revoked already.")
            self.message_user(request, told, messages.INFO)
        return HttpResponseRedirect(self.address("change", grant.pk))

    def _may_revoke(self, request: HttpRequest, grant: Grant) -> bool:
        return records.revocable_grants(request.user).filter(pk=grant.pk).exists()

    def _search(self, word: str) -> str:
        quoted = f'"{word}"' if " " in word else word
        return f"{self.address('changelist')}?{urlencode({'q': quoted})}"

    @admin.display(description=_("Since"), ordering="created_at")
    def since(self, obj: Any) -> str:
        """When the person allowed it."""
        return moment(obj.created_at)

    @admin.display(description=_("Until"))
    def until(self, obj: Any) -> str:
        """When its last token ends at the latest."""
        return moment(obj.expires_at)

    @admin.display(description=_("Revoked"))
    def revoked(self, obj: Any) -> str:
        """When it was taken back."""
        return moment(obj.revoked_at)

    @admin.display(description=_("User"))
    def shown_user(self, obj: Any) -> str:
        """The login name."""
        return str(obj.user.get_username())

    @admin.display(description=_("Client"))
    def client(self, obj: Any) -> str:
        """The client_id."""
        return str(obj.client_id)

    @admin.display(description=_("Application"))
    def shown_application(self, obj: Any) -> str:
        """Its name."""
        return str(obj.application.name)

    @admin.display(description=_("Scope"))
    def shown_scope(self, obj: Any) -> str:
        """What was allowed."""
        return obj.scope or "-"

    @admin.display(description=_("Scope"))
    def short_scope(self, obj: Any) -> str:
        """The beginning of it."""
        text = self.shown_scope(obj)
        return text if len(text) <= SHORT_SCOPE else f"{text[: SHORT_SCOPE - 1]}…"

    @admin.display(description=_("State"))
    def state(self, obj: Any) -> SafeString:
        """Live, revoked or expired."""
        found = state_of(obj)
        return badge(COLOURS[found], STATES[found])

    @admin.display(description=_("Client proved itself"))
    def client_proof(self, obj: Any) -> str:
        """With a secret, without one, or not yet."""
        return str(obj.get_client_authentication_display())

    @admin.display(description=_("Person signed in"))
    def signed_in_at(self, obj: Any) -> str:
        """``auth_time``."""
        return moment(obj.auth_time)

    @admin.display(description=_("Methods (amr)"))
    def methods(self, obj: Any) -> SafeString:
        """How the person proved it."""
        return code(" ".join(obj.amr))

    @admin.display(description=_("Context (acr)"))
    def context(self, obj: Any) -> SafeString:
        """How strong that was."""
        return code(obj.acr)

    @admin.display(description=_("Session (sid)"))
    def session(self, obj: Any) -> SafeString:
        """The browser session's name, as clients know it."""
        return code(obj.sid)

    @admin.display(description=_("Grant ID (gid)"))
    def grant_id(self, obj: Any) -> SafeString:
        """As it stands in tokens."""
        return code(str(obj.pk))

    @admin.display(description=_("Subject (sub)"))
    def shown_subject(self, obj: Any) -> SafeString:
        """Who the person is to the client."""
        return code(obj.subject)

    @admin.display(description=_("Resources"))
    def shown_resources(self, obj: Any) -> SafeString:
        """What the tokens are for."""
        return code("\n".join(obj.resources))

    @admin.display(description=_("Tokens"))
    def tokens(self, obj: Any) -> SafeString:
        """Counts and times; never a token, never a digest."""
        return tokens_of(obj, timezone.now())


def state_of(grant: Grant) -> str:
    """The name of its state."""
    if grant.revoked_at is not None:
        return "revoked"
    return "expired" if grant.expires_at <= timezone.now() else "live"


def _questions(count: int, most: int) -> list[str]:
    if count == 0:
        return [gettext("None of these grants is live, or none is yours to revoke.")]
    if count > most:
        told = gettext(
            "More than %(most)s live grants were found. %(most)s of them are revoked now:"
            " revoke again for the rest."
        ) % {"most": most}
    else:
        told = ngettext(
            "%(count)s live grant is revoked.", "%(count)s live grants are revoked.", count
        ) % {"count": count}
    first = gettext("The newest %(shown)s are shown here.") % {"shown": SHOWN}
    consequence = gettext("Every code and every token of them ends at once.")
    return [told, consequence, first] if count > SHOWN else [told, consequence]
