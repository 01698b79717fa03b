"""A logo is changed with its application: all or nothing, audited, versioned."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from oidc_pkce.flows.webapps import (
    Actor,
    Changes,
    EditedMeanwhile,
    LogoChange,
    create,
    delete,
    update,
)
from oidc_pkce.flows.webapps.changes import snapshot
from oidc_pkce.flows.webapps.logo import MAX_LOGO, content_type_of
from oidc_pkce.models import Application, ApplicationLogo, AuditEvent

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ROBIN = Actor(name="robin")
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
GIF = b"GIF87a" + b"picture"
BASICS = {"template": "OAuth2ServerClient", "application_id": "fresh", "name": "Fresh"}


def change(application: Application, logo: LogoChange | None, **given: int) -> Application:
    return update(application, Changes(logo=logo), actor=ROBIN, now=NOW, **given)


def test_an_application_is_created_with_its_logo(db):
    made = create(Changes(BASICS, logo=LogoChange(PNG)), actor=ROBIN, now=NOW)

    assert bytes(ApplicationLogo.objects.get(pk=made.pk).content) == PNG
    assert snapshot(made)["logo"] == LogoChange(PNG).etag


def test_a_logo_that_is_not_named_stays(list_app):
    change(list_app, LogoChange(PNG))

    changed = update(list_app, Changes({"name": "Renamed"}), actor=ROBIN, now=NOW)

    assert changed.version == 3
    assert bytes(ApplicationLogo.objects.get().content) == PNG


def test_a_logo_is_replaced_and_removed_with_a_version_each(list_app):
    versions = [
        change(list_app, logo).version
        for logo in (LogoChange(PNG), LogoChange(PNG), LogoChange(GIF), LogoChange(), LogoChange())
    ]

    assert versions == [2, 2, 3, 4, 4]
    assert not ApplicationLogo.objects.exists()
    told = [event.details["changes"]["logo"] for event in AuditEvent.objects.order_by("pk")]
    png, gif = LogoChange(PNG).etag, LogoChange(GIF).etag
    assert [(one["before"], one["after"]) for one in told] == [
        (None, png),
        (png, gif),
        (gif, None),
    ]


def test_the_second_of_two_is_refused_though_only_the_logo_changed(list_app):
    change(list_app, LogoChange(PNG), expected_version=1)

    with pytest.raises(EditedMeanwhile):
        change(list_app, LogoChange(GIF), expected_version=1)

    assert ApplicationLogo.objects.get().content_type == "image/png"


@pytest.mark.parametrize(
    "content",
    [b"", b"<svg/>", PNG.ljust(MAX_LOGO + 1, b"x")],
    ids=["empty", "svg", "large"],
)
def test_what_cannot_be_a_logo_leaves_the_rest_unsaved_too(list_app, content):
    with pytest.raises(ValidationError) as caught:
        update(
            list_app,
            Changes({"name": "Renamed"}, logo=LogoChange(content)),
            actor=ROBIN,
            now=NOW,
        )

    assert list(caught.value.message_dict) == ["logo"]
    assert Application.objects.get().name == "My App"


def test_a_wrong_field_leaves_the_logo_unsaved_too(list_app):
    with pytest.raises(ValidationError):
        update(list_app, Changes({"name": ""}, logo=LogoChange(PNG)), actor=ROBIN, now=NOW)

    assert not ApplicationLogo.objects.exists()


def test_deleting_an_application_says_which_logo_went_along(list_app):
    change(list_app, LogoChange(PNG))

    delete(list_app, actor=ROBIN, now=NOW)

    assert not ApplicationLogo.objects.exists()
    assert AuditEvent.objects.first().details["changes"]["logo"]["before"] == LogoChange(PNG).etag


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xdb", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8L", "image/webp"),
        (b"RIFF\0\0\0\0AVI ", ""),
        (b"GIF88a", ""),
        (b"\x89PNG", ""),
        (b"\xef\xbb\xbf<svg/>", ""),
    ],
    ids=["png", "jpeg", "gif", "webp", "avi", "gif88", "half", "bom"],
)
def test_the_first_bytes_say_what_it_is(content, told):
    assert content_type_of(content) == told


def test_the_bytes_stay_out_of_what_is_logged():
    assert "PNG" not in repr(Changes(logo=LogoChange(PNG)))
