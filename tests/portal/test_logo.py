"""A logo is part of the same save, judged by its bytes, and served so that it is harmless."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from oidc_pkce.flows.webapps.logo import MAX_LOGO
from oidc_pkce.models import Application, ApplicationLogo, AuditEvent
from tests.portal.test_settings import settings_of

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
JPEG = b"\xff\xd8\xff\xe0" + b"picture"
GIF = b"GIF89a" + b"picture"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 " + b"picture"
HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def upload(content: bytes, name: str = "logo.png", content_type: str = "image/png") -> Any:
    return SimpleUploadedFile(name, content, content_type)


def logo_of(portal: Any, application: Application) -> Any:
    return portal.browser.get(f"/OAuth2/Logo/{application.application_id}")


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")],
    ids=["png", "jpeg", "gif", "webp"],
)
def test_a_logo_is_stored_under_the_type_that_its_bytes_say(
    portal, list_app, content, content_type
):
    page = portal.save(
        settings_of(list_app), logo=upload(content, "logo.txt", "application/octet-stream")
    )

    assert "was saved." in page
    answer = logo_of(portal, list_app)
    assert (answer.content, answer.headers["Content-Type"]) == (content, content_type)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(content).hexdigest()}"'


@pytest.mark.parametrize(
    ("content", "name", "content_type"),
    [
        (SVG, "logo.svg", "image/svg+xml"),
        (SVG, "logo.png", "image/png"),
        (HTML, "logo.png", "image/png"),
        (b"<?xml version='1.0'?>" + SVG, "logo.gif", "image/gif"),
        (b" " + PNG, "logo.png", "image/png"),
        (b"RIFF\x10\x00\x00\x00WAVEfmt ", "logo.webp", "image/webp"),
        (b"BM" + b"picture", "logo.bmp", "image/bmp"),
        (b"%PDF-1.7", "logo.png", "image/png"),
    ],
    ids=["svg", "svg-as-png", "html", "xml", "space", "wave", "bmp", "pdf"],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(
    portal, list_app, content, name, content_type
):
    page = portal.save(
        settings_of(list_app), name="Renamed", logo=upload(content, name, content_type)
    )

    assert "This is not a picture that can be a logo: use PNG, JPEG, WebP or GIF." in page
    assert not ApplicationLogo.objects.exists()
    assert Application.objects.get().name == "My App"


def test_a_polyglot_is_served_as_a_picture_that_cannot_run_anything(portal, list_app):
    portal.save(settings_of(list_app), logo=upload(GIF + HTML, "logo.html", "text/html"))

    answer = logo_of(portal, list_app)

    assert answer.headers["Content-Type"] == "image/gif"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(("size", "is_stored"), [(MAX_LOGO, True), (MAX_LOGO + 1, False)])
def test_a_logo_has_at_most_256_kib(portal, list_app, size, is_stored):
    page = portal.save(settings_of(list_app), logo=upload(PNG.ljust(size, b"x")))

    assert ("This file has 257 KiB; a logo has at most 256 KiB." in page) is not is_stored
    assert ApplicationLogo.objects.exists() is is_stored


def test_an_empty_file_is_no_logo(portal, list_app):
    assert "The submitted file is empty" in portal.save(settings_of(list_app), logo=upload(b""))


def test_a_logo_is_kept_replaced_and_removed(portal, list_app):
    portal.save(settings_of(list_app), logo=upload(PNG))
    portal.save(settings_of(list_app), name="Renamed")
    assert bytes(ApplicationLogo.objects.get().content) == PNG

    portal.save(settings_of(list_app), logo=upload(GIF))
    assert bytes(ApplicationLogo.objects.get().content) == GIF

    portal.save(settings_of(list_app), remove_logo="on")
    assert not ApplicationLogo.objects.exists()
    assert logo_of(portal, list_app).status_code == 404


def test_a_new_logo_wins_over_the_box_that_removes_the_old_one(portal, list_app):
    portal.save(settings_of(list_app), logo=upload(PNG))

    portal.save(settings_of(list_app), logo=upload(GIF), remove_logo="on")

    assert ApplicationLogo.objects.get().content_type == "image/gif"


def test_the_box_is_there_when_there_is_a_logo(portal, list_app):
    assert "remove_logo" not in portal.text(settings_of(list_app))

    page = portal.save(settings_of(list_app), logo=upload(PNG))

    assert "remove_logo" in page
    address = "https://id.example.com/OAuth2/Logo/my_app?"
    query = hashlib.sha256(PNG).hexdigest()[:16]
    assert page.count(f'src="{address}{query}"') == 2
    assert portal.browser.get(f"/OAuth2/Logo/my_app?{query}").content == PNG


def test_a_logo_is_audited_by_its_digest(portal, list_app):
    portal.save(settings_of(list_app), logo=upload(PNG))

    changes = AuditEvent.objects.get().details["changes"]
    assert changes == {"logo": {"before": None, "after": hashlib.sha256(PNG).hexdigest()}}
    assert Application.objects.get().version == 2


def test_the_same_logo_again_changes_nothing(portal, list_app):
    portal.save(settings_of(list_app), logo=upload(PNG))

    portal.save(settings_of(list_app), logo=upload(PNG))

    assert Application.objects.get().version == 2


def test_the_second_of_two_does_not_replace_the_firsts_logo(portal, second, list_app):
    stale = second.fields(settings_of(list_app))
    portal.save(settings_of(list_app), logo=upload(PNG))

    page = second.post(settings_of(list_app), {**stale, "logo": upload(GIF)}).content.decode()

    assert "robin changed this application" in page
    assert "choose this file again" in page
    assert bytes(ApplicationLogo.objects.get().content) == PNG


def test_whoever_has_another_field_wrong_is_told_to_choose_the_file_again(portal, list_app):
    page = portal.save(settings_of(list_app), application_id="no good", logo=upload(PNG))

    assert "Nothing was saved, so choose this file again." in page
    assert not ApplicationLogo.objects.exists()


def test_no_more_than_one_sentence_is_said_of_a_bad_file(portal, list_app):
    page = portal.save(settings_of(list_app), application_id="no good", logo=upload(SVG))

    assert "choose this file again" not in page or "not a picture" not in page


def test_text_in_the_place_of_a_file_is_no_logo(portal, list_app):
    portal.save(settings_of(list_app), logo="PNG")

    assert not ApplicationLogo.objects.exists()
