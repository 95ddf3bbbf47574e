"""docs/hospital.md says what the interface does."""

from tests.services.settlement import hospital_page


def test_the_page_is_up_to_date() -> None:
    """Calls, tables and errors on the page are those of the code.

    Write it anew with `python -m tests.services.settlement.hospital_page`.
    """
    page = hospital_page.PAGE.read_text("utf-8")

    assert hospital_page.written(page) == page
