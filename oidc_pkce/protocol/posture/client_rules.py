"""Rules about clients: who they are, how they prove it, and their secrets."""

from __future__ import annotations

from datetime import timedelta

from ..application import ApplicationFacts, ClientIdType
from ..usage import Feature
from .facts import Question
from .rule import Judgement, met, rule, unmet, unseen
from .rule import gettext_noop as _
from .specification import FAPI2, MCP, OAUTH21, RFC9700

NONE = frozenset({"none"})
OLD = timedelta(days=365)
IDLE = timedelta(days=90)
ASYMMETRIC = frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"})


def is_confidential(application: ApplicationFacts) -> bool:
    """Whether every client has to prove itself with a secret."""
    if application.is_openid_connect:
        return application.require_client_secret
    return application.client_id_type is ClientIdType.CONFIDENTIAL


@rule(
    "clients.registered",
    sentence=_("Only clients that somebody registered are served."),
    cure=_("Choose List as Client ID Type and name the clients that you know, or Confidential."),
    clauses=(OAUTH21.should("2.5"), FAPI2.must("5.3.2.1"), MCP.must("Open Redirection")),
    fields=("client_id_type",),
    touches={Feature.RESPONSE_TYPE: None},
)
def clients_are_registered(question: Question) -> Judgement:
    """With Anything nobody can tell one client from another."""
    application = question.application
    if application.is_openid_connect:
        return met(_("One client ID is served."))
    if application.client_id_type is ClientIdType.ANYTHING:
        return unmet(_("Client ID Type is Anything: whoever asks is a client."))
    if application.client_id_type is ClientIdType.LIST:
        return met(_("The Client ID List names every client."))
    return met(_("Only service users are served."))


@rule(
    "clients.confidential",
    sentence=_("Every client proves itself with a secret of its own."),
    cure=_("Choose Confidential as Client ID Type, or tick Require client secret on Trust."),
    clauses=(FAPI2.must("5.3.2.1"),),
    fields=("client_id_type", "require_client_secret"),
    shows=(Feature.CLIENT_AUTHENTICATION,),
    touches={Feature.CLIENT_AUTHENTICATION: NONE},
)
def clients_are_confidential(question: Question) -> Judgement:
    """FAPI 2.0 knows no way to protect public clients as well."""
    if is_confidential(question.application):
        return met(_("A client without a secret is refused."))
    return unmet(_("Public clients are served, which have no secret."))


@rule(
    "clients.authenticate",
    sentence=_("A client that has a secret always has to use it."),
    cure=_("Tick Require client secret, or revoke the secrets."),
    clauses=(OAUTH21.must("3.2.1"), RFC9700.should("2.5")),
    fields=("require_client_secret",),
    shows=(Feature.CLIENT_AUTHENTICATION,),
    touches={Feature.CLIENT_AUTHENTICATION: NONE},
)
def secrets_are_asked_for(question: Question) -> Judgement:
    """Whoever stole a code needs the secret as well."""
    if is_confidential(question.application):
        return met(_("A client without a secret is refused."))
    if question.application.is_openid_connect and question.secrets:
        return unmet(_("The client has a secret, and is served without it."))
    return met(_("Its clients are public: they have no secret."))


@rule(
    "clients.asymmetric",
    sentence=_("Clients prove themselves with a key pair, not with a shared secret."),
    cure=_("This server knows neither private_key_jwt nor mutual TLS for clients."),
    clauses=(OAUTH21.should("2.4"), RFC9700.should("2.5"), FAPI2.must("5.3.2.1")),
    shows=(Feature.CLIENT_AUTHENTICATION,),
)
def clients_have_key_pairs(question: Question) -> Judgement:
    """What a server does not know cannot be stolen from it."""
    if question.server.authentication_methods and (
        question.server.authentication_methods <= ASYMMETRIC
    ):
        return met(_("Only key pairs are accepted."))
    return unmet(_("This server has no way for clients to prove themselves with a key pair."))


@rule(
    "clients.self_described",
    sentence=_("A client may be known by the address of its own metadata document."),
    cure=_("This server has no Client ID Metadata Documents: register each client."),
    clauses=(MCP.should("Client ID Metadata Documents"),),
)
def clients_describe_themselves(question: Question) -> Judgement:
    """Registration for clients that nobody knew before; MCP calls the dynamic one optional."""
    if "client_id_metadata_document_supported" in question.server.metadata:
        return met(_("The metadata document says so."))
    return unmet(
        _("This server reads no Client ID Metadata Documents, and has no dynamic registration.")
    )


@rule(
    "secrets.fresh",
    sentence=_("Client secrets are in use, and are replaced every year."),
    cure=_("Make a new secret, give it to the client, then revoke the old one."),
    clauses=(OAUTH21.should("3.2.1"),),
    shows=(Feature.CLIENT_AUTHENTICATION,),
)
def secrets_are_fresh(question: Question) -> Judgement:
    """A secret that nobody uses is missed by nobody when it is stolen."""
    now, secrets = question.now, question.secrets
    if not secrets or now is None:
        return _without_secrets(question)
    values = {"count": len(secrets)}
    if any(now - secret.created_at > OLD for secret in secrets):
        return unmet(_("Of %(count)d secrets one is older than a year."), **values)
    if any(secret.last_used_at and now - secret.last_used_at > IDLE for secret in secrets):
        return unmet(_("Of %(count)d secrets one was not used for 90 days."), **values)
    if not all(secret.last_used_at for secret in secrets):
        return unseen(_("Of %(count)d secrets one was never used."), **values)
    return met(_("All %(count)d secrets are younger than a year and in use."), **values)


def _without_secrets(question: Question) -> Judgement:
    if is_confidential(question.application):
        return unseen(_("No secret of a client was seen yet."))
    return met(_("Its clients have no secret."))
