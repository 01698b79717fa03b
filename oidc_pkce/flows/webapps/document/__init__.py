"""Application documents, as CyberArk's export writes them: read, plan, apply; and write.

One door for the importer, the portal and the REST API. Reading needs no database; planning says
what would happen; only applying writes.
"""

from __future__ import annotations

from .applying import apply, import_documents
from .exporting import export_documents, render
from .planning import Kind, Plan, Step, plan
from .reading import read
from .report import Notice, Report

__all__ = [
    "Kind",
    "Notice",
    "Plan",
    "Report",
    "Step",
    "apply",
    "export_documents",
    "import_documents",
    "plan",
    "read",
    "render",
]
