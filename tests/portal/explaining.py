"""A refused request, and the page that says why."""

from __future__ import annotations

from tests.journeys import last_trace

REGISTERED = "https://notes.example.com/callback"
GUESS = "canary-guess-of-43-characters-01234567890ab"


def page_of(portal, trace=None):
    return portal.text(f"requesttrace/{(trace or last_trace()).pk}/change/")
