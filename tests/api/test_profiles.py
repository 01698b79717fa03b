"""Over the management API a profile refuses what it refuses in the portal."""

from __future__ import annotations

from oidc_pkce.models import Application
from tests.api.conftest import Api

SENTENCE = "The profile OAuth 2.1 forbids this"


def test_a_change_against_the_profile_is_refused_at_its_member(
    api: Api, list_app: Application
) -> None:
    address = f"applications/{list_app.pk}"
    assert api.patch(address, {"profile": "oauth21"}, match='"1"').status == 200

    told = api.patch(address, {"requires_pkce": False}, match='"2"')

    assert told.status == 422
    assert told.places == ["/requires_pkce"]
    assert SENTENCE in told.errors[0][1]
    assert Application.objects.get().requires_pkce


def test_a_profile_that_the_application_does_not_keep_is_refused_where_it_does_not(
    api: Api, list_app: Application
) -> None:
    Application.objects.update(requires_pkce=False)

    told = api.patch(f"applications/{list_app.pk}", {"profile": "oauth21"}, match='"1"')

    assert (told.status, told.places) == (422, ["/requires_pkce"])
    assert Application.objects.get().profile == "cyberark"


def test_a_profile_and_what_it_asks_for_are_one_change(api: Api, list_app: Application) -> None:
    Application.objects.update(requires_pkce=False)
    both = {"profile": "oauth21", "requires_pkce": True}

    assert api.patch(f"applications/{list_app.pk}", both, match='"1"').status == 200
