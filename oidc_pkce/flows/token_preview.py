"""What would be issued now, and to whom: issued by the very flows, looked at, and undone.

Everything happens in one transaction that is rolled back: no grant, code or token remains, no
signal is sent. Only the name of a user who had none yet stays, or the next one would be another.
What was signed leaves this module without its signature.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from .. import audit, identifiers
from ..conf import settings
from ..models import Application, Right, ServiceUser
from ..protocol import pkce
from ..protocol.application import ApplicationFacts, ClientIdType
from ..protocol.checks import Outcome, Trace
from ..protocol.client_authentication import (
    Client,
    ClientQuestion,
    ClientRecord,
    StoredSecret,
    identify,
)
from ..protocol.credentials import PresentedCredentials
from ..protocol.errors import OAuthError
from ..protocol.parameters import Parameters
from ..protocol.scope import render
from ..protocol.token import (
    AUTHORIZATION_CODE,
    GRANT_CHECKS,
    TOKEN_CHECKS,
    TokenQuestion,
    TokenResponse,
)
from . import application as applications
from . import authorization, introspection, issuing, userinfo
from .actor import Actor
from .authorization import Refused
from .grants import GRANTS, GrantOrder
from .interaction import Owed, Person, Ticket

#: What a token gets when it is made; everything else of the preview is what would be issued.
MADE_ANEW = ("iat", "exp", "jti", "nonce", "auth_time", "sid", "gid", "at_hash")
NONCE = "the-nonce-of-the-request"


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """For whom, through which client, for what. ``user`` is ``None`` for client credentials.

    ``amr`` says how the person would have signed in; ``now`` is when.
    """

    application_id: str
    user: Any
    client_id: str
    scopes: tuple[str, ...]
    now: datetime
    grant_type: str = AUTHORIZATION_CODE
    amr: tuple[str, ...] = ("pwd",)
    resources: tuple[str, ...] = ()

    @property
    def client_wishes(self) -> dict[str, Any]:
        """What the client sends wherever it asks for scopes."""
        return {"scope": render(self.scopes), "resource": list(self.resources)}


@dataclass(frozen=True, slots=True)
class UnsignedToken:
    """A JWT without its signature: nobody accepts it."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    text: str

    @classmethod
    def of(cls, token: str | None) -> UnsignedToken | None:
        """What a signed token says; ``None`` for no token and for an opaque one."""
        if token is None or token.count(".") != 2:
            return None
        header, payload, _signature = token.split(".")
        return cls(_members(header), _members(payload), f"{header}.{payload}.")


@dataclass(frozen=True, slots=True)
class Step:
    """One endpoint that the client would ask, and what its checks said."""

    endpoint: str
    outcomes: tuple[Outcome, ...]

    @property
    def refusal(self) -> Outcome | None:
        """The check that would refuse."""
        return next((outcome for outcome in self.outcomes if not outcome.passed), None)


@dataclass(slots=True)
class Preview:
    """What would happen, step by step, as far as it goes."""

    steps: list[Step] = field(default_factory=list)
    owed: Owed = Owed.NOTHING
    answer: Mapping[str, Any] | None = None
    is_opaque: bool = False
    access_token: UnsignedToken | None = None
    id_token: UnsignedToken | None = None
    userinfo: Mapping[str, Any] | None = None
    introspection: Mapping[str, Any] | None = None

    @property
    def refused_by(self) -> Step | None:
        """Where it would end."""
        return next((step for step in self.steps if step.refusal), None)


def may_preview_others(user: Any, rights: frozenset[Right]) -> bool:
    """Whether an administrator may see what an application would be told of somebody else.

    That needs Manage on the application, and Django's permission to look at users.
    """
    return Right.MANAGE in rights and may_look_at_users(user)


def may_preview_clients(user: Any, rights: frozenset[Right], application: Application) -> bool:
    """Whether an administrator may see what a client that acts for itself would be told.

    Where the clients are service users, each is somebody else, and most applications know them all.
    """
    facts = application.facts()
    if facts.is_openid_connect or facts.client_id_type is not ClientIdType.CONFIDENTIAL:
        return True
    names = ("view_serviceuser", "change_serviceuser")
    may_look = may_look_at_users(user) or any(user.has_perm(f"oidc_pkce.{name}") for name in names)
    return Right.MANAGE in rights and may_look


def may_look_at_users(user: Any) -> bool:
    """Whether Django's permissions let this user look at users."""
    kind = get_user_model()._meta
    return bool(user.is_active and user.has_perm(f"{kind.app_label}.view_{kind.model_name}"))


def preview(asked: PreviewRequest, application: Application, *, actor: Actor) -> Preview:
    """What would be issued now, or the check that would refuse; audited.

    The networks of the Policy are not judged: from where the person would come, nobody knows.
    """
    shown = Preview()
    # What is made once and for ever is made before: a key that is missing, and a name.
    issuing.signers(application.facts(), asked.now)
    _name(asked)
    # The step tells which check it was.
    with _undone(), suppress(OAuthError, Refused):
        _issue(asked, shown)
    audit.record(
        audit.Action.TOKENS_PREVIEWED,
        now=asked.now,
        actor_pk=actor.pk,
        actor_name=actor.name,
        application_pk=application.pk,
        application_name=application.name,
        client_id=asked.client_id,
        details={"user": str(asked.user or ""), "scope": render(asked.scopes)},
    )
    return shown


def _name(asked: PreviewRequest) -> None:
    user = asked.user or _service_user(asked.client_id)
    if user is not None:
        settings.subject_identifier.subject(user, None)


def _service_user(login_name: str) -> Any:
    named = {f"user__{get_user_model().USERNAME_FIELD}": login_name}
    found = ServiceUser.objects.filter(**named).select_related("user").first()
    return found and found.user


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _issue(asked: PreviewRequest, shown: Preview) -> None:
    """As a client and a person would do it, one endpoint after the other."""
    about_a_person = asked.grant_type == AUTHORIZATION_CODE
    sent = _authorize(asked, shown) if about_a_person else asked.client_wishes
    if sent is None:
        return
    client, answer = _token(asked, sent, shown)
    token = answer.access_token
    with _step(shown, "userinfo") as trace:
        application = applications.find(asked.application_id, trace)
        _, shown.userinfo = userinfo.userinfo(application, token, now=asked.now, trace=trace)
    with _step(shown, "introspect") as trace:
        # A public client may not ask, but whoever is named as Audience is told the same.
        knows = replace(client, secret=client.secret or _any_secret()[1])
        shown.introspection = introspection.introspect(
            application, knows, token, now=asked.now, trace=trace
        )


@contextmanager
def _step(shown: Preview, endpoint: str) -> Iterator[Trace]:
    trace = Trace()
    try:
        yield trace
    finally:
        shown.steps.append(Step(endpoint, trace.outcomes))


def _authorize(asked: PreviewRequest, shown: Preview) -> dict[str, Any] | None:
    """What the client sends to the token endpoint; ``None`` where more is owed than a consent."""
    verifier, ticket = identifiers.new_secret(), Ticket("")
    person = Person(asked.user, asked.now, identifiers.new_sid(), asked.amr, ticket.name)
    with _step(shown, "authorize") as trace:
        application = _anywhere(applications.find(asked.application_id, trace))
        sent = _authorization_request(asked, application, verifier)
        judged = authorization.begin(
            application, sent, person, ticket=ticket, address="", now=asked.now, trace=trace
        )
    shown.owed = judged.owed
    if judged.owed not in {Owed.NOTHING, Owed.CONSENT}:
        return None
    response = authorization.grant(
        application, judged.request, person, judged.given, signers=None, now=asked.now
    )
    code = dict(response.fields)["code"]
    return {"code": code, "redirect_uri": response.redirect_uri, "code_verifier": verifier}


def _authorization_request(
    asked: PreviewRequest, application: ApplicationFacts, verifier: str
) -> Parameters:
    return _parameters(
        response_type="code",
        client_id=asked.client_id,
        redirect_uri=next(iter(application.redirect_uris), None),
        nonce=NONCE,
        code_challenge=pkce.s256(verifier),
        code_challenge_method=pkce.S256,
        **asked.client_wishes,
    )


def _token(
    asked: PreviewRequest, sent: Mapping[str, Any], shown: Preview
) -> tuple[Client, TokenResponse]:
    with _step(shown, "token") as trace:
        form = _parameters(grant_type=asked.grant_type, client_id=asked.client_id, **sent)
        found, records = applications.find_with_clients(
            asked.application_id, [asked.client_id], asked.now, trace
        )
        application = _anywhere(found)
        question = TokenQuestion(form, _parameters(), application, GRANTS)
        trace.run(TOKEN_CHECKS, question)
        client = _client(asked, application, records, trace)
        trace.run(GRANT_CHECKS, question)
        order = GrantOrder(application, client, form, asked.now, trace, "", _nobody)
        answer = GRANTS[asked.grant_type](order)
    shown.access_token = UnsignedToken.of(answer.access_token)
    shown.is_opaque = shown.access_token is None
    shown.id_token = UnsignedToken.of(answer.id_token)
    shown.answer = {**answer.members(), **_hidden(answer)}
    return client, answer


def _client(
    asked: PreviewRequest,
    application: ApplicationFacts,
    records: tuple[ClientRecord, ...],
    trace: Trace,
) -> Client:
    """The client, which proves itself by a secret of this moment where it has one of its own."""
    secret, stored = _any_secret()
    armed = tuple(replace(each, secrets=(stored,)) for each in records if _can_prove(each, asked))
    presented = PresentedCredentials(
        "client_secret_post" if armed else "none",
        ((asked.client_id, secret if armed else None),),
    )
    return identify(ClientQuestion(application, presented, armed or records, asked.now), trace)


def _can_prove(record: ClientRecord, asked: PreviewRequest) -> bool:
    ends = (secret.expires_at for secret in record.secrets)
    return any(end is None or asked.now < end for end in ends)


def _any_secret() -> tuple[str, StoredSecret]:
    secret = identifiers.new_secret()
    return secret, StoredSecret(pk=0, digest=identifiers.digest(secret), expires_at=None)


def _anywhere(application: ApplicationFacts) -> ApplicationFacts:
    return replace(application, allowed_networks=())


def _parameters(**sent: Any) -> Parameters:
    """What a client would send; a list becomes a repeated parameter, nothing is left out."""
    many = ((name, value if isinstance(value, list) else [value]) for name, value in sent.items())
    return Parameters.from_pairs((name, text) for name, texts in many for text in texts if text)


def _nobody(**_: Any) -> None:
    """No password is looked at in a preview."""


def _hidden(answer: TokenResponse) -> dict[str, str]:
    """The tokens of an answer by their kind: what was issued is undone, and goes nowhere."""
    told = {"access_token": "(access token)", "id_token": "(ID token)"}
    told["refresh_token"] = "(refresh token)"  # noqa: S105 - stands in its place
    return {name: told[name] for name in answer.members() if name in told}


def _members(part: str) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return members
