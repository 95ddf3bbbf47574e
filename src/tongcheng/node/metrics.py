"""What a monitoring system may know: counts and ages, never a person, never an amount."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from tongcheng.kernel import journal
from tongcheng.kernel.exchange.tables import CHANNELS, TROUBLES, ChannelRow, TroubleRow
from tongcheng.kernel.store import Snapshot
from tongcheng.node.core import Node

__all__ = ["CONTENT_TYPE_LATEST", "exposition"]


class _Figures(Collector):
    """The node's figures at one instant."""

    def __init__(
        self,
        refusals: dict[str, int],
        channels: list[ChannelRow],
        troubles: list[TroubleRow],
        leaves: int,
        member_id: str,
    ) -> None:
        self._refusals = refusals
        self._channels = channels
        self._troubles = troubles
        self._leaves = leaves
        self._member_id = member_id

    def collect(self) -> Iterable[Metric]:
        """Yield every family, those without a sample too, so that a dashboard finds them."""
        refused = CounterMetricFamily(
            "tongcheng_exchange_refusals", "Batches refused since the start.", labels=["code"]
        )
        for code, count in sorted(self._refusals.items()):
            refused.add_metric([code], count)
        yield refused
        waiting = GaugeMetricFamily(
            "tongcheng_exchange_unacknowledged", "Acts the peer has not taken.", labels=["peer"]
        )
        taken = CounterMetricFamily(
            "tongcheng_exchange_acts_taken", "Acts taken from the peer.", labels=["peer"]
        )
        for row in self._channels:
            if row.src == self._member_id:
                waiting.add_metric([row.dst], row.next_seq - 1 - row.acknowledged_seq)
            else:
                taken.add_metric([row.src], row.next_seq - 1)
        yield waiting
        yield taken
        troubled = GaugeMetricFamily(
            "tongcheng_exchange_refused_attempts",
            "How often the peer has refused the batch that waits; 0 when it moves again.",
            labels=["peer"],
        )
        for trouble in self._troubles:
            troubled.add_metric([trouble.dst], trouble.attempts)
        yield troubled
        yield GaugeMetricFamily(
            "tongcheng_journal_leaves", "Leaves of the journal.", value=self._leaves
        )


async def exposition(node: Node) -> bytes:
    """Return the figures in the text format of Prometheus."""

    def read(snapshot: Snapshot) -> tuple[list[ChannelRow], list[TroubleRow], int]:
        leaves, _ = journal.head(snapshot)
        return snapshot.select(CHANNELS), snapshot.select(TROUBLES), leaves

    channels, troubles, leaves = await node.read(read)
    registry = CollectorRegistry(auto_describe=False)
    refusals = dict(node.exchange.refusals)
    registry.register(_Figures(refusals, channels, troubles, leaves, node.home.member_id))
    return generate_latest(registry)
