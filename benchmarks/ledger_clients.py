"""Clients of one ledger: each sends a request, waits for the durable answer, and sends the next.

They share the process with the ledger, as the connections of a node do: an asyncio loop (uvloop)
for the clients, the writer in its own thread. What waits when the writer comes is one commit.
"""

import asyncio
import statistics
import time
from collections.abc import Sequence
from typing import NamedTuple

import uvloop

from tongcheng.kernel.ledger import Order
from tongcheng.kernel.ledger_batch import Move, Posting
from tongcheng.kernel.store import Database, Writer
from tongcheng.kernel.store.worker import ThreadedWorker

CLIENTS = 64


class Served(NamedTuple):
    """What all clients together got: transfers a second, and the times of an answer in ms.

    `cpu_us` is what a transfer took of this process's CPU, the clients' own part included.
    """

    transfers_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def serve(database: Database, writer: Writer, orders: Sequence[Order], size: int) -> Served:
    """Let the clients put these orders, `size` to a request, each client its share."""
    requests = [
        Posting([Move(order) for order in orders[start : start + size]])
        for start in range(0, len(orders), size)
    ]
    shares = [requests[client::CLIENTS] for client in range(CLIENTS)]
    return uvloop.run(_serve(database, writer, shares, len(orders)))


async def _serve(
    database: Database, writer: Writer, shares: list[list[Posting]], transfers: int
) -> Served:  # fmt: skip
    worker = ThreadedWorker(database, writer)
    times: list[float] = []

    async def client(share: list[Posting]) -> None:
        for request in share:
            sent = time.perf_counter()
            await worker.run(request)
            times.append(time.perf_counter() - sent)

    try:
        cpu, started = time.process_time(), time.perf_counter()
        await asyncio.gather(*map(client, shares))
        elapsed = time.perf_counter() - started
        cpu_us = (time.process_time() - cpu) / transfers * 1e6
    finally:
        worker.stop()
    cuts = statistics.quantiles(times, n=100)
    return Served(transfers / elapsed, cuts[49] * 1_000, cuts[98] * 1_000, cpu_us)
