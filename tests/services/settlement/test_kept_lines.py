"""Lines that came together lie in one row; each is found once, as it was last put."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tongcheng.kernel.store import Database, Transaction
from tongcheng.services.settlement import kept_lines
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.store import LINES

STAY = "stay"
BATCHES = st.lists(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(-9, 9), st.booleans())),
    max_size=6,
)


def _line(line_id: str, amount_fen: int, *, revoked: bool) -> LineRow:
    texts = dict.fromkeys(LineRow.__struct_fields__, "示例")
    numbers = dict.fromkeys((name for name in texts if name.endswith(("_fen", "_e4", "_e6"))), 7)
    given_here = {
        "stay_id": STAY,
        "line_id": line_id,
        "number": 1,
        "charged_at": 2**53,
        "original_line_id": None,
        "first_self_pay_bp": None,
        "total_fen": amount_fen,
        "revoked": revoked,
    }
    return LineRow(**cast("Any", texts | numbers | given_here))


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """A store to begin transactions on; nothing is ever committed."""
    with TemporaryDirectory() as folder:
        opened = Database(Path(folder) / "lines.sqlite", b"k" * 32, synchronous="OFF")
        opened.open_writing(0)
        yield opened
        opened.close()


@settings(max_examples=60, deadline=None)
@given(batches=BATCHES)
def test_lines_are_as_they_were_last_put(
    database: Database, batches: list[dict[str, tuple[int, bool]]]
) -> None:
    """Whatever comes together, comes again or is revoked: the model is a mapping by id."""
    tx = Transaction(database, cast("Any", None), 0)
    model: dict[str, LineRow] = {}
    for batch in batches:
        lines = [_line(one, fen, revoked=gone) for one, (fen, gone) in batch.items()]
        model.update({line.line_id: line for line in lines})
        kept_lines.put(tx, STAY, kept_lines.of_stay(tx, STAY), lines)

    rows = tx.select(LINES)
    assert kept_lines.by_id(rows) == model
    assert sum(row.count for row in rows) == len(model)
    assert all(len(kept_lines.unpacked(row)) == row.count > 0 for row in rows)


def test_what_is_kept_is_not_written_over(database: Database) -> None:
    """Whoever takes a stay with lines for one without would lose a bill: our bug, told at once."""
    tx = Transaction(database, cast("Any", None), 0)
    kept_lines.put(tx, STAY, (), [_line("a", 1, revoked=False)])

    with pytest.raises(AssertionError, match="row exists"):
        kept_lines.put(tx, STAY, (), [_line("b", 2, revoked=False)])
