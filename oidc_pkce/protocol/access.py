"""May this user, through this client, use this application now? The one answer, as a value."""

from __future__ import annotations

from dataclasses import dataclass

from .application import ApplicationFacts


@dataclass(frozen=True, slots=True)
class Access:
    """What the database says of one user and one application, read afresh for every request.

    ``interactive`` is true where a person stands before the browser: a service user never signs
    in there, though it may hold the Run right.
    """

    user_is_active: bool
    has_run_right: bool
    is_service_user: bool
    interactive: bool = True

    def refusal(self, application: ApplicationFacts) -> str | None:
        """Why not, as a private sentence for the trace; ``None`` when the user may."""
        if not application.enabled:
            return "the application is disabled"
        if not self.user_is_active:
            return "the user is not active"
        if self.interactive and self.is_service_user:
            return "a service user cannot sign in as a person"
        if not self.has_run_right:
            return "no row of Permissions gives the user the Run right"
        return None


#: An OpenID Connect client is no user: the application is its own, so only that is asked.
ITSELF = Access(user_is_active=True, has_run_right=True, is_service_user=False, interactive=False)
