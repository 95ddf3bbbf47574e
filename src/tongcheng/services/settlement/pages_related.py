"""What stands beside one settlement: other periods of its stay, other stays of the person."""

from datetime import date

from tongcheng.kernel.store import Snapshot
from tongcheng.services.settlement import decided, periods
from tongcheng.services.settlement.store import ClaimRow, DecisionRow, StayRow
from tongcheng.services.settlement.views import Related, RelatedKind, StayPage
from tongcheng.web import Cell, Column, Empty, Page, Row, Table

KIND_KEYS: dict[RelatedKind, str] = {
    "period": "settlement.related.period",
    "overlap": "settlement.related.overlap",
    "later": "settlement.related.later",
}


def of_stay(snapshot: Snapshot, stay: StayRow) -> tuple[Related, ...]:
    """Return the periods of a stay at the visited side, if it has more than one."""
    claims = periods.in_force(snapshot, stay.stay_id)
    if stay.period == 1:
        return ()
    return tuple(_claim(claim) for claim in claims)


def _claim(claim: ClaimRow) -> Related:
    is_settled = claim.state == "settled"
    return Related(
        kind="period",
        number=claim.period,
        decision_no=claim.decision_no,
        from_on=date.fromisoformat(claim.period_from_on),
        to_on=date.fromisoformat(claim.period_to_on),
        institution_id=claim.institution_id,
        total_fen=claim.total_fen,
        fund_fen=claim.fund_fen if is_settled else None,
    )


def of_decision(snapshot: Snapshot, row: DecisionRow) -> tuple[Related, ...]:
    """Return what the insured side has decided beside one decision.

    The other periods of the stay; stays on the same days, which are two beds at once; and, where
    this one was voided, the decisions that had counted it and stand.
    """
    same = decided.periods_of(snapshot, row.visited_member, row.stay_id)
    found = [_decision("period", one) for one in same if len(same) > 1]
    found += [_decision("overlap", one) for one in decided.overlaps_of(snapshot, row)]
    if row.state == "voided":
        found += [_decision("later", one) for one in decided.later_than(snapshot, row)]
    return tuple(found)


def _decision(kind: RelatedKind, row: DecisionRow) -> Related:
    facts = decided.facts_of(row)
    return Related(
        kind=kind,
        number=row.period,
        decision_no=row.decision_no,
        from_on=date.fromisoformat(facts.period_from_on),
        to_on=date.fromisoformat(facts.period_to_on),
        institution_id=facts.institution_id,
        total_fen=row.total_fen,
        fund_fen=row.fund_fen,
    )


def table(page: Page, view: StayPage) -> Table:
    """Return them as a table, in the order: periods, overlaps, later decisions."""
    voice = page.voice
    return Table(
        caption=page.t("settlement.related.caption"),
        columns=(
            Column(page.t("settlement.related.kind"), main=True),
            Column(page.t("settlement.related.days")),
            Column(page.t("settlement.related.hospital"), "code"),
            Column(page.t("settlement.related.decision"), "code"),
            Column(page.t("settlement.related.total"), "money"),
            Column(page.t("settlement.related.funds"), "money"),
        ),
        rows=tuple(
            Row(
                key=f"related-{index}",
                cells=(
                    Cell(page.t(KIND_KEYS[one.kind], number=one.number)),
                    Cell(
                        page.t(
                            "settlement.stay.period.value",
                            start=voice.day(one.from_on),
                            end=voice.day(one.to_on),
                        )
                    ),
                    Cell(one.institution_id),
                    Cell("" if one.decision_no is None else str(one.decision_no)),
                    Cell(voice.money(one.total_fen)),
                    Cell("" if one.fund_fen is None else voice.money(one.fund_fen)),
                ),
            )
            for index, one in enumerate(view.related)
        ),
        empty=Empty(page.t("settlement.related.empty"), page.t("settlement.related.empty.text")),
    )
