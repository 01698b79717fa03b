"""Snippets that belong into a project: put into a small one, served, and a person signs in."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
import requests

from tests import postgres
from tests.clients.conftest import ADA, PASSWORD, SECONDS, SECRET, Provider
from tests.clients.person import Person
from tests.clients.provisioning import provision
from tests.clients.snippet_page import SnippetPage
from tests.clients.test_javascript import HERE, node
from tests.clients.test_snippets import NASTY, OPENID, ROBIN, environment
from tests.live_server import ProductionServer, stop, wait_until_it_answers

#: What `django-admin startproject` writes, as far as it matters here.
SETTINGS = """
SECRET_KEY = "of a test"
DEBUG = True
ROOT_URLCONF = "urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
USE_TZ = True
"""
URLS = """
from django.http import JsonResponse
from django.urls import path

def who(request):
    user = request.user
    return JsonResponse({"email": getattr(user, "email", ""), "name": user.get_username()})

urlpatterns = [path("", who)]
"""
CALLBACKS = {
    "mozilla-django-oidc": "/oidc/callback/",
    "django-allauth": "/accounts/oidc/field-notes/login/callback/",
    "authjs": "/auth/callback/field-notes",
}
PROOFS = ("secret", "pkce")


@dataclass(frozen=True)
class Place:
    """Where a project is served: the origin of its redirect URI."""

    application_id: str
    port: int

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def places(provider: Provider, live_provider: ProductionServer) -> dict[str, Place]:
    ports = {client: postgres.free_port() for client in CALLBACKS}
    guid = "22222222-0f0c-4d0e-9a53-1c1de8ef0a1{}"
    applications = [
        {
            "application_id": f"project_{number}",
            "name": f"Project {NASTY}",
            **OPENID,
            "openid_client_id": guid.format(number),
            "redirect_uris": [f"http://localhost:{ports[client]}{callback}"],
            "secret": SECRET,
        }
        for number, (client, callback) in enumerate(CALLBACKS.items())
    ]
    provision(live_provider, people=[ROBIN], applications=applications)
    return {
        client: Place(f"project_{number}", ports[client]) for number, client in enumerate(CALLBACKS)
    }


@pytest.fixture(scope="module")
def page(places: Any, live_provider: ProductionServer) -> SnippetPage:
    return SnippetPage(live_provider, "robin", PASSWORD).sign_in()


@pytest.mark.parametrize("proof", PROOFS)
def test_mozilla_django_oidc_signs_a_person_in_as_printed(
    page: SnippetPage, places: dict[str, Place], ada: Person, tmp_path: Path, proof: str
) -> None:
    place = places["mozilla-django-oidc"]
    copied = page.copy(place.application_id, "mozilla-django-oidc", proof=proof)

    with django_project(copied, tmp_path, place):
        browser = requests.Session()
        leaving = browser.get(f"{place.origin}/oidc/authenticate/", allow_redirects=False)
        arrived = browser.get(ada.open(leaving.headers["Location"]).url, timeout=SECONDS)

    assert arrived.json()["email"] == ADA["email"]


@pytest.mark.parametrize("proof", PROOFS)
def test_django_allauth_signs_a_person_in_as_printed(
    page: SnippetPage, places: dict[str, Place], ada: Person, tmp_path: Path, proof: str
) -> None:
    place = places["django-allauth"]
    copied = page.copy(place.application_id, "django-allauth", proof=proof)

    with django_project(copied, tmp_path, place):
        browser = requests.Session()
        question = browser.get(f"{place.origin}/accounts/oidc/field-notes/login/")
        leaving = browser.post(
            question.url,
            data={"csrfmiddlewaretoken": browser.cookies["csrftoken"]},
            allow_redirects=False,
        )
        arrived = browser.get(ada.open(leaving.headers["Location"]).url, timeout=SECONDS)

    assert arrived.json() == {"email": ADA["email"], "name": "ada"}


@pytest.mark.parametrize("proof", PROOFS)
def test_authjs_signs_a_person_in_as_printed(
    page: SnippetPage, places: dict[str, Place], ada: Person, tmp_path: Path, proof: str
) -> None:
    place = places["authjs"]
    copied = page.copy(place.application_id, "authjs", proof=proof)
    (tmp_path / "server.mjs").write_text(copied["server.mjs"])
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")

    with served([node(), "server.mjs"], tmp_path, place, AUTH_SECRET="of a test" * 4):
        browser = requests.Session()
        token = browser.get(f"{place.origin}/auth/csrf", timeout=SECONDS).json()["csrfToken"]
        leaving = browser.post(
            f"{place.origin}/auth/signin/field-notes",
            data={"csrfToken": token},
            allow_redirects=False,
        )
        browser.get(ada.open(leaving.headers["Location"]).url, timeout=SECONDS)
        who = browser.get(f"{place.origin}/", timeout=SECONDS).json()

    assert who["user"] == {"name": "Ada Lovelace", "email": ADA["email"]}


@contextmanager
def django_project(copied: dict[str, str], folder: Path, place: Place) -> Iterator[None]:
    """The snippet at the end of a project's own files, as the page says."""
    (folder / "settings.py").write_text(SETTINGS + copied["settings.py"])
    (folder / "urls.py").write_text(URLS + copied["urls.py"])
    django = [sys.executable, "-m", "django"]
    settings = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder)}
    subprocess.run(
        [*django, "migrate", "--verbosity=0"], cwd=folder, env=environment(**settings), check=True
    )
    command = [*django, "runserver", "--noreload", f"localhost:{place.port}"]
    with served(command, folder, place, **settings):
        yield


@contextmanager
def served(command: list[Any], folder: Path, place: Place, **variables: str) -> Iterator[None]:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(**variables),
            stdin=PIPE,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_it_answers(f"{place.origin}/", process, log)
        yield
    finally:
        stop(process)
        print(log.read_text())
