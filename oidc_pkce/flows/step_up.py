"""What a person has to prove beyond the password: ``acr`` (OpenID Connect Core §5.5.1.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured

from ..conf import settings
from ..interaction_policy import PASSWORD
from ..protocol.application import ApplicationFacts
from ..protocol.authorization import AuthorizationRequest
from ..protocol.checks import check
from ..protocol.claims_request import WantedContext
from ..protocol.errors import InteractionRequired, UnmetAuthenticationRequirements
from .interaction import Owed, Standing, is_fresh

# One slash, then what RFC 3986 §3.3 and §3.4 know: no other host, no backslash, no fragment.
_LOCAL_PATH = re.compile(r"/(?!/)[A-Za-z0-9\-._~!$&'()*+,;=:@%/?]*")


@dataclass(frozen=True, slots=True)
class Context:
    """The authentication context that a person reached, beside the one that is wanted.

    ``told`` is what the ID token says; ``path`` is where the person can prove more, '' where they
    cannot or have just been; ``sign_in_helps`` says that our own sign-in page would do.
    """

    wanted: WantedContext
    told: str
    is_enough: bool
    is_silent: bool
    path: str = ""
    sign_in_helps: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether nothing can be answered without more."""
        return self.wanted.essential and not self.is_enough

    @property
    def owed(self) -> Owed:
        """What the person is asked for: a voluntary context is never worth a refusal."""
        if self.is_enough or self.is_silent:
            return Owed.NOTHING
        if self.path:
            return Owed.STEP_UP
        return Owed.SIGN_IN if self.is_missing else Owed.NOTHING


def context(application: ApplicationFacts, standing: Standing) -> Context:
    """How strongly the person has signed in, and what could be done for more."""
    request, person = standing.request, standing.person
    assert person is not None  # noqa: S101 - who is not signed in has reached nothing
    policy, wanted = settings.interaction_policy, request.context
    reached = str(policy.acr(person.amr))
    met = _met(reached, wanted)
    is_silent = "none" in request.prompts
    if met is not None or not wanted.values:
        # An essential acr is answered with one of its values (Core §5.5.1.1).
        told = met if wanted.essential and met is not None else reached
        return Context(wanted, told, is_enough=True, is_silent=is_silent)
    return Context(
        wanted,
        reached,
        is_enough=False,
        is_silent=is_silent,
        path=_path(application, request, standing),
        sign_in_helps=not is_fresh(standing) and _met(policy.acr((PASSWORD,)), wanted) is not None,
    )


@check(
    "authorize.step_up",
    spec="OpenID Connect Core §3.1.2.6",
    fix="Send the request without prompt=none, so that the person can prove more.",
)
def silent_request_is_strong_enough(context: Context) -> None:
    """With prompt=none, the person has reached an essential acr already."""
    if context.is_silent and context.is_missing and (context.path or context.sign_in_helps):
        raise InteractionRequired


@check(
    "authorize.acr",
    spec="OpenID Connect Core §5.5.1.1, Unmet Authentication Requirements §2",
    fix="Ask for an acr that the metadata lists, or give people a page to reach it.",
)
def essential_context_can_be_reached(context: Context) -> None:
    """An essential acr is reached, or there is a page where the person can still reach it."""
    if context.is_missing and not (context.path or context.sign_in_helps):
        raise UnmetAuthenticationRequirements(
            received=" ".join(context.wanted.values),
            expected=settings.interaction_policy.supported(),
        )


CONTEXT_CHECKS = (silent_request_is_strong_enough, essential_context_can_be_reached)


def _met(reached: str, wanted: WantedContext) -> str | None:
    """The wanted value that what was reached satisfies; itself before a weaker one."""
    policy = settings.interaction_policy
    if reached and reached in wanted.values:
        return reached
    known = [value for value in wanted.values if value in policy.supported()]
    return next((value for value in known if policy.satisfies(reached, value)), None)


def _path(application: ApplicationFacts, request: AuthorizationRequest, standing: Standing) -> str:
    person, policy = standing.person, settings.interaction_policy
    if person is None or standing.ticket.stepped_up == person.sid:
        return ""
    known = policy.supported()
    for value in request.context.values:
        if value in known:
            path = policy.step_up_path(
                person.user, application.application_id, request.client_id, value
            )
            if path is not None:
                return _local(path)
    return ""


def _local(path: str) -> str:
    """The path, unless it could lead to another host: then the policy has to be mended."""
    if not _LOCAL_PATH.fullmatch(path):
        raise ImproperlyConfigured(
            f"InteractionPolicy.step_up_path() answered {path!r}: write a path of this host that"
            ' begins with one slash, such as "/second-factor/", percent-encoded as UTF-8.'
        )
    return path
