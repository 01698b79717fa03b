"""What stands behind a code or a refresh token: its grant, its user, and whether that user may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import OuterRef

from ... import identifiers
from ...models import AuthorizationCode, Grant, RefreshToken
from ...models.statement import Statement, columns, instance
from ...protocol.access import Access
from .. import access

Credential = TypeVar("Credential", AuthorizationCode, RefreshToken)


@dataclass(frozen=True, slots=True)
class Found(Generic[Credential]):
    """A stored code or refresh token with its grant, its user, and whether that user may."""

    row: Credential
    grant: Grant
    user: Any
    access: Access


class Stored(Generic[Credential]):
    """All codes, or all refresh tokens, of whichever application."""

    def __init__(self, model: type[Credential]) -> None:
        self._model: type[Credential] = model
        self._by_digest = Statement(self._query, digest=models.BinaryField())

    def find(self, credential: str | None) -> Found[Credential] | None:
        """The one that a client presents: one statement."""
        if credential is None:
            return None
        rows = self._by_digest.rows(digest=identifiers.digest(credential))
        return self._found(iter(rows[0])) if rows else None

    def _query(self, digest: bytes) -> Any:
        application = OuterRef("grant__application_id")
        answers = access.expressions(user="grant__user_id", application=application)
        return (
            self._model._base_manager.filter(pk=digest)
            .annotate(**answers)
            .values_list(
                *answers,
                *columns(self._model),
                *columns(Grant, "grant__"),
                *columns(get_user_model(), "grant__user__"),
            )
        )

    def _found(self, values: Iterator[Any]) -> Found[Credential]:
        has_run_right, is_service_user = islice(values, 2)
        row = instance(self._model, values)
        row.grant = grant = instance(Grant, values)
        grant.user = user = instance(get_user_model(), values)
        may = access.answer(user, has_run_right=has_run_right, is_service_user=is_service_user)
        return Found(row, grant, user, may)
