"""What the screens share: reading only, badges, tables, and who is at work."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.paginator import Paginator as DjangoPaginator
from django.db import IntegrityError
from django.db.models import ProtectedError, QuerySet, RestrictedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import date as format_date
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from ..flows.actor import Actor

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    Paginator = DjangoPaginator[Any]
else:
    ModelAdmin = admin.ModelAdmin
    Paginator = DjangoPaginator

LARGEST_KEY = 2**63 - 1
MOST_WORDS = 8  # of a search
MAX_CHOSEN = 500  # one request changes so many; Django's forms stop at a thousand fields
MAX_NAMED = 20  # in one sentence


class PortalAdmin(ModelAdmin):
    """A screen with our style sheet."""

    #: Lookups that links of ours use although no filter offers them.
    linked_lookups: ClassVar[tuple[str, ...]] = ()

    class Media:
        css = {"all": ("oidc_pkce/portal.css",)}

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what a filter or a link of ours asks: an address must not test other columns."""
        filters = self.get_list_filter(request) if request else self.list_filter
        named: set[Any] = {
            name if isinstance(name, str) else getattr(name, "parameter_name", "")
            for name in filters
        }
        return (
            lookup in named or lookup in self.linked_lookups or lookup.partition("__")[0] in named
        )

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form. Whoever takes a name in the same moment as somebody else is told."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except IntegrityError:
            sentence = _("Somebody else took this name in the same moment. Nothing was saved.")
            self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Ask, then delete; what the host project protects stays, and the page says so."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except (ProtectedError, RestrictedError):
            sentence = _("Another part of the project needs this: it was not deleted.")
            self.message_user(request, sentence, messages.ERROR)
            route = f"{self.admin_site.name}:oidc_pkce_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(route, args=[object_id]))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list. An address with U+0000 is refused here: PostgreSQL takes none in a text."""
        if any("\0" in value for name in request.GET for value in request.GET.getlist(name)):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """As Django searches; each word is a condition more, so only the first ones count."""
        words = " ".join(first_words(search_term))
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, words)
        return found


class BoundedPaginator(Paginator):
    """Counts no further than ``most``: counting a million rows costs more than showing some.

    ``is_cut`` says that there are more, which a search or a filter finds.
    """

    most = 10_000

    @cached_property
    def count(self) -> int:
        """How many rows there are, ``most`` of them at the most."""
        return min(self._counted, self.most)

    @property
    def is_cut(self) -> bool:
        """Whether there are more rows than are listed."""
        return self._counted > self.most

    @cached_property
    def _counted(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[: self.most + 1].count()


class ReadOnlyAdmin(PortalAdmin):
    """A screen that only shows."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


def actor_of(request: HttpRequest) -> Actor:
    """Who is at work, for the audit log."""
    return Actor.of(request.user)


def first_words(text: str) -> Iterable[str]:
    """The words of a search, as many as a database looks for at once."""
    return islice(smart_split(text), MOST_WORDS)


def badge(kind: str, text: Any) -> SafeString:
    """A word with a colour that says the same; ``kind`` names the colour in portal.css."""
    return format_html('<span class="oidc-badge oidc-badge-{}">{}</span>', kind, text)


def good_or_bad(good: bool, words: tuple[Any, Any]) -> SafeString:
    """The first word in the colour of success, or the second one in that of failure."""
    return badge("good", words[0]) if good else badge("bad", words[1])


def table(heads: Sequence[Any], rows: Iterable[Sequence[Any]]) -> SafeString:
    """A table; every cell is escaped unless it is safe already."""
    head = format_html_join("", '<th scope="col">{}</th>', ((text,) for text in heads))
    cells = (format_html_join("", "<td>{}</td>", ((cell,) for cell in row)) for row in rows)
    body = format_html_join("", "<tr>{}</tr>", ((row,) for row in cells))
    return format_html(
        '<table class="oidc-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body
    )


def code(value: Any) -> SafeString:
    """A value as it is stored; nothing for nothing."""
    if value in (None, "", [], {}):
        return format_html("{}", "-")
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    return format_html('<code class="oidc-value">{}</code>', text)


def link(address: str) -> SafeString:
    """An address that can be opened and copied."""
    return format_html('<a href="{}">{}</a>', address, address)


def moment(at: datetime | None) -> str:
    """A date and time as people write it; nothing for none."""
    return "-" if at is None else format_date(localtime(at), "DATETIME_FORMAT")


def listed(names: Sequence[str]) -> str:
    """Names in a sentence; of many, the first ones."""
    more = ["…"] if len(names) > MAX_NAMED else []
    return ", ".join([*names[:MAX_NAMED], *more])


def whole_number(text: str) -> int | None:
    """A key as it stands in an address; ``None`` for what is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        return None
    number = int(text)
    return number if number <= LARGEST_KEY else None
