"""The headers that every page carries: framing, sniffing, caching, and where a form may lead."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpResponseBase

_POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action {targets}"


def protect_page(
    response: HttpResponseBase,
    *,
    has_form: bool = False,
    form_targets: Iterable[str] = (),
    frame_sources: Iterable[str] = (),
) -> None:
    """Set what keeps a page from being framed, cached, sniffed or scripted by others.

    ``form_targets`` are CSP sources beside ``'self'``: Chromium applies ``form-action`` to the
    redirect that follows a form, so a sign-in page names where the answer will go. A page with a
    form needs a referrer policy that sends ``Origin``, or Django's CSRF check refuses the post.
    ``frame_sources`` are all that a page may show in a frame; without them none but ours.
    """
    targets = " ".join(("'self'", *form_targets))
    frames = " ".join(dict.fromkeys(frame_sources))
    policy = _POLICY.format(targets=targets)
    response["Content-Security-Policy"] = f"{policy}; frame-src {frames}" if frames else policy
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "same-origin" if has_form else "no-referrer"
    forbid_caching(response)


def forbid_caching(response: HttpResponseBase) -> None:
    """Keep an answer out of every cache (RFC 6749 §5.1)."""
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
