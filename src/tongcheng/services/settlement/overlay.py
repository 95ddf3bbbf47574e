"""The region's rule book on stays elsewhere (kind `cross_region`): how a stay counts as filed.

A filing (备案) made beforehand decides how much lower the fund's ratio is than at home. The cut is
subtractive: 0.85 less 10 points is 0.75. Within a region that has agreed so, every insured person
counts as filed (视同备案) and nothing is cut. Source: 医保发〔2022〕22号 and its 经办规程.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import parse_scaled
from tongcheng.kernel.region import Prefix
from tongcheng.kernel.rulebook import Problem, RuleBook, RuleValue
from tongcheng.services.settlement.rules import Filing
from tongcheng.services.settlement.tables import BASIS, UNKNOWN, Cut, RuleRef

KIND: Final = "cross_region"
YES: Final = "yes"
NO: Final = "no"
RATIO_DIGITS: Final = 4


class _Schema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Part of the book as it is written."""


class FilingCut(_Schema, frozen=True):
    """What is subtracted from the ratio of every band for some ways of filing."""

    filings: tuple[Filing, ...]
    cut: RuleValue


class Deemed(_Schema, frozen=True):
    """Divisions (prefixes) between which every insured person counts as filed."""

    between: Annotated[tuple[Prefix, ...], Meta(min_length=1)]
    filed: RuleValue


class Principle(_Schema, frozen=True):
    """A rule in words that no amount is computed from."""

    text: dict[str, str]
    rule: RuleValue


class OverlayRules(_Schema, frozen=True):
    """The `rules` of a book of kind `cross_region`."""

    filing: tuple[FilingCut, ...]
    emergency_filed: RuleValue
    deemed: tuple[Deemed, ...] = ()
    principles: tuple[Principle, ...] = ()


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled book of kind `cross_region`."""

    book_id: str
    digest: str
    emergency_filed: bool
    cuts: dict[Filing, Cut]
    deemed: tuple[tuple[tuple[str, ...], RuleRef], ...]

    def deemed_between(self, insured_admdvs: str, visited_admdvs: str) -> RuleRef | None:
        """Return the rule by which a stay counts as filed, None where none does."""
        for prefixes, ref in self.deemed:
            if all(each.startswith(prefixes) for each in (insured_admdvs, visited_admdvs)):
                return ref
        return None

    def cut(self, filing: Filing) -> Cut:
        """Return what a way of filing takes off; what the book does not mention is unknown."""
        return self.cuts.get(
            filing, Cut(UNKNOWN, RuleRef(self.digest, "rules.filing"), self.book_id)
        )


def read_overlay(book: RuleBook) -> OverlayRules:
    """Read a book's `rules` by the schema; refuses RULE_BOOK_KIND and RULE_BOOK_SCHEMA."""
    if book.kind != KIND:
        raise Refused("RULE_BOOK_KIND", book=book.book_id, kind=book.kind, expected=KIND)
    try:
        return msgspec.convert(book.document["rules"], OverlayRules)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at ")
        path = "rules" + where.strip("`").removeprefix("$")
        raise Refused("RULE_BOOK_SCHEMA", book=book.book_id, path=path, fault=what) from None


def compile_overlay(book: RuleBook) -> Overlay:
    """Compile the book; refuses as `read_overlay`, and RULE_BOOK_NUMBER for what is no ratio."""
    rules = read_overlay(book)
    cuts: dict[Filing, Cut] = {}
    for at, row in enumerate(rules.filing):
        path = f"rules.filing[{at}].cut"
        for filing in row.filings:
            if filing in cuts:
                fault = f"{filing} is set twice"
                raise Refused("RULE_BOOK_SCHEMA", book=book.book_id, path=path, fault=fault)
            points = _points(book, row.cut, path)
            cuts[filing] = Cut(points, RuleRef(book.digest, path), book.book_id)
    deemed = tuple(
        (row.between, RuleRef(book.digest, f"rules.deemed[{at}].filed"))
        for at, row in enumerate(rules.deemed)
        if _yes(book, row.filed, f"rules.deemed[{at}].filed")
    )
    return Overlay(
        book_id=book.book_id,
        digest=book.digest,
        emergency_filed=_yes(book, rules.emergency_filed, "rules.emergency_filed"),
        cuts=cuts,
        deemed=deemed,
    )


def _yes(book: RuleBook, value: RuleValue, path: str) -> bool:
    """Return whether a rule says yes; one that nobody knows grants nothing."""
    if value.value not in {YES, NO, None}:
        fault = f"{value.value}, expected {YES} or {NO}"
        raise Refused("RULE_BOOK_SCHEMA", book=book.book_id, path=path, fault=fault)
    return value.value == YES


def _points(book: RuleBook, value: RuleValue, path: str) -> int:
    if value.value is None:
        return UNKNOWN
    try:
        points = parse_scaled(value.value, RATIO_DIGITS)
    except Refused:
        points = -1
    if not 0 <= points <= BASIS:
        raise Refused("RULE_BOOK_NUMBER", book=book.book_id, path=path, value=value.value)
    return points


def check_overlay(book: RuleBook) -> list[Problem]:
    """List what compilation would refuse, as problems."""
    try:
        compile_overlay(book)
    except Refused as refused:
        detail = str(refused.facts.get("fault") or refused.facts.get("value") or "")
        return [Problem(str(refused.facts.get("path", "rules")), refused.code, detail)]
    return []
