"""Any order of events: nothing that was spent, revoked or has expired is ever accepted.

Hypothesis plays a client, two people, an administrator and the clock against the endpoints, beside
a model of a few lines that says what must come of each event.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from oidc_pkce.flows import cleanup, keys
from oidc_pkce.flows.actor import Actor
from oidc_pkce.flows.revocation import revoke
from oidc_pkce.identifiers import digest
from oidc_pkce.models import Application, Grant, RefreshToken
from oidc_pkce.testing import clear_caches
from tests.clock import Clock, stop_the_clock
from tests.fixtures import make_user
from tests.journeys import SECRET, Answer, Journey, give_secret, make_application
from tests.spec import spec

CODE = timedelta(seconds=60)
ACCESS = timedelta(seconds=90)
REFRESH = timedelta(seconds=240)
WINDOW = timedelta(seconds=10)
STEPS = st.sampled_from([1, 5, 9, 10, 11, 30, 60, 90])
NUMBERS = st.integers(0, 4)  # which of what is at hand; 0 is the newest
KINDS = st.sampled_from(["unspent", "spent", "stale", "over", "lost"])

LIMITS = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(eq=False)
class Person:
    """Somebody with a browser of their own."""

    user: Any
    journey: Journey
    is_active: bool = True


@dataclass(eq=False)
class Family:
    """A grant, as the model sees it."""

    pk: Any
    person: Person
    is_revoked: bool = False

    @property
    def is_live(self) -> bool:
        return self.person.is_active and not self.is_revoked


@dataclass(eq=False)
class Credential:
    """A code or a token, as the model sees it; a refresh token that was used has a successor."""

    value: str = field(repr=False)
    family: Family
    expires_at: datetime
    used_at: datetime | None = None
    successor: Credential | None = None
    is_revoked: bool = False

    @property
    def journey(self) -> Journey:
        return self.family.person.journey


def refused(answer: Answer) -> None:
    assert (answer.status, answer.error) == (400, "invalid_grant")


class TokenLife(RuleBasedStateMachine):
    """One application, two people, and whatever may happen to what they allowed."""

    secret: ClassVar[str | None] = None
    rotates: ClassVar[bool] = True
    token_type: ClassVar[str] = "JwtRS256"

    def __init__(self) -> None:
        super().__init__()
        self.codes: list[Credential] = []
        self.refresh_tokens: list[Credential] = []
        self.access_tokens: list[Credential] = []
        self.undo = ExitStack()
        self.undo.callback(clear_caches)
        self.undo.callback(cache.clear)
        patch = self.undo.enter_context(pytest.MonkeyPatch.context())
        self.clock: Clock = stop_the_clock(patch)
        self.clock.at = timezone.now().replace(microsecond=0)
        self.undo.enter_context(transaction.atomic())
        self.undo.callback(transaction.set_rollback, True)
        self.application = self.make_application()
        self.people = [self.make_person(name) for name in ("ada", "bob")]

    def teardown(self) -> None:
        self.undo.close()

    def make_application(self) -> Application:
        made = make_application(
            template="Generic OpenID Connect",
            client_id_type="Confidential",
            client_ids=[],
            openid_client_id="guid",
            token_type=self.token_type,
            issues_refresh_tokens=True,
            rotates_refresh_tokens=self.rotates,
            access_token_lifetime=ACCESS,
            refresh_token_lifetime=REFRESH,
        )
        give_secret(made)
        return made

    def make_person(self, name: str) -> Person:
        user = make_user(name)
        journey = Journey(self.application, client_id="guid", secret=self.secret)
        return Person(user, journey.log_in(user))

    # --- what the model knows ---------------------------------------------------------------------

    def is_over(self, credential: Credential) -> bool:
        return self.clock.now() >= credential.expires_at

    def is_good(self, token: Credential) -> bool:
        """Whether an access token must be taken."""
        return token.family.is_live and not token.is_revoked and not self.is_over(token)

    def is_stale(self, token: Credential) -> bool:
        """Whether a refresh token was used before, and too long ago."""
        return token.used_at is not None and self.clock.now() >= token.used_at + WINDOW

    def kind_of(self, credential: Credential) -> str:
        """In which of its lives a code or refresh token is."""
        if not credential.family.is_live:
            return "lost"
        if self.is_over(credential):
            return "over"
        if self.is_stale(credential):
            return "stale"
        return "unspent" if credential.used_at is None else "spent"

    def pick(self, credentials: list[Credential], kind: str, number: int) -> Credential:
        """One of this kind, so that each is tried often; any one when there is none."""
        of_this_kind = [each for each in credentials if self.kind_of(each) == kind]
        return newest(of_this_kind or credentials, number)

    def keep_access_token(self, answer: Answer, family: Family) -> None:
        assert answer.status == 200, answer.json
        token = Credential(answer.json["access_token"], family, self.clock.now() + ACCESS)
        assert token.value not in {other.value for other in self.access_tokens}
        self.access_tokens.append(token)

    # --- what clients and people do ---------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """Both have signed in, and their client has tokens."""
        for person in self.people:
            self.authorize(person)
            self.redeem_once(self.codes[-1])

    @rule(number=st.integers(0, 1), redeems=st.booleans())
    def sign_in(self, number: int, redeems: bool) -> None:
        self.authorize(self.people[number])
        if redeems:
            self.redeem_once(self.codes[-1])

    def authorize(self, person: Person) -> None:
        before = set(Grant.objects.values_list("pk", flat=True))
        answer = person.journey.authorize(scope="openid")
        made = set(Grant.objects.values_list("pk", flat=True)) - before
        if not person.is_active:
            assert not made
            assert "code" not in answer.query
            return
        (pk,) = made
        self.codes.append(Credential(answer.code, Family(pk, person), self.clock.now() + CODE))

    @rule(kind=KINDS, number=NUMBERS)
    def redeem(self, kind: str, number: int) -> None:
        self.redeem_once(self.pick(self.codes, kind, number))

    def redeem_once(self, code: Credential) -> None:
        answer = code.journey.redeem(code.value)
        if self.is_over(code) or not code.family.is_live:
            refused(answer)
        elif code.used_at is not None:
            refused(answer)
            code.family.is_revoked = True
        else:
            self.keep_access_token(answer, code.family)
            code.used_at = self.clock.now()
            token = answer.json["refresh_token"]
            self.refresh_tokens.append(
                Credential(token, code.family, self.clock.now() + REFRESH),
            )

    @rule(kind=KINDS, number=NUMBERS, times=st.integers(1, 2))
    def refresh(self, kind: str, number: int, times: int) -> None:
        token = self.pick(self.refresh_tokens, kind, number)
        for _ in range(times):
            self.refresh_once(token)

    def refresh_once(self, token: Credential) -> None:
        answer = token.journey.refresh(token.value)
        if self.is_over(token) or not token.family.is_live:
            refused(answer)
        elif self.is_stale(token):
            refused(answer)
            token.family.is_revoked = True
        else:
            self.keep_access_token(answer, token.family)
            self.keep_successor(token, answer.json["refresh_token"])

    def keep_successor(self, token: Credential, successor: str) -> None:
        if self.secret is not None and not self.rotates:
            assert successor == token.value
        elif token.successor is not None:
            assert successor == token.successor.value
        else:
            assert successor not in {other.value for other in self.refresh_tokens}
            token.used_at = self.clock.now()
            token.successor = Credential(successor, token.family, token.expires_at)
            self.refresh_tokens.append(token.successor)

    @rule(number=NUMBERS)
    def ask_userinfo(self, number: int) -> None:
        token = newest(self.access_tokens, number)
        answer = token.journey.userinfo(token.value)

        assert answer.status == (200 if self.is_good(token) else 401)

    # --- what attackers do: it changes nothing ----------------------------------------------------

    @rule(attack=st.sampled_from(["verifier", "secret", "scope", "place"]), kind=KINDS)
    def attack(self, attack: str, kind: str) -> None:
        code, token = (self.pick(each, kind, 0) for each in (self.codes, self.refresh_tokens))
        if attack == "verifier":
            refused(code.journey.redeem(code.value, code_verifier="x" * 43))
        elif attack == "secret":
            answer = token.journey.refresh(token.value, client_secret="wrong" * 9)
            assert answer.error == "invalid_client"
            cache.clear()  # attempt limits are not what is tried here
        elif attack == "scope":
            answer = token.journey.refresh(token.value, scope="openid email")
            assert answer.error in {"invalid_scope", "invalid_grant"}
        else:
            refused(code.journey.redeem(token.value))
            refused(token.journey.refresh(code.value))

    # --- what ends things -------------------------------------------------------------------------

    @rule(number=NUMBERS, what=st.sampled_from(["grant", "refresh token", "access token"]))
    def revoke(self, number: int, what: str) -> None:
        if what == "grant":
            code = self.pick(self.codes, "unspent", number)
            self.revoke_the_grant(code.family)
            self.redeem_once(code)
        elif what == "access token":
            token = newest(self.access_tokens, number)
            self.revoke_a_token(token)
            token.is_revoked = True
        else:
            token = newest(self.refresh_tokens, number)
            was_stored = RefreshToken.objects.filter(pk=digest(token.value)).exists()
            assert was_stored or self.is_over(token)  # only clean-up forgets, and only the expired
            self.revoke_a_token(token)
            token.family.is_revoked = token.family.is_revoked or was_stored

    def revoke_the_grant(self, family: Family) -> None:
        """As an administrator does."""
        for grant in Grant.objects.filter(pk=family.pk):
            revoke(grant, actor=Actor(name="tests"), now=self.clock.now())
        family.is_revoked = True

    def revoke_a_token(self, token: Credential) -> None:
        """As the client does."""
        credentials = {"client_id": "guid", "client_secret": self.secret}
        answer = token.journey.post("Revoke", {"token": token.value, **credentials})
        assert (answer.status, answer.response.content) == (200, b"")

    @rule(number=st.integers(0, 1))
    def deactivate_or_activate(self, number: int) -> None:
        person = self.people[number]
        person.is_active = not person.is_active
        person.user.is_active = person.is_active
        person.user.save()
        for token in [each for each in self.refresh_tokens if each.family.person is person][-2:]:
            self.refresh_once(token)
        if person.is_active:  # whoever comes back signs in anew
            person.journey.log_in(person.user)

    @rule(seconds=STEPS)
    def let_time_pass(self, seconds: int) -> None:
        self.clock.step(seconds)

    @rule()
    def let_time_pass_until_something_ends(self) -> None:
        """To the very second, where ``<`` and ``<=`` differ; then whatever has ended is tried."""
        ends = [each.expires_at for each in (*self.codes, *self.refresh_tokens)]
        ends += [each.used_at + WINDOW for each in self.refresh_tokens if each.used_at is not None]
        ends += [each.expires_at for each in self.access_tokens]
        self.clock.at = min([end for end in ends if end > self.clock.at], default=self.clock.at)
        for code in [each for each in self.codes if each.expires_at == self.clock.at][-1:]:
            self.redeem_once(code)
        for token in [each for each in self.refresh_tokens if self.ends_now(each)][-1:]:
            self.refresh_once(token)

    def ends_now(self, token: Credential) -> bool:
        window = token.used_at + WINDOW if token.used_at is not None else None
        return self.clock.at in (token.expires_at, window)

    # --- what must change nothing -----------------------------------------------------------------

    @rule(flushes=st.booleans())
    def keep_house(self, flushes: bool) -> None:
        """Another process, which remembers nothing; or the clean-up, which forgets the dead."""
        if flushes:
            cache.clear()
            clear_caches()
        else:
            cleanup.sweep(self.clock.now())

    # --- what holds at every moment ---------------------------------------------------------------

    @invariant()
    def no_dead_access_token_is_taken(self) -> None:
        for token in [each for each in self.access_tokens if not self.is_good(each)][-1:]:
            assert token.journey.userinfo(token.value).status == 401

    @invariant()
    def no_family_forks(self) -> None:
        unspent = RefreshToken.objects.filter(used_at=None).values_list("grant_id", flat=True)
        assert len(set(unspent)) == len(unspent)

    @invariant()
    def what_the_model_calls_revoked_is_revoked(self) -> None:
        stored = dict(Grant.objects.values_list("pk", "revoked_at"))
        for family in {code.family for code in self.codes}:
            if family.pk in stored:  # clean-up takes what has expired
                assert (stored[family.pk] is not None) == family.is_revoked


def newest(credentials: list[Credential], number: int) -> Credential:
    """The one that came so many before the last; the first one when there are not so many."""
    return credentials[max(0, len(credentials) - 1 - number)]


@spec("RFC 9700", "4.14.2")
@spec("RFC 6749", "10.4")
@pytest.mark.django_db
@pytest.mark.parametrize("token_type", ["JwtRS256", "Opaque"])
@pytest.mark.parametrize(
    ("secret", "rotates"),
    [(None, True), (SECRET, True), (SECRET, False)],
    ids=["public", "confidential, rotating", "confidential, not rotating"],
)
def test_nothing_spent_revoked_or_expired_is_ever_accepted(secret, rotates, token_type):
    keys.signer("RS256", timezone.now())  # made once, not in every example

    class Machine(TokenLife):
        pass

    Machine.secret, Machine.rotates, Machine.token_type = secret, rotates, token_type
    run_state_machine_as_test(Machine, settings=LIMITS)
