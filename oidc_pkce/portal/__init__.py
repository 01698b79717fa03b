"""The Admin Portal: one module per screen, on Django's own administration."""
