"""Settings of demo_site, all of them from the environment and all of them optional.

The README's table says what each variable means.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from demo_site import environment

BASE_DIR = Path(__file__).resolve().parent.parent

HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = os.environ.get("PORT") or "8000"
ISSUER_BASE = os.environ.get("OIDC_PKCE_ISSUER_BASE") or environment.address(HOST, PORT)
BASE = urlsplit(ISSUER_BASE)
SERVED_OVER_TLS = environment.is_secure(ISSUER_BASE)

DEBUG = environment.flag("DJANGO_DEBUG", default=False)
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or environment.secret_kept_in(
    BASE_DIR / ".secret-key"
)
ALLOWED_HOSTS = environment.words("DJANGO_ALLOWED_HOSTS") or [
    *dict.fromkeys([str(BASE.hostname), HOST, "localhost", "127.0.0.1", "[::1]"])
]

OIDC_PKCE = {
    "ISSUER_BASE": ISSUER_BASE,
    "THROTTLING": environment.flag("OIDC_PKCE_THROTTLING", default=True),
    "RESOURCE_SERVER": {
        "APPLICATIONS": ["sample_oidc"],
        "RESOURCE": f"{ISSUER_BASE}/api",
        "NAME": "Notes",
        "SCOPES": ["notes.read"],
    },
}
# The demo's people live on this machine alone: nobody real is told their address.
if environment.is_loopback(str(BASE.hostname)):
    OIDC_PKCE["CLAIMS_PROVIDER"] = "demo_site.claims.DemoClaims"

INSTALLED_APPS = [
    "oidc_pkce",
    "demo_site",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "demo_site.content_security_policy.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "demo_site.urls"
WSGI_APPLICATION = "demo_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

DATABASES = {"default": environment.database(BASE_DIR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": environment.cache(BASE_DIR / ".cache" / "cache.sqlite3")}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en"
# The languages that oidc_pkce speaks completely; a page is never half in one.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
TIME_ZONE = "UTC"
USE_TZ = True

# Files are found in the apps themselves: `collectstatic` is not part of the set-up.
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SERVED_OVER_TLS
# TLS ends in front of us, so Django sees http and must be told which origin forms come from.
CSRF_TRUSTED_ORIGINS = [f"{BASE.scheme}://{BASE.netloc}"]
if SERVED_OVER_TLS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SILENCED_SYSTEM_CHECKS = [
        "security.W008",  # what ends TLS in front of us redirects http, too
        "security.W021",  # the preload list is the domain owner's decision
    ]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"level": "WARNING"},
        "oidc_pkce": {"level": os.environ.get("OIDC_PKCE_LOG_LEVEL") or "INFO"},
    },
}
