"""The diagrams in the documents are those of the tables in the code."""

import pytest

from tests import tidy
from tongcheng.cli import diagrams
from tongcheng.node.services import SERVICES
from tongcheng.services.settlement import life
from tongcheng.services.settlement.line_query import LINE_QUERY


@pytest.mark.parametrize("name", diagrams.PAGES)
def test_the_page_shows_the_tables_of_the_code(name: str) -> None:
    """The page between its marks is what `tongcheng docs life` would write now."""
    page = (tidy.ROOT / "docs" / name).read_text("utf-8")

    assert diagrams.replaced(name, page) == page


def test_every_kind_of_case_is_drawn() -> None:
    """What a service registers stands on the page of cases."""
    registered = [kind for service in SERVICES for kind in service.cases]

    assert [kind for _, kind in diagrams.CASES] == registered


def test_turns_say_who_may_do_what_and_when() -> None:
    """Each open state is one line: its owner, its term, its actions with their conditions."""
    lines = diagrams.turns(LINE_QUERY).splitlines()

    assert len(lines) == 2 + len(LINE_QUERY.legs)
    assert lines[2] == (
        "| asked | hospital | `hospital_answer_days`, working days | "
        "`explained` (hospital; with a text), `corrected` (hospital; with a text), "
        "`escalated` (person; only when overdue; with a text), `withdrawn` (person) |"
    )


def test_every_state_can_be_reached_from_the_first() -> None:
    """A state that no event leads to would be a line of a table that nothing can use."""
    for title, first, table in diagrams.CYCLES:
        reached = {first, *table.values()}

        assert {state for state, _ in table} <= reached, title


def test_an_event_that_is_not_in_the_table_leads_nowhere() -> None:
    """What the table does not list is not allowed; there is no default."""
    assert life.follow(life.CLAIM_TRANSITIONS, "voided", "settled") is None
