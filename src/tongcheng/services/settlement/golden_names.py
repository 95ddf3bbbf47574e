"""Rule values by name: what a golden case overrides in the rule book it names.

A name is a path into the book (`rules.large[0].ratio`, also without `rules.`), the unambiguous end
of one (`pool_cap`, `factor`), or an everyday name, which means the figure that applies to the
case's own person, hospital and admission (`deductible_first`, `retiree_factor`, `band_2_ratio`).
"""

import copy
import re
from collections.abc import Iterator
from typing import Final

from tongcheng.kernel import rulebook
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.services.settlement.golden_form import form
from tongcheng.services.settlement.golden_shapes import Ground, Node, figure

EVERYDAY: Final = {
    "deductible": "deductible.rows[{admission}]",
    "deductible_first": "deductible.rows[first]",
    "first_deductible": "deductible.rows[first]",
    "deductible_later": "deductible.rows[later]",
    "later_deductible": "deductible.rows[later]",
    "ratio": "bands[].steps[].ratio",
    "band_ratio": "bands[].steps[].ratio",
    "retiree_factor": "adjustments[].personal_share_times",
    "retiree_points": "adjustments[].add_points",
    "large_ratio": "large[].ratio",
    "large_cap": "large[].cap",
    "large_fund_ratio": "large[].ratio",
    "large_fund_cap": "large[].cap",
    "catastrophic_deductible": "catastrophic.terms[].deductible",
    "catastrophic_ratio": "catastrophic.terms[].steps[].ratio",
    "catastrophic_cap": "catastrophic.terms[].cap",
    "assistance_deductible": "assistance.terms[].deductible",
    "assistance_ratio": "assistance.terms[].steps[].ratio",
    "assistance_cap": "assistance.terms[].cap",
}
"""Everyday name → the path with its places open, `first` and `later` the kind of admission."""
_BAND: Final = re.compile(r"(catastrophic_|assistance_)?band_([1-9])_(ratio|to)")
_PLACE: Final = re.compile(r"\[\d+\]")
_STEP: Final = re.compile(r"([a-z0-9_]+)((?:\[\d+\])*)")
_SHOWN_MAX: Final = 8
_FILING_FIGURES: Final = ("rules.filing", "rules.alternatives", "rules.reference")


def overridden(book: RuleBook, names: dict[str, Plain], ground: Ground) -> RuleBook:
    """Return the book with values put in by name; GOLDEN_FORM for an unknown or ambiguous name."""
    document = copy.deepcopy(book.document)
    for name, value in _flat(names):
        where = f"{ground.case_id}.overrides.{name}"
        path = _resolve(book, name.strip(), ground, where)
        holder, key = _holder(document, path)
        before = holder.get(key)
        given = figure(value, where)
        holder[key] = {**before, "value": given["value"]} if isinstance(before, dict) else given
        if path.startswith("rules.deductible.rows[") and key == "amount":
            for other in ("factor", "minus_each", "floor"):
                holder.pop(other, None)
    return rulebook.from_document(document)


def _flat(names: dict[str, Plain], prefix: str = "") -> Iterator[tuple[str, Plain]]:
    """Every name with its value; a mapping of names is a longer name (`deductible.first`)."""
    for name, value in names.items():
        if isinstance(value, dict) and value and not value.keys() & {"value", "amount"}:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _resolve(book: RuleBook, name: str, ground: Ground, where: str) -> str:
    """Return the one path that a name means for this case."""
    paths = [path for path, _ in rulebook.rule_values(book)]
    for path in (name, f"rules.{name}"):
        if path in paths:
            return path
    found = _everyday(book, paths, name.removeprefix("rules.").replace(".", "_"), ground)
    if not found:
        ends = [path for path in paths if path.endswith(f".{name}")]
        ends = ends or [path for path in paths if _PLACE.sub("", path).endswith(f".{name}")]
        found = ends if len(ends) == 1 else _applying(book, ends, ground)
    if len(found) == 1:
        return found[0]
    if not found:
        near = [path for path in paths if name.partition("_")[0] in path] or paths
        raise form(where, f"no such rule value; there are {_shown(near)}")
    raise form(where, f"it could be {_shown(found)}")


def _shown(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN_MAX} more" if len(paths) > _SHOWN_MAX else ""
    return ", ".join(path.removeprefix("rules.") for path in paths[:_SHOWN_MAX]) + more


def _everyday(book: RuleBook, paths: list[str], name: str, ground: Ground) -> list[str]:
    """Return the paths that an everyday name means, those that apply to the case."""
    band = _BAND.fullmatch(name)
    if band is not None:
        cover, number, field = band.groups()
        group = "bands[]" if cover is None else f"{cover.removesuffix('_')}.terms[]"
        end = f"steps[{int(number) - 1}].{field}"
        return _applying(book, [each for each in _open(paths, group) if each.endswith(end)], ground)
    shape = EVERYDAY.get(name)
    if shape is None:
        return []
    admission = "first" if ground.number == 1 else "later"
    shape = shape.format(admission=admission)
    if shape.startswith("deductible.rows"):
        return _deductible_rows(book, shape.rpartition("[")[2].rstrip("]"), ground)
    found = [each for each in paths if _PLACE.sub("[]", each) == f"rules.{shape}"]
    return _applying(book, found, ground)


def _open(paths: list[str], group: str) -> list[str]:
    return [path for path in paths if _PLACE.sub("[]", path).startswith(f"rules.{group}")]


def _deductible_rows(book: RuleBook, admission: str, ground: Ground) -> list[str]:
    """Return the amounts of the rows for one kind of admission, whether written or not."""
    node = _at(book.document, "rules.deductible.rows")
    rows = node if isinstance(node, list) else []
    found = [
        f"rules.deductible.rows[{at}].amount"
        for at, row in enumerate(rows)
        if isinstance(row, dict) and row.get("admission") == admission
    ]
    return _applying(book, found, ground)


def _applying(book: RuleBook, paths: list[str], ground: Ground) -> list[str]:
    """Return the paths whose rows are about the case; special terms for filing never are."""
    return [
        path
        for path in paths
        if not path.startswith(_FILING_FIGURES)
        and all(_about(row, rows, ground) for row, rows in _rows(book.document, path))
    ]


def _rows(document: Node, path: str) -> Iterator[tuple[Node, list[Plain]]]:
    """Every row that a path passes through, with the list it stands in."""
    node: Plain = document
    for name, places in _STEP.findall(path):
        node = node.get(name) if isinstance(node, dict) else None
        for place in re.findall(r"\d+", places):
            rows = node if isinstance(node, list) else []
            node = rows[int(place)]
            if isinstance(node, dict):
                yield node, rows


def _about(row: Node, rows: list[Plain], ground: Ground) -> bool:
    """Whether a row's selectors name the case; `other` is a subtype that no row names."""
    said = {
        "levels": str(ground.level),
        "persons": ground.who.type,
        "tiers": ground.who.tier,
        "categories": ground.who.category,
    }
    for name, value in said.items():
        words = row.get(name)
        if isinstance(words, list) and words and value not in words:
            return False
    subtypes = row.get("subtypes")
    if not isinstance(subtypes, list) or not subtypes:
        return True
    named = {
        each
        for other in rows
        if isinstance(other, dict) and isinstance(other.get("subtypes"), list)
        for each in as_texts(other["subtypes"])
    }
    rest = "other" in subtypes and ground.subtype is not None and ground.subtype not in named
    return ground.subtype in subtypes or rest


def as_texts(node: Plain) -> list[str]:
    """Return the texts of a list."""
    return [str(each) for each in node] if isinstance(node, list) else []


def _at(document: Node, path: str) -> Plain:
    node: Plain = document
    for name in path.split("."):
        node = node.get(name) if isinstance(node, dict) else None
    return node


def _holder(document: Node, path: str) -> tuple[Node, str]:
    """Return the mapping that holds the last step of a path, and the step."""
    node: Plain = document
    steps = _STEP.findall(path)
    for name, places in steps[:-1]:
        node = node[name] if isinstance(node, dict) else None
        for place in re.findall(r"\d+", places):
            node = node[int(place)] if isinstance(node, list) else None
    assert isinstance(node, dict), "a figure stands in a mapping"
    return node, steps[-1][0]
