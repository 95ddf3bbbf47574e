"""Who this node is: the member it acts for, its keys, its accord, its books."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tongcheng.kernel.accord import Accord
from tongcheng.kernel.entropy import Entropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import Shelf


@dataclass
class Home:
    """What every command may know about its own node; only the accord in force ever changes.

    `datasets` are the raw bytes of the region pack's other books (catalogues), by file name.
    `allow_draft_rulebooks` lets a demonstration settle on books that no officer has adopted.
    """

    member_id: str
    ring: KeyRing
    entropy: Entropy
    region: RegionPack
    shelf: Shelf
    datasets: Mapping[str, bytes] = field(default_factory=dict)
    allow_draft_rulebooks: bool = False
    accord_in_force: Accord | None = None

    @property
    def accord(self) -> Accord:
        """Return the accord in force; without one nothing may cross the border."""
        if self.accord_in_force is None:
            raise Refused("ACCORD_MISSING", member=self.member_id)
        return self.accord_in_force
