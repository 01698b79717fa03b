"""Permissions by scope, and by the REST patterns of scopes, for Django REST framework."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from ..flows.resource_server import BearerToken
from . import admission
from .admission import Refused
from .authentication import as_exception


class BearerPermission(BasePermission):
    """What the permissions share: a request without one of our tokens is not let in.

    A refusal carries the challenge of RFC 6750 §3.1. Inside an expression such as
    ``HasScope | IsAdminUser`` it is a mere no, so that the other side can say yes.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the bearer may call the view. Raises ``BearerRefused``."""
        token = request.auth
        if not isinstance(token, BearerToken):
            return False
        try:
            self.require(request, view, token)
        except Refused as refused:
            if self._stands_alone(view):
                raise as_exception(refused, request) from None
            return False
        return True

    def require(self, request: Request, view: APIView, token: BearerToken) -> None:
        """Raise ``Refused`` unless the token opens the view."""
        raise NotImplementedError

    def _stands_alone(self, view: APIView) -> bool:
        return any(type(each) is type(self) for each in view.get_permissions())


class HasScope(BearerPermission):
    """Let in who was granted ALL of ``view.required_scopes``.

    A list, or a dict from method to list; a method that the dict does not name is not allowed, and
    HEAD goes with GET.
    """

    required_scopes: Sequence[str] | Mapping[str, Sequence[str]] | None = None

    def require(self, request: Request, view: APIView, token: BearerToken) -> None:
        """Raise ``Refused`` unless every scope was granted."""
        admission.require_scopes(request.user, token, self._needed(request, view))

    def _needed(self, request: Request, view: APIView) -> Sequence[str]:
        needed: Any = self.required_scopes
        if needed is None:
            needed = getattr(view, "required_scopes", None)
        if isinstance(needed, Mapping):
            needed = _of_method(needed, request)
        if not _names_scopes(needed):
            raise ImproperlyConfigured(
                f'{type(view).__name__} needs required_scopes, such as ["notes.read"].'
            )
        return tuple(needed)


def has_scope(*scopes: str) -> type[HasScope]:
    """A permission for ALL of these scopes, where a view has no attribute: ``@api_view``.

    Raises ``TypeError`` for none.
    """
    if not _names_scopes(scopes):
        raise TypeError('has_scope() takes the names of scopes: has_scope("notes.read")')
    return type("HasScope", (HasScope,), {"required_scopes": scopes})


class RestScopePermission(BearerPermission):
    """Let in whom ANY granted scope opens the path, by ANY of its REST patterns."""

    def require(self, request: Request, view: APIView, token: BearerToken) -> None:
        """Raise ``Refused`` unless a pattern matches the path."""
        admission.require_path(request.user, token, request.path)


def _names_scopes(needed: Any) -> bool:
    """Whether there is one at least: for whoever brings any token ``IsAuthenticated`` will do."""
    if isinstance(needed, str) or not isinstance(needed, Collection) or not needed:
        return False
    return all(isinstance(scope, str) for scope in needed)


def _of_method(needed: Mapping[str, Any], request: Request) -> Any:
    method = str(request.method)
    for name in (method, "GET") if method == "HEAD" else (method,):
        if name in needed:
            return needed[name]
    raise MethodNotAllowed(method)
