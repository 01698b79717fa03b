"""``export_webapps [APP_ID …]``: write applications as CyberArk's application documents."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...flows.webapps import document, export_documents
from ...models import Application


class Command(BaseCommand):
    """Print applications as a list of documents, without their secrets."""

    help = (
        "Print applications as CyberArk's application documents, all of them or those named."
        " Client secrets are not in it: they are stored as digests."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which applications."""
        parser.add_argument(
            "application_ids", nargs="*", metavar="APP_ID", help="an Application ID, in any case"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Print the list."""
        chosen = _chosen(options["application_ids"])
        self.stdout.write(document.render(export_documents(chosen)), ending="")


def _chosen(names: list[str]) -> list[Application]:
    if not names:
        return list(Application.objects.all())
    found = {name: Application.objects.named(name).first() for name in names}
    missing = [name for name, application in found.items() if application is None]
    if missing:
        raise CommandError(f"There is no application {', '.join(missing)}.")
    return list({one.pk: one for one in found.values() if one is not None}.values())
