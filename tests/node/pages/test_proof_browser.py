"""The check in the browser: it agrees with `check_proof` on every change, and says where it broke.

Two readers of one proof that disagree would be worse than none: whoever shows the more lenient one
convinces somebody of what never happened. So the same changes go to both.
"""

import base64
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from click.testing import CliRunner
from playwright.sync_api import Browser, Page, expect

from tests.browser import serving
from tests.kernel.region_of_nodes import batched
from tests.node.pages import region
from tests.node.pages.proof_changes import (
    ACCORD,
    CHANGES,
    CONTENTS,
    FILES,
    TRANSFER_CHANGES,
    Change,
    Document,
    accords,
    flipped,
)
from tests.node.pages.proof_forged import (
    LISTS,
    TRANSFER,
    TRANSFER_ID,
    TRANSFERS,
    forged,
    forged_list,
)
from tests.node.pages.region import FIRST, SECOND
from tests.signed_in import Session, browser_cookies
from tests.toy import MEMBERS, toy_accord
from tongcheng.cli.journal import check
from tongcheng.kernel.accord import Accord
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import TAKEN
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.proof import check_proof, prove
from tongcheng.node.core import Node

pytestmark = pytest.mark.browser

Verdict = tuple[str, list[str] | None, str | None, dict[str, Any] | None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A region that has lived."""
    return region.lived(tmp_path_factory.mktemp("proofs"))


@pytest.fixture(scope="module")
def node(folder: Path) -> Node:
    """The second node: it has taken acts of the first."""
    return region.node_of(folder, SECOND)


@pytest.fixture(scope="module")
def auditor(node: Node) -> Session:
    """Somebody who may read entries."""
    return region.auditor_of(node)


@pytest.fixture(scope="module")
def address(node: Node, auditor: Session) -> Iterator[str]:
    """Its console, on a free port."""
    assert auditor.account_id, "signed in before the node is served"
    with serving(region.console_of(node)) as served:
        yield served


@pytest.fixture(scope="module")
def documents(folder: Path) -> dict[str, Document]:
    """A proof of each sort: an act taken, an act sent, a transfer among many, any other entry."""
    return {
        "taken": _prove(folder, SECOND, None),
        "sent": _prove(folder, FIRST, None),
        "transfer": _prove(folder, FIRST, batched(1)),
        "accord": _prove(folder, SECOND, "accord/1"),
    }


def _prove(folder: Path, member_id: str, name: str | None) -> Document:
    node = region.node_of(folder, member_id)
    with region.node_of(folder, SECOND).database.snapshot() as snapshot:
        envelope_id = snapshot.select(TAKEN)[0].envelope_id
    with node.database.snapshot() as snapshot:
        return prove(snapshot, node.home, name or envelope_id)


# both readers


def _by_python(document: Document, accords: list[Accord]) -> Verdict:
    try:
        proved = check_proof(document, accords)
    except Refused as refusal:
        return _part(refusal), None, None, None
    return "held", proved.witnesses, proved.sender_id, msgspec.to_builtins(proved.transfer)


def _part(refusal: Refused) -> str:
    if refusal.code == "CHECKPOINT_MALFORMED":
        return "note"
    if refusal.code == "SCHEMA_MISMATCH" or refusal.code.startswith("CANONICAL_"):
        return "envelope"
    part = str(refusal.facts["part"])
    return "form" if part.startswith("form") else part


CHECK_ALL = """async ([checker, questions]) => {
  const { verdictOf } = await import(checker);
  return Promise.all(questions.map(([text, accords]) => verdictOf(text, accords)));
}"""


def _in_browser(page: Page, questions: list[tuple[Document, list[Accord]]]) -> list[Verdict]:
    checker = page.locator("[data-checker]").get_attribute("data-checker")
    asked = [
        [msgspec.json.encode(document).decode(), msgspec.to_builtins(accords)]
        for document, accords in questions
    ]
    answers = page.evaluate(CHECK_ALL, [checker, asked])
    return [
        ("held", one["witnesses"], one["sender"], one["transfer"])
        if one["held"]
        else (one["part"], None, None, None)
        for one in answers
    ]


@pytest.fixture(scope="module")
def entry(
    browser: Browser, address: str, auditor: Session, documents: dict[str, Document]
) -> Iterator[Page]:
    """The page of the entry whose proof is changed, with whatever the browser complains of."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    context.add_cookies(browser_cookies(auditor, address))
    context.set_default_timeout(5_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{address}/en/journal/entries/{documents['taken']['leaf']['id']}")
    yield page
    context.close()
    assert complaints == []


def _changed(document: Document, change: Change) -> Document:
    changed = copy.deepcopy(document)
    change(changed)
    return changed


def _both_say(entry: Page, documents: dict[str, Document], parts: dict[str, str]) -> None:
    python = {name: _by_python(document, [ACCORD]) for name, document in documents.items()}

    browser = _in_browser(entry, [(document, [ACCORD]) for document in documents.values()])

    assert dict(zip(documents, browser, strict=True)) == python
    assert {name: verdict[0] for name, verdict in python.items()} == parts


@pytest.mark.parametrize(("kind", "changes"), [("taken", CHANGES), ("transfer", TRANSFER_CHANGES)])
def test_both_name_the_same_fault(
    entry: Page,
    documents: dict[str, Document],
    kind: str,
    changes: dict[str, tuple[Change, str]],
) -> None:
    """Each single change fails in both readers, at the step that the table expects."""
    changed = {name: _changed(documents[kind], change) for name, (change, _part) in changes.items()}

    _both_say(entry, changed, {name: part for name, (_change, part) in changes.items()})


def test_a_witness_that_does_not_hold_is_not_counted(
    entry: Page, documents: dict[str, Document]
) -> None:
    """The proof holds without it, and says who is left."""
    change, _ = CHANGES["a witness's signature"]
    document = _changed(documents["taken"], change)

    ((held, witnesses, sender, _),) = _in_browser(entry, [(document, [ACCORD])])

    assert (held, len(witnesses or []), sender) == ("held", 1, FIRST)


@pytest.mark.parametrize("name", ["taken", "sent", "transfer", "accord"])
def test_both_agree_under_any_accord(
    entry: Page, documents: dict[str, Document], name: str
) -> None:
    """Keys of others, keys that are over, several versions, none: the same answer."""
    variants = accords()
    python = {key: _by_python(documents[name], one) for key, one in variants.items()}

    browser = _in_browser(entry, [(documents[name], one) for one in variants.values()])

    assert dict(zip(variants, browser, strict=True)) == python
    assert python["true"][0] == "held"
    assert python["other keys"][0] == "checkpoint"


def test_both_read_the_same_contents_as_envelopes(entry: Page) -> None:
    """A node that signs nonsense into its own journal convinces neither reader."""
    documents = {name: forged(body) for name, (body, _part) in CONTENTS.items()}

    _both_say(entry, documents, {name: part for name, (_body, part) in CONTENTS.items()})


def test_both_read_the_same_lists_of_transfers(entry: Page) -> None:
    """What shows a transfer is a list in its one spelling, whatever its node has signed."""
    documents = {name: forged_list(TRANSFER, by) for name, (by, _part) in LISTS.items()}

    _both_say(entry, documents, {name: part for name, (_by, part) in LISTS.items()})


def test_both_read_the_same_transfers(entry: Page) -> None:
    """In a leaf of their own and among many, byte for byte; amounts come out the same."""
    written = {name: by(TRANSFER) for name, (by, _part) in TRANSFERS.items()}
    parts = {name: part for name, (_by, part) in TRANSFERS.items()}

    alone = {name: forged(body, "transfer", TRANSFER_ID) for name, body in written.items()}
    among = {name: forged_list(body) for name, body in written.items()}

    _both_say(entry, alone, parts)
    _both_say(entry, among, parts)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_salt_of_another_length_opens_nothing(entry: Page, length: int) -> None:
    """Nothing of the content can be passed off as salt, though the digest be the same."""
    document = forged_list(TRANSFER, salt=bytes(length))

    _both_say(entry, {"salt": document}, {"salt": "transfer"})


CHECK_FILE = """async ([checker, accords]) => {
  const { textOf, verdictOf } = await import(checker);
  const [file] = document.querySelector("input[type=file]").files;
  return verdictOf(textOf(await file.arrayBuffer()), accords);
}"""


def _file_in_browser(page: Page, raw: bytes) -> str:
    page.locator("input[type=file]").set_input_files(
        {"name": "proof.json", "mimeType": "application/json", "buffer": raw}
    )
    checker = page.locator("[data-checker]").get_attribute("data-checker")
    verdict = page.evaluate(CHECK_FILE, [checker, [msgspec.to_builtins(ACCORD)]])
    return "held" if verdict["held"] else str(verdict["part"])


def _file_by_command(folder: Path, raw: bytes) -> str:
    """Return what `tongcheng journal check` says of a file."""
    file, accord = folder / "proof.json", folder / "accord.json"
    file.write_bytes(raw)
    accord.write_bytes(toy_accord(MEMBERS).encoded())
    fault = CliRunner().invoke(check, [str(file), "--accord", str(accord)]).exception
    assert fault is None or isinstance(fault, Refused), fault
    return "held" if fault is None else _part(fault)


def test_both_read_the_same_files(entry: Page, tmp_path: Path) -> None:
    """Marks, half pairs, fractions, numbers without end: what one takes, the other takes."""
    document = forged(b"x", kind="note", content_id="n")
    stranger = base64.b64encode(bytes(8)).decode()
    document["checkpoint"] += f"{notes.DASH} else {stranger}\n"
    written = msgspec.json.encode(document)
    files = {name: by(written) for name, (by, _part) in FILES.items()}

    command = {name: _file_by_command(tmp_path, raw) for name, raw in files.items()}
    browser = {name: _file_in_browser(entry, raw) for name, raw in files.items()}
    entry.reload()  # each file was put into the page as well

    assert browser == command
    assert command == {name: part for name, (_by, part) in FILES.items()}


# the page


def test_the_true_proof_holds_on_the_page(entry: Page) -> None:
    """One click: every step is marked, and the verdict names who vouches and who sent it."""
    entry.get_by_role("button", name="Check the proof").click()

    expect(entry.get_by_role("status")).to_contain_text("The proof holds")
    expect(entry.get_by_role("status")).to_contain_text("co-signed by beijing-hsb and hebei-hsb")
    expect(entry.locator("[data-step][data-outcome=held]")).to_have_count(10)


def test_one_letter_breaks_it_on_the_page_until_it_is_put_back(entry: Page) -> None:
    """Whoever edits the proof sees which step fails; what comes after it is not claimed."""
    entry.get_by_text("The proof (you may change it)").click()
    text = entry.get_by_role("textbox", name="The proof (you may change it)")
    before = text.input_value()
    salt = msgspec.json.decode(before)["content"]["salt"]
    text.fill(before.replace(salt, flipped(salt)))
    entry.get_by_role("button", name="Check the proof").click()

    expect(entry.get_by_role("status")).to_contain_text("What fails: Content and digest")
    expect(entry.locator("[data-step=content]")).to_have_attribute("data-outcome", "failed")
    expect(entry.locator("[data-outcome=held][data-step]")).to_have_count(1)
    entry.get_by_role("button", name="Put it back").click()
    expect(entry.get_by_role("status")).to_contain_text("The proof holds")


def test_another_proof_can_be_checked_from_its_file(
    entry: Page, documents: dict[str, Document]
) -> None:
    """A file from anywhere, of any entry of any member: here one that was tampered with."""
    change, _ = CHANGES["the batch's signature"]
    tampered = msgspec.json.encode(_changed(documents["taken"], change))
    chooser = entry.get_by_label("Check another proof file")
    chooser.set_input_files(
        {"name": "proof.json", "mimeType": "application/json", "buffer": tampered}
    )

    expect(entry.get_by_role("status")).to_contain_text("What fails: The sender's signature")
    sent = msgspec.json.encode(documents["sent"])
    chooser.set_input_files({"name": "sent.json", "mimeType": "application/json", "buffer": sent})
    expect(entry.get_by_role("status")).to_contain_text("the journal of beijing-hsb")
    one = msgspec.json.encode(documents["transfer"])
    chooser.set_input_files({"name": "one.json", "mimeType": "application/json", "buffer": one})
    expect(entry.get_by_role("status")).to_contain_text("1.01 yuan (moved at once), debit a")


def test_without_scripts_the_page_tells_the_command(
    browser: Browser, address: str, auditor: Session, documents: dict[str, Document]
) -> None:
    """What the page says by itself is whole: nothing on it waits for a script."""
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(browser_cookies(auditor, address))
    page = context.new_page()
    page.goto(f"{address}/en/journal/entries/{documents['taken']['leaf']['id']}")

    expect(page.get_by_text("tongcheng journal check proof-act_taken")).to_be_visible()
    expect(page.get_by_text("Scripts are off")).to_be_visible()
    expect(page.get_by_role("button", name="Check the proof")).to_be_hidden()
    context.close()


@pytest.mark.parametrize(
    ("language", "width", "scheme"), [("zh", 1360, "light"), ("en", 390, "dark")]
)
@pytest.mark.parametrize("path", ["/journal", "/accord", "/exchange", "entry"])
def test_axe_finds_nothing(
    browser: Browser,
    address: str,
    auditor: Session,
    documents: dict[str, Document],
    path: str,
    language: str,
    width: int,
    scheme: str,
) -> None:
    """No violation, nothing foreign, nothing that scrolls sideways on a phone."""
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.add_cookies(browser_cookies(auditor, address))
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    name = f"/journal/entries/{documents['taken']['leaf']['id']}" if path == "entry" else path
    page.goto(f"{address}/{language}{name}")
    violations = Axe().run(page).response["violations"]
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    context.close()

    assert [f"{each['id']}: {each['nodes'][0]['html']}" for each in violations] == []
    assert [url for url in asked if not url.startswith(address)] == []
    assert overflow <= 0
