"""Read the body of a request: JSON that can be read in one way only, and not too much of it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from ..flows.webapps.document.reading import MAX_BYTES
from ..protocol import strict_json
from .problems import TooLarge

MAX_BODY = 2 * 1024 * 1024  # bytes; 500 redirect URIs of full length are one million
MAX_VALUES = 100_000  # 2,000 permissions with all rights are 26,000, and each may be a fault

# PostgreSQL stores no U+0000, and nobody can encode half a surrogate pair.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class DocumentParser(BaseParser):
    """The bytes as they are, for the importer, which reads them by its own rules."""

    media_type = "application/json"
    max_bytes = MAX_BYTES

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The bytes. Raises ``TooLarge``."""
        data: bytes = stream.read(self.max_bytes + 1)
        if len(data) > self.max_bytes:
            raise TooLarge(self.max_bytes)
        return data


class StrictJSONParser(DocumentParser):
    """JSON without repeated members, without NaN, without what no database stores."""

    max_bytes = MAX_BODY

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value. Raises ``ParseError`` with a sentence."""
        data = super().parse(stream, media_type, parser_context)
        try:
            value = strict_json.read(data.decode())
        except UnicodeDecodeError:
            raise ParseError(_("The body is not UTF-8 text.")) from None
        except ValueError as fault:
            sentence = _("The body is not JSON: %(fault)s.") % {"fault": fault}
            raise ParseError(sentence) from None
        _require_storable(value)
        return value


def _require_storable(value: Any) -> None:
    waiting, count = [value], 0
    while waiting:
        found, count = waiting.pop(), count + 1
        if count > MAX_VALUES:
            raise ParseError(_("The body is too large"))
        if isinstance(found, dict):
            waiting += [*found.keys(), *found.values()]
        elif isinstance(found, list):
            waiting += found
        elif isinstance(found, str) and _UNSTORABLE.search(found):
            raise ParseError(_("The body holds U+0000 or half a surrogate pair, which is no text."))
        elif isinstance(found, float) and not math.isfinite(found):
            raise ParseError(_("The body holds a number that is too large."))
