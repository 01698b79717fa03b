"""Test this application: the whole flow in the browser, through the public endpoints."""

from .start import TestRunPage

__all__ = ["TestRunPage"]
