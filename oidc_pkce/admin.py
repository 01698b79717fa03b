"""Register the Admin Portal's screens with Django's administration, where a project has one."""

from __future__ import annotations

from django.contrib import admin

from .models import (
    Application,
    AuditEvent,
    Grant,
    LogoutDelivery,
    RequestTrace,
    Role,
    ServiceUser,
    SigningKey,
)
from .portal.audit_log import AuditLogAdmin
from .portal.grants import GrantAdmin
from .portal.logout_deliveries import LogoutDeliveryAdmin
from .portal.requests import RequestAdmin
from .portal.roles import RoleAdmin
from .portal.service_users import ServiceUserAdmin
from .portal.signing_keys import SigningKeyAdmin
from .portal.web_apps import WebAppAdmin

admin.site.register(Application, WebAppAdmin)
admin.site.register(ServiceUser, ServiceUserAdmin)
admin.site.register(Role, RoleAdmin)
admin.site.register(Grant, GrantAdmin)
admin.site.register(RequestTrace, RequestAdmin)
admin.site.register(AuditEvent, AuditLogAdmin)
admin.site.register(SigningKey, SigningKeyAdmin)
admin.site.register(LogoutDelivery, LogoutDeliveryAdmin)
