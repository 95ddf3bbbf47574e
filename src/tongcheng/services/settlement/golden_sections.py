"""Sections of a rule that a golden case brings: what is borne first, covers, caps, funds."""

from typing import Final

from tongcheng.kernel.money import format_yuan
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.services.settlement.golden_form import form
from tongcheng.services.settlement.golden_shapes import (
    NO_LIMIT,
    Figure,
    Ground,
    Keys,
    Node,
    fen,
    figure,
    most_specific,
    steps,
)

_LATER: Final = ("factor", "minus_each")
NO_CAP_FOR_ASSISTED: Final = "none for assisted persons"
_WORDS: Final = {"first": "1", "later": "2+", "any": "1+"}


def _section(rows: list[Plain], adjustments: list[Plain], basis: Figure) -> Node:
    return {"basis": basis, "rows": rows, "adjustments": adjustments}


def _each(where: str) -> Figure:
    return figure("each_admission", where)


def of_admissions(node: Plain, where: str) -> Node:
    """Return a deductible from one amount, or from `first` (or `amount`) and what a later one is.

    A later admission has `later`, a `factor` of the first, or is lower by `minus_each` down to
    `floor`; where none is said it bears the same.
    """
    plain = not isinstance(node, dict) or "value" in node
    keys = Keys({"first": node} if plain else node, where)
    first = keys.figure("first", "amount")
    if first is None:
        raise form(where, "first is expected")
    basis = keys.figure("basis") or _each(where)
    later: Node = {}
    for names in (("later", "amount_later"), ("factor", "later_factor"), ("minus_each",)):
        value = keys.figure(*names)
        if value is not None:
            later["amount" if names[0] == "later" else names[0]] = value
    if "minus_each" in later and "floor" in keys:
        later["floor"] = keys.figure("floor")
    keys.done()
    if len(later) > 1 and "floor" not in later:
        raise form(where, "one of later, factor, minus_each")
    rows: list[Plain] = [
        {"admission": "first", "amount": first},
        {"admission": "later", **(later or {"amount": first})},
    ]
    return _section(rows, [], basis)


class _Admission:
    """Which admissions of a year a row is about: `1`, `3`, `2+`; None where it does not say."""

    def __init__(self, row: Keys) -> None:
        said = row.take("admission")
        self.said = None if said is None else _WORDS.get(str(said), str(said))
        text = (self.said or "1+").removesuffix("+")
        if not text.isdigit() or text == "0":
            raise form(row.where, f"admission {said} is none of 1, 2, 2+")
        self.number = int(text)
        self.open = (self.said or "1+").endswith("+")

    def covers(self, number: int) -> bool:
        return number == self.number or (self.open and number > self.number)


def deductible(rows: list[tuple[int, Keys]], ground: Ground, where: str) -> Node:
    """Return a deductible from rows about the case.

    A row has an `amount`, a `factor` of the first admission's, or `minus_each`; or it changes the
    others for some persons: `minus` with `floor`, or a `factor` from the first admission on, which
    stands instead of one for later admissions. A later row with no figure is unknown.
    """
    later_number = max(2, ground.number)
    firsts: list[tuple[int, Keys]] = []
    laters: list[tuple[int, Keys]] = []
    adjustments: list[Plain] = []
    standing = halved = False
    for count, row in rows:
        admission = _Admission(row)
        from_first = admission.covers(1)
        if "minus" in row:
            adjustments.append(_taken(row, ("minus", "floor")))
        elif "factor" in row and from_first:
            halved = admission.open
            adjustments.append(_taken(row, ("factor",)))
        elif from_first:
            standing = standing or admission.open
            firsts.append((count, row))
        elif admission.covers(later_number):
            laters.append((count + (not admission.open), row))
    first = most_specific(firsts, where)
    amount = None if first is None else first.figure("amount")
    if first is None or amount is None:
        raise form(where, "no amount of a first admission applies to the case")
    first.done()
    made: list[Plain] = [{"admission": "first", "amount": amount}]
    later = most_specific(laters, where)
    if later is not None and not halved:
        made.append({"admission": "later", **_taken(later, ("amount", *_LATER, "floor"))})
    elif later is not None or standing or halved:
        made.append({"admission": "later", "amount": amount})
    return _section(made, adjustments, _each(where))


def _taken(row: Keys, names: tuple[str, ...]) -> Node:
    """Return a row's figures by name; a row of words alone has an unknown amount."""
    unknown = row.empty
    found: Node = {name: value for name in names if (value := row.figure(name)) is not None}
    row.done()
    return {"amount": figure(None, row.where)} if unknown else found


def cover(row: Keys, ground: Ground) -> Node:
    """Return the terms of a second cover on the year's burden.

    Steps are `bands_on_excess` (measured over the deductible) or `bands` (over the whole burden),
    or one `ratio`. A cap of null is none, as is the word `none`; one that is none for assisted
    persons alone is unknown for others.
    """
    begins = row.figure("deductible") or figure("0", row.where)
    excess, whole = row.take("bands_on_excess"), row.take("bands")
    if (excess is not None) + (whole is not None) + ("ratio" in row) != 1:
        raise form(row.where, "one of bands_on_excess, bands, ratio")
    bands = excess or whole or [{"ratio": row.take("ratio")}]
    rows = []
    for at, each in enumerate(bands if isinstance(bands, list) else [bands]):
        keys = Keys(each, f"{row.where}.bands[{at}]")
        ratio = keys.figure("ratio")
        if ratio is None:
            raise form(keys.where, "a band without a ratio")
        rows.append((ratio, keys))
    cap = row.take("cap")
    row.done()
    limit = figure("none" if cap is None else cap, row.where)
    if cap == NO_CAP_FOR_ASSISTED:
        limit["value"] = "none" if ground.who.category == "poor" else None
    return {
        "deductible": begins,
        "measure": "burden" if whole is not None else "excess",
        "steps": steps(rows, row.where, fen(begins, row.where)),
        "cap": limit,
    }


def fill_caps(rules: Node, total: Figure | None, where: str) -> None:
    """Bring three caps together: what the pool and the large fund pay, and `total`, their sum.

    What is not said is worked out of the other two, or is no limit; three that do not agree are
    refused.
    """
    large = rules.get("large")
    rows = large if isinstance(large, list) else []
    if total is not None and not rows:
        rules.setdefault("pool_cap", total)
    pool = rules.setdefault("pool_cap", figure(NO_LIMIT, where))
    assert isinstance(pool, dict), "a figure"
    whole = None if total is None else fen(total, where)
    for row in rows:
        assert isinstance(row, dict), "a row"
        paid = fen(pool, where)
        if "cap" not in row:
            known = whole is not None and paid is not None
            rest = format_yuan((whole or 0) - (paid or 0)) if known else NO_LIMIT
            row["cap"] = figure(rest, where)
        own = row["cap"]
        assert isinstance(own, dict), "a figure"
        parts = (paid, fen(own, where))
        if None not in (whole, *parts) and sum(each or 0 for each in parts) != whole:
            raise form(where, "total_cap is not the sum of pool_cap and the large fund's cap")
    if whole is not None and not rows and fen(pool, where) != whole:
        raise form(where, "total_cap differs from pool_cap, and there is no second fund")


def funds_of(rules: Node, where: str) -> list[Plain]:
    """Return one fund for each section that pays; what a case writes down it also pays."""
    layers = ["pool", *(("large",) if rules.get("large") else ())]
    layers += [name for name in ("catastrophic", "assistance") if name in rules]
    return [
        {
            "fund": layer,
            "layer": layer,
            "title": {"zh": layer, "en": layer},
            "paid_at": figure("discharge", where),
        }
        for layer in layers
    ]
