"""A host that has replaced the administration's theme: the portal stays whole within it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from oidc_pkce.flows import keys
from oidc_pkce.models import SigningKey
from tests.fixtures import make_user
from tests.journeys import give_secret, make_service_user
from tests.portal.conftest import INLINE, Portal

pytestmark = pytest.mark.django_db

# As of a theme that keeps Django's base, and as of one that keeps nothing of it but the blocks.
SITE = """{% extends "admin/base.html" %}
{% block branding %}<p>Harbour Office</p>{% endblock %}
{% block footer %}<footer>Harbour Office, quay 3</footer>{% endblock %}"""
BASE = """{% load i18n static %}<!doctype html>
<html lang="en"><head><title>{% block title %}{% endblock %}</title>
<link rel="stylesheet" href="{% block stylesheet %}{% static "admin/css/base.css" %}{% endblock %}">
{% block dark-mode-vars %}{% endblock %}{% block extrastyle %}{% endblock %}
{% block extrahead %}{% endblock %}{% block responsive %}{% endblock %}
</head>
<body class="harbour {% block bodyclass %}{% endblock %}">
{% block header %}<header>{% block branding %}{% endblock %}</header>{% endblock %}
{% block nav-breadcrumbs %}{% block breadcrumbs %}{% endblock %}{% endblock %}
{% block messages %}{% for message in messages %}<p>{{ message }}</p>{% endfor %}{% endblock %}
<main id="content" class="{% block coltype %}colM{% endblock %}">
{% block pretitle %}{% endblock %}
{% block content_title %}{% if title %}<h1>{{ title }}</h1>{% endif %}{% endblock %}
{% block content_subtitle %}{% endblock %}
{% block content %}{% block object-tools %}{% endblock %}{{ content }}{% endblock %}
{% block sidebar %}{% endblock %}</main>
{% block footer %}{% endblock %}</body></html>"""
THEMES = {
    "base_site": {"base_site.html": SITE},
    "base": {"base_site.html": SITE, "base.html": BASE},
}


@pytest.fixture(params=THEMES)
def themed(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """The project's own templates come first."""
    folder = tmp_path / "admin"
    folder.mkdir()
    for name, text in THEMES[request.param].items():
        (folder / name).write_text(text)
    engine = settings.TEMPLATES[0]
    own = {**engine, "DIRS": [tmp_path, *engine.get("DIRS", [])]}
    with override_settings(TEMPLATES=[own]):
        yield request.param


OPENID = ("trust", "client-secret")
PAGES = ("change", "general-usage", "tokens", "scope", "permissions", "account-mapping", "policy")
OTHERS = ("changelog", "clone", "disable", "delete", "scope-definition")


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_a_page_of_an_application_stays_whole(
    themed: str, portal: Portal, list_app: Any, page: str
) -> None:
    holds_the_frame(portal.text(f"application/{list_app.pk}/{page}/"))


@pytest.mark.parametrize("page", OPENID)
def test_a_page_about_trust_stays_whole(
    themed: str, portal: Portal, openid_app: Any, page: str
) -> None:
    give_secret(openid_app)

    holds_the_frame(portal.text(f"application/{openid_app.pk}/{page}/"))


def holds_the_frame(page: str) -> None:
    """The host's own parts, and all of ours."""
    for part in (
        "Harbour Office, quay 3",
        'class="oidc-application-header"',
        'aria-current="page"',
        "oidc_pkce/portal.css",
        "oidc_pkce/portal.js",
        "oidc-breadcrumbs",
    ):
        assert part in page, part
    assert not INLINE.search(page)


@pytest.mark.parametrize(
    "path",
    [
        *("", "application/", "application/add/", "application/add/?tab=custom"),
        *("application/add/?tab=import", "application/add/oauth2-client/", "serviceuser/"),
        *("serviceuser/add/", "serviceuser/{robot}/change/", "role/", "role/add/", "grant/"),
        *("signingkey/", "signingkey/{key}/change/", "signingkey/rotate/RS256/", "auditevent/"),
        *("signingkey/{key}/retire/", "requesttrace/", "logoutdelivery/"),
    ],
)
def test_every_other_screen_stays_whole(
    themed: str, portal: Portal, list_app: Any, path: str
) -> None:
    robot = make_service_user(make_user("robot"))
    keys.rotate("RS256", timezone.now())
    rows = {"robot": robot.pk, "key": SigningKey.objects.latest("pk").pk}

    page = portal.text(path.format(**rows))

    assert "Harbour Office, quay 3" in page
    assert "oidc_pkce/portal.css" in page
    assert not INLINE.search(page)


def test_a_page_saves_and_says_what_is_wrong(themed: str, portal: Portal, list_app: Any) -> None:
    path = f"application/{list_app.pk}/general-usage/"

    assert "General Usage was saved." in portal.save(path, client_ids="another_client")
    refused = portal.save(path, redirect_uris="no address")

    assert re.search(r'class="errorlist"', refused)
    list_app.refresh_from_db()
    assert list_app.client_ids == ["another_client"]
    assert "no address" in html.unescape(refused)
