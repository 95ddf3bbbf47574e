"""Comparing two sides' books: every class of difference, planted and found; nothing hidden."""

from pathlib import Path

import msgspec
import pytest

from tests.services.settlement.two_cities import INSURED, NOW_AT, VISITED, TwoCities, running
from tongcheng.kernel.exchange.tables import TAKEN
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement.reconcile import Owed, Side, SideRow, compare
from tongcheng.services.settlement.sides import answered_side, insured_side, visited_side

POOL = "beijing/310/pool"
LARGE = "beijing/310/large"
MONTH = "2026-11"


def row(
    settlement_id: str,
    state: str = "settled",
    *,
    fund_fen: int = 700,
    decided: bool = True,
    since_at: int = NOW_AT - 60_000,
) -> SideRow:
    """Return one settlement of 1,000 fen as a side holds it; what stands is in its ledger."""
    stands = state in {"settled", "voiding"} and decided
    owed = (Owed(POOL, MONTH, fund_fen),) if stands else ()
    return SideRow(settlement_id, state, decided, 1_000, fund_fen, 300, owed, since_at)


def side(*rows: SideRow) -> Side:
    """Return a side whose accounts are what its rows come to."""
    total = sum(one.amount_fen for each in rows for one in each.owed)
    return Side(rows, (Owed(POOL, MONTH, total),) if total else (), NOW_AT)


@pytest.mark.parametrize("count", [0, 1, 100, 101, 1_000])
def test_equal_books_of_any_size(count: int) -> None:
    """At 0, 1, 100, 101 rows the same: all compared, none left on a page that is never read."""
    books = side(*(row(f"s{number}") for number in range(count)))

    found = compare(VISITED, INSURED, books, books, now_at=NOW_AT)

    assert found.mirrored
    assert (found.equal, found.findings) == (count, ())
    assert sum(line.due_from_fen for line in found.purses) == 700 * count
    assert all(line.difference_fen == 0 for line in found.purses)


@pytest.mark.parametrize("count", [1, 100, 101])
@pytest.mark.parametrize("place", ["first", "last"])
def test_one_missing_row_is_found_at_any_place(count: int, place: str) -> None:
    """The row that the insured side lost is named, at the edge of a page as anywhere."""
    rows = [row(f"s{number:04d}") for number in range(count)]
    lost = rows[0] if place == "first" else rows[-1]

    found = compare(
        VISITED,
        INSURED,
        side(*rows),
        side(*(one for one in rows if one is not lost)),
        now_at=NOW_AT,
    )

    assert not found.mirrored
    assert [(one.settlement_id, one.kind) for one in found.findings] == [
        (lost.settlement_id, "only_here")
    ]
    assert [line.difference_fen for line in found.purses] == [-700]


CASES = """
here                 there             class
settled              settled           equal
refused              -                 equal
voided-undecided     -                 equal
voided-undecided     voided            equal
voided               voided            equal
voided-undecided     voided            equal
pending              -                 in_flight
pending              settled           in_flight
cancelling           -                 in_flight
cancelling           settled           in_flight
cancelling           voided            in_flight
voiding              settled           in_flight
voiding              voided            in_flight
voiding-undecided    -                 in_flight
settled              -                 only_here
voided               -                 only_here
voiding              -                 only_here
-                    settled           only_there
-                    voided            only_there
settled              settled-800       amount
pending              settled-total     amount
voiding              settled-800       amount
settled              voided            state
voided               settled           state
refused              settled           state
pending              voided            state
settled              unproven          state
"""
"""One line for each pair of states: what the visited side holds, the insured side, the class."""


def _one(word: str) -> SideRow | None:
    state, _, variant = word.partition("-")
    if word == "-":
        return None
    undecided = state in {"pending", "cancelling", "refused"} or variant == "undecided"
    if variant == "total":
        return msgspec.structs.replace(row("s", state), total_fen=1_001)
    return row("s", state, decided=not undecided, fund_fen=800 if variant == "800" else 700)


@pytest.mark.parametrize("case", CASES.strip().splitlines()[1:])
def test_classes(case: str) -> None:
    """Every pair of states has one class; only equal and in flight leave the books mirrored."""
    here, there, expected = case.split()
    mine = [one for one in [_one(here)] if one is not None]
    theirs = [one for one in [_one(there)] if one is not None]

    found = compare(VISITED, INSURED, side(*mine), side(*theirs), now_at=NOW_AT)

    kinds = [one.kind for one in found.findings] or ["equal"]
    assert kinds == [expected]
    assert found.mirrored == (expected in {"equal", "in_flight"})
    if expected == "in_flight":
        assert all(line.difference_fen == 0 for line in found.purses)


def test_what_is_in_flight_is_listed_with_its_age_and_money() -> None:
    """An answer under way hides nothing: its row, how long, and what it makes of the purse."""
    here = side(row("s", "pending", decided=False, since_at=NOW_AT - 3_600_000))
    there = side(row("s", since_at=NOW_AT - 3_599_000))

    found = compare(VISITED, INSURED, here, there, now_at=NOW_AT)

    assert [(one.age_ms, one.here_fen, one.there_fen) for one in found.in_flight] == [
        (3_600_000, 700, 700)
    ]
    assert [(one.due_from_fen, one.due_to_fen, one.in_flight_fen) for one in found.purses] == [
        (0, 700, 700)
    ]


@pytest.mark.parametrize(
    ("here", "there"), [(None, "settled"), ("settled", "voided")], ids=["new", "voided"]
)
def test_what_was_decided_after_the_first_reading_is_in_flight(
    here: str | None, there: str
) -> None:
    """Nodes go on while they are compared; only what is older than the reading can differ."""
    mine = [] if here is None else [row("s", here)]
    late = row("s", there, since_at=NOW_AT + 5)

    found = compare(VISITED, INSURED, side(*mine), side(late), now_at=NOW_AT + 10)

    assert [one.kind for one in found.findings] == ["in_flight"]
    assert found.mirrored


def test_money_without_a_settlement_shows_in_its_purse() -> None:
    """Equal rows do not excuse an account that holds more than they come to."""
    here, there = side(row("s")), side(row("s"))
    more = msgspec.structs.replace(there, accounts=(Owed(LARGE, MONTH, 1), Owed(POOL, MONTH, 700)))

    found = compare(VISITED, INSURED, here, more, now_at=NOW_AT)

    assert not found.mirrored
    assert [(line.purse, line.difference_fen) for line in found.purses] == [(LARGE, 1), (POOL, 0)]


def test_a_month_is_not_another() -> None:
    """The same sum booked in two months differs twice: months are cleared one by one."""
    here = side(row("s"))
    moved = Side(here.rows, (Owed(POOL, "2026-12", 700),), NOW_AT)

    found = compare(VISITED, INSURED, here, moved, now_at=NOW_AT)

    assert [line.difference_fen for line in found.purses] == [-700, 700]
    assert not found.mirrored


# real books


async def _some_stays(cities: TwoCities) -> str:
    """Settle two stays and void one of them; return the one that stands."""
    stands = await cities.settled(0)
    gone = await cities.settled(1)
    await cities.desk.void(cities.caller, gone.settlement_id)
    await cities.quiet()
    return stands.settlement_id


def test_books_of_two_nodes_mirror(tmp_path: Path) -> None:
    """One settled, one voided: both readings of the other side agree with ours to the fen."""
    with running(tmp_path) as city:
        cities = city.cities
        city.run(_some_stays(cities))
        tianjin, beijing = cities.tianjin, cities.beijing
        here = city.run(tianjin.read(lambda s: visited_side(s, INSURED, NOW_AT + 1)))
        there = city.run(beijing.read(lambda s: insured_side(s, VISITED, NOW_AT + 1)))
        ring = tianjin.home.ring
        told = city.run(tianjin.read(lambda s: answered_side(s, ring, INSURED, NOW_AT + 1)))

        by_books = compare(VISITED, INSURED, here, there, now_at=NOW_AT + 1)
        by_answers = compare(VISITED, INSURED, here, told, now_at=NOW_AT + 1, source="answers")

    assert by_books.mirrored
    assert by_answers.mirrored
    assert by_books.equal == by_answers.equal == 2
    assert [line.due_from_fen for line in by_books.purses] == [
        line.due_to_fen for line in by_answers.purses
    ]
    assert sum(line.due_from_fen for line in by_books.purses) > 0


def test_planted_differences_in_real_books_are_named(tmp_path: Path) -> None:
    """A decision lost and an amount changed: each under its own name."""
    with running(tmp_path) as city:
        cities = city.cities
        stands = city.run(_some_stays(cities))
        other = city.run(cities.settled(2)).settlement_id
        here = city.run(cities.tianjin.read(lambda s: visited_side(s, INSURED, NOW_AT + 1)))
        there = city.run(cities.beijing.read(lambda s: insured_side(s, VISITED, NOW_AT + 1)))
        lost = tuple(one for one in there.rows if one.settlement_id != stands)
        changed = tuple(
            msgspec.structs.replace(one, fund_fen=one.fund_fen + 1)
            if one.settlement_id == other
            else one
            for one in lost
        )

        found = compare(
            VISITED, INSURED, here, msgspec.structs.replace(there, rows=changed), now_at=NOW_AT
        )

    kinds = {one.settlement_id: one.kind for one in found.findings}
    assert kinds == {stands: "only_here", other: "amount"}


def test_an_answer_with_a_broken_signature_equals_nothing(tmp_path: Path) -> None:
    """What the journal holds counts only with the insured side's signature over it."""
    with running(tmp_path) as city:
        cities = city.cities
        claim = city.run(cities.settled(0))

        def break_it(tx: Transaction) -> None:
            assert claim.answer_id is not None
            taken = tx.need(TAKEN, claim.answer_id)
            tx.put(TAKEN, msgspec.structs.replace(taken, signature=bytes(64)))

        city.run(cities.tianjin.run(break_it))
        ring = cities.tianjin.home.ring
        here = city.run(cities.tianjin.read(lambda s: visited_side(s, INSURED, NOW_AT + 1)))
        told = city.run(cities.tianjin.read(lambda s: answered_side(s, ring, INSURED, NOW_AT + 1)))

        found = compare(VISITED, INSURED, here, told, now_at=NOW_AT + 1, source="answers")

    assert [(one.kind, one.there_state) for one in found.findings] == [("state", "unproven")]
