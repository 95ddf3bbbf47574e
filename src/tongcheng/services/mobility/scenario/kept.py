"""The scenarios that a node keeps: every version signed, and a local decision in the journal.

Of a scenario the newest version counts. One that is withdrawn stays in the store and the journal,
and is no longer listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from tongcheng.kernel import adoption, canonical, journal
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.plain_yaml import Plain
from tongcheng.kernel.service import Finding
from tongcheng.kernel.store import Records, Snapshot, Transaction
from tongcheng.services.mobility.scenario import signing
from tongcheng.services.mobility.scenario.model import Scenario
from tongcheng.services.mobility.scenario.signing import SignedScenario, Version

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
    table = SCENARIOS.table
    last = sa.select(table.c.scenario_id, sa.func.max(table.c.version).label("version"))
    last_of = last.group_by(table.c.scenario_id).subquery()
    is_last = sa.and_(
        table.c.scenario_id == last_of.c.scenario_id, table.c.version == last_of.c.version
    )
    # Every page of a map asks: it shall not read every version that there was.
    rows = snapshot.fetch(SCENARIOS, sa.select(table).join(last_of, is_last))
    found = map(_kept, sorted(rows, key=lambda row: row.scenario_id))
    return tuple(each for each in found if each is not None)


def check_scenarios(snapshot: Snapshot, home: Home) -> Iterator[Finding]:
    """Check every version against the journal, its signature and the version before."""
    before: ScenarioRow | None = None
    for row in snapshot.select(SCENARIOS):
        if before is not None and before.scenario_id != row.scenario_id:
            before = None
        for fault in _faults(snapshot, home, before, row):
            yield Finding(SCENARIOS.name, _content_id(row), fault)
        before = row
    known = {_content_id(row) for row in snapshot.select(SCENARIOS)}
    for leaf in snapshot.select(journal.JOURNAL_LEAVES, kind=SCENARIO_KIND):
        if leaf.content_id not in known:
            yield Finding(SCENARIOS.name, leaf.content_id, "the scenario is gone")


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
    raw = signed.encoded()
    row = ScenarioRow(scenario_id, version.version, version.digest(), tx.now_at, raw)
    tx.add(SCENARIOS, row)
    journal.append(tx, SCENARIO_KIND, _content_id(row), raw)
    return row, signed


def _kept(row: ScenarioRow) -> Kept | None:
    signed, scenario = _read(row.document)
    return None if scenario is None else Kept(scenario, row.version, row.kept_at, signed)


@lru_cache(maxsize=READ_MAX)
def _read(raw: bytes) -> tuple[SignedScenario, Scenario | None]:
    """Read what is kept, once: parsed for every page, a dozen long ones took eight seconds."""
    return signing.read_whole(raw)


def _faults(
    snapshot: Snapshot, home: Home, before: ScenarioRow | None, row: ScenarioRow
) -> Iterator[str]:
    if journal.content(snapshot, home.ring, SCENARIO_KIND, _content_id(row)) != row.document:
        yield "the scenario differs from the journal"
    document = signing.read(row.document)
    said = document.scenario
    if (said.scenario_id, said.version, said.digest()) != (
        row.scenario_id,
        row.version,
        row.digest,
    ):
        yield "the row differs from its document"
    if not _is_signed(snapshot, home, document, row.kept_at):
        yield "the signature is not the member's"
    if said.previous != (None if before is None else before.digest):
        yield "it does not follow the version before"


def _is_signed(snapshot: Snapshot, home: Home, document: SignedScenario, kept_at: int) -> bool:
    """Say whether a key signed it that was the member's when this node kept it."""
    own = home.ring.signing.verify_key()
    if document.scenario.member_id == home.member_id and document.kid == own.kid:
        return _holds(signing.check_signed_with, document, own)
    accords = adoption.adopted(snapshot)
    return any(_holds(signing.check_signature, document, each, kept_at) for each in accords)


def _holds(check: Callable[..., None], *given: object) -> bool:
    """Say whether a check refuses nothing."""
    try:
        check(*given)
    except Refused:
        return False
    return True


def _content_id(row: ScenarioRow) -> str:
    return f"{row.scenario_id}/{row.version}"
