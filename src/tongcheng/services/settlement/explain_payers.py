"""The second cut of a bill: the same amounts, put together by who pays them."""

from typing import Final

from tongcheng.services.settlement.explain_model import (
    HOSPITAL,
    PERSON,
    Fact,
    Reason,
    leaf,
    leaves,
    node,
)
from tongcheng.services.settlement.model import BenefitResult

_LINES: Final = frozenset({"self_paid", "over_ceiling", "first_self_pay"})


def by_payer(scope: Reason, result: BenefitResult, titles: dict[str, dict[str, str]]) -> Reason:
    """Return each fund, the hospital, the account and cash; then what may still come back.

    `scope` is the first cut, whose leaves these are. `titles` are the funds' names.
    """
    found: list[Reason] = []
    for child in scope.children:
        # Lines are listed once, in the first cut.
        whole = leaf(child.key, child.amount_fen, {"payer": PERSON})
        found += [whole] if child.key in _LINES else leaves(child)
    parts: dict[str, list[Reason]] = {}
    for each in found:
        if each.amount_fen:
            parts.setdefault(str(each.facts.get("payer", PERSON)), []).append(each)
    children = [
        node(
            "fund",
            each.amount_fen,
            parts.get(each.fund, []),
            {"fund": each.fund, "layer": each.layer, **_named(titles, each.fund)},
            payer=each.fund,
        )
        for each in result.funds
    ]
    if result.hospital_fen:
        children.append(node("hospital", result.hospital_fen, parts.get(HOSPITAL, [])))
    cash = list(parts.get(PERSON, []))
    if result.account_fen:
        children.append(leaf("account", result.account_fen, {"payer": PERSON}))
        cash.append(leaf("from_account", -result.account_fen, {"payer": PERSON}))
    children.append(node("cash", result.person_fen - result.account_fen, cash))
    children += [
        leaf(
            "announced",
            0,
            {
                "fund": each.fund,
                "paid_at": each.paid_at,
                "expected_fen": each.expected_fen,
                **_named(titles, each.fund),
            },
        )
        for each in result.announced
    ]
    return node("bill", scope.amount_fen, children)


def _named(titles: dict[str, dict[str, str]], fund: str) -> dict[str, Fact]:
    return {f"title_{language}": text for language, text in titles.get(fund, {}).items()}
