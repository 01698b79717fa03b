"""What ails an issuer, why a request was refused, which rules the applications keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from .. import explain, health, posture

#: What the first word may be; any other one names the issuer whose health is asked for.
VERBS: Mapping[str, Callable[[str | None, TextIO, bool], None]] = {
    "explain": explain.run,
    "posture": posture.run,
}


class Command(BaseCommand):
    """Examine one issuer, explain one request, or report the posture of applications."""

    help = (
        "ISSUER_OR_APP_ID: asks a running issuer what a client would ask, and says what is wrong."
        " explain REQUEST_ID: why a request was refused."
        " posture [APP_ID]: which rules of OAuth 2.1, RFC 9700, FAPI 2.0 and MCP are kept."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to look at."""
        parser.add_argument(
            "what",
            metavar="ISSUER_OR_APP_ID | explain | posture",
            help="the address of an issuer, the Application ID of an application of this server,"
            " or one of the two words",
        )
        parser.add_argument(
            "about",
            nargs="?",
            metavar="REQUEST_ID | APP_ID",
            help="which request to explain; which application's posture to report, else all",
        )
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Look, then say what was found. Raises ``CommandError`` when something is wrong."""
        what, about = options["what"], options["about"]
        if what in VERBS:
            VERBS[what](about, self.stdout, options["json"])  # type: ignore[arg-type]
        elif about is not None:
            raise CommandError(
                f"“{what} {about}” says nothing: write explain, posture or an issuer."
            )
        else:
            health.run(what, self.stdout, options["json"])  # type: ignore[arg-type]
