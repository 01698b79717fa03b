"""Carry out one cure of a refused request: a click that is sent by POST, and by nothing else."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext

from ..flows import cures
from ..flows.webapps import EditedMeanwhile
from ..models import RequestTrace
from .records import OverseenAdmin

MAX_NAME = 64


class CureView:
    """The form sends a cure's name and what the page showed; all else is read from the trace."""

    def __init__(self, requests: OverseenAdmin) -> None:
        self.requests = requests

    def view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """404 for whoever may not see the request, 403 for whoever may only see it."""
        trace: RequestTrace = self.requests.get_object(request, object_id)
        if not cures.may_cure(request.user, trace):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._apply(request, trace)
        return HttpResponseRedirect(self.requests.address("change", trace.pk))

    def _apply(self, request: HttpRequest, trace: RequestTrace) -> None:
        name, seen = request.POST.get("cure", "")[:MAX_NAME], request.POST.get("seen", "")
        try:
            done = cures.apply(request.user, trace, name, seen=seen, now=timezone.now())
        except cures.NotAllowed:
            raise PermissionDenied from None
        except cures.NotNeeded:
            told = gettext("There is nothing to be done here any more, so nothing was changed.")
            messages.info(request, told)
        except EditedMeanwhile:
            told = gettext(
                "Somebody changed this since you opened the page, so nothing was done. Look again."
            )
            messages.error(request, told)
        except ValidationError as fault:
            told = gettext("Nothing was changed. %(faults)s")
            messages.error(request, told % {"faults": " ".join(fault.messages)})
        else:
            again = gettext("Send the request again.")
            messages.success(request, f"{done.done} {again}")
