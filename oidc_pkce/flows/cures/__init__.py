"""Cures: what an administrator can mend, with one click, so that a refused request succeeds.

A cure is a manual edit that somebody prepared: the same flow, rules, rights, version and audit
entry. Which check has which cures, ``registry`` says.
"""

from __future__ import annotations

from .cure import Cure, Place, Sentence
from .registry import CURES, NotAllowed, NotNeeded, apply, may_cure, offered

__all__ = [
    "CURES",
    "Cure",
    "NotAllowed",
    "NotNeeded",
    "Place",
    "Sentence",
    "apply",
    "may_cure",
    "offered",
]
