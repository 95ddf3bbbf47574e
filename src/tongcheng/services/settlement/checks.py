"""What the pre-flight checks are asked about: a stay that is kept here, or a bill not uploaded yet.

Gathers the facts from the store and hands them to `preflight`; writes nothing.
"""

from datetime import date

import msgspec

from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading
from tongcheng.services.settlement import bills, management, periods, preflight
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.catalogue_store import Dated
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.lines import totals
from tongcheng.services.settlement.mapping import Mapper
from tongcheng.services.settlement.model import ScopeTotals
from tongcheng.services.settlement.preflight import (
    Asked,
    BillCheck,
    FilingState,
    Finding,
    StayCheck,
    finding,
)
from tongcheng.services.settlement.store import INSTITUTIONS, PATIENTS, InstitutionRow, StayRow


class Stated(msgspec.Struct, frozen=True):
    """What the hospital bills, in fen; `split` repeats the total."""

    total_fen: int
    split: ScopeTotals | None = None


class NewBill(msgspec.Struct, frozen=True, kw_only=True):
    """A bill that is nowhere yet; None is not known, or not to be checked. Instants UTC ms."""

    lines: tuple[LineInput, ...]
    admitted_at: int | None = None
    discharged_at: int | None = None
    stated: Stated | None = None
    person_id: str | None = None
    scheme: str | None = None
    person_type: str | None = None


class Checked(msgspec.Struct, frozen=True):
    """What was found, errors first, and what the lines come to if every one could be split."""

    findings: tuple[Finding, ...]
    totals: ScopeTotals | None

    @property
    def errors(self) -> int:
        """How many findings would refuse the upload or the settlement."""
        return sum(one.severity == "error" for one in self.findings)


def of_stay(
    reading: Reading,
    home: Home,
    now_at: int,
    row: StayRow,
    stated: Stated | None,
    *,
    final: bool = True,
    through_on: str | None = None,
    filing: FilingState = "unknown",
) -> Checked:
    """Check a stay as it is kept here, and the bill against its lines that are not settled yet.

    `through_on` is the last day of a period in the middle of the stay.
    """
    zone = home.region.zone
    today = local_date(now_at, zone)
    rows = periods.open_lines(reading, zone, row.stay_id)
    if through_on is not None:
        final = False
        rows = [one for one in rows if local_date(one.charged_at, zone).isoformat() <= through_on]
    asked = [_kept(one, zone) for one in rows]
    discharged = None if row.discharged_at is None else local_date(row.discharged_at, zone)
    stay = StayCheck(
        stay_id=row.stay_id,
        admitted_on=local_date(row.admitted_at, zone),
        discharged_on=discharged,
        today=today,
        final=final,
        filing=filing,
    )
    found = preflight.check_stay(stay, (one.line for one in asked))
    found += preflight.check_habits(asked)
    found += _unmapped(Mapper(reading, row.institution_id, zone), rows)
    if not rows and (row.period == 1 or not final):
        found.append(finding(Refused("BILL_EMPTY", stay=row.stay_id), "error"))
        return _checked(found, None)
    try:
        sums = bills.totals_of(rows)
    except Refused as refused:
        found.append(finding(refused, "error"))
        return _checked(found, None)
    return _checked([*found, *_bill(home, today, stated, sums)], sums)


def of_bill(
    reading: Reading,
    home: Home,
    now_at: int,
    institution_id: str,
    given: NewBill,
    *,
    filing: FilingState = "unknown",
) -> Checked:
    """Check a bill before any of it is uploaded: every line, the stay's days, the total."""
    place = reading.get(INSTITUTIONS, institution_id)
    if place is None:
        raise Refused("INSTITUTION_UNKNOWN", institution=institution_id)
    zone = home.region.zone
    today = local_date(now_at, zone)
    asked = _coded(reading, home, place, given)
    catalogue = Dated(reading, home, place.catalogue)
    found, done = preflight.check_lines(catalogue, asked)
    whole = len(done) == len(asked)
    found += preflight.check_habits(asked)
    if given.admitted_at is not None:
        lines = (one.line for one in asked)
        stay = _stay_of(reading, given, local_date(given.admitted_at, zone), today, zone, filing)
        found += preflight.check_stay(stay, lines)
    if not whole:
        return _checked(found, None)
    try:
        sums = bills.scope_totals(totals(done))
    except Refused as refused:
        found.append(finding(refused, "error"))
        return _checked(found, None)
    return _checked([*found, *_bill(home, today, given.stated, sums)], sums)


def _stay_of(
    reading: Reading,
    given: NewBill,
    admitted_on: date,
    today: date,
    zone: str,
    filing: FilingState,
) -> StayCheck:
    patient = None if given.person_id is None else reading.get(PATIENTS, given.person_id)
    discharged = None if given.discharged_at is None else local_date(given.discharged_at, zone)
    return StayCheck(
        stay_id="-",
        admitted_on=admitted_on,
        discharged_on=discharged,
        today=today,
        final=given.discharged_at is not None,
        scheme_given=given.scheme,
        scheme_known=None if patient is None else patient.scheme,
        person_type_given=given.person_type,
        person_type_known=None if patient is None else patient.person_type,
        filing=filing,
    )


def _coded(reading: Reading, home: Home, place: InstitutionRow, given: NewBill) -> list[Asked]:
    coded = bills.coded(reading, home, place.institution_id, list(given.lines), {})
    return [
        Asked(
            line=bills.line_of(one, home.region.zone),
            charged_at=one.charged_at,
            doctor_code=one.doctor_code,
            department_code=one.department_code,
            mapped=() if said is None else (said,),
        )
        for one, said in coded
    ]


def _kept(row: LineRow, zone: str) -> Asked:
    return Asked(
        line=bills.split_line(row, zone).line,
        charged_at=row.charged_at,
        doctor_code=row.doctor_code,
        department_code=row.department_code,
    )


def _unmapped(mapper: Mapper, rows: list[LineRow]) -> list[Finding]:
    """Find charges whose code is in no mapping. They were taken; now they can only be warned of."""
    found = []
    for row in rows:
        if row.quantity_e4 < 0:
            continue
        _, said = mapper.check(row.line_id, row.hospital_code, row.item_code, row.charged_at)
        if said is not None and said.code == "MAPPING_MISSING":
            found.append(finding(said, "warning", row.line_id))
    return found


def _bill(home: Home, today: date, stated: Stated | None, sums: ScopeTotals) -> list[Finding]:
    if stated is None:
        return []
    bill = BillCheck(
        total_fen=stated.total_fen,
        split=stated.split,
        tolerance_fen=management.tolerance_fen(home, today),
    )
    return preflight.check_bill(bill, sums)


def _checked(found: list[Finding], sums: ScopeTotals | None) -> Checked:
    ordered = sorted(found, key=lambda one: one.severity != "error")
    return Checked(tuple(ordered), sums)
