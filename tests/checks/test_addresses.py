"""Whichever endpoint is asked for an application that there is none of: the screen names it."""

from __future__ import annotations

import pytest
from django.urls import URLPattern

from oidc_pkce import urls, well_known_urls
from oidc_pkce.models import RequestTrace
from tests.journeys import FORM, Browser
from tests.portal.conftest import Portal

NOWHERE = "my-app"
ADDRESSES = {
    "authorize": f"/OAuth2/Authorize/{NOWHERE}",
    "confirm": f"/OAuth2/Confirm/{NOWHERE}",
    "discovery": f"/{NOWHERE}/.well-known/openid-configuration",
    "end_session": f"/OAuth2/EndSession/{NOWHERE}",
    "introspect": f"/OAuth2/Introspect/{NOWHERE}",
    "keys": f"/OAuth2/Keys/{NOWHERE}",
    "login": f"/OAuth2/Login/{NOWHERE}",
    "logo": f"/OAuth2/Logo/{NOWHERE}",
    "metadata": f"/.well-known/oauth-authorization-server/{NOWHERE}",
    "revoke": f"/OAuth2/Revoke/{NOWHERE}",
    "token": f"/OAuth2/Token/{NOWHERE}",
    "userinfo": f"/OAuth2/UserInfo/{NOWHERE}",
}
POSTED = ("introspect", "revoke", "token")


def test_every_endpoint_is_asked():
    patterns = (*urls.urlpatterns, *well_known_urls.urlpatterns)
    named = {each.name for each in patterns if isinstance(each, URLPattern)}

    assert named - {"end_sessions"} == set(ADDRESSES)  # that one is given no Application ID


@pytest.mark.parametrize("name", ADDRESSES)
def test_an_address_that_leads_nowhere_is_explained(list_app, portal: Portal, name):
    ask = Browser().post if name in POSTED else Browser().get

    answer = ask(ADDRESSES[name], **({"content_type": FORM} if name in POSTED else {}))
    trace = RequestTrace.objects.get()

    assert answer.status_code in (400, 401, 404)
    assert trace.failed_check == "application.known"
    page = portal.text(f"requesttrace/{trace.pk}/change/")
    assert "application.known" in page
    assert NOWHERE in page
