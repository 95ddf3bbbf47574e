"""Filings for treatment elsewhere (异地就医备案), as the insured place keeps them.

A filing is made for a place, from a day on, and decides how a stay there counts (`benefit.filed`),
unless the region has agreed that every stay counts as filed. Filings are added, never changed: the
latest one that covers a stay decides. One made after the admission but before the settlement
counts (经办规程第十六条).
"""

import re
from collections.abc import Iterator
from typing import Final

from tongcheng.kernel import audit, canonical, journal, sealing
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Reading, Snapshot, Transaction
from tongcheng.services.settlement.benefit import day
from tongcheng.services.settlement.rules import Filing
from tongcheng.services.settlement.store import FILINGS, PERSONS, FilingRow

FILING_KIND: Final = "settlement_filing"
KINDS: Final[tuple[Filing, ...]] = ("long_stay", "referral", "emergency", "other")
"""What can be filed; `local` and `deemed` follow from where a stay is."""
_PLACE = re.compile(r"[0-9]{2,6}")


def person_of(reading: Reading, home: Home, id_number: str) -> str:
    """Return the key of the person insured here with this id number.

    Refuses PERSON_NOT_INSURED_HERE.
    """
    found = reading.select(PERSONS, id_index=sealing.index(home.ring, id_number))
    if not found:
        raise Refused("PERSON_NOT_INSURED_HERE", member=home.member_id)
    return found[0].person_key


def add(
    tx: Transaction, person_key: str, filing: Filing, place: str, from_on: str, to_on: str | None
) -> FilingRow:
    """Keep a filing for a place (a division prefix); days are inclusive, `to_on` None is open.

    The same filing again is the one that is kept. Refuses FILING_FORM and DATE_MALFORMED.
    """
    tx.need(PERSONS, person_key)
    if filing not in KINDS:
        raise Refused("FILING_FORM", field="filing", given=filing)
    if not _PLACE.fullmatch(place):
        raise Refused("FILING_FORM", field="place", given=place)
    day(from_on)
    if to_on is not None and day(to_on) < day(from_on):
        raise Refused("FILING_FORM", field="to", given=to_on)
    kept = tx.select(FILINGS, person_key=person_key)
    for one in kept:
        if (one.filing, one.place, one.from_on, one.to_on) == (filing, place, from_on, to_on):
            return one
    row = FilingRow(person_key, len(kept) + 1, filing, place, from_on, to_on, tx.now_at)
    tx.add(FILINGS, row)
    journal.append(tx, FILING_KIND, _content_id(row), canonical.encode(row))
    audit.note(tx, audit.Entry("officer", "settlement.file", person_key))
    return row


def of_person(reading: Reading, person_key: str) -> list[FilingRow]:
    """Return a person's filings in the order in which they were made."""
    return sorted(reading.select(FILINGS, person_key=person_key), key=lambda row: row.number)


def check_filings(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Compare every filing with the journal, for `journal verify`; one that is gone is named."""
    known = set()
    for row in snapshot.select(FILINGS):
        content_id = _content_id(row)
        known.add(content_id)
        if journal.content(snapshot, home.ring, FILING_KIND, content_id) != canonical.encode(row):
            yield Finding(FILINGS.name, content_id, "the filing differs from the journal")
    for leaf in snapshot.select(journal.JOURNAL_LEAVES, kind=FILING_KIND):
        if leaf.content_id not in known:
            yield Finding(FILINGS.name, leaf.content_id, "the filing is gone")


def _content_id(row: FilingRow) -> str:
    return f"{row.person_key}/{row.number}"
