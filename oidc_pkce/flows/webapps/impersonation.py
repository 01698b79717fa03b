"""In whose name an application may speak: who manages one may not take the name of another.

All applications share one set of signing keys, so the issuer and the Application ID are all that
tells their tokens apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from ...conf import settings
from ...models import Application, Right
from ..administration import holding, holds_everywhere
from .problems import Problem


def impersonations(
    actor_pk: Any, application: Application, before: Mapping[str, Any]
) -> Iterator[Problem]:
    """Each name that is newly taken and needs more rights; a command (``None``) may take all."""
    if actor_pk is None:
        return
    if _shares_issuer(application, before) and not _manages_all_of(actor_pk, application):
        sentence = _("Another application, which you do not manage, has this issuer.")
        yield Problem(("issuer",), sentence)
    if _takes_trusted_name(application, before) and not _manages_everything(actor_pk):
        sentence = _(
            "This project's settings trust tokens of an application of this name: only whoever"
            " may change every application can give it away."
        )
        yield Problem(("application_id",), sentence)


def _shares_issuer(application: Application, before: Mapping[str, Any]) -> bool:
    is_new = bool(application.issuer) and application.issuer != before.get("issuer")
    return is_new and _sharing(application).exists()


def _sharing(application: Application) -> Any:
    others = Application.objects.exclude(pk=application.pk)
    return others.filter(issuer__iexact=application.issuer)


def _takes_trusted_name(application: Application, before: Mapping[str, Any]) -> bool:
    name = application.application_id.lower()
    if name == str(before.get("application_id", "")).lower():
        return False
    api = settings.management_api
    trusted = (*settings.resource_server.applications, *(api.applications if api else ()))
    return name in {listed.lower() for listed in trusted}


def _manages_all_of(actor_pk: Any, application: Application) -> bool:
    user = _user(actor_pk)
    managed = holding(user, Right.MANAGE).values("pk") if user else ()
    return not _sharing(application).exclude(pk__in=managed).exists()


def _manages_everything(actor_pk: Any) -> bool:
    user = _user(actor_pk)
    return user is not None and holds_everywhere(user, Right.MANAGE)


def _user(pk: Any) -> Any:
    return get_user_model()._base_manager.filter(pk=pk).first()
