"""The live figures that this node sets beside the joint plan: its evidence, in a few numbers.

They are read together from one snapshot and kept for some seconds, with the instant they are of:
a public page must not be a way to keep a node busy.
"""

from collections.abc import Callable, Mapping

import msgspec

from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.kernel.words import Words
from tongcheng.node.core import Node
from tongcheng.node.mobility_figures import mobility_figures
from tongcheng.services.mobility.console.figures import Told
from tongcheng.services.plan.model import Figure, FundFlow, Live, ServicePage
from tongcheng.services.plan.story import Story
from tongcheng.services.settlement import fund_flows

KEPT_MS = 2_000
STAYS_PATH = "/settlement/stays"
LIST_ACTION = "settlement.stays.read"
DESK_PATH = "/settlement"
DESK_ACTION = "settlement.desk.read"
SERVICE_PAGES = {
    "settlement": ServicePage(STAYS_PATH, LIST_ACTION),
    "mobility": ServicePage("/mobility", "mobility.read"),
}
HIGHLIGHTS = (
    "settlement.settled",
    "settlement.funds",
    "settlement.waiting",
    "settlement.duration",
)


class LiveFigures:
    """Computes the figures of one node, at most once in KEPT_MS.

    `synthetic` marks figures of made-up persons; `story` is the region's, where it is told.
    `mobility` tells what that service has computed.
    """

    def __init__(
        self,
        node: Node,
        *,
        synthetic: bool,
        story: Story | None = None,
        mobility: Callable[[], Mapping[str, Told | None]] = dict,
    ) -> None:
        self._node = node
        self._synthetic = synthetic
        self._story = story
        self._mobility = mobility
        self._kept: Live | None = None

    def __call__(self) -> Live:
        """Return the figures as they are, or were up to KEPT_MS ago."""
        now_at = self._node.clock.now()
        kept = self._kept
        if kept is None or not 0 <= now_at - kept.as_of_at < KEPT_MS:
            with self._node.database.snapshot() as snapshot:
                kept = self._kept = self._compute(snapshot, now_at)
        return kept

    def _compute(self, snapshot: Snapshot, now_at: int) -> Live:
        flows = _flows(snapshot, self._node.home)
        return Live(
            as_of_at=now_at,
            figures=_figures(snapshot, flows) | mobility_figures(self._mobility()),
            highlights=HIGHLIGHTS,
            flows=flows,
            service_pages=SERVICE_PAGES,
            story_path=self._story_path(snapshot),
            synthetic=self._synthetic,
        )

    def _story_path(self, snapshot: Snapshot) -> str | None:
        if self._story is None:
            return None
        stay = self._story.stay
        stay_id = fund_flows.stay_id_of(snapshot, stay.institution_id, stay.inpatient_no)
        return None if stay_id is None else f"{STAYS_PATH}/{stay_id}"


def _flows(snapshot: Snapshot, home: Home) -> tuple[FundFlow, ...]:
    """Return what flows between places, the largest first; what stays at home is no flow."""
    found = [
        FundFlow(insured_id, hospital_id, sums.settlements, sums.fund_fen)
        for (insured_id, hospital_id), sums in fund_flows.fund_flows(snapshot, home).items()
        if insured_id != hospital_id
    ]
    return tuple(sorted(found, key=lambda flow: flow.fund_fen, reverse=True))


def _figures(snapshot: Snapshot, flows: tuple[FundFlow, ...]) -> dict[str, Figure | None]:
    """Return every figure; what cannot be counted yet is None."""
    settled = Figure(
        key="settlement.settled",
        value=sum(flow.count for flow in flows),
        measure="count",
        name=Words("笔跨城住院结算", "hospital settlements between cities"),
        evidence=Words("看每一笔", "See each of them"),
        evidence_path=f"{STAYS_PATH}?state=settled",
        evidence_action=LIST_ACTION,
    )
    funds = msgspec.structs.replace(
        settled,
        key="settlement.funds",
        value=sum(flow.fund_fen for flow in flows),
        measure="fen",
        name=Words("基金支付", "paid by the funds"),
    )
    waiting = msgspec.structs.replace(
        settled,
        key="settlement.waiting",
        value=fund_flows.waiting(snapshot),
        name=Words("笔在等对方回音", "waiting for the other side"),
        evidence=Words("看未闭合的", "See what is open"),
        evidence_path=DESK_PATH,
        evidence_action=DESK_ACTION,
    )
    median_ms = fund_flows.median_duration_ms(snapshot)
    duration = msgspec.structs.replace(
        settled,
        key="settlement.duration",
        value=median_ms or 0,
        measure="ms",
        name=Words("从医院请求到结算完成，中位数", "from a hospital's request to settled, median"),
    )
    return {
        settled.key: settled if flows else None,
        funds.key: funds if flows else None,
        waiting.key: waiting,
        duration.key: None if median_ms is None else duration,
    }
