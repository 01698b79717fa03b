"""What is remembered. Import models from here."""

from __future__ import annotations

from .application import Application, LoginInitiation, Profiles, Status
from .audit import AuditEvent
from .authorization import AuthorizationCode
from .back_channel_logout import LogoutDelivery
from .client_secret import ClientSecret
from .consent import Consent
from .end_session import EndedSession
from .grant import ClientAuthentication, Grant
from .logo import ApplicationLogo
from .permission import Permission, Principal, Right, has_right
from .role import Role
from .scope import Scope
from .service_user import ServiceUser
from .signing_key import KeyState, SigningKey
from .subject import Subject
from .token import AccessToken, RefreshToken, RevokedToken
from .trace import RequestTrace
from .usage import Usage

__all__ = [
    "AccessToken",
    "Application",
    "ApplicationLogo",
    "AuditEvent",
    "AuthorizationCode",
    "ClientAuthentication",
    "ClientSecret",
    "Consent",
    "EndedSession",
    "Grant",
    "KeyState",
    "LoginInitiation",
    "LogoutDelivery",
    "Permission",
    "Principal",
    "Profiles",
    "RefreshToken",
    "RequestTrace",
    "RevokedToken",
    "Right",
    "Role",
    "Scope",
    "ServiceUser",
    "SigningKey",
    "Status",
    "Subject",
    "Usage",
    "has_right",
]
