"""What a page may show of small groups: nobody can be found in it (pure).

A group of fewer than PERSONS_MIN persons is put together with the other small ones and with the
smallest that is not, so that taking the shown from the whole does not give it away. Where there is
none to put it with, the groups are not shown at all.
"""

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from tongcheng.services.settlement.what_if.answer import Group

PERSONS_MIN: Final = 5
OTHERS: Final = "others"
"""The key of the groups that are shown together."""


def published(groups: "tuple[Group, ...]") -> "tuple[Group, ...]":
    """Return the groups that may be shown, those put together last."""
    small = [group for group in groups if group.persons < PERSONS_MIN]
    large = [group for group in groups if group.persons >= PERSONS_MIN]
    if not small:
        return groups
    if not large:
        return ()
    least = min(large, key=lambda group: group.persons)
    return (*(group for group in large if group is not least), _together([*small, least]))


def _together(groups: "list[Group]") -> "Group":
    first = groups[0]
    counted = {
        name: sum(getattr(group, name) for group in groups)
        for name in first.__struct_fields__
        if name not in {"key", "amounts"}
    }
    amounts = tuple(
        msgspec.structs.replace(
            each,
            old_fen=sum(group.amounts[at].old_fen for group in groups),
            new_fen=sum(group.amounts[at].new_fen for group in groups),
        )
        for at, each in enumerate(first.amounts)
    )
    return msgspec.structs.replace(first, key=OTHERS, amounts=amounts, **counted)


def is_few(persons: int) -> bool:
    """Tell whether a number of persons is told as "fewer than" only."""
    return 0 < persons < PERSONS_MIN
