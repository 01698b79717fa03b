"""Create, change, delete, import and export applications; every door to them leads through here."""

from __future__ import annotations

from ..actor import Actor
from ..client_secret import set_client_secret
from .changes import Changes, PermissionChange, ScopeChange
from .cloning import clone, free_application_id
from .document import Notice, Plan, Report, export_documents, import_documents
from .logo import LogoChange
from .owning import owned_by
from .saving import EditedMeanwhile, create, delete, update, withdraw

__all__ = [
    "Actor",
    "Changes",
    "EditedMeanwhile",
    "LogoChange",
    "Notice",
    "PermissionChange",
    "Plan",
    "Report",
    "ScopeChange",
    "clone",
    "create",
    "delete",
    "export_documents",
    "free_application_id",
    "import_documents",
    "owned_by",
    "set_client_secret",
    "update",
    "withdraw",
]
