"""Why every amount of a bill is what it is, as a tree (pure).

The bill is cut twice: by what the insurance covers (`scope`), down to lines, bands and clauses;
and by who pays (`payers`). The amounts of a node's children add up to it exactly, in both. A leaf
of the first cut names its payer, and the second is made of the same leaves.

Bands are rounded each for itself, a fund's payment once. What they differ by is named `rounding`;
it is no part of the bill, as nothing is that only moves an amount from the person to another payer:
such a node is zero, and its children say who has more and who less.
"""

from collections.abc import Sequence
from typing import Final

from tongcheng.kernel.money import round_half_up
from tongcheng.services.settlement.explain_lines import ExplainedLine, of_lines
from tongcheng.services.settlement.explain_model import (
    HOSPITAL,
    PERSON,
    Explanation,
    Fact,
    Reason,
    added,
    leaf,
    moved,
    node,
)
from tongcheng.services.settlement.explain_payers import by_payer
from tongcheng.services.settlement.model import BenefitResult, FundPayment, ScopeTotals
from tongcheng.services.settlement.rule_words import Books, RuleWords, fund_titles, rule_words
from tongcheng.services.settlement.tables import COVER_LAYERS
from tongcheng.services.settlement.trace import TraceRow

BEYOND_POOL: Final = frozenset({"large", "uncovered"})


def explain(
    totals: ScopeTotals,
    result: BenefitResult,
    lines: Sequence[ExplainedLine] | None,
    books: Books,
) -> Explanation:
    """Return both cuts of a settlement's bill.

    `lines` is None on the insured side: they stay where the hospital is. `books` are the rule
    books that this node has; a rule of another book is named by its digest and path only.
    """
    titles = fund_titles(books, result.book_digest)
    scopes = [
        _InScope(result, books, titles).reason(totals.in_scope_fen),
        of_lines("first_self_pay", totals.first_self_pay_fen, lines),
        of_lines("over_ceiling", totals.over_ceiling_fen, lines),
        of_lines("self_paid", totals.self_paid_fen, lines),
    ]
    scope = node("bill", totals.total_fen, [each for each in scopes if each.amount_fen])
    return Explanation(
        scope=scope,
        payers=by_payer(scope, result, titles),
        book_status=result.book_status,
        has_lines=lines is not None,
    )


class _InScope:
    """The in-scope amount of one settlement, on its way to who pays which stretch of it."""

    def __init__(
        self, result: BenefitResult, books: Books, titles: dict[str, dict[str, str]]
    ) -> None:
        self._result = result
        self._books = books
        self._titles = titles
        self._payments: dict[str, FundPayment] = {each.layer: each for each in result.funds}

    def reason(self, in_scope_fen: int) -> Reason:
        """Return the stretches of the trace in their order, then what changes who pays them."""
        children = [*self._filing(), *self._deductible(in_scope_fen)]
        stretches: list[Reason] = []
        for row in self._result.trace:
            if row.part not in {"pool", *BEYOND_POOL}:
                continue
            if row.part in BEYOND_POOL and not any(each.key == "pool_cap" for each in stretches):
                stretches.append(self._pool_cap(row))
            if row.to_fen > row.from_fen:
                stretches.append(self._stretch(row))
        children += stretches
        for layer in ("pool", "large"):
            if layer in self._payments:
                children += self._rounding(self._payments[layer], stretches)
        for layer in COVER_LAYERS:
            if layer in self._payments and self._payments[layer].amount_fen:
                children.append(self._cover(self._payments[layer]))
        if self._result.hospital_fen:
            children.append(moved("hospital_bears", HOSPITAL, self._result.hospital_fen))
        return node("in_scope", in_scope_fen, children)

    def _filing(self) -> list[Reason]:
        rule, filing = self._result.filing_rule, self._result.filing
        if filing == "local" or rule is None:
            return []
        words = rule_words(self._books, rule.book, rule.rule)
        return [leaf("filing", 0, {"filing": filing, "payer": PERSON}, rule=words)]

    def _deductible(self, in_scope_fen: int) -> list[Reason]:
        facts: dict[str, Fact] = {
            "payer": PERSON,
            "admission_number": self._result.admission_number,
            "period_number": self._result.period_number,
            "paid_before_fen": self._result.before.deductible_paid_fen,
            "in_scope_fen": in_scope_fen,
        }
        rows = [row for row in self._result.trace if row.part == "deductible"]
        if not rows:
            return [leaf("no_deductible", 0, facts)]
        return [
            leaf(
                "deductible",
                row.to_fen - row.from_fen,
                facts,
                rule=self._rule(row),
                modified_by=self._modifiers(row),
            )
            for row in rows
        ]

    def _pool_cap(self, row: TraceRow) -> Reason:
        """Return the note that the pool's yearly cap was reached, which is no amount."""
        facts: dict[str, Fact] = {
            "payer": PERSON,
            "at_fen": row.from_fen,
            "used_before_fen": self._result.before.pool_paid_fen,
        }
        rule = rule_words(self._books, self._result.book_digest, "rules.pool_cap")
        return leaf("pool_cap", 0, facts, rule=rule)

    def _stretch(self, row: TraceRow) -> Reason:
        width = row.to_fen - row.from_fen
        rule, modifiers = self._rule(row), self._modifiers(row)
        facts: dict[str, Fact] = {"from_fen": row.from_fen, "to_fen": row.to_fen}
        if row.part == "uncovered":
            facts["payer"] = PERSON
            return leaf("uncovered", width, facts, rule=rule, modified_by=modifiers)
        facts |= {"ratio_e8": row.ratio, "person_type": self._result.person_type}
        fund = self._fund(row.part)
        facts |= self._named(fund)
        # A peer's trace may say anything; the amounts of the decision itself have been checked.
        paid = max(0, min(width, _paid(row)))
        mine = leaf("stretch_fund", paid, {**facts, "payer": fund})
        own = leaf("stretch_own", width - paid, {**facts, "payer": PERSON})
        shares = [
            Reason(each.key, each.amount_fen, each.facts, rule, modifiers) for each in (mine, own)
        ]
        return node(row.part, width, shares, facts, rule=rule, modified_by=modifiers)

    def _rounding(self, payment: FundPayment, stretches: list[Reason]) -> list[Reason]:
        """Return what the fund's payment, rounded once, has more than its stretches show."""
        shares = [
            each
            for stretch in stretches
            for each in stretch.children
            if each.facts["payer"] == payment.fund
        ]
        return _rest(payment, payment.amount_fen - added(shares), len(shares))

    def _cover(self, payment: FundPayment) -> Reason:
        """Return what a second cover pays on the year's burden, and the person therefore not."""
        rows = [row for row in self._result.trace if row.part == payment.layer]
        facts: dict[str, Fact] = {"payer": payment.fund, **self._named(payment.fund)}
        steps = [
            leaf(
                "cover_step",
                _paid(row),
                {
                    **facts,
                    "from_fen": row.from_fen,
                    "to_fen": row.to_fen,
                    "ratio_e8": row.ratio,
                    "burden_before_fen": self._result.before.burden_fen,
                },
                rule=self._rule(row),
            )
            for row in rows
        ]
        over = payment.amount_fen - added(steps)
        if over and abs(over) <= len(rows):
            steps.append(leaf("rounding_more", over, facts))
        pays = node("cover_more", payment.amount_fen, steps, facts, payer=payment.fund)
        less = leaf("cover_less", -payment.amount_fen, {**facts, "payer": PERSON})
        return node("cover", 0, [pays, less], {**facts, "moved_fen": payment.amount_fen})

    def _fund(self, layer: str) -> str:
        payment = self._payments.get(layer)
        return layer if payment is None else payment.fund

    def _named(self, fund: str) -> dict[str, Fact]:
        titles = self._titles.get(fund, {})
        return {"fund": fund, **{f"title_{language}": text for language, text in titles.items()}}

    def _rule(self, row: TraceRow) -> RuleWords:
        return rule_words(self._books, row.book, row.rule)

    def _modifiers(self, row: TraceRow) -> tuple[RuleWords, ...]:
        return tuple(rule_words(self._books, ref.book, ref.rule) for ref in row.modified_by)


def _paid(row: TraceRow) -> int:
    return round_half_up(row.amount_fen * row.amount_over + row.amount_rest, row.amount_over)


def _rest(payment: FundPayment, over_fen: int, stretches: int) -> list[Reason]:
    """Return what is left over of a payment: rounding if it can be, else nobody's reason."""
    if over_fen == 0:
        return []
    key = "rounding" if abs(over_fen) <= stretches else "unexplained_payment"
    return [moved(key, payment.fund, over_fen)]
