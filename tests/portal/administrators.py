"""Administrators who hold less than everything."""

from __future__ import annotations

from django.contrib.auth.models import Permission as DjangoPermission

from oidc_pkce.models import Application, Permission, Principal, Right
from tests.fixtures import make_user
from tests.portal.conftest import Portal


def staff(name: str, *codenames: str) -> Portal:
    """Somebody on the staff with these permissions of Django's."""
    user = make_user(name, is_staff=True)
    named = DjangoPermission.objects.filter(codename__in=codenames)
    assert len(named) == len(codenames)
    user.user_permissions.set(named)
    return Portal(user)


def hide(*applications: Application) -> None:
    """Let Everybody run these and see nothing of them in the portal."""
    Permission.objects.filter(application__in=applications).update(can_view=False)


def give(portal: Portal, application: Application, *held: Right) -> Portal:
    """Give rights on one application by a row of Permissions."""
    columns = {right.value: right in held for right in Right}
    Permission.objects.create(
        application=application, principal=Principal.USER, user=portal.user, **columns
    )
    return portal
