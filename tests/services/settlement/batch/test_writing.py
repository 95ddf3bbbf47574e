"""Results are written whole, in the order of the input, equal to the engine's row by row."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.services.settlement.batch.claim_files import (
    claim,
    columns_of,
    plan,
    synthetic,
    write_csv,
    write_parquet,
)
from tests.services.settlement.batch.one_by_one import benefits
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.batch import twin, writing
from tongcheng.services.settlement.batch.columns import RESULT_COLUMNS
from tongcheng.services.settlement.batch.output import open_output
from tongcheng.services.settlement.batch.reading import open_claims
from tongcheng.services.settlement.batch.run import run
from tongcheng.services.settlement.batch.synthetic import FLAWS, PERSONS_A_BLOCK
from tongcheng.services.settlement.batch.tally import Sample, Tally
from tongcheng.services.settlement.batch.trace_columns import MARK_COLUMNS, TRACE_COLUMNS
from tongcheng.services.settlement.batch.writing import open_results
from tongcheng.services.settlement.outcome import Benefit

SHARED = [
    each.name
    for each in RESULT_COLUMNS
    if each.name.endswith("_fen") and each.name in {*Benefit.__struct_fields__, "fund_fen"}
]


def adjudicated(path: Path, out: Path, rows_at_once: int = 1_000, *, trace: bool = False) -> Path:
    """Judge a file by the twin and write the results."""
    with (
        open_claims(path, scratch=out.parent) as claims,
        open_results(out, plan(), claims, trace=trace) as writer,
    ):
        for batch in claims.batches(plan(), rows_at_once):
            writer.write(batch, twin.run(plan(), batch.events, trace=trace))
    return out


def rows_of(path: Path) -> list[dict[str, object]]:
    """Return the rows of a file of results, ids as text."""
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        table = table.set_column(0, "claim_id", table["claim_id"].cast(pa.string()))
    else:
        words = [each.name for each in RESULT_COLUMNS if each.kind in {"word", "as read"}]
        convert = pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(words, pa.string()), strings_can_be_null=True
        )
        table = pyarrow.csv.read_csv(path, convert_options=convert)
    rows: list[dict[str, object]] = table.to_pylist()
    return rows


def test_equal_to_the_engine_row_by_row(tmp_path: Path) -> None:
    """3,000 synthetic rows come to what the engine says of each, asked by hand."""
    file = tmp_path / "claims.csv"
    pyarrow.csv.write_csv(_plain(synthetic(3_000, flaws=20_000)), file)
    expected = benefits(file)
    found = rows_of(adjudicated(file, tmp_path / "results.parquet"))

    assert len(found) == len(expected) == 3_000
    refused = {"": 0}
    for row, benefit in zip(found, expected, strict=True):
        assert row["row"] == found.index(row)
        if isinstance(benefit, Benefit):
            assert row["code"] is None, row
            assert {name: row[name] for name in SHARED} == {
                name: getattr(benefit, name) for name in SHARED
            }
            assert row["book_digest"] == benefit.book
        else:
            refused[""] += isinstance(benefit, str)
            assert (row["code"] is None) == (benefit is None)
            assert row["fund_fen"] is None
    assert refused[""] > 30


def _plain(table: pa.Table) -> pa.Table:
    """Return a table without dictionaries, as CSV wants it."""
    fields = [
        pa.field(
            each.name, each.type.value_type if pa.types.is_dictionary(each.type) else each.type
        )
        for each in table.schema
    ]
    return table.cast(pa.schema(fields))


def test_parquet_csv_sorted_and_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same claims come to the same results, however they are stored and in what order."""
    monkeypatch.setattr(writing, "ROWS_A_WINDOW", 300)
    table = synthetic(2_000)
    pq.write_table(table, tmp_path / "sorted.parquet", row_group_size=333)
    pyarrow.csv.write_csv(_plain(table), tmp_path / "sorted.csv")
    order = random.Random(5).sample(range(2_000), 2_000)
    pq.write_table(table.take(pa.array(order)), tmp_path / "mixed.parquet", row_group_size=333)
    usual = rows_of(adjudicated(tmp_path / "sorted.parquet", tmp_path / "a.parquet", trace=True))

    other = rows_of(adjudicated(tmp_path / "sorted.csv", tmp_path / "b.csv", 70, trace=True))
    mixed = rows_of(adjudicated(tmp_path / "mixed.parquet", tmp_path / "c.parquet", 99, trace=True))
    assert other == usual
    assert [each["row"] for each in mixed] == list(range(2_000))
    assert [{**each, "row": order[at]} for at, each in enumerate(mixed)] == [
        usual[row] for row in order
    ]
    names = [each.name for each in RESULT_COLUMNS]
    names += [each.name for each in (*TRACE_COLUMNS, *MARK_COLUMNS)]
    assert list(usual[0]) == names


def test_what_a_row_says(tmp_path: Path) -> None:
    """Codes with what they are about; nothing where there is no amount; a void's negative bill."""
    rows = [
        claim("1", "A", total_fen="1200000"),
        claim("2", "A", event="void", reverses="1"),
        claim("3", "A"),
        claim("4", "A", hospital_level="0"),
        claim("5", "A", in_scope_fen="x"),
        claim("6", "A", event="opening"),
        claim("7", "A", total_fen="999999"),
    ]
    file = write_csv(tmp_path / "claims.csv", rows)
    first, void, unbilled, unknown, rubbish, opening, less = rows_of(
        adjudicated(file, tmp_path / "results.parquet")
    )

    assert first["personal_total_fen"] == 1_200_000 - int(str(first["fund_fen"]))
    assert void["personal_total_fen"] == -int(str(first["personal_total_fen"]))
    assert (first["voided"], void["voided"]) == (True, False)
    assert (unbilled["personal_total_fen"], unbilled["year"]) == (None, 2025)
    assert unbilled["book_status"] == "draft"
    assert (unknown["code"], unknown["detail"]) == ("RULE_UNKNOWN", "rules.deductible")
    assert (rubbish["code"], rubbish["detail"]) == ("CLAIM_VALUE", "in_scope_fen")
    assert (less["code"], less["detail"]) == ("BILL_INVALID", "total_fen")
    assert (opening["code"], opening["pool_fen"]) == (None, None)
    notes = pq.read_schema(tmp_path / "results.parquet").metadata
    assert notes[b"tongcheng.draft"] == b"yes"
    assert str(unbilled["book_digest"]).encode() in notes[b"tongcheng.books"]


@pytest.mark.parametrize("kind", [pa.int32(), pa.string(), pa.large_string(), pa.float64()])
def test_ids_come_back_as_they_were(tmp_path: Path, kind: pa.DataType) -> None:
    """A claim_id is written as it was read, also one that is none."""
    columns = {**columns_of([claim("1", "A")]), "claim_id": pa.array(["7"]).cast(kind)}
    file = write_parquet(tmp_path / "claims.parquet", columns)
    table = pq.read_table(adjudicated(file, tmp_path / "results.parquet"))

    assert table["claim_id"].to_pylist() == columns["claim_id"].to_pylist()


def _stopped(out: Path) -> None:
    with open_output(out, pa.schema([("a", pa.int64())]), {}) as output:
        output.write(pa.table({"a": [1]}))
        raise KeyboardInterrupt


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_fault_leaves_nothing_behind(tmp_path: Path, suffix: str) -> None:
    """A run that ends early leaves the file of before as it was, and no part of its own."""
    out = tmp_path / f"results{suffix}"
    out.write_text("of before", "utf-8")
    with pytest.raises(KeyboardInterrupt):
        _stopped(out)

    assert [(each.name, each.read_text("utf-8")) for each in tmp_path.iterdir()] == [
        (out.name, "of before")
    ]


def test_why_it_ended_is_told_though_the_rest_can_not_be_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow refuses to close a row group that was broken off: it is Ctrl-C that is told."""

    def refuse(writer: pq.ParquetWriter) -> None:
        writer.is_open = False
        raise OSError(writer)

    monkeypatch.setattr(pq.ParquetWriter, "close", refuse)
    with pytest.raises(KeyboardInterrupt):
        _stopped(tmp_path / "results.parquet")
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Another suffix, and a folder that is not there, are refused by name."""
    for name in ("results.xlsx", "none/results.parquet"):
        with pytest.raises(Refused) as refused, open_output(tmp_path / name, pa.schema([]), {}):
            pass
        assert refused.value.code == "CLAIMS_OUT"


def test_sums_and_sample(tmp_path: Path) -> None:
    """The tally is of all batches; the sample is the same however they are cut, and sees a fen."""
    file = tmp_path / "claims.parquet"
    pq.write_table(synthetic(3_000), file)
    tallies, checked = [], []
    for rows_at_once in (100, 5_000):
        tally, sample = Tally(), Sample(plan(), 500, 3_000)
        with open_claims(file) as claims:
            for batch in claims.batches(plan(), rows_at_once):
                results = run(plan(), batch.events)
                tally.add(batch, results)
                sample.check(batch, results)
        tallies.append(tally)
        checked.append((sample.found.rows, sample.found.differing))
    assert tallies[0] == tallies[1]
    assert tallies[0].judged == 3_000 == sum(tallies[0].events.values())
    assert checked[0] == checked[1]
    assert 300 < checked[0][0] < 700
    assert checked[0][1] == 0

    with open_claims(file) as claims:
        (batch,) = claims.batches(plan())
    results = run(plan(), batch.events)
    wrong = Sample(plan(), 3_000, 3_000)
    results.amounts[17, 1] += 1
    wrong.check(batch, results)
    assert (wrong.found.rows, wrong.found.differing) == (3_000, 1)
    assert (wrong.found.listed[0].row, wrong.found.listed[0].column) == (17, "amounts[1]")


def test_synthetic_claims_are_the_same_everywhere() -> None:
    """More claims begin with the fewer; another seed gives others; the numbers are these."""
    few, many = synthetic(1_000), synthetic(2_000)

    assert many.slice(0, 1_000).equals(few)
    assert not synthetic(1_000, seed=8).equals(few)
    assert few["in_scope_fen"].to_pylist()[:6] == FIRST_FEN
    assert PERSONS_A_BLOCK > 1_000
    flawed = synthetic(2_000, flaws=50_000)
    assert flawed["ended_on"].equals(many["ended_on"])
    assert not flawed["in_scope_fen"].equals(many["in_scope_fen"])
    assert len(FLAWS) == 7


FIRST_FEN = [220302, 1821847, 0, 1821847, 3450472, 0]
"""Of seed 7, by any library and processor."""
