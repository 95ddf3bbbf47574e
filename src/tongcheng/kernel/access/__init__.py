"""Who may do what on a node: people with accounts, their roles, and the dated table of actions."""

from tongcheng.kernel.access.actions import Action
from tongcheng.kernel.access.reader import Reader

__all__ = ["Action", "Reader"]
