"""What a benefit rule book could also mean: each figure that sources dispute, each other reading.

A book keeps what contradicts it: `conflicts` beside a figure, `alternatives` beside its sections. A
reading is the book with one of them put in, compiled like the book itself, so that what contradicts
can be said in yuan. Readings decide nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from tongcheng.kernel import canonical, rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import engine
from tongcheng.services.settlement.bill import Accumulators, Bill
from tongcheng.services.settlement.compiler import compile_benefit
from tongcheng.services.settlement.outcome import Benefit
from tongcheng.services.settlement.tables import BenefitTables

OTHER_SOURCE: Final = Words("另一来源的说法", "What another source says")
"""The title of a reading that replaces one figure."""
ALTERNATIVES: Final = "rules.alternatives"


class Reading(NamedTuple):
    """One way to read a book, compiled; where that is refused, `refused` says why.

    `path` is empty for the book itself, else the disputed figure or the entry of `alternatives`;
    `value` is what the other source says of the figure (None: that it is not known).
    """

    path: str
    title: Words
    value: str | None
    sources: tuple[str, ...]
    remark: str | None
    tables: BenefitTables | None
    refused: Refused | None


def readings(book: RuleBook) -> tuple[Reading, ...]:
    """Return the book itself, then a reading per conflicting value, then one per alternative.

    Conflicts inside an alternative are not multiplied with it.
    """
    own = Words(book.title["zh"], book.title["en"])
    found = [_compiled(book, Reading("", own, None, (), None, None, None))]
    for path, value in rulebook.rule_values(book):
        if path.startswith(f"{ALTERNATIVES}["):
            continue
        for conflict in value.conflicts:
            sources = (conflict.source,) if isinstance(conflict.source, str) else conflict.source
            reading = Reading(
                path, OTHER_SOURCE, conflict.value, sources, conflict.remark, None, None
            )
            changed: dict[str, Plain] = {"value": conflict.value, "source": list(sources)}
            found.append(_compiled(_with(book, _put(book.document, path, changed)), reading))
    return (*found, *_alternatives(book))


def _alternatives(book: RuleBook) -> Iterator[Reading]:
    rules = book.document["rules"]
    entries = rules.get("alternatives", []) if isinstance(rules, dict) else []
    for at, entry in enumerate(entries if isinstance(entries, list) else []):
        if not isinstance(entry, dict) or not isinstance(entry.get("rules"), dict):
            continue  # the book itself is refused for it
        title, source, remark = entry.get("title"), entry.get("source"), entry.get("remark")
        reading = Reading(
            path=f"{ALTERNATIVES}[{at}]",
            title=msgspec.convert(title, Words),
            value=None,
            sources=(source,) if isinstance(source, str) else msgspec.convert(source, tuple[str]),
            remark=remark if isinstance(remark, str) else None,
            tables=None,
            refused=None,
        )
        yield _compiled(alternative(book, at), reading)


def other_readings(book: RuleBook) -> int:
    """Return how many alternatives a book has."""
    rules = book.document["rules"]
    entries = rules.get("alternatives", []) if isinstance(rules, dict) else []
    return len(entries) if isinstance(entries, list) else 0


def alternative(book: RuleBook, at: int) -> RuleBook:
    """Return the book with the sections of an alternative in the place of its rules'."""
    rules = book.document["rules"]
    assert isinstance(rules, dict), "the alternative was found there"
    entries = rules["alternatives"]
    assert isinstance(entries, list), "the same"
    entry = entries[at]
    assert isinstance(entry, dict), "the same"
    sections = entry["rules"]
    assert isinstance(sections, dict), "the same"
    merged = {key: value for key, value in rules.items() if key != "alternatives"} | sections
    return _with(book, {**book.document, "rules": merged})


def _with(book: RuleBook, document: dict[str, Plain]) -> RuleBook:
    """Return what the book would be with another document: a draft of its own digest."""
    digest = canonical.digest(canonical.encode(document))
    return msgspec.structs.replace(book, document=document, digest=digest, status="draft")


def _compiled(book: RuleBook, reading: Reading) -> Reading:
    try:
        return reading._replace(tables=compile_benefit(book))
    except Refused as refused:
        return reading._replace(refused=refused)


def steps_of(path: str) -> tuple[str | int, ...]:
    """Return a path's keys and places: `a.b[0].c` is ("a", "b", 0, "c")."""
    steps: list[str | int] = []
    for part in path.split("."):
        key, *places = part.replace("]", "").split("[")
        steps += [key, *map(int, places)]
    return tuple(steps)


def _put(
    document: Mapping[str, Plain], path: str, changed: Mapping[str, Plain]
) -> dict[str, Plain]:
    """Return a copy of a document whose mapping at a path has these entries instead of its own."""

    def put(node: Plain, steps: tuple[str | int, ...]) -> Plain:
        if not steps:
            assert isinstance(node, dict), path
            return {**node, **changed}
        step, rest = steps[0], steps[1:]
        if isinstance(node, list):
            return [put(each, rest) if at == step else each for at, each in enumerate(node)]
        assert isinstance(node, dict), path
        return {key: put(each, rest) if key == step else each for key, each in node.items()}

    copy = put(dict(document), steps_of(path))
    assert isinstance(copy, dict), path
    return copy


def settled(reading: Reading, bill: Bill, before: Accumulators) -> Benefit | Refused:
    """Return what a reading gives a bill, or why it gives none."""
    if reading.tables is None:
        assert reading.refused is not None, "a reading is compiled or refused"
        return reading.refused
    try:
        return engine.settle(reading.tables, bill, before)
    except Refused as refused:
        return refused


def difference(reading: Reading, base: Reading, bill: Bill, before: Accumulators) -> int | None:
    """Return how many fen more (less: negative) the person bears by a reading than by `base`.

    Of what is paid at discharge; None where either refuses the bill.
    """
    there, here = settled(reading, bill, before), settled(base, bill, before)
    if isinstance(there, Refused) or isinstance(here, Refused):
        return None
    return there.person_in_scope_fen - here.person_in_scope_fen


def announced(reading: Reading, bill: Bill, before: Accumulators) -> int | None:
    """Return what covers that pay later may pay by a reading (fen).

    None where it refuses the bill or does not know an announced amount.
    """
    benefit = settled(reading, bill, before)
    if isinstance(benefit, Refused):
        return None
    assert reading.tables is not None, "it was settled by them"
    covered = {layer for layer, category in reading.tables.covers if category == bill.category}
    known = [each.amount_fen for each in benefit.announced if each.fund in covered]
    return None if None in known else sum(fen for fen in known if fen is not None)
