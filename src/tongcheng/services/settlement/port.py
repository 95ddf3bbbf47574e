"""Who computes a benefit: our engine, or the agency's own system with ours in its shadow.

The agency's system is asked with everything that a decision rests on, the year's totals included,
and keeps nothing for it. Its amounts are used only if they close. In shadow mode the engine
computes the same case; where it comes to something else, the difference is kept with its causes.
"""

from typing import Final, Literal

import msgspec

from tongcheng.kernel import canonical, journal
from tongcheng.kernel.agency import Consulted, NotConsulted
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import purses
from tongcheng.services.settlement.audit_books import Books
from tongcheng.services.settlement.audit_causes import explain
from tongcheng.services.settlement.audit_model import FUNDS, Figures, Row, compare, figures_of
from tongcheng.services.settlement.audit_variants import Case as AuditCase
from tongcheng.services.settlement.benefit import (
    Filed,
    bill_of,
    book_for,
    day,
    decide,
    used_before,
)
from tongcheng.services.settlement.books import tables_of
from tongcheng.services.settlement.engine import settle
from tongcheng.services.settlement.model import (
    AccumulatorTotals,
    BenefitResult,
    Fen,
    FundPayment,
    Name,
    StayFacts,
)
from tongcheng.services.settlement.store import SHADOWS, DecisionRow, PersonRow, ShadowRow
from tongcheng.services.settlement.tables import BASIS
from tongcheng.services.settlement.trace import TraceRow

SHADOW_KIND: Final = "settlement_shadow"
AGENCY_RULE: Final = "agency"
"""What a trace names in place of a rule: the agency's own system decided."""

Layer = Literal["pool", "large", "catastrophic", "assistance"]


class AgencyFund(msgspec.Struct, frozen=True):
    """What one fund pays at discharge, by the agency's system."""

    fund: Name
    layer: Layer
    amount_fen: Fen


class AgencyAnswer(msgspec.Struct, frozen=True):
    """The agency's decision on one question; fields that we do not know are let be."""

    question_id: str
    funds: list[AgencyFund]
    deductible_fen: Fen
    person_fen: Fen
    account_fen: Fen = 0


class Case(msgspec.Struct, frozen=True):
    """What one decision rests on: person, stay, year, filing, settlement period of the year."""

    person: PersonRow
    facts: StayFacts
    totals: AccumulatorTotals
    how: Filed
    period: int

    def by_engine(self, home: Home) -> BenefitResult:
        """Return our engine's decision; refuses as `benefit.decide`."""
        return decide(home, self.person, self.facts, self.totals, self.how, self.period)

    def question(self, question_id: str) -> bytes:
        """Return what the agency's system is asked: no name, no id number."""
        person = {
            field: getattr(self.person, field)
            for field in ("person_key", "admdvs", "scheme", "person_type", "tier", "category")
        }
        bill = bill_of(self.person, self.facts, self.totals, self.how, self.period)
        return canonical.encode(
            {
                "question_id": question_id,
                "person": person,
                "stay": msgspec.to_builtins(self.facts),
                "before": msgspec.to_builtins(self.totals),
                "filing": self.how.filing,
                "admission_number": bill.admission_number,
                "period_number": self.period,
            }
        )

    def by_agency(self, home: Home, question_id: str, asked: Consulted | None) -> BenefitResult:
        """Return the agency's decision; refuses AGENCY_ANSWER, or asks for another question."""
        if asked is None or asked.question != self.question(question_id):
            raise NotConsulted(question_id)
        answer = self._checked(asked.answer, question_id)
        digest = canonical.digest(asked.answer)
        in_scope = self.facts.totals.in_scope_fen
        area = home.region.area_of(self.person.admdvs, "settlement")
        paid = {each.layer: each.amount_fen for each in answer.funds}
        burden = in_scope - paid.get("pool", 0) - paid.get("large", 0)
        bill = bill_of(self.person, self.facts, self.totals, self.how, self.period)
        trace = [
            TraceRow(
                each.layer, AGENCY_RULE, 0, in_scope, BASIS * BASIS, each.amount_fen, 0, 1, digest
            )
            for each in answer.funds
        ]
        return BenefitResult(
            person_type=self.person.person_type,
            tier=bill.tier,
            category=bill.category,
            filing=self.how.filing,
            filing_rule=self.how.rule,
            admission_number=bill.admission_number,
            period_number=self.period,
            funds=[
                FundPayment(
                    each.fund,
                    each.layer,
                    purses.purse_id(area.id, self.person.scheme, each.fund),
                    each.amount_fen,
                )
                for each in answer.funds
            ],
            announced=[],
            hospital_fen=0,
            person_fen=answer.person_fen,
            account_fen=answer.account_fen,
            deductible_fen=answer.deductible_fen,
            pool_self_fen=burden - answer.deductible_fen,
            large_self_fen=0,
            burden_fen=burden,
            rounding_residual_fen=0,
            before=self.totals,
            book_id=AGENCY_RULE,
            book_digest=digest,
            book_status="draft" if self.how.on_draft else "adopted",
            overlay_digest=self.how.overlay_digest,
            trace=trace,
        )

    def _checked(self, raw: bytes, question_id: str) -> AgencyAnswer:
        try:
            answer = msgspec.json.decode(raw, type=AgencyAnswer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
            raise Refused("AGENCY_ANSWER", fault=str(fault)) from None
        totals = self.facts.totals
        layers = [each.layer for each in answer.funds]
        names = {each.fund for each in answer.funds}
        paid = sum(each.amount_fen for each in answer.funds)
        burden = totals.in_scope_fen - sum(
            each.amount_fen for each in answer.funds if each.layer in {"pool", "large"}
        )
        for wrong, what in (
            (answer.question_id != question_id, "it answers another question"),
            ("pool" not in layers or len({*layers}) != len(layers), "each fund once, pool too"),
            (len(names) != len(layers), "one fund in two layers"),
            (paid + answer.person_fen != totals.total_fen, "funds and person are not the total"),
            (paid > totals.in_scope_fen, "funds pay more than is in scope"),
            (answer.deductible_fen > burden, "the deductible is more than the person bears"),
            (answer.account_fen > answer.person_fen, "the account pays more than the person"),
        ):
            if wrong:
                raise Refused("AGENCY_ANSWER", fault=what)
        return answer


def note(tx: Transaction, row: DecisionRow, case: Case, theirs: BenefitResult) -> None:
    """Keep what our engine would have decided otherwise; nothing where it agrees."""
    code, causes = None, ""
    differences: list[dict[str, str | int]] = []
    try:
        found = _differences(tx.home, row, case, theirs)
        if not found:
            return
        causes, differences = found
    except Refused as refused:
        code = refused.code
    shadow = ShadowRow(
        visited_member=row.visited_member,
        settlement_id=row.settlement_id,
        decision_no=row.decision_no,
        code=code,
        causes=causes,
        differences=canonical.encode(differences),
        at=tx.now_at,
    )
    tx.add(SHADOWS, shadow)
    content_id = f"{row.visited_member}/{row.settlement_id}"
    journal.append(tx, SHADOW_KIND, content_id, canonical.encode(shadow_content(shadow)))


def shadow_content(row: ShadowRow) -> dict[str, object]:
    """Return a recorded difference as it is journaled and listed; amounts are fen."""
    return {
        "visited_member": row.visited_member,
        "settlement_id": row.settlement_id,
        "decision_no": row.decision_no,
        "code": row.code or "",
        "causes": row.causes,
        "differences": canonical.decode(row.differences),
    }


def _differences(
    home: Home, row: DecisionRow, case: Case, theirs: BenefitResult
) -> tuple[str, list[dict[str, str | int]]] | None:
    """Return (causes, figures that differ); None where the engine decides the same."""
    on = day(case.facts.period_to_on)
    book = book_for(home, case.person, on)
    bill = bill_of(case.person, case.facts, case.totals, case.how, case.period)
    before = used_before(case.totals)
    ours = settle(tables_of(book), bill, before, case.how.cut)
    paid = {each.layer: each.amount_fen for each in theirs.funds}
    figures: Figures = {
        "deductible": theirs.deductible_fen,
        **{name: paid.get(name, 0) for name in FUNDS},
        "person_total": theirs.person_fen,
    }
    asked = AuditCase(tables=tables_of(book), bill=bill, before=before, cut=case.how.cut)
    as_row = Row(
        line=row.decision_no,
        settlement_id=row.settlement_id,
        person_id=case.person.person_key,
        settled_on=on,
        order=row.decision_no,
        book_id=book.book_id,
        bill=bill,
        before=before,
        theirs=figures,
    )
    found = compare(figures, figures_of(ours))
    if not found:
        return None
    causes = explain(asked, as_row, ours, Books(home.shelf, home.region), [])
    told = "|".join(dict.fromkeys(cause.key for cause in causes))
    return told, [
        {"figure": each.figure, "theirs_fen": each.theirs_fen, "ours_fen": each.ours_fen}
        for each in found
    ]
