"""The wheel, installed where no checkout is near, adopted by a bare project in four lines."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import postgres
from tests.live_server import stop, wait_until_it_answers
from tests.spec import spec

ROOT = Path(__file__).resolve().parent.parent.parent
README = ROOT / "README.md"
SIGN_IN = Path(__file__).with_name("sign_in.py")
APP_LINE = '    "oidc_pkce",\n'
SETTING_LINE = 'OIDC_PKCE = {"ISSUER_BASE": "http://127.0.0.1:8000"}\n'
URL_LINES = (
    '    path("", include("oidc_pkce.urls")),\n'
    '    path("", include("oidc_pkce.well_known_urls")),\n'
)
REDIRECT_URI = "http://localhost:5000/callback"
ADD_ADA = (
    "from django.contrib.auth.models import User;"
    "User.objects.create_user('ada', password='a long secret')"
)
DOCUMENT = {
    "Name": "Packaged",
    "ServiceName": "Packaged",
    "TemplateName": "OAuth2ServerClient",
    "OAuthProfile": {
        "ClientIDType": 0,
        "AllowedClients": ["my_service_user"],
        "Redirects": [REDIRECT_URI],
    },
    "Permissions": [{"Principal": "Everybody", "PType": "Role", "Rights": "View, Execute"}],
}


@dataclass(frozen=True)
class BareProject:
    """What `startproject` makes, in an environment that holds our wheel and its dependencies."""

    folder: Path
    python: Path

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            [self.python, *command],
            cwd=self.folder,
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
        return done.stdout

    def edit(self, name: str, before: str, after: str) -> None:
        path = self.folder / "host" / name
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after, 1))

    @contextmanager
    def served_on(self, port: int) -> Iterator[None]:
        process = subprocess.Popen(
            [self.python, "manage.py", "runserver", "--noreload", str(port)],
            cwd=self.folder,
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}/admin/login/", process)
            yield
        finally:
            stop(process)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> BareProject:
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    bare = BareProject(folder, python)
    pins = ROOT / "requirements" / "demo.txt"
    bare.run("-m", "pip", "install", "--quiet", "--no-input", "-c", str(pins), str(wheel))
    bare.run("-m", "django", "startproject", "host", ".")
    return bare


def test_the_wheel_holds_all_that_the_app_needs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert missing_from(names) == set()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"oidc_pkce"}
    assert not [name for name in names if "__pycache__" in name]


def missing_from(names: list[str]) -> set[str]:
    """What the app's folder holds and the wheel does not."""
    source = ROOT / "oidc_pkce"
    files = {path for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    return {path.relative_to(ROOT).as_posix() for path in files} - set(names)


@pytest.mark.parametrize("line", [APP_LINE, SETTING_LINE, *URL_LINES.splitlines()])
def test_the_readme_tells_adopters_exactly_these_lines(line: str) -> None:
    assert line.strip() in README.read_text()


@spec("RFC 6749", "4.1")
@spec("RFC 7636", "4")
def test_four_lines_in_a_bare_project_make_a_provider(project: BareProject) -> None:
    port = postgres.free_port()
    base = f"http://127.0.0.1:{port}"
    adopt(project, base)
    project.run("manage.py", "migrate", "--verbosity", "0")
    seed(project)

    with project.served_on(port):
        arguments = (base, "Packaged", "my_service_user", REDIRECT_URI, "ada", "a long secret")
        answer = json.loads(project.run(SIGN_IN, *arguments))

    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 18000
    assert answer["scope"] == ""


def adopt(project: BareProject, base: str) -> None:
    """The README's four lines; `include` is imported as Django's own comment in urls.py says."""
    setting = SETTING_LINE.replace("http://127.0.0.1:8000", base)
    project.edit("settings.py", "INSTALLED_APPS = [\n", "INSTALLED_APPS = [\n" + APP_LINE)
    project.edit("settings.py", "MIDDLEWARE = [", setting + "\nMIDDLEWARE = [")
    project.edit("urls.py", "import path", "import include, path")
    project.edit("urls.py", "urlpatterns = [\n", "urlpatterns = [\n" + URL_LINES)


def seed(project: BareProject) -> None:
    (project.folder / "webapps.json").write_text(json.dumps(DOCUMENT))
    project.run("manage.py", "import_webapps", "webapps.json")
    project.run("manage.py", "shell", "-c", ADD_ADA)


def bare_environment() -> dict[str, str]:
    """Ours without what points back at this checkout or at the run of the tests."""
    pointers = ("DJANGO_", "OIDC_PKCE_", "PYTEST_", "PYTHON", "DATABASE_URL", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(pointers)}
