"""The what-if of a file: cut into parts, each judged on its own, the answers put together.

A part is some persons' rows and everything that is needed to judge them, so that any worker can do
it, again if need be. The parts of a file are the same for any number of workers, and so is what
comes of them.
"""

import hashlib
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import msgspec
import pyarrow as pa

from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.spread import spread
from tongcheng.services.settlement.batch.arrays import Results, blank_results
from tongcheng.services.settlement.batch.codes import CODES
from tongcheng.services.settlement.batch.events import Reader
from tongcheng.services.settlement.batch.handing import handing_on, taken_over
from tongcheng.services.settlement.batch.output import open_output
from tongcheng.services.settlement.batch.plan import Plan, plan_of
from tongcheng.services.settlement.batch.reading import Claims, Piece, Survey, open_claims
from tongcheng.services.settlement.batch.source import open_source
from tongcheng.services.settlement.what_if import output
from tongcheng.services.settlement.what_if.answer import Answer, answer
from tongcheng.services.settlement.what_if.joint import Joint
from tongcheng.services.settlement.what_if.judging import judge
from tongcheng.services.settlement.what_if.sums import Sums, nothing, total

ROWS_A_PART: Final = 2**20
"""Rows of a part, about: it is cut between persons. A row group of Parquet that lies in two parts
is decoded twice, so parts are no smaller than row groups mostly are."""
ROWS_AT_ONCE: Final = 65_536
"""So few that the results are still in the cache when they are added up and written."""
Progress = Callable[[int, int], None]


class Rules(msgspec.Struct, frozen=True):
    """The books of both rules, and the region whose areas they are for."""

    old: tuple[RuleBook, ...]
    new: tuple[RuleBook, ...]
    region: RegionPack | None

    def key(self) -> str:
        """Return a digest that differs where the books or their days do."""
        told = [
            [[book.digest, book.status, book.effective_from, book.effective_to] for book in books]
            for books in (self.old, self.new)
        ]
        return hashlib.sha256(msgspec.json.encode([told, self.region])).hexdigest()


class Part(msgspec.Struct, frozen=True):
    """Some rows of a file.

    `written` is where the rows of the output go, None where they are handed back in memory.
    """

    rules: Rules
    path: Path
    survey: Survey
    piece: Piece
    causes: bool
    rows_wanted: bool
    written: Path | None


class Done(msgspec.Struct, frozen=True):
    """What comes of a part: sums, and the rows of the output where they are not in a file."""

    rows: int
    sums: Sums
    tables: tuple[pa.Table, ...]


class WhatIf(msgspec.Struct, frozen=True):
    """A what-if to be done: two sets of books over one file."""

    rules: Rules
    claims: Path
    out: Path | None = None
    causes: bool = False


def what_if(
    asked: WhatIf,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress = lambda _done, _rows: None,
) -> Answer:
    """Judge a file under both rules and tell what differs; write it claim by claim if asked.

    Refuses as `plan_of`, `open_claims` and `spread`, and OUTPUT_FILE.
    """
    joint = _joint(asked.rules)
    sums = [nothing(joint.layout, len(CODES))]
    scratch = None if asked.out is None else asked.out.parent
    with open_claims(asked.claims, scratch=scratch) as claims, ExitStack() as stack:
        write = None
        if asked.out is not None:
            opened = open_output(asked.out, output.schema_of(claims.id_type), {})
            write = stack.enter_context(opened).write
        done = 0
        parts = _parts(asked, claims, in_files=workers is not None or scheduler is not None)
        found = spread(do_part, parts, workers=workers, scheduler=scheduler)
        for part, each in zip(parts, stack.enter_context(closing(found)), strict=True):
            if write is not None:
                for table in each.tables if part.written is None else taken_over(part.written):
                    write(table)
            claims.release(part.piece)
            sums.append(each.sums)
            done += each.rows
            progress(done, claims.rows)
    books = (list(asked.rules.old), list(asked.rules.new))
    has_sequence = "sequence" in open_source(asked.claims).columns
    order = "sequence" if has_sequence else "ended_on"
    return answer(joint.layout, total(sums), books, order=order, causes=asked.causes)


def _parts(asked: WhatIf, claims: Claims, *, in_files: bool) -> list[Part]:
    in_files = in_files and asked.out is not None
    return [
        Part(
            rules=asked.rules,
            path=asked.claims.absolute(),
            survey=claims.survey,
            piece=piece,
            causes=asked.causes,
            rows_wanted=asked.out is not None,
            written=claims.folder() / f"out-{number:06d}.arrow" if in_files else None,
        )
        for number, piece in enumerate(claims.pieces(ROWS_A_PART, ROWS_AT_ONCE))
    ]


def do_part(part: Part) -> Done:
    """Judge a part. Done twice, it gives the same and leaves the same file."""
    bench = _bench(part.rules)
    sums = [nothing(bench.joint.layout, len(CODES))]
    tables: list[pa.Table] = []
    rows = 0
    with open_claims(part.path, found=part.survey) as claims, ExitStack() as stack:
        keep = tables.append
        if part.written is not None:
            schema = output.schema_of(claims.id_type)
            keep = stack.enter_context(handing_on(part.written, schema))
        for batch in claims.batches(bench.reader, ROWS_AT_ONCE, part.piece):
            into = bench.results(len(batch.row), trace=part.causes)
            judged = judge(bench.joint, batch.events, batch.age, causes=part.causes, into=into)
            sums.append(judged.sums)
            rows += len(batch.row)
            if part.rows_wanted:
                keep(output.rows_of(batch.claim_id, batch.row, judged.paired))
    return Done(rows, total(sums), (pa.concat_tables(tables),) if tables else ())


_PLANS: Final[dict[str, tuple[Plan, Plan]]] = {}
"""The plans of the last rules that this process was asked about; a worker does many parts."""


def _joint(rules: Rules) -> Joint:
    key = rules.key()
    plans = _PLANS.get(key)
    if plans is None:
        plans = (plan_of(rules.old, rules.region), plan_of(rules.new, rules.region))
        _PLANS.clear()
        _PLANS[key] = plans
    return Joint(*plans, rules.region)


class _Bench:
    """What a thread keeps from part to part: what the plans were asked, room for results."""

    def __init__(self, key: str, joint: Joint) -> None:
        self.key, self.joint = key, joint
        self.reader = Reader(joint)
        self._results: tuple[Results, Results] | None = None
        self._traced = False

    def results(self, rows: int, *, trace: bool) -> tuple[Results, Results]:
        """Return room for old and new results, which is overwritten batch by batch."""
        kept = self._results
        if kept is None or len(kept[0].code) < rows or (trace and not self._traced):
            room = max(rows, ROWS_AT_ONCE)
            kept = (blank_results(room, trace=trace), blank_results(room, trace=False))
            self._results, self._traced = kept, trace
        return kept


_KEPT: Final = threading.local()


def _bench(rules: Rules) -> _Bench:
    """Return this thread's; a thread that is asked about other rules begins anew."""
    key = rules.key()
    kept: _Bench | None = getattr(_KEPT, "bench", None)
    if kept is None or kept.key != key:
        kept = _KEPT.bench = _Bench(key, _joint(rules))
    return kept
