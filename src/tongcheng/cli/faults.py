"""What went wrong, in words, for whoever typed the command."""

import os
import sqlite3

from tongcheng.kernel.errors import Catalogue, Refused
from tongcheng.kernel.store import StoredValueDamaged
from tongcheng.kernel.words import Language

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


def language() -> Language:
    """Return the language of the terminal: Chinese where the locale says so, else English."""
    chosen = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def message(fault: Exception) -> str | None:
    """Return what to print for a refusal or a damaged store; None for anything else."""
    if isinstance(fault, StoredValueDamaged):
        fault = Refused("STORED_VALUE_DAMAGED", table=fault.table, key=str(fault))
    elif isinstance(fault, sqlite3.DatabaseError):
        fault = Refused("STORE_UNREADABLE", file="node.sqlite", detail=str(fault))
    if not isinstance(fault, Refused):
        return None
    words = _catalogue().render(fault, language())
    return f"[{words.code}] {words.what}\n{words.why}\n{words.do}"


def _catalogue() -> Catalogue:
    from tongcheng.node.console import catalogue
    from tongcheng.node.services import SERVICES

    return catalogue(SERVICES)
