"""What the benchmark of pages calls kept, and what it does not."""

import pytest

from benchmarks.bench_pages import (
    P95_MS_MAX,
    WEIGHT_BYTES_MAX,
    Measured,
    faults_of,
    worst_by_route,
)
from benchmarks.console_pages import Found
from benchmarks.reader import Times, Weight, times_of

ALL_FOUND = Found({}, [], [])


def measured(
    address: str = "/zh/ledger", *, p95: float = 10.0, sent: int = 40_000, is_page: bool = True
) -> Measured:
    """Return one address of the ledger as it was measured."""
    times = Times(p50=p95 / 2, p95=p95, max=p95 * 2)
    return Measured("/ledger", address, times, Weight(sent, sent, sent, 0), is_page=is_page)


def test_a_quick_and_light_page_has_no_fault() -> None:
    """The bounds themselves are already too much, what is below them is fine."""
    pages = [measured(p95=P95_MS_MAX - 0.01, sent=WEIGHT_BYTES_MAX - 1)]

    assert faults_of(pages, ALL_FOUND) == []


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (measured(p95=P95_MS_MAX), "/zh/ledger: p95 is 50.0 ms, not below 50"),
        (measured(sent=WEIGHT_BYTES_MAX), "/ledger: weighs 100000 bytes, not below 100 kB"),
    ],
    ids=["slow", "heavy"],
)
def test_a_slow_or_heavy_page_fails_the_benchmark(page: Measured, said: str) -> None:
    """One page beyond the bound is a fault, however quick the others are."""
    assert faults_of([measured("/en/ledger"), page], ALL_FOUND) == [said]


def test_a_download_may_be_long() -> None:
    """Pages are promised to be quick and light; a file is as long as what was asked for."""
    assert faults_of([measured(p95=900.0, sent=9_000_000, is_page=False)], ALL_FOUND) == []


def test_a_page_that_was_not_measured_fails_the_benchmark() -> None:
    """A new page cannot slip through because nothing leads to it, or because it does not open."""
    faults = faults_of([], Found({}, ["/accord"], ["/zh/audit: 500"]))

    assert faults == ["/zh/audit: 500 could not be opened", "no link leads to /accord"]


def test_what_the_data_does_not_show_is_named_with_its_reason() -> None:
    """Only pages on that short list may stay unmeasured."""
    assert faults_of([], Found({}, ["/demo/forged"], [])) == []


def test_a_route_is_told_by_its_slowest_address_and_its_heaviest() -> None:
    """The table has one line for a page; it must not be the flattering one."""
    pages = [
        measured("/zh/ledger", p95=12.0, sent=30_000),
        measured("/zh/ledger?month=2026-10", p95=31.0, sent=20_000),
        measured("/en/ledger", p95=11.0, sent=60_000),
    ]

    (worst,) = worst_by_route(pages)

    assert (worst.address, worst.times.p95) == ("/zh/ledger?month=2026-10", 31.0)
    assert worst.weight.sent == 60_000


def test_percentiles_are_of_the_nearest_rank() -> None:
    """Of a hundred answers the 95th; of twenty the 19th."""
    hundred = [number / 1_000 for number in range(100, 0, -1)]

    assert times_of(hundred, 0.5) == Times(p50=51.0, p95=95.0, max=100.0, cpu=5.0)
    assert times_of(hundred[-20:]).p95 == 19.0
