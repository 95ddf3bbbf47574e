"""Looking through the audit: exactly the entries asked for, newest first, by an index."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.store.stage import Stage
from tests.toy import NOW_AT
from tongcheng.kernel import audit, audit_reading
from tongcheng.kernel.audit import AUDIT, AuditRow, Entry
from tongcheng.kernel.audit_reading import Count, Wanted
from tongcheng.kernel.calendar import DAY_MS, local_date
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.store import Transaction, Writer

ZONE = "Asia/Shanghai"
ACTORS, ACTIONS, SUBJECTS = ("H1", "account/a"), ("stay.read", "case.read", "seal"), ("s1", "s2")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An open store."""
    stage = Stage(tmp_path)
    yield stage
    stage.database.close()


def _note(stage: Stage, *entries: Entry, at: int = NOW_AT) -> None:
    def command(tx: Transaction) -> None:
        for entry in entries:
            audit.note(tx, entry)

    # A clock of its own: one that is set back while a node runs is what the order must bear.
    Writer(stage.database, stage.home, ManualClock(at)).run([command])


def _all(stage: Stage) -> list[AuditRow]:
    with stage.database.snapshot() as snapshot:
        return snapshot.select(AUDIT)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    noted=st.lists(
        st.tuples(
            st.sampled_from(ACTORS),
            st.sampled_from(ACTIONS),
            st.sampled_from(SUBJECTS),
            st.integers(-DAY_MS, DAY_MS),
        ),
        max_size=12,
    ),
    wanted=st.builds(
        Wanted,
        st.sampled_from(("", *ACTORS)),
        st.sampled_from(("", *ACTIONS)),
        st.sampled_from(("", *SUBJECTS)),
    ),
    of_today=st.booleans(),
    limit=st.integers(1, 5),
)
def test_pages_together_are_what_was_asked_for(
    stage: Stage,
    noted: list[tuple[str, str, str, int]],
    wanted: Wanted,
    limit: int,
    *,
    of_today: bool,
) -> None:
    """Page by page, every entry asked for comes once, newest first, also if clocks went back."""
    for actor, action, subject, step in noted:
        _note(stage, Entry(actor, action, subject), at=NOW_AT + step)
    on = local_date(NOW_AT, ZONE)
    if of_today:
        wanted = Wanted(wanted.actor, wanted.action, wanted.subject, on)
    expected = [
        row
        for row in sorted(_all(stage), key=lambda row: (row.at, row.number), reverse=True)
        if wanted.actor in {"", row.actor}
        and wanted.action in {"", row.action}
        and wanted.subject in {"", row.subject}
        and (not of_today or local_date(row.at, ZONE) == on)
    ]

    found: list[AuditRow] = []
    with stage.database.snapshot() as snapshot:
        while True:
            before = found[-1].number if found else None
            page = audit_reading.entries(snapshot, wanted, ZONE, before=before, limit=limit)
            found += page
            if len(page) < limit:
                break

    assert found == expected


def test_a_day_names_its_readers(stage: Stage) -> None:
    """Who read most comes first; what was no read, or of another day, is not counted."""
    _note(stage, Entry("H9", "stay.read", "s1"))
    later_at = NOW_AT + 2 * DAY_MS
    reads = [Entry(actor, "stay.read", "s1") for actor in ("H2", "H1", "H2")]
    _note(stage, *reads, Entry("H1", "seal", "s1"), at=later_at)
    on = local_date(later_at, ZONE)

    with stage.database.snapshot() as snapshot:
        counts = audit_reading.readers_of_day(snapshot, {"stay.read", "x.read"}, on, ZONE)
        nobody = audit_reading.readers_of_day(snapshot, {"stay.read"}, date(2020, 1, 1), ZONE)

    assert counts == [Count("H2", 2), Count("H1", 1)]
    assert nobody == []


def test_what_is_about_somebody(stage: Stage) -> None:
    """The newest reads about any of some subjects, and how many there are in all."""
    _note(stage, *(Entry("H1", "stay.read", each) for each in ("s1", "s2", "s3", "s1")))
    _note(stage, Entry("H1", "seal", "s1"))

    with stage.database.snapshot() as snapshot:
        rows, count = audit_reading.about(snapshot, {"s1", "s2"}, {"stay.read"}, 2)

    assert [row.number for row in rows] == [4, 2]
    assert count == 3


@pytest.mark.parametrize("field", ["actor", "action", "subject"])
def test_no_look_sorts_the_whole_audit(stage: Stage, field: str) -> None:
    """Each filter goes by an index that has the order too."""
    newest = (
        sa.select(AUDIT.table)
        .where(AUDIT.c[field] == "x")
        .order_by(AUDIT.c.at.desc(), AUDIT.c.number.desc())
    )
    sql = str(newest.compile(compile_kwargs={"literal_binds": True}))
    with stage.database.snapshot() as snapshot:
        plan = [row[3] for row in snapshot.raw.execute(f"EXPLAIN QUERY PLAN {sql}")]

    assert plan == [f"SEARCH audit USING INDEX audit_by_{field}_at ({field}=?)"]
