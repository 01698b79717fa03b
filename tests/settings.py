"""The smallest project that adopts oidc_pkce: what a host has, and nothing of demo_site."""

import os

from tests import databases

SECRET_KEY = "for tests only; nothing that this key protects leaves the machine"
ALLOWED_HOSTS = ["*"]
# Successes are traced where a test asks for it: a sample would make it fail now and then.
OIDC_PKCE = {"ISSUER_BASE": "https://id.example.com", "TRACED_SUCCESSES": 0}

INSTALLED_APPS = [
    "oidc_pkce",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "tests.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": databases.chosen(os.environ)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Sign-ins are many here; the hasher's slowness is Django's to test. The others verify, too.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
