"""Test this application: what is forged or odd is shown, not obeyed, not believed."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import jwt
import pytest

from oidc_pkce.models import AccessToken, Application
from tests.portal.running import Page, Runner, SecureBrowser, session_text, verified

pytestmark = pytest.mark.django_db

HOSTILE = '"><script>alert(1)</script>'


def test_hostile_values_are_shown_and_not_obeyed(runner: Runner) -> None:
    answer = runner.send(state=HOSTILE, further=f"{HOSTILE}={HOSTILE}", login_hint=HOSTILE)
    page = runner.open(
        f"{runner.callback_path}?{quote(HOSTILE)}={quote(HOSTILE)}&error={quote(HOSTILE)}"
    )
    posted = Page(
        runner.browser.post(runner.callback_path, {HOSTILE: HOSTILE, "id_token": HOSTILE}), ""
    )
    called = runner.press(answer, "code", client_id=HOSTILE, redirect_uri=HOSTILE, nonce=HOSTILE)

    for each in (answer, page, posted, called):
        assert "<script>alert" not in each.html
    assert HOSTILE in page.text


def test_a_forged_token_is_not_called_verified(openid_runner: Runner) -> None:
    openid_runner.application.flows = ["Implicit"]
    openid_runner.application.save()
    response = openid_runner.post_request(query="response_type=id_token")
    form = Page(openid_runner.browser.get(response["Location"]), "").forms[0]
    head, body, signature = form.fields["id_token"].split(".")
    first = "A" if signature[0] != "A" else "B"
    forged = {**form.fields, "id_token": f"{head}.{body}.{first}{signature[1:]}"}

    page = Page(openid_runner.browser.post(form.action, forged), "")

    assert verified(page) == 0
    assert "The signature is not verified: the signature does not fit." in page.text


@pytest.mark.parametrize("moment", [253402300799, -62135596800, 10**18])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Adak"])
def test_a_forged_moment_that_no_calendar_has_breaks_nothing(
    openid_runner: Runner, settings: Any, moment: int, zone: str
) -> None:
    settings.TIME_ZONE = zone
    forged = jwt.encode({"sub": "x"}, "k" * 32, headers={"exp": moment, "iat": moment})
    page = openid_runner.press(openid_runner.tokens(), "userinfo", access_token=forged)

    assert str(moment) in page.text


@pytest.mark.parametrize(
    ("page", "status"),
    [("test", 403), ("test-call", 403), ("test-redirect", 403), ("test-callback", 200)],
)
def test_a_form_of_another_site_is_refused_but_for_the_answer(
    robin: Any, list_app: Application, page: str, status: int
) -> None:
    browser = SecureBrowser(enforce_csrf_checks=True)
    browser.force_login(robin)
    path = f"/admin/oidc_pkce/application/{list_app.pk}/{page}/"

    assert browser.post(path, {"call": "userinfo", "switch": "on"}).status_code == status


def test_an_answer_that_is_posted_changes_nothing(runner: Runner) -> None:
    runner.post_request()
    before = session_text(runner)

    runner.browser.post(runner.callback_path, {"code": "c", "state": "s"})

    assert session_text(runner) == before
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize("call", ["", "password", "nothing of this kind"])
def test_only_what_a_button_stands_for_is_sent(runner: Runner, call: str) -> None:
    path = runner.path.replace("/test/", "/test-call/")

    response = runner.browser.post(path, {"call": call, "client_id": "my_service_user"})

    assert "This form is incomplete" in response.content.decode()


@pytest.mark.parametrize("value", ["\0", "\ud800", "ü€", "a\r\nX-Evil: 1"])
def test_odd_input_gets_an_answer_and_no_crash(runner: Runner, value: str) -> None:
    path = runner.path.replace("/test/", "/test-call/")
    fields = {"client_id": value, "client_secret": value, "access_token": value, "code": value}
    encoded = {k: v.encode("utf-8", "surrogatepass") for k, v in fields.items()}

    for call in ("code", "userinfo", "client_credentials"):
        response = runner.browser.post(path, {**encoded, "call": call})
        assert response.status_code == 200
    assert (
        runner.browser.get(runner.callback_path, {"state": "\0", "code": "\0"}).status_code == 200
    )
