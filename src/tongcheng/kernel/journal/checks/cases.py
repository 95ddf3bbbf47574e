"""Cases: every one rebuilt from its hand-overs in the journal, and held against its rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.cases.handover import (
    HANDOVER_KIND,
    HandOver,
    applied,
    content_id,
    words_digest,
)
from tongcheng.kernel.cases.kind import OPEN, CaseKind
from tongcheng.kernel.cases.reading import salted_words
from tongcheng.kernel.cases.tables import (
    CASE_LEGS,
    CASE_PARTIES,
    CASE_RECEIPTS,
    CASE_TABLES,
    CASE_WORDS,
    CASES,
    CaseRow,
    LegRow,
    PartyRow,
    ReceiptRow,
)
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import JOURNAL_CONTENTS, JOURNAL_LEAVES, LeafRow, leaf_of
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Records

_LEAVES = "SELECT content_id FROM journal_leaves WHERE kind = ?"


def cases(kinds: Sequence[CaseKind]) -> Check:
    """Return the check of all cases; a move of one of these kinds must stand in its table."""
    by_name = {kind.name: kind for kind in kinds}

    def look(view: View) -> Iterator[Finding]:
        known: set[str] = set()
        for case in view.stream(CASES):
            known |= {content_id(case.case_id, number) for number in range(1, case.handed + 1)}
            yield from _of_case(view, by_name, case)
        for (key,) in view.snapshot.stream(_LEAVES, HANDOVER_KIND):
            if key not in known:
                yield finding(CASES, key, "the journal has a hand-over that no case has")
        yield from _strays(view)

    return Check("cases", (*CASE_TABLES, JOURNAL_CONTENTS, JOURNAL_LEAVES), look)


def _strays(view: View) -> Iterator[Finding]:
    """Name rows of cases that do not exist."""
    for table in (CASE_PARTIES, CASE_LEGS, CASE_RECEIPTS, CASE_WORDS):
        rows: Records[Any] = table
        sql = (
            f"SELECT {', '.join(rows.key)} FROM {rows.name} t WHERE NOT EXISTS "  # noqa: S608
            "(SELECT 1 FROM cases c WHERE c.case_id = t.case_id)"
        )
        for key in view.keys_without(sql):
            yield finding(rows, key, "there is no such case")


def _of_case(view: View, kinds: Mapping[str, CaseKind], case: CaseRow) -> Iterator[Finding]:
    given: list[HandOver] = []
    erased = False
    for number in range(1, case.handed + 1):
        key = content_id(case.case_id, number)
        leaf = leaf_of(view.snapshot, HANDOVER_KIND, key)
        if leaf is None:
            yield of_row(CASES, case, f"hand-over {number} has no leaf in the journal")
            return
        receipt = view.snapshot.get(CASE_RECEIPTS, case.case_id, number)
        yield from _receipt_of(case, number, receipt, leaf)
        raw = view.content(HANDOVER_KIND, key)
        if raw is None:
            erased = True  # after retention: leaf and receipt stay, and are compared
            continue
        one = canonical.decode_as(raw, HandOver)
        given.append(one)
        if receipt is not None and _said(receipt) != (one.action, one.role, one.party, one.at):
            yield of_row(CASE_RECEIPTS, receipt, "the receipt differs from the journal")
        yield from _words(view, one)
    if not erased:
        yield from _moves(kinds.get(case.kind), case, given)
        yield from _rows(view, case, given)


def _said(receipt: ReceiptRow) -> tuple[str, str, str, int]:
    return receipt.action, receipt.role, receipt.party, receipt.at


def _receipt_of(
    case: CaseRow, number: int, receipt: ReceiptRow | None, leaf: LeafRow
) -> Iterator[Finding]:
    if receipt is None:
        key = content_id(case.case_id, number)
        yield finding(CASE_RECEIPTS, key, "is missing; the journal has the hand-over")
    elif (receipt.leaf_index, receipt.digest) != (leaf.leaf_index, leaf.digest):
        yield of_row(CASE_RECEIPTS, receipt, "the receipt does not name the journal's leaf")


def _words(view: View, given: HandOver) -> Iterator[Finding]:
    row = view.snapshot.get(CASE_WORDS, given.case_id, given.number)
    key = content_id(given.case_id, given.number)
    if row is None:
        if given.words:
            yield finding(CASE_WORDS, key, "what was said is missing")
        return
    try:
        salted = salted_words(view.home.ring, row.case_id, row.number, row.sealed)
    except Refused as damaged:
        yield of_row(CASE_WORDS, row, str(damaged))
        return
    if words_digest(salted) != given.words:
        yield of_row(CASE_WORDS, row, "what was said differs from the journal")


def _moves(kind: CaseKind | None, case: CaseRow, given: list[HandOver]) -> Iterator[Finding]:
    """Follow the kind's table from the start; a kind that is not registered has none here."""
    state: str | None = None
    for one in given if kind is not None else ():
        assert kind is not None, "the loop above is empty without a kind"
        follows = kind.first if state is None else kind.follow(state, one.action)
        if follows != one.state or (state is None) != (one.action == OPEN):
            yield of_row(CASES, case, f"hand-over {one.number} is no move of the table")
        state = one.state


def _rows(view: View, case: CaseRow, given: list[HandOver]) -> Iterator[Finding]:
    rebuilt: CaseRow | None = None
    open_leg: LegRow | None = None
    legs: dict[int, LegRow] = {}
    for one in given:
        rebuilt, ended, open_leg = applied(rebuilt, open_leg, one)
        legs |= {leg.number: leg for leg in (ended, open_leg) if leg is not None}
    if rebuilt != case:
        yield of_row(CASES, case, "the case is not what its hand-overs make of it")
    first = given[0].parties if given else {}
    parties = [PartyRow(case.case_id, role, first[role]) for role in sorted(first)]
    stored: tuple[tuple[Records[Any], list[Any]], ...] = (
        (CASE_PARTIES, parties),
        (CASE_LEGS, list(legs.values())),
    )
    for records, expected in stored:
        found = view.snapshot.select(records, case_id=case.case_id)
        if found != expected:
            key = _first_difference(records, found, expected)
            yield finding(records, key, "differs from the hand-overs in the journal")


def _first_difference(
    records: Records[Any], found: Sequence[msgspec.Struct], expected: Sequence[msgspec.Struct]
) -> str:
    """Return the key of the first row that is not there, or not the same, on both sides."""
    keys = {records.key_of(row): row for row in found}
    wanted = {records.key_of(row): row for row in expected}
    differing = [key for key in sorted({*keys, *wanted}) if keys.get(key) != wanted.get(key)]
    return "/".join(str(part) for part in differing[0])
