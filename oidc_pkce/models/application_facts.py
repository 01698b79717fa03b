"""Applications as the rules see them: which columns are read, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from django.db import models
from django.db.models import Aggregate, OuterRef, Subquery

from ..conf import settings
from ..protocol.application import (
    ApplicationFacts,
    ClientIdType,
    Flow,
    Profile,
    SubjectType,
    Template,
    TokenType,
    UserNameStrategy,
)
from ..protocol.metadata import Locations
from .scope import Scope


class JsonArray(Aggregate):
    """All values of a group as one JSON array, on every database that has JSON."""

    function = "JSON_ARRAYAGG"
    name = "JsonArray"
    output_field = models.JSONField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSONB_AGG", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_GROUP_ARRAY", **context)


def scope_names(application: str = "pk") -> dict[str, Subquery]:
    """What to annotate a query with, so that it has the columns of ``FACTS``.

    ``application`` names the outer query's column that holds the application's key.
    """
    mine = Scope.objects.filter(application=OuterRef(application)).order_by()
    return {"scope_names": Subquery(mine.values("application").values(n=JsonArray("name")))}


#: The columns that :func:`facts_of` reads, in their order; the last one is :func:`scope_names`.
FACTS = ("pk", *(field.name for field in fields(ApplicationFacts) if field.name != "pk"))

_READ: Mapping[str, Callable[[Any], Any]] = {
    "template": Template,
    "client_id_type": ClientIdType,
    "token_type": TokenType,
    "subject_type": SubjectType,
    "profile": Profile,
    "user_name_strategy": UserNameStrategy,
    "allowed_networks": tuple,
    "scope_names": lambda names: tuple(names or ()),
    "client_ids": tuple,
    "redirect_uris": tuple,
    "post_logout_redirect_uris": tuple,
    "trusted_origins": tuple,
    "flows": lambda names: frozenset(map(Flow, names)),
}


def facts_of(values: Sequence[Any]) -> ApplicationFacts:
    """An application as the rules see it, from the columns of ``FACTS``."""
    read = dict(zip(FACTS, values, strict=True))
    for column, convert in _READ.items():
        read[column] = convert(read[column])
    if not read["issuer"]:
        read["issuer"] = Locations(settings.issuer_base, read["application_id"]).issuer
    return ApplicationFacts(**read)
