"""Account Mapping: the name under which an application knows people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..flows import account_mapping
from ..models import Application
from ..models.account_mapping import choices
from ..protocol.application import UserNameStrategy
from .application_page import Fieldsets, FormPage, PageForm
from .widgets import ExplainedRadio

STRATEGIES = {
    UserNameStrategy.DIRECTORY_FIELD.value: _(
        "Each person has a name of their own: the login name, or another claim."
    ),
    UserNameStrategy.FIXED.value: _(
        "The application sees one name for everybody, as for a shared account. The subject (sub)"
        " still tells people apart."
    ),
}

#: What people call the claims of OpenID Connect Core §5.1 that are texts.
WORDS: Mapping[str, Any] = {
    "preferred_username": _("Login name"),
    "name": _("Full name"),
    "given_name": _("Given name"),
    "family_name": _("Family name"),
    "middle_name": _("Middle name"),
    "nickname": _("Nickname"),
    "email": _("E-mail address"),
    "phone_number": _("Telephone number"),
    "profile": _("Address of the profile page"),
    "website": _("Address of the web site"),
}


class AccountMappingForm(PageForm):
    """The claims that there are, as choices."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        claim = self.fields["user_name_claim"]
        claim.widget = forms.Select(choices=list(_options(self.instance.user_name_claim)))


class AccountMappingPage(FormPage):
    """What ``unique_name`` and ``preferred_username`` hold."""

    name = "account-mapping"
    title = _("Account Mapping")
    template_name = "admin/oidc_pkce/application/account_mapping.html"
    form_class = AccountMappingForm
    widgets = {"user_name_strategy": ExplainedRadio(STRATEGIES)}
    help_texts = {
        "user_name_strategy": _("What the claims unique_name and preferred_username hold."),
        "user_name_claim": _(
            "Where it is empty, the login name is told. Two people may have the same full name or"
            " address: an application that recognises people should do so by sub."
        ),
        "shared_user_name": _("Needed with “All users share one name”."),
    }
    shown_for = {
        "user_name_claim": f"user_name_strategy={UserNameStrategy.DIRECTORY_FIELD.value}",
        "shared_user_name": f"user_name_strategy={UserNameStrategy.FIXED.value}",
    }

    def fieldsets(self, application: Application) -> Fieldsets:
        """The strategy, and the field that each one needs."""
        fields = ("user_name_strategy", "user_name_claim", "shared_user_name", "seen_version")
        return ((None, {"fields": fields}),)

    def context(self, request: HttpRequest, application: Application) -> Mapping[str, Any]:
        """The administrator's own name, as this application is told it now."""
        stored = Application.objects.get(pk=application.pk)
        return {"your_name": account_mapping.user_name(stored.facts(), request.user)}

    def warnings(self, saved: Application) -> Sequence[str]:
        """What an application can no longer tell apart."""
        if saved.user_name_strategy != UserNameStrategy.FIXED:
            return ()
        sentence = gettext(
            "Everybody is “%(name)s” to this application now. Tokens that were issued before say"
            " what they said."
        )
        return (sentence % {"name": saved.shared_user_name},)


def _options(stored: str) -> Iterator[tuple[str, Any]]:
    """Every claim that can be a name, and the one that is stored, though it is gone."""
    known = choices()
    for claim in known:
        yield claim, f"{WORDS[claim]} ({claim})" if claim in WORDS else claim
    if stored not in known:
        yield stored, gettext("%(claim)s (no longer known)") % {"claim": stored}
