"""A person signs in, errs, changes their mind: in Chromium, with JavaScript and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Response, Route, expect

from tests.browser import journey
from tests.browser.conftest import Complaints
from tests.browser.journey import (
    NATIVE,
    Site,
    enter_password,
    enter_user_name,
    received,
    sign_in,
)
from tests.spec import spec

REQUEST_ID = re.compile(r"^[2-9A-Z]{12}$")
FORM_ACTION = re.compile(r"form-action [^;]*")


@pytest.fixture(params=[True, False], ids=["JavaScript", "no JavaScript"])
def any_page(
    request: pytest.FixtureRequest,
    new_context: Callable[..., BrowserContext],
    complaints: Complaints,
) -> Page:
    page = new_context(java_script_enabled=request.param).new_page()
    complaints.watch(page)
    return page


def test_a_person_signs_in_and_returns(any_page: Page, complaints: Complaints, site: Site) -> None:
    any_page.goto(site.request())

    sign_in(any_page)

    answer = received(any_page, site)
    assert list(answer) == ["state", "responseType", "iss", "code"]
    assert answer["state"] == "a state"
    assert answer["iss"] == f"{site.base}/browser_list/"
    assert not complaints.texts


def test_a_person_allows_less_than_was_asked(
    any_page: Page, complaints: Complaints, site: Site
) -> None:
    any_page.goto(site.request("browser_openid", prompt="consent"))
    sign_in(any_page)
    client = any_page.locator(".facts").inner_text()
    assert site.client.origin.removeprefix("http://") in client
    expect(any_page.get_by_text("runs on your own device")).to_be_visible()

    any_page.get_by_role("checkbox", name="Read the notes").uncheck()
    any_page.get_by_role("button", name="Allow").click()

    assert received(any_page, site)["code"]
    assert not complaints.texts


def test_a_person_denies(any_page: Page, site: Site) -> None:
    any_page.goto(site.request("browser_openid", prompt="consent"))
    sign_in(any_page)

    any_page.get_by_role("button", name="Deny").click()

    answer = received(any_page, site)
    assert (answer["error"], answer["state"]) == ("access_denied", "a state")
    assert answer["error_description"] == "User denied confirmation"


def test_who_starts_over_keeps_the_request(any_page: Page, site: Site) -> None:
    any_page.goto(site.request())
    enter_user_name(any_page, "aad")

    any_page.get_by_role("link", name="Start over").click()

    expect(any_page.get_by_label("User name", exact=True)).to_have_value("")
    sign_in(any_page)
    assert received(any_page, site)["state"] == "a state"


def test_a_wrong_password_is_told_and_can_be_mended(any_page: Page, site: Site) -> None:
    any_page.goto(site.request())
    sign_in(any_page, password="not the password")

    told = any_page.get_by_role("alert")
    expect(told).to_contain_text("User name or password is wrong")
    assert any_page.title().startswith("Error:")
    field = any_page.get_by_label("Password", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(told.inner_text())
    enter_password(any_page)
    assert received(any_page, site)["code"]


def test_a_person_uses_another_account(any_page: Page, site: Site) -> None:
    any_page.goto(site.request("browser_openid", prompt="consent"))
    sign_in(any_page)

    any_page.get_by_role("link", name="Use another account").click()
    sign_in(any_page, "bob")

    expect(any_page.get_by_text("Signed in as bob")).to_be_visible()
    any_page.get_by_role("button", name="Allow").click()
    assert received(any_page, site)["code"]


def test_the_error_page_names_the_problem_and_the_request(any_page: Page, site: Site) -> None:
    answer = any_page.goto(site.request(redirect_uri="https://elsewhere.example/callback"))

    assert answer
    assert answer.status == 400
    expect(any_page.get_by_text("https://elsewhere.example/callback")).to_be_visible()
    assert REQUEST_ID.match(any_page.locator("footer code").inner_text())


def test_the_session_is_remembered_until_the_person_signs_out(page: Page, site: Site) -> None:
    page.goto(site.request())
    sign_in(page)
    received(page, site)
    page.goto(site.request())
    assert received(page, site)["code"]

    page.goto(site.sign_out)
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.goto(site.request())
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_hands_on_the_keyboard_suffice(page: Page, site: Site) -> None:
    page.goto(site.request("browser_openid", prompt="consent"))
    expect(page.get_by_label("User name", exact=True)).to_be_focused()
    page.keyboard.type("ada")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    page.keyboard.type(journey.PASSWORD)
    page.keyboard.press("Enter")

    notes = page.get_by_role("checkbox", name="Read the notes")
    expect(notes).to_be_visible()
    tab_to(page, notes)
    page.keyboard.press("Space")
    expect(notes).not_to_be_checked()
    tab_to(page, page.get_by_role("button", name="Allow"))
    page.keyboard.press("Enter")

    assert received(page, site)["code"]


def tab_to(page: Page, target: object, most: int = 12) -> None:
    """Press Tab until the target has the focus; each stop on the way must be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert page.evaluate(outline) == "solid"
        if target.evaluate("it => it === document.activeElement"):  # type: ignore[attr-defined]
            return
    raise AssertionError("Tab does not lead there")


@spec("OAuth 2.0 Form Post Response Mode", "2")
def test_a_form_carries_the_answer_by_itself(
    page: Page, complaints: Complaints, site: Site
) -> None:
    page.goto(site.request(response_mode="form_post"))
    sign_in(page)

    assert list(received(page, site)) == ["state", "responseType", "iss", "code"]
    assert page.locator("h1").inner_text() == "POST"
    assert not complaints.texts


@spec("OAuth 2.0 Form Post Response Mode", "2")
def test_a_form_carries_the_answer_without_javascript(
    new_context: Callable[..., BrowserContext], site: Site
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(site.request(response_mode="form_post"))
    sign_in(page)

    page.get_by_role("button", name="Continue").click()

    assert list(received(page, site)) == ["state", "responseType", "iss", "code"]
    assert page.locator("h1").inner_text() == "POST"


@spec("RFC 8252", "7.1")
def test_the_way_back_to_a_native_app_is_open(
    page: Page, complaints: Complaints, site: Site
) -> None:
    page.goto(site.request(redirect_uri=NATIVE))
    enter_user_name(page)

    answers = redirects_after_password(page)

    assert answers[-1].startswith(f"{NATIVE}?")
    assert dict(parse_qsl(urlsplit(answers[-1]).query))["code"]
    assert not complaints.about_policies


def test_without_its_source_the_way_back_would_be_shut(
    new_context: Callable[..., BrowserContext], complaints: Complaints, site: Site
) -> None:
    page = new_context().new_page()
    complaints.watch(page)
    page.route("**/OAuth2/Login/**", only_self_in_form_action)
    page.goto(site.request(redirect_uri=NATIVE))
    enter_user_name(page)

    redirects_after_password(page)

    assert [text for text in complaints.about_policies if "form-action" in text]


def only_self_in_form_action(route: Route) -> None:
    """The policy that a page must not have: Chromium holds the redirect after a form to it."""
    answer = route.fetch(max_redirects=0)
    policy = answer.headers.get("content-security-policy", "")
    narrow = FORM_ACTION.sub("form-action 'self'", policy)
    route.fulfill(response=answer, headers={**answer.headers, "content-security-policy": narrow})


def redirects_after_password(page: Page) -> list[str]:
    """Sign in, and say where the answer led: no program here opens an app's own scheme."""
    led_to: list[str] = []

    def note(answer: Response) -> None:
        if "location" in answer.headers:
            led_to.append(answer.headers["location"])

    page.on("response", note)
    with page.expect_event("requestfailed"):
        enter_password(page)
    page.wait_for_timeout(100)  # the complaint follows the failure
    return led_to


@spec("RFC 9700", "4.16")
@pytest.mark.parametrize("name", ["login", "error", "signed_out"])
def test_no_page_lets_itself_be_framed(
    new_context: Callable[..., BrowserContext], site: Site, name: str
) -> None:
    page = new_context().new_page()
    complaints = Complaints()
    complaints.watch(page)
    journey.PAGES[name](page, site)

    page.goto(site.client.page_framing(page.url))
    page.wait_for_timeout(100)

    assert page.frames[-1].url.startswith("chrome-error:")
    assert [text for text in complaints.texts if "frame-ancestors" in text]
