"""A host that has its own mind about everything of REST framework; prints how ours answers.

Run by a test, as `python -m tests.api.wilful_host`: each line is a status, a type, whether the body
is spelled with spaces, and of a refusal what it points to.
"""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from tests import settings as usual

OWN = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "1/day"},
    "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
    "ALLOWED_VERSIONS": ["9"],
    "DEFAULT_METADATA_CLASS": "rest_framework.metadata.SimpleMetadata",
    "DEFAULT_SCHEMA_CLASS": "rest_framework.schemas.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "rest_framework.views.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "URL_FORMAT_OVERRIDE": "search",
    "DATETIME_FORMAT": "%d",
    "UNICODE_JSON": False,
    "COMPACT_JSON": False,
}


def main() -> None:
    own = {name: getattr(usual, name) for name in dir(usual) if name.isupper()}
    memory = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    own |= {"DATABASES": memory, "ROOT_URLCONF": "tests.api.urls", "REST_FRAMEWORK": OWN}
    settings.configure(**own)
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    from tests.api.conftest import Api, caller
    from tests.fixtures import make_user
    from tests.journeys import make_application

    make_application()
    tell(Api(browser=Client()).get("applications"))
    api = caller(make_user("robin", is_staff=True, is_superuser=True))
    for _ in range(3):
        tell(api.get("applications?search=My", Accept="text/html; version=3"))
    tell(api.patch("applications/1", {"name": 7}, match="*"), "pointer")
    tell(api.call("OPTIONS", "applications"))


def tell(told: Any, member: str = "") -> None:
    body = told.response.content.decode()
    spaced = "spaced" if re.match(r'{"[a-z]+": ', body) else "tight"
    found = [f'"{each}"' for each in re.findall(rf'"{member}":"([^"]*)"', body)] if member else []
    found += ["“"] if member and "“" in body else []
    print(told.status, told.response.headers["Content-Type"], spaced, *found)


if __name__ == "__main__":
    main()
