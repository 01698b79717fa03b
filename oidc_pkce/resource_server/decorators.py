"""Bearer tokens for plain Django views; REST framework is not needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from .. import headers
from ..flows.resource_server import BearerToken
from . import admission
from .admission import Refused

View = TypeVar("View", bound=Callable[..., Any])
Judge = Callable[[HttpRequest, Any, BearerToken], None]


def bearer_required(
    *,
    applications: Sequence[str] | None = None,
    audience: str | None = None,
    issuers: Sequence[str] | None = None,
    user_for: Callable[[Any], Any] | None = None,
) -> Callable[[View], View]:
    """Let in who brings a live access token, whatever its scopes.

    The view finds ``request.user`` and ``request.bearer``. No cookie is looked at, so the view is
    free of the CSRF check. What is ``None`` is as ``OIDC_PKCE["RESOURCE_SERVER"]`` says;
    ``user_for`` finds the user of another server's claims.
    """
    return _guarded(_let_in, applications, audience, issuers, user_for)


def requires_scope(
    *scopes: str,
    applications: Sequence[str] | None = None,
    audience: str | None = None,
    issuers: Sequence[str] | None = None,
    user_for: Callable[[Any], Any] | None = None,
) -> Callable[[View], View]:
    """The same for who was granted ALL of these scopes. Raises ``TypeError`` for none."""
    if not scopes or not all(isinstance(scope, str) for scope in scopes):
        raise TypeError('requires_scope() takes the names of scopes: @requires_scope("notes.read")')

    def judge(_: HttpRequest, user: Any, token: BearerToken) -> None:
        admission.require_scopes(user, token, scopes)

    return _guarded(judge, applications, audience, issuers, user_for)


def requires_rest_scope(
    *,
    applications: Sequence[str] | None = None,
    audience: str | None = None,
) -> Callable[[View], View]:
    """The same for whom ANY granted scope opens the path, by ANY of its REST patterns."""

    def judge(request: HttpRequest, user: Any, token: BearerToken) -> None:
        admission.require_path(user, token, request.path)

    return _guarded(judge, applications, audience, (), None)


def _guarded(
    judge: Judge,
    applications: Sequence[str] | None,
    audience: str | None,
    issuers: Sequence[str] | None,
    user_for: Callable[[Any], Any] | None,
) -> Callable[[View], View]:
    def admit(request: HttpRequest) -> None:
        """Note who comes, or raise ``Refused``."""
        accepts = admission.accepted(applications, audience, issuers)
        found = admission.identify(request, accepts, user_for or _nobody, required=True)
        assert found is not None  # noqa: S101 - a token is required
        user, token = found
        judge(request, user, token)
        _remember(request, user, token)

    def decorate(view: View) -> View:
        guard: Any = _async_guard if iscoroutinefunction(view) else _guard
        guarded: View = csrf_exempt(guard(view, admit))
        return guarded

    return decorate


def _guard(view: Callable[..., Any], admit: Callable[[HttpRequest], None]) -> Any:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            admit(request)
        except Refused as refused:
            return _answer(refused)
        return view(request, *args, **kwargs)

    return guarded


def _async_guard(view: Callable[..., Any], admit: Callable[[HttpRequest], None]) -> Any:
    """The tables are read in a thread, as everything that Django's ORM does."""

    def admit_whole(request: HttpRequest) -> None:
        admit(request)
        _ = request.user.pk  # a service user is read now: an async view could not

    @wraps(view)
    async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            await sync_to_async(admit_whole)(request)
        except Refused as refused:
            return _answer(refused)
        return await view(request, *args, **kwargs)

    return guarded


def _let_in(_request: HttpRequest, _user: Any, _token: BearerToken) -> None:
    """A live token is enough."""


def _nobody(_claims: Any) -> None:
    """Another server's subject is no user here."""


def _remember(request: Any, user: Any, token: BearerToken) -> None:
    async def auser() -> Any:
        return user

    request.user, request.auser, request.bearer = user, auser, token


def _answer(refused: Refused) -> HttpResponseBase:
    response = JsonResponse(refused.body, status=refused.status)
    if refused.challenge:
        response["WWW-Authenticate"] = refused.challenge
    if refused.retry_after:
        response["Retry-After"] = str(refused.retry_after)
    headers.forbid_caching(response)
    return response
