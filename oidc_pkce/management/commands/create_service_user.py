"""``create_service_user NAME``: make a confidential client, and print its credentials once."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from ...flows import service_user
from ...flows.actor import Actor
from ...flows.service_user import NameTaken, NewClient, ServiceUserExists
from ...models import ServiceUser


class Command(BaseCommand):
    """Create a service user, or give one another secret."""

    help = (
        "Create a service user and print one JSON line with its client_id and client_secret."
        " The secret cannot be read again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name, and perhaps the secret."""
        parser.add_argument("name", metavar="NAME", help="letters, digits and - _ . @")
        parser.add_argument(
            "--secret", help="at least 16 characters; by default one of 256 bits is made"
        )
        parser.add_argument(
            "--rotate",
            action="store_true",
            help="give an existing service user another secret; the one before it stays valid",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Print the credentials."""
        made = self._make(options["name"], options["secret"], rotate=options["rotate"])
        credentials = {"client_id": made.client_id, "client_secret": made.client_secret}
        self.stdout.write(json.dumps(credentials, ensure_ascii=False))

    def _make(self, name: str, secret: str | None, *, rotate: bool) -> NewClient:
        flow = service_user.rotate if rotate else service_user.create
        actor = Actor(name="create_service_user")
        try:
            return flow(name, secret=secret, actor=actor, now=timezone.now())
        except ValidationError as fault:
            raise CommandError(" ".join(fault.messages)) from None
        except ServiceUserExists:
            raise CommandError(
                f"There is a service user {name} already: add --rotate to give it another secret."
            ) from None
        except NameTaken:
            raise CommandError(
                f"{name} is a person's account: choose another name for the service user."
            ) from None
        except ServiceUser.DoesNotExist:
            raise CommandError(
                f"There is no service user {name}: leave out --rotate to create it."
            ) from None
