"""The catalogue of Add Web Apps: every entry makes an application that stands."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from oidc_pkce.flows.webapps import Actor, catalogue, create
from oidc_pkce.flows.webapps.catalogue import Entry, Question
from oidc_pkce.models import Application, Status

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ENTRIES = (*catalogue.CATALOGUE, *catalogue.CUSTOM)
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)


def added(entry: Entry, answer: str | None = None) -> Application:
    given = entry.example if answer is None else answer
    changes = entry.changes(entry.key, str(entry.title), given)
    return create(changes, actor=Actor(), now=NOW)


@every_entry
def test_an_entrys_own_example_makes_an_application(db, entry):
    made = added(entry)

    assert made.requires_pkce
    assert not made.allows_plain_pkce
    assert made.rotates_refresh_tokens
    assert not {"Implicit", "ResourceCreds"} & set(made.flows)


@pytest.mark.parametrize("entry", catalogue.CATALOGUE, ids=lambda entry: entry.key)
def test_what_search_adds_only_waits_for_somebody_to_use_it(db, entry):
    added(entry)

    assert Application.objects.with_status().get().status == Status.READY_TO_DEPLOY


@every_entry
def test_keys_are_names_for_addresses_and_application_ids(entry):
    assert re.fullmatch(r"[a-z0-9-]+", entry.key)
    assert catalogue.find(entry.key) is entry


def test_keys_are_unique():
    assert len({entry.key for entry in ENTRIES}) == len(ENTRIES)
    assert catalogue.find("nothing") is None


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_whoever_is_asked_sees_an_example(entry):
    assert bool(entry.example) is (entry.question is not Question.NOTHING)


def test_a_public_client_has_no_secret_and_a_server_has(db):
    asked = {entry.key: added(entry).require_client_secret for entry in catalogue.CATALOGUE}

    assert [key for key, secret in asked.items() if secret] == [
        "server-side-web-app",
        "grafana",
        "oauth2-proxy",
        "mozilla-django-oidc",
    ]


def test_a_machine_may_go_without_an_audience(db):
    made = added(catalogue.find("machine-client"), answer="")

    assert (made.audience, made.flows) == ("", ["ClientCreds"])
    assert made.must_be_oauth_client
