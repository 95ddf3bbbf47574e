"""Several seeds at a time, each in a process of its own, none of which outlives this one."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence

import msgspec

from tongcheng.simulation.nation.results import Finished
from tongcheng.simulation.nation.worker import Order, Told
from tongcheng.simulation.region import Plan

WORKER = "tongcheng.simulation.nation.worker"
LINE_BYTES_MAX = 64 * 1_024 * 1_024
"""A report of a seed in which everything is wrong has a sentence for every settlement."""
LEAVE_WITHIN_S = 10
FAULT_CHARACTERS_MAX = 2_000

Step = Callable[[int, int], None]
"""Told a seed and how many of its stays are done."""
End = Callable[[Finished], None]


class SourcesChanged(Exception):
    """Code or books were changed while the run went on: it would no longer be one run."""


async def run(
    plans: Sequence[Plan], sources: str, workers: int, on_step: Step, on_end: End
) -> dict[int, str]:
    """Run every plan, so many at a time; return the seeds that ended without a report, and why."""
    waiting = iter(plans)
    failed: dict[int, str] = {}

    async def work() -> None:
        for plan in waiting:
            told = await _one(plan, sources, on_step)
            if isinstance(told, Finished):
                on_end(told)
            else:
                failed[plan.seed] = told

    crew = [asyncio.create_task(work()) for _ in range(workers)]
    try:
        await asyncio.gather(*crew)
    finally:
        for each in crew:
            if not each.cancelling():  # told once, it ends its worker; twice, it kills it
                each.cancel()
        await asyncio.gather(*crew, return_exceptions=True)
    return failed


async def _one(plan: Plan, sources: str, on_step: Step) -> Finished | str:
    """Run one seed in a new process; return its end, or the last words of its failure."""
    process = await _started()
    try:
        return await _followed(process, plan, sources, on_step)
    finally:
        await _end(process)


async def _started() -> Process:
    """Start a worker; one that is being started when the run is stopped is ended as well."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder where somebody calls this
            "-m",
            WORKER,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=LINE_BYTES_MAX,
            # Ctrl-C at the terminal is for this process alone; it ends the others.
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _end(await starting)
        raise


async def _followed(process: Process, plan: Plan, sources: str, on_step: Step) -> Finished | str:
    assert process.stdin is not None, "asked for"
    assert process.stdout is not None, "asked for"
    assert process.stderr is not None, "asked for"
    complaint = asyncio.create_task(process.stderr.read())
    order = Order(plan, sources)
    process.stdin.write(msgspec.json.encode(order) + b"\n")
    async for line in process.stdout:
        told = msgspec.json.decode(line, type=Told)
        if told.other_sources:
            raise SourcesChanged
        if told.finished is not None:
            return told.finished
        on_step(plan.seed, told.done)
    words = (await complaint).decode(errors="replace").strip()
    return words[-FAULT_CHARACTERS_MAX:] or f"exit code {await process.wait()}"


async def _end(process: Process) -> None:
    """End a process that has told its end, or is not wanted any more."""
    assert process.stdin is not None, "asked for"
    process.stdin.close()  # it takes its files along and leaves
    try:
        async with asyncio.timeout(LEAVE_WITHIN_S):
            await process.wait()
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
