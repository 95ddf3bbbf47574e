"""Reading a rule as somebody wrote it down: figures, rows about some persons, ranges of amounts.

Used by `golden_inline` for rule books that stand inside a case. Whatever is not understood is
refused by its name (GOLDEN_FORM); nothing is passed over in silence but words for people.
"""

import re
from datetime import date
from typing import Any, Final, get_args, get_origin

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.money import format_yuan, parse_scaled, parse_yuan
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.rulebook import RuleValue
from tongcheng.services.settlement.golden_form import Person, Who, form, who_is
from tongcheng.services.settlement.rules import LEVELS, PERSON_TYPES, Subtype
from tongcheng.services.settlement.tables import AMOUNT_MAX_FEN

Figure = dict[str, Plain]
"""A RuleValue as it is written."""
Node = dict[str, Plain]

FOR_PEOPLE: Final = frozenset(
    {"src", "conf", "source", "confidence", "remark", "note", "name", "clause", "article", "doc"}
)
"""Keys of a row that decide no amount; `…_src` and `…_conf` are like them."""
EVERYBODY: Final = frozenset({"any", "all"})
_LEVEL_WORDS: Final = frozenset(str(level) for level in LEVELS)
_PERSON_WORDS: Final = frozenset({*PERSON_TYPES, "retiree", "student_child"})
NO_LIMIT: Final = format_yuan(AMOUNT_MAX_FEN)
_PERCENT: Final = re.compile(r"([0-9]+(?:\.[0-9]{1,2})?)\s*[%％]")
_PERCENT_DIGITS: Final = 2


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """The one case that a rule is read for; `number` is the admission's in the year."""

    case_id: str
    who: Who
    level: int
    subtype: Subtype | None
    number: int
    on: date | None


def figure(value: Plain, where: str) -> Figure:
    """Return a figure as a rule book holds it, from a scalar, `{amount: …}` or the whole.

    Null is unknown, `85%` is 0.85.
    """
    if isinstance(value, dict) and "value" in value:
        return {"source": "case", "confidence": "own", **value}
    if isinstance(value, dict) and "amount" in value:
        keys = Keys(value, where)
        value = keys.take("amount")
        keys.done()
    if isinstance(value, dict | list):
        raise form(where, "one figure is expected")
    percent = None if value is None else _PERCENT.fullmatch(value)
    if percent is not None:
        points = parse_scaled(percent[1], _PERCENT_DIGITS)
        value = f"{points // 10_000}.{points % 10_000:04d}"
    return {"value": value, "source": "case", "confidence": "own"}


def limit(value: Plain, where: str) -> Figure:
    """Return a limit; in a plain shape null is none, in `{value: null}` it is unknown."""
    return figure(NO_LIMIT if value is None else value, where)


def fen(value: Figure, where: str) -> int | None:
    """Return the amount that a figure states in fen, None where it is not known."""
    text = value["value"]
    if text is None:
        return None
    try:
        return parse_yuan(str(text))
    except Refused:
        raise form(where, f"{text} is no amount in yuan") from None


class Keys:
    """A mapping whose keys are taken one by one; what is left over at the end is refused."""

    def __init__(self, node: Plain, where: str) -> None:
        if not isinstance(node, dict):
            raise form(where, "a mapping is expected")
        self.where = where
        self._left = dict(node)

    def __contains__(self, name: str) -> bool:
        """Whether a key has not been taken yet."""
        return name in self._left

    def take(self, *names: str) -> Plain:
        """Return the value of the one key among these; null when there is none."""
        found = [name for name in names if name in self._left]
        if len(found) > 1:
            raise form(self.where, f"both {' and '.join(found)}")
        return self._left.pop(found[0]) if found else None

    def figure(self, *names: str) -> Figure | None:
        """Return the figure of the one key among these; None when there is none."""
        if not any(name in self for name in names):
            return None
        return figure(self.take(*names), f"{self.where}.{names[0]}")

    @property
    def empty(self) -> bool:
        """Whether nothing but words for people is left."""
        return all(is_for_people(name) for name in self._left)

    def done(self) -> None:
        """Refuse the first key that nothing was made of."""
        for name in self._left:
            if not is_for_people(name):
                raise form(self.where, f"{name} is not supported here")


def is_for_people(name: str) -> bool:
    """Tell whether a key decides no amount."""
    return name in FOR_PEOPLE or name.endswith(("_src", "_conf"))


def as_list(node: Plain) -> list[Plain]:
    """Return a list as it is, and anything else as a list of one."""
    return node if isinstance(node, list) else [node]


def chosen(node: Plain, ground: Ground, where: str) -> Plain:
    """Return a section's part for the case where it is a mapping by level or by person."""
    if not isinstance(node, dict) or not node:
        return node
    if all(key in _LEVEL_WORDS for key in node):
        part = [value for key, value in node.items() if key == str(ground.level)]
    elif all(key in _PERSON_WORDS for key in node):
        part = [
            value
            for key, value in node.items()
            if who_is(Person(type=key), where).type == ground.who.type
        ]
    else:
        return node
    if len(part) != 1:
        raise form(where, f"{len(part)} of its parts are about the case")
    return chosen(part[0], ground, where)


def subtypes_named(nodes: list[Plain]) -> set[str]:
    """Return the subtypes that rows name; `other` is every one that none of them does."""
    named: set[str] = set()
    for node in nodes:
        if isinstance(node, dict):
            for name in ("subtype", "subtypes"):
                named |= {str(each) for each in as_list(node.get(name)) if each is not None}
    return named


def fits(row: Keys, ground: Ground, named: set[str]) -> int | None:
    """Take a row's selectors: return how many it has, None when it is not about this case."""
    selectors = {
        "level": row.take("lv", "level", "levels"),
        "subtype": row.take("subtype", "subtypes"),
        "person": row.take("person", "persons"),
        "tier": row.take("tier", "tiers"),
    }
    count = 0
    for name, value in selectors.items():
        words = [str(each) for each in as_list(value) if each is not None]
        if not words or EVERYBODY.intersection(words):
            continue
        count += 1
        if not any(_matches(name, word, ground, named, row.where) for word in words):
            return None
    return count


def _matches(name: str, word: str, ground: Ground, named: set[str], where: str) -> bool:
    if name == "level":
        return word == str(ground.level)
    if name == "tier":
        return word == ground.who.tier
    if name == "subtype":
        rest = word == "other" and ground.subtype is not None and ground.subtype not in named
        return rest or word == ground.subtype
    if word in {"general", "poor"}:
        return word == ground.who.category
    return who_is(Person(type=word), where).type == ground.who.type


def most_specific(rows: list[tuple[int, Keys]], where: str) -> Keys | None:
    """Return the row with the most selectors; two of equal rank are refused."""
    if not rows:
        return None
    most = max(count for count, _ in rows)
    best = [row for count, row in rows if count == most]
    if len(best) > 1:
        raise form(where, f"{best[0].where} and {best[1].where} both apply")
    return best[0]


def as_row(node: Plain) -> Plain:
    """Return a band as a mapping; a list is `[to, ratio]` or `[from, to, ratio]`."""
    names = {2: ("to", "ratio"), 3: ("from", "to", "ratio")}
    if isinstance(node, list) and len(node) in names:
        return dict(zip(names[len(node)], node, strict=True))
    return node


def steps(
    rows: list[tuple[Figure, Keys]], where: str, begins: int | None, shift_fen: int = 0
) -> list[Plain]:
    """Return bands as steps from zero; each row's `from` must be where the last one ended.

    `begins` is the deductible in fen, at which a first band may begin as well; `shift_fen` is
    added to every limit. Beyond a last band that has an end nothing is paid.
    """
    made: list[Plain] = []
    end: int | None = 0
    for at, (ratio, row) in enumerate(rows):
        start = row.figure("from", "over", "lower", "min")
        if start is not None:
            allowed = {end} if at else {0, begins}
            if fen(start, row.where) not in allowed:
                raise form(row.where, "a band must begin where the one before it ends")
        if end is None:
            raise form(row.where, "only the last band has no end")
        to = row.take("to", "upto", "upper", "max")
        step: Node = {"ratio": ratio}
        end = None
        if to is not None:
            limited = figure(to, row.where)
            end = fen(limited, row.where)
            if shift_fen and end is not None:
                limited = figure(format_yuan(end + shift_fen), row.where)
            step["to"] = limited
        made.append(step)
        row.done()
    if not made:
        raise form(where, "no band applies to the case")
    if end is not None:
        made.append({"ratio": figure("0", where)})
    return made


def lift(node: Plain, kind: Any, where: str) -> Plain:
    """Return part of a rule book in our own schema, plain scalars made into whole figures.

    Keys that the schema does not know are left, and refused by it with their path.
    """
    inner = get_args(kind)
    if kind is RuleValue or RuleValue in inner:
        if get_origin(kind) is dict:
            values = node if isinstance(node, dict) else {}
            return {key: figure(value, f"{where}.{key}") for key, value in values.items()}
        return figure(node, where)
    if get_origin(kind) is tuple:
        return [lift(each, inner[0], f"{where}[{at}]") for at, each in enumerate(as_list(node))]
    structs = [each for each in (kind, *inner) if hasattr(each, "__struct_fields__")]
    if structs and isinstance(node, dict):
        types = {field.name: field.type for field in msgspec.structs.fields(structs[0])}
        lifted = {
            key: lift(value, types[key], f"{where}.{key}") if key in types else value
            for key, value in node.items()
        }
        if "title" in types and "title" not in lifted:
            lifted["title"] = {"zh": where, "en": where}
        return lifted
    return node
