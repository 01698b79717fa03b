"""Snippets that are programs: copied from the portal's page, run as they stand, signed in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
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
from tests.live_server import ProductionServer

#: What would end a string, or run a command, in one language or another.
NASTY = """it's "my" $HOME `touch pwned` $(touch pwned) \\ \\" ${x} %(y)s <b>&amp; #{z} ünï"""
NASTY_PATH = "/call'back/$HOME/$(id)/*;!/a"
ROBOT = "robot'\"$HOME`id`\\@example.com"
PASTED = "https://app.example.com/signed-in?from='x'"
PLAIN = "https://app.example.com/signed-in"
EVERYTHING = ["AuthorizationCode", "ClientCreds"]
OPENID = {"template": "Generic OpenID Connect", "client_id_type": "Confidential", "client_ids": []}
ROBIN = {"username": "robin", "password": PASSWORD, "is_staff": True, "is_superuser": True}
GUID = "11111111-0f0c-4d0e-9a53-1c1de8ef0a1{}"


@dataclass(frozen=True)
class Cast:
    """The redirect URI of each application; each has a port of its own."""

    redirects: dict[str, str]


@pytest.fixture(scope="module")
def cast(provider: Provider, live_provider: ProductionServer) -> Cast:
    names = ("snippet_list", "snippet_public", "snippet_secret")
    redirects = {n: f"http://127.0.0.1:{postgres.free_port()}{NASTY_PATH}" for n in names}
    refreshing: dict[str, Any] = {"issues_refresh_tokens": True, "name": f"Snippets {NASTY}"}
    provision(
        live_provider,
        people=[ROBIN],
        service_users=[{"client_id": ROBOT, "client_secret": SECRET}],
        applications=[
            {
                "application_id": "snippet_list",
                "client_ids": ["another", NASTY],
                "redirect_uris": [redirects["snippet_list"], PASTED, PLAIN],
                "scopes": {"it's`read`$HOME": "Read", "write": "Write"},
                **refreshing,
            },
            {
                "application_id": "snippet_public",
                **OPENID,
                "openid_client_id": GUID.format(1),
                "redirect_uris": [redirects["snippet_public"]],
                **refreshing,
            },
            {
                "application_id": "snippet_secret",
                **OPENID,
                "openid_client_id": GUID.format(2),
                "redirect_uris": [redirects["snippet_secret"]],
                "require_client_secret": True,
                "secret": SECRET,
                **refreshing,
            },
            {
                "application_id": "snippet_machine",
                "client_id_type": "Confidential",
                "client_ids": [],
                "flows": EVERYTHING,
                "scopes": {"it's`read`$HOME": "Read"},
            },
        ],
    )
    return Cast(redirects)


@pytest.fixture(scope="module")
def page(cast: Cast, live_provider: ProductionServer) -> SnippetPage:
    return SnippetPage(live_provider, "robin", PASSWORD).sign_in()


APPLICATIONS = ("snippet_list", "snippet_public", "snippet_secret")
PROGRAMS = ("authlib", "requests-oauthlib", "openid-client", "curl")


@pytest.mark.parametrize("application_id", APPLICATIONS)
@pytest.mark.parametrize("client", PROGRAMS)
def test_a_program_signs_a_person_in_as_printed(
    page: SnippetPage, ada: Person, tmp_path: Path, client: str, application_id: str
) -> None:
    chosen = {"client_id": NASTY} if application_id == "snippet_list" else {}
    copied = page.copy(application_id, client, **chosen)

    printed = run(copied, tmp_path, ada)

    who = next(each for each in reversed(printed) if "unique_name" in each)
    assert who["unique_name"] == "ada"
    if application_id != "snippet_list":
        assert who["email"] == ADA["email"]
    if client == "authlib":
        assert printed[0]["aud"] == (chosen.get("client_id") or who["aud"])


@pytest.mark.parametrize("client", PROGRAMS)
def test_a_program_without_a_listener_asks_for_the_address(
    page: SnippetPage, ada: Person, tmp_path: Path, client: str
) -> None:
    chosen = PLAIN if client == "openid-client" else PASTED  # it would lose the query
    copied = page.copy("snippet_list", client, client_id=NASTY, redirect_uri=chosen)

    printed = run(copied, tmp_path, ada)

    assert printed[-1]["unique_name"] == "ada"


@pytest.mark.parametrize("application_id", APPLICATIONS)
def test_curl_refreshes_as_printed(
    page: SnippetPage, ada: Person, tmp_path: Path, application_id: str
) -> None:
    chosen = {"client_id": NASTY} if application_id == "snippet_list" else {}
    copied = page.copy(application_id, "curl", **chosen)
    first = run(copied, tmp_path, ada)[0]

    second = shell(copied["refresh.sh"], tmp_path, OIDC_REFRESH_TOKEN=first["refresh_token"])

    assert second["access_token"] != first["access_token"]
    assert second["scope"] == first["scope"]


def test_a_machine_gets_a_token_as_printed(
    page: SnippetPage, provider: Provider, tmp_path: Path
) -> None:
    copied = page.copy("snippet_machine", "curl", client_id=ROBOT)

    answer = shell(copied["machine.sh"], tmp_path)

    assert answer["scope"] == "it's`read`$HOME"
    claims = provider.verified(answer["access_token"], "snippet_machine", ROBOT)
    assert claims["unique_name"] == ROBOT


@pytest.mark.parametrize("name", ["sign-in.sh", "refresh.sh"])
def test_a_program_says_which_secret_it_needs(page: SnippetPage, tmp_path: Path, name: str) -> None:
    copied = page.copy("snippet_secret", "curl")

    done = subprocess.run(
        ["bash", write(copied[name], tmp_path / name)],
        env={"PATH": os.environ["PATH"], "OIDC_REFRESH_TOKEN": "x"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode != 0
    assert "OIDC_CLIENT_SECRET" in done.stderr


def run(copied: dict[str, str], folder: Path, person: Person) -> list[dict[str, Any]]:
    """Save the program, start it, sign in where it says, and read the JSON that it prints."""
    name = next(name for name in copied if name.startswith("sign"))
    path = write(copied[name], folder / name)
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    commands: dict[str, list[Any]] = {".py": [sys.executable, "-W", "error::DeprecationWarning"]}
    commands |= {".sh": ["bash"], ".mjs": [node()]}
    with subprocess.Popen(
        [*commands[path.suffix], path],
        cwd=folder,
        env=environment(),
        text=True,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    ) as process:
        url = process.stdout.readline().strip().removeprefix("Open ")
        assert url.startswith(person.base), (url, process.stderr.read())
        arrived = person.open(url)
        typed = hand_over(arrived.url, listens="Paste" not in copied[name] and name != "sign-in.sh")
        printed, complaint = process.communicate(typed, timeout=SECONDS)
    assert process.returncode == 0, complaint
    assert sorted(each.name for each in folder.iterdir()) == sorted([name, "node_modules"])
    return [json.loads(line[line.index("{") :]) for line in printed.splitlines() if "{" in line]


def hand_over(address: str, *, listens: bool) -> str:
    """Give the program what the browser got: at its address, or to be pasted."""
    if not listens:
        return f"{address}\n"
    answer = requests.get(address, timeout=SECONDS)
    assert "Go back to the terminal" in answer.text
    return ""


def shell(text: str, folder: Path, **variables: str) -> Any:
    done = subprocess.run(
        ["bash", write(text, folder / "script.sh")],
        env=environment(**variables),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (folder / "pwned").exists()
    return json.loads(done.stdout)


def environment(**variables: str) -> dict[str, str]:
    """Nothing of this run's; the secret stands where the page says that it stands."""
    kept = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "LC_ALL": "C.UTF-8"}
    return {**kept, "OIDC_CLIENT_SECRET": SECRET, **variables}


def write(text: str, path: Path) -> Path:
    path.write_text(text)
    return path
