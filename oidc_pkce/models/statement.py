"""Queries that Django compiles once and that then run with other values.

Building and compiling a queryset costs several times what the database needs to answer it. On the
hot paths the queryset is written as everywhere else; only its SQL, and the converters of its
columns, are kept per database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.apps import apps
from django.db import connections, models, router
from django.db.models.sql import UpdateQuery

M = TypeVar("M", bound=models.Model)
Row = tuple[Any, ...]
Converter = tuple[int, tuple[Callable[..., Any], ...], Any]

# Nobody reads the names of columns, and psycopg parses anew what is longer than 4,096 characters.
_ALIAS = re.compile(r' AS "\w+"(?=,| FROM )')

_SAMPLES: Mapping[type[models.Field[Any, Any]], Any] = {
    models.CharField: "oidc_pkce.sample.{}",
    models.BinaryField: b"oidc_pkce.sample.%d",
    models.DateTimeField: datetime(1789, 7, 14, tzinfo=UTC),
    models.UUIDField: UUID(int=0x0123456789ABCDEF0123456789ABCDEF),
    models.BigIntegerField: 0x0123456789ABCDEF,
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """One statement for one database: ``slots`` says which value stands at which place."""

    sql: str
    params: tuple[Any, ...]
    slots: tuple[tuple[int, str], ...]
    converters: tuple[Converter, ...]


class Statement:
    """A SELECT whose values change and whose shape does not.

    ``build`` is given a sample for each of ``parameters`` and returns a ``values_list`` queryset;
    a sample must reach the SQL as it is, by an exact or ordering lookup on a field of its type.
    """

    def __init__(self, build: Callable[..., Any], **parameters: models.Field[Any, Any]) -> None:
        self._build = build
        self._parameters = parameters
        self._compiled: dict[str, Compiled] = {}

    def rows(self, **values: Any) -> list[Row]:
        """Run it; each row is converted as the queryset would have converted it."""
        alias, compiled = self._for_database()
        with connections[alias].cursor() as cursor:
            cursor.execute(compiled.sql, self._fill(compiled, values, alias))
            found = cursor.fetchall()
        return [_convert(row, compiled, alias) for row in found]

    def _for_database(self) -> tuple[str, Compiled]:
        """The database that Django's router writes to, so that what was just written is read."""
        alias = router.db_for_write(apps.get_model("oidc_pkce", "Application"))
        if alias not in self._compiled:
            samples = {name: _sample(field, name) for name, field in self._parameters.items()}
            self._compiled[alias] = self._compile(self._build(**samples), alias)
        return alias, self._compiled[alias]

    def _compile(self, queryset: Any, alias: str) -> Compiled:
        compiler = queryset.query.get_compiler(using=alias)
        sql, params = compiler.as_sql()
        columns = [column[0] for column in compiler.select]
        converters = compiler.get_converters(columns)
        return Compiled(
            _ALIAS.sub("", sql),
            tuple(params),
            self._slots(params, alias),
            tuple((at, tuple(functions), column) for at, (functions, column) in converters.items()),
        )

    def _slots(self, params: Sequence[Any], alias: str) -> tuple[tuple[int, str], ...]:
        """Where each parameter's sample stands. Raises ``ValueError`` when one got lost."""
        slots = [
            (at, name)
            for name, field in self._parameters.items()
            for at, param in enumerate(params)
            if _same(param, _adapt(field, _sample(field, name), alias))
        ]
        if lost := set(self._parameters) - {name for _, name in slots}:
            raise ValueError(f"the samples of {sorted(lost)} did not reach the SQL")
        return tuple(slots)

    def _fill(self, compiled: Compiled, values: Mapping[str, Any], alias: str) -> list[Any]:
        params = list(compiled.params)
        for at, name in compiled.slots:
            params[at] = _adapt(self._parameters[name], values[name], alias)
        return params


class UpdateStatement(Statement):
    """An UPDATE of fixed shape; ``build`` returns the rows and the changes."""

    def run(self, **values: Any) -> int:
        """Run it; how many rows it changed."""
        alias, compiled = self._for_database()
        with connections[alias].cursor() as cursor:
            cursor.execute(compiled.sql, self._fill(compiled, values, alias))
            return int(cursor.rowcount)

    def _compile(self, queryset: Any, alias: str) -> Compiled:
        rows, changes = queryset
        query = rows.query.chain(UpdateQuery)
        query.add_update_values(changes)
        sql, params = query.get_compiler(using=alias).as_sql()
        return Compiled(sql, tuple(params), self._slots(params, alias), ())


def columns(model: type[models.Model], prefix: str = "") -> tuple[str, ...]:
    """The columns of a model as a ``values_list`` names them, perhaps behind a relation."""
    return tuple(f"{prefix}{field.attname}" for field in model._meta.concrete_fields)


def instance(model: type[M], values: Iterator[Any]) -> M:
    """A model instance from the next values of a row, in the order of :func:`columns`."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(None, names, tuple(islice(values, len(names))))


def _sample(field: models.Field[Any, Any], name: str) -> Any:
    """A value of the field's type that nothing else in a statement equals."""
    sample = next(value for kind, value in _SAMPLES.items() if isinstance(field, kind))
    number = sum(name.encode())
    if isinstance(sample, str):
        return sample.format(name)
    if isinstance(sample, bytes):
        return sample % number
    if isinstance(sample, datetime):
        return sample.replace(microsecond=number)
    return UUID(int=sample.int + number) if isinstance(sample, UUID) else sample + number


def _adapt(field: models.Field[Any, Any], value: Any, alias: str) -> Any:
    return field.get_db_prep_value(value, connections[alias], prepared=False)


def _same(one: Any, other: Any) -> bool:
    """Drivers wrap bytes in objects that compare by identity: look inside."""
    one, other = getattr(one, "obj", one), getattr(other, "obj", other)
    related = isinstance(one, type(other)) or isinstance(
        other, type(one)
    )  # psycopg's Int8 is an int
    return related and bool(one == other)


def _convert(row: Sequence[Any], compiled: Compiled, alias: str) -> Row:
    if not compiled.converters:
        return tuple(row)
    values = list(row)
    connection = connections[alias]
    for at, functions, column in compiled.converters:
        value = values[at]
        for function in functions:
            value = function(value, column, connection)
        values[at] = value
    return tuple(values)
