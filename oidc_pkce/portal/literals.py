"""How a text is written in the languages of the snippets, so that no value ends its own quotes.

Each function gives the whole literal, quotes included: a template never puts quotes around a value.
"""

from __future__ import annotations

import json
import re

_UNREADABLE = re.compile(r"[\x7f-\x9f\u2028\u2029]")
# What the program itself would replace, within quotes too; none of them knows an escape for it.
_APACHE_VARIABLE = re.compile(r"\$\{")
_SPRING_PLACEHOLDER = re.compile(r"\$\{")
_GRAFANA_EXPANSION = re.compile(r"\$(?:__\w+)?\{|%\(")


class UnwritableError(Exception):
    """The language has no way to write this text; ``value`` is the text."""

    def __init__(self, value: str) -> None:
        super().__init__(value)
        self.value = value


def shell(text: str) -> str:
    """A word of a POSIX shell: within single quotes nothing has a meaning but the quote itself."""
    return "'" + text.replace("'", "'\\''") + "'"


def double_quoted(text: str) -> str:
    """A string of Python, JavaScript, Go, C#, YAML and TOML: what JSON writes means the same there.

    Line ends that C# or JavaScript would see within a string are escaped as well.
    """
    written = json.dumps(text, ensure_ascii=False)
    return _UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def spring(text: str) -> str:
    """A value of Spring Boot's ``application.yml``, which replaces ``${…}`` in every value."""
    return double_quoted(_without(_SPRING_PLACEHOLDER, text))


def apache(text: str) -> str:
    """An argument of a directive of Apache's, which replaces ``${…}`` in every line."""
    _one_line(_without(_APACHE_VARIABLE, text))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def grafana(text: str) -> str:
    """A value of ``grafana.ini``: literal between its first backquote and the line's last one."""
    return "`" + _one_line(_without(_GRAFANA_EXPANSION, text)) + "`"


def _without(expansion: re.Pattern[str], text: str) -> str:
    if expansion.search(text):
        raise UnwritableError(text)
    return text


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise UnwritableError(text)
    return text
