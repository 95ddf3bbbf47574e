"""The benefit of one bill: who pays which stretch of it, by the compiled rules of one book.

The stay's in-scope amount is a line from zero. The deductible covers its beginning, bands cover the
line and give the pool's share of each part, and where the pool's yearly cap is reached, often in
the middle of a band and between two fen, the large-amount fund takes over with its own share and
cap. What the person then bears is the burden; second covers (大病保险, 医疗救助) look at the burden
of the whole year.

Nothing is rounded between deductible, bands, caps and the next fund: amounts are exact fractions of
a fen. Each fund's payment is rounded once, half up; what the person bears is the complement. The
parts shown to the person (deductible, his share under the pool, his share under the large fund) are
rounded each for itself, and what they then differ from his share by is named:
`rounding_residual_fen`.

Fractions are carried as whole numbers that fit int64 (see `tables`), so a compiled kernel can be
held against this one. A fraction on the wire is `amount_fen + amount_rest / amount_over`, because
the exact numerator of a large stay would exceed what canonical bytes allow.
"""

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import round_half_up
from tongcheng.services.settlement.bill import Accumulators, Bill, check_case
from tongcheng.services.settlement.covers import Covered, cover
from tongcheng.services.settlement.outcome import Benefit, Expected, assert_identities
from tongcheng.services.settlement.rules import AT_HOME
from tongcheng.services.settlement.tables import (
    BASIS,
    COVER_LAYERS,
    NO_CUT,
    UNIT,
    UNKNOWN,
    BandCell,
    BenefitTables,
    Cell,
    Cut,
    LargeCell,
    OwnFiling,
    RuleRef,
)
from tongcheng.services.settlement.trace import TraceRow, paid_by


class _Bands(msgspec.Struct, frozen=True):
    """The bands as a stay's filing leaves them, and the rules that changed their ratios.

    `unknown` is a cut that nobody knows: it makes every ratio unknown, and is refused by its name
    and that of its book.
    """

    cell: BandCell
    refs: tuple[RuleRef, ...]
    unknown: RuleRef | None = None


class _Pool(msgspec.Struct, frozen=True):
    """How far the pool goes. The cap point is `position + left / ratio` fen, exactly."""

    paid: int
    position: int
    left: int
    ratio: int


def settle(tables: BenefitTables, bill: Bill, before: Accumulators, cut: Cut = NO_CUT) -> Benefit:
    """Compute what each fund pays.

    `cut` is what the region's rules take off for the stay's filing; the book's own terms for that
    filing go before it. Refuses BILL_INVALID (naming the field), BILL_TOO_LARGE,
    ACCUMULATORS_INVALID, HOSPITAL_SUBTYPE_NEEDED and PERSON_TIER_NEEDED, and RULE_UNKNOWN if the
    book does not know a figure that this bill needs.
    """
    check_case(tables, bill, before)
    cell = tables.cells[bill.hospital_level, bill.hospital_subtype, bill.person_type, bill.tier]
    own = None if bill.filing in AT_HOME else cell.filing.get(bill.filing)
    trace: list[TraceRow] = []
    deductible = _deductible(tables, cell, own, bill, before, trace)
    bands = _bands(tables, cell, own, bill, cut)
    pool = _pool(tables, bands, bill.in_scope_fen, before, deductible, trace)
    pool_fen = round_half_up(pool.paid, UNIT)
    # What the person bears under the pool: (position + left / ratio) - deductible - paid / UNIT.
    # Where the cap cuts a band, what is paid is whole fen: one of the two fractions is none.
    whole, part = (pool.position - deductible) * UNIT - pool.paid, pool.left
    pool_self = (
        whole // UNIT + round_half_up(part, pool.ratio) if part else round_half_up(whole, UNIT)
    )
    large_fen, large_self = _large(tables, cell.large, bill.in_scope_fen, before, pool, trace)
    burden = bill.in_scope_fen - pool_fen - large_fen
    covered = _covers(tables, bill, before, burden, trace)
    paid = {"pool": pool_fen, "large": large_fen, **covered.paid}
    person_in_scope = bill.in_scope_fen - sum(paid.values())
    shown = deductible + pool_self + large_self - sum(covered.paid.values())
    benefit = Benefit(
        book=tables.digest,
        book_status=tables.status,
        in_scope_fen=bill.in_scope_fen,
        total_fen=bill.total_fen,
        deductible_fen=deductible,
        pool_fen=pool_fen,
        pool_self_fen=pool_self,
        large_fen=large_fen,
        large_self_fen=large_self,
        burden_fen=burden,
        catastrophic_fen=paid["catastrophic"],
        assistance_fen=paid["assistance"],
        person_in_scope_fen=person_in_scope,
        personal_total_fen=None if bill.total_fen is None else bill.total_fen - sum(paid.values()),
        rounding_residual_fen=person_in_scope - shown,
        admissions=int(bill.period_number == 1),
        funds=tuple((term.fund, paid[term.layer]) for term in tables.funds if term.layer in paid),
        announced=tuple(
            Expected(term.fund, term.paid_at, covered.expected.get(term.fund))
            for term in tables.funds
            if term.layer == "announced"
        ),
        trace=tuple(trace),
    )
    assert_identities(benefit)
    return benefit


def _deductible(
    tables: BenefitTables,
    cell: Cell,
    own: OwnFiling | None,
    bill: Bill,
    before: Accumulators,
    trace: list[TraceRow],
) -> int:
    """Return what the person bears before any fund pays: never more than the stay's in-scope."""
    if bill.in_scope_fen == 0:
        return 0
    number, terms = bill.admission_number, cell.deductible
    if bill.period_number > 1:
        if tables.further_periods is None:
            raise Refused("RULE_UNKNOWN", rule="rules.period.further_periods", book=tables.book_id)
        if tables.further_periods == "none":
            return 0
        number = max(2, number)
    amount = terms.of_admission(number)
    rule, modifiers = terms.first_rule if number == 1 else terms.later_rule, terms.modifiers
    if own is not None and own.deductible_fen is not None:
        amount, rule, modifiers = own.deductible_fen, own.deductible_rule, ()
    if amount == UNKNOWN:
        tables.refuse_unknown(rule)
    if tables.annual_deductible is None and amount and before.deductible_paid_fen:
        raise Refused("RULE_UNKNOWN", rule="rules.deductible.basis", book=tables.book_id)
    if tables.annual_deductible:
        amount = max(0, amount - before.deductible_paid_fen)
    amount = min(amount, bill.in_scope_fen)
    if amount:
        trace.append(
            TraceRow(
                part="deductible",
                rule=tables.rules[rule].path,
                from_fen=0,
                to_fen=amount,
                ratio=0,
                amount_fen=0,
                amount_rest=0,
                amount_over=1,
                book=tables.digest,
                modified_by=tuple(tables.ref(each) for each in modifiers),
            )
        )
    return amount


def _bands(
    tables: BenefitTables, cell: Cell, own: OwnFiling | None, bill: Bill, cut: Cut
) -> _Bands:
    """Return the bands that hold for the stay's filing."""
    bands = cell.bands
    refs = tuple(tables.ref(each) for each in bands.modifiers)
    if bill.filing in AT_HOME:
        return _Bands(bands, refs)
    if own is not None and own.ratio is not None:
        same = (own.ratio,) * len(bands.ratio)
        return _Bands(BandCell(bands.to_fen, same, (own.ratio_rule,) * len(same)), ())
    if own is not None and own.cut is not None:
        cut = Cut(own.cut, tables.ref(own.cut_rule), tables.book_id)
    if cut.ref is None or cut.points == UNKNOWN:
        unknown = (
            RuleRef(tables.book_id, f"filing.{bill.filing}")
            if cut.ref is None
            else RuleRef(cut.book_id or cut.ref.book, cut.ref.rule)
        )
        ratio = (UNKNOWN,) * len(bands.ratio)
        return _Bands(BandCell(bands.to_fen, ratio, bands.rule), refs, unknown)
    # Subtractive: 0.85 less 10 points is 0.75.
    ratio = tuple(
        each if each == UNKNOWN else max(0, each - cut.points * BASIS) for each in bands.ratio
    )
    return _Bands(BandCell(bands.to_fen, ratio, bands.rule), (*refs, cut.ref))


def _pool(
    tables: BenefitTables,
    bands: _Bands,
    in_scope: int,
    before: Accumulators,
    position: int,
    trace: list[TraceRow],
) -> _Pool:
    """Walk the bands from the deductible to the end of the stay or to the pool's yearly cap."""
    if position == in_scope:
        return _Pool(0, position, 0, 1)
    if tables.pool_cap_fen == UNKNOWN:
        tables.refuse_unknown(tables.pool_cap_rule)
    remaining = max(0, tables.pool_cap_fen - before.pool_paid_fen) * UNIT
    paid = 0
    cell, refs = bands.cell, bands.refs
    for limit, ratio, rule in zip(cell.to_fen, cell.ratio, cell.rule, strict=True):
        if limit <= position:
            continue
        if paid == remaining:
            return _Pool(paid, position, 0, 1)
        if ratio == UNKNOWN and bands.unknown is not None:
            raise Refused("RULE_UNKNOWN", rule=bands.unknown.rule, book=bands.unknown.book)
        if ratio == UNKNOWN:
            tables.refuse_unknown(rule)
        top = min(limit, in_scope)
        amount = (top - position) * ratio
        left = remaining - paid
        capped = amount > left
        end = position + round_half_up(left, ratio) if capped else top
        fen, rest = divmod(min(amount, left), UNIT)
        path = tables.rules[rule].path
        trace.append(
            TraceRow("pool", path, position, end, ratio, fen, rest, UNIT, tables.digest, refs)
        )
        if capped:
            return _Pool(remaining, position, left, ratio)
        paid += amount
        position = top
        if position == in_scope:
            break
    return _Pool(paid, position, 0, 1)


def _large(
    tables: BenefitTables,
    large: LargeCell | None,
    in_scope: int,
    before: Accumulators,
    pool: _Pool,
    trace: list[TraceRow],
) -> tuple[int, int]:
    """Return what the large-amount fund pays beyond the cap point, and what the person bears."""
    # Beyond the cap point lie (in_scope - position) - left / ratio fen: rest over pool.ratio.
    rest = (in_scope - pool.position) * pool.ratio - pool.left
    if rest == 0:
        return 0, 0
    begin = pool.position + round_half_up(pool.left, pool.ratio)
    if large is None:
        if tables.has_large:
            raise Refused("RULE_UNKNOWN", rule="rules.large", book=tables.book_id)
        path = tables.rules[tables.pool_cap_rule].path
        trace.append(TraceRow("uncovered", path, begin, in_scope, 0, 0, 0, 1, tables.digest))
        return 0, round_half_up(rest, pool.ratio)
    if large.ratio == UNKNOWN:
        tables.refuse_unknown(large.ratio_rule)
    if large.cap_fen == UNKNOWN:
        tables.refuse_unknown(large.cap_rule)
    # The fund's share is `fen + part / over`, its whole fen reckoned apart to stay within int64.
    over = pool.ratio * BASIS
    whole, odd = divmod(rest, pool.ratio)
    fen, part = divmod(whole * large.ratio, BASIS)
    more, part = divmod(part * pool.ratio + odd * large.ratio, over)
    fen += more
    remaining = max(0, large.cap_fen - before.large_paid_fen)
    capped = (fen, part) > (remaining, 0)
    end = in_scope
    if capped:
        fen, part = remaining, 0
        end = pool.position + _reach(pool, remaining, large.ratio)
    if fen or part or not capped:
        path, share = tables.rules[large.ratio_rule].path, large.ratio * BASIS
        trace.append(TraceRow("large", path, begin, end, share, fen, part, over, tables.digest))
    if capped:
        path = tables.rules[large.cap_rule].path
        trace.append(TraceRow("uncovered", path, end, in_scope, 0, 0, 0, 1, tables.digest))
    less, own = divmod(odd * BASIS - part, over)
    return fen + round_half_up(part, over), whole - fen + less + round_half_up(own, over)


def _reach(pool: _Pool, remaining: int, ratio: int) -> int:
    """Return how far beyond the pool's last whole step the large-amount fund's cap is reached."""
    whole, odd = divmod(pool.left, pool.ratio)
    more, rest = divmod(remaining * BASIS, ratio)
    return whole + more + round_half_up(odd * ratio + rest * pool.ratio, pool.ratio * ratio)


def _covers(
    tables: BenefitTables, bill: Bill, before: Accumulators, burden: int, trace: list[TraceRow]
) -> Covered:
    """Return what second covers pay on the year's burden, and what announced ones are to pay."""
    covered = Covered({"catastrophic": 0, "assistance": 0}, {})
    base, now = before.burden_fen, burden
    used = {
        "catastrophic": before.catastrophic_paid_fen,
        "assistance": before.assistance_paid_fen,
    }
    for layer in COVER_LAYERS:
        table = tables.covers.get((layer, bill.category))
        if table is None:
            base = max(0, base - used[layer])
            continue
        if tables.term(layer) is None:
            # Not in the bill: the fund of that name is announced, with what it would give.
            try:
                covered.expected[layer] = sum_of(
                    cover(tables, table, layer, (base, base + now), used[layer], lenient=True)
                )
            except Refused:
                covered.expected[layer] = None
            base = max(0, base - used[layer])
            continue
        rows = cover(tables, table, layer, (base, base + now), used[layer])
        trace.extend(rows)
        paid = sum_of(rows)
        covered.paid[layer] = paid
        base, now = max(0, base - used[layer]), now - paid
    return covered


def sum_of(rows: list[TraceRow]) -> int:
    """Return what rows of one fund come to, rounded once."""
    return paid_by(tuple(rows), rows[0].part) if rows else 0
