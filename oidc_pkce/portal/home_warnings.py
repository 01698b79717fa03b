"""The warnings of the portal's home: what is wrong, what to do, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib.auth import get_permission_codename
from django.db.models import Model
from django.utils import formats, timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..flows import home
from ..flows.home import Finding, KeyConcern, KeyTrouble, Weakness
from ..models import (
    Application,
    AuditEvent,
    ClientSecret,
    Grant,
    RequestTrace,
    ServiceUser,
    SigningKey,
)
from ..protocol.application import Template

if TYPE_CHECKING:
    from .home import Home

NAME = 60  # characters of a name; the page that the link leads to has all of it

_OAUTH2 = f"{Template.OAUTH2_CLIENT.value},{Template.OAUTH2_SERVER.value}"

#: The page that cures a weakness, and the list of the applications that have it.
_PLACES: Mapping[Weakness, tuple[str, dict[str, str]]] = {
    Weakness.ANYTHING: (
        "general_usage",
        {"client_id_type__exact": "Anything", "template__in": _OAUTH2},
    ),
    Weakness.NO_PKCE: ("tokens", {"requires_pkce__exact": "0"}),
    Weakness.PLAIN_PKCE: ("tokens", {"allows_plain_pkce__exact": "1"}),
    Weakness.NOBODY_LISTED: (
        "general_usage",
        {"client_id_type__exact": "List", "template__in": _OAUTH2, "status": "not_configured"},
    ),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that matters."""

    colour: str
    sentence: str
    cure: str
    address: str
    words: str


class Warnings:
    """All of them, the gravest first; each part needs the right to see what it is about."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._now = timezone.now()

    def __iter__(self) -> Iterator[Notice]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> list[Notice]:
        found = [*self._of_keys(), *self._of_applications(), *self._of_secrets()]
        return [*found, *self._of_cleanup()]

    def _of_keys(self) -> Iterator[Notice]:
        address = self._home.list_of(SigningKey)
        if not address:
            return
        for concern in home.key_concerns(self._now):
            if concern.trouble is not KeyTrouble.NONE:  # the card says so: nothing is wrong yet
                sentence, cure, colour = _about_key(concern)
                yield Notice(colour, sentence, cure, address, _("Signing keys"))

    def _of_applications(self) -> Iterator[Notice]:
        if not self._home.list_of(Application):
            return
        for finding in home.weaknesses(self._home.applications):
            sentence, cure = _about_application(finding)
            grave = finding.weakness is Weakness.NO_PKCE
            address, words = self._place(finding)
            yield Notice("bad" if grave else "warning", sentence, cure, address, words)

    def _place(self, finding: Finding) -> tuple[str, str]:
        page, query = _PLACES[finding.weakness]
        if finding.count == 1:
            words = _("Tokens") if page == "tokens" else _("General Usage")
            return self._home.address(f"application_{page}", finding.pk), words
        query = {**query, "enabled__exact": "1"}
        return f"{self._home.list_of(Application)}?{urlencode(query)}", _("Show them")

    def _of_secrets(self) -> Iterator[Notice]:
        of_service_users = bool(self._home.list_of(ServiceUser))
        if not (of_service_users or self._home.list_of(Application)):
            return
        for secret in home.expiring_secrets(
            self._home.applications, self._now, of_service_users=of_service_users
        ):
            yield self._about_secret(secret)

    def _about_secret(self, secret: ClientSecret) -> Notice:
        owner: Any = secret.application or secret.service_user
        of_application = secret.application is not None
        page = "application_trust" if of_application else "serviceuser_change"
        sentence = _("The client secret of “%(name)s” expires on %(day)s.") % {
            "name": Truncator(owner).chars(NAME),
            "day": _day(secret.expires_at),
        }
        cure = _("Make a new one and give it to the client.")
        words = _("Trust") if of_application else _("Service user")
        return Notice("warning", sentence, cure, self._home.address(page, owner.pk), words)

    def _of_cleanup(self) -> Iterator[Notice]:
        user: Any = self._home.request.user
        places = (
            (Grant, _("Grants and tokens")),
            (RequestTrace, _("Requests")),
            (AuditEvent, _("Audit log")),
        )
        # The screens open for one application, too; this is about all of them together.
        mine = ((model, words) for model, words in places if user.has_perm(_view(model)))
        model, words = next(mine, (None, ""))
        if model is not None and home.cleanup_is_overdue(user, self._now):
            sentence = _("What expired days ago has not been cleaned up.")
            cure = _("Run “manage.py cleanup_tokens” daily.")
            yield Notice("warning", sentence, cure, self._home.list_of(model), words)


def _view(model: type[Model]) -> str:
    return f"oidc_pkce.{get_permission_codename('view', model._meta)}"


def _about_key(concern: KeyConcern) -> tuple[str, str, str]:
    """The sentence, the cure, and the colour."""
    key: Any = concern.key
    named = {"algorithm": key.algorithm, "day": _day(concern.due)}
    rotate = _("Run “manage.py rotate_keys” daily.")
    if concern.trouble is KeyTrouble.UNREADABLE:
        sentence = _("No secret decrypts the newest %(algorithm)s key: it signs nothing.") % named
        cure = _("Put the secret that encrypted it back into SIGNING_KEY_SECRETS.")
        return sentence, cure, "bad"
    if concern.trouble is KeyTrouble.OVERDUE:
        sentence = _("The %(algorithm)s key should have been replaced on %(day)s.") % named
        return sentence, rotate, "bad"
    if concern.trouble is KeyTrouble.DUE_SOON:
        sentence = _("The %(algorithm)s key should be replaced on %(day)s.") % named
        return sentence, rotate, "warning"
    sentence = _("An older secret encrypts the %(algorithm)s key.") % named
    return sentence, _("Run “manage.py rotate_keys”, then remove the older secret."), "warning"


def _about_application(finding: Finding) -> tuple[str, str]:
    """The sentence and the cure."""
    named = {"name": Truncator(finding.name).chars(NAME), "count": finding.count}
    # msgfmt wants the same placeholders in both forms; one is named, several are counted.
    sentences = {
        Weakness.ANYTHING: ngettext(
            # xgettext:no-python-format  # noqa: ERA001
            "“%(name)s” accepts any client ID: its Client ID Type is Anything.",
            "%(count)d applications accept any client ID: their Client ID Type is Anything.",
            finding.count,
        ),
        Weakness.NO_PKCE: ngettext(
            # xgettext:no-python-format  # noqa: ERA001
            "“%(name)s” does not require PKCE: whoever intercepts a code can redeem it.",
            "%(count)d applications do not require PKCE: whoever intercepts a code can redeem it.",
            finding.count,
        ),
        Weakness.PLAIN_PKCE: ngettext(
            # xgettext:no-python-format  # noqa: ERA001
            "“%(name)s” allows plain PKCE: whoever sees a request can redeem its code.",
            "%(count)d applications allow plain PKCE: whoever sees a request can redeem its code.",
            finding.count,
        ),
        Weakness.NOBODY_LISTED: ngettext(
            # xgettext:no-python-format  # noqa: ERA001
            "“%(name)s” serves nobody: its Client ID List is empty.",
            "%(count)d applications serve nobody: their Client ID List is empty.",
            finding.count,
        ),
    }
    return sentences[finding.weakness] % named, _cure(finding.weakness)


def _cure(weakness: Weakness) -> str:
    cures = {
        Weakness.ANYTHING: _("Choose List on General Usage, and name the clients."),
        Weakness.NO_PKCE: _("Tick Require PKCE on Tokens."),
        Weakness.PLAIN_PKCE: _("Untick Allow plain PKCE on Tokens."),
        Weakness.NOBODY_LISTED: _("Add a client ID on General Usage."),
    }
    return cures[weakness]


def _day(moment: datetime | None) -> str:
    return formats.date_format(timezone.localtime(moment), "DATE_FORMAT") if moment else ""
