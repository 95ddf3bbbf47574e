"""The scenarios that a node keeps: every version signed, and a local decision in the journal.

Of a scenario the newest version counts. One that is withdrawn stays in the store and the journal,
and is no longer listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Records, Snapshot, Transaction
from tongcheng.services.mobility.scenario import signing
from tongcheng.services.mobility.scenario.model import Scenario
from tongcheng.services.mobility.scenario.signing import SignedScenario, Version
from tongcheng.services.mobility.signed.history import History

SCENARIO_KIND: Final = "mobility_scenario"
READ_MAX: Final = 256
"""Scenarios that stay parsed."""


class ScenarioRow(msgspec.Struct, frozen=True):
    """One version of a scenario: `digest` is the version's, `document` is signed.

    `kept_at` is when this node kept it (UTC ms).
    """

    scenario_id: str
    version: int
    digest: str
    kept_at: int
    document: bytes


SCENARIOS = Records(
    "mobility_scenarios", ScenarioRow, key=("scenario_id", "version"), only_grows=True
)
HISTORY: Final[History[ScenarioRow, SignedScenario]] = History(
    SCENARIOS, SCENARIO_KIND, "scenario", signing.read, lambda _, home: home.member_id
)
"""Nobody takes scenarios from others: each row stands for one of this node's own."""


class Kept(NamedTuple):
    """A scenario that the node keeps, in its newest version."""

    scenario: Scenario
    version: int
    kept_at: int
    signed: SignedScenario


def keep(tx: Transaction, scenario: Scenario) -> Kept:
    """Keep a scenario as this node's next version of it, signed with its key.

    One that says what the newest version says is that version: nothing is written. Nothing is
    parsed here, where every other command waits.
    """
    rows = tx.select(SCENARIOS, scenario_id=scenario.scenario_id)
    if rows:
        signed = canonical.decode_as(rows[-1].document, SignedScenario)
        if signed.scenario.document == scenario.document:
            return Kept(scenario, rows[-1].version, rows[-1].kept_at, signed)
    row, signed = _append(tx, rows, scenario.scenario_id, scenario.document)
    return Kept(scenario, row.version, row.kept_at, signed)


def withdraw(tx: Transaction, scenario_id: str) -> None:
    """Keep a scenario no longer; refuses SCENARIO_NOT_KEPT."""
    rows = tx.select(SCENARIOS, scenario_id=scenario_id)
    if not rows or _kept(rows[-1]) is None:
        raise Refused("SCENARIO_NOT_KEPT", scenario=scenario_id)
    _append(tx, rows, scenario_id, None)


def kept(snapshot: Snapshot) -> tuple[Kept, ...]:
    """Return the newest version of every scenario that is not withdrawn, in order of their ids."""
    found = map(_kept, HISTORY.newest(snapshot))
    return tuple(each for each in found if each is not None)


def check_scenarios(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Check every version against the journal, its signature and the version before."""
    return HISTORY.check(snapshot, home)


def _append(
    tx: Transaction,
    rows: Sequence[ScenarioRow],
    scenario_id: str,
    document: dict[str, Plain] | None,
) -> tuple[ScenarioRow, SignedScenario]:
    version = Version(
        member_id=tx.home.member_id,
        scenario_id=scenario_id,
        version=len(rows) + 1,
        previous=rows[-1].digest if rows else None,
        signed_at=tx.now_at,
        document=document,
    )
    signed = signing.signed(version, tx.home.ring.signing)
    return HISTORY.keep(tx, signed), signed


def _kept(row: ScenarioRow) -> Kept | None:
    signed, scenario = _read(row.document)
    return None if scenario is None else Kept(scenario, row.version, row.kept_at, signed)


@lru_cache(maxsize=READ_MAX)
def _read(raw: bytes) -> tuple[SignedScenario, Scenario | None]:
    """Read what is kept, once: parsed for every page, a dozen long ones took eight seconds."""
    return signing.read_whole(raw)
