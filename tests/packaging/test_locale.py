"""Every sentence of ours is in the German catalogue, translated, and compiled.

To renew the catalogue, in the folder oidc_pkce:

    django-admin makemessages -l de --add-location file --no-wrap --no-obsolete
    (translate what is new, take away the fuzzy marks)
    sed -i '/^"P.*-Date:/d' locale/de/LC_MESSAGES/django.po
    django-admin compilemessages -l de
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polib
import pytest
from django.utils.translation.template import templatize

APP = Path(__file__).resolve().parents[2] / "oidc_pkce"
CATALOGUE = APP / "locale" / "de" / "LC_MESSAGES" / "django.po"

# Which arguments of a translating function are msgctxt, msgid, msgid_plural.
SHAPES = {
    "gettext": ("msgid",),
    "ngettext": ("msgid", "plural"),
    "pgettext": ("context", "msgid"),
    "npgettext": ("context", "msgid", "plural"),
}
STRING = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(
    rf"\b(_|n?p?gettext)\(\s*({STRING})(?:\s*,\s*({STRING}))?(?:\s*,\s*({STRING}))?", re.DOTALL
)
PLACEHOLDER = re.compile(r"%\(\w+\)\w|%[sd%]|\{\w*\}|</?\w+[^>]*>")

Message = tuple[str, str, str]  # context, msgid, plural


def test_there_is_something_to_translate() -> None:
    assert ("", "Sign in", "") in spoken()
    assert ("", "Enter your password.", "") in spoken()


def test_every_sentence_is_in_the_catalogue() -> None:
    missing = sorted(spoken() - written())

    assert not missing, f"Renew the catalogue (see {__file__}): {missing}"


def test_the_catalogue_holds_nothing_that_is_no_longer_said() -> None:
    stale = sorted(written() - spoken())

    assert not stale, f"Renew the catalogue (see {__file__}): {stale}"


def test_no_text_hides_from_makemessages_under_a_name_of_our_own() -> None:
    """It knows the functions of Django and ``_``; any other name, and it forgets the text."""
    hidden = [
        f"{path.relative_to(APP)}: {name}"
        for path in APP.rglob("*.py")
        for name in imported(ast.parse(path.read_text()))
        if name != "_" and shape_of(name) not in SHAPES
    ]

    assert not hidden, "import gettext under its own name, or as _"


def test_every_entry_is_translated_and_nothing_is_guessed() -> None:
    entries = [entry for entry in catalogue() if not entry.obsolete]

    assert not [entry.msgid for entry in entries if not entry.translated()]
    assert not [entry.msgid for entry in catalogue() if entry.fuzzy or entry.obsolete]


def test_placeholders_and_markup_survive_the_translation() -> None:
    wrong = [
        (entry.msgid, text)
        for entry in catalogue()
        for text in translations(entry)
        if marks(text) not in (marks(entry.msgid), marks(entry.msgid_plural))
    ]

    assert not wrong


def test_the_edges_of_a_sentence_survive_the_translation() -> None:
    """A text that begins or ends with a space, a newline or a colon is glued to another."""
    wrong = [
        (entry.msgid, text)
        for entry in catalogue()
        for text in translations(entry)
        if edges(entry.msgid) != edges(text)
    ]

    assert not wrong


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    compiled = polib.mofile(str(CATALOGUE.with_suffix(".mo")))

    source = {content(entry) for entry in catalogue().translated_entries()}
    assert {content(entry) for entry in compiled} == source


@pytest.mark.parametrize("source", ["gettext(f'Hello {name}')", "_('Hello ' + name)"])
def test_a_text_that_is_put_together_in_the_call_is_found_out(source: str) -> None:
    module = f"from django.utils.translation import gettext, gettext as _\n{source}"

    with pytest.raises(ValueError, match="cannot be translated"):
        list(calls(ast.parse(module)))


@cache
def spoken() -> set[Message]:
    """Every text that templates and Python hand to gettext."""
    return {*in_templates(), *in_python()}


def written() -> set[Message]:
    """Every text that the catalogue knows."""
    return {(e.msgctxt or "", e.msgid, e.msgid_plural) for e in catalogue() if not e.obsolete}


def catalogue() -> polib.POFile:
    return polib.pofile(str(CATALOGUE))


def in_templates() -> Iterator[Message]:
    """Django turns a template into calls for xgettext; what is not a text becomes X."""
    for path in (APP / "templates").rglob("*.html"):
        for name, *arguments in CALL.findall(templatize(path.read_text(), origin=str(path))):
            texts = [ast.literal_eval(argument) for argument in arguments if argument]
            yield message("gettext" if name == "_" else name, texts)


def in_python() -> Iterator[Message]:
    for path in APP.rglob("*.py"):
        yield from calls(ast.parse(path.read_text(), str(path)))


def calls(tree: ast.Module) -> Iterator[Message]:
    """The calls of what a module imported from django.utils.translation, under any name.

    A text that arrives in a variable is translated where it was written down.
    """
    names = imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            shape = names[node.func.id]
            arguments = node.args[: len(SHAPES[shape])]
            if not any(isinstance(argument, ast.Name | ast.Attribute) for argument in arguments):
                yield message(shape, [text_of(argument) for argument in arguments])


def imported(tree: ast.Module) -> dict[str, str]:
    """The translating functions of a module by the names it gave them, with their shapes.

    The protocol imports no Django: its rules have a ``gettext_noop`` of their own.
    """
    return {
        alias.asname or alias.name: shape_of(alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("django.utils.translation", "rule")
        for alias in node.names
        if shape_of(alias.name) in SHAPES
    }


def shape_of(name: str) -> str:
    return name.removesuffix("_lazy").removesuffix("_noop")


def text_of(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    raise ValueError(f"line {argument.lineno}: this cannot be translated: {ast.unparse(argument)}")


def message(shape: str, texts: list[str]) -> Message:
    named = dict(zip(SHAPES[shape], texts, strict=False))
    return named.get("context", ""), named["msgid"], named.get("plural", "")


def translations(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def content(entry: polib.POEntry) -> tuple[object, ...]:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural, tuple(translations(entry))


def marks(text: str) -> list[str]:
    return sorted(PLACEHOLDER.findall(text))


def edges(text: str) -> tuple[str, str, bool]:
    first, last = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return first, last, text.endswith(":")
