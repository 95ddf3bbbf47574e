"""Who this node is: the member it acts for, its keys, its accord, its books."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tongcheng.kernel.accord import Accord
from tongcheng.kernel.agency import Agency, Decider
from tongcheng.kernel.entropy import Entropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import Shelf


@dataclass
class Home:
    """What every command may know about its own node.

    Only the accords change while a node runs; `recall` reads them and the shelf when it opens.

    `accords_lately` were in force until a short while ago: what was sent by them may still arrive.

    `datasets` are the raw bytes of the region pack's other books (catalogues), by file name.
    `allow_draft_rulebooks` lets a demonstration settle on books that no officer has adopted.
    `benefit` says who computes what is paid; `agency` is the way to the agency's own system, there
    where it is asked. `folder` is the node's directory, where services keep large files; a node
    that only lives in memory has none.
    """

    member_id: str
    ring: KeyRing
    entropy: Entropy
    region: RegionPack
    shelf: Shelf
    datasets: Mapping[str, bytes] = field(default_factory=dict)
    allow_draft_rulebooks: bool = False
    benefit: Decider = "engine"
    agency: Agency | None = None
    folder: Path | None = None
    accord_in_force: Accord | None = None
    accords_lately: tuple[Accord, ...] = ()

    def accord_permitting(self, envelope_type: str, dst: str, *, is_answer: bool) -> Accord:
        """Return the accord by which we may send a type now, or refuse TYPE_NOT_PERMITTED.

        An answer may still go by an accord that was in force until lately, as its question did.
        """
        accords = (self.accord, *self.accords_lately) if is_answer else (self.accord,)
        for accord in accords:
            if accord.permits_type(envelope_type, self.member_id, dst):
                return accord
        raise Refused("TYPE_NOT_PERMITTED", type=envelope_type, member=self.member_id)

    @property
    def accord(self) -> Accord:
        """Return the accord in force; without one nothing may cross the border."""
        if self.accord_in_force is None:
            raise Refused("ACCORD_MISSING", member=self.member_id)
        return self.accord_in_force
