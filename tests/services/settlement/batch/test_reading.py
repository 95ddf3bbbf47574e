"""A file of claims is read whole: any order, any way to write a value, no row lost."""

import csv
import random
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.settlement.batch.claim_files import (
    claim,
    columns_of,
    judged,
    plan,
    synthetic,
    verdicts,
    write_csv,
    write_parquet,
)
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.batch import scratch, source
from tongcheng.services.settlement.batch.reading import open_claims

# What a clerk sends, and in the column `expected`, which is let be, what becomes of it.
CLERK = """\
claim_id,person_id,event,reverses,admdvs,scheme,visited_admdvs,admitted_on,ended_on,person_type,\
tier,hospital_level,hospital_subtype,in_scope_fen,total_fen,age,pool_paid_fen,expected
1,A,settle,,110105,310,110105,2025-03-01,2025-03-10,active,,3,,1000000,1200000,44,,
2,A,,,110105,310,,,2025-04-10,active,,3,,1000000,,,,
3,A,void,2,,,,,2025-04-11,,,,,,,,,
4,A,void,2,,,,,2025-04-12,,,,,,,,,CLAIM_VOID_TWICE
5,A,void,99,,,,,2025-04-12,,,,,,,,,CLAIM_VOID_UNKNOWN
6,A,void,,,,,,2025-04-12,,,,,,,,,CLAIM_MISSING reverses
7,B,opening,,110105,310,,,2025-01-01,,,,,,,,5000000,
8,B,opening,,110105,310,,,2025-01-01,,,,,,,,-1,ACCUMULATORS_INVALID
9,B,settle,,110105,310,,,2025-03-10,pensioner,,3,,1000000,,,,CLAIM_VALUE person_type
10,B,settle,,110105,310,,,2025-03-10,,,3,,1000000,,,,CLAIM_MISSING person_type
11,B,settle,,110105,310,,,2025-02-30,active,,3,,1000000,,,,CLAIM_VALUE ended_on
12,B,settle,,110105,310,,,10.3.2025,active,,3,,1000000,,,,CLAIM_VALUE ended_on
13,B,settle,,110105,310,,,2025-03-10,active,,3,,10000.5,,,,CLAIM_VALUE in_scope_fen
14,B,settle,,110105,310,,,2025-03-10,active,,3,,1e6,,,,CLAIM_VALUE in_scope_fen
15,B,settle,,110105,310,,,2025-03-10,active,,3,,-100,,,,BILL_INVALID
16,B,settle,,110105,310,,,2025-03-10,active,,3,,1000000,999999,,,BILL_INVALID
17,B,settle,,110105,310,,,2025-03-10,active,,3,,9223372036854775808,,,,CLAIM_VALUE in_scope_fen
18,B,settle,,110105,310,,,2025-03-10,active,,3,,999999999999999,,,,BILL_TOO_LARGE
19,B,settle,,440100,310,,,2025-03-10,active,,3,,1000000,,,,REGION_UNKNOWN_AREA admdvs
20,B,settle,,130400,310,,,2025-03-10,active,,3,,1000000,,,,AREA_WITHOUT_RULE_BOOK scheme
21,B,settle,,Beijing,310,,,2025-03-10,active,,3,,1000000,,,,CLAIM_VALUE admdvs
22,B,settle,,110105,310,,2025-03-11,2025-03-10,active,,3,,1000000,,,,STAY_DATES
23,B,settle,,110105,310,,,2021-12-31,active,,3,,1000000,,,,RULE_BOOK_MISSING
24,B,settle,,110105,310,,,2025-03-10,active,,0,,1000000,,,,RULE_UNKNOWN
25,C,settle,,120101,390,,,2025-03-10,resident,,3,,1000000,,,,PERSON_TIER_NEEDED
26,C,settle,,110105,390,,,2025-03-10,resident,,3,,1000000,,,,HOSPITAL_SUBTYPE_NEEDED
26,C,settle,,110105,310,,,2025-03-10,active,,3,,1000000,,,,CLAIM_ID_TWICE claim_id
28,,settle,,110105,310,,,2025-03-10,active,,3,,1000000,,,,CLAIM_MISSING person_id
29,C,void,26,,,,,2025-04-12,,,,,,,,,CLAIM_VOID_REFUSED
30,C,settle,1,110105,310,,,2025-03-10,active,,3,,1000000,,,,CLAIM_VALUE reverses
31,C,settle,,110105,310,,,2025-03-10,active,,3,,1000000,,old,,CLAIM_VALUE age
32,C,settle,,110105,310,,,2025-03-10,active,,3,,1000000,,,,too,many,CLAIM_FIELDS
33,C,CLAIM_FIELDS
34,C,paid,,110105,310,,,2025-03-10,active,,3,,1000000,,,,CLAIM_VALUE event
"""


def test_every_row_has_its_code(tmp_path: Path) -> None:
    """What each row of the clerk's file expects of itself is what it is given."""
    file = tmp_path / "claims.csv"
    file.write_text(CLERK, "utf-8")
    expected = [fields[-1] for fields in list(csv.reader(CLERK.splitlines()))[1:]]

    assert verdicts(file) == expected


def test_mark_and_quotes(tmp_path: Path) -> None:
    """A byte order mark, quoted values with line ends in them and CRLF change nothing."""
    plain = write_csv(tmp_path / "plain.csv", [claim(1, "A"), claim(2, "B\nb")])
    other = tmp_path / "other.csv"
    text = "﻿" + plain.read_text("utf-8").replace("2,", '"2",')
    other.write_text(text.replace("\n", "\r\n").replace("B\r\nb", "B\nb"), "utf-8", newline="")

    assert verdicts(plain) == verdicts(other) == ["", ""]


FILES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "CLAIMS_COLUMNS"),
    "one endless name": (b"x" * 200_000, "CLAIMS_FILE"),
    "zeros": (bytes(1_000), "CLAIMS_COLUMNS"),
    "not UTF-8": ("claim_id,姓名\n".encode("gb18030"), "CLAIMS_FILE"),
    "a mark alone": (b"PAR1", "CLAIMS_FILE"),
    "other columns": (b"a,b\n1,2\n", "CLAIMS_COLUMNS"),
    "a column twice": (CLERK.replace("age", "scheme").encode(), "CLAIMS_COLUMNS"),
    "a page": (b"<!doctype html>\n<title>502</title>\n", "CLAIMS_COLUMNS"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_none(tmp_path: Path, name: str) -> None:
    """They are refused by name, and leave nothing behind."""
    content, code = FILES[name]
    file = tmp_path / "claims.csv"
    file.write_bytes(content)

    with pytest.raises(Refused) as refused:
        judged(file)
    assert refused.value.code == code
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_without_rows(tmp_path: Path) -> None:
    """It has none, and that is no fault."""
    names = write_csv(tmp_path / "claims.csv", [claim(1, "A")]).read_text("utf-8").splitlines()[0]
    for ending in ("", "\n"):
        (tmp_path / "claims.csv").write_text(names + ending, "utf-8")
        assert verdicts(tmp_path / "claims.csv") == []
    none = {name: each.slice(1) for name, each in columns_of([claim(1, "A")]).items()}
    assert verdicts(write_parquet(tmp_path / "claims.parquet", none)) == []


def test_text_that_breaks_off(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 in the midst of a file are the file's fault, not a row's."""
    file = tmp_path / "claims.csv"
    file.write_bytes(write_csv(file, [claim(1, "A")]).read_bytes() + b"2,\xff\xfe\n")

    with pytest.raises(Refused) as refused:
        judged(file)
    assert refused.value.code == "CLAIMS_FILE"


def test_parquet_that_is_cut_off(tmp_path: Path) -> None:
    """A file without its end is refused when it is opened, one with a damaged page when read."""
    whole = write_parquet(tmp_path / "whole.parquet", columns_of([claim(1, "A")] * 500))
    content = whole.read_bytes()
    damaged = content[:60] + bytes(len(content) // 3) + content[60 + len(content) // 3 :]
    for cut in (content[: len(content) // 2], damaged):
        whole.write_bytes(cut)
        with pytest.raises(Refused) as refused:
            judged(whole)
        assert refused.value.code == "CLAIMS_FILE"


HISTORY = [
    claim("a1", "A", ended_on="2025-01-05", in_scope_fen="9000000"),
    claim("a2", "A", ended_on="2025-02-05", in_scope_fen="800000"),
    claim("a3", "A", event="void", reverses="a1", ended_on="2025-02-06"),
    claim("a4", "A", ended_on="2025-03-01", in_scope_fen="700000"),
    claim("b1", "B", event="opening", ended_on="2025-01-01", pool_paid_fen="9900000"),
    claim("b2", "B", ended_on="2025-06-01", in_scope_fen="900000"),
    claim("c1", "C", ended_on="2025-06-01", in_scope_fen="1000001"),
    claim("c2", "C", ended_on="2025-06-02", in_scope_fen="1000003"),
    claim(None, "C", ended_on="2025-06-03"),
    claim("x1", None, ended_on="2025-06-03"),
    claim("d1", "D", ended_on="2025-06-03", person_type="nobody"),
]


@settings(deadline=None, max_examples=40)
@given(
    st.permutations(range(len(HISTORY))), st.integers(1, 12), st.sampled_from(["csv", "parquet"])
)
def test_neither_order_nor_batches_matter(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], rows_at_once: int, kind: str
) -> None:
    """Whatever the order of the file and the size of the batches, each claim comes to the same."""
    folder = tmp_path_factory.mktemp("claims")
    usual = judged(write_csv(folder / "usual.csv", HISTORY))
    rows = [HISTORY[at] for at in order]
    file = (
        write_csv(folder / "other.csv", rows)
        if kind == "csv"
        else write_parquet(folder / "other.parquet", columns_of(rows), rows_a_group=3)
    )
    found = judged(file, rows_at_once)

    assert {order[row]: each for row, each in found.items()} == usual
    assert sorted(path.name for path in folder.iterdir()) == sorted(["usual.csv", file.name])


def test_persons_stay_whole(tmp_path: Path) -> None:
    """Batches are cut between persons; one with more rows than a batch is in one of its own."""
    rows = [
        claim(f"{at}", f"P{person}")
        for person in range(5)
        for at in range(10 * person, 10 * person + 10)
    ]
    file = write_parquet(tmp_path / "claims.parquet", columns_of(rows), rows_a_group=7)
    for rows_at_once in (1, 9, 10, 15, 25, 100):
        with open_claims(file) as claims:
            assert claims.adjacent
            sizes = [len(batch.row) for batch in claims.batches(plan(), rows_at_once)]
        assert all(size % 10 == 0 for size in sizes)
        assert all(size <= max(10, 2 * rows_at_once) for size in sizes)
        assert sum(sizes) == 50


@pytest.mark.parametrize("as_text", [False, True])
def test_ids_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, as_text: bool) -> None:
    """A repeated id is found wherever it stands, also in parts that do not fit into memory."""
    monkeypatch.setattr(scratch, "KEYS_AT_ONCE", 100)
    numbers = random.Random(3).sample(range(10_000), 990)
    ids = [*numbers, *numbers[500:510]]
    column = pa.array([f"c{each}" for each in ids] if as_text else ids)
    columns = {**columns_of([claim("", f"P{at}") for at in range(1_000)]), "claim_id": column}
    file = write_parquet(tmp_path / "claims.parquet", columns, rows_a_group=64)

    with open_claims(file) as claims:
        assert claims.survey.twice.tolist() == list(range(990, 1_000))


def test_void_finds_the_row_that_keeps_the_id(tmp_path: Path) -> None:
    """Not a later one that only has the same id, whatever else is wrong with that one too."""
    rows = [
        claim("1", "A"),
        claim("1", "A", scheme="510"),
        claim("1", "A", ended_on="2025-02-30"),
        claim("2", "A", event="void", reverses="1"),
    ]

    twice = "CLAIM_ID_TWICE claim_id"
    assert verdicts(write_csv(tmp_path / "claims.csv", rows)) == ["", twice, twice, ""]


def test_one_hash_of_two_texts_accuses_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows whose ids have one hash are compared as they stand."""
    monkeypatch.setattr("tongcheng.services.settlement.batch.survey.keys_of", _one_key)
    rows = [claim(name, "A") for name in ("b", "a", "c", "a")]

    assert verdicts(write_csv(tmp_path / "claims.csv", rows)) == [
        "", "", "", "CLAIM_ID_TWICE claim_id",
    ]  # fmt: skip


def _one_key(ids: Any) -> np.ndarray[Any, Any]:
    return np.zeros(len(ids.values), np.int64)


def test_what_lies_on_disk_is_private_and_gone(tmp_path: Path) -> None:
    """While an unordered file is judged its parts are its owner's alone; then they are gone."""
    rows = [claim(f"{at}", f"P{at % 50}") for at in range(500)]
    file = write_csv(tmp_path / "claims.csv", rows)
    with pytest.raises(KeyboardInterrupt):
        _stopped(file)

    assert list(tmp_path.iterdir()) == [file]


def _stopped(file: Path) -> None:
    with open_claims(file, scratch=file.parent) as claims:
        for _ in claims.batches(plan(), 100):
            (folder,) = [each for each in file.parent.iterdir() if each.is_dir()]
            assert not claims.adjacent
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            parts = sorted(folder.iterdir())
            assert len(parts) == 6
            assert {stat.S_IMODE(each.stat().st_mode) for each in parts} == {0o600}
            raise KeyboardInterrupt


def test_spans_are_of_whole_persons(tmp_path: Path) -> None:
    """Workers that each take a span come to the same as one that takes all."""
    rows = [claim(f"{at:04}", f"P{at // 7:04}") for at in range(700)]
    file = write_parquet(tmp_path / "claims.parquet", columns_of(rows), rows_a_group=90)
    with open_claims(file) as claims:
        spans, survey = claims.spans(6), claims.survey
    found_in: list[set[int]] = []
    for span in spans:
        with open_claims(file, found=survey) as claims:
            batches = list(claims.batches(plan(), 50, span))
        found = np.concatenate([batch.row for batch in batches])
        assert found.tolist() == list(range(*span))
        found_in.append({row // 7 for row in found.tolist()})

    assert len(spans) == 6
    assert sum(map(len, found_in)) == len(set().union(*found_in)) == 100


def test_spans_begin_where_the_file_can_be_entered(tmp_path: Path) -> None:
    """A cut goes to the row group that begins nearby, and on to where its first person begins."""
    rows = [claim(f"{at:04}", f"P{at // 7:04}") for at in range(700)]
    for rows_a_group, cuts in ((140, [140, 280, 420, 560]), (138, [140, 280, 420, 553])):
        file = write_parquet(tmp_path / "a.parquet", columns_of(rows), rows_a_group=rows_a_group)
        with open_claims(file) as claims:
            assert [begin for begin, _ in claims.spans(5)] == [0, *cuts]


@pytest.mark.parametrize(
    ("suffix", "scattered", "copied"),
    [("parquet", False, False), ("csv", False, True), ("parquet", True, True), ("csv", True, True)],
)
def test_pieces_hold_each_person_once(
    tmp_path: Path, suffix: str, *, scattered: bool, copied: bool
) -> None:
    """Where the file itself can not be shared its rows are copied, and deleted when let go."""
    rows = [claim(f"{at:03}", f"P{at // 7:02}") for at in range(300)]
    if scattered:
        rows = [*rows[::2], *rows[1::2]]
    path = tmp_path / f"claims.{suffix}"
    if suffix == "csv":
        write_csv(path, rows)
    else:
        write_parquet(path, columns_of(rows), rows_a_group=40)
    found: list[int] = []
    piece_of: dict[object, int] = {}
    with open_claims(path, scratch=tmp_path) as claims:
        pieces = claims.pieces(100, 100)
        assert len(pieces) > 1
        assert {isinstance(piece, Path) for piece in pieces} == {copied}
        for number, piece in enumerate(pieces):
            with open_claims(path, found=claims.survey) as opened:
                here = [row for batch in opened.batches(plan(), 40, piece) for row in batch.row]
            found += here
            for row in here:
                assert piece_of.setdefault(rows[row]["person_id"], number) == number
            claims.release(piece)
        assert not any(piece.exists() for piece in pieces if isinstance(piece, Path))
    assert sorted(found) == list(range(300))


def test_columns_that_are_not_ours_are_not_read(tmp_path: Path) -> None:
    """What else the file holds may be anything, and is not looked at."""
    columns = {**columns_of([claim("1", "A")]), "#row": pa.array([[1]]), "姓名": pa.array(["?"])}
    file = write_parquet(tmp_path / "claims.parquet", columns)

    assert verdicts(file) == [""]
    assert "姓名" not in source.open_source(file).columns


def test_synthetic_claims_can_be_judged(tmp_path: Path) -> None:
    """Without flaws every row can; with them those that have one can not."""
    file = tmp_path / "claims.parquet"
    pq.write_table(synthetic(4_000), file)
    assert set(verdicts(file)) == {""}
    pq.write_table(synthetic(4_000, flaws=100_000), file)
    assert {code.split(" ")[0] for code in verdicts(file)} == {
        "", "CLAIM_VALUE", "BILL_INVALID", "REGION_UNKNOWN_AREA", "CLAIM_MISSING",
        "CLAIM_ID_TWICE", "CLAIM_VOID_REFUSED", "CLAIM_VOID_UNKNOWN",
    }  # fmt: skip
