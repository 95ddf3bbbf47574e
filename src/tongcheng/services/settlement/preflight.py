"""Pre-flight checks (预检): all that is wrong with a bill, said at once and before it counts.

An error is what an upload or a settlement would be refused for, under the same code; a warning is
what would pass and should be looked at. Nothing here stops at the first finding, and nothing here
changes anything: facts in, findings out.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final, Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.catalogue import Items
from tongcheng.services.settlement.lines import Line, SplitLine, Splitter
from tongcheng.services.settlement.model import ScopeTotals

Severity = Literal["error", "warning"]
FilingState = Literal["valid", "missing", "expired", "unknown"]

LONG_STAY_DAYS: Final = 90
"""General knowledge, no document seen: a longer stay is settled in periods. It only warns."""
LINES_NAMED_MAX: Final = 5
"""So many lines are named where one finding stands for many."""

CODES: Final[dict[str, tuple[Severity, ...]]] = {
    "BILL_EMPTY": ("error",),
    "BILL_OUT_OF_RANGE": ("error",),
    "CATALOGUE_ITEM_UNKNOWN": ("error",),
    "DATE_IN_FUTURE": ("error",),
    "DEPARTMENT_CODE_MISSING": ("warning",),
    "DISCHARGE_BEFORE_ADMISSION": ("error",),
    "DOCTOR_CODE_MISSING": ("warning",),
    "FILING_EXPIRED": ("warning",),
    "FILING_MISSING": ("warning",),
    "LINE_AMOUNT_MISMATCH": ("error",),
    "LINE_CODE_MISSING": ("error",),
    "LINE_DUPLICATE": ("error",),
    "LINE_LIKELY_DUPLICATE": ("warning",),
    "LINE_ORIGINAL_MISSING": ("error",),
    "LINE_ORIGINAL_UNKNOWN": ("error",),
    "LINE_OUTSIDE_STAY": ("warning",),
    "LINE_PRICE_NEGATIVE": ("error",),
    "LINE_QUANTITY_ZERO": ("error",),
    "LINE_REFUND_MISMATCH": ("error",),
    "LINE_REFUND_TOO_LARGE": ("error",),
    "MAPPING_DIFFERS": ("error",),
    "MAPPING_MISSING": ("error", "warning"),
    "PERSON_TYPE_DIFFERS": ("warning",),
    "RULE_UNKNOWN": ("error",),
    "SCHEME_DIFFERS": ("error",),
    "SPLIT_DIFFERS": ("error",),
    "STATED_WITHIN_TOLERANCE": ("warning",),
    "STAY_CROSSES_YEAR": ("warning",),
    "STAY_LONG": ("warning",),
    "STAY_NOT_DISCHARGED": ("error",),
    "UPLOADED_DIFFERS": ("error",),
}
"""Every code that a check can find, and how grave it is; docs/hospital.md lists them."""


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, or should be looked at. `facts` fill the texts of the code."""

    code: str
    severity: Severity
    line_id: str | None
    facts: dict[str, str | int]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is to be checked. `mapped` is what the mapping of codes says against it."""

    line: Line
    charged_at: int
    doctor_code: str = ""
    department_code: str = ""
    mapped: tuple[Finding, ...] = ()


class StayCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a stay. Days are local; `today` is the day of the check.

    `given` is what the hospital states of scheme and person type, `known` what the insured side
    said; None is not compared. `final` is False for a settlement in the middle of a stay.
    """

    stay_id: str
    admitted_on: date
    discharged_on: date | None
    today: date
    final: bool = True
    scheme_given: str | None = None
    scheme_known: str | None = None
    person_type_given: str | None = None
    person_type_known: str | None = None
    filing: FilingState = "unknown"


class BillCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What the hospital bills, in fen: the total, and the split if it states one."""

    total_fen: int
    split: ScopeTotals | None = None
    tolerance_fen: int = 0


def finding(refused: Refused, severity: Severity, line_id: str | None = None) -> Finding:
    """Return a refusal, or what could be one, as a finding."""
    assert severity in CODES[refused.code], f"{refused.code} is not listed as {severity}"
    return Finding(refused.code, severity, line_id, refused.facts)


def first_error(findings: Iterable[Finding]) -> Refused | None:
    """Return the first error as the refusal it would be, None without."""
    for one in findings:
        if one.severity == "error":
            return Refused(one.code, **one.facts)
    return None


class BillRefused(Refused):
    """What a bill was refused for, with the codes of all that is found besides, errors first."""

    def __init__(self, first: Refused, findings: Iterable[Finding]) -> None:
        super().__init__(first.code, **first.facts)
        ordered = sorted(findings, key=lambda one: one.severity != "error")
        self.others = tuple(dict.fromkeys(one.code for one in ordered if one.code != first.code))


# lines


def check_lines(
    catalogue: Items, asked: Iterable[Asked], earlier: Iterable[SplitLine] = ()
) -> tuple[list[Finding], list[SplitLine]]:
    """Check every line for itself; return what was found and the lines that could be split.

    A refund of a line that has a fault itself is not held against it.
    """
    splitter = Splitter(catalogue, earlier)
    found: list[Finding] = []
    done: list[SplitLine] = []
    faulty: set[str] = set()
    for one in asked:
        line = one.line
        found += one.mapped
        if any(each.severity == "error" for each in one.mapped) or line.original_id in faulty:
            faulty.add(line.line_id)
            continue
        try:
            done.append(splitter.split(line))
        except Refused as refused:
            found.append(finding(refused, "error", line.line_id))
            faulty.add(line.line_id)
    return found, done


def check_habits(asked: Iterable[Asked]) -> list[Finding]:
    """Find what would pass and is probably not meant: the same charge twice, missing codes."""
    rows = list(asked)
    return [*_likely_duplicates(rows), *_without_codes(rows)]


def _likely_duplicates(rows: list[Asked]) -> list[Finding]:
    """Find the same item at the same time, in the same quantity, at the same price.

    A charge that refunds have taken back is none: it may rightly have been charged anew.
    """
    left: dict[str, int] = {}
    for one in rows:
        back_of = one.line.original_id if one.line.quantity < 0 else one.line.line_id
        left[back_of or ""] = left.get(back_of or "", 0) + one.line.quantity
    first: dict[tuple[str, int, int, int], str] = {}
    found = []
    for one in rows:
        line = one.line
        if line.quantity <= 0 or left[line.line_id] <= 0:
            continue
        key = (line.item_code, one.charged_at, line.quantity, line.unit_price)
        other = first.setdefault(key, line.line_id)
        if other != line.line_id:
            said = Refused("LINE_LIKELY_DUPLICATE", line=line.line_id, other=other)
            found.append(finding(said, "warning", line.line_id))
    return found


def _without_codes(rows: list[Asked]) -> list[Finding]:
    doctor = [one.line.line_id for one in rows if not one.doctor_code]
    department = [one.line.line_id for one in rows if not one.department_code]
    found = []
    if doctor:
        said = Refused("DOCTOR_CODE_MISSING", count=len(doctor), lines=_named(doctor))
        found.append(finding(said, "warning"))
    if department:
        said = Refused("DEPARTMENT_CODE_MISSING", count=len(department), lines=_named(department))
        found.append(finding(said, "warning"))
    return found


def _named(line_ids: list[str]) -> str:
    more = ", …" if len(line_ids) > LINES_NAMED_MAX else ""
    return ", ".join(line_ids[:LINES_NAMED_MAX]) + more


# the stay


def check_stay(stay: StayCheck, lines: Iterable[Line] = ()) -> list[Finding]:
    """Check a stay's days, insurance and filing, and that its lines lie within it."""
    return [*_days(stay), *_insurance(stay), *_filing(stay), *_outside(stay, lines)]


def _days(stay: StayCheck) -> list[Finding]:
    found = []
    if stay.admitted_on > stay.today:
        found.append(finding(Refused("DATE_IN_FUTURE", field="admitted"), "error"))
    if stay.discharged_on is None:
        if stay.final:
            found.append(finding(Refused("STAY_NOT_DISCHARGED", stay=stay.stay_id), "error"))
    elif stay.discharged_on < stay.admitted_on:
        found.append(finding(Refused("DISCHARGE_BEFORE_ADMISSION", stay=stay.stay_id), "error"))
    elif stay.discharged_on > stay.today:
        found.append(finding(Refused("DATE_IN_FUTURE", field="discharged"), "error"))
    ends = stay.discharged_on or stay.today
    if stay.admitted_on.year < ends.year:
        said = Refused("STAY_CROSSES_YEAR", admitted=stay.admitted_on.isoformat(), year=ends.year)
        found.append(finding(said, "warning"))
    days = (ends - stay.admitted_on).days
    if days > LONG_STAY_DAYS:
        found.append(finding(Refused("STAY_LONG", days=days, limit=LONG_STAY_DAYS), "warning"))
    return found


def _insurance(stay: StayCheck) -> list[Finding]:
    found = []
    given, known = stay.scheme_given, stay.scheme_known
    if given is not None and known is not None and given != known:
        found.append(finding(Refused("SCHEME_DIFFERS", given=given, known=known), "error"))
    given, known = stay.person_type_given, stay.person_type_known
    if given is not None and known is not None and given != known:
        found.append(finding(Refused("PERSON_TYPE_DIFFERS", given=given, known=known), "warning"))
    return found


def _filing(stay: StayCheck) -> list[Finding]:
    if stay.filing == "missing":
        return [finding(Refused("FILING_MISSING"), "warning")]
    if stay.filing == "expired":
        return [finding(Refused("FILING_EXPIRED"), "warning")]
    return []


def _outside(stay: StayCheck, lines: Iterable[Line]) -> list[Finding]:
    """Find lines of days on which the person was not in the hospital; refunds come when they do."""
    first, last = stay.admitted_on, stay.discharged_on or stay.today
    return [
        finding(
            Refused("LINE_OUTSIDE_STAY", line=line.line_id, on=line.occurred_on.isoformat()),
            "warning",
            line.line_id,
        )
        for line in lines
        if line.quantity > 0 and not first <= line.occurred_on <= last
    ]


# the bill


def check_bill(bill: BillCheck, found: ScopeTotals) -> list[Finding]:
    """Compare what the hospital bills with what its lines come to."""
    difference = bill.total_fen - found.total_fen
    if abs(difference) > bill.tolerance_fen:
        said = Refused("UPLOADED_DIFFERS", stated_fen=bill.total_fen, uploaded_fen=found.total_fen)
        return [finding(said, "error")]
    findings = []
    if bill.split is not None and not _close(bill.split, found, bill.tolerance_fen):
        said = Refused("SPLIT_DIFFERS", in_scope_fen=found.in_scope_fen)
        findings.append(finding(said, "error"))
    if difference:
        said = Refused(
            "STATED_WITHIN_TOLERANCE",
            stated_fen=bill.total_fen,
            uploaded_fen=found.total_fen,
            most_fen=bill.tolerance_fen,
        )
        findings.append(finding(said, "warning"))
    return findings


def _close(stated: ScopeTotals, found: ScopeTotals, most_fen: int) -> bool:
    """Tell whether no part differs by more than the total may."""
    pairs = zip(msgspec.structs.astuple(stated), msgspec.structs.astuple(found), strict=True)
    return all(abs(one - other) <= most_fen for one, other in pairs)
