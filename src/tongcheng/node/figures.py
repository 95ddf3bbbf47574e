"""The live figures that this node sets beside the joint plan's commitments."""

from collections.abc import Callable

from tongcheng.kernel.words import Words
from tongcheng.node.core import Node
from tongcheng.services.plan.model import Figure, Figures
from tongcheng.services.settlement.stays_data import settled_figures


def figures_of(node: Node, *, synthetic: bool) -> Figures:
    """Return the figures by the key that a plan names; each is computed when a page asks."""
    return {"settlement.settled": _settled(node, synthetic=synthetic)}


def _settled(node: Node, *, synthetic: bool) -> Callable[[], Figure]:
    def figure() -> Figure:
        with node.database.snapshot() as snapshot:
            count, fund_fen = settled_figures(snapshot)
        funds = f"{fund_fen // 100:,}.{fund_fen % 100:02}"
        return Figure(
            count=count,
            unit=Words("笔住院已结算", "stays settled"),
            detail=Words(f"基金支付 {funds} 元", f"The funds pay ¥{funds}"),
            evidence_path="/settlement/stays",
            evidence=Words("看每一笔", "See each of them"),
            synthetic=synthetic,
        )

    return figure
