"""The audit log: what was done, with what was before and what is after."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .base import ReadOnlyAdmin, code, table


class AuditLogAdmin(ReadOnlyAdmin):
    """Events, newest first."""

    list_display = ("at", "action", "actor_name", "application_name", "client_id")
    list_filter = ("action", "at")
    search_fields = ("actor_name", "application_name", "client_id", "action")
    fields = ("at", "action", "actor_name", "application_name", "client_id", "changes", "more")
    readonly_fields = ("changes", "more")
    list_select_related = False
    show_full_result_count = False

    @admin.display(description=_("Changes"))
    def changes(self, obj: Any) -> SafeString | str:
        """Field by field."""
        changes = obj.details.get("changes")
        if not changes:
            return "-"
        rows = ((name, code(pair["before"]), code(pair["after"])) for name, pair in changes.items())
        return table((gettext("Field"), gettext("Before"), gettext("After")), rows)

    @admin.display(description=_("Details"))
    def more(self, obj: Any) -> SafeString | str:
        """Whatever else was kept."""
        rest = [(name, code(value)) for name, value in obj.details.items() if name != "changes"]
        return table((gettext("Name"), gettext("Value")), rest) if rest else "-"
