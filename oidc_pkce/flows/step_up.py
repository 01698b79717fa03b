"""What a person has to prove beyond the password: ``acr`` (OpenID Connect Core §5.5.1.1).

The client asks for it, and the application's Policy may; both have to be content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from ..conf import settings
from ..interaction_policy import PASSWORD
from ..protocol.application import ApplicationFacts
from ..protocol.checks import check
from ..protocol.claims_request import WantedContext
from ..protocol.errors import InteractionRequired, UnmetAuthenticationRequirements
from .interaction import Owed, Standing, is_fresh

# One slash, then what RFC 3986 §3.3 and §3.4 know: no other host, no backslash, no fragment.
_LOCAL_PATH = re.compile(r"/(?!/)[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*")


@dataclass(frozen=True, slots=True)
class Context:
    """The authentication context that a person reached, beside those that are wanted.

    ``unmet`` are the wishes that it does not satisfy, the Policy's before the client's; ``told`` is
    what the ID token says; ``path`` is where the person can prove more, '' where they cannot or
    have just been; ``sign_in_helps`` says that our own sign-in page would do.
    """

    unmet: tuple[WantedContext, ...]
    told: str
    is_silent: bool
    required: str = ""
    path: str = ""
    sign_in_helps: bool = False

    @property
    def missing(self) -> tuple[WantedContext, ...]:
        """Those without which nothing can be answered."""
        return tuple(wanted for wanted in self.unmet if wanted.essential)

    @property
    def owed(self) -> Owed:
        """What the person is asked for: a voluntary context is never worth a refusal."""
        if not self.unmet or self.is_silent:
            return Owed.NOTHING
        if self.path:
            return Owed.STEP_UP
        return Owed.SIGN_IN if self.missing else Owed.NOTHING


def context(application: ApplicationFacts, standing: Standing) -> Context:
    """How strongly the person has signed in, and what could be done for more."""
    request, person = standing.request, standing.person
    assert person is not None  # noqa: S101 - who is not signed in has reached nothing
    wishes = (_required(application), request.context)
    reached = str(settings.interaction_policy.acr(person.amr))
    unmet = tuple(wanted for wanted in wishes if not _is_met(reached, wanted))
    is_silent = "none" in request.prompts
    told = _told(reached, request.context)
    if not unmet:
        return Context(unmet, told, is_silent)
    return Context(
        unmet,
        told,
        is_silent,
        required=application.required_acr,
        path=_path(application, unmet, standing),
        sign_in_helps=not is_fresh(standing) and _password_satisfies(wishes),
    )


def password_is_enough(application: ApplicationFacts) -> bool:
    """Whether who proves no more than a password meets the application's Policy."""
    return _password_satisfies((_required(application),))


@check(
    "authorize.step_up",
    spec="OpenID Connect Core §3.1.2.6",
    fix="Send the request without prompt=none, so that the person can prove more.",
)
def silent_request_is_strong_enough(context: Context) -> None:
    """With prompt=none, the person has reached the Policy's acr and an essential one already."""
    if context.is_silent and context.missing and (context.path or context.sign_in_helps):
        raise InteractionRequired


@check(
    "authorize.acr",
    spec="OpenID Connect Core §5.5.1.1, Unmet Authentication Requirements §2",
    fix="Ask for an acr that the metadata lists, or give people a page to reach it; or lower"
    " Required acr on the Policy page.",
)
def essential_context_can_be_reached(context: Context) -> None:
    """The Policy's acr and an essential one are reached, or there is a page to reach them."""
    if context.missing and not (context.path or context.sign_in_helps):
        policy = f"the application's Policy requires {context.required}; " * bool(context.required)
        raise UnmetAuthenticationRequirements(
            received=" ".join(value for wanted in context.missing for value in wanted.values),
            expected=settings.interaction_policy.supported(),
            detail=f"{policy}reached: {context.told or 'nothing'}",
        )


CONTEXT_CHECKS = (silent_request_is_strong_enough, essential_context_can_be_reached)


def _required(application: ApplicationFacts) -> WantedContext:
    """What the Policy asks for: an essential context, whatever the client says."""
    values = (application.required_acr,) if application.required_acr else ()
    return WantedContext(values, essential=True)


def _is_met(reached: str, wanted: WantedContext) -> bool:
    return not wanted.values or _met(reached, wanted) is not None


def _met(reached: str, wanted: WantedContext) -> str | None:
    """The wanted value that what was reached satisfies; itself before a weaker one."""
    policy = settings.interaction_policy
    if reached and reached in wanted.values:
        return reached
    known = [value for value in wanted.values if value in policy.supported()]
    return next((value for value in known if policy.satisfies(reached, value)), None)


def _told(reached: str, asked: WantedContext) -> str:
    """An essential acr is answered with one of the values asked for (Core §5.5.1.1)."""
    return (_met(reached, asked) if asked.essential else None) or reached


def _password_satisfies(wishes: Iterable[WantedContext]) -> bool:
    """Whether a password alone would leave nothing essential open."""
    reached = str(settings.interaction_policy.acr((PASSWORD,)))
    return all(_is_met(reached, wanted) for wanted in wishes if wanted.essential)


def _path(application: ApplicationFacts, unmet: Sequence[WantedContext], standing: Standing) -> str:
    person, policy = standing.person, settings.interaction_policy
    if person is None or standing.ticket.stepped_up == person.sid:
        return ""
    for value in _candidates(unmet):
        path = policy.step_up_path(
            person.user, application.application_id, standing.request.client_id, value
        )
        if path is not None:
            return _local(path)
    return ""


def _candidates(unmet: Sequence[WantedContext]) -> list[str]:
    """The known contexts to go for: what settles most of the wishes first, the essential above all.

    A person is led to another page once, so one context has to do for both.
    """
    supported = settings.interaction_policy.supported()
    values = dict.fromkeys(value for wanted in unmet for value in wanted.values)

    def settled(value: str) -> tuple[int, int]:
        met = [wanted for wanted in unmet if _is_met(value, wanted)]
        return sum(wanted.essential for wanted in met), len(met)

    return sorted((value for value in values if value in supported), key=settled, reverse=True)


def _local(path: str) -> str:
    """The path, unless it could lead to another host: then the policy has to be mended."""
    if not _LOCAL_PATH.fullmatch(path):
        raise ImproperlyConfigured(
            f"InteractionPolicy.step_up_path() answered {path!r}: write a path of this host that"
            ' begins with one slash, such as "/second-factor/", percent-encoded as UTF-8.'
        )
    return path
