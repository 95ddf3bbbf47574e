"""docs/hospital.md says what the interface does."""

from tests.services.settlement import hospital_page
from tongcheng.services.settlement.preflight import CODES


def test_the_page_is_up_to_date() -> None:
    """Calls, tables and errors on the page are those of the code.

    Write it anew with `python -m tests.services.settlement.hospital_page`.
    """
    page = hospital_page.PAGE.read_text("utf-8")

    assert hospital_page.written(page) == page


def test_every_finding_is_on_the_page() -> None:
    """A hospital's developer finds each code of the pre-flight checks, with what to do."""
    page = hospital_page.PAGE.read_text("utf-8")
    _, _, rest = page.partition("<!-- preflight: begin -->")
    table, _, _ = rest.partition("<!-- preflight: end -->")

    assert [code for code in CODES if f"| `{code}` | {', '.join(CODES[code])} |" not in table] == []
