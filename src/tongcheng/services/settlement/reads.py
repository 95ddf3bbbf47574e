"""What the audit calls it when somebody sees personal data of settlement's, and in which words.

Every way in stands here: the interface of hospitals, the national interface, a peer's question,
the console and the pages of persons. A test holds this table to the code that writes the entries.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tongcheng.services.settlement.model import ESTIMATE, PERSON

READS: Final[Mapping[str, str]] = MappingProxyType(
    {
        PERSON: "settlement.reads.person",
        ESTIMATE: "settlement.reads.estimate",
        "bill.line.read": "settlement.reads.bill",
        "bill.open": "settlement.reads.bill",
        "bill.read": "settlement.reads.bill",
        "case.read": "settlement.reads.case",
        "cases.read": "settlement.reads.cases",
        "delegates.read": "settlement.reads.delegates",
        "estimate.read": "settlement.reads.estimate",
        "explanation.read": "settlement.reads.explanation",
        "lines.read": "settlement.reads.lines",
        "national.2303": "settlement.reads.estimate",
        "national.2304": "settlement.reads.settlement",
        "settlement.read": "settlement.reads.settlement",
        "stay.read": "settlement.reads.stay",
    }
)
"""The audit's action → the key of what was looked at, as a person reads it."""
