"""An OAuth 2 and OpenID Connect provider for any Django project, PKCE at its heart."""

__version__ = "0.1.0"
