"""Judges a file of claims and writes what becomes of each: here, or shared by workers.

Here a thread reads ahead and one writes behind, and the kernel shares each batch between threads.
Workers each take pieces of the file, write what comes of one into a file of the run's own directory
(`handing`), and send back what they counted; here those files are put together in order. The bytes
of the output follow from the claims and the books alone, so they are the same in any case.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.spread import cpus, spread
from tongcheng.services.settlement.batch.ahead import Behind, ahead
from tongcheng.services.settlement.batch.arrays import Results
from tongcheng.services.settlement.batch.handing import handing_on, taken_over
from tongcheng.services.settlement.batch.plan import Plan, plan_of
from tongcheng.services.settlement.batch.reading import (
    ROWS_AT_ONCE,
    Batch,
    Claims,
    Piece,
    Survey,
    open_claims,
)
from tongcheng.services.settlement.batch.run import run
from tongcheng.services.settlement.batch.tally import Checked, Sample, Tally
from tongcheng.services.settlement.batch.writing import Tables, Writer, open_results

ROWS_A_PART: Final = 2**20
"""Rows of a part of a long file: no fewer than row groups of Parquet mostly have, because one that
lies in two parts is decoded twice."""
PARTS_OF_A_SHORT_FILE: Final = 8
"""So many a file has at least, if each is a batch: what one worker does alone is waited for."""
Progress = Callable[[int, int], None]


class Adjudication(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be judged by books, where the results go, and how many rows shall be checked."""

    books: tuple[RuleBook, ...]
    region: RegionPack | None
    claims: Path
    out: Path
    trace: bool = False
    sample: int | None = None


class Found(msgspec.Struct):
    """What was counted in some rows; `checked` is None where no sample was asked for."""

    tally: Tally
    checked: Checked | None

    def merge(self, other: "Found") -> None:
        """Count other rows too."""
        self.tally.merge(other.tally)
        if self.checked is not None and other.checked is not None:
            self.checked.merge(other.checked)


class Part(msgspec.Struct, frozen=True):
    """A piece of the file, with everything that is needed to judge it."""

    asked: Adjudication
    survey: Survey
    piece: Piece
    written: Path
    """Where the results go."""


def adjudicate(
    asked: Adjudication,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress = lambda _done, _rows: None,
) -> Found:
    """Judge a file and write the results; nothing is left of them when that is not finished.

    Refuses as `plan_of`, `open_claims`, `open_results` and `spread`.
    """
    plan = plan_of(asked.books, asked.region)
    with (
        open_claims(asked.claims, scratch=asked.out.parent) as claims,
        open_results(asked.out, plan, claims, trace=asked.trace) as writer,
    ):
        if workers is None and scheduler is None:
            return _here(asked, plan, claims, writer, progress)
        total = _Bench(asked, plan, claims.rows).found
        parts = _parts(asked, claims)
        with closing(spread(do_part, parts, workers=workers, scheduler=scheduler)) as done:
            for part, found in zip(parts, done, strict=True):
                for table in taken_over(part.written):
                    writer.add(table)
                claims.release(part.piece)
                total.merge(found)
                progress(total.tally.rows, claims.rows)
        return total


def _here(
    asked: Adjudication, plan: Plan, claims: Claims, writer: Writer, progress: Progress
) -> Found:
    bench = _Bench(asked, plan, claims.rows)
    with closing(ahead(claims.batches(plan, ROWS_AT_ONCE))) as batches, Behind() as behind:
        for batch in batches:
            results = bench.judge(batch, threads=cpus())
            behind.call(partial(writer.write, batch, results))
            bench.count(batch, results)
            progress(bench.found.tally.rows, claims.rows)
    return bench.found


def _parts(asked: Adjudication, claims: Claims) -> Sequence[Part]:
    absolute = msgspec.structs.replace(asked, claims=asked.claims.absolute())
    rows = min(ROWS_A_PART, max(ROWS_AT_ONCE, claims.rows // PARTS_OF_A_SHORT_FILE))
    return [
        Part(absolute, claims.survey, piece, claims.folder() / f"results-{number:06d}.arrow")
        for number, piece in enumerate(claims.pieces(rows, ROWS_AT_ONCE))
    ]


def do_part(part: Part) -> Found:
    """Judge a part. Done twice, it counts the same and leaves the same file."""
    asked = part.asked
    plan = plan_of(asked.books, asked.region)
    with open_claims(asked.claims, found=part.survey) as claims:
        bench = _Bench(asked, plan, claims.rows)
        tables = Tables(plan, claims.id_type, trace=asked.trace)
        with handing_on(part.written, tables.schema) as hand_on:
            for batch in claims.batches(plan, ROWS_AT_ONCE, part.piece):
                results = bench.judge(batch)
                hand_on(tables.table(batch, results))
                bench.count(batch, results)
    return bench.found


class _Bench:
    """Judges batches and counts what became of them."""

    def __init__(self, asked: Adjudication, plan: Plan, rows: int) -> None:
        self._asked, self._plan = asked, plan
        self._sample = None if asked.sample is None else Sample(plan, asked.sample, rows)
        self.found = Found(Tally(), None if self._sample is None else self._sample.found)

    def judge(self, batch: Batch, *, threads: int = 1) -> Results:
        return run(self._plan, batch.events, trace=self._asked.trace, threads=threads)

    def count(self, batch: Batch, results: Results) -> None:
        self.found.tally.add(batch, results)
        if self._sample is not None:
            self._sample.check(batch, results)
