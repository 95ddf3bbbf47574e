"""Looking through the audit: by who, what, whom and day, newest first, never the whole of it."""

from collections.abc import Collection
from datetime import date, timedelta

import msgspec
import sqlalchemy as sa

from tongcheng.kernel.audit import AUDIT, AuditRow
from tongcheng.kernel.calendar import parse_local
from tongcheng.kernel.store import Snapshot


class Wanted(msgspec.Struct, frozen=True):
    """Which entries are looked for: equal to every field that is not empty, on this local day."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    on: date | None = None


class Count(msgspec.Struct, frozen=True):
    """How many entries one actor has."""

    actor: str
    count: int


def entries(
    snapshot: Snapshot, wanted: Wanted, zone: str, *, before: int | None = None, limit: int
) -> list[AuditRow]:
    """Return the newest entries, or the newest of those that stand before entry `before`."""
    statement = sa.select(AUDIT.table)
    for field in ("actor", "action", "subject"):
        value = getattr(wanted, field)
        if value:
            statement = statement.where(AUDIT.c[field] == value)
    if wanted.on is not None:
        from_at, to_at = day_span(wanted.on, zone)
        statement = statement.where(AUDIT.c.at >= from_at, AUDIT.c.at < to_at)
    last = None if before is None else snapshot.get(AUDIT, before)
    if last is not None:
        # By instant, then by number: a clock that was set back makes the two disagree.
        place = sa.tuple_(AUDIT.c.at, AUDIT.c.number)
        statement = statement.where(
            AUDIT.c.at <= last.at, place < sa.tuple_(sa.literal(last.at), sa.literal(last.number))
        )
    newest = statement.order_by(AUDIT.c.at.desc(), AUDIT.c.number.desc())
    return snapshot.fetch(AUDIT, newest.limit(limit))


def readers_of_day(
    snapshot: Snapshot, actions: Collection[str], on: date, zone: str
) -> list[Count]:  # fmt: skip
    """Return who did any of these actions on a day and how often, the most frequent first."""
    from_at, to_at = day_span(on, zone)
    count = sa.func.count()
    statement = (
        sa.select(AUDIT.c.actor, count)
        .where(AUDIT.c.at >= from_at, AUDIT.c.at < to_at, AUDIT.c.action.in_(sorted(actions)))
        .group_by(AUDIT.c.actor)
        .order_by(count.desc(), AUDIT.c.actor)
    )
    return [Count(actor, found) for actor, found in snapshot.query(statement)]


def about(
    snapshot: Snapshot, subjects: Collection[str], actions: Collection[str], limit: int
) -> tuple[list[AuditRow], int]:
    """Return the newest entries of these actions about any of the subjects, and how many there are.

    Read by the index of subjects: what is about one stay is little, however long the audit is.
    """
    # The plus keeps SQLite from going by the index of actions: an action has thousands of entries.
    action = sa.literal_column("+audit.action", sa.Text())
    is_it = sa.and_(AUDIT.c.subject.in_(sorted(subjects)), action.in_(sorted(actions)))
    newest = sa.select(AUDIT.table).where(is_it).order_by(AUDIT.c.at.desc(), AUDIT.c.number.desc())
    rows = snapshot.fetch(AUDIT, newest.limit(limit))
    counted = snapshot.query(sa.select(sa.func.count()).select_from(AUDIT.table).where(is_it))
    return rows, counted[0][0]


def day_span(on: date, zone: str) -> tuple[int, int]:
    """Return a local day's first instant and the next day's (UTC ms)."""
    first, after = (f"{day.isoformat()} 00:00:00" for day in (on, on + timedelta(days=1)))
    return parse_local(first, zone), parse_local(after, zone)
