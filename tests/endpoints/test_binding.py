"""Every artefact, presented by every other client, at every other application, and at every door.

The tests of each endpoint say what is answered to its own artefact; here nothing may fit elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from oidc_pkce.models import AuditEvent, RevokedToken
from tests.fixtures import make_user
from tests.journeys import (
    FORM,
    SECRET,
    Answer,
    Browser,
    Journey,
    encode,
    give_secret,
    make_application,
    make_service_user,
)
from tests.spec import spec

BYE = "https://rp.example/bye"
KINDS = ("code", "access_token", "refresh_token", "id_token")
TICKET = "sign_out_ticket"


@dataclass
class Party:
    """A client of an application, Ada signed in, with everything that was issued to it."""

    journey: Journey
    issued: dict[str, str] = field(default_factory=dict)

    def collect(self) -> None:
        """Get one artefact of each kind, all of one grant but the code."""
        self.issued = {
            **self.journey.tokens(scope="openid", nonce="n"),
            "code": self.journey.authorize(scope="openid").code,
        }

    def __str__(self) -> str:
        return f"{self.journey.client_id} of {self.journey.application.application_id}"


def make_parties(ada: Any, token_type: str) -> Iterator[Party]:
    """Two applications of each kind; where one has several clients, two of them."""
    for name in ("robot", "robot2"):
        make_service_user(make_user(name), SECRET)
    shared = {
        "flows": ["AuthorizationCode", "ClientCreds"],
        "issues_refresh_tokens": True,
        "post_logout_redirect_uris": [BYE],
        "token_type": token_type,
    }
    for name in ("list1", "list2"):
        # The names of the service users: a client id alone tells nobody apart.
        app = make_application(application_id=name, client_ids=["robot", "robot2"], **shared)
        app.scopes.create(name="openid")
        yield from (Party(Journey(app, client_id=c).log_in(ada)) for c in ("robot", "robot2"))
    for name in ("secret1", "secret2"):
        app = make_application(
            application_id=name, client_id_type="Confidential", client_ids=[], **shared
        )
        app.scopes.create(name="openid")
        for client in ("robot", "robot2"):
            yield Party(Journey(app, client_id=client, secret=SECRET).log_in(ada))
    for name in ("openid1", "openid2"):
        app = make_application(
            application_id=name,
            template="Generic OpenID Connect",
            client_id_type="Confidential",
            client_ids=[],
            openid_client_id=name,
            **shared,
        )
        give_secret(app)
        yield Party(Journey(app, client_id=name, secret=SECRET).log_in(ada))


@pytest.fixture(params=["JwtRS256", "Opaque"])
def parties(request: pytest.FixtureRequest, ada: Any, db: None) -> list[Party]:
    made = list(make_parties(ada, request.param))
    for party in made:
        party.collect()
    return made


def pairs(parties: list[Party]) -> Iterator[tuple[Party, Party]]:
    """Everybody with everybody else."""
    for owner in parties:
        yield from ((owner, other) for other in parties if other is not owner)


def still_good(party: Party) -> None:
    """Whatever others did, the owner loses nothing."""
    journey, issued = party.journey, party.issued
    assert journey.userinfo(issued["access_token"]).status == 200, party
    assert journey.redeem(issued["code"]).status == 200, party
    assert journey.refresh(issued["refresh_token"]).status == 200, party


@spec("RFC 6749", "10.4")
@spec("RFC 6749", "10.5")
def test_no_code_and_no_refresh_token_fits_another_client_or_application(parties):
    for owner, other in pairs(parties):
        for answer in (
            other.journey.redeem(owner.issued["code"]),
            other.journey.refresh(owner.issued["refresh_token"]),
        ):
            assert answer.told[:2] == (400, "invalid_grant"), (owner, other)
    for party in parties:
        still_good(party)


@spec("RFC 9068", "4")
def test_no_access_token_opens_another_application(parties, settings):
    settings.ROOT_URLCONF = "tests.resource_server.urls"
    for owner, other in pairs(parties):
        if other.journey.application == owner.journey.application:
            continue
        token = owner.issued["access_token"]
        assert other.journey.userinfo(token).status == 401, (owner, other)
        accepted = {"APPLICATIONS": [other.journey.application.application_id]}
        settings.OIDC_PKCE = {**settings.OIDC_PKCE, "RESOURCE_SERVER": accepted}
        bearer = {"Authorization": f"Bearer {token}"}
        for path in ("/api/", "/plain/"):
            assert Browser().get(path, headers=bearer).status_code == 401, (owner, other, path)


@spec("RFC 7662", "4")
@spec("RFC 7009", "2.1")
def test_nobody_else_sees_or_ends_a_token(parties):
    for owner, other in pairs(parties):
        for kind in KINDS:
            token = owner.issued[kind]
            seen = other.journey.introspect(token)
            assert seen.json.get("active", False) is False, (owner, other, kind)
            assert set(seen.json) <= {"active", "error", "error_description", "request_id"}
            ended = other.journey.revoke(token)
            assert (ended.status, ended.response.content) == (200, b""), (owner, other, kind)
    assert not RevokedToken.objects.exists()
    assert not AuditEvent.objects.filter(action__contains="revoked").exists()
    for party in parties:
        still_good(party)


@spec("OpenID Connect Core", "3.1.2.1")
def test_no_id_token_is_a_hint_for_another_client_or_application(parties):
    for owner, other in pairs(parties):
        hint = owner.issued["id_token"]
        answer = other.journey.authorize(scope="openid", prompt="none", id_token_hint=hint)
        assert answer.error == "invalid_request", (owner, other)


@spec("OpenID Connect RP-Initiated Logout", "2")
def test_no_id_token_vouches_at_another_application_or_beside_another_client(parties):
    for owner, other in pairs(parties):
        here = other.journey
        asked = {
            "id_token_hint": owner.issued["id_token"],
            "client_id": here.client_id,
            "post_logout_redirect_uri": BYE,
        }
        # One browser, so that the hint is of this person and of this session.
        answer = Answer(owner.journey.browser.get(here.url("EndSession"), asked))
        assert (answer.status, answer.location) == (200, ""), (owner, other)
        assert "Do you want to sign out?" in answer.html
    for party in parties:
        assert party.journey.authorize(prompt="none").code


# --- one kind of artefact is no other ------------------------------------------------------------


def as_code(journey: Journey, text: str) -> Answer:
    return journey.redeem(text)


def as_refresh_token(journey: Journey, text: str) -> Answer:
    return journey.refresh(text)


def as_access_token(journey: Journey, text: str) -> Answer:
    return journey.userinfo(text)


def as_secret(journey: Journey, text: str) -> Answer:
    return journey.redeem("x", client_secret=text)


def as_hint(journey: Journey, text: str) -> Answer:
    return journey.authorize(scope="openid", prompt="none", id_token_hint=text)


def as_request_object(journey: Journey, text: str) -> Answer:
    return journey.authorize(request=text)


DOORS: dict[Callable[[Journey, str], Answer], str] = {
    as_code: "code",
    as_refresh_token: "refresh_token",
    as_access_token: "access_token",
    as_secret: "client_secret",
    as_hint: "id_token",
    as_request_object: "request object",
}


@spec("RFC 8725", "3.12")
@spec("RFC 6749", "10.10")
@pytest.mark.parametrize("door", DOORS)
def test_one_kind_of_artefact_is_no_other(parties, door):
    for party in parties[::3]:  # one of each kind
        journey = party.journey
        page = Answer(journey.browser.get("/OAuth2/EndSession"))
        login = Journey(journey.application, client_id=journey.client_id).authorize()
        artefacts = {
            **{kind: party.issued[kind] for kind in KINDS},
            "client_secret": SECRET,
            "sign-out page": page.hidden(TICKET),
            "login page": login.query["ticket"],
        }
        for kind, text in artefacts.items():
            if kind == DOORS[door]:
                continue
            answer = door(journey, text)
            assert answer.status in {303, 400, 401}, (party, kind)
            assert answer.error, (party, kind)
        still_good(party)


# --- sealed pages ---------------------------------------------------------------------------------


@pytest.fixture
def two(asking: Journey) -> tuple[Journey, Journey]:
    """Two applications that ask for consent and let people sign out, in Ada's browser."""
    type(asking.application).objects.update(post_logout_redirect_uris=[BYE])
    other = make_application(
        application_id="other", requires_consent=True, post_logout_redirect_uris=[BYE]
    )
    return asking, Journey(other, browser=asking.browser)


def sealed(journey: Journey) -> dict[str, str]:
    """What each page and each address of an application's journeys is sealed with."""
    stranger = Journey(journey.application).authorize()
    page = journey.follow(journey.authorize(prompt="consent"))
    vouched = {"client_id": journey.client_id, "post_logout_redirect_uri": BYE}
    sign_out = Answer(journey.browser.get(journey.url("EndSession"), vouched))
    posted = Browser().post(journey.url("EndSession"), encode(vouched), content_type=FORM)
    return {
        "login": stranger.query["ticket"],
        "consent": page.hidden("ticket"),
        "sign-out page": sign_out.hidden(TICKET),
        "sign-out address": Answer(posted).query[TICKET],
    }


def open_login(journey: Journey, ticket: str) -> Answer:
    return Answer(journey.browser.get(journey.url("Login"), {"ticket": ticket}))


def open_consent(journey: Journey, ticket: str) -> Answer:
    return Answer(journey.browser.get(journey.url("Confirm"), {"ticket": ticket}))


def decide_consent(journey: Journey, ticket: str) -> Answer:
    return Answer(journey.browser.post(journey.url("Confirm"), {"ticket": ticket, "result": "1"}))


def open_sign_out(journey: Journey, ticket: str) -> Answer:
    return Answer(journey.browser.get(journey.url("EndSession"), {TICKET: ticket}))


def decide_sign_out(journey: Journey, ticket: str) -> Answer:
    data = encode({TICKET: ticket, "result": "1"})
    return Answer(journey.browser.post(journey.url("EndSession"), data, content_type=FORM))


PAGES = {
    open_login: "login",
    open_consent: "login",
    decide_consent: "consent",
    open_sign_out: "sign-out address",
    decide_sign_out: "sign-out page",
}


@spec("RFC 6749", "10.12")
@pytest.mark.parametrize("page", PAGES)
def test_a_sealed_page_fits_one_place_of_one_application(two, ada, page):
    for here, there in (two, two[::-1]):
        here.browser.force_login(ada)
        mine, theirs = sealed(here), sealed(there)
        for kind in mine:
            for ticket in {theirs[kind]} | ({mine[kind]} if kind != PAGES[page] else set()):
                answer = page(here, ticket)
                assert (answer.status, answer.error, answer.location) == (400, "page", ""), kind
                assert "no longer valid" in answer.html
        assert page(here, mine[PAGES[page]]).status in {200, 303}
