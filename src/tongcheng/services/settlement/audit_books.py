"""The rule books that an audit holds settlements against: by day, by version, by reading."""

from datetime import date

import msgspec

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import RuleBook, Shelf
from tongcheng.services.settlement.audit_model import Row
from tongcheng.services.settlement.books import (
    benefit_book_id,
    overlay_book,
    overlay_of,
    tables_of,
)
from tongcheng.services.settlement.readings import readings
from tongcheng.services.settlement.rules import AT_HOME, Filing
from tongcheng.services.settlement.tables import NO_CUT, UNKNOWN, BenefitTables, Cut


class OtherReading(msgspec.Struct, frozen=True):
    """A book with one figure in doubt replaced by what another source says: where, and by what."""

    path: str
    value: str
    tables: BenefitTables


class Books:
    """A shelf with what an audit asks of it; every answer is found once."""

    def __init__(self, shelf: Shelf, region: RegionPack) -> None:
        self._shelf = shelf
        self._region = region
        self._readings: dict[str, tuple[OtherReading, ...]] = {}
        self._tables: dict[tuple[str, date], BenefitTables | Refused] = {}
        self._cuts: dict[tuple[date, Filing], Cut] = {}
        self._named: dict[tuple[str, str], str] = {}

    def book_of(self, admdvs: str, scheme: str) -> str:
        """Return the id of the benefit book of a division's area; refuses as `benefit_book_id`."""
        if (admdvs, scheme) not in self._named:
            found = benefit_book_id(self._shelf, self._region, admdvs, scheme)
            self._named[admdvs, scheme] = found
        return self._named[admdvs, scheme]

    def tables(self, book_id: str, on: date) -> BenefitTables:
        """Return the compiled version in force on a day; refuses RULE_BOOK_MISSING and …_KIND."""
        key = (book_id, on)
        if key not in self._tables:
            try:
                self._tables[key] = tables_of(self._shelf.at(book_id, on))
            except Refused as refused:
                self._tables[key] = refused
        found = self._tables[key]
        if isinstance(found, Refused):
            raise Refused(found.code, **found.facts)
        return found

    def cut(self, filing: Filing, on: date) -> Cut:
        """Return what a way of filing takes off on a day by the region's book on stays elsewhere.

        Without such a book nothing is cut at home, and elsewhere the cut is unknown.
        """
        if filing in AT_HOME:
            return NO_CUT
        if (on, filing) not in self._cuts:
            book = overlay_book(self._shelf, on)
            cut = Cut(UNKNOWN) if book is None else overlay_of(book).cut(filing)
            self._cuts[on, filing] = cut
        return self._cuts[on, filing]

    def cut_of(self, row: Row) -> Cut:
        """Return what the row's own way of filing takes off."""
        return self.cut(row.bill.filing, row.settled_on)

    def versions(self, book_id: str) -> list[tuple[date, BenefitTables]]:
        """Return every version of a book with its first day."""
        found = [book for book in self._shelf if book.book_id == book_id]
        return [(book.effective_from, tables_of(book)) for book in found]

    def readings(self, digest: str) -> tuple[OtherReading, ...]:
        """Return the other readings of a version: one for each figure that sources dispute."""
        if digest not in self._readings:
            book = self._shelf.find(digest)
            self._readings[digest] = () if book is None else read_otherwise(book)
        return self._readings[digest]


def read_otherwise(book: RuleBook) -> tuple[OtherReading, ...]:
    """Return a book's other readings; one that says no figure to compute with is left out."""
    return tuple(
        OtherReading(each.path, each.value or each.title.en, each.tables)
        for each in readings(book)
        if each.path and each.tables is not None
    )
