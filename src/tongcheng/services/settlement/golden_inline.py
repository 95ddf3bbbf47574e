"""A rule book that stands inside a golden case, made into a benefit rule book.

Three shapes are understood, and may be mixed section by section: a whole rule book document; what
stands under its `rules`, figures as full values or as plain scalars; and the plain shape in which
policies are collected (docs/golden.md lists its keys). Plain sections are read for the one case
that asks: of several rows the most specific that applies. What a rule leaves out is neutral: no
deductible, no cap, no second fund; what it says and we do not understand is refused by name.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from tongcheng.kernel import rulebook
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.golden_form import form
from tongcheng.services.settlement.golden_sections import (
    cover,
    deductible,
    fill_caps,
    funds_of,
    of_admissions,
)
from tongcheng.services.settlement.golden_shapes import (
    Figure,
    Ground,
    Keys,
    Node,
    as_list,
    as_row,
    chosen,
    fen,
    figure,
    fits,
    is_for_people,
    lift,
    limit,
    most_specific,
    steps,
    subtypes_named,
)
from tongcheng.services.settlement.rules import FILINGS, KIND, PERSON_TYPES, BenefitRules

_HEAD: Final = frozenset(
    {"book_id", "kind", "title", "admdvs", "scheme", "effective", "sources", "status", "policy"}
)
_FOR_PEOPLE: Final = frozenset({"lesson", "legal_basis", "class_b_first_self_pay"})
_PERIOD: Final = {
    "bands": "settlement_period",
    "deductible": "calendar_year",
    "cap": "calendar_year",
    "year_of": "discharge",
    "further_periods": "as_later_admission",
}
_AWAY: Final[list[Plain]] = [each for each in FILINGS if each not in {"local", "deemed"}]


def book_of(inline: Node, ground: Ground) -> RuleBook:
    """Return the rule book that a case brings; refuses GOLDEN_FORM, and what a book refuses."""
    where = f"{ground.case_id}.inline_book"
    head = {name: inline[name] for name in _HEAD if name in inline}
    sections = {name: value for name, value in inline.items() if name not in _HEAD}
    if "rules" in sections:
        rules = sections.pop("rules")
        Keys(sections, where).done()
        if not isinstance(rules, dict):
            raise form(where=f"{where}.rules", fault="a mapping is expected")
        sections = rules
    schemes = [name for name in ("employee", "resident") if name in sections]
    if schemes:
        sections = _scheme(sections, ground, where)
    rules = _Rules(ground, where).of(sections)
    document: Node = {
        "book_id": f"case-{ground.case_id}",
        "kind": KIND,
        "title": {"zh": "算例自带的规则", "en": "the case's own rule"},
        "admdvs": "000000",
        "scheme": "000",
        "effective": {"from": "1900-01-01", "to": None},
        "sources": {"case": {"what": "the golden case itself"}},
    }
    if "rules" in inline:
        document |= {name: value for name, value in head.items() if name != "policy"}
    return rulebook.from_document({**document, "rules": rules})


def _scheme(sections: Node, ground: Ground, where: str) -> Node:
    """Return the half of a policy that speaks about the person: employees or residents."""
    keys = Keys(sections, where)
    halves = {name: keys.take(name) for name in ("employee", "resident")}
    keys.take(*_FOR_PEOPLE.intersection(sections))
    keys.done()
    name = "employee" if ground.who.type in {"active", "retired"} else "resident"
    half = halves[name]
    if not isinstance(half, dict):
        raise form(where=f"{where}.{name}", fault="the book says nothing about this person")
    return {key: value for key, value in half.items() if key not in _HEAD}


class _Rules:
    """Collects the sections of one inline book."""

    def __init__(self, ground: Ground, where: str) -> None:
        self._ground = ground
        self._where = where
        self._rules: Node = {}
        self._adjustments: list[Plain] = []
        self._filing: list[Plain] = []
        self._total: Figure | None = None

    def of(self, sections: Node) -> Node:
        """Return the `rules` of a book, each section read, what is missing neutral."""
        handlers: dict[str, Callable[[Plain], None]] = {
            "deductible": self._deductible,
            "deductible_and_ratio": self._deductible_and_ratio,
            "bands": self._bands,
            "bands_on_excess": self._bands_on_excess,
            "rounding": self._rounding,
            "retiree": self._retiree,
            "pool_cap": self._pool_cap,
            "cap": self._pool_cap,
            "large": self._large,
            "large_fund": self._large,
            "catastrophic": lambda node: self._cover("catastrophic", node),
            "assistance": lambda node: self._cover("assistance", node),
            "out_of_province": self._out_of_province,
        }
        given = {name: value for name, value in sections.items() if name in _FLAT}
        flat = Keys(
            {name: value for name, value in given.items() if value is not None}, self._where
        )
        first, later = flat.take("deductible_first"), flat.take("deductible_later")
        if first is not None or later is not None:
            both = {"first": first, "later": later}
            self._deductible({name: value for name, value in both.items() if value is not None})
        # The deductible first: a band may begin where it ends.
        for name in sorted(sections, key=lambda name: not name.startswith("deductible")):
            if sections[name] is None and name not in _UNKNOWN_IF_NULL:
                continue
            if name in handlers:
                where = f"{self._where}.{name}"
                handlers[name](chosen(sections[name], self._ground, where))
            elif name in _OURS and name not in _FLAT:
                self._rules[name] = lift(sections[name], _OURS[name], f"{self._where}.{name}")
            elif name not in _FLAT and name not in _FOR_PEOPLE and not is_for_people(name):
                raise form(self._where, f"{name} is not supported here")
        self._flat(flat)
        self._fill()
        return self._rules

    def _set(self, name: str, value: Plain) -> None:
        if name in self._rules:
            raise form(self._where, f"{name} is said twice")
        self._rules[name] = value

    def _rows(self, node: Plain, name: str) -> list[tuple[int, Keys]]:
        """Return the rows that are about the case, each with the number of its selectors."""
        nodes = as_list(node)
        named = subtypes_named(nodes)
        found = []
        for at, each in enumerate(nodes):
            row = Keys(as_row(each), f"{self._where}.{name}[{at}]")
            count = fits(row, self._ground, named)
            if count is not None:
                found.append((count, row))
        return found

    def _deductible(self, node: Plain) -> None:
        where = f"{self._where}.deductible"
        if isinstance(node, dict) and "rows" in node:
            given = {"basis": "each_admission", **node}
            self._set("deductible", lift(given, _OURS["deductible"], where))
        elif isinstance(node, list):
            self._set("deductible", deductible(self._rows(node, "deductible"), self._ground, where))
        else:
            self._set("deductible", of_admissions(node, where))

    def _bands(self, node: Plain) -> None:
        where = f"{self._where}.bands"
        if any(isinstance(each, dict) and "steps" in each for each in as_list(node)):
            self._set("bands", lift(node, _OURS["bands"], where))
            return
        if not isinstance(node, list):
            node = [node if isinstance(node, dict) and "value" not in node else {"ratio": node}]
        rows: list[tuple[int, Keys]] = []
        for count, row in self._rows(node, "bands"):
            if "add_points" in row or "personal_share_times" in row:
                self._adjust(row)
            elif "pool_cap" in row:
                self._pool_cap(row.take("pool_cap"))
                row.done()
            elif not row.empty:
                rows.append((count, row))
        self._set("bands", [{"steps": self._steps(rows, where)}])

    def _bands_on_excess(self, node: Plain) -> None:
        """Read bands whose limits count from what the case's admission bears first."""
        where = f"{self._where}.bands_on_excess"
        begins = self._begins(later=self._ground.number > 1)
        if begins is None:
            raise form(where, "the deductible is no plain amount")
        rows = self._rows(node, "bands_on_excess")
        self._set("bands", [{"steps": self._steps(rows, where, begins)}])

    def _rounding(self, node: Plain) -> None:
        if node not in ("half_up", "half-up"):
            raise form(self._where, f"rounding {node} is not supported, only half_up")

    def _steps(self, rows: list[tuple[int, Keys]], where: str, shift_fen: int = 0) -> list[Plain]:
        most = max((count for count, _ in rows), default=0)
        best = []
        for count, row in rows:
            ratio = row.figure("ratio", "fund_ratio", "rate")
            if ratio is None:
                raise form(row.where, "a band without a ratio")
            if count == most:
                best.append((ratio, row))
        return steps(best, where, self._begins(), shift_fen)

    def _begins(self, *, later: bool = False) -> int | None:
        """Return what a first or a later admission bears in fen, None if it is no plain amount."""
        section = self._rules.get("deductible")
        if section is None:
            return 0
        rows = section.get("rows") if isinstance(section, dict) else None
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("admission") == ("later" if later else "first"):
                amount = row.get("amount")
                return fen(amount, self._where) if isinstance(amount, dict) else None
        return None

    def _adjust(self, row: Keys) -> None:
        name = "add_points" if "add_points" in row else "personal_share_times"
        value = row.figure(name)
        assert value is not None, "the key was seen"
        self._adjustments.append({name: value})
        row.done()

    def _deductible_and_ratio(self, node: Plain) -> None:
        where = f"{self._where}.deductible_and_ratio"
        row = most_specific(self._rows(node, "deductible_and_ratio"), where)
        if row is None:
            raise form(where, "no row applies to the case")
        amount, ratio = row.figure("deductible"), row.figure("ratio")
        if amount is None or ratio is None:
            raise form(row.where, "deductible and ratio are expected")
        row.done()
        self._set("deductible", of_admissions(amount, where))
        self._set("bands", [{"steps": [{"ratio": ratio}]}])

    def _retiree(self, node: Plain) -> None:
        where = f"{self._where}.retiree"
        keys = Keys(node if isinstance(node, dict) else {"factor": node}, where)
        rule = keys.take("rule")
        names = {
            "personal_share_times": ("factor", "personal_share_times"),
            "add_points": ("points", "add_points"),
        }
        given = [name for name, words in names.items() if any(word in keys for word in words)]
        if len(given) != 1 or rule not in {None, given[0]}:
            raise form(where, "either personal_share_times with a factor, or add_points")
        value = keys.figure(*names[given[0]])
        keys.done()
        if self._ground.who.type == "retired":
            self._adjustments.append({given[0]: value})

    def _pool_cap(self, node: Plain) -> None:
        where = f"{self._where}.pool_cap"
        if isinstance(node, list):
            node = self._dated(node, where)
        if isinstance(node, dict) and "amount" in node:
            keys = Keys(node, where)
            node = keys.take("amount")
            keys.done()
        self._set("pool_cap", limit(node, where))

    def _dated(self, nodes: list[Plain], where: str) -> Plain:
        """Return the row that is in force on the day of the case."""
        on = "" if self._ground.on is None else self._ground.on.isoformat()
        if not on:
            raise form(where, "the cap has dates, and settled_on is missing")
        found: list[Plain] = []
        for at, node in enumerate(nodes):
            row = Keys(node, f"{where}[{at}]")
            first, last = row.take("from"), row.take("to")
            if str(first or "") <= on and (last is None or on <= str(last)):
                found.append({"amount": row.take("amount")})
                row.done()
        if len(found) != 1:
            raise form(where, f"{len(found)} rows are in force on {on}")
        return found[0]

    def _large(self, node: Plain) -> None:
        where = f"{self._where}.large"
        row = most_specific(self._rows(node, "large"), where)
        if row is None:
            return
        ratio, cap = row.figure("ratio"), row.take("cap")
        row.done()
        if ratio is None:
            raise form(row.where, "a ratio is expected")
        made: Node = {"ratio": ratio}
        if cap is not None:
            made["cap"] = figure(cap, where)
        self._set("large", [made])

    def _cover(self, layer: str, node: Plain) -> None:
        where = f"{self._where}.{layer}"
        if isinstance(node, dict) and "terms" in node:
            self._set(layer, lift(node, _OURS[layer], where))
            return
        row = most_specific(self._rows(node, layer), where)
        if row is None or row.empty:
            return
        self._set(layer, {"title": {"zh": layer, "en": layer}, "terms": [cover(row, self._ground)]})

    def _out_of_province(self, node: Plain) -> None:
        filings: dict[str, list[Plain]] = {"filed_referral": ["referral"], "unfiled": ["other"]}
        for at, each in enumerate(as_list(node)):
            row = Keys(each, f"{self._where}.out_of_province[{at}]")
            for name, words in filings.items():
                if name in row:
                    terms = Keys(row.take(name), row.where)
                    own = {"deductible": terms.figure("deductible"), "ratio": terms.figure("ratio")}
                    terms.done()
                    given = {key: value for key, value in own.items() if value is not None}
                    self._filing.append({"filings": words, **given})
            row.done()

    def _flat(self, keys: Keys) -> None:
        """Read single figures by their everyday names."""
        if "ratio" in keys:
            self._bands(chosen(keys.take("ratio"), self._ground, f"{self._where}.ratio"))
        if "retiree_factor" in keys:
            self._retiree({"factor": keys.take("retiree_factor")})
        if "retiree_points" in keys:
            self._retiree({"points": keys.take("retiree_points")})
        if "large_ratio" in keys:
            self._large({"ratio": keys.take("large_ratio"), "cap": keys.take("large_cap")})
        self._total = keys.figure("total_cap")
        cut = keys.figure("cut", "ratio_cut_points")
        if cut is not None:
            self._filing.append({"filings": _AWAY, "cut": cut})
        keys.done()

    def _fill(self) -> None:
        """Put in what the case's rule leaves out, so that it changes nothing."""
        rules, where = self._rules, self._where
        rules.setdefault("persons", list(PERSON_TYPES))
        period = rules.get("period")
        given = period if isinstance(period, dict) else {}
        neutral: Node = {name: figure(word, where) for name, word in _PERIOD.items()}
        rules["period"] = neutral | {
            name: value for name, value in given.items() if not is_for_people(name)
        }
        rules.setdefault("deductible", of_admissions("0", where))
        if "bands" not in rules:
            raise form(where, "no ratio: bands, ratio, or deductible_and_ratio")
        fill_caps(rules, self._total, where)
        for name, rows in (("adjustments", self._adjustments), ("filing", self._filing)):
            before = rules.get(name)
            if rows or before:
                rules[name] = [*(before if isinstance(before, list) else []), *rows]
        rules.setdefault("funds", funds_of(rules, where))


_OURS: Final = {field.name: field.type for field in msgspec.structs.fields(BenefitRules)}
"""Sections of our own schema, with their types."""
_UNKNOWN_IF_NULL: Final = frozenset({"deductible", "bands"})
"""Sections that a stay always needs; any other that is null is not there."""
_FLAT: Final = frozenset(
    {
        "deductible_first",
        "deductible_later",
        "ratio",
        "retiree_factor",
        "retiree_points",
        "large_ratio",
        "large_cap",
        "total_cap",
        "cut",
        "ratio_cut_points",
    }
)
"""Everyday names of single figures."""
