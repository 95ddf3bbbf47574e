"""From the store to the person's pages: one settlement as the visited side holds it."""

from datetime import date
from typing import Final

from tongcheng.kernel import canonical
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Reading
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import bills, explaining, line_query
from tongcheng.services.settlement.bars import bands_of
from tongcheng.services.settlement.bill_page import delegates
from tongcheng.services.settlement.bill_page.links import Reader, digest_of
from tongcheng.services.settlement.bill_page.store import BILL_SESSIONS
from tongcheng.services.settlement.bill_page.views import (
    Announced,
    Bill,
    BillLine,
    BillState,
    Boxes,
    DelegateView,
    Group,
    Limit,
    LinePage,
    Query,
    Standing,
    YearUse,
)
from tongcheng.services.settlement.books import tables_of
from tongcheng.services.settlement.kept_lines import LineRow
from tongcheng.services.settlement.line_query import PERSON
from tongcheng.services.settlement.model import BenefitResult
from tongcheng.services.settlement.rule_words import fund_titles
from tongcheng.services.settlement.store import CLAIMS, INSTITUTIONS, STAYS, ClaimRow, StayRow
from tongcheng.services.settlement.tables import NO_LIMIT, UNKNOWN, BenefitTables

LINES_SHOWN: Final = 100
"""Lines of one page: about 100 kB, which a phone on a ward has at once."""

CATEGORIES: Final = (
    *("bed", "consultation", "examination", "laboratory", "treatment", "surgery", "nursing"),
    *("material", "western_drug", "patent_drug", "herbal"),
)
"""Charge categories in the order of the paper bill (收费项目); others follow."""


def bill(
    reading: Reading, home: Home, reader: Reader, now_at: int, page: int, *, whole: bool
) -> Bill:
    """Return the bill that a reader has open, with one page of its lines, or with all of them."""
    claim = reading.get(CLAIMS, reader.link.settlement_id)
    stay = reading.get(STAYS, reader.link.stay_id)
    assert claim is not None, "a link is made for a settlement"
    assert stay is not None, "a settlement has its stay"
    result = canonical.decode_as(claim.result, BenefitResult)
    rows = _rows(reading, home.region.zone, claim)
    lines = _lines(reading, home, stay, rows)
    size = max(1, len(lines)) if whole else LINES_SHOWN
    pages = max(1, -(-len(lines) // size))
    shown = min(max(page, 1), pages)
    place = reading.get(INSTITUTIONS, claim.institution_id)
    code = claim.institution_id
    books = explaining.books_of(home, result)
    book = books.get(result.book_digest)
    scopes = (claim.self_paid_fen, claim.over_ceiling_fen, claim.first_self_pay_fen)
    return Bill(
        settlement_id=claim.settlement_id,
        state=_state(claim),
        hospital=Words(code, code) if place is None else Words(place.name_zh, place.name_en),
        visited=home.region.jurisdiction_of(home.region.member(home.member_id)).short,
        insured=home.region.area_of(claim.admdvs, "settlement").name,
        from_on=date.fromisoformat(claim.period_from_on),
        to_on=date.fromisoformat(claim.period_to_on),
        period=claim.period,
        final=claim.final,
        settled_at=claim.changed_at,
        boxes=boxes(claim, result),
        bands=bands_of(scopes, result, book),
        groups=grouped(lines, (shown - 1) * size, shown * size),
        line_count=len(lines),
        page=shown,
        pages=pages,
        announced=_announced(result, fund_titles(books, result.book_digest)),
        used=_used(result, stay, None if book is None else tables_of(book)),
        explanation=explaining.of_claim(reading, home, claim),
        draft=result.book_status == "draft",
        standing=_standing(reading, home, reader, now_at),
    )


def line_page(reading: Reading, home: Home, reader: Reader, number: int, now_at: int) -> LinePage:
    """Return one line of the bill with every question about it; refuses LINE_UNKNOWN."""
    claim = reading.get(CLAIMS, reader.link.settlement_id)
    stay = reading.get(STAYS, reader.link.stay_id)
    assert claim is not None, "a link is made for a settlement"
    assert stay is not None, "a settlement has its stay"
    row = line_row(reading, home, reader, number)
    line = next(
        each
        for each in _lines(reading, home, stay, _rows(reading, home.region.zone, claim))
        if each.number == number
    )
    found = [
        each
        for each in line_query.of_stay(reading, stay.stay_id)
        if each.line_id == row.line_id and each.history.parties.get(PERSON) == reader.link.person_id
    ]
    queries = tuple(
        Query(
            each.history,
            line_query.said(reading, home.ring, each.history.case.case_id),
            line_query.possible(each.history.case, PERSON, now_at),
        )
        for each in found
    )
    place = reading.get(INSTITUTIONS, claim.institution_id)
    code = claim.institution_id
    return LinePage(
        line=line,
        hospital=Words(code, code) if place is None else Words(place.name_zh, place.name_en),
        queries=queries,
        can_ask=all(each.history.case.closed_at is not None for each in found),
    )


def line_row(reading: Reading, home: Home, reader: Reader, number: int) -> LineRow:
    """Return the line of this number in the bill that is open; refuses LINE_UNKNOWN."""
    claim = reading.get(CLAIMS, reader.link.settlement_id)
    assert claim is not None, "a link is made for a settlement"
    for row in _rows(reading, home.region.zone, claim):
        if row.number == number:
            return row
    raise Refused("LINE_UNKNOWN", line=str(number))


def boxes(claim: ClaimRow, result: BenefitResult) -> Boxes:
    """Return the boxes of the paper."""
    pool = sum(each.amount_fen for each in result.funds if each.layer == "pool")
    outside = claim.self_paid_fen + claim.over_ceiling_fen
    # The insured side's amounts add up, but only its word says that the person bears all of this.
    not_covered = min(outside, result.person_fen)
    return Boxes(
        total_fen=claim.total_fen,
        pool_fen=pool,
        other_fen=result.fund_fen - pool + result.hospital_fen,
        account_fen=result.account_fen,
        cash_fen=result.person_fen - result.account_fen,
        own_share_fen=result.person_fen - not_covered,
        not_covered_fen=not_covered,
        hospital_fen=result.hospital_fen,
    )


def _state(claim: ClaimRow) -> BillState:
    if claim.state in {"settled", "disputed"}:
        return "settled" if claim.state == "settled" else "disputed"
    return "voided"


def _rows(reading: Reading, zone: str, claim: ClaimRow) -> list[LineRow]:
    """Return the lines that a settlement has taken; one that was taken back has none."""
    if claim.state != "settled":
        return []
    return explaining.lines_of(reading, zone, claim)


def _lines(reading: Reading, home: Home, stay: StayRow, rows: list[LineRow]) -> list[BillLine]:
    """Return the lines by category, every refund right after the line that it gives back."""
    numbers = {row.line_id: row.number for row in rows}
    queries = {each.line_id: each.history.case.state for each in _queries(reading, stay)}
    lines = [
        BillLine(
            number=row.number,
            name=row.item_name,
            category=row.charge_category,
            on=local_date(row.charged_at, home.region.zone),
            quantity_e4=row.quantity_e4,
            unit_price_e6=row.unit_price_e6,
            amount_fen=row.total_fen,
            in_scope_fen=row.in_scope_fen,
            parts=bills.reasons_of(row),
            refund_of=numbers.get(row.original_line_id or "") if row.quantity_e4 < 0 else None,
            refund_elsewhere=row.quantity_e4 < 0 and row.original_line_id not in numbers,
            query=queries.get(row.line_id),
        )
        for row in rows
    ]
    ranks = {name: rank for rank, name in enumerate(CATEGORIES)}

    def place(line: BillLine) -> tuple[int, str, int, int]:
        rank = ranks.get(line.category, len(ranks))
        return rank, line.category, line.refund_of or line.number, line.number

    return sorted(lines, key=place)


def _queries(reading: Reading, stay: StayRow) -> list[line_query.LineQuery]:
    return line_query.of_stay(reading, stay.stay_id)


def grouped(lines: list[BillLine], start: int, end: int) -> tuple[Group, ...]:
    """Return every category with its sums, and of its lines those from `start` to before `end`."""
    groups: dict[str, list[tuple[int, BillLine]]] = {}
    for position, line in enumerate(lines):
        groups.setdefault(line.category, []).append((position, line))
    return tuple(
        Group(
            category=category,
            count=len(found),
            amount_fen=sum(line.amount_fen for _, line in found),
            in_scope_fen=sum(line.in_scope_fen for _, line in found),
            lines=tuple(line for position, line in found if start <= position < end),
        )
        for category, found in groups.items()
    )


def _announced(result: BenefitResult, titles: dict[str, dict[str, str]]) -> tuple[Announced, ...]:
    names = {fund: Words(title["zh"], title["en"]) for fund, title in titles.items()}
    return tuple(
        Announced(names.get(each.fund), each.paid_at, each.expected_fen)
        for each in result.announced
    )


def _used(result: BenefitResult, stay: StayRow, tables: BenefitTables | None) -> YearUse:
    before = result.before
    paid = {each.layer: each.amount_fen for each in result.funds}
    pool_cap, pool_doubt = None, False
    large: Limit | None = None
    if tables is not None:
        pool_cap = _known(tables.pool_cap_fen)
        pool_doubt = tables.rules[tables.pool_cap_rule].doubtful
        large = _large(result, stay, tables)
    if large is None and (before.large_paid_fen or "large" in paid):
        large = Limit(before.large_paid_fen, paid.get("large", 0), None)
    return YearUse(
        year=before.year,
        admission_number=result.admission_number,
        deductible=Limit(before.deductible_paid_fen, result.deductible_fen, None),
        pool=Limit(before.pool_paid_fen, paid.get("pool", 0), pool_cap, pool_doubt),
        large=large,
    )


def _large(result: BenefitResult, stay: StayRow, tables: BenefitTables) -> Limit | None:
    """Return what is used of the large-amount fund, if her book has one for her."""
    paid = next((each.amount_fen for each in result.funds if each.layer == "large"), 0)
    for (level, subtype, person, tier), cell in tables.cells.items():
        is_hers = (person, tier, level) == (result.person_type, result.tier, stay.hospital_level)
        if is_hers and subtype == stay.hospital_subtype and cell.large is not None:
            doubtful = tables.rules[cell.large.cap_rule].doubtful
            cap = _known(cell.large.cap_fen)
            return Limit(result.before.large_paid_fen, paid, cap, doubtful)
    return None


def _known(cap_fen: int) -> int | None:
    return None if cap_fen in {UNKNOWN, NO_LIMIT} else cap_fen


def _standing(reading: Reading, home: Home, reader: Reader, now_at: int) -> Standing:
    session = reading.get(BILL_SESSIONS, digest_of(reader.secret))
    assert session is not None, "a reader has an opened page"
    is_delegate = reader.link.delegate_id is not None
    others: tuple[DelegateView, ...] = ()
    if not is_delegate:
        # Who else may read is the patient's to know, not one delegate's of another.
        rows = delegates.valid_of(reading, home.region.zone, reader.link.stay_id, now_at)
        others = tuple(
            DelegateView(
                delegates.identity_of(home.ring, row).name,
                row.relationship,
                date.fromisoformat(row.to_on),
            )
            for row in rows
        )
    return Standing(is_delegate, others, reader.link.to_at, session.to_at)


def number_of(reading: Reading, home: Home, reader: Reader, line_id: str) -> int:
    """Return under which number these pages show a line; refuses LINE_UNKNOWN."""
    claim = reading.get(CLAIMS, reader.link.settlement_id)
    assert claim is not None, "a link is made for a settlement"
    for row in _rows(reading, home.region.zone, claim):
        if row.line_id == line_id:
            return row.number
    raise Refused("LINE_UNKNOWN", line=line_id)
