"""What every view of the management API shares, whatever the host's REST framework settings are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.fields import empty
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from .. import headers
from ..flows import administration
from ..flows.actor import Actor
from ..models import Application, Right
from . import problems
from .authentication import ManagementBearer, ManagementSession, MayAdminister
from .fields import StrictSerializer
from .parsing import StrictJSONParser
from .problems import Fault, Problem
from .schema import ManagementSchema

BODIES = ("POST", "PUT", "PATCH")


class OnlyJSON(BaseContentNegotiation):
    """One parser, one renderer: no page with a form, whatever a browser accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """The parser for JSON; ``None`` for any other type, which is then refused."""
        is_json = request.content_type.partition(";")[0].strip().lower() == "application/json"
        return parsers[0] if is_json else None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        """The renderer for JSON."""
        return renderers[0], renderers[0].media_type


class PlainJSON(JSONRenderer):
    """JSON as ours is, however the host spells its own."""

    compact = True
    ensure_ascii = False
    strict = True


class ManagementView(APIView):
    """A resource: who comes in, what is read, and what is answered."""

    authentication_classes = [ManagementBearer, ManagementSession]
    permission_classes = [MayAdminister]
    parser_classes: Any = [StrictJSONParser]
    renderer_classes = [PlainJSON]
    throttle_classes: Any = []
    content_negotiation_class = OnlyJSON
    versioning_class = None
    metadata_class = None
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    schema: Any = ManagementSchema()

    chapter: ClassVar[str] = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what can be no request of ours before anything is looked up."""
        if request.method in BODIES and not self._is_empty(request):
            self._require_json(request)
        super().initial(request, *args, **kwargs)
        if any("\0" in value for value in kwargs.values() if isinstance(value, str)):
            raise Problem(problems.NOT_FOUND)

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Problem details, also where the host has a handler of its own."""
        return problems.answer

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """No cache keeps it, and no browser takes it for a page."""
        made = super().finalize_response(request, response, *args, **kwargs)
        headers.forbid_caching(made)
        made["X-Content-Type-Options"] = "nosniff"
        return made

    @property
    def actor(self) -> Actor:
        """Who is at work, for the audit log."""
        return Actor.of(self.request.user)

    @property
    def now(self) -> datetime:
        """The moment of this request."""
        return timezone.now()

    def read(self, serializer: type[StrictSerializer], *, partial: bool = False) -> dict[str, Any]:
        """The body. Raises ``ValidationError`` that names what is wrong."""
        read = serializer(data=self.request.data)
        if partial:  # REST framework's own "partial" would excuse members of members, too
            for field in read.fields.values():
                field.required, field.default = False, empty
        read.is_valid(raise_exception=True)
        return dict(read.validated_data)

    def query(self, serializer: type[StrictSerializer] | None = None) -> dict[str, Any]:
        """The query parameters, each once. Raises ``Problem`` that names what is wrong."""
        given = self.request.query_params
        faults = [Fault(n, _("This is given twice."), "parameter") for n in _repeated(given)]
        read = (serializer or StrictSerializer)(data={name: given[name] for name in given})
        if not read.is_valid():
            found = problems._of_members("", read.errors)
            faults += [Fault(f.where.lstrip("/"), f.sentence, "parameter") for f in found]
        nul = _("This holds U+0000, which is no text.")
        faults += [Fault(name, nul, "parameter") for name, text in given.items() if "\0" in text]
        if faults:
            raise Problem(problems.MALFORMED, faults=faults)
        return dict(read.validated_data)

    def require(self, permission: str) -> None:
        """Raise ``Problem`` 403 unless the user has this permission of Django's."""
        if not self.request.user.has_perm(f"oidc_pkce.{permission}"):
            sentence = _("This needs the permission %(name)s.") % {
                "name": f"oidc_pkce.{permission}"
            }
            raise Problem(problems.FORBIDDEN, sentence)

    def application(self, pk: int, right: Right = Right.VIEW) -> Application:
        """The application. Raises ``Problem``: 404 without View, 403 without the right."""
        found = administration.holding(self.request.user).with_status().filter(pk=pk).first()
        if found is None:
            raise Problem(problems.NOT_FOUND)
        if right is not Right.VIEW and right not in administration.rights(self.request.user, found):
            sentence = _("This needs the right %(name)s on this application.")
            raise Problem(problems.FORBIDDEN, sentence % {"name": right.label})
        return found

    def _is_empty(self, request: Request) -> bool:
        length = request.META.get("CONTENT_LENGTH") or "0"
        return str(length) == "0"

    def _require_json(self, request: Request) -> None:
        if OnlyJSON().select_parser(request, self.parser_classes) is None:
            raise UnsupportedMediaType(request.content_type)


class Nowhere(ManagementView):
    """An address below the API that leads to nothing."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Nothing is here, for nobody."""
        raise Problem(problems.NOT_FOUND)


def _repeated(given: Any) -> list[str]:
    return [name for name in given if len(given.getlist(name)) > 1]
