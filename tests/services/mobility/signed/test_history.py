"""Versions that a node keeps, and what verification finds of each that it could not have kept."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kernel.store.stage import Stage
from tests.services.mobility.signed.kinds import (
    KEY,
    KINDS,
    NEIGHBOUR,
    NEIGHBOURS_KEY,
    OWN,
    STRANGERS_KEY,
    Kind,
)
from tests.toy import NOW_AT, ring_of, toy_accord
from tongcheng.kernel import adoption, journal
from tongcheng.kernel.accord import AccordKey
from tongcheng.kernel.journal.verify import verify
from tongcheng.kernel.keys import SigningKey
from tongcheng.kernel.store import Command, Transaction
from tongcheng.node.services import SERVICES
from tongcheng.services.mobility.signed.document import Signed

EARLIER_KEY = ring_of(OWN, "earlier").signing
CHANGED_AT = NOW_AT - 1_000
"""From then on the accord calls the earlier key valid no longer."""

SIGNATURE = "the signature is not the member's"
ROW = "the row differs from its document"
FOLLOWS = "it does not follow the version before"


def _listed(key: SigningKey, to_at: int | None = None) -> AccordKey:
    return AccordKey(key.kid, key.suite.name, key.public.hex(), 0, to_at)


ACCORD = toy_accord(keys={OWN: [_listed(KEY), _listed(EARLIER_KEY, CHANGED_AT)]})


@pytest.fixture(name="stage")
def _stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    _run(stage, lambda tx: adoption.adopt(tx, ACCORD.encoded()))
    yield stage
    stage.database.close()


def _run(stage: Stage, command: Command) -> None:
    outcome = stage.writer.run([command])[0]
    assert outcome.error is None, outcome.error


class Row(NamedTuple):
    """A row that somebody puts there; `version` and `member_id` are what it stands for."""

    document: Signed
    version: int = 1
    member_id: str = OWN
    kept_at: int = NOW_AT
    journaled: bool = True


def _put(kind: Kind, rows: Sequence[Row]) -> Command:
    records = kind.history.records

    def command(tx: Transaction) -> None:
        for row in rows:
            name = row.member_id if kind.noun == "bundle" else "more"
            digest, raw = row.document.said.digest(), row.document.encoded()
            tx.add(records, records.row_type(name, row.version, digest, row.kept_at, raw))
            if row.journaled:
                journal.append(tx, kind.history.kind, f"{name}/{row.version}", raw)

    return command


def _problems(stage: Stage, kind: Kind) -> list[str]:
    with stage.database.snapshot() as snapshot:
        found = list(kind.history.check(snapshot, stage.home))
    assert {each.table for each in found} <= {kind.history.records.name}
    return [each.problem for each in found]


def _chain(kind: Kind, *versions: int, member_id: str = OWN, key: SigningKey = KEY) -> list[Row]:
    """Return rows of these versions, each naming the one before in the row."""
    rows: list[Row] = []
    for number in versions:
        previous = rows[-1].document.said.digest() if rows else None if number == 1 else "ab" * 32
        said = kind.version(member_id=member_id, version=number, previous=previous)
        rows.append(Row(kind.signed(said, key), number, member_id))
    return rows


CASES: dict[str, tuple[Callable[[Kind], list[Row]], list[str]]] = {
    "as it should be": (lambda it: _chain(it, 1, 2, 3), []),
    "by a key that was ours then": (
        lambda it: [Row(it.signed(it.version(), EARLIER_KEY), kept_at=CHANGED_AT - 1)],
        [],
    ),
    "by a key that was ours no longer": (
        lambda it: [Row(it.signed(it.version(), EARLIER_KEY), kept_at=CHANGED_AT)],
        [SIGNATURE],
    ),
    "ours by a stranger's key": (
        lambda it: [Row(it.signed(it.version(), STRANGERS_KEY))],
        [SIGNATURE],
    ),
    "ours by a neighbour's key": (
        lambda it: [Row(it.signed(it.version(), NEIGHBOURS_KEY))],
        [SIGNATURE],
    ),
    "a neighbour's signature under our key's name": (
        lambda it: [Row(it.signed(it.version(), NEIGHBOURS_KEY, kid=KEY.kid))],
        [SIGNATURE],
    ),
    "not in the journal": (
        lambda it: [row._replace(journaled=False) for row in _chain(it, 1)],
        ["the {noun} differs from the journal"],
    ),
    "another version's row": (
        lambda it: [row._replace(version=3) for row in _chain(it, 1)],
        [ROW, FOLLOWS],
    ),
    "one is missing between": (lambda it: _chain(it, 1, 3), [FOLLOWS]),
    "the first is missing": (lambda it: _chain(it, 2), [FOLLOWS]),
    "another past": (lambda it: [*_chain(it, 1), *_chain(it, 2)], [FOLLOWS]),
    "contradicts itself": (
        lambda it: [Row(it.signed(it.version(previous="ab" * 32)))],
        ["it can not be read: {malformed_code}"],
    ),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_verification_names_each_fault(stage: Stage, kind: Kind, name: str) -> None:
    """What is wrong with a version of ours is said of it, and no more."""
    make, problems = CASES[name]
    _run(stage, _put(kind, make(kind)))
    expected = [
        each.format(noun=kind.noun, malformed_code=kind.malformed_code) for each in problems
    ]

    assert _problems(stage, kind) == expected


@pytest.mark.parametrize(
    ("kind", "problems"), [("bundle", [ROW, SIGNATURE]), ("scenario", [SIGNATURE])]
)
def test_a_neighbours_document_is_not_ours(stage: Stage, kind: str, problems: list[str]) -> None:
    """However validly another member signed it: in a row of ours `journal verify` finds it."""
    it = KINDS[kind]
    theirs = it.signed(it.version(member_id=NEIGHBOUR), NEIGHBOURS_KEY)
    _run(stage, _put(it, [Row(theirs)]))
    theirs.check_signature(ACCORD.accord, NOW_AT)
    report = verify(stage.database, stage.home, SERVICES)

    assert _problems(stage, it) == problems
    assert [
        each.problem for each in report.findings if each.table == it.history.records.name
    ] == problems


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_one_that_can_not_be_read_stops_no_verification(stage: Stage, kind: Kind) -> None:
    """`journal verify` says it once and goes on: nothing is left out for it."""
    _run(stage, _put(kind, [Row(kind.signed(kind.version(previous="ab" * 32)))]))
    report = verify(stage.database, stage.home, SERVICES)

    assert report.skipped == []
    assert [
        each.problem for each in report.findings if each.table == kind.history.records.name
    ] == [f"it can not be read: {kind.malformed_code}"]


@pytest.mark.parametrize("versions", [(1,), (2,), (1, 2), (1, 3), (2, 7, 8)])
def test_of_a_neighbours_bundles_some_may_be_missing(
    stage: Stage, versions: tuple[int, ...]
) -> None:
    """They may have been published while nobody looked; next to each other they follow."""
    it = KINDS["bundle"]
    rows = _chain(it, *versions, member_id=NEIGHBOUR, key=NEIGHBOURS_KEY)
    _run(stage, _put(it, rows))

    assert _problems(stage, it) == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_row_that_is_gone_is_missed(stage: Stage, kind: Kind) -> None:
    """The journal still has it."""
    raw = kind.signed(kind.version()).encoded()
    _run(stage, lambda tx: journal.append(tx, kind.history.kind, "gone/1", raw))

    assert _problems(stage, kind) == [f"the {kind.noun} is gone"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_is_kept_is_found_again(stage: Stage, kind: Kind) -> None:
    """Each version in its row and its leaf; of a document the newest is listed."""
    rows = _chain(kind, 1, 2)
    for row in rows:
        _run(stage, partial(kind.history.keep, document=row.document))
    with stage.database.snapshot() as snapshot:
        (newest,) = kind.history.newest(snapshot)

    assert (newest.version, newest.document) == (2, rows[1].document.encoded())
    assert (newest.digest, newest.kept_at) == (rows[1].document.said.digest(), NOW_AT)
    assert _problems(stage, kind) == []
