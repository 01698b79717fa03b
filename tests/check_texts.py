"""Writes oidc_pkce/portal/check_texts.py from the registry of checks, for the translators.

python -m tests.check_texts
"""

import json
import os
from importlib import import_module
from pathlib import Path

from oidc_pkce.protocol import checks

PATH = Path(__file__).parent.parent / "oidc_pkce" / "portal" / "check_texts.py"
HEAD = '''\
"""What the checks say, for ``makemessages``, which looks into no docstring.

Written by ``python -m tests.check_texts``; a test fails when it is stale.
"""

# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from django.utils.translation import gettext_noop as _

TEXTS = (
'''


def text() -> str:
    """The module as it should be."""
    import_module("oidc_pkce.urls")
    import_module("oidc_pkce.resource_server.admission")
    found = checks.registry().values()
    texts = sorted({words for check in found for words in (check.sentence, check.fix)})
    lines = "".join(f"    _({_quoted(words)}),\n" for words in texts)
    return f"{HEAD}{lines})\n"


def _quoted(words: str) -> str:
    """In the quotation marks that need no escapes."""
    if '"' in words and "'" not in words:
        return f"'{words}'"
    return json.dumps(words, ensure_ascii=False)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import_module("django").setup()
    PATH.write_text(text())
