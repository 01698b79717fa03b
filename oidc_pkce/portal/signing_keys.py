"""Signing keys: what is published and since when; rotate now, withdraw one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db import IntegrityError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from ..flows import key_retirement, keys
from ..flows.key_retirement import KeyStillSigns, Retired
from ..models import KeyState, SigningKey
from ..protocol.jwk import ALGORITHMS
from .base import actor_of, badge, code, moment, whole_number
from .records import RecordAdmin, Tool, require

COLOURS = {
    KeyState.NEXT: "warning",
    KeyState.CURRENT: "good",
    KeyState.RETIRING: "muted",
    KeyState.EXPIRED: "bad",
}

CONSEQUENCES = {
    KeyState.NEXT: _("This key has not signed yet, and never will. The current one goes on."),
    KeyState.CURRENT: _("This key signs at this moment. A new one takes its place at once."),
    KeyState.RETIRING: _(
        "This key signs no longer. Tokens that it has signed and that have not expired become"
        " invalid at once."
    ),
    KeyState.EXPIRED: _("This key is withdrawn already."),
}
EMERGENCY = _(
    "Every token that this key has signed becomes invalid: people and clients get new ones."
    " Applications that have not fetched the new key yet refuse new tokens until they do."
    " Do this when the key may have leaked; otherwise rotate, and wait."
)
WAITING = _(
    "A next key is waiting already. Rotating again makes another one, which takes its place as soon"
    " as both may sign."
)


class SigningKeyAdmin(RecordAdmin):
    """Public halves only; new keys are made by rotating."""

    list_display = ("kid", "state", "algorithm", "generation", "signs_from", "expires_at")
    list_filter = ("algorithm",)
    search_fields = ()
    ordering = ("algorithm", "-generation")
    fields = (
        ("algorithm", "generation", "state"),
        "kid",
        "shown_jwk",
        "created_at",
        "signs_from",
        "expires_at",
    )
    readonly_fields = ("state", "shown_jwk")

    def matches(self, word: str) -> Q:
        """The key ID; there is no field to search by, but an address can ask."""
        return Q(kid=word)

    def get_urls(self) -> list[URLPattern]:
        """Add the pages that rotate and retire."""
        rotate = self.admin_site.admin_view(self.rotate_view)
        retire = self.admin_site.admin_view(self.retire_view)
        own = [
            path("rotate/<str:algorithm>/", rotate, name="oidc_pkce_signingkey_rotate"),
            path("<path:object_id>/retire/", retire, name="oidc_pkce_signingkey_retire"),
        ]
        return [*own, *super().get_urls()]

    def list_tools(self, request: HttpRequest) -> Iterable[Tool]:
        """Rotate, for each algorithm that is in use."""
        if not self._may_change(request):
            return
        for algorithm in keys.algorithms(timezone.now()):
            words = gettext("Rotate %(algorithm)s") % {"algorithm": algorithm}
            yield self.address("rotate", algorithm), words, False

    def tools(self, request: HttpRequest, obj: Any) -> Iterable[Tool]:
        """Withdraw this one."""
        if self._may_change(request) and keys.state(obj, timezone.now()) != KeyState.EXPIRED:
            yield self.address("retire", obj.pk), _("Retire"), True

    def rotate_view(self, request: HttpRequest, algorithm: str) -> HttpResponse:
        """GET says what will happen, POST publishes a new key."""
        require(self._may_change(request))
        if algorithm not in ALGORITHMS:
            raise Http404
        if request.method == "POST":
            return self._rotate(request, algorithm)
        now = timezone.now()
        waiting = SigningKey.objects.published(now).filter(algorithm=algorithm, signs_from__gt=now)
        context = {
            "sentences": _before_rotating(now),
            "facts": _facts(algorithm, now),
            "warning": WAITING if waiting.exists() else "",
            "hidden": [("seen", str(_newest(algorithm)))],
            "submit_words": _("Rotate now"),
        }
        title = gettext("Rotate %(algorithm)s?") % {"algorithm": algorithm}
        return self.confirmation(request, title, context)

    def retire_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET says what ends with the key, POST withdraws it."""
        require(self._may_change(request))
        key: SigningKey = self.get_object(request, object_id)
        if request.method == "POST":
            return self._retire(request, key)
        return self._ask_to_retire(request, key)

    @admin.display(description=_("State"))
    def state(self, obj: Any) -> SafeString:
        """Where the key stands in its life."""
        found = keys.state(obj, timezone.now())
        return badge(COLOURS[found], found.label)

    @admin.display(description=_("public key"))
    def shown_jwk(self, obj: Any) -> SafeString:
        """The JSON Web Key."""
        return code(obj.public_jwk)

    def _may_change(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("oidc_pkce.change_signingkey"))

    def _rotate(self, request: HttpRequest, algorithm: str) -> HttpResponse:
        """Unless somebody else has just done so: then the page that was confirmed is stale."""
        seen = whole_number(request.POST.get("seen", ""))
        try:
            if seen != _newest(algorithm):
                raise IntegrityError
            made = keys.rotate(algorithm, timezone.now(), actor=actor_of(request), after=seen)
        except IntegrityError:
            told = gettext("Somebody else has just rotated %(algorithm)s: nothing was done.")
            self.message_user(request, told % {"algorithm": algorithm}, messages.ERROR)
        else:
            told = gettext("The new key %(kid)s is published and signs from %(moment)s.")
            words = {"kid": made.kid, "moment": moment(made.signs_from)}
            self.message_user(request, told % words, messages.SUCCESS)
        return HttpResponseRedirect(self.address("changelist"))

    def _ask_to_retire(
        self, request: HttpRequest, key: SigningKey, error: str = ""
    ) -> HttpResponse:
        now = timezone.now()
        was = keys.state(key, now)
        signs = was is KeyState.CURRENT
        context = {
            "error": error,
            "sentences": [CONSEQUENCES[was], *_until_seen()],
            "facts": [(_("To be withdrawn"), code(key.kid)), *_facts(key.algorithm, now)],
            "hidden": [("replace", "yes")] if signs else [],
            "warning": EMERGENCY if signs else "",
            "submit_words": _("Replace and retire now") if signs else _("Retire now"),
            "is_danger": True,
            "cancel_url": self.address("change", key.pk),
        }
        return self.confirmation(request, _("Retire this key?"), context)

    def _retire(self, request: HttpRequest, key: SigningKey) -> HttpResponse:
        replace = request.POST.get("replace") == "yes"
        by, now = actor_of(request), timezone.now()
        try:
            retired = key_retirement.retire(key.pk, now, actor=by, replace=replace)
        except KeyStillSigns:
            error = gettext("This key signs by now. Look again at what retiring it means.")
            return self._ask_to_retire(request, key, error)
        except IntegrityError:
            error = gettext("Somebody else is rotating at this moment. Look again, then retry.")
            return self._ask_to_retire(request, key, error)
        self._tell(request, retired)
        return HttpResponseRedirect(self.address("changelist"))

    def _tell(self, request: HttpRequest, retired: Retired | None) -> None:
        if retired is None:
            told = gettext("The key had been withdrawn already.")
            self.message_user(request, told, messages.INFO)
            return
        told = gettext("The key %(kid)s is withdrawn.") % {"kid": retired.key.kid}
        if retired.replacement is not None:
            signs = gettext("The new key %(kid)s signs now.") % {"kid": retired.replacement.kid}
            told = f"{told} {signs}"
        self.message_user(request, told, messages.SUCCESS)


def _until_seen() -> list[str]:
    """How long caches may go on with what is withdrawn."""
    ours = gettext("Our own endpoints refuse its tokens within %(seconds)s seconds.")
    theirs = gettext(
        "Resource servers that keep the key set may accept them for up to %(seconds)s seconds."
    )
    return [
        ours % {"seconds": round(2 * settings.process_cache_seconds)},
        theirs % {"seconds": round(settings.metadata_max_age.total_seconds())},
    ]


def _before_rotating(now: datetime) -> list[str]:
    begins = gettext(
        "A new key is published at once and signs from about %(moment)s: by then every client that"
        " keeps the key set has fetched it."
    )
    return [
        begins % {"moment": moment(now + keys.overlap())},
        gettext(
            "The key that signs now stays published until the last token that it signed has"
            " expired. Nobody has to do anything."
        ),
    ]


def _facts(algorithm: str, now: datetime) -> list[tuple[Any, Any]]:
    facts: list[tuple[Any, Any]] = [(_("Algorithm"), algorithm)]
    current = keys.current(algorithm, now)
    if current is not None:
        facts += [(_("Signs now"), code(current.kid)), (_("Since"), moment(current.signs_from))]
    return facts


def _newest(algorithm: str) -> int:
    same = SigningKey.objects.filter(algorithm=algorithm).order_by("-generation")
    return same.values_list("generation", flat=True).first() or 0
