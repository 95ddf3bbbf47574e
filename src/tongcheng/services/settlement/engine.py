"""What the funds pay for one stay: the pure heart of settlement.

The stay's in-scope amount is a line from zero. The deductible covers its beginning, bands cover the
line and give the pool's share of each part, and where the pool's yearly cap is reached, often in
the middle of a band and between two fen, the large-amount fund takes over with its own share and
cap. Nothing is rounded on the way: amounts are exact fractions of a fen. Each fund's payment is
rounded once, half up; what the person bears is the complement. The parts shown to the person
(deductible, his share under the pool, his share under the large fund) are rounded each for itself,
and what they then differ from his share by is named: `rounding_residual_fen`.

Fractions are carried as whole numbers that fit int64 (see `tables`), so a compiled kernel can be
held against this one. A fraction on the wire is `amount_fen + amount_rest / amount_over`, because
the exact numerator of a large stay would exceed what canonical bytes allow.
"""

from typing import Final, Literal

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import round_half_up
from tongcheng.services.settlement.rules import LEVELS, PERSON_TYPES, PersonType
from tongcheng.services.settlement.tables import (
    AMOUNT_MAX_FEN,
    BASIS,
    UNIT,
    UNKNOWN,
    BenefitTables,
    RulePointer,
)

Part = Literal["deductible", "pool", "large", "uncovered"]
_FUND_PARTS: Final[tuple[Literal["pool", "large"], ...]] = ("pool", "large")


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What benefit rules look at in the bill of one settlement period of one stay.

    `in_scope_fen` (符合政策范围金额) is what the visited place's catalogue let through;
    `total_fen` is the bill, None where only the policy is asked about. `admission_number` counts
    settled admissions of the person's year, this one included.
    """

    in_scope_fen: int
    total_fen: int | None
    person_type: PersonType
    hospital_level: int
    admission_number: int


class Accumulators(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has used in one calendar year and pooling area, before a settlement."""

    pool_paid_fen: int = 0
    large_paid_fen: int = 0
    deductible_paid_fen: int = 0
    admissions: int = 0


class TraceRow(msgspec.Struct, frozen=True):
    """One stretch of the in-scope line and who pays what share of it.

    `from_fen` and `to_fen` are rounded for display where a cap falls between two fen. The share is
    `ratio` over 10**8. The amount paid is exactly `amount_fen + amount_rest / amount_over` fen.
    `rule` is a path into the rule book whose digest is `book`.
    """

    part: Part
    rule: str
    from_fen: int
    to_fen: int
    ratio: int
    amount_fen: int
    amount_rest: int
    amount_over: int
    book: str


class Benefit(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one bill. All amounts of a void are negative, `admissions` is then -1.

    `personal_total_fen` is the bill less what funds pay, None when the bill is unknown. `funds`
    are (purse fund, fen) of those that pay at discharge; `announced` are (purse fund, paid_at) of
    those that may pay later, by figures that are not known today.
    """

    book: str
    book_status: Literal["draft", "adopted"]
    in_scope_fen: int
    total_fen: int | None
    deductible_fen: int
    pool_fen: int
    pool_self_fen: int
    large_fen: int
    large_self_fen: int
    person_in_scope_fen: int
    personal_total_fen: int | None
    rounding_residual_fen: int
    admissions: int
    funds: tuple[tuple[str, int], ...]
    announced: tuple[tuple[str, str], ...]
    trace: tuple[TraceRow, ...]


class _Pool(msgspec.Struct, frozen=True):
    """How far the pool goes. The cap point is `position + left / ratio` fen, exactly."""

    paid: int
    position: int
    left: int
    ratio: int


def settle(tables: BenefitTables, bill: Bill, before: Accumulators) -> Benefit:
    """Compute what each fund pays.

    Refuses BILL_INVALID (naming the field), BILL_TOO_LARGE, ACCUMULATORS_INVALID, and
    RULE_UNKNOWN if the book does not know a figure that this bill needs.
    """
    _check(bill, before)
    level, person = bill.hospital_level - 1, PERSON_TYPES.index(bill.person_type)
    trace: list[TraceRow] = []
    deductible = _deductible(tables, bill, before, trace)
    pool = _pool(tables, (level, person), bill.in_scope_fen, before, deductible, trace)
    pool_fen = round_half_up(pool.paid, UNIT)
    # What the person bears under the pool: (position + left / ratio) - deductible - paid / UNIT.
    own = ((pool.position - deductible) * pool.ratio + pool.left) * UNIT - pool.paid * pool.ratio
    pool_self = round_half_up(own, UNIT * pool.ratio)
    large_fen, large_self = _large(tables, person, bill.in_scope_fen, before, pool, trace)
    person_in_scope = bill.in_scope_fen - pool_fen - large_fen
    paid = {"pool": pool_fen, "large": large_fen}
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
        person_in_scope_fen=person_in_scope,
        personal_total_fen=None
        if bill.total_fen is None
        else bill.total_fen - pool_fen - large_fen,
        rounding_residual_fen=person_in_scope - deductible - pool_self - large_self,
        admissions=1,
        funds=tuple((term.fund, paid[term.layer]) for term in tables.funds if term.layer in paid),
        announced=tuple((t.fund, t.paid_at) for t in tables.funds if t.layer == "announced"),
        trace=tuple(trace),
    )
    _assert_identities(benefit)
    return benefit


def _check(bill: Bill, before: Accumulators) -> None:
    """Refuse what no rule speaks about, in this order: amounts, person, place, history."""
    if bill.in_scope_fen < 0:
        raise Refused("BILL_INVALID", field="in_scope_fen", value=bill.in_scope_fen)
    if bill.total_fen is not None and bill.total_fen < bill.in_scope_fen:
        raise Refused("BILL_INVALID", field="total_fen", value=bill.total_fen)
    largest = bill.in_scope_fen if bill.total_fen is None else bill.total_fen
    if largest > AMOUNT_MAX_FEN:
        raise Refused("BILL_TOO_LARGE", amount_fen=largest, most=AMOUNT_MAX_FEN)
    if bill.person_type not in PERSON_TYPES:
        raise Refused("BILL_INVALID", field="person_type", value=bill.person_type)
    if bill.hospital_level not in LEVELS:
        raise Refused("BILL_INVALID", field="hospital_level", value=bill.hospital_level)
    if bill.admission_number < 1:
        raise Refused("BILL_INVALID", field="admission_number", value=bill.admission_number)
    for field in before.__struct_fields__:
        value = getattr(before, field)
        if not 0 <= value <= AMOUNT_MAX_FEN:
            raise Refused("ACCUMULATORS_INVALID", field=field, value=value)


def _deductible(
    tables: BenefitTables, bill: Bill, before: Accumulators, trace: list[TraceRow]
) -> int:
    """Return what the person bears before any fund pays: never more than the stay's in-scope."""
    level, later = bill.hospital_level - 1, int(bill.admission_number > 1)
    if bill.in_scope_fen == 0:
        return 0
    amount = tables.deductible_fen[level][later]
    rule = tables.deductible_rule[level][later]
    if amount == UNKNOWN:
        tables.refuse_unknown(rule)
    if tables.annual_deductible:
        amount = max(0, amount - before.deductible_paid_fen)
    amount = min(amount, bill.in_scope_fen)
    if amount:
        path = tables.rules[rule].path
        trace.append(TraceRow("deductible", path, 0, amount, 0, 0, 0, 1, tables.digest))
    return amount


def _pool(
    tables: BenefitTables,
    cell: tuple[int, int],
    in_scope: int,
    before: Accumulators,
    position: int,
    trace: list[TraceRow],
) -> _Pool:
    """Walk the bands from the deductible to the end of the stay or to the pool's yearly cap."""
    level, person = cell
    if position == in_scope:
        return _Pool(0, position, 0, 1)
    if tables.pool_cap_fen == UNKNOWN:
        tables.refuse_unknown(tables.pool_cap_rule)
    remaining = max(0, tables.pool_cap_fen - before.pool_paid_fen) * UNIT
    paid = 0
    bands = zip(
        tables.band_to_fen[level][person],
        tables.band_ratio[level][person],
        tables.band_rule[level][person],
        strict=True,
    )
    for limit, ratio, rule in bands:
        if limit <= position:
            continue
        if paid == remaining:
            return _Pool(paid, position, 0, 1)
        if ratio == UNKNOWN:
            tables.refuse_unknown(rule)
        top = min(limit, in_scope)
        amount = (top - position) * ratio
        left = remaining - paid
        capped = amount > left
        end = position + round_half_up(left, ratio) if capped else top
        fen, rest = divmod(min(amount, left), UNIT)
        path = tables.rules[rule].path
        trace.append(TraceRow("pool", path, position, end, ratio, fen, rest, UNIT, tables.digest))
        if capped:
            return _Pool(remaining, position, left, ratio)
        paid += amount
        position = top
        if position == in_scope:
            break
    return _Pool(paid, position, 0, 1)


def _large(
    tables: BenefitTables,
    person: int,
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
    if not tables.has_large:
        path = tables.rules[tables.pool_cap_rule].path
        trace.append(TraceRow("uncovered", path, begin, in_scope, 0, 0, 0, 1, tables.digest))
        return 0, round_half_up(rest, pool.ratio)
    ratio, cap = tables.large_ratio[person], tables.large_cap_fen[person]
    if ratio == UNKNOWN:
        tables.refuse_unknown(tables.large_ratio_rule[person])
    if cap == UNKNOWN:
        tables.refuse_unknown(tables.large_cap_rule[person])
    over = pool.ratio * BASIS
    remaining = max(0, cap - before.large_paid_fen)
    capped = rest * ratio > remaining * over
    paid = remaining * over if capped else rest * ratio
    end = in_scope
    if capped:
        reach = pool.left * ratio + remaining * over
        end = pool.position + round_half_up(reach, pool.ratio * ratio)
    rule, cap_rule = tables.large_ratio_rule[person], tables.large_cap_rule[person]
    if paid or not capped:
        fen, part = divmod(paid, over)
        path = tables.rules[rule].path
        trace.append(
            TraceRow("large", path, begin, end, ratio * BASIS, fen, part, over, tables.digest)
        )
    if capped:
        path = tables.rules[cap_rule].path
        trace.append(TraceRow("uncovered", path, end, in_scope, 0, 0, 0, 1, tables.digest))
    return round_half_up(paid, over), round_half_up(rest * BASIS - paid, over)


def reverse(benefit: Benefit) -> Benefit:
    """Return the exact negative of a settlement, recomputed from its stored trace.

    No rule book is asked: the trace says what was paid. Applied twice it gives the original back.
    """
    trace = tuple(
        msgspec.structs.replace(row, amount_fen=-row.amount_fen, amount_rest=-row.amount_rest)
        for row in benefit.trace
    )
    mirrored = {
        field: None if (value := getattr(benefit, field)) is None else -value
        for field in benefit.__struct_fields__
        if field.endswith("_fen") or field == "admissions"
    }
    mirrored["pool_fen"] = paid_by(trace, "pool")
    mirrored["large_fen"] = paid_by(trace, "large")
    void = msgspec.structs.replace(
        benefit,
        **mirrored,
        funds=tuple((fund, -fen) for fund, fen in benefit.funds),
        trace=trace,
    )
    assert void.pool_fen == -benefit.pool_fen, "the stored trace does not give the pool's payment"
    assert void.large_fen == -benefit.large_fen, "nor the large-amount fund's"
    _assert_identities(void)
    return void


def paid_by(trace: tuple[TraceRow, ...], part: Literal["pool", "large"]) -> int:
    """Return what a trace says that one fund pays: its exact rows added, then rounded once."""
    rows = [row for row in trace if row.part == part]
    over = max((row.amount_over for row in rows), default=1)
    assert all(row.amount_over == over for row in rows), "one fund's rows share their denominator"
    return round_half_up(sum(row.amount_fen * over + row.amount_rest for row in rows), over)


def doubtful(
    tables: BenefitTables, person_type: PersonType, trace: tuple[TraceRow, ...]
) -> tuple[RulePointer, ...]:
    """Return the rules that a settlement's amounts rest on and whose figures are in doubt.

    A cap that was not reached decided nothing and is left out.
    """
    paths = {row.rule for row in trace}
    if any(row.part in {"large", "uncovered"} for row in trace):
        paths.add(tables.rules[tables.pool_cap_rule].path)
    if person_type == "retired":
        paths.add("rules.retired.factor")
    found = {rule.path: rule for rule in tables.rules if rule.doubtful and rule.path in paths}
    return tuple(found.values())


def accumulate(before: Accumulators, benefit: Benefit) -> Accumulators:
    """Return the year's accumulators after a settlement, or after a void gave them back."""
    return Accumulators(
        pool_paid_fen=before.pool_paid_fen + benefit.pool_fen,
        large_paid_fen=before.large_paid_fen + benefit.large_fen,
        deductible_paid_fen=before.deductible_paid_fen + benefit.deductible_fen,
        admissions=before.admissions + benefit.admissions,
    )


def _assert_identities(benefit: Benefit) -> None:
    """Hold the equations that every settlement and every void must satisfy, to the fen."""
    funds = sum(fen for _, fen in benefit.funds)
    assert funds == benefit.pool_fen + benefit.large_fen
    assert benefit.in_scope_fen == funds + benefit.person_in_scope_fen
    assert benefit.person_in_scope_fen == (
        benefit.deductible_fen
        + benefit.pool_self_fen
        + benefit.large_self_fen
        + benefit.rounding_residual_fen
    )
    if benefit.total_fen is not None:
        assert benefit.personal_total_fen is not None
        assert benefit.total_fen == funds + benefit.personal_total_fen
    assert benefit.person_in_scope_fen * benefit.admissions >= 0, "a fund paid more than the stay"
    for part in _FUND_PARTS:
        paid = benefit.pool_fen if part == "pool" else benefit.large_fen
        assert paid_by(benefit.trace, part) == paid, f"the trace disagrees about {part}"
