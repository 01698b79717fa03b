"""Why did this fail? What the page shows, whatever was sent."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from oidc_pkce.models import Application
from oidc_pkce.protocol.checks import registry
from tests.journeys import last_trace
from tests.portal.conftest import INLINE
from tests.portal.explaining import REGISTERED, page_of


def test_the_closest_candidate_stands_beside_what_was_received(portal, web):
    Application.objects.update(
        redirect_uris=["org.elsewhere:/q", "https://notes.example.com/other", REGISTERED]
    )
    web.authorize(redirect_uri=f"{REGISTERED}/")

    page = page_of(portal)

    assert page.index(f"{REGISTERED}<mark>/</mark>") < page.index(f"{REGISTERED}<mark ")
    assert page.index(f"{REGISTERED}<mark ") < page.index("org.elsewhere:/q")


def test_the_checks_stand_in_order_with_clause_and_reference(portal, web):
    web.authorize(scope="unknown")
    page = page_of(portal)

    assert "https://www.rfc-editor.org/rfc/rfc6749#section-3.3" in page
    assert "/admin/oidc_pkce/requesttrace/checks/#authorize.scope" in page
    names = re.findall(r"checks/#([a-z_.]+)", page)
    assert names.index("authorize.redirect_uri") < names.index("authorize.scope")
    assert names.index("authorize.scope") < names.index("authorize.max_age")
    assert page.count("not reached") == len(names) - names.index("authorize.scope") - 1


def test_a_success_is_explained_too(portal, web, settings):
    settings.OIDC_PKCE = {**settings.OIDC_PKCE, "TRACED_SUCCESSES": 1}
    web.tokens()

    page = page_of(portal)

    assert "Answered: every check passed." in page
    assert "code.single_use" in page
    assert "What to do" not in page


def test_the_time_is_told_to_the_second_as_logs_do(portal, web):
    web.authorize(scope="unknown")
    at = timezone.localtime(last_trace().at)

    assert f"{at:%H:%M:%S %Z}" in page_of(portal)


def test_values_of_a_query_are_neither_shown_nor_marked(portal, web):
    web.authorize(redirect_uri=f"{REGISTERED}?session=canary-in-a-query")
    page = page_of(portal)

    assert "canary-in-a-query" not in page
    assert "<mark>?session=…</mark>" in page
    assert "Values in the query of an address are not kept" in page


HOSTILE = {
    "script": "https://x.example/<script>alert(1)</script>",
    "attribute": 'x" onmouseover="alert(1)',
    "bidi": "https://x.example/\u202egnp.exe",
    "isolate": "\u2066abc\u2069",
    "escape": "\x1b[31mred\x07",
    "long": "https://x.example/" + "a" * 8000,
    "too long": "a" * 10_000,
    "NUL": "https://x.example/\0",
    "entities": "&lt;b&gt;",
}


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["redirect_uri", "client_id", "scope", "response_type"])
def test_whatever_was_sent_is_shown_as_text(portal, web, name, value):
    web.authorize(**{name: HOSTILE[value]})
    trace = last_trace()

    page = portal.get(f"requesttrace/{trace.pk}/change/").content.decode()
    out = StringIO()
    call_command("oidc_doctor", "explain", trace.request_id, stdout=out)

    assert "<script>alert" not in page
    bare = page.replace("&quot; onmouseover=&quot;", "")  # as text, it is harmless
    assert not INLINE.search(bare), INLINE.search(bare)
    for text in (page, out.getvalue()):
        assert not re.search("[\x00\x07\x1b\u202a-\u202e\u2066-\u2069]", text)
    assert len(page) < 100_000


def test_the_page_costs_the_same_for_few_and_for_many_candidates(
    portal, web, django_assert_max_num_queries
):
    web.authorize(redirect_uri="https://x.example/")
    page_of(portal)
    with django_assert_max_num_queries(20) as few:
        page_of(portal)
    count = len(few)
    Application.objects.update(
        redirect_uris=[f"https://station-{n}.example.com/" for n in range(500)],
        client_ids=[f"client-{n}" for n in range(500)],
    )
    web.authorize(redirect_uri="https://x.example/", client_id="client-1")

    with django_assert_max_num_queries(count):
        assert page_of(portal).count("<li><code") < 30


def test_every_check_stands_in_the_portals_reference(portal, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        page = portal.text("requesttrace/checks/")

    for check in registry().values():
        assert f'id="{check.id}"' in page
        assert check.sentence in page
        assert check.fix in page


def test_the_sentences_of_the_checks_are_spoken_in_the_language_of_the_page(
    portal, web, monkeypatch
):
    """They come from docstrings, which makemessages cannot see: a module of its own names them."""
    from django.utils.translation import trans_real

    web.authorize(redirect_uri="https://x.example/")
    german = trans_real.translation("de")
    fix = registry()["authorize.redirect_uri"].sentence
    monkeypatch.setitem(german._catalog._catalogs[0], fix, "Genau eine davon.")
    portal.browser.cookies["django_language"] = "de"

    assert "Genau eine davon." in page_of(portal)


def test_a_request_before_the_last_change_of_its_application_is_to_be_sent_again(portal, web):
    web.authorize(redirect_uri=f"{REGISTERED}/")
    assert "was changed after this request" not in page_of(portal)

    path = f"application/{web.application.pk}/general-usage/"
    portal.save(path, redirect_uris=f"{REGISTERED}\n{REGISTERED}/")

    page = page_of(portal)
    assert "was changed after this request: send the request again" in page
    assert "Add this exact URI" in page
