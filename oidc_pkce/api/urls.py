"""Mount the management API where you like; beside the administration is a good place::

path("admin/api/oidc_pkce/", include("oidc_pkce.api.urls"))
"""

from __future__ import annotations

from importlib.util import find_spec

from django.core.exceptions import ImproperlyConfigured
from django.urls import include, path, re_path

if find_spec("drf_spectacular") is None:
    raise ImproperlyConfigured(
        "The management API is mounted, and drf-spectacular, which writes its OpenAPI document, is"
        " not installed: install oidc-pkce[api]."
    )

from .applications import Applications, OneApplication
from .audit_log import AuditEvents, OneAuditEvent
from .base import Nowhere
from .documentation import Documentation, OpenAPI
from .documents import Clone, ExportMany, ExportOne, Import
from .grants import Grants, OneGrant, RevokeGrant, RevokeGrants
from .permissions import OnePermission, Permissions
from .secrets import ApplicationSecret, ApplicationSecrets
from .service_users import OneServiceUser, ServiceUsers, ServiceUserSecret, ServiceUserSecrets
from .signing_keys import OneSigningKey, RetireKey, RotateKeys, SigningKeys

app_name = "oidc_pkce_api"

#: What the OpenAPI document describes, in the order of its chapters.
RESOURCES = [
    path("applications", Applications.as_view(), name="applications"),
    path("applications/import", Import.as_view(), name="import"),
    path("applications/export", ExportMany.as_view(), name="export"),
    path("applications/<int:id>", OneApplication.as_view(), name="application"),
    path("applications/<int:id>/clone", Clone.as_view(), name="clone"),
    path("applications/<int:id>/export", ExportOne.as_view(), name="export-one"),
    path("applications/<int:id>/secrets", ApplicationSecrets.as_view(), name="application-secrets"),
    path(
        "applications/<int:id>/secrets/<int:secret_id>",
        ApplicationSecret.as_view(),
        name="application-secret",
    ),
    path("applications/<int:id>/permissions", Permissions.as_view(), name="permissions"),
    path(
        "applications/<int:id>/permissions/<str:principal>/<path:name>",
        OnePermission.as_view(),
        name="permission",
    ),
    path("service-users", ServiceUsers.as_view(), name="service-users"),
    path("service-users/<str:client_id>", OneServiceUser.as_view(), name="service-user"),
    path(
        "service-users/<str:client_id>/secrets",
        ServiceUserSecrets.as_view(),
        name="service-user-secrets",
    ),
    path(
        "service-users/<str:client_id>/secrets/<int:secret_id>",
        ServiceUserSecret.as_view(),
        name="service-user-secret",
    ),
    path("grants", Grants.as_view(), name="grants"),
    path("grants/revoke", RevokeGrants.as_view(), name="revoke-grants"),
    path("grants/<uuid:id>", OneGrant.as_view(), name="grant"),
    path("grants/<uuid:id>/revoke", RevokeGrant.as_view(), name="revoke-grant"),
    path("signing-keys", SigningKeys.as_view(), name="signing-keys"),
    path("signing-keys/rotate", RotateKeys.as_view(), name="rotate-keys"),
    path("signing-keys/<str:kid>", OneSigningKey.as_view(), name="signing-key"),
    path("signing-keys/<str:kid>/retire", RetireKey.as_view(), name="retire-key"),
    path("audit-events", AuditEvents.as_view(), name="audit-events"),
    path("audit-events/<int:id>", OneAuditEvent.as_view(), name="audit-event"),
]

urlpatterns = [
    path("v1/", include(RESOURCES)),
    path("v1/openapi.json", OpenAPI.as_view(patterns=RESOURCES), name="openapi"),
    path("v1/docs/", Documentation.as_view(patterns=RESOURCES), name="documentation"),
    re_path(r"^v1/", Nowhere.as_view(), name="nowhere"),
]
