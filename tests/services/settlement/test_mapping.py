"""A hospital's own codes: the table, its faults, and what it does to lines."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.two_cities import (
    FIRST_HOSPITAL,
    ITEMS,
    OTHER_HOSPITAL,
    Running,
    TwoCities,
    running,
)
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement import mapping
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.mapping import COLUMNS, MAPPINGS, Mapped, parse
from tongcheng.services.settlement.store import INSTITUTIONS

HEAD = ",".join(COLUMNS) + "\n"
ALWAYS = date(2020, 1, 1)
WRONG = [
    ("", 1),
    ("a,b,c,d\n", 1),
    (HEAD + "h,N,2024-01-01\n", 2),
    (HEAD + ",N,2024-01-01,\n", 2),
    (HEAD + "h,,2024-01-01,\n", 2),
    (HEAD + "h,N,,\n", 2),
    (HEAD + "h,N,2024-01-01,soon\n", 2),
    (HEAD + "h,N,2024-02-30,\n", 2),
    (HEAD + "h,N,2024-01-02,2024-01-01\n", 2),
    (HEAD + f"{'h' * 151},N,2024-01-01,\n", 2),
    (HEAD + f"h,{'N' * 51},2024-01-01,\n", 2),
    (HEAD + "h\x07,N,2024-01-01,\n", 2),
    (HEAD + 'h,"N,2024-01-01,\n', 2),
    (HEAD + "h" * 9_000 + ",N,2024-01-01,\n", 2),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_malformed_table_is_refused_by_line(text: str, line: int) -> None:
    """A fault is named with its line, and nothing of the table is used."""
    with pytest.raises(Refused) as refused:
        parse(text.encode().splitlines(keepends=True))

    assert (refused.value.code, refused.value.facts["line"]) == ("MAPPING_FORM", line)


def test_table_of_a_spreadsheet() -> None:
    """Mark and line ends of a spreadsheet are read; another encoding is refused by name."""
    text = HEAD + "院内1,N,2024-01-01,2024-12-31\n"

    found = parse(("\ufeff" + text).replace("\n", "\r\n").encode().splitlines(keepends=True))

    assert found == [Mapped("院内1", "N", date(2024, 1, 1), date(2024, 12, 31))]
    with pytest.raises(Refused, match="FILE_ENCODING"):
        parse(text.encode("gb18030").splitlines(keepends=True))


def test_a_table_beyond_all_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of one import are bounded."""
    monkeypatch.setattr(mapping, "ROWS_MAX", 1)

    with pytest.raises(Refused, match="MAPPING_FORM"):
        parse((HEAD + "h,N,2024-01-01,\ng,N,2024-01-01,\n").encode().splitlines())


def _put(here: Running, *rows: Mapped, strict: bool | None = None) -> int:
    count: int = here.run(
        here.cities.tianjin.run(lambda tx: mapping.put(tx, FIRST_HOSPITAL, rows, strict=strict))
    )
    return count


def _line(cities: TwoCities, number: int = 0, **changes: str) -> LineInput:
    return msgspec.structs.replace(cities.bill()[number], **changes)


def _upload(here: Running, *lines: LineInput, number: int = 0) -> list[LineRow]:
    stay = here.run(here.cities.admitted(number))
    return here.run(here.cities.desk.add_lines(here.cities.caller, stay.stay_id, list(lines)))


def test_a_mapping_is_ended_and_never_doubled(tmp_path: Path) -> None:
    """A row of the same code and day is replaced; two national codes on one day are refused."""
    with running(tmp_path) as here:
        _put(here, Mapped("h", "A", ALWAYS, None))
        second = Mapped("h", "B", date(2026, 1, 1), None)
        for rows in ((second,), (second, second)):
            with pytest.raises(Refused, match="MAPPING_OVERLAP"):
                _put(here, *rows)
        _put(here, Mapped("h", "A", ALWAYS, date(2025, 12, 31)), second)
        tianjin = here.cities.tianjin
        rows_kept = here.run(tianjin.read(lambda s: s.select(MAPPINGS)))

        assert [(row.item_code, row.valid_to) for row in rows_kept] == [
            ("A", "2025-12-31"),
            ("B", None),
        ]
        with pytest.raises(Refused, match="INSTITUTION_UNKNOWN"):
            here.run(tianjin.run(lambda tx: mapping.put(tx, "nobody", [])))


def test_strictness_is_kept_until_it_is_changed(tmp_path: Path) -> None:
    """The first table makes an institution lenient; only it says otherwise, and only its own."""
    with running(tmp_path) as here:
        found = []
        for strict in (None, True, None, False):
            _put(here, strict=strict)
            rows = here.run(here.cities.tianjin.read(lambda s: s.select(INSTITUTIONS)))
            found.append([row.mapping for row in rows])

        assert found == [[each, "none"] for each in ("lenient", "strict", "strict", "lenient")]


MAPPED = Mapped(f"h-{ITEMS[0]}", ITEMS[0], ALWAYS, None)
OTHERS = tuple(Mapped(f"h-{code}", code, ALWAYS, None) for code in ITEMS[1:])

# kind of table, its rows, what is changed of the line → its national code, or the refusal
TABLE = [
    ("none", (), {}, ITEMS[0]),
    ("none", (), {"item_code": ""}, "LINE_CODE_MISSING"),
    ("lenient", (MAPPED,), {}, ITEMS[0]),
    ("lenient", (MAPPED,), {"item_code": ""}, ITEMS[0]),
    ("lenient", (MAPPED,), {"item_code": ITEMS[1]}, "MAPPING_DIFFERS"),
    ("lenient", OTHERS, {}, ITEMS[0]),
    ("lenient", OTHERS, {"item_code": ""}, "LINE_CODE_MISSING"),
    ("strict", (MAPPED,), {}, ITEMS[0]),
    ("strict", OTHERS, {}, "MAPPING_MISSING"),
    ("strict", (Mapped(f"h-{ITEMS[0]}", ITEMS[0], ALWAYS, ALWAYS),), {}, "MAPPING_MISSING"),
]


@pytest.mark.parametrize(("kind", "rows", "changes", "expected"), TABLE)
def test_a_line_is_held_against_the_table(
    tmp_path: Path,
    kind: str,
    rows: tuple[Mapped, ...],
    changes: dict[str, str],
    expected: str,
) -> None:
    """Before it is split: filled in, let be, or refused by name."""
    with running(tmp_path) as here:
        if kind != "none":
            _put(here, *rows, strict=kind == "strict")
        line = _line(here.cities, 0, **changes)
        if "SAMPLE" not in expected:
            with pytest.raises(Refused, match=expected):
                _upload(here, line)
            return
        (row,) = _upload(here, line)

        assert (row.item_code, row.hospital_code) == (expected, line.hospital_code)


def test_the_same_line_again_without_its_code(tmp_path: Path) -> None:
    """A line that was filled in is the same line when it comes again."""
    with running(tmp_path) as here:
        cities = here.cities
        _put(here, MAPPED)
        stay = here.run(cities.admitted())
        line = _line(cities, item_code="")
        again = [
            here.run(cities.desk.add_lines(cities.caller, stay.stay_id, [one]))
            for one in (line, line, _line(cities))
        ]

        assert again[0] == again[1] == again[2]


def test_a_refund_has_the_code_of_its_original(tmp_path: Path) -> None:
    """Also when the mapping has changed in between, and when the refund names no code."""

    def back(line: LineInput, **changes: str) -> LineInput:
        taken = {"quantity_e4": -line.quantity_e4, "amount_fen": -line.amount_fen}
        original = {"original_line_id": line.line_id, "line_id": f"{line.line_id}-"}
        return msgspec.structs.replace(line, **taken, **original, **changes)

    with running(tmp_path) as here:
        cities = here.cities
        _put(here, *OTHERS, strict=False)
        first, second = _line(cities), _line(cities, 1)
        _put(here, Mapped(first.hospital_code, ITEMS[2], date(2027, 1, 1), None), strict=True)
        _put(here, Mapped(first.hospital_code, ITEMS[0], ALWAYS, date(2026, 12, 31)))
        rows = _upload(here, first, second, back(first, item_code=""), back(second))

        assert [row.item_code for row in rows] == [ITEMS[0], ITEMS[1], ITEMS[0], ITEMS[1]]
        assert sum(row.total_fen for row in rows) == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_pages(tmp_path: Path, count: int) -> None:
    """Every row is on exactly one page, in order; another hospital's rows are on none."""
    with running(tmp_path) as here:
        tianjin = here.cities.tianjin
        days = (date(2024, 1, 1), date(2025, 1, 1))
        rows = [
            Mapped(f"h{at // 2}", "N", days[at % 2], days[at % 2].replace(month=6))
            for at in range(count)
        ]
        _put(here, *rows)
        other = Mapped("h0", "N", ALWAYS, None)
        here.run(tianjin.run(lambda tx: mapping.put(tx, OTHER_HOSPITAL, [other])))
        seen, after, pages = [], None, 0
        while pages == 0 or after is not None:
            read = _page(after)
            found, after = here.run(tianjin.read(read))
            seen += [(row.hospital_code, row.valid_from) for row in found]
            pages += 1

        assert seen == [(row.hospital_code, row.from_on.isoformat()) for row in rows]
        assert pages == max(1, -(-count // 2))


def _page(after: str | None) -> Callable[..., tuple[list[mapping.MappingRow], str | None]]:
    return lambda snapshot: mapping.page(snapshot, FIRST_HOSPITAL, after, 2)
