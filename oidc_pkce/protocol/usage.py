"""What the traffic of an application used, feature by feature: what posture is judged on."""

from __future__ import annotations

from enum import StrEnum


class Feature(StrEnum):
    """One thing that a granted request did in one of several ways; the values stand beside it."""

    RESPONSE_TYPE = "response_type"  # as KNOWN spells it: "code", "id_token token"
    RESPONSE_MODE = "response_mode"  # query, fragment, form_post
    CODE_CHALLENGE = "code_challenge"  # none, plain, S256
    REQUEST_OBJECT = "request_object"  # none, or the algorithm that signed it
    GRANT_TYPE = "grant_type"  # as it was sent: authorization_code, refresh_token, password
    CLIENT_AUTHENTICATION = "client_authentication"  # none, basic, post
    ALGORITHM = "algorithm"  # of the access token: RS256, ES256, or Opaque
    RESOURCE = "resource"  # named, or none (RFC 8707)
    REDIRECT_URI = "redirect_uri"  # https, loopback, custom
