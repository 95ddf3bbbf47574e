"""`tongcheng journal`: verify a region, name a changed value, prove an entry to a third party."""

import asyncio
import json
import shutil
import sqlite3
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.kernel.region_of_nodes import Wire, batched, order
from tests.node.pages.proof_forged import forged
from tests.toy import MEMBERS, NOW_AT, TYPES, Ping, toy_accord
from tongcheng.cli import main
from tongcheng.kernel import accord as accords
from tongcheng.kernel import adoption, canonical, ledger, ledger_batch
from tongcheng.kernel.accord import Accord, Limits, Permit, SignedAccord
from tongcheng.kernel.clock import ManualClock
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.exchange import acts
from tongcheng.kernel.ledger import TransferContent
from tongcheng.kernel.service import Reply
from tongcheng.kernel.store import Transaction
from tongcheng.node import files
from tongcheng.node.core import Node, open_database

FIRST, SECOND, _ = MEMBERS


async def _live(folder: Path) -> str:
    """Let three nodes adopt an accord, send one act and co-sign; return the act's id."""
    wire, clock = Wire(), ManualClock(NOW_AT)
    cards = []
    for member in MEMBERS:
        settings = files.Settings(member_id=member, region="jingjinji", address=f"http://{member}")
        home = files.create(folder / member, settings, SeededEntropy(member), None, clock)
        database = open_database(folder / member, home.ring.mac_key, synchronous="OFF")
        node = Node(home, database, clock, wire, threaded=False, services=())
        node.open()
        wire.nodes[f"http://{member}"] = node
        wire.jobs[f"http://{member}"] = node.checkpoints
        cards.append(files.read_card(folder / member / files.CARD_FILE).member)
    permits = [Permit(each, list(MEMBERS), list(MEMBERS)) for each in TYPES]
    accord = Accord("jingjinji", 1, None, 0, cards, permits, [], Limits())
    document = SignedAccord(accord, [])
    for node in wire.nodes.values():
        document = accords.sign(document, node.home.member_id, node.home.ring.signing)
    (folder / "accord.json").write_bytes(document.encoded() + b"\n")
    for node in wire.nodes.values():
        await node.run(partial(adoption.adopt, raw=document.encoded()))
        node.home.accord_in_force = accord
    first = wire.nodes[f"http://{FIRST}"]
    first.exchange.start()
    reply = Reply("toy.ping/1", Ping(n=1))
    sent = await first.run(lambda tx: acts.send(tx, SECOND, reply))
    await first.exchange.wait_answer(sent.id, 5_000)
    await first.run(_post)
    for _round in range(2):
        for node in wire.nodes.values():
            await node.checkpoints.round()
    for node in wire.nodes.values():
        await node.stop()
    return str(sent.id)


def _post(tx: Transaction) -> None:
    """Make three transfers together."""
    for account in ("a", "b"):
        ledger.open_account(tx, account, "purse")
    ledger_batch.transfer_many(tx, [order(5, leg, 100 + leg) for leg in range(3)])


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A region's folder with three closed nodes, and the id of an act between two of them."""
    folder = tmp_path_factory.mktemp("region")
    return folder, asyncio.run(_live(folder))


@pytest.fixture
def region(lived: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of the region, to damage."""
    shutil.copytree(lived[0], tmp_path / "region")
    return tmp_path / "region"


def _run(*words: object) -> Result:
    runner = CliRunner(env={"COLUMNS": "200", "LC_ALL": "C.UTF-8"})
    return runner.invoke(main, ["journal", *(str(word) for word in words)])


def test_sound_region(region: Path) -> None:
    """Every node is verified, and co-signed to the last leaf by both others."""
    result = _run("verify", "--data", region)

    assert result.exit_code == 0, result.output
    assert "everything holds" in result.output
    assert all(member in result.output for member in MEMBERS)
    report = json.loads(_run("verify", "--data", region, "--json").stdout)
    tails = {name: one["leaves"] - one["cosigned"] for name, one in report.items()}
    assert tails == dict.fromkeys(MEMBERS, 0)
    assert {one["witnesses"] for one in report.values()} == {2}


def test_one_node(region: Path) -> None:
    """A node's own directory is enough."""
    result = _run("verify", "--data", region / FIRST)

    assert result.exit_code == 0, result.output


def test_changed_value_is_named(region: Path) -> None:
    """One byte in one node: exit code 1, table and key."""
    connection = sqlite3.connect(region / SECOND / "node.sqlite")
    connection.execute("UPDATE exchange_taken SET outcome = 'applief' WHERE seq = 1")
    connection.commit()
    [(key,)] = connection.execute("SELECT envelope_id FROM exchange_taken").fetchall()
    connection.close()

    result = _run("verify", "--data", region)

    assert result.exit_code == 1
    assert f"{SECOND}: table exchange_taken, key {key}: a stored value was changed" in result.output
    assert "1 findings" in result.output


def test_many_findings_are_capped(region: Path) -> None:
    """Fifty findings are shown, the rest is counted, and JSON has them all."""
    connection = sqlite3.connect(region / FIRST / "node.sqlite")
    for number in range(60):
        row = (f"c{number}", f"x{number}", b"sealed", b"m" * 16)
        connection.execute("INSERT INTO journal_contents VALUES (?, ?, ?, ?)", row)
    connection.commit()
    connection.close()

    result = _run("verify", "--data", region / FIRST)

    assert result.exit_code == 1
    assert result.output.count("a stored value was changed") == 50
    assert "and 10 more" in result.output
    findings = json.loads(_run("verify", "--data", region, "--json").stdout)[FIRST]["findings"]
    assert len(findings) == 60


@pytest.mark.parametrize("content", [b"", b"no database" * 1_000])
def test_malformed_database_is_a_message(region: Path, content: bytes) -> None:
    """The node is named with what is wrong; the others are still verified."""
    (region / FIRST / "node.sqlite").write_bytes(content)

    result = _run("verify", "--data", region)

    assert result.exit_code == 1
    assert f"{FIRST}: table (storage), key node.sqlite: [STORE_" in result.output
    assert "Traceback" not in result.output
    assert "1 findings" in result.output


def test_other_nodes_keys(region: Path) -> None:
    """A key folder of another node is one clear message."""
    shutil.rmtree(region / FIRST / "keys")
    shutil.copytree(region / SECOND / "keys", region / FIRST / "keys")

    result = _run("verify", "--data", region / FIRST)

    assert result.exit_code == 1
    assert "STORE_OTHER_KEYS" in result.output
    shutil.rmtree(region / FIRST / "keys")
    assert "KEYS_MISSING" in _run("verify", "--data", region / FIRST).output


def test_set_back_node_is_caught_by_the_region(region: Path, lived: tuple[Path, str]) -> None:
    """With all nodes at hand, a node that lost leaves is caught by what the others witnessed."""
    note_size = json.loads(_run("verify", "--data", lived[0], "--json").stdout)[FIRST]["leaves"]
    (region / FIRST / "node.sqlite").unlink()
    home = files.open_home(region / FIRST)
    database = open_database(region / FIRST, home.ring.mac_key)
    database.open_writing(NOW_AT)
    database.close()

    result = _run("verify", "--data", region)

    assert result.exit_code == 1
    assert f"has witnessed {note_size} leaves" in result.output


def test_proof_of_an_act(region: Path, lived: tuple[Path, str], tmp_path: Path) -> None:
    """What the receiver took is proved to a third party with the accord alone."""
    path = tmp_path / "proof.json"

    made = _run("prove", "--data", region / SECOND, lived[1], "-o", path)
    checked = _run("check", path, "--accord", region / "accord.json")

    assert made.exit_code == 0, made.output
    assert checked.exit_code == 0, checked.output
    assert f"signed by {FIRST}" in checked.output
    as_json = json.loads(_run("check", path, "--accord", region / "accord.json", "--json").stdout)
    assert as_json == {
        "member_id": SECOND,
        "witnesses": sorted(set(MEMBERS) - {SECOND}),
        "sender_id": FIRST,
        "transfer": None,
    }


def test_proof_of_one_transfer_of_many(region: Path, tmp_path: Path) -> None:
    """It is named as if it were alone; the check says in words, and in JSON, what it moved."""
    path = tmp_path / "proof.json"
    accord = region / "accord.json"

    made = _run("prove", "--data", region / FIRST, batched(1), "-o", path)
    checked = _run("check", path, "--accord", accord)
    proved = json.loads(_run("check", path, "--accord", accord, "--json").stdout)

    assert made.exit_code == 0, made.output
    assert checked.exit_code == 0, checked.output
    transfer_id = batched(1).removeprefix("transfer/")
    assert (
        f"transfer {transfer_id}: 1.01 yuan, debit a, credit b, "
        "kind direct, month 2026-11, purse purse\n"
    ) in checked.output
    shown = proved["transfer"]
    assert (shown["transfer_id"], shown["amount_fen"]) == (transfer_id, 101)
    assert (shown["debit_account"], shown["credit_account"]) == ("a", "b")


def test_a_transfer_that_was_exchanged_is_refused(region: Path, tmp_path: Path) -> None:
    """Another transfer of the same leaf under this one's salt, or another id, does not hold."""
    path = tmp_path / "proof.json"
    one, other = (
        json.loads(_run("prove", "--data", region / FIRST, batched(leg)).stdout) for leg in (1, 2)
    )
    for field in ("id", "salt", "body"):
        mixed = one | {"transfer": one["transfer"] | {field: other["transfer"][field]}}
        path.write_text(json.dumps(mixed))

        result = _run("check", path, "--accord", region / "accord.json")

        assert result.exit_code == 1, field
        assert "does not hold: transfer" in result.output


def test_names_in_a_transfer_begin_no_line(tmp_path: Path) -> None:
    """Whoever signs line breaks into an account's name cannot have the command say more."""
    shown = TransferContent(
        1, 1, "b", 0, 1, "a\nthe act was signed by x", 0, 1, 0, None, "direct", "2026-11", "p", "s",
        "00" * 16,
    )  # fmt: skip
    path, accord = tmp_path / "proof.json", tmp_path / "accord.json"
    path.write_text(json.dumps(forged(canonical.encode(shown), "transfer", shown.transfer_id)))
    accord.write_bytes(toy_accord(MEMBERS).encoded())

    result = _run("check", path, "--accord", accord)

    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == 3


def test_false_proof_is_refused(region: Path, lived: tuple[Path, str], tmp_path: Path) -> None:
    """A changed proof, and what is no proof at all, exit with 1 and a named part."""
    path = tmp_path / "proof.json"
    document = json.loads(_run("prove", "--data", region / SECOND, lived[1]).stdout)
    document["leaf"]["index"] += 1
    path.write_text(json.dumps(document))

    changed = _run("check", path, "--accord", region / "accord.json")
    outcomes = [changed]
    for nothing in ("nothing", "[" * 100_000):
        path.write_text(nothing)
        outcomes.append(_run("check", path, "--accord", region / "accord.json"))

    assert [one.exit_code for one in outcomes] == [1, 1, 1]
    assert all("[PROOF_BROKEN]" in one.output for one in outcomes)


def test_unknown_entry(region: Path) -> None:
    """An id that the journal does not have is a message."""
    result = _run("prove", "--data", region / FIRST, "transfer/00")

    assert result.exit_code == 1
    assert "[PROOF_NOT_FOUND]" in result.output


def test_usage() -> None:
    """A missing option is exit code 2, and no node is a message."""
    assert _run("verify").exit_code == 2
    assert "[NODE_MISSING]" in _run("verify", "--data", "nowhere").output
