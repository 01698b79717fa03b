"""Service users: the confidential clients that act for themselves."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ..flows import service_user
from ..flows.escalation import acting_as_gives_more
from ..models import ServiceUser
from . import problems
from .base import ManagementView
from .fields import Flag, QueryFlag, StrictSerializer, Text
from .pagination import PageQuery, page_of, paged
from .problems import Fault, Problem
from .schema import LOCATION, operation, path_parameter
from .secrets import (
    SECRET_ID,
    NewSecretSerializer,
    SecretsSerializer,
    ToldSecretSerializer,
    listed,
    revoked,
    rotated,
)

CLIENT_ID = path_parameter(
    "client_id", {"type": "string"}, "The login name, which is the client_id."
)


class ServiceUserSerializer(StrictSerializer):
    """A service user."""

    client_id = Text(read_only=True, help_text="The login name.")
    is_active = Flag(required=False, help_text="An inactive one is shut out.")
    is_oauth_confidential_client = Flag(
        required=False, help_text="What Must be OAuth Client asks for."
    )
    created_at = serializers.DateTimeField(read_only=True)


class NewServiceUserSerializer(StrictSerializer):
    """A service user to be."""

    client_id = Text(max_length=150, help_text="Letters, digits and - _ . @")
    is_oauth_confidential_client = Flag(required=False)


class ToldServiceUserSerializer(ServiceUserSerializer):
    """A new service user, with its secret this once."""

    client_secret = Text(help_text="Told this once: nobody can read it again.")


class ServiceUserQuery(PageQuery):
    """Which service users."""

    search = Text(max_length=200, required=False, help_text="In the login name.")
    is_active = QueryFlag(required=False)


class ServiceUsers(ManagementView):
    """All of them."""

    chapter = "Service users"

    @operation(
        "list_service_users",
        "List service users",
        description="Needs the permission oidc_pkce.view_serviceuser.",
        answer=paged(ServiceUserSerializer, counted=True),
        query=ServiceUserQuery,
    )
    def get(self, request: Request) -> Response:
        """A page of them, by login name."""
        require_view(self)
        query = self.query(ServiceUserQuery)
        rows = ServiceUser.objects.select_related("user")
        if "is_active" in query:
            rows = rows.filter(user__is_active=query["is_active"])
        if text := query.get("search"):
            rows = rows.filter(**{f"{_login()}__icontains": text})
        return Response(page_of(rows.order_by(_login()), request, query, shown))

    @operation(
        "create_service_user",
        "Create a service user",
        description="Needs the permission oidc_pkce.add_serviceuser.",
        status=201,
        body=NewServiceUserSerializer,
        answer=ToldServiceUserSerializer,
        example={"client_id": "my_service_user"},
        headers=[LOCATION],
        kinds=[problems.INVALID, problems.CONFLICT],
    )
    def post(self, request: Request) -> Response:
        """Create one, and tell its secret this once."""
        self.require("add_serviceuser")
        self.query()
        members = self.read(NewServiceUserSerializer)
        made = _create(self, members)
        place = reverse("oidc_pkce_api:service-user", args=[made.service_user])
        told = {**shown(made.service_user), "client_secret": made.client_secret}
        return Response(told, 201, headers={"Location": place})


class OneServiceUser(ManagementView):
    """One of them."""

    chapter = "Service users"

    @operation(
        "read_service_user",
        "Read a service user",
        answer=ServiceUserSerializer,
        headers=[CLIENT_ID],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, client_id: str) -> Response:
        """What is stored."""
        require_view(self)
        self.query()
        return Response(shown(_found(client_id)))

    @operation(
        "update_service_user",
        "Change a service user",
        description="Needs the permission oidc_pkce.change_serviceuser.",
        body=ServiceUserSerializer,
        answer=ServiceUserSerializer,
        example={"is_active": False},
        headers=[CLIENT_ID],
        kinds=[problems.NOT_FOUND, problems.INVALID],
    )
    def patch(self, request: Request, client_id: str) -> Response:
        """Shut it out or let it in again; set or clear the flag."""
        found = changeable(self, client_id)
        members = self.read(ServiceUserSerializer, partial=True)
        _update(self, found, members)
        return Response(shown(_found(client_id)))

    @operation(
        "delete_service_user",
        "Delete a service user",
        description="With the Django user behind it. Needs oidc_pkce.delete_serviceuser.",
        status=204,
        headers=[CLIENT_ID],
        kinds=[problems.NOT_FOUND],
    )
    def delete(self, request: Request, client_id: str) -> Response:
        """Delete it; what people granted to it ends."""
        self.require("delete_serviceuser")
        self.query()
        found = within_reach(self, client_id)
        service_user.delete(found, actor=self.actor, now=self.now)
        return Response(status=204)


class ServiceUserSecrets(ManagementView):
    """The secrets of one of them."""

    chapter = "Client secrets"

    @operation(
        "list_service_user_secrets",
        "List a service user's secrets",
        answer=SecretsSerializer,
        headers=[CLIENT_ID],
        kinds=[problems.NOT_FOUND],
    )
    def get(self, request: Request, client_id: str) -> Response:
        """When they were made, end and were used; never what they are."""
        require_view(self)
        self.query()
        return Response(listed(_found(client_id)))

    @operation(
        "rotate_service_user_secret",
        "Give a service user another secret",
        description="The earlier one lives on; an older one goes.",
        status=201,
        body=NewSecretSerializer,
        answer=ToldSecretSerializer,
        example={"expires_at": "2030-01-31T12:00:00Z"},
        headers=[CLIENT_ID],
        kinds=[problems.NOT_FOUND, problems.INVALID],
    )
    def post(self, request: Request, client_id: str) -> Response:
        """Make one, and tell it this once."""
        found = changeable(self, client_id)
        return Response(rotated(self, found, str(found)), 201)


class ServiceUserSecret(ManagementView):
    """One of them."""

    chapter = "Client secrets"

    @operation(
        "revoke_service_user_secret",
        "Revoke a secret of a service user",
        status=204,
        headers=[CLIENT_ID, SECRET_ID],
        kinds=[problems.NOT_FOUND],
    )
    def delete(self, request: Request, client_id: str, secret_id: int) -> Response:
        """End it at once; tokens live on."""
        return revoked(self, changeable(self, client_id), secret_id)


def shown(found: ServiceUser) -> dict[str, Any]:
    """What is told of a service user."""
    return {
        "client_id": str(found),
        "is_active": bool(found.user.is_active),
        "is_oauth_confidential_client": found.is_oauth_confidential_client,
        "created_at": found.created_at,
    }


def require_view(view: ManagementView) -> None:
    """Raise ``Problem`` 403 unless one of the permissions lets the user look."""
    if not view.request.user.has_perm("oidc_pkce.change_serviceuser"):
        view.require("view_serviceuser")


def changeable(view: ManagementView, client_id: str) -> ServiceUser:
    """The service user, for whoever may change it. Raises ``Problem`` 403 or 404."""
    view.require("change_serviceuser")
    view.query()
    return within_reach(view, client_id)


def within_reach(view: ManagementView, client_id: str) -> ServiceUser:
    """The service user, unless it could do more than whoever asks. Raises ``Problem`` 403 or 404.

    Who makes its secret can act as it, and who ends it can lock out a superior.
    """
    found = _found(client_id)
    if acting_as_gives_more(found.user, view.request.user):
        sentence = _("“%(name)s” may do more than you: it was left alone.")
        raise Problem(problems.FORBIDDEN, sentence % {"name": found})
    return found


def _found(client_id: str) -> ServiceUser:
    return ServiceUser.objects.select_related("user").get(**{_login(): client_id})


def _create(view: ManagementView, members: dict[str, Any]) -> service_user.NewClient:
    name = members.pop("client_id")
    try:
        return service_user.create(name, actor=view.actor, now=view.now, **members)
    except service_user.ServiceUserExists:
        sentence = _("There is a service user of this name already.")
    except service_user.NameTaken:
        sentence = _("This is a person's account: choose another name.")
    except ValidationError as fault:
        sentence = " ".join(fault.messages)
    raise Problem(problems.INVALID, faults=[Fault("/client_id", sentence)])


def _update(view: ManagementView, found: ServiceUser, members: dict[str, Any]) -> None:
    if "is_active" in members:
        if not service_user.can_be_deactivated():
            sentence = _("The users of this project are always active.")
            raise Problem(problems.INVALID, faults=[Fault("/is_active", sentence)])
        switch = service_user.activate if members["is_active"] else service_user.deactivate
        switch(found, actor=view.actor, now=view.now)
    if "is_oauth_confidential_client" in members:
        flag = members["is_oauth_confidential_client"]
        service_user.flag(found, is_oauth_confidential_client=flag, actor=view.actor, now=view.now)


def _login() -> str:
    return f"user__{get_user_model().USERNAME_FIELD}"
