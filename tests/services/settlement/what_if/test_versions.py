"""Which versions hold where a new one stands in for some days of an old one."""

from datetime import date

import msgspec
import pytest

from tests.services.settlement.books import beijing
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.what_if.versions import replaced

Days = tuple[str, str | None]


def version(days: Days) -> RuleBook:
    """Return a book that is in force on some days."""
    begins, ends = days
    return msgspec.structs.replace(
        beijing(),
        effective_from=date.fromisoformat(begins),
        effective_to=None if ends is None else date.fromisoformat(ends),
    )


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        (("2024-01-01", None), ("2025-01-01", None), [("2024-01-01", "2024-12-31")]),
        (("2024-01-01", None), ("2023-01-01", "9999-12-31"), []),
        (("2024-01-01", "9999-12-31"), ("2024-01-01", "9999-12-31"), []),
        (("2024-01-01", "2024-06-30"), ("2024-07-01", None), [("2024-01-01", "2024-06-30")]),
        (("0001-01-01", None), ("0001-01-01", "2024-06-30"), [("2024-07-01", None)]),
        (
            ("2024-01-01", None),
            ("2024-03-01", "2024-03-31"),
            [("2024-01-01", "2024-02-29"), ("2024-04-01", None)],
        ),
    ],
)
def test_the_old_version_holds_before_and_after_the_new_one(
    old: Days, new: Days, left: list[Days]
) -> None:
    """On no day both, on no day none; the last day that there is has none after it."""
    added = version(new)
    assert replaced([version(old)], [added]) == [*map(version, left), added]
