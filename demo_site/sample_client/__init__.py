"""A public browser client of our own: PKCE by WebCrypto, no build step, no dependencies."""
