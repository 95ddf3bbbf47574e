"""What differs between two catalogues, item by item and day by day.

Both are read along the calendar: for every span of days on which the two say different things of
an item there is one difference. A row that was closed and continued by the same terms is none.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, Literal

import msgspec

from tongcheng.services.settlement.catalogue import Catalogue, Item, version

Kind = Literal["added", "ended", "changed"]
KINDS: Final[tuple[Kind, ...]] = ("added", "ended", "changed")
FIELDS: Final = ("item_class", "price_ceiling", "first_self_pay", "name", "charge_category")
_DAY: Final = timedelta(days=1)

Terms = tuple[str, int | None, int | None, str, str]


class FieldChange(msgspec.Struct, frozen=True):
    """One field that differs; units as in `catalogue.Item`."""

    field: str
    before: str | int | None
    after: str | int | None


class Difference(msgspec.Struct, frozen=True):
    """What is different of one item from `from_on` to `to_on`, both inclusive, None open.

    `added`: only the newer catalogue has it on those days; `ended`: only the older; `changed`:
    both do, on other terms, which `fields` lists.
    """

    code: str
    name: str
    kind: Kind
    from_on: date
    to_on: date | None
    fields: tuple[FieldChange, ...] = ()


def diff(old: Catalogue, new: Catalogue) -> list[Difference]:
    """List the differences by code, then by day."""
    found: list[Difference] = []
    for code in sorted(old.items.keys() | new.items.keys()):
        before, after = old.items.get(code, ()), new.items.get(code, ())
        if before != after:
            found += _of_item(code, before, after)
    return found


def counts(found: list[Difference]) -> dict[str, int]:
    """Return how many differences there are of each kind, and of each field that changed."""
    count: dict[str, int] = dict.fromkeys((*KINDS, *FIELDS), 0)
    for one in found:
        count[one.kind] += 1
        for change in one.fields:
            count[change.field] += 1
    return count


def _of_item(code: str, before: tuple[Item, ...], after: tuple[Item, ...]) -> Iterator[Difference]:
    """Yield the differences of one item; neighbouring spans of the same difference are one."""
    last: Difference | None = None
    for from_on, to_on in _spans(before + after):
        here = _compare(code, version(before, from_on), version(after, from_on), from_on, to_on)
        if last is not None and here is not None and _continues(last, here):
            last = msgspec.structs.replace(last, to_on=here.to_on)
            continue
        if last is not None:
            yield last
        last = here
    if last is not None:
        yield last


def _spans(items: tuple[Item, ...]) -> Iterator[tuple[date, date | None]]:
    """Cut the calendar wherever a version begins or has ended."""
    starts = {item.valid_from for item in items}
    starts |= {
        item.valid_to + _DAY
        for item in items
        if item.valid_to is not None and item.valid_to < date.max
    }
    cuts = sorted(starts)
    for at, start in enumerate(cuts):
        yield start, (cuts[at + 1] - _DAY if at + 1 < len(cuts) else None)


def _continues(last: Difference, here: Difference) -> bool:
    same = (last.kind, last.name, last.fields) == (here.kind, here.name, here.fields)
    return same and last.to_on is not None and last.to_on + _DAY == here.from_on


def _compare(
    code: str, before: Item | None, after: Item | None, from_on: date, to_on: date | None
) -> Difference | None:
    if after is None:
        return None if before is None else Difference(code, before.name, "ended", from_on, to_on)
    if before is None:
        return Difference(code, after.name, "added", from_on, to_on)
    fields = tuple(
        FieldChange(field, one, other)
        for field, one, other in zip(FIELDS, _terms(before), _terms(after), strict=True)
        if one != other
    )
    return Difference(code, after.name, "changed", from_on, to_on, fields) if fields else None


def _terms(item: Item) -> Terms:
    return (
        item.item_class,
        item.price_ceiling,
        item.first_self_pay,
        item.name,
        item.charge_category,
    )
