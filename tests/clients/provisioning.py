"""What an administrator has configured: people, service users and applications of a live server.

`provision` runs this module in the server's own environment, with a cast as JSON on its input.
"""

import json
import subprocess
import sys
from typing import Any

from tests.live_server import ROOT, ProductionServer

Fields = dict[str, Any]


def provision(server: ProductionServer, **cast: list[Fields]) -> None:
    """Add `people`, `service_users` and `applications`; those that are there already stay."""
    subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        env={**server.environment, "DJANGO_SETTINGS_MODULE": "demo_site.settings"},
        input=json.dumps(cast),
        text=True,
        check=True,
    )


def main() -> None:
    import django

    django.setup()
    cast: dict[str, list[Fields]] = json.load(sys.stdin)
    for person in cast.get("people", []):
        add_person(**person)
    for service_user in cast.get("service_users", []):
        add_service_user(**service_user)
    for application in cast.get("applications", []):
        add_application(**application)


def add_person(username: str, **fields: Any) -> Any:
    from django.contrib.auth import get_user_model

    people = get_user_model().objects
    return people.filter(username=username).first() or people.create_user(username, **fields)


def add_service_user(client_id: str, client_secret: str) -> None:
    from oidc_pkce import identifiers
    from oidc_pkce.models import ClientSecret, ServiceUser

    service_user, is_new = ServiceUser.objects.get_or_create(user=add_person(client_id))
    if is_new:
        digest = identifiers.digest(client_secret)
        ClientSecret.objects.create(service_user=service_user, digest=digest)


def add_application(
    application_id: str, scopes: dict[str, str] | None = None, secret: str = "", **fields: Any
) -> None:
    """Everybody may run it; `scopes` are names with descriptions."""
    from oidc_pkce import identifiers
    from oidc_pkce.models import Application, ClientSecret
    from tests.journeys import make_application

    if Application.objects.named(application_id).exists():
        return
    made = make_application(application_id=application_id, **fields)
    for name, description in (scopes or {}).items():
        made.scopes.create(name=name, description=description)
    if secret:
        ClientSecret.objects.create(application=made, digest=identifiers.digest(secret))


if __name__ == "__main__":
    main()
