"""What the engine answers, its exact negative, and what both do to a person's year."""

from typing import Final, Literal

import msgspec

from tongcheng.services.settlement.bill import Accumulators
from tongcheng.services.settlement.tables import BenefitTables, RulePointer
from tongcheng.services.settlement.trace import TraceRow, paid_by

FUND_PARTS: Final[tuple[Literal["pool", "large", "catastrophic", "assistance"], ...]] = (
    "pool",
    "large",
    "catastrophic",
    "assistance",
)


class Expected(msgspec.Struct, frozen=True):
    """A fund that is not in the bill: when it may pay, and at most how much by today's figures.

    `amount_fen` is None where a figure that is needed is not known.
    """

    fund: str
    paid_at: str
    amount_fen: int | None


class Benefit(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one bill. All amounts of a void are negative, `admissions` too.

    `burden_fen` is the in-scope amount less what pool and large-amount fund pay; the second covers
    take off what they pay, and `person_in_scope_fen` is left. `personal_total_fen` is the bill less
    what funds pay, None when the bill is unknown. `funds` are (purse fund, fen) of those that pay
    at discharge; `announced` those that may pay later.
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
    burden_fen: int
    catastrophic_fen: int
    assistance_fen: int
    person_in_scope_fen: int
    personal_total_fen: int | None
    rounding_residual_fen: int
    admissions: int
    funds: tuple[tuple[str, int], ...]
    announced: tuple[Expected, ...]
    trace: tuple[TraceRow, ...]

    @property
    def fund_fen(self) -> int:
        """What all funds pay at discharge."""
        return self.pool_fen + self.large_fen + self.catastrophic_fen + self.assistance_fen


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
    for part in FUND_PARTS:
        paid = paid_by(trace, part)
        assert paid == mirrored[f"{part}_fen"], f"the stored trace does not give {part}'s payment"
    void = msgspec.structs.replace(
        benefit,
        **mirrored,
        funds=tuple((fund, -fen) for fund, fen in benefit.funds),
        announced=tuple(
            each
            if each.amount_fen is None
            else msgspec.structs.replace(each, amount_fen=-each.amount_fen)
            for each in benefit.announced
        ),
        trace=trace,
    )
    assert_identities(void)
    return void


def doubtful(tables: BenefitTables, trace: tuple[TraceRow, ...]) -> tuple[RulePointer, ...]:
    """Return the rules that a settlement's amounts rest on and whose figures are in doubt.

    A cap that was not reached decided nothing and is left out.
    """
    paths = {row.rule for row in trace}
    paths |= {ref.rule for row in trace for ref in row.modified_by if ref.book == tables.digest}
    if any(row.part in {"large", "uncovered"} for row in trace):
        paths.add(tables.rules[tables.pool_cap_rule].path)
    found = {rule.path: rule for rule in tables.rules if rule.doubtful and rule.path in paths}
    return tuple(found.values())


def accumulate(before: Accumulators, benefit: Benefit) -> Accumulators:
    """Return the year's accumulators after a settlement, or after a void gave them back."""
    return Accumulators(
        pool_paid_fen=before.pool_paid_fen + benefit.pool_fen,
        large_paid_fen=before.large_paid_fen + benefit.large_fen,
        deductible_paid_fen=before.deductible_paid_fen + benefit.deductible_fen,
        admissions=before.admissions + benefit.admissions,
        burden_fen=before.burden_fen + benefit.burden_fen,
        catastrophic_paid_fen=before.catastrophic_paid_fen + benefit.catastrophic_fen,
        assistance_paid_fen=before.assistance_paid_fen + benefit.assistance_fen,
    )


def assert_identities(benefit: Benefit) -> None:
    """Hold the equations that every settlement and every void must satisfy, to the fen."""
    funds = sum(fen for _, fen in benefit.funds)
    assert funds == benefit.fund_fen
    assert benefit.in_scope_fen == funds + benefit.person_in_scope_fen
    assert benefit.burden_fen == (
        benefit.person_in_scope_fen + benefit.catastrophic_fen + benefit.assistance_fen
    )
    assert benefit.burden_fen == (
        benefit.deductible_fen
        + benefit.pool_self_fen
        + benefit.large_self_fen
        + benefit.rounding_residual_fen
    )
    if benefit.total_fen is not None:
        assert benefit.personal_total_fen is not None
        assert benefit.total_fen == funds + benefit.personal_total_fen
    sign = -1 if benefit.in_scope_fen < 0 else 1
    assert benefit.person_in_scope_fen * sign >= 0, "the funds paid more than the stay"
    for part in FUND_PARTS:
        paid = getattr(benefit, f"{part}_fen")
        assert paid_by(benefit.trace, part) == paid, f"the trace disagrees about {part}"
