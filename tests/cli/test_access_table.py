"""The table of authority in the documents is the region's own."""

from tests import tidy
from tongcheng.cli import access_table


def test_the_page_shows_the_table_of_the_region() -> None:
    """The page between its marks is what `tongcheng docs access` would write now."""
    page = (tidy.ROOT / "docs" / "access.md").read_text("utf-8")

    assert access_table.replaced(page) == page
    assert "| `settlement.stay.read` | read a stay * |" in page
