"""The management API: what the Admin Portal's screens do, for scripts.

Mounted by whoever wants it, with ``include("oidc_pkce.api.urls")``; it needs ``oidc-pkce[api]``.
Every change goes through the flows that the screens use.
"""
