"""The reference is complete and not stale: what has no heading, or a heading of nothing, fails."""

import inspect
import re
from pathlib import Path

import pytest
from django.core.management import BaseCommand, load_command_class
from django.dispatch import Signal

import oidc_pkce
from oidc_pkce import signals
from oidc_pkce.conf import DEFAULTS, RULES
from tests import errors_page

APP = Path(oidc_pkce.__file__).parent
DOCS = APP.parent / "docs"
REFERENCE = DOCS / "reference"
TEMPLATES = APP / "templates" / "oidc_pkce"
SCREENS = APP / "templates" / "admin" / "oidc_pkce"
COMMANDS = sorted(
    path.stem
    for path in (APP / "management" / "commands").glob("*.py")
    if not path.stem.startswith("_")
)
SIGNALS = [name for name, each in vars(signals).items() if isinstance(each, Signal)]
PAGES = sorted(REFERENCE.glob("*.md"))


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text()


def sections(name: str) -> dict[str, str]:
    """What stands under each `## `heading`` in code marks."""
    parts = re.split(r"^##+ `([^`]+)`.*$", page(name), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_setting_has_a_section_and_every_section_a_setting() -> None:
    assert list(sections("settings")) == list(DEFAULTS)


@pytest.mark.parametrize("name", [name for name in DEFAULTS if name != "ISSUER_BASE"])
def test_a_setting_says_its_default_and_what_it_accepts(name: str) -> None:
    said = " ".join(sections("settings")[name].split())
    default = DEFAULTS[name]
    shown = f'"{default}"' if isinstance(default, str) else repr(default)

    assert f"Default: `{shown}`" in said
    assert f"Accepts: {RULES[name].wanted}" in said


def test_every_system_check_has_a_section() -> None:
    said = re.findall(r'"([EW]\d{3})"', (APP / "checks.py").read_text())

    assert sorted(sections("system-checks")) == sorted({f"oidc_pkce.{number}" for number in said})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_section_that_names_its_options(name: str) -> None:
    parser = load_command_class("oidc_pkce", name).create_parser("manage.py", name)
    common = BaseCommand().create_parser("manage.py", "any")
    usual = {option for action in common._actions for option in action.option_strings}
    options = [o for a in parser._actions for o in a.option_strings if o not in usual]

    section = sections("commands")[name]

    assert [option for option in options if option not in section] == []


def test_no_command_is_described_that_does_not_exist() -> None:
    assert set(sections("commands")) <= set(COMMANDS)


def test_every_signal_has_a_section() -> None:
    assert list(sections("signals")) == SIGNALS


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signals_section_names_its_arguments(name: str) -> None:
    comment = inspect.getsource(signals).partition(f"{name} = Signal")[0].rpartition("\n\n")[2]
    arguments = re.findall(r"``(\w+)``", comment)

    assert arguments
    assert [each for each in arguments if f"`{each}`" not in sections("signals")[name]] == []


def test_every_template_has_a_section() -> None:
    found = {path.name for path in TEMPLATES.glob("*.html")}

    assert set(sections("templates")) == found


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_a_templates_section_names_its_blocks(path: Path) -> None:
    blocks = re.findall(r"{% block (\w+)", path.read_text())
    section = sections("templates")[path.name]

    assert [block for block in blocks if f"`{block}`" not in section] == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("[a-z]*.html")), ids=lambda path: path.name)
def test_a_templates_section_names_its_context(path: Path) -> None:
    template = path.read_text()
    loops = re.findall(r"{% for ([a-z, ]+) in", template)
    renamed = re.findall(r" with (\w+)=", template)
    own = {name.strip() for loop in loops for name in loop.split(",")} | {*renamed, "block"}
    used = set(re.findall(r"{(?:{|% (?:el)?if|% for [a-z, ]+ in)(?: not)? ([a-z_]+)", template))

    section = sections("templates")[path.name]
    assert [name for name in used - own if f"`{name}`" not in section] == []


def test_every_screens_template_has_a_row_and_every_row_a_template() -> None:
    table = page("templates").partition("## The Admin Portal")[2]
    first = "".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `"))
    parts = ("_", "home/", "widgets/")
    found = [path.relative_to(SCREENS) for path in SCREENS.rglob("[a-z]*.html")]

    told = re.findall(r"`([^`]+)`", first)
    assert sorted(told) == sorted(str(p) for p in found if not str(p).startswith(parts))


def test_errors_and_checks_are_written_afresh() -> None:
    stale = "docs/reference/errors.md is stale: run `python -m tests.errors_page`"

    assert errors_page.PATH.read_text() == errors_page.text(), stale


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_picture_of_the_portal_is_shown_somewhere() -> None:
    said = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    pictures = (f"images/portal/{path.name}" for path in (DOCS / "images/portal").glob("*.png"))

    assert [name for name in pictures if name not in said] == []
