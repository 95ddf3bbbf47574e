"""Stays that are going to happen, and what their bills are made of."""

from collections.abc import Sequence

import msgspec

from tongcheng.kernel.calendar import DAY_MS
from tongcheng.kernel.home import Home
from tongcheng.services.settlement.bills import LineInput
from tongcheng.services.settlement.catalogue import Item
from tongcheng.services.settlement.catalogue_store import of_pack
from tongcheng.services.settlement.lines import amount_of
from tongcheng.simulation.faults import Chance

WHOLE = "whole"
"""The way of hospitals that hold the bill until the end and bring the stay in one call."""
LINES = (1, 12)
QUANTITY = (1, 30)
ONE_E4 = 10_000
UNIT_PRICE_E6 = (100_000, 600_000_000)
DEAR_UNIT_PRICE_E6 = 15_000_000_000
DEAR_SHARE = 0.04
REFUND_SHARE = 0.12
CARD_SHARE = 0.75
"""Persons who have their card with them, on which the insuring division stands."""


class Visit(msgspec.Struct, frozen=True):
    """A stay that is going to happen: who, in which hospital, when (UTC ms), by which way.

    `admdvs` is the division on the person's card, None where the card was left at home: then every
    member is asked who insures the person.
    """

    number: int
    id_number: str
    admdvs: str | None
    admitted_at: int
    discharged_at: int
    way: str


def draw_lines(chance: Chance, items: Sequence[Item], admitted_at: int) -> list[LineInput]:
    """Draw a bill's lines, refunds among them; charged half a day after the admission (UTC ms)."""
    charged_at = admitted_at + DAY_MS // 2
    inputs: list[LineInput] = []
    for number in range(chance.whole(*LINES)):
        item = items[chance.whole(0, len(items) - 1)]
        price = chance.whole(*UNIT_PRICE_E6)
        if chance.happens(DEAR_SHARE):
            price += chance.whole(0, DEAR_UNIT_PRICE_E6)
        quantity = chance.whole(*QUANTITY) * ONE_E4
        line = _line(f"L{number}", item.code, quantity, price, charged_at)
        inputs.append(line)
        if quantity > ONE_E4 and chance.happens(REFUND_SHARE):
            back = -ONE_E4 * chance.whole(1, quantity // ONE_E4)
            refund = _line(f"R{number}", item.code, back, price, charged_at)
            inputs.append(msgspec.structs.replace(refund, original_line_id=line.line_id))
    return inputs


def usable_items(home: Home, catalogue: str) -> list[Item]:
    """Return the catalogue's items that can be billed: an unknown first share is refused."""
    versions = of_pack(home, catalogue).items.values()
    return [one[0] for one in versions if one[0].first_self_pay is not None]


def _line(line_id: str, code: str, quantity_e4: int, price_e6: int, at: int) -> LineInput:
    return LineInput(
        line_id=line_id,
        item_code=code,
        hospital_code="H",
        quantity_e4=quantity_e4,
        unit_price_e6=price_e6,
        amount_fen=amount_of(quantity_e4, price_e6),
        charged_at=at,
    )
