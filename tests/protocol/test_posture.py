"""Every rule of posture by its truth table, and what the profiles preset and enforce."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from typing import Any

import pytest

from oidc_pkce.protocol.application import (
    ApplicationFacts,
    ClientIdType,
    Flow,
    Profile,
    SubjectType,
    Template,
    TokenType,
    UserNameStrategy,
)
from oidc_pkce.protocol.posture import (
    PROFILES,
    RULES,
    Effect,
    Level,
    Question,
    SecretFacts,
    ServerFacts,
    Specification,
    Use,
    Verdict,
    breaches,
    examine,
    find,
    of_specification,
    tally,
)
from oidc_pkce.protocol.posture.rule import rule
from oidc_pkce.protocol.usage import Feature
from tests import posture_page

NOW = datetime(2030, 1, 2, tzinfo=UTC)
BASE = "https://id.example.com"
MET, NOT_MET, NOT_SEEN = Verdict.MET, Verdict.NOT_MET, Verdict.NOT_SEEN
CODE, IMPLICIT, MACHINE, PASSWORD = Flow

APPLICATION = ApplicationFacts(
    pk=1,
    application_id="app",
    name="App",
    description="",
    template=Template.OAUTH2_CLIENT,
    enabled=True,
    issuer=f"{BASE}/app/",
    client_id_type=ClientIdType.LIST,
    client_ids=("one",),
    openid_client_id="guid",
    require_client_secret=False,
    must_be_oauth_client=False,
    audience="",
    redirect_uris=("https://app.example.com/callback",),
    post_logout_redirect_uris=(),
    backchannel_logout_uri="",
    frontchannel_logout_uri="",
    trusted_origins=(),
    subject_type=SubjectType.PUBLIC,
    subject_salt="",
    client_jwks={},
    token_type=TokenType.RS256,
    access_token_typ="JWT",
    flows=frozenset({CODE}),
    access_token_lifetime=timedelta(hours=1),
    issues_refresh_tokens=False,
    refresh_token_lifetime=timedelta(days=30),
    rotates_refresh_tokens=True,
    claims_in_id_token=False,
    requires_pkce=True,
    allows_plain_pkce=False,
    requires_consent=False,
    allows_scope_selection=False,
    user_name_strategy=UserNameStrategy.DIRECTORY_FIELD,
    user_name_claim="preferred_username",
    shared_user_name="",
    sign_in_max_age=None,
    allowed_networks=(),
    required_acr="",
    profile=Profile.CYBERARK,
    watched_until=None,
    scope_names=(),
)
OPENID = replace(APPLICATION, template=Template.OPENID_CONNECT)
SERVER = ServerFacts(
    base=BASE,
    code_lifetime=timedelta(seconds=60),
    metadata=frozenset(
        {"code_challenge_methods_supported", "authorization_response_iss_parameter_supported"}
    ),
    authentication_methods=frozenset({"client_secret_basic", "none"}),
)


def use(feature: Feature, value: str, count: int = 1, client: str = "one", ago: int = 1) -> Use:
    return Use(client, feature, value, count, NOW - timedelta(days=40), NOW - timedelta(days=ago))


def secret(age: int = 10, used: int | None = 1) -> SecretFacts:
    last = None if used is None else NOW - timedelta(days=used)
    return SecretFacts("guid", NOW - timedelta(days=age), last)


def case(verdict: Verdict, application: ApplicationFacts = APPLICATION, **given: Any) -> Any:
    """A verdict, and the question that it answers: fields of the server, or what was seen."""
    server = {name: given.pop(name) for name in list(given) if name in SERVER_FIELDS}
    changed = {name: given.pop(name) for name in list(given) if name in APPLICATION_FIELDS}
    question = Question(
        replace(application, **changed), replace(SERVER, **server), now=NOW, **given
    )
    return verdict, question


SERVER_FIELDS = {each.name for each in fields(ServerFacts)}
APPLICATION_FIELDS = {each.name for each in fields(ApplicationFacts)}
CONFIDENTIAL = {"client_id_type": ClientIdType.CONFIDENTIAL}
MACHINES = {"flows": frozenset({MACHINE})}
KEYS = {"client_jwks": {"keys": [{}]}}

TABLE: dict[str, list[Any]] = {
    "pkce.required": [
        case(MET),
        case(NOT_MET, requires_pkce=False),
        case(NOT_MET, requires_pkce=False, uses=(use(Feature.CODE_CHALLENGE, "S256"),)),
        case(MET, requires_pkce=False, **MACHINES),
    ],
    "pkce.s256": [
        case(MET),
        case(NOT_MET, allows_plain_pkce=True),
        case(MET, allows_plain_pkce=True, **MACHINES),
    ],
    "pkce.published": [case(MET), case(NOT_MET, metadata=frozenset())],
    "flow.implicit": [case(MET), case(NOT_MET, flows=frozenset({CODE, IMPLICIT}))],
    "flow.password": [case(MET), case(NOT_MET, flows=frozenset({PASSWORD}))],
    "redirect.exact": [case(MET)],
    "redirect.encrypted": [
        case(MET),
        case(MET, redirect_uris=("http://127.0.0.1/callback", "com.example.app:/callback")),
        case(NOT_MET, redirect_uris=("http://app.example.com/callback",)),
    ],
    "redirect.private_use": [
        case(MET),
        case(MET, redirect_uris=("com.example.app:/callback",)),
        case(NOT_MET, redirect_uris=("com.example.app:/callback", "app:/callback")),
    ],
    "redirect.claimed": [
        case(MET),
        case(MET, redirect_uris=("http://localhost:8000/callback",)),
        case(NOT_MET, redirect_uris=("com.example.app:/callback",)),
    ],
    "request.pushed": [
        case(NOT_MET),
        case(MET, **MACHINES),
        case(NOT_MET, metadata=frozenset({"pushed_authorization_request_endpoint"})),
        case(
            MET,
            metadata=frozenset(
                {
                    "pushed_authorization_request_endpoint",
                    "require_pushed_authorization_requests",
                }
            ),
        ),
    ],
    "request.signed": [
        case(NOT_MET),
        case(MET, **MACHINES),
        case(NOT_SEEN, **KEYS),
        case(MET, **KEYS, uses=(use(Feature.REQUEST_OBJECT, "ES256"),)),
        case(
            NOT_MET,
            **KEYS,
            uses=(use(Feature.REQUEST_OBJECT, "ES256"), use(Feature.REQUEST_OBJECT, "none")),
        ),
    ],
    "response.iss": [case(MET), case(NOT_MET, metadata=frozenset())],
    "response.query": [case(MET)],
    "code.lifetime": [
        case(MET, code_lifetime=timedelta(minutes=10)),
        case(NOT_MET, code_lifetime=timedelta(minutes=11)),
        case(MET, code_lifetime=timedelta(minutes=11), **MACHINES),
    ],
    "code.minute": [
        case(MET, code_lifetime=timedelta(seconds=60)),
        case(NOT_MET, code_lifetime=timedelta(seconds=61)),
    ],
    "code.single_use": [case(MET)],
    "consent.asked": [case(NOT_MET), case(MET, requires_consent=True), case(MET, **MACHINES)],
    "clients.registered": [
        case(MET),
        case(MET, **CONFIDENTIAL),
        case(NOT_MET, client_id_type=ClientIdType.ANYTHING),
        case(MET, OPENID, client_id_type=ClientIdType.ANYTHING),
    ],
    "clients.confidential": [
        case(NOT_MET),
        case(MET, **CONFIDENTIAL),
        case(NOT_MET, OPENID, **CONFIDENTIAL),
        case(MET, OPENID, require_client_secret=True),
    ],
    "clients.authenticate": [
        case(MET),
        case(MET, **CONFIDENTIAL),
        case(MET, OPENID),
        case(NOT_MET, OPENID, secrets=(secret(),)),
        case(MET, OPENID, secrets=(secret(),), require_client_secret=True),
    ],
    "clients.asymmetric": [
        case(NOT_MET),
        case(NOT_MET, authentication_methods=frozenset()),
        case(NOT_MET, authentication_methods=frozenset({"private_key_jwt", "none"})),
        case(MET, authentication_methods=frozenset({"private_key_jwt"})),
    ],
    "clients.self_described": [
        case(NOT_MET),
        case(MET, metadata=frozenset({"client_id_metadata_document_supported"})),
    ],
    "secrets.fresh": [
        case(MET),
        case(NOT_SEEN, **CONFIDENTIAL),
        case(MET, OPENID, secrets=(secret(), secret())),
        case(NOT_SEEN, OPENID, secrets=(secret(), secret(used=None))),
        case(NOT_MET, OPENID, secrets=(secret(), secret(age=400))),
        case(NOT_MET, OPENID, secrets=(secret(used=91),)),
    ],
    "tokens.lifetime": [
        case(MET),
        case(NOT_MET, access_token_lifetime=timedelta(hours=1, seconds=1)),
    ],
    "tokens.audience": [
        case(NOT_SEEN),
        case(MET, audience="https://api.example.com"),
        case(MET, uses=(use(Feature.RESOURCE, "named"),)),
        case(NOT_MET, uses=(use(Feature.RESOURCE, "named"), use(Feature.RESOURCE, "none"))),
    ],
    "tokens.resource": [
        case(NOT_SEEN, audience="https://api.example.com"),
        case(MET, uses=(use(Feature.RESOURCE, "named"),)),
        case(NOT_MET, uses=(use(Feature.RESOURCE, "none"),)),
    ],
    "tokens.sender_constrained": [
        case(NOT_MET),
        case(MET, metadata=frozenset({"dpop_signing_alg_values_supported"})),
    ],
    "tokens.algorithm": [
        case(NOT_MET),
        *(
            case(MET, token_type=kind)
            for kind in (TokenType.PS256, TokenType.ES256, TokenType.EDDSA, TokenType.OPAQUE)
        ),
    ],
    "tokens.id_token_algorithm": [
        case(MET),
        case(NOT_MET, OPENID),
        case(NOT_MET, scope_names=("openid",)),
    ],
    "tokens.typ": [
        case(NOT_MET),
        case(MET, access_token_typ="at+jwt"),
        case(MET, token_type=TokenType.OPAQUE),
    ],
    "refresh.rotation": [
        case(MET),
        case(MET, issues_refresh_tokens=True, rotates_refresh_tokens=False),
    ],
    "refresh.no_rotation": [
        case(MET),
        case(NOT_MET, issues_refresh_tokens=True),
        case(MET, issues_refresh_tokens=True, rotates_refresh_tokens=False),
    ],
    "server.https": [
        case(MET),
        case(NOT_MET, base="http://127.0.0.1:8000"),
        case(NOT_MET, issuer="http://127.0.0.1:8000/app/"),
    ],
    "server.metadata": [case(MET), case(NOT_MET, issuer="https://tenant.example.com/app/")],
    "server.resource_metadata": [
        case(NOT_SEEN),
        case(NOT_SEEN, resource="https://api.example.com"),
        case(
            MET,
            resource="https://api.example.com",
            resource_applications=frozenset({"APP"}),
        ),
    ],
    "server.cors": [case(MET)],
}
CASES = [
    pytest.param(name, *row, id=f"{name}-{number}-{row[0]}")
    for name, rows in TABLE.items()
    for number, row in enumerate(rows)
]


@pytest.mark.parametrize(("name", "verdict", "question"), CASES)
def test_a_rule_judges_as_its_table_says(name: str, verdict: Verdict, question: Question) -> None:
    judgement = find(RULES[name], question).judgement

    assert judgement.verdict is verdict
    assert "%(" not in judgement.sentence % judgement.values


def test_every_rule_has_a_table_and_every_table_a_rule() -> None:
    assert sorted(TABLE) == sorted(RULES)


def test_every_rule_has_a_heading_in_the_reference_and_every_heading_a_rule() -> None:
    headings = [
        line.removeprefix("### `").removesuffix("`")
        for line in posture_page.PATH.read_text().splitlines()
        if line.startswith("### `")
    ]

    assert headings == list(RULES)


def test_the_reference_is_written_afresh() -> None:
    stale = "docs/reference/posture.md is stale: run `python -m tests.posture_page`"

    assert posture_page.PATH.read_text() == posture_page.text(), stale


def test_two_rules_cannot_have_one_name() -> None:
    with pytest.raises(ValueError, match="there twice"):
        rule("pkce.required")(lambda _: None)  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize(
    ("clause", "label", "address"),
    [
        (
            Specification.RFC9700.must("2.1.1"),
            "RFC 9700 §2.1.1",
            "https://www.rfc-editor.org/rfc/rfc9700.html#section-2.1.1",
        ),
        (
            Specification.FURTHER.must("RFC 9068 §2.1"),
            "RFC 9068 §2.1",
            "https://www.rfc-editor.org/rfc/rfc9068.html#section-2.1",
        ),
        (
            Specification.MCP.must("Token Theft"),
            "MCP · Token Theft",
            "https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization#token-theft",
        ),
    ],
    ids=["rfc", "further", "heading"],
)
def test_a_clause_says_where_it_can_be_read(clause: Any, label: str, address: str) -> None:
    assert (clause.label, clause.address) == (label, address)


def test_a_report_counts_the_rules_of_a_specification() -> None:
    _, question = case(MET, requires_pkce=False)

    findings = of_specification(examine(question), Specification.RFC9700)

    counted = tally(findings)
    assert counted.total == len(findings)
    assert counted.met + counted.not_met + counted.not_seen == counted.total
    assert next(f for f in findings if f.rule.id == "pkce.required").verdict is NOT_MET


# --- what would break ---------------------------------------------------------------------------

CHALLENGES = (
    use(Feature.CODE_CHALLENGE, "S256", 100, ago=1),
    use(Feature.CODE_CHALLENGE, "none", 35, ago=3),
    use(Feature.CODE_CHALLENGE, "none", 2, client="two", ago=2),
    use(Feature.CODE_CHALLENGE, "plain", 5, client="two", ago=9),
    use(Feature.GRANT_TYPE, "password", 7),
)


def affected_by(name: str, *uses: Use, **changed: Any) -> Any:
    _, question = case(MET, uses=uses, **changed)
    return find(RULES[name], question).affected


def test_what_would_break_is_counted_by_client_the_busiest_first() -> None:
    found = affected_by("pkce.required", *CHALLENGES, requires_pkce=False)

    assert (found.effect, found.count, found.observed) == (Effect.REFUSED, 37, 142)
    assert found.clients == (("one", 35), ("two", 2))
    assert found.last_seen_at == NOW - timedelta(days=2)
    assert found.since == NOW - timedelta(days=40)


def test_what_was_seen_stands_beside_the_rule_whether_kept_or_not() -> None:
    _, question = case(MET, uses=CHALLENGES)

    seen = find(RULES["pkce.s256"], question).seen

    counted = [(each.value, each.count) for each in seen]
    assert counted == [("S256", 100), ("none", 37), ("plain", 5)]
    assert seen[2].last_seen_at == NOW - timedelta(days=9)


def test_without_requests_nobody_knows_what_would_break() -> None:
    found = affected_by("pkce.s256", allows_plain_pkce=True)

    assert (found.observed, found.count, found.last_seen_at) == (0, 0, None)


def test_requests_that_keep_the_rule_break_nothing() -> None:
    found = affected_by("pkce.s256", use(Feature.CODE_CHALLENGE, "S256", 9))

    assert (found.observed, found.count, found.clients) == (9, 0, ())


@pytest.mark.parametrize(
    ("name", "feature", "touched", "spared"),
    [
        ("flow.implicit", Feature.RESPONSE_TYPE, "id_token token", "code"),
        ("flow.password", Feature.GRANT_TYPE, "password", "refresh_token"),
        ("clients.confidential", Feature.CLIENT_AUTHENTICATION, "none", "basic"),
        ("clients.authenticate", Feature.CLIENT_AUTHENTICATION, "none", "post"),
        ("redirect.claimed", Feature.REDIRECT_URI, "custom", "loopback"),
        ("request.signed", Feature.REQUEST_OBJECT, "none", "RS256"),
        ("tokens.algorithm", Feature.ALGORITHM, "RS256", "ES256"),
        ("refresh.no_rotation", Feature.GRANT_TYPE, "refresh_token", "password"),
    ],
    ids=str,
)
def test_tightening_touches_what_does_not_keep_the_rule(
    name: str, feature: Feature, touched: str, spared: str
) -> None:
    found = affected_by(name, use(feature, touched, 3), use(feature, spared, 5))

    assert (found.count, found.observed) == (3, 8)


def test_of_anything_every_client_is_touched() -> None:
    uses = (use(Feature.RESPONSE_TYPE, "code", 3), use(Feature.RESPONSE_TYPE, "token", 2, "two"))

    found = affected_by("clients.registered", *uses, client_id_type=ClientIdType.ANYTHING)

    assert found.clients == (("one", 3), ("two", 2))


# --- profiles -----------------------------------------------------------------------------------


def every_application() -> Iterator[ApplicationFacts]:
    """Each template, client type, token type and set of flows, as weak and as strict as can be."""
    flows = [frozenset(some) for n in range(5) for some in combinations(Flow, n)]
    for template, client_type, token_type, ticked, is_strict in product(
        Template, ClientIdType, TokenType, flows, (False, True)
    ):
        yield replace(
            APPLICATION,
            template=template,
            client_id_type=client_type,
            token_type=token_type,
            flows=ticked,
            requires_pkce=is_strict,
            allows_plain_pkce=not is_strict,
            issues_refresh_tokens=True,
            rotates_refresh_tokens=is_strict,
            require_client_secret=is_strict,
        )


def preset(application: ApplicationFacts, profile: Profile) -> ApplicationFacts:
    """The application once the profile was chosen."""
    kinds = {"flows": lambda value: frozenset(map(Flow, value))}
    kinds |= {"client_id_type": ClientIdType, "token_type": TokenType}  # type: ignore[dict-item]
    presets = PROFILES[profile].presets(application)
    read = {name: kinds.get(name, lambda same: same)(value) for name, value in presets.items()}
    return replace(application, profile=profile, **read)  # type: ignore[arg-type]


@pytest.mark.parametrize("profile", list(Profile))
def test_what_a_profile_presets_keeps_what_it_enforces(profile: Profile) -> None:
    for application in every_application():
        assert list(breaches(preset(application, profile))) == [], application


@pytest.mark.parametrize("profile", [Profile.CYBERARK, Profile.LEGACY])
def test_two_profiles_enforce_nothing(profile: Profile) -> None:
    assert PROFILES[profile].enforced == ()
    assert not any(list(breaches(replace(one, profile=profile))) for one in every_application())


@pytest.mark.parametrize("profile", list(Profile))
def test_what_is_enforced_can_be_set_by_the_application_alone(profile: Profile) -> None:
    for name in PROFILES[profile].enforced:
        assert RULES[name].fields
        assert not RULES[name].setting


@pytest.mark.parametrize(
    ("profile", "specification"),
    [(Profile.OAUTH21, Specification.OAUTH21), (Profile.FAPI2, Specification.FAPI2)],
    ids=["oauth21", "fapi2"],
)
def test_a_profile_enforces_what_its_specification_requires(
    profile: Profile, specification: Specification
) -> None:
    for name in PROFILES[profile].enforced:
        clause = RULES[name].clause_of(specification)
        assert clause is not None
        assert clause.level is Level.MUST


def test_flows_that_are_left_stay_and_people_who_signed_in_still_can() -> None:
    def flows(*ticked: Flow) -> Any:
        facts = replace(APPLICATION, flows=frozenset(ticked))
        return PROFILES[Profile.OAUTH21].presets(facts)["flows"]

    assert flows(MACHINE) == ["ClientCreds"]
    assert flows(IMPLICIT) == ["AuthorizationCode"]
    assert flows(PASSWORD, MACHINE) == ["AuthorizationCode", "ClientCreds"]


def test_legacy_presets_nothing() -> None:
    assert PROFILES[Profile.LEGACY].presets(APPLICATION) == {}
