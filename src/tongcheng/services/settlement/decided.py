"""What this node, as the insured side, has decided before of a stay, of a person, of a month.

Periods of one stay come in order, abut, and say the same of the stay; other stays of the person
may overlap it or follow it. Reads only.
"""

from datetime import timedelta

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement.benefit import day
from tongcheng.services.settlement.model import StayFacts
from tongcheng.services.settlement.store import DECISIONS, DecisionRow

LASTING = (
    "person_id",
    "scheme",
    "insured_admdvs",
    "institution_id",
    "institution_admdvs",
    "hospital_level",
    "hospital_subtype",
    "emergency",
    "admitted_on",
)
"""Facts of a stay that are the same in all of its periods."""


def facts_of(row: DecisionRow) -> StayFacts:
    """Return the facts that a decision was asked with."""
    return canonical.decode_as(row.facts, StayFacts)


def periods_of(reading: Reading, visited_member: str, stay_id: str) -> list[DecisionRow]:
    """Return the decisions that stand of one stay, by period."""
    rows = [
        row
        for row in reading.select(DECISIONS, stay_id=stay_id)
        if row.visited_member == visited_member and row.state == "settled"
    ]
    return sorted(rows, key=lambda row: row.period)


def check_place(home: Home, visited_member: str, facts: StayFacts) -> None:
    """Refuse a hospital in a place that the asking member does not answer for.

    The place decides how a stay counts as filed: a member could make any stay one at home.
    """
    owners = home.region.owners_of(facts.institution_admdvs, "settlement")
    if [owner.id for owner in owners] != [visited_member]:
        raise Refused("STAY_PLACE", admdvs=facts.institution_admdvs, member=visited_member)


def check_days(facts: StayFacts) -> None:
    """Refuse days that do not exist or run backwards, and an end that is none."""
    admitted, first, last = (
        day(each) for each in (facts.admitted_on, facts.period_from_on, facts.period_to_on)
    )
    ends = facts.discharged_on == (facts.period_to_on if facts.final else None)
    begins = admitted <= first if facts.period > 1 else admitted == first
    if not (begins and first <= last and ends):
        raise Refused(
            "STAY_DATES",
            admitted=facts.admitted_on,
            discharged=facts.discharged_on or facts.period_to_on,
        )


def check_period(before: list[DecisionRow], facts: StayFacts) -> None:
    """Refuse a period that does not follow the last one that stands of its stay."""
    if before and (facts.period <= before[-1].period or facts_of(before[-1]).final):
        last = min(before, key=lambda row: abs(row.period - facts.period))
        raise Refused("STAY_SETTLED_BEFORE", stay=last.stay_id, settlement=last.settlement_id)
    if facts.period != len(before) + 1:
        raise Refused("PERIOD_ORDER", stay=facts.stay_id, expected=len(before) + 1)
    if not before:
        return
    earlier = facts_of(before[-1])
    for field in LASTING:
        if getattr(earlier, field) != getattr(facts, field):
            raise Refused("STAY_DIFFERS", stay=facts.stay_id, field=field)
    expected = day(earlier.period_to_on) + timedelta(days=1)
    if day(facts.period_from_on) != expected:
        raise Refused("PERIOD_GAP", stay=facts.stay_id, expected=expected.isoformat())


def later_than(reading: Reading, row: DecisionRow) -> list[DecisionRow]:
    """Return the decisions that were computed with this one in the person's year, and stand."""
    rows = reading.select(DECISIONS, person_key=row.person_key)
    later = [
        one
        for one in rows
        if (one.area_id, one.year, one.state) == (row.area_id, row.year, "settled")
        and one.decision_no > row.decision_no
    ]
    return sorted(later, key=lambda one: one.decision_no)


def overlaps_of(reading: Reading, row: DecisionRow) -> list[DecisionRow]:
    """Return the person's other stays that share more with this one than a day of transfer."""
    mine = facts_of(row)
    found = []
    for one in reading.select(DECISIONS, person_key=row.person_key):
        same_stay = (one.visited_member, one.stay_id) == (row.visited_member, row.stay_id)
        if same_stay or one.state != "settled":
            continue
        other = facts_of(one)
        if mine.period_from_on < other.period_to_on and other.period_from_on < mine.period_to_on:
            found.append(one)
    return sorted(found, key=lambda one: one.decision_no)
