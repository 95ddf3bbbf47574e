"""Reading catalogues, and what is refused in them."""

import hashlib
from datetime import date

import pytest

from tests.services.settlement.books import REGION
from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.catalogue import COLUMNS, Rows, parse

HEADER = "# sample, not official\n# catalogue: c\n# admdvs: 120000\n# source: synthetic\n"
HEAD = HEADER + ",".join(COLUMNS) + "\n"
SHIPPED = sorted((REGION / "catalogues").glob("*.csv"))


@pytest.mark.parametrize("path", SHIPPED, ids=[path.stem for path in SHIPPED])
def test_shipped_catalogues_say_that_they_are_samples(path: object) -> None:
    """No shipped item can be taken for a real one: label, code, name and marks all say so."""
    text = (REGION / "catalogues" / str(path)).read_text("utf-8")

    catalogue = parse(text)

    assert catalogue.sample
    assert "synthetic" in catalogue.source
    assert set(catalogue.unverified) == {"class", "price_ceiling_yuan", "first_self_pay_ratio"}
    assert len(catalogue.items) >= 40
    assert all(code.startswith("SAMPLE-") for code in catalogue.items)
    assert all(
        item.name.startswith("示例·") for items in catalogue.items.values() for item in items
    )
    assert {item.item_class for items in catalogue.items.values() for item in items} == set("ABC")


def test_item_in_units_that_are_exact() -> None:
    """A ceiling is in millionths of a yuan, a ratio in basis points; 999999 is no ceiling."""
    catalogue = parse(
        HEAD
        + "X1,one,B,2.333333,0.085,drug,2024-01-01,\n"
        + "X2,two,A,,0,drug,2024-01-01,\n"
        + "X3,three,A,999999,,drug,2024-01-01,\n"
    )
    on = date(2024, 1, 1)

    one, two, three = (catalogue.item(code, on) for code in ("X1", "X2", "X3"))

    assert (one.price_ceiling, one.first_self_pay) == (2_333_333, 850)
    assert (two.price_ceiling, two.first_self_pay) == (None, 0)
    assert (three.price_ceiling, three.first_self_pay) == (None, None)
    assert catalogue.unverified == ()


def test_version_by_date() -> None:
    """The day of the item picks the version; a day between versions has none."""
    catalogue = parse(
        HEAD + "X1,old,B,,0.2,drug,2024-01-01,2024-06-30\n" + "X1,new,B,,0.1,drug,2024-08-01,\n"
    )

    names = [catalogue.item("X1", date(2024, month, 1)).name for month in (1, 6, 8)]

    assert names == ["old", "old", "new"]
    for code, on in (
        ("X1", date(2024, 7, 1)),
        ("X1", date(2023, 12, 31)),
        ("X9", date(2024, 1, 1)),
    ):
        with pytest.raises(Refused, match="CATALOGUE_ITEM_UNKNOWN"):
            catalogue.item(code, on)


def test_digest_is_that_of_the_bytes() -> None:
    """A catalogue is a data set: whoever has the file can check the address."""
    assert parse(HEAD.encode()).digest == parse(HEAD).digest
    assert parse(HEAD).digest == hashlib.sha256(HEAD.encode()).hexdigest()


WRONG = [
    ("", 1),
    (HEADER, 5),
    (HEADER.replace("# source: synthetic\n", "") + ",".join(COLUMNS) + "\n", 1),
    (HEADER + "a,b\n", 5),
    (HEAD + "X1,one,B,1,0.1,drug,2024-01-01\n", 6),
    (HEAD + "X1,one,D,1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + "X1,one,B,1,1.1,drug,2024-01-01,\n", 6),
    (HEAD + "X1,one,B,1,0.12345,drug,2024-01-01,\n", 6),
    (HEAD + "X1,one,B,-1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + "X1,one,B,1e3,0.1,drug,2024-01-01,\n", 6),
    (HEAD + "X1,one,B,1,0.1,drug,20240101,\n", 6),
    (HEAD + "X1,one,B,1,0.1,drug,,\n", 6),
    (HEAD + "X1,one,B,1,0.1,drug,2024-01-02,2024-01-01\n", 6),
    (HEAD + ",one,B,1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + "X1,one,B,1,0.1,drug,2024-01-01,\nX1,one,A,1,0,drug,2025-01-01,\n", 7),
    (HEAD + 'X1,"one,B,1,0.1,drug,2024-01-01,\n', 6),
    (HEAD + f"X1,{'n' * 501},B,1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + f"{'X' * 51},one,B,1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + f"X1,{'n' * 9_000},B,1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + "X1,o\0ne,B,1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + 'X1,"o\nne",B,1,0.1,drug,2024-01-01,\n', 7),
    (HEAD + "X1,o\x1bne,B,1,0.1,drug,2024-01-01,\n", 6),
    (HEAD + "X1,one,B,1,0.1,drug,2024-01-01,\n\n", 7),
    ("#\n" * 101 + HEAD, 101),
    (HEADER.replace("12", "99", 1) + "# effective: soon\n" + ",".join(COLUMNS), 1),
]


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_malformed_catalogue_is_refused_by_line(text: str, line: int) -> None:
    """A fault is named with its line, and nothing of the catalogue is used."""
    with pytest.raises(Refused) as refused:
        parse(text)

    assert (refused.value.code, refused.value.facts["line"]) == ("CATALOGUE_FORM", line)


def test_byte_order_mark_and_line_ends_of_a_spreadsheet() -> None:
    """What a spreadsheet writes as "CSV UTF-8" is read: a mark in front, two characters an end."""
    row = "X1,示例一,B,1,0.1,drug,2024-01-01,\n"

    found = parse(("\ufeff" + HEAD + row).replace("\n", "\r\n"))

    assert found.item("X1", date(2024, 1, 1)).name == "示例一"
    assert found.sample


def test_another_encoding_is_refused_by_name() -> None:
    """GB18030 is what spreadsheets save by default here; its names must not come in garbled."""
    raw = (HEAD + "X1,示例一,B,1,0.1,drug,2024-01-01,\n").encode("gb18030")

    with pytest.raises(Refused) as refused:
        parse(raw)

    assert (refused.value.code, refused.value.facts["line"]) == ("FILE_ENCODING", 6)


def test_rows_are_read_one_by_one() -> None:
    """A large catalogue is not in memory: the first items are there before the last are read."""
    raw = (HEAD + "X1,one,B,1,0.1,drug,2024-01-01,\nbroken\n").encode()
    rows = iter(Rows(raw.splitlines()))

    assert next(rows).code == "X1"
    with pytest.raises(Refused, match="CATALOGUE_FORM"):
        next(rows)


def test_effective_day() -> None:
    """The header may say from which day on the file decides; without it, about all days."""
    said = parse(HEADER + "# effective: 2026-12-01\n" + ",".join(COLUMNS) + "\n")

    assert said.effective_from == date(2026, 12, 1)
    assert parse(HEAD).effective_from == date.min
