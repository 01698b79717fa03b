"""Writes docs/reference/errors.md from the code: every error class, every check of the registry.

python -m tests.errors_page
"""

import inspect
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from oidc_pkce.protocol import checks, errors
from oidc_pkce.protocol.checks import Check
from oidc_pkce.protocol.errors import OAuthError

PATH = Path(__file__).parent.parent / "docs" / "reference" / "errors.md"
HEAD = """\
# Errors and checks

Written by `python -m tests.errors_page` from the code; a test fails when it is stale.

A refused request has a request id: the error page shows it, JSON carries it as `request_id`. The
administrator finds the request's trace under it, and there the name of the check that failed.

## Errors

What a client receives as `error`, and when. An error that may travel is sent to the redirect URI
once that is verified; the type of the error decides, never its code.
"""
TRAVELS = {
    errors.DirectError: "Shown to the person as a page; never leaves by a redirect.",
    errors.RedirectableError: "May travel to the verified redirect URI; JSON on the back channel.",
    errors.BearerError: "Answered with `WWW-Authenticate`, as JSON.",
    errors.BackChannelError: "Answered as JSON to the client itself.",
}
ON_ITS_OWN = {
    errors.TemporarilyUnavailable: "A page for a person, JSON for a client; with `Retry-After`.",
}


def text() -> str:
    """The page as it should be."""
    # The endpoints and the resource servers bring every module that registers a check along.
    import_module("oidc_pkce.urls")
    import_module("oidc_pkce.resource_server.admission")
    parts = [HEAD, *map(section_of_error, error_classes()), "## Checks\n"]
    parts.append("Every rule that a request goes through has a name, a clause and a cure.\n")
    # Sorted: which module was imported first depends on what ran before.
    found = sorted(checks.registry().values(), key=lambda check: check.id)
    parts.extend(map(section_of_check, found))
    return "\n".join(parts)


def error_classes() -> list[type[OAuthError]]:
    """Those that can be raised: the base classes only say how an error travels."""
    bases = {OAuthError, *TRAVELS}
    found = inspect.getmembers(errors, inspect.isclass)
    return [each for _, each in found if issubclass(each, OAuthError) and each not in bases]


def section_of_error(error: type[OAuthError]) -> str:
    return "\n".join([f"### {error.__name__}\n", *lines_of_error(error), ""])


def lines_of_error(error: type[OAuthError]) -> Iterator[str]:
    yield f"{sentences(error.__doc__)}\n"
    yield f"- `{error.error}`, status {error.status.value}"
    if error.default_description:
        yield f"- Description: {error.default_description}"
    ways = {**TRAVELS, **ON_ITS_OWN}
    yield f"- {next(words for base, words in ways.items() if issubclass(error, base))}"


def sentences(docstring: str | None) -> str:
    """The first paragraph, in Markdown's spelling of code."""
    first = inspect.cleandoc(docstring or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("``", "`")


def section_of_check(check: "Check[...]") -> str:
    return "\n".join(
        [
            f"### `{check.id}`\n",
            f"{check.sentence}\n",
            f"- Clause: {check.spec}",
            f"- Cure: {check.fix}",
            "",
        ]
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import_module("django").setup()
    PATH.write_text(text())
