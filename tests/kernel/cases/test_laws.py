"""Whatever is done to cases: one turn at a time, a receipt a hand-over, and an equal journal."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.cases.office import KIND, PARTIES, SERVICE, Office, office
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.verify import verify

SUBJECTS = ("hedge", "fence")
STEPS = st.one_of(
    st.tuples(st.just("open"), st.sampled_from(SUBJECTS), st.just("")),
    st.tuples(
        st.sampled_from(sorted(KIND.may)),
        st.sampled_from(SUBJECTS),
        st.sampled_from(sorted(PARTIES)),
    ),
)
WAITS = st.integers(min_value=0, max_value=40 * DAY_MS)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(STEPS, WAITS), max_size=25))
def test_any_sequence_of_actions(steps: list[tuple[tuple[str, str, str], int]]) -> None:
    """Allowed or refused, in any order and at any time, every case keeps what cases keep."""
    with tempfile.TemporaryDirectory() as folder, office(Path(folder)) as desk:
        latest: dict[str, str] = {}
        handed: dict[str, set[int]] = {}
        for (action, subject, role), wait in steps:
            try:
                if action == "open":
                    done = desk.open(subject)
                    latest[subject] = done.case.case_id
                else:
                    done = desk.act(latest.get(subject, "none"), action, role)
                handed.setdefault(done.case.case_id, set()).add(done.receipt.number)
            except Refused:
                pass
            desk.clock.advance(wait)
        for case_id, numbers in handed.items():
            _check(desk, case_id, numbers)
        report = verify(desk.node.database, desk.node.home, (SERVICE,))

        assert report.findings == []
        assert report.skipped == []


def _check(desk: Office, case_id: str, numbers: set[int]) -> None:
    found = desk.history(case_id)
    case, legs, receipts = found.case, found.legs, found.receipts
    open_legs = [leg for leg in legs if leg.done_at is None]

    assert {one.number for one in receipts} == numbers == set(range(1, case.handed + 1))
    assert len(legs) == len(receipts) - (case.closed_at is not None)
    assert len(open_legs) == (case.closed_at is None)
    assert (case.owner_role is None) == (case.state not in KIND.legs)
    assert (case.state in KIND.legs) == (case.closed_at is None)
    for leg in open_legs:
        now = (case.state, case.owner_role, case.owner_party, case.due_at, case.undated)
        assert now == (leg.state, leg.role, leg.party, leg.due_at, leg.undated)
    for leg in legs:
        assert (leg.due_at is None) == bool(leg.undated)
        assert leg.due_at is None or leg.due_at > leg.received_at
        assert leg.party == PARTIES[leg.role]
