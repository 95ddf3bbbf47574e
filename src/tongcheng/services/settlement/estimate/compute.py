"""The estimate: one decision for a stay that is not there, and the same with one thing changed."""

from collections.abc import Iterator

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement import engine, readings
from tongcheng.services.settlement.benefit import (
    Filed,
    bill_of,
    book_for,
    decide,
    filed_between,
    used_before,
)
from tongcheng.services.settlement.estimate.model import (
    ELSEWHERE,
    Estimate,
    Question,
    Unknown,
    WhatIf,
)
from tongcheng.services.settlement.explain import explain
from tongcheng.services.settlement.explaining import books_of
from tongcheng.services.settlement.model import (
    AccumulatorTotals,
    BenefitResult,
    ScopeTotals,
    StayFacts,
)
from tongcheng.services.settlement.rule_words import RuleWords, rule_words
from tongcheng.services.settlement.rules import AT_HOME, LEVELS, Filing
from tongcheng.services.settlement.store import PersonRow

NOBODY = "0" * 64
OTHER_PROVINCE = "999999"
"""A division that lies in no region."""
AWAY: tuple[Filing, ...] = ("long_stay", "referral", "emergency", "other")


class _Case(msgspec.Struct, frozen=True):
    """A question in the terms of a decision."""

    person: PersonRow
    facts: StayFacts
    before: AccumulatorTotals
    how: Filed


def estimate(home: Home, question: Question) -> Estimate | Unknown:
    """Return what a stay would cost the person, or why nobody can say.

    Refused like a settlement: a figure that no source gives is named, never replaced.
    """
    try:
        result = result_of(home, question)
    except Refused as refused:
        return Unknown(refused, unknown_rule(home, question, refused))
    case = _case(home, question)
    matters = case.how.filing not in AT_HOME
    book = book_for(home, case.person, question.on)
    found, silent = _readings(book, case, result.person_fen)
    return Estimate(
        question=question,
        result=result,
        explanation=explain(case.facts.totals, result, None, books_of(home, result)),
        what_ifs=(*_changed(home, question, result.person_fen, matters=matters), *found),
        filing_matters=matters,
        silent_readings=silent,
    )


def result_of(home: Home, question: Question) -> BenefitResult:
    """Return the decision there would be; refuses as `benefit.decide`."""
    case = _case(home, question)
    return decide(home, case.person, case.facts, case.before, case.how)


def division(home: Home, area: str) -> str:
    """Return the division code that stands for a pooling area."""
    if area == ELSEWHERE:
        return OTHER_PROVINCE
    return home.region.area(area).prefixes[0].ljust(6, "0")


def unknown_rule(home: Home, question: Question, refused: Refused) -> RuleWords | None:
    """Return what the books say of the figure that a refusal names, if it is about a figure."""
    if refused.code != "RULE_UNKNOWN":
        return None
    path, named = str(refused.facts["rule"]), str(refused.facts["book"])
    for book in home.shelf:
        if named in {book.book_id, book.digest} and book.covers(question.on):
            return rule_words({book.digest: book}, book.digest, path)
    return None


def _case(home: Home, question: Question) -> _Case:
    on = question.on.isoformat()
    totals = ScopeTotals(question.in_scope_fen, 0, 0, 0, question.in_scope_fen)
    insured = division(home, question.area)
    person = PersonRow(
        person_key=NOBODY,
        id_index=NOBODY,
        admdvs=insured,
        scheme=question.scheme,
        person_type=question.person_type,
        tier=question.tier,
        category=question.category,
        identity=b"",
        added_at=0,
    )
    facts = StayFacts(
        stay_id=NOBODY,
        period=1,
        period_from_on=on,
        period_to_on=on,
        final=True,
        person_id=NOBODY,
        scheme=question.scheme,
        insured_admdvs=insured,
        institution_id=NOBODY,
        institution_admdvs=division(home, question.visited),
        hospital_level=question.hospital_level,
        hospital_subtype=question.hospital_subtype,
        emergency=question.filing == "emergency",
        admitted_on=on,
        discharged_on=on,
        totals=totals,
        catalogue=NOBODY,
        lines_root=NOBODY,
        line_count=0,
    )
    before = AccumulatorTotals(
        year=question.on.year,
        pool_paid_fen=question.pool_used_fen,
        large_paid_fen=0,
        deductible_paid_fen=0,
        admissions=question.admission_number - 1,
        burden_fen=0,
        catastrophic_paid_fen=0,
        assistance_paid_fen=0,
        origins={},
    )
    return _Case(person, facts, before, _filed(home, question))


def _filed(home: Home, question: Question) -> Filed:
    """Return how the stay would count as filed."""
    insured, visited = division(home, question.area), division(home, question.visited)
    return filed_between(home, question.on, insured, visited, lambda _: question.filing)


def _changed(home: Home, question: Question, base_fen: int, *, matters: bool) -> Iterator[WhatIf]:
    """Return the same stay at other levels, filed otherwise, and as another admission."""
    replace = msgspec.structs.replace
    for level in LEVELS:
        if level != question.hospital_level:
            other = replace(question, hospital_level=level)
            yield _what_if(home, "level", str(level), other, base_fen)
    for filing in AWAY if matters else ():
        if filing != question.filing:
            yield _what_if(home, "filing", filing, replace(question, filing=filing), base_fen)
    number = 1 if question.admission_number > 1 else 2
    other = replace(question, admission_number=number)
    yield _what_if(home, "admission", str(number), other, base_fen)


def _what_if(home: Home, kind: str, value: str, question: Question, base_fen: int) -> WhatIf:
    facts: dict[str, object] = {"kind": kind, "value": value}
    try:
        person_fen = result_of(home, question).person_fen
    except Refused as refused:
        rule = unknown_rule(home, question, refused)
        return _made({**facts, "person_fen": None, "difference_fen": None}, refused, rule)
    return _made({**facts, "person_fen": person_fen, "difference_fen": person_fen - base_fen})


def _made(
    facts: dict[str, object], refused: Refused | None = None, rule: RuleWords | None = None
) -> WhatIf:
    found = msgspec.convert(facts, WhatIf)
    return msgspec.structs.replace(found, refused=refused, rule=rule)


def _readings(book: RuleBook, case: _Case, base_fen: int) -> tuple[list[WhatIf], int]:
    """Return what other sources would make of it, and how many of them make no difference."""
    bill = bill_of(case.person, case.facts, case.before, case.how, 1)
    found, silent = [], 0
    for reading in readings.readings(book)[1:]:
        refused, person_fen = reading.refused, None
        if reading.tables is not None:
            try:
                benefit = engine.settle(
                    reading.tables, bill, used_before(case.before), case.how.cut
                )
                person_fen = benefit.person_in_scope_fen
            except Refused as unknown:
                refused = unknown
        if person_fen == base_fen:
            silent += 1
            continue
        found.append(
            WhatIf(
                kind="reading",
                value=reading.path,
                person_fen=person_fen,
                difference_fen=None if person_fen is None else person_fen - base_fen,
                refused=refused,
                title=reading.title,
                stated=reading.value,
                rule=rule_words({book.digest: book}, book.digest, reading.path),
            )
        )
    return found, silent
