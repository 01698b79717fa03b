"""Rules that the server keeps, or not, for all applications."""

from __future__ import annotations

from .facts import Question
from .rule import Judgement, met, rule, unmet, unseen
from .rule import gettext_noop as _
from .specification import FAPI2, MCP, OAUTH21, RFC9700


@rule(
    "server.https",
    sentence=_("The issuer and all endpoints are https addresses."),
    cure=_("Set ISSUER_BASE to an https address, let a proxy end TLS, and leave Issuer empty."),
    clauses=(
        OAUTH21.must("1.5"),
        FAPI2.must("5.2.1"),
        MCP.must("Communication Security"),
    ),
    setting="ISSUER_BASE",
)
def addresses_are_https(question: Question) -> Judgement:
    """Tokens and secrets travel there."""
    issuer = question.application.issuer
    if question.server.is_https and issuer.lower().startswith("https://"):
        return met(_("ISSUER_BASE and the issuer begin with https://."))
    return unmet(_("“%(address)s” is not https."), address=_plain_one(question))


@rule(
    "server.metadata",
    sentence=_("Clients find the metadata document under the issuer (RFC 8414)."),
    cure=_("Leave Issuer empty."),
    clauses=(
        RFC9700.should("2.6"),
        FAPI2.must("5.3.2.1"),
        MCP.must("Authorization Server Metadata Discovery"),
    ),
    fields=("issuer",),
)
def metadata_is_found(question: Question) -> Judgement:
    """Who configures itself makes no mistakes."""
    if question.application.issuer == question.own_place:
        return met(_("It is published under the four usual addresses."))
    return unmet(
        _("The issuer is “%(issuer)s”, and this server answers at another address."),
        issuer=question.application.issuer,
    )


@rule(
    "server.resource_metadata",
    sentence=_("The API says whose tokens it takes (RFC 9728)."),
    cure=_("Set RESOURCE of RESOURCE_SERVER, or publish the document where the API is."),
    clauses=(MCP.must("Protected Resource Metadata Discovery Requirements"),),
    setting="RESOURCE_SERVER",
)
def resource_metadata_is_published(question: Question) -> Judgement:
    """An MCP client begins there."""
    server = question.server
    named = {name.lower() for name in server.resource_applications}
    if server.resource and question.application.application_id.lower() in named:
        return met(_("This project publishes it for “%(resource)s”."), resource=server.resource)
    return unseen(_("The API is elsewhere: what it publishes cannot be seen from here."))


@rule(
    "server.cors",
    sentence=_("Scripts of other sites cannot read the authorization endpoint (CORS)."),
    cure=_("Nothing is to be done: it has no CORS."),
    clauses=(OAUTH21.must("3.1"), RFC9700.must("2.6"), FAPI2.must("5.2.3")),
)
def authorization_has_no_cors(question: Question) -> Judgement:
    """The other endpoints answer scripts of redirects and Trusted Origins alone."""
    count = len(question.application.trusted_origins)
    return met(
        _("It allows no origin; the others allow those of redirects and %(count)d trusted ones."),
        count=count,
    )


def _plain_one(question: Question) -> str:
    return question.server.base if not question.server.is_https else question.application.issuer
