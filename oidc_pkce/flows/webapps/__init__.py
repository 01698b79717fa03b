"""Create, change, delete, import and export applications; every door to them leads through here."""

from __future__ import annotations

from ..actor import Actor
from ..client_secret import set_client_secret
from .changes import Changes, PermissionChange, ScopeChange
from .document import Notice, Plan, Report, export_documents, import_documents
from .saving import EditedMeanwhile, create, delete, update

__all__ = [
    "Actor",
    "Changes",
    "EditedMeanwhile",
    "Notice",
    "PermissionChange",
    "Plan",
    "Report",
    "ScopeChange",
    "create",
    "delete",
    "export_documents",
    "import_documents",
    "set_client_secret",
    "update",
]
