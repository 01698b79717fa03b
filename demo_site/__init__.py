"""The project in which oidc_pkce is developed, shown and tested as in production."""
