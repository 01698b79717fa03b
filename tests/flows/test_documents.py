"""An export can be imported, and changes nothing; whatever is imported can be exported."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oidc_pkce.flows.webapps import Actor, durations, export_documents, import_documents
from oidc_pkce.flows.webapps.document import render
from oidc_pkce.models import Application, AuditEvent, LoginInitiation
from oidc_pkce.protocol.application import ClientIdType, Flow, Template, TokenType
from oidc_pkce.validators import MAXIMUM_LIFETIME, MINIMUM_LIFETIME

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ACTOR = Actor(name="test")

names = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=20).filter(
    lambda name: name.lower() not in {".", "..", ".well-known", "oauth2"}
)
readable = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), max_size=40
).map(str.strip)
lifetimes = st.timedeltas(MINIMUM_LIFETIME, MAXIMUM_LIFETIME).map(
    lambda given: timedelta(days=given.days, seconds=given.seconds)
)
rights = st.lists(
    st.sampled_from(["Grant", "View", "Manage", "Delete", "Execute", "Automatic"]), unique=True
).map(",".join)
uris = st.lists(
    st.builds("https://{}.example/cb".format, st.text("abcdef", min_size=1)), unique=True
)


def listed(values: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(values, unique=True, max_size=4)


profiles = st.fixed_dictionaries(
    {},
    optional={
        "ClientIDType": st.sampled_from([0, 1]),
        "ClientIDTypeName": st.sampled_from([kind.value for kind in ClientIdType]),
        "AllowedClients": listed(names),
        "MustBeOauthClient": st.booleans(),
        "Issuer": st.sampled_from(
            ["", "https://id.elsewhere.example/x/", "https://other.example/"]
        ),
        "Redirects": uris,
        "PostLogoutRedirects": uris,
        "TrustedOrigins": listed(st.sampled_from(["https://a.example", "https://b.example:8443"])),
        "TokenType": st.sampled_from([kind.value for kind in TokenType]),
        "AccessTokenTyp": st.sampled_from(["JWT", "at+jwt"]),
        "AllowedAuth": listed(st.sampled_from([flow.value for flow in Flow])).map(",".join),
        "TokenLifetimeString": lifetimes.map(durations.render),
        "RefreshLifetimeString": lifetimes.map(durations.render),
        "AllowRefresh": st.booleans(),
        "RotateRefresh": st.booleans(),
        "Confirm": st.booleans(),
        "AllowScopeSelect": st.booleans(),
        "RequirePkce": st.booleans(),
        "AllowPlainPkce": st.booleans(),
        "KnownScopes": st.lists(
            st.fixed_dictionaries(
                {"Scope": names},
                optional={"Description": readable, "AllowedRest": listed(names.map("/{}".format))},
            ),
            unique_by=lambda scope: scope["Scope"],
            max_size=4,
        ),
        "ClientId": st.one_of(st.just(""), st.uuids().map(str)),
        "ClientSecret": st.one_of(st.just(""), names.map(lambda name: name.rjust(16, "s"))),
    },
)
documents = st.fixed_dictionaries(
    {"ServiceName": names, "TemplateName": st.sampled_from([kind.value for kind in Template])},
    optional={
        "Name": readable,
        "Description": readable,
        "Category": readable,
        "Url": st.sampled_from(["", "https://app.example/start"]),
        "ShowInUserAppList": st.booleans(),
        "Enabled": st.booleans(),
        "OAuthProfile": profiles,
        "OidcPkce": st.fixed_dictionaries(
            {},
            optional={
                "RequireClientSecret": st.booleans(),
                "Profile": st.sampled_from(["cyberark", "legacy"]),
                "LoginInitiation": st.sampled_from(LoginInitiation.values),
                "UserNameClaim": st.sampled_from(["preferred_username", "email", "name", ""]),
                "SharedUserName": readable,
                "SignInMaxAge": st.one_of(st.just(""), st.none(), lifetimes.map(durations.render)),
                "AllowedNetworks": listed(st.sampled_from(["10.0.0.0/8", "::1", "2001:db8::/32"])),
                "RequiredAcr": st.sampled_from(["", "aal1", "aal2"]),
            },
        ),
        "Permissions": st.lists(
            st.fixed_dictionaries(
                {"Principal": st.just("Everybody"), "PType": st.just("Role"), "Rights": rights}
            ),
            max_size=1,
        ),
    },
)


def imported(document: Any) -> Any:
    return import_documents(json.dumps(document), actor=ACTOR, now=NOW)


def exported() -> str:
    return render(export_documents(Application.objects.all()))


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tenant=st.lists(documents, max_size=3, unique_by=lambda one: one["ServiceName"].lower()))
def test_importing_an_export_changes_nothing(db, tenant):
    Application.objects.all().delete()
    first = imported(tenant)
    assert first.errors == ()
    assert len(first.created) == len(tenant)
    written = exported()
    audited = AuditEvent.objects.count()

    again = import_documents(written, actor=ACTOR, now=NOW)

    assert (again.errors, again.created, again.updated) == ((), (), ())
    assert len(again.unchanged) == len(tenant)
    assert AuditEvent.objects.count() == audited
    assert exported() == written


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(document=documents)
def test_importing_twice_is_importing_once(db, document):
    Application.objects.all().delete()
    imported(document)

    assert len(imported(document).unchanged) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
KEYS = ["Name", "ServiceName", "TemplateName", "Url", "OAuthProfile", "OidcPkce", "Permissions"]
PROFILE_KEYS = [
    "ClientIDType",
    "AllowedClients",
    "Redirects",
    "KnownScopes",
    "AllowedAuth",
    "ClientId",
]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    document=st.one_of(
        json_values,
        st.dictionaries(st.sampled_from(KEYS), json_values),
        st.fixed_dictionaries(
            {
                "ServiceName": st.just("x"),
                "OAuthProfile": st.dictionaries(st.sampled_from(PROFILE_KEYS), json_values),
                "Permissions": st.lists(
                    st.dictionaries(st.sampled_from(["Principal", "PType", "Rights"]), json_values)
                ),
            }
        ),
    )
)
def test_whatever_json_is_imported_gives_a_report(db, document):
    report = imported(document)

    assert report.errors or report.created or report.updated or report.unchanged or document == []


@given(lifetimes)
def test_a_lifetime_is_read_as_it_was_written(lifetime):
    assert durations.parse(durations.render(lifetime)) == lifetime


def test_a_key_that_stands_twice_is_found_among_a_million(db):
    """Three megabytes must not take hours."""
    many = ",".join(f'"{n:x}":0' for n in range(300_000))

    report = import_documents(f'{{{many},"last":0,"last":0}}', actor=ACTOR, now=NOW)

    assert [notice.sentence for notice in report.errors] == [
        "The key “last” stands twice in one object."
    ]
