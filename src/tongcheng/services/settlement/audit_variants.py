"""What else a system may have computed: the engine's case with one thing changed.

Each variant is one mistake that systems are known to make, or one other fact about the person or
the hospital. `audit` computes it and holds the result against their figures: it explains a row only
if it gives every one of them to the fen.
"""

from collections.abc import Iterator

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.services.settlement.audit_books import Books
from tongcheng.services.settlement.audit_model import Row
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.rules import (
    AT_HOME,
    CATEGORIES,
    FILINGS,
    LEVELS,
    SUBTYPES,
    TIERS,
)
from tongcheng.services.settlement.tables import (
    AMOUNT_MAX_FEN,
    BASIS,
    NO_LIMIT,
    UNIT,
    UNKNOWN,
    BandCell,
    BenefitTables,
    Cell,
    Cut,
    DeductibleCell,
    OwnFiling,
)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine is asked: everything that a variant may change."""

    tables: BenefitTables
    bill: Bill
    before: Accumulators
    cut: Cut

    @property
    def cell(self) -> Cell:
        """What the book says about this person in this hospital."""
        bill = self.bill
        return self.tables.cells[
            bill.hospital_level, bill.hospital_subtype, bill.person_type, bill.tier
        ]

    def with_cell(self, **parts: object) -> "Case":
        """Return the case with parts of that cell replaced."""
        bill, cell = self.bill, msgspec.structs.replace(self.cell, **parts)
        key = (bill.hospital_level, bill.hospital_subtype, bill.person_type, bill.tier)
        tables = msgspec.structs.replace(self.tables, cells={**self.tables.cells, key: cell})
        return msgspec.structs.replace(self, tables=tables)

    def with_bill(self, **fields: object) -> "Case":
        """Return the case with facts of the bill replaced."""
        return msgspec.structs.replace(self, bill=msgspec.structs.replace(self.bill, **fields))

    def with_tables(self, **fields: object) -> "Case":
        """Return the case with figures of the whole book replaced."""
        tables = msgspec.structs.replace(self.tables, **fields)
        return msgspec.structs.replace(self, tables=tables)


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A cause, what it is about, the case to compute, and the rules of the book it concerns.

    `shown_as_ours` names figures that such a system shows as they should be, and does not use.
    """

    key: str
    case: Case
    facts: dict[str, str | int] = {}
    rules: tuple[int, ...] = ()
    shown_as_ours: tuple[str, ...] = ()


def variants(case: Case, row: Row, books: Books) -> Iterator[Variant]:
    """Yield every variant of a row's case."""
    yield from _deductible(case)
    yield from _openings(case)
    yield from _person(case)
    yield from _hospital(case)
    yield from _filing(case, row, books)
    yield from _bands(case)
    yield from _caps(case)
    yield from _covers(case)
    for begins, tables in books.versions(row.book_id):
        if tables.digest != case.tables.digest:
            facts: dict[str, str | int] = {"version": begins.isoformat(), "digest": tables.digest}
            other = msgspec.structs.replace(case, tables=tables)
            yield Variant(key="other_version", case=other, facts=facts)
    for reading in books.readings(case.tables.digest):
        other = msgspec.structs.replace(case, tables=reading.tables)
        facts = {"rule": reading.path, "value": reading.value}
        yield Variant(key="other_reading", case=other, facts=facts)


def _deductible(case: Case) -> Iterator[Variant]:
    terms, bill = case.cell.deductible, case.bill
    rules = (terms.first_rule, terms.later_rule, *terms.modifiers)
    own = {
        name: msgspec.structs.replace(each, deductible_fen=None)
        for name, each in case.cell.filing.items()
    }

    def charge(cell: DeductibleCell) -> Case:
        return case.with_cell(deductible=cell, filing=own)

    number = 2 if bill.admission_number == 1 else 1
    yield Variant(
        key="deductible_swapped",
        case=case.with_bill(admission_number=number, period_number=1),
        facts={"admission": bill.admission_number},
        rules=rules,
    )
    none = DeductibleCell(first_fen=0, later_fen=0, first_rule=rules[0], later_rule=rules[1])
    twice = msgspec.structs.replace(
        terms, first_fen=_double(terms.first_fen), later_fen=_double(terms.later_fen)
    )
    for key, cell in (("deductible_missing", none), ("deductible_twice", twice)):
        for shown in ((), ("deductible",)):
            yield Variant(key=key, case=charge(cell), rules=rules, shown_as_ours=shown)
    plain = msgspec.structs.replace(terms, minus_fen=0, minus_floor_fen=0)
    yield Variant(key="deductible_reduction_missing", case=charge(plain), rules=terms.modifiers)
    for level in LEVELS:
        other = (level, bill.hospital_subtype, bill.person_type, bill.tier)
        yield Variant(
            key="deductible_other_level",
            case=charge(case.tables.cells[other].deductible),
            facts={"level": level},
            rules=rules,
        )
    for person in case.tables.persons:
        other = (bill.hospital_level, bill.hospital_subtype, person, bill.tier)
        yield Variant(
            key="deductible_other_person",
            case=charge(case.tables.cells[other].deductible),
            facts={"person": person},
            rules=rules,
        )


def _double(fen: int) -> int:
    return fen if fen == UNKNOWN else 2 * fen


def _openings(case: Case) -> Iterator[Variant]:
    before = case.before
    fresh = Accumulators(admissions=before.admissions)
    yield Variant(
        key="opening_ignored",
        case=msgspec.structs.replace(case, before=fresh),
        facts={"opening": "all"},
    )
    for field in before.__struct_fields__:
        if field != "admissions" and getattr(before, field):
            kept = msgspec.structs.replace(before, **{field: 0})
            yield Variant(
                key="opening_ignored",
                case=msgspec.structs.replace(case, before=kept),
                facts={"opening": field.removesuffix("_fen")},
            )
    start_again = msgspec.structs.replace(case, before=Accumulators())
    yield Variant(
        key="opening_reset", case=start_again.with_bill(admission_number=1, period_number=1)
    )


def _person(case: Case) -> Iterator[Variant]:
    bands, bill = case.cell.bands, case.bill
    plain = unmodified(case.tables, bands)
    if plain is not None and bands.modifiers:
        rules = bands.modifiers
        yield Variant(
            key="person_factor_missing",
            case=case.with_cell(bands=msgspec.structs.replace(bands, ratio=plain)),
            rules=rules,
        )
        ratio = _multiplied(case.tables, bands, plain)
        yield Variant(
            key="person_points_multiplied",
            case=case.with_cell(bands=msgspec.structs.replace(bands, ratio=ratio)),
            rules=rules,
        )
    for person in case.tables.persons:
        if person == bill.person_type:
            continue
        facts: dict[str, str | int] = {"person": person}
        other = case.tables.cells[bill.hospital_level, bill.hospital_subtype, person, bill.tier]
        yield Variant(key="other_person", case=case.with_bill(person_type=person), facts=facts)
        yield Variant(key="bands_other_person", case=case.with_cell(bands=other.bands), facts=facts)
        mine, its = case.cell.large, other.large
        if mine is not None and its is not None:
            rules = (mine.ratio_rule, mine.cap_rule)
            ratio_only = msgspec.structs.replace(mine, ratio=its.ratio)
            cap_only = msgspec.structs.replace(mine, cap_fen=its.cap_fen)
            for key, large in (("large_other_person", ratio_only), ("large_cap_other", cap_only)):
                yield Variant(key=key, case=case.with_cell(large=large), facts=facts, rules=rules)
    for tier in (None, *TIERS):
        if tier != bill.tier:
            yield Variant(
                key="other_tier", case=case.with_bill(tier=tier), facts={"tier": tier or ""}
            )
    for category in CATEGORIES:
        if category != bill.category:
            yield Variant(
                key="other_category",
                case=case.with_bill(category=category),
                facts={"category": category},
            )


def unmodified(tables: BenefitTables, bands: BandCell) -> tuple[int, ...] | None:
    """Return the ratios before a person's adjustments; None where they can not be undone."""
    ratio = bands.ratio
    if UNKNOWN in ratio:
        return None
    for rule in reversed(bands.modifiers):
        points, by_share = _modifier(tables, rule)
        if by_share and points == 0:
            return None
        ratio = tuple(
            UNIT - (UNIT - each) * BASIS // points if by_share else each - points * BASIS
            for each in ratio
        )
    return ratio


def _multiplied(tables: BenefitTables, bands: BandCell, plain: tuple[int, ...]) -> tuple[int, ...]:
    """Return ratios whose added points were multiplied, and whose shares were taken the wrong way.

    0.85 with 5 points more becomes 0.85 x 1.05; with 0.6 of the personal share the share becomes
    0.4 of itself.
    """
    ratio = plain
    for rule in bands.modifiers:
        points, by_share = _modifier(tables, rule)
        ratio = tuple(
            UNIT - (UNIT - each) * (BASIS - points) // BASIS
            if by_share
            else min(UNIT, each * (BASIS + points) // BASIS)
            for each in ratio
        )
    return ratio


def _modifier(tables: BenefitTables, rule: int) -> tuple[int, bool]:
    """Return (basis points, whether they multiply the person's share) of a band's adjustment."""
    pointer = tables.rules[rule]
    assert pointer.value is not None, "an unknown adjustment leaves unknown ratios"
    whole, _, rest = pointer.value.partition(".")
    points = int(whole) * BASIS + int(rest.ljust(4, "0")[:4])
    return points, pointer.path.endswith("personal_share_times")


def _hospital(case: Case) -> Iterator[Variant]:
    bill = case.bill
    for level in LEVELS:
        if level != bill.hospital_level:
            key = (level, bill.hospital_subtype, bill.person_type, bill.tier)
            bands = case.tables.cells[key].bands
            facts: dict[str, str | int] = {"level": level}
            yield Variant(key="other_level", case=case.with_bill(hospital_level=level), facts=facts)
            yield Variant(key="bands_other_level", case=case.with_cell(bands=bands), facts=facts)
    for subtype in (None, *SUBTYPES):
        if subtype != bill.hospital_subtype:
            yield Variant(
                key="other_subtype",
                case=case.with_bill(hospital_subtype=subtype),
                facts={"subtype": subtype or ""},
            )
    yield Variant(
        key="other_period",
        case=case.with_bill(period_number=1 if bill.period_number > 1 else 2),
        facts={"period": bill.period_number},
    )


def _filing(case: Case, row: Row, books: Books) -> Iterator[Variant]:
    bill, cell = case.bill, case.cell
    own = cell.filing.get(bill.filing)
    points = case.cut.points if own is None or own.cut is None else own.cut
    if bill.filing not in AT_HOME and points > 0 and (own is None or own.ratio is None):
        kept = own or OwnFiling(None, 0, None, 0, 0, 0)
        uncut = msgspec.structs.replace(kept, cut=0)
        ratio = tuple(
            each if each == UNKNOWN else each * (BASIS - points) // BASIS
            for each in cell.bands.ratio
        )
        bands = msgspec.structs.replace(cell.bands, ratio=ratio)
        filing = {**cell.filing, bill.filing: uncut}
        facts: dict[str, str | int] = {"filing": bill.filing, "points": points}
        yield Variant(
            key="filing_cut_multiplied",
            case=case.with_cell(bands=bands, filing=filing),
            facts=facts,
        )
        yield Variant(key="filing_cut_missing", case=case.with_cell(filing=filing), facts=facts)
    for other in FILINGS:
        if other == bill.filing or (bill.filing in AT_HOME and other in AT_HOME):
            continue
        try:
            cut = books.cut(other, row.settled_on)
        except Refused:
            continue  # a day on which no rule says what is cut
        changed = msgspec.structs.replace(case.with_bill(filing=other), cut=cut)
        key = "filing_cut_though_deemed" if bill.filing == "deemed" else "other_filing"
        yield Variant(key=key, case=changed, facts={"filing": other})


def _bands(case: Case) -> Iterator[Variant]:
    bands, in_scope = case.cell.bands, case.bill.in_scope_fen
    count = len(bands.ratio)
    for at in range(count):
        for other in (at - 1, at + 1):
            if 0 <= other < count:
                ratio = (*bands.ratio[:at], bands.ratio[other], *bands.ratio[at + 1 :])
                yield Variant(
                    key="band_neighbour",
                    case=case.with_cell(bands=msgspec.structs.replace(bands, ratio=ratio)),
                    facts={"band": at + 1, "ratio_of": other + 1},
                    rules=(bands.rule[at], bands.rule[other]),
                )
    top = next((at for at in range(count) if in_scope <= bands.to_fen[at]), count - 1)
    whole = (bands.ratio[top],) * (top + 1) + bands.ratio[top + 1 :]
    yield Variant(
        key="band_whole",
        case=case.with_cell(bands=msgspec.structs.replace(bands, ratio=whole)),
        facts={"band": top + 1},
        rules=(bands.rule[top],),
    )
    number = case.bill.admission_number
    shift = max(0, case.cell.deductible.of_admission(number))
    limits = tuple(each if each == NO_LIMIT else each + shift for each in bands.to_fen)
    yield Variant(
        key="bands_after_deductible",
        case=case.with_cell(bands=msgspec.structs.replace(bands, to_fen=limits)),
        rules=bands.rule,
    )


def _caps(case: Case) -> Iterator[Variant]:
    tables, large = case.tables, case.cell.large
    cap = (tables.pool_cap_rule,)
    unlimited = case.with_tables(pool_cap_fen=AMOUNT_MAX_FEN)
    yield Variant(key="pool_cap_ignored", case=unlimited, rules=cap)
    if large is None:
        return
    none = case.with_cell(large=None).with_tables(has_large=False)
    yield Variant(key="large_missing", case=none, rules=(large.ratio_rule, *cap))
    endless = msgspec.structs.replace(large, cap_fen=AMOUNT_MAX_FEN)
    yield Variant(
        key="large_cap_ignored", case=case.with_cell(large=endless), rules=(large.cap_rule,)
    )


def _covers(case: Case) -> Iterator[Variant]:
    for layer in ("catastrophic", "assistance"):
        if case.tables.term(layer) is not None:
            covers = {key: table for key, table in case.tables.covers.items() if key[0] != layer}
            yield Variant(
                key="cover_missing",
                case=case.with_tables(covers=covers),
                facts={"cover": layer},
            )
