"""The diagrams in the documents are those of the tables in the code."""

from tests import tidy
from tongcheng.cli import diagrams
from tongcheng.services.settlement import life


def test_the_page_shows_the_tables_of_the_code() -> None:
    """docs/settlement.md between its marks is what `tongcheng docs life` would write now."""
    page = (tidy.ROOT / "docs" / "settlement.md").read_text("utf-8")

    assert diagrams.replaced(page) == page


def test_every_state_can_be_reached_from_the_first() -> None:
    """A state that no event leads to would be a line of a table that nothing can use."""
    for title, first, table in diagrams.CYCLES:
        reached = {first, *table.values()}

        assert {state for state, _ in table} <= reached, title


def test_an_event_that_is_not_in_the_table_leads_nowhere() -> None:
    """What the table does not list is not allowed; there is no default."""
    assert life.follow(life.CLAIM_TRANSITIONS, "voided", "settled") is None
