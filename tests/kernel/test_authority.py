"""Credentials of hospital systems, and the audit of who did what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.store.stage import Stage
from tests.toy import NOW_AT
from tongcheng.kernel import audit, authority, journal
from tongcheng.kernel.audit import AUDIT, AUDIT_HEAD
from tongcheng.kernel.authority import CREDENTIALS, Caller
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction

OURS, THEIRS = "H12010500123", "H12010600456"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An open store."""
    stage = Stage(tmp_path)
    yield stage
    stage.database.close()


def _issue(stage: Stage, institution: str, to_at: int | None = None) -> str:
    outcome = stage.writer.run([lambda tx: authority.issue(tx, institution, "ward system", to_at)])[
        0
    ]
    assert isinstance(outcome.answer, str)
    return outcome.answer


def _identify(stage: Stage, header: str | None, now_at: int = NOW_AT) -> Caller | str:
    with stage.database.snapshot() as snapshot:
        try:
            return authority.identify(snapshot, header, now_at)
        except Refused as refusal:
            return refusal.code


def test_token_names_its_institution(stage: Stage) -> None:
    """The bearer of a token is the institution it was issued to, whatever he claims to be."""
    ours, theirs = _issue(stage, OURS), _issue(stage, THEIRS)

    assert _identify(stage, f"Bearer {ours}") == Caller(OURS, "ward system")
    assert _identify(stage, f"bearer {theirs} ") == Caller(THEIRS, "ward system")


def test_credential_reads_nothing_of_another_hospital(stage: Stage) -> None:
    """A message that speaks for another institution than its credential's is refused."""
    caller = _identify(stage, f"Bearer {_issue(stage, OURS)}")
    assert isinstance(caller, Caller)

    authority.require(caller, OURS)
    with pytest.raises(Refused) as refused:
        authority.require(caller, THEIRS)

    assert refused.value.code == "INSTITUTION_NOT_YOURS"


HEADERS = [
    (None, "CREDENTIAL_MISSING"),
    ("", "CREDENTIAL_MISSING"),
    ("Bearer", "CREDENTIAL_MISSING"),
    ("Basic abc", "CREDENTIAL_MISSING"),
    ("Bearer tc_00", "CREDENTIAL_UNKNOWN"),
    ("Bearer \ud800", "CREDENTIAL_UNKNOWN"),
    ("Bearer " + "x" * 100_000, "CREDENTIAL_UNKNOWN"),
]


@pytest.mark.parametrize(("header", "code"), HEADERS, ids=range(len(HEADERS)))
def test_bad_headers(stage: Stage, header: str | None, code: str) -> None:
    """Every header that is not a token of ours is refused, and tells nothing of those that are."""
    _issue(stage, OURS)

    assert _identify(stage, header) == code


@pytest.mark.parametrize(
    ("asked_at", "is_valid"), [(NOW_AT - 1, False), (NOW_AT, True), (NOW_AT + 9, True),
                               (NOW_AT + 10, False)]
)  # fmt: skip
def test_credential_has_its_time(stage: Stage, asked_at: int, *, is_valid: bool) -> None:
    """It counts from its issue up to its end, the end not included."""
    token = _issue(stage, OURS, NOW_AT + 10)

    found = _identify(stage, f"Bearer {token}", asked_at)

    assert found == (Caller(OURS, "ward system") if is_valid else "CREDENTIAL_EXPIRED")


def test_revoking_ends_all_of_one_institution(stage: Stage) -> None:
    """Every token of the institution ends at once, another's does not; both steps are audited."""
    ours, more, theirs = _issue(stage, OURS), _issue(stage, OURS), _issue(stage, THEIRS)

    ended = stage.writer.run([lambda tx: authority.revoke(tx, OURS)])[0].answer

    assert ended == 2
    assert _identify(stage, f"Bearer {ours}") == "CREDENTIAL_EXPIRED"
    assert _identify(stage, f"Bearer {more}") == "CREDENTIAL_EXPIRED"
    assert _identify(stage, f"Bearer {theirs}") == Caller(THEIRS, "ward system")
    with stage.database.snapshot() as snapshot:
        actions = [row.action for row in snapshot.select(AUDIT)]
    assert actions == ["credential.issue"] * 3 + ["credential.revoke"]


def test_token_is_stored_nowhere(stage: Stage, tmp_path: Path) -> None:
    """Neither the database nor its log holds the token; a reader of them cannot call with it."""
    token = _issue(stage, OURS)

    files = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]

    assert len(token) == 67
    assert not any(token.encode() in content for content in files)
    assert not any(bytes.fromhex(token[3:]) in content for content in files)
    with stage.database.snapshot() as snapshot:
        assert len(snapshot.select(CREDENTIALS)) == 1


# the audit


def _note(tx: Transaction) -> None:
    audit.note(tx, audit.Entry("tianjin-hsb", "toy.sum/1", "subject", "why"))


def test_entries_are_numbered_and_sealed(stage: Stage) -> None:
    """Numbers have no gap; a seal covers what came since the last one, and nothing twice."""

    def seal(tx: Transaction) -> bool:
        return audit.seal(tx)

    answers = [out.answer for out in stage.writer.run([seal, _note, _note, seal, seal, _note])]
    later = stage.writer.run([seal])[0].answer

    assert answers == [False, None, None, True, False, None]
    assert later is True
    with stage.database.snapshot() as snapshot:
        rows = snapshot.select(AUDIT)
        leaves = snapshot.select(journal.JOURNAL_LEAVES, kind=audit.SEAL_KIND)
        head = snapshot.get(AUDIT_HEAD, "audit")
    assert [row.number for row in rows] == [1, 2, 3]
    assert [leaf.content_id for leaf in leaves] == ["2", "3"]
    assert head is not None
    assert (head.count, head.sealed) == (3, 3)


def test_refused_command_leaves_no_entry(stage: Stage) -> None:
    """An entry belongs to what it speaks of: both are stored, or neither."""

    def refused(tx: Transaction) -> None:
        _note(tx)
        raise Refused("LEDGER_AMOUNT", amount_fen=-1)

    stage.writer.run([refused, _note])

    with stage.database.snapshot() as snapshot:
        assert [row.number for row in snapshot.select(AUDIT)] == [1]
