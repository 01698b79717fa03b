"""An administrator who cures a refused request, by the button of its page alone."""

from __future__ import annotations

import html
import re
from typing import Any

from oidc_pkce.models import AuditEvent, Permission, RequestTrace, ServiceUser
from tests.portal.conftest import Portal

OTHER = "https://notes.example.com/signed-in"
IMPLICIT = {"response_type": "token", "code_challenge": None, "code_challenge_method": None}


def page_of(trace: RequestTrace) -> str:
    return f"requesttrace/{trace.pk}/change/"


def cure(portal: Portal, trace: RequestTrace, name: str, **changes: Any) -> str:
    """Open the request, press the button of this cure; the page that follows."""
    page = portal.get(page_of(trace)).content.decode()
    found = re.search(
        rf'name="cure" value="{name}"><input type="hidden" name="seen" value="(.*?)"', page
    )
    assert found, f"no button {name}"
    return post(portal, trace, name, seen=found[1], **changes)


def post(portal: Portal, trace: RequestTrace, name: str, **sent: Any) -> str:
    response = portal.post(f"requesttrace/{trace.pk}/cure/", {"cure": name, **sent})
    assert response.status_code == 200, response.status_code
    return html.unescape(response.content.decode())


def refused() -> RequestTrace:
    return RequestTrace.objects.filter(succeeded=False).latest("pk")


def changed() -> dict[str, Any]:
    """What the newest change of an application was."""
    event = AuditEvent.objects.filter(action="application.updated").latest("pk")
    return event.details["changes"]  # type: ignore[no-any-return]


def nobody_may_run() -> None:
    Permission.objects.all().delete()


def seen_of_robot() -> str:
    robot = ServiceUser.objects.get()
    return f"{robot.user.is_active:d}{robot.is_oauth_confidential_client:d}"
