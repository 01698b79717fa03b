"""The portal in German: also what is put together from parts speaks it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.utils import translation

from oidc_pkce.protocol import metadata, redirect_uri
from oidc_pkce.validators import FAULTS, redirect_problem
from tests.journeys import make_application
from tests.portal.conftest import Portal


@pytest.fixture
def german(portal: Portal) -> Portal:
    portal.browser.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    return portal


def test_everybody_is_called_alle_in_tables_and_found_by_that_name(german):
    page = f"application/{make_application().pk}/permissions/"

    assert '<th scope="row">Alle' in german.text(page)
    assert 'aria-label="Ausführen: Alle"' in german.text(page)
    assert '<th scope="row">Alle' in german.text(page, q="alle")
    assert '<th scope="row">Alle' in german.text(page, q="every")


def test_the_fault_of_a_redirect_uri_is_told_in_german(german):
    page = f"application/{make_application().pk}/general-usage/"

    answer = german.save(page, redirect_uris="http://www.example.com/back")

    assert "http ist nur für localhost" in answer
    assert "http is for localhost" not in answer


def test_an_endpoint_keeps_its_name_where_a_button_has_a_german_one(german):
    page = german.text(f"application/{make_application().pk}/change/")

    assert "<dt>Revoke</dt>" in page


@pytest.mark.parametrize("module", [redirect_uri, metadata])
def test_every_fault_that_protocol_tells_in_fixed_words_can_be_translated(module):
    """Returned sentences of the functions that judge an address."""
    tree = ast.parse(Path(module.__file__).read_text())
    told = {
        node.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and "problem" in function.name
        for answer in ast.walk(function)
        if isinstance(answer, ast.Return)
        for node in ast.walk(answer)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        if not any(isinstance(each, ast.JoinedStr) for each in ast.walk(answer))
    }

    assert told
    assert told <= set(FAULTS)
    assert {fault for _, fault in redirect_uri._FAULTS} <= set(FAULTS)


@pytest.mark.parametrize("uri", ["", "/back", "https:///x", "http:///x", "https://a/../b", "a:"])
def test_a_fault_is_translated_whenever_its_words_are_fixed(uri):
    with translation.override("de"):
        assert redirect_problem(uri) != redirect_uri.problem(uri)
