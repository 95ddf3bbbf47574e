"""Catalogues in the store: all or nothing, each for its days, and stays that saw two of them."""

from collections.abc import Iterable
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.two_cities import DAY_MS, Running, TwoCities, running
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Command, Records, Transaction
from tongcheng.services.settlement import bills, catalogue_store
from tongcheng.services.settlement.catalogue import COLUMNS
from tongcheng.services.settlement.catalogue_store import IMPORTS, ITEMS, PIECES, Dated, Importing

NAME = "tianjin-sample.csv"
ITEM = "SAMPLE-TJ-X0001"
ZONE = "Asia/Shanghai"


def _raw(*rows: str, effective: str = "") -> bytes:
    header = "# catalogue: c\n# admdvs: 120000\n# source: synthetic\n"
    if effective:
        header += f"# effective: {effective}\n"
    return "\n".join([header + ",".join(COLUMNS), *rows, ""]).encode()


def _row(code: str = ITEM, terms: str = "C,,1", days: str = "2020-01-01,") -> str:
    return f"{code},示例·{code},{terms},drug,{days}"


def _import(here: Running, raw: bytes, *, leave_out: int = 0) -> Importing:
    importing = Importing(raw, NAME)

    async def work(commands: Iterable[Command]) -> None:
        for command in commands:
            await here.cities.tianjin.run(command)

    here.run(work(islice(importing.commands(), importing.steps - leave_out)))
    return importing


def _class_on(cities: TwoCities, on: date, code: str = ITEM) -> str:
    with cities.tianjin.database.snapshot() as snapshot:
        return Dated(snapshot, cities.tianjin.home, NAME).item(code, on).item_class


def test_an_import_decides_from_its_day_on(tmp_path: Path) -> None:
    """Before that day the region pack's file decides, or the import before; the last one wins."""
    with running(tmp_path) as here:
        _import(here, _raw(_row(terms="C,,1"), effective="2026-06-01"))
        _import(here, _raw(_row(terms="B,,0.1"), effective="2026-09-01"))
        found = [_class_on(here.cities, date(2026, month, 1)) for month in (5, 6, 8, 9, 12)]
        _import(here, _raw(_row(terms="B,,0.5"), effective="2026-06-01"))
        again = [_class_on(here.cities, date(2026, month, 1)) for month in (5, 6, 8, 9, 12)]

        assert found == ["A", "C", "C", "B", "B"]
        assert again == ["A", "B", "B", "B", "B"]
        with pytest.raises(Refused, match="CATALOGUE_ITEM_UNKNOWN"):
            _class_on(here.cities, date(2026, 7, 1), "SAMPLE-TJ-X0003")


def test_versions_of_an_item_by_its_dates(tmp_path: Path) -> None:
    """One import holds the history of an item; the day of the line picks its version."""
    rows = (_row(terms="B,,0.2", days="2026-01-01,2026-06-30"), _row(days="2026-07-01,"))
    with running(tmp_path) as here:
        _import(here, _raw(*rows))

        assert _class_on(here.cities, date(2026, 6, 30)) == "B"
        assert _class_on(here.cities, date(2026, 7, 1)) == "C"
        with pytest.raises(Refused, match="CATALOGUE_ITEM_UNKNOWN"):
            _class_on(here.cities, date(2025, 12, 31))


def test_an_import_that_stops_half_way_counts_for_nothing(tmp_path: Path) -> None:
    """Nothing of it is looked up; the same import afterwards is whole."""
    rows = [_row(f"S-{number}") for number in range(catalogue_store.BATCH_ITEMS + 1)]
    raw = _raw(_row(), *rows)
    with running(tmp_path) as here:
        _import(here, raw, leave_out=1)
        before = _class_on(here.cities, date(2026, 7, 1))
        importing = _import(here, raw)
        tianjin = here.cities.tianjin

        assert before == "A"
        assert _class_on(here.cities, date(2026, 7, 1)) == "C"
        with tianjin.database.snapshot() as snapshot:
            states = [row.state for row in snapshot.select(IMPORTS)]
            kept = catalogue_store.content(snapshot, importing.digest)
            assert list(catalogue_store.check_imports(snapshot, tianjin.home)) == []
        assert states == ["loading", "kept"]
        assert kept == raw


def test_the_same_bytes_twice_are_one_import(tmp_path: Path) -> None:
    """An operator who is not sure may do it again."""
    with running(tmp_path) as here:
        first, second = _import(here, _raw(_row())), _import(here, _raw(_row()))

        assert (first.known, second.known) == (False, True)
        with here.cities.tianjin.database.snapshot() as snapshot:
            assert len(snapshot.select(IMPORTS)) == 1


def test_a_fault_is_found_before_anything_is_written() -> None:
    """The whole file is checked when the import is made; the line of the fault is named."""
    with pytest.raises(Refused) as refused:
        Importing(_raw(_row(), _row("S-2", terms="D,,1")), NAME)

    assert (refused.value.code, refused.value.facts["line"]) == ("CATALOGUE_FORM", 6)


def test_a_file_beyond_all_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong file is refused by its size, before it is read as a catalogue."""
    monkeypatch.setattr(catalogue_store, "FILE_BYTES_MAX", 10)

    with pytest.raises(Refused, match="CATALOGUE_TOO_LARGE"):
        Importing(_raw(_row()), NAME)


def test_a_stay_that_saw_two_catalogues(tmp_path: Path) -> None:
    """Each line keeps what decided about it; a refund follows its original, not the new terms."""
    with running(tmp_path) as here:
        cities = here.cities
        stay = here.run(cities.admitted())
        line = msgspec.structs.replace(cities.bill()[0], line_id="OLD")
        (old,) = here.run(cities.desk.add_lines(cities.caller, stay.stay_id, [line]))
        today = local_date(cities.clock.now() - 2 * DAY_MS, ZONE).isoformat()
        importing = _import(here, _raw(_row(terms="C,,1"), effective=today))
        late = msgspec.structs.replace(line, line_id="NEW", charged_at=cities.clock.now() - DAY_MS)
        back = msgspec.structs.replace(
            late,
            line_id="BACK",
            quantity_e4=-line.quantity_e4,
            amount_fen=-line.amount_fen,
            original_line_id="OLD",
        )
        new, refund = here.run(cities.desk.add_lines(cities.caller, stay.stay_id, [late, back]))
        here.run(cities.desk.discharge(cities.caller, stay.stay_id, cities.clock.now() - 1_000))
        claim = here.run(cities.desk.settle(cities.caller, stay.stay_id, new.total_fen))

        assert (old.item_class, new.item_class, refund.item_class) == ("A", "C", "A")
        assert refund.catalogue_digest == old.catalogue_digest != importing.digest
        assert (new.catalogue_digest, new.item_name) == (importing.digest, f"示例·{ITEM}")
        assert refund.in_scope_fen == -old.in_scope_fen
        assert (claim.self_paid_fen, claim.in_scope_fen) == (new.total_fen, 0)
        sent = here.run(cities.tianjin.read(lambda s: bills.active_lines(s, stay.stay_id)))
        assert [row.item_name for row in sent if row.line_id == "OLD"] == [old.item_name]


LIES = [
    (IMPORTS, {"items": 7}, "items are missing or too many"),
    (PIECES, {"content": b"x\x9c"}, "the bytes are not those of the digest"),
    (ITEMS, {"code": "S-2"}, "items are missing or too many"),
]


@pytest.mark.parametrize(("records", "values", "problem"), LIES)
def test_verification_finds_what_was_changed(
    tmp_path: Path, records: Records[Any], values: dict[str, object], problem: str
) -> None:
    """Rows, bytes and journal of an import must tell the same."""
    with running(tmp_path) as here:
        tianjin = here.cities.tianjin
        _import(here, _raw(_row()))

        def lie(tx: Transaction) -> None:
            row = tx.select(records)[0]
            tx.put(records, msgspec.structs.replace(row, **values))

        here.run(tianjin.run(lie))
        with tianjin.database.snapshot() as snapshot:
            found = list(catalogue_store.check_imports(snapshot, tianjin.home))

        assert problem in [one.problem for one in found]
