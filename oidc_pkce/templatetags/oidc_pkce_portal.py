"""Tags of the Admin Portal's templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import RequestContext

from ..portal.home import Home

register = template.Library()


@register.simple_tag(takes_context=True)
def portal_home(context: RequestContext) -> Home:
    """The portal's home for whoever is signed in; reads ``app_list``, which AdminSite made."""
    screens: list[dict[str, Any]] = [
        screen for app in context["app_list"] for screen in app["models"]
    ]
    return Home(context.request, screens)
