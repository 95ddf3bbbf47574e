"""Reading the region's table of authority, checked against what this software can do."""

from collections.abc import Iterable
from pathlib import Path

from tongcheng.kernel.access import Action
from tongcheng.kernel.access.actions import KERNEL_ACTIONS
from tongcheng.kernel.access.table import TABLE_FILE, AuthorityTable, parse
from tongcheng.kernel.region import RegionPack
from tongcheng.node.files import read_bytes
from tongcheng.node.services import SERVICES


def load_table(
    pack_folder: Path, region: RegionPack, actions: Iterable[Action] = ()
) -> AuthorityTable:
    """Read the table of a region pack; refuses AUTHORITY_MALFORMED and FILE_MISSING.

    It may name what any service of this software does, also one that a node does not run, and
    besides what `actions` name.
    """
    of_services = (action for service in SERVICES for action in service.actions)
    return parse(
        read_bytes(pack_folder / TABLE_FILE).decode("utf-8", "replace"),
        agencies=[member.id for member in region.members],
        actions={action.name for action in (*KERNEL_ACTIONS, *of_services, *actions)},
    )
