"""For the project's own APIs: who presents an access token, and what it opens (RFC 6750).

``authentication`` and ``permissions`` are for Django REST framework, ``decorators`` for plain
views, ``urls`` for the metadata of RFC 9728. Only the first two import ``rest_framework``.
"""
