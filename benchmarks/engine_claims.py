"""Random claims in memory for measuring the engine: every shipped book, or the shape of peers.

Not the generator of `tongcheng settlement generate`: an engine is better checked by claims from a
second hand. Amounts have a long tail, so that yearly caps bite; a few are large beyond anything.
"""

from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tongcheng.kernel.rulebook import RuleBook, parse
from tongcheng.services.settlement.batch.arrays import NONE, SETTLE, VOID, Events, blank_events
from tongcheng.services.settlement.batch.plan import EPOCH, Plan, plan_of
from tongcheng.services.settlement.rules import CATEGORIES, FILINGS, PERSON_TYPES, SUBTYPES, TIERS

PACK = Path(__file__).parent.parent / "src" / "tongcheng" / "regions" / "jingjinji"
RULE_BOOKS = PACK / "rulebooks"
SHAPE_BOOK = "beijing-employee-inpatient.yaml"
PERSONS_A_CLAIM = 0.4
"""So many persons as claims: a person has two and a half in the two years."""
FIRST_ON = date(2025, 1, 1).toordinal() - EPOCH
DAYS = 730
VOIDS = 0.03
FILED = 0.3
MEDIAN_LOG_FEN = 14.0
"""About 12,000 yuan in scope."""
SPREAD_LOG = 1.0
HUGE = 0.001
FEN_MAX = 2_000_000_000
"""Twenty million yuan: beyond every cap, and beyond what a float32 counts to the fen."""
WAYS = ("local", "long_stay", "referral", "emergency", "other")

Ints = NDArray[np.int64]


def books(*names: str) -> list[RuleBook]:
    """Return shipped rule books, all of them when none is named."""
    paths = [RULE_BOOKS / name for name in names] or sorted(RULE_BOOKS.glob("*.yaml"))
    return [parse(path.read_text("utf-8")) for path in paths]


def shape_plan() -> Plan:
    """Return the plan that is compared with peers: Beijing's employees, no second covers paid."""
    return plan_of(books(SHAPE_BOOK))


def random_claims(plan: Plan, rows: int, seed: int) -> Events:
    """Return claims of every place of a plan: all kinds of persons, hospitals, filings, and voids.

    No claim has a division of its hospital, an opening or a further period.
    """
    draw = np.random.default_rng(seed)
    events = _stays(rows, draw)
    place = draw.integers(0, len(plan.places), int(rows * PERSONS_A_CLAIM) + 1)[events.person]
    persons = [sorted({person for _, _, person, _ in _kinds(plan, at)}) for at in _places(plan)]
    most = max(map(len, persons))
    padded = np.array([(each * most)[:most] for each in persons], np.int8)
    chosen = draw.integers(0, most, int(rows * PERSONS_A_CLAIM) + 1)[events.person]
    filed = draw.random(rows) < FILED
    ways = np.array([FILINGS.index(way) for way in WAYS], np.int8)
    void = (draw.random(rows) < VOIDS) & (events.person == np.roll(events.person, 1))
    # What is taken back stands before; a void of a void would only be refused.
    void &= ~np.roll(void, 1)
    void[0] = False
    local = np.int8(FILINGS.index("local"))
    return events._replace(
        kind=np.where(void, VOID, SETTLE).astype(np.int8),
        reverses=np.where(void, np.arange(rows) - 1, NONE),
        place=place.astype(np.int16),
        person_type=padded[place, chosen],
        tier=draw.integers(0, len(TIERS), rows).astype(np.int8),
        category=draw.integers(0, len(CATEGORIES), rows).astype(np.int8),
        hospital_subtype=draw.integers(0, len(SUBTYPES), rows).astype(np.int8),
        filing=np.where(filed, ways[draw.integers(0, len(ways), rows)], local),
    )


def shape_claims(rows: int, seed: int) -> Events:
    """Return stays of Beijing's employees in work and retired, at home, none taken back."""
    draw = np.random.default_rng(seed)
    events = _stays(rows, draw)
    types = np.array([PERSON_TYPES.index(each) for each in ("active", "retired")], np.int8)
    person_type = types[draw.integers(0, 2, int(rows * PERSONS_A_CLAIM) + 1)]
    return events._replace(person_type=person_type[events.person])


def _stays(rows: int, draw: np.random.Generator) -> Events:
    """Return stays in order of person and day."""
    person = np.sort(draw.integers(0, int(rows * PERSONS_A_CLAIM) + 1, rows))
    day = draw.integers(0, DAYS, rows)
    day = np.sort(person * DAYS + day) - person * DAYS
    ended_on = (FIRST_ON + day).astype(np.int32)
    admitted_on = ended_on - draw.integers(1, 30, rows).astype(np.int32)
    fen = np.exp(draw.normal(MEDIAN_LOG_FEN, SPREAD_LOG, rows)).astype(np.int64)
    huge = draw.random(rows) < HUGE
    fen = np.where(huge, draw.integers(0, FEN_MAX, rows), fen)
    return blank_events(rows)._replace(
        person=person,
        admitted_on=admitted_on,
        # The year is that of the discharge or the admission; a period lies within it.
        period_from_on=ended_on,
        ended_on=ended_on,
        hospital_level=draw.integers(1, 4, rows).astype(np.int8),
        in_scope_fen=np.minimum(fen, FEN_MAX),
    )


def _places(plan: Plan) -> range:
    return range(len(plan.places))


def _kinds(plan: Plan, place: int) -> set[tuple[int, str | None, int, str | None]]:
    """Return the kinds of persons of a place's newest book, as its cells are keyed."""
    tables = plan.versions[plan.places[place].end - 1].tables
    return {(key[0], key[1], PERSON_TYPES.index(key[2]), key[3]) for key in tables.cells}
