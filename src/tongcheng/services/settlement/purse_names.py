"""A purse in the words of its rule book: "Beijing, employees, basic pooling fund"."""

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.words import Words
from tongcheng.services.settlement import rules
from tongcheng.services.settlement.books import tables_of


class PurseName(msgspec.Struct, frozen=True):
    """The parts of a purse: whose area, which scheme (code of the interface), which fund."""

    purse: str
    member: str
    area: Words
    scheme: str
    fund: Words


class PurseNames:
    """The names of purses, as the rule books on a node's shelf title their funds."""

    def __init__(self, home: Home) -> None:
        self._region = home.region
        self._members = {
            area.id: (member.id, area.name)
            for member in home.region.members
            for area in member.areas
        }
        self._titles = _titles(home)

    def of(self, purse: str) -> PurseName:
        """Return the name; what no pack or book knows is shown by its code."""
        area, _, rest = purse.partition("/")
        scheme, _, fund = rest.partition("/")
        member, name = self._members.get(area, ("", Words(area, area)))
        title = self._titles.get((area, scheme, fund), Words(fund, fund))
        return PurseName(purse, member, name, scheme, title)


def _titles(home: Home) -> dict[tuple[str, str, str], Words]:
    titles = {}
    for book in home.shelf:
        if book.kind != rules.KIND:
            continue
        try:
            area = home.region.area_of(book.admdvs, "settlement").id
            funds = tables_of(book).funds
        except Refused:
            continue  # a book that can not be read decides nothing, and its purses keep their codes
        for term in funds:
            words = Words(term.title.get("zh", term.fund), term.title.get("en", term.fund))
            titles[area, book.scheme, term.fund] = words
    return titles
