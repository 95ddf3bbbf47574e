"""What a reader asks of the list of stays: its filters, read from an address and written to one."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import urlencode

from tongcheng.services.settlement.views import STATES, Position, StaysQuery

FOUND_CHARACTERS_MAX: Final = 64
_INSTANT_DIGITS_MAX: Final = 15
_YEARS: Final = range(1970, 2200)


def read(given: Mapping[str, str]) -> StaysQuery:
    """Read the query of an address; what it cannot mean is as if it were not there."""
    found = _plain(given.get("q", "").strip())
    before = _position(given.get("before", ""))
    return StaysQuery(
        state=next((state for state in STATES if state == given.get("state")), None),
        found=found,
        hospital=_plain(given.get("hospital", "")),
        area=_plain(given.get("area", "")),
        on=_date(given.get("on", "")),
        before=before,
        live=given.get("live") != "0" and before is None and not found,
    )


def _position(text: str) -> Position | None:
    at, _, stay_id = text.partition(".")
    if not (at.isascii() and at.isdigit() and len(at) <= _INSTANT_DIGITS_MAX):
        return None
    return int(at), _plain(stay_id)


def _plain(text: str) -> str:
    """Return text that a store can be asked for; anything else is no number or id of ours."""
    return text[:FOUND_CHARACTERS_MAX] if text.isprintable() else ""


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def filters_of(query: StaysQuery) -> dict[str, str]:
    """Return the filters beside the state, as an address and a form write them."""
    written = {
        "q": query.found,
        "hospital": query.hospital,
        "area": query.area,
        "on": "" if query.on is None else query.on.isoformat(),
    }
    return {name: value for name, value in written.items() if value}


def address(path: str, query: StaysQuery, *, live: bool = True) -> str:
    """Return the address of a list: only what differs from the plain list is in its query."""
    state: dict[str, str] = {} if query.state is None else {"state": query.state}
    written = state | filters_of(query)
    if not live:
        written["live"] = "0"
    if query.before is not None:
        written["before"] = f"{query.before[0]}.{query.before[1]}"
    return f"{path}?{urlencode(written)}" if written else path
