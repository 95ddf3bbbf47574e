"""The journal's pages: what their titles say, how an entry is found, and who is told of a read."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.kernel.region_of_nodes import batched
from tests.node.pages import region
from tests.node.pages.region import FIRST, SECOND, THIRD
from tests.signed_in import cookies
from tests.toy import MEMBERS, NOW_AT, toy_accord
from tongcheng.kernel import audit, journal
from tongcheng.kernel.exchange.tables import ACT_TAKEN, TAKEN
from tongcheng.kernel.journal.checkpoint import CHECKPOINTS
from tongcheng.kernel.journal.proof import check_proof
from tongcheng.kernel.journal.witness import CONFLICTS, ConflictRow
from tongcheng.kernel.ledger_batch import TRANSFERS_KIND
from tongcheng.kernel.store import Transaction
from tongcheng.node.core import Node

ACCORD = toy_accord(MEMBERS).accord
Client = TestClient[Litestar]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region that has lived; nothing in it is damaged."""
    return region.lived(tmp_path_factory.mktemp("journal"))


@pytest.fixture(scope="module")
def node(folder: Path) -> Node:
    """The second node: it has taken acts of the first."""
    return region.node_of(folder, SECOND)


@pytest.fixture(scope="module")
def client(node: Node) -> Iterator[Client]:
    """Its console, open to an auditor."""
    with _client(node) as opened:
        yield opened


def _client(node: Node) -> Client:
    session = region.auditor_of(node)
    return TestClient(region.console_of(node), cookies=cookies(session))


def _title(text: str) -> str:
    return str(re.findall(r"<h1>(.*?)</h1>", text)[0]).strip()


def _taken(node: Node) -> str:
    with node.database.snapshot() as snapshot:
        return snapshot.select(TAKEN)[0].envelope_id


def test_title_says_how_far_the_others_vouch(client: Client, node: Node) -> None:
    """Length of the journal and the co-signatures, in both languages."""
    with node.database.snapshot() as snapshot:
        size, _ = journal.head(snapshot)
        cosigned = snapshot.select(CHECKPOINTS)[-1].size

    english = _title(client.get("/en/journal").text)
    chinese = _title(client.get("/zh/journal").text)

    assert english == f"{size} entries; Beijing and Hebei co-signed the first {cosigned}"
    assert chinese == f"日志共 {size} 条，北京、河北已联署前 {cosigned} 条"


def test_entries_are_listed_latest_first_and_by_kind(client: Client) -> None:
    """The list can be cut to one kind, and read on from any entry."""
    numbers = re.findall(r'id="row-entry-(\d+)"', client.get("/en/journal").text)
    taken = client.get("/en/journal?kind=act_taken").text
    rest = re.findall(r'id="row-entry-(\d+)"', client.get("/en/journal?before=3").text)

    assert [int(number) for number in numbers] == list(reversed(range(len(numbers))))
    assert "Envelope taken" in taken
    assert 0 < len(re.findall(r'id="row-entry', taken)) < len(numbers)
    assert rest == ["2", "1", "0"]


@pytest.mark.parametrize("given", ["kind=nothing", "before=x", "before=-1", "before=9" + "9" * 30])
def test_a_query_that_means_nothing_is_no_fault(client: Client, given: str) -> None:
    """Whatever stands in the address, the page is answered."""
    assert client.get(f"/en/journal?{given}").status_code == 200


def test_an_entry_is_found_by_any_of_its_names(client: Client, node: Node) -> None:
    """Its envelope's id, kind and id, and its number lead to the same page."""
    envelope_id = _taken(node)
    with node.database.snapshot() as snapshot:
        leaf = journal.leaf_of(snapshot, ACT_TAKEN, envelope_id)
    assert leaf is not None

    for name in (envelope_id, f"{ACT_TAKEN}/{envelope_id}", str(leaf.leaf_index)):
        found = client.get("/en/journal", params={"find": name}, follow_redirects=False)

        assert found.status_code == 303
        assert found.headers["location"] == f"/en/journal/entries/{ACT_TAKEN}/{envelope_id}"
        assert client.get(f"/en/journal/entries/{name}").status_code == 200


@pytest.mark.parametrize("name", ["nothing", "act_taken/nothing", "999999", "<b>", "1" * 400])
def test_what_is_not_there_is_said_beside_the_field(client: Client, name: str) -> None:
    """A search without a result shows the list and says so; an address without one is 404."""
    found = client.get("/en/journal", params={"find": name}, follow_redirects=False)

    assert found.status_code == 200
    assert "The journal has no entry" in found.text
    assert "<b>" not in found.text
    assert client.get(f"/en/journal/entries/{name}").status_code == 404


def test_an_entry_says_what_it_is_and_who_vouches(client: Client, node: Node) -> None:
    """Title, facts, content, path, signatures, and the command that checks it offline."""
    page = client.get(f"/en/journal/entries/{_taken(node)}").text

    assert re.search(r"Entry \d+ \(toy\.ping/1\) is in the journal; Beijing and Hebei", page)
    assert "Tianjin" in page
    assert "tongcheng journal check proof-act_taken-" in page
    assert "--accord accord-1.json" in page
    assert page.count('class="ladder-sibling"') == len(
        re.findall(r"<li><span>(?:left|right)", page)
    )
    assert len(page) < 100_000


def test_every_read_is_audited_before_it_is_answered(client: Client, node: Node) -> None:
    """The page and the proof each leave an entry, under the case that the envelope speaks of."""
    envelope_id = _taken(node)
    client.get(f"/en/journal/entries/{envelope_id}")
    client.get(f"/en/journal/proofs/{envelope_id}")
    client.get("/en/journal")

    with node.database.snapshot() as snapshot:
        rows = snapshot.select(audit.AUDIT)[-2:]
    assert [(row.action, row.subject, row.detail) for row in rows] == [
        ("journal.entry.read", "case", f"act_taken/{envelope_id}")
    ] * 2
    assert all(row.actor.startswith("account/") for row in rows)


def test_a_visitor_is_offered_no_entry(folder: Path, tmp_path: Path) -> None:
    """Whoever has not signed in sees how far the journal is vouched for, and opens no entry."""
    node = region.node_of(region.copied(folder, tmp_path / "copy"), SECOND)
    envelope_id = _taken(node)
    with TestClient(region.console_of(node)) as client:
        listed = client.get("/en/journal", params={"find": envelope_id}, follow_redirects=False)
        entry = client.get(f"/en/journal/entries/{envelope_id}", follow_redirects=False)
        proof = client.get(f"/en/journal/proofs/{envelope_id}", follow_redirects=False)

    assert listed.status_code == 200
    assert "/journal/entries/" not in listed.text
    assert "Find an entry" not in listed.text
    assert entry.status_code in {303, 401, 403}
    assert proof.status_code in {303, 401, 403}
    assert envelope_id not in proof.text


def test_the_proof_that_is_handed_out_holds(client: Client, node: Node) -> None:
    """The file is what the offline check reads, under the name that the command has."""
    answer = client.get(f"/en/journal/proofs/{_taken(node)}")

    proved = check_proof(msgspec.json.decode(answer.content), [ACCORD])

    assert proved.member_id == SECOND
    assert proved.sender_id == FIRST
    assert proved.witnesses == sorted([FIRST, THIRD])
    assert answer.headers["content-disposition"].startswith(
        'attachment; filename="proof-act_taken-'
    )


@pytest.fixture
def keeper(folder: Path, tmp_path: Path) -> Iterator[tuple[Client, Node]]:
    """The console of the first node, which keeps books, and the node."""
    node = region.node_of(region.copied(folder, tmp_path / "copy"), FIRST)
    with _client(node) as opened:
        yield opened, node


def test_one_transfer_of_many_is_shown_alone(keeper: tuple[Client, Node]) -> None:
    """Its amount and accounts in words, the step that checks it, and a file that holds."""
    client, node = keeper

    page = client.get(f"/en/journal/entries/{batched(1)}").text
    chinese = client.get(f"/zh/journal/entries/{batched(1)}").text
    answer = client.get(f"/en/journal/proofs/{batched(1)}")

    assert "(Ledger transfer) is in the journal; " in _title(page)
    assert "¥1.01" in page
    assert "moved at once" in page
    assert "1.01\u00a0元" in chinese
    assert "直接记账" in chinese
    assert page.count("data-step=") == 7
    assert 'data-step="transfer"' in page
    assert "¥1.02" not in page
    assert batched(2).removeprefix("transfer/") not in re.sub(r"<textarea.*?</textarea>", "", page)
    name = batched(1).replace("/", "-")
    assert f"tongcheng journal check proof-{name}.json" in page
    assert answer.headers["content-disposition"] == f'attachment; filename="proof-{name}.json"'
    proved = check_proof(msgspec.json.decode(answer.content), [ACCORD])
    assert proved.transfer is not None
    assert (proved.member_id, proved.transfer.amount_fen) == (FIRST, 101)
    with node.database.snapshot() as snapshot:
        rows = snapshot.select(audit.AUDIT)[-3:]
    assert {(row.action, row.subject, row.detail) for row in rows} == {
        ("journal.entry.read", batched(1), batched(1))
    }


def test_the_leaf_of_many_is_shown_as_a_whole(keeper: tuple[Client, Node]) -> None:
    """By its own name and its number it lists ids and digests; a transfer of it leads there."""
    client, node = keeper
    with node.database.snapshot() as snapshot:
        (leaf,) = snapshot.select(journal.JOURNAL_LEAVES, kind=TRANSFERS_KIND)

    page = client.get(f"/en/journal/entries/{leaf.leaf_index}").text
    one = client.get(f"/en/journal/entries/{batched(2)}").text
    proof = client.get(f"/en/journal/proofs/{TRANSFERS_KIND}/{leaf.content_id}").content

    assert "(Ledger transfers) is in the journal; " in _title(page)
    assert 'data-step="transfer"' not in page
    assert "¥1.0" not in page
    assert f'href="/en/journal/entries/{TRANSFERS_KIND}/{leaf.content_id}"' in one
    assert msgspec.json.decode(proof)["transfer"] is None
    assert check_proof(msgspec.json.decode(proof), [ACCORD]).transfer is None


def test_a_transfer_with_a_leaf_of_its_own_is_told_in_words(keeper: tuple[Client, Node]) -> None:
    """The same words; there is no other entry to lead to."""
    client, node = keeper
    with node.database.snapshot() as snapshot:
        leaf = snapshot.select(journal.JOURNAL_LEAVES, kind="transfer")[0]

    page = client.get(f"/en/journal/entries/{leaf.leaf_index}").text

    assert "¥43,694.63" in page
    assert 'data-step="transfer"' in page
    assert "Show the whole entry" not in page
    assert f"proof-transfer-{leaf.leaf_index}.json" in page


@pytest.mark.parametrize("given", ["transfer/" + "0" * 32, "transfer/x", "transfer/"])
def test_a_transfer_that_is_nobodys(keeper: tuple[Client, Node], given: str) -> None:
    """An address that names none is 404, and reading nothing leaves no note."""
    client, node = keeper

    assert client.get(f"/en/journal/entries/{given}").status_code == 404
    assert client.get(f"/en/journal/proofs/{given}").status_code == 404
    with node.database.snapshot() as snapshot:
        notes = [row.action for row in snapshot.select(audit.AUDIT)]
    assert "journal.entry.read" not in notes


def test_the_checkpoint_is_handed_out_as_it_was_signed(client: Client) -> None:
    """A C2SP note with the log's signature and two co-signatures."""
    note = client.get("/en/journal/checkpoint").text

    assert note.startswith(f"tongcheng/jingjinji/{SECOND}\n")
    assert note.count("\u2014 ") == 3


def test_an_entry_of_this_moment_waits_for_a_checkpoint(folder: Path, tmp_path: Path) -> None:
    """It is shown with its content; its proof is refused by name until a checkpoint covers it."""
    node = region.node_of(region.copied(folder, tmp_path / "copy"), SECOND)

    def write(tx: Transaction) -> None:
        journal.append(tx, "note", "a", b'{"just": "now"}')

    region.run(node, write)
    with _client(node) as client:
        page = client.get("/en/journal/entries/note/a")
        proof = client.get("/en/journal/proofs/note/a")
        listed = client.get("/en/journal").text

    assert page.status_code == 200
    assert "was just written and waits" in page.text
    assert "&#34;just&#34;" in page.text
    assert proof.status_code == 409
    assert "PROOF_TOO_EARLY" in proof.text
    behind = {int(number) for number in re.findall(r"(\d+) behind", listed)}
    assert behind == {listed.count("Not yet")}


def test_two_journals_of_one_member_are_shown_loudly(folder: Path, tmp_path: Path) -> None:
    """The title says it, and both signed checkpoints stand below it."""
    node = region.node_of(region.copied(folder, tmp_path / "copy"), SECOND)
    shown = "tongcheng/jingjinji/hebei-hsb\n7\nx\n\nfirst\n"
    known = "tongcheng/jingjinji/hebei-hsb\n5\ny\n\nsecond\n"
    row = ConflictRow(THIRD, "CHECKPOINT_FORKED", SECOND, shown, known, NOW_AT)
    region.run(node, lambda tx: tx.add(CONFLICTS, row))
    with _client(node) as client:
        page = client.get("/en/journal").text

    assert _title(page) == "Hebei has shown two journals that contradict each other"
    assert "CHECKPOINT_FORKED" in page
    assert "hebei-hsb\n7" in page
    assert "hebei-hsb\n5" in page


def test_ids_that_stand_for_a_person_are_on_the_audited_page_alone(
    folder: Path, tmp_path: Path
) -> None:
    """The list, which is not audited, names such an entry by its number."""
    node = region.node_of(region.copied(folder, tmp_path / "copy"), SECOND)

    def write(tx: Transaction) -> None:
        journal.append(tx, "settlement_entry", "personkey/110000/2026/1", b"{}")

    region.run(node, write)
    with _client(node) as client:
        listed = client.get("/zh/journal").text
        page = client.get("/zh/journal/entries/settlement_entry/personkey/110000/2026/1").text

    assert "个人年度累计" in listed
    assert "personkey" not in listed
    assert "personkey" in page


def test_an_empty_journal_says_so(tmp_path: Path) -> None:
    """A node that has done nothing yet has a page that explains itself."""
    node = region.node_of(tmp_path, FIRST)
    node.home.accord_in_force = None
    with TestClient(region.console_of(node)) as client:
        page = client.get("/en/journal")
        accord = client.get("/en/accord")
        checkpoint = client.get("/en/journal/checkpoint")

    assert page.status_code == 200
    assert _title(page.text) == "0 entries; no other member has co-signed yet"
    assert "No accord is in force yet" in accord.text
    assert checkpoint.status_code == 409
