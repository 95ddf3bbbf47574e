"""What a node does by itself: apply what was parked, keep its checkpoints, seal its audit.

Every job survives its own failures: it is logged and tried again at its next time, and none of
them holds up a request.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from tongcheng.kernel import audit
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.clock import Clock
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Snapshot, StoredValueDamaged, Transaction
from tongcheng.kernel.store.worker import Worker
from tongcheng.kernel.store.writer import WriterStopped

log = structlog.get_logger()

PERIOD_S = 60.0


async def every(
    job: Callable[[], Awaitable[object]], name: str, period_s: float = PERIOD_S
) -> None:
    """Run a job now and every so many seconds, until cancelled or the writer stops."""
    while True:
        try:
            await job()
        except WriterStopped:
            return
        except (Refused, StoredValueDamaged) as fault:
            log.warning("job_failed", job=name, fault=str(fault))
        await asyncio.sleep(period_s)


async def once(job: Callable[[], Awaitable[object]], name: str) -> None:
    """Run a job at the start; what keeps it from working now will keep it from working again."""
    try:
        await job()
    except WriterStopped:
        return
    except (Refused, StoredValueDamaged) as fault:
        log.warning("job_failed", job=name, fault=str(fault))


class AuditSeal:
    """Seals the audit into the journal once a day of the region (每日审计摘要)."""

    def __init__(self, worker: Worker, clock: Clock, zone: str) -> None:
        self._worker = worker
        self._clock = clock
        self._zone = zone

    async def __call__(self) -> None:
        """Seal when the oldest entry that is not sealed is of a day that is over."""
        if await self._worker.read(self._is_due):
            await self._worker.run(self._seal)

    def _is_due(self, snapshot: Snapshot) -> bool:
        oldest = audit.oldest_unsealed(snapshot)
        if oldest is None:
            return False
        return local_date(oldest.at, self._zone) < local_date(self._clock.now(), self._zone)

    def _seal(self, tx: Transaction) -> bool:
        return audit.seal(tx)
