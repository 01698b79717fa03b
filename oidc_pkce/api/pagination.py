"""Lists in pieces: by page number where there are thousands, by the last row where millions.

Links name no host: they are resolved against the address that was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from . import problems
from .fields import QueryNumber, StrictSerializer, Text
from .problems import Problem

PAGE = 50
MOST = 200


class PageQuery(StrictSerializer):
    """Which page."""

    page = QueryNumber(min_value=1, max_value=1_000_000, required=False, help_text="From 1.")
    page_size = QueryNumber(min_value=1, max_value=MOST, required=False, help_text="Default 50.")


class SliceQuery(StrictSerializer):
    """Which slice."""

    page_size = QueryNumber(min_value=1, max_value=MOST, required=False, help_text="Default 50.")


def page_of(
    rows: QuerySet[Any], request: Request, query: dict[str, Any], show: Callable[[Any], Any]
) -> dict[str, Any]:
    """One page, with the count of all; a page behind the last is empty."""
    number, size = query.get("page", 1), query.get("page_size", PAGE)
    count = rows.count()
    found = rows[(number - 1) * size : number * size]
    return {
        "count": count,
        "next": _link(request, page=number + 1) if number * size < count else None,
        "previous": _link(request, page=number - 1) if number > 1 else None,
        "results": [show(row) for row in found],
    }


def slice_of(
    rows: QuerySet[Any],
    request: Request,
    query: dict[str, Any],
    show: Callable[[Any], Any],
    *,
    order: Sequence[str] = ("pk",),
) -> dict[str, Any]:
    """The rows behind the one that ``after`` names, newest first; counting would read them all.

    ``order`` are the columns that order them, all descending, the last one unique.
    """
    size = query.get("page_size", PAGE)
    if "after" in query:
        rows = rows.filter(_behind(rows, query["after"], order))
    found = list(rows.order_by(*(f"-{name}" for name in order))[: size + 1])
    more = len(found) > size
    return {
        "next": _link(request, after=found[size - 1].pk) if more else None,
        "results": [show(row) for row in found[:size]],
    }


def _behind(rows: QuerySet[Any], after: Any, order: Sequence[str]) -> Q:
    """The columns of the last row seen, compared one after the other."""
    values = rows.filter(pk=after).values_list(*order).first()
    if values is None:
        raise Problem(problems.NOT_FOUND)
    behind, same = Q(pk__in=[]), Q()
    for name, value in zip(order, values, strict=True):
        behind |= same & Q(**{f"{name}__lt": value})
        same &= Q(**{name: value})
    return behind


def _link(request: Request, **changes: Any) -> str:
    query = request.query_params.copy()
    for name, value in changes.items():
        query[name] = str(value)
    return f"{request.path}?{query.urlencode()}"


def paged(serializer: type[StrictSerializer], *, counted: bool = False) -> type[StrictSerializer]:
    """The schema of a page of these."""
    link = {"allow_null": True, "help_text": "Path and query of the neighbouring page."}
    members: dict[str, Any] = {
        "next": Text(**link),
        "results": serializer(many=True),
    }
    if counted:
        members["count"] = serializers.IntegerField()
        members["previous"] = Text(**link)
    name = serializer.__name__.removesuffix("Serializer")
    return type(f"{name}PageSerializer", (StrictSerializer,), members)
