"""The check in the browser: it agrees with `check_proof` on every change, and says where it broke.

Two readers of one proof that disagree would be worse than none: whoever shows the more lenient one
convinces somebody of what never happened. So the same changes go to both.
"""

import base64
import copy
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser import serving
from tests.node.pages import region
from tests.node.pages.region import FIRST, SECOND
from tests.signed_in import Session, browser_cookies
from tests.toy import MEMBERS, ring_of, toy_accord
from tongcheng.kernel import merkle
from tongcheng.kernel.accord import Accord, AccordKey
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.exchange.tables import TAKEN
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.leaves import leaf_input
from tongcheng.kernel.journal.proof import check_proof, prove
from tongcheng.node.core import Node

pytestmark = pytest.mark.browser

ACCORD = toy_accord(MEMBERS).accord
Document = dict[str, Any]
Change = Callable[[Document], None]
Verdict = tuple[str, list[str] | None, str | None]


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
    """A proof of each sort: an act that was taken, one that was sent, and an entry that is none."""
    return {
        "taken": _prove(folder, SECOND, None),
        "sent": _prove(folder, FIRST, None),
        "accord": _prove(folder, SECOND, "accord/1"),
    }


def _prove(folder: Path, member_id: str, name: str | None) -> Document:
    node = region.node_of(folder, member_id)
    with region.node_of(folder, SECOND).database.snapshot() as snapshot:
        envelope_id = snapshot.select(TAKEN)[0].envelope_id
    with node.database.snapshot() as snapshot:
        return prove(snapshot, node.home, name or envelope_id)


# the changes


def _set(*path: str | int, to: object) -> Change:
    def change(document: Document) -> None:
        owner: Any = document
        for key in path[:-1]:
            owner = owner[key]
        owner[path[-1]] = to

    return change


def _edit(*path: str | int, by: Callable[[Any], Any]) -> Change:
    def change(document: Document) -> None:
        owner: Any = document
        for key in path[:-1]:
            owner = owner[key]
        owner[path[-1]] = by(owner[path[-1]])

    return change


def _flipped(text: str) -> str:
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def _body(by: Callable[[bytes], bytes]) -> Change:
    return _edit(
        "content",
        "body",
        by=lambda text: base64.b64encode(by(base64.b64decode(text))).decode(),
    )


def _line(number: int, by: Callable[[str], str]) -> Change:
    def edited(text: str) -> str:
        lines = text.split("\n")
        lines[number] = by(lines[number])
        return "\n".join(lines)

    return _edit("checkpoint", by=edited)


def _other_letter(line: str) -> str:
    return line[:-10] + ("B" if line[-10] != "B" else "C") + line[-9:]


def _without(*path: str) -> Change:
    def change(document: Document) -> None:
        owner: Any = document
        for key in path[:-1]:
            owner = owner[key]
        del owner[path[-1]]

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "nothing": (lambda _document: None, "held"),
    "another format": (_set("format", to="tongcheng/proof/2"), "form"),
    "a field more": (_set("note", to="x"), "form"),
    "a field less": (_without("leaf", "digest"), "form"),
    "a number as text": (_set("leaf", "index", to="1"), "form"),
    "a path of numbers": (_set("path", to=[1]), "form"),
    "a long name": (_set("batch", "statement", "kid", to="x" * 129), "form"),
    "a byte of the content": (_body(lambda body: body[:-1] + b" "), "content"),
    "a byte more": (_body(lambda body: body + b"\n"), "content"),
    "content that is no base64": (_edit("content", "body", by=lambda text: text + "?"), "content"),
    "loose base64": (_edit("content", "body", by=lambda text: text + "\n"), "content"),
    "salt": (_edit("content", "salt", by=_flipped), "content"),
    "salt in capitals": (_edit("content", "salt", by=str.upper), "content"),
    "digest": (_edit("leaf", "digest", by=_flipped), "content"),
    "no checkpoint": (_set("checkpoint", to=""), "note"),
    "size with a zero before": (_line(1, lambda line: "0" + line), "note"),
    "root that is short": (_line(2, lambda _line: "AAAA"), "note"),
    "a tab in the origin": (_line(0, lambda line: line + "\tx"), "note"),
    "an extension line": (_line(2, lambda line: line + "\nmore"), "note"),
    "a hyphen for the dash": (_line(4, lambda line: "-" + line[1:]), "note"),
    "no last newline": (_edit("checkpoint", by=lambda text: text[:-1]), "note"),
    "index": (_edit("leaf", "index", by=lambda number: number + 1), "path"),
    "index below zero": (_set("leaf", "index", to=-1), "path"),
    "index far beyond": (_set("leaf", "index", to=2**53 - 1), "path"),
    "kind": (_set("leaf", "kind", to="note"), "path"),
    "id": (_edit("leaf", "id", by=_flipped), "path"),
    "a step of the path": (_edit("path", 0, by=_flipped), "path"),
    "a step in capitals": (_set("path", 0, to="AB" * 32), "path"),
    "a step more": (_edit("path", by=lambda path: [*path, path[0]]), "path"),
    "a step less": (_edit("path", by=lambda path: path[:-1]), "path"),
    "steps turned round": (_edit("path", by=lambda path: path[::-1]), "path"),
    "root": (_line(2, _other_letter), "path"),
    "size": (_line(1, lambda line: str(int(line) * 2)), "path"),
    "another journal": (_line(0, lambda line: line.replace(SECOND, FIRST)), "checkpoint"),
    "a stranger's journal": (_line(0, lambda line: line + "x"), "checkpoint"),
    "the log's signature": (_line(4, _other_letter), "checkpoint"),
    "a witness's signature": (_line(5, _other_letter), "held"),
    "a witness's name": (_line(5, lambda line: line.replace("-hsb ", "-wjw ")), "held"),
    "no batch": (_set("batch", to=None), "batch"),
    "the batch's sender": (_set("batch", "statement", "src", to="hebei-hsb"), "batch"),
    "the batch's receiver": (_set("batch", "statement", "dst", to="hebei-hsb"), "batch"),
    "a signature that is no hex": (_set("batch", "signature", to="xy"), "batch"),
    "the batch's root": (_edit("batch", "statement", "root", by=_flipped), "batch path"),
    "the batch's count": (_set("batch", "statement", "count", to=9), "batch path"),
    "the place in the batch": (_set("batch", "index", to=5), "batch path"),
    "a step to the batch's root": (_set("batch", "path", to=["00" * 32]), "batch path"),
    "the batch's signature": (_edit("batch", "signature", by=_flipped), "batch signature"),
    "a signature cut short": (_set("batch", "signature", to="00"), "batch signature"),
    "the batch's key": (_edit("batch", "statement", "kid", by=_flipped), "batch signature"),
    "the batch's instant": (_set("batch", "statement", "sent_at", to=1), "batch signature"),
    "the batch's version": (_set("batch", "statement", "version", to=2), "batch signature"),
}


def _accords() -> dict[str, list[Accord]]:
    """Return the true accord, others with which it must not hold, and two together."""
    other = ring_of("other").signing
    key = AccordKey(other.kid, "ed25519-sha256-aes256gcm", other.public.hex(), 0)

    def keyed(*keys: AccordKey) -> Accord:
        members = [
            msgspec.structs.replace(one, signing_keys=[*keys, *_ended(one.signing_keys)])
            for one in ACCORD.members
        ]
        return msgspec.structs.replace(ACCORD, members=members)

    def _ended(keys: list[AccordKey]) -> list[AccordKey]:
        return [msgspec.structs.replace(one, to_at=1) for one in keys]

    strangers = [msgspec.structs.replace(one, signing_keys=[key]) for one in ACCORD.members]
    return {
        "true": [ACCORD],
        "other keys": [msgspec.structs.replace(ACCORD, members=strangers)],
        "keys that are over": [keyed()],
        "over here, valid there": [keyed(key), ACCORD],
        "another region": [msgspec.structs.replace(ACCORD, region="elsewhere")],
        "none": [],
    }


# both readers


def _by_python(document: Document, accords: list[Accord]) -> Verdict:
    try:
        proved = check_proof(document, accords)
    except Refused as refusal:
        return _part(refusal), None, None
    return "held", proved.witnesses, proved.sender_id


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
        ("held", one["witnesses"], one["sender"]) if one["held"] else (one["part"], None, None)
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


def test_both_name_the_same_fault(entry: Page, documents: dict[str, Document]) -> None:
    """Each single change fails in both readers, at the step that the table expects."""
    changed = {
        name: _changed(documents["taken"], change) for name, (change, _part) in CHANGES.items()
    }

    python = {name: _by_python(document, [ACCORD]) for name, document in changed.items()}
    browser = _in_browser(entry, [(document, [ACCORD]) for document in changed.values()])

    assert dict(zip(changed, browser, strict=True)) == python
    assert {name: verdict[0] for name, verdict in python.items()} == {
        name: part for name, (_change, part) in CHANGES.items()
    }


def test_a_witness_that_does_not_hold_is_not_counted(
    entry: Page, documents: dict[str, Document]
) -> None:
    """The proof holds without it, and says who is left."""
    change, _ = CHANGES["a witness's signature"]
    document = _changed(documents["taken"], change)

    ((held, witnesses, sender),) = _in_browser(entry, [(document, [ACCORD])])

    assert (held, len(witnesses or []), sender) == ("held", 1, FIRST)


@pytest.mark.parametrize("name", ["taken", "sent", "accord"])
def test_both_agree_under_any_accord(
    entry: Page, documents: dict[str, Document], name: str
) -> None:
    """Keys of others, keys that are over, several versions, none: the same answer."""
    accords = _accords()
    python = {key: _by_python(documents[name], one) for key, one in accords.items()}

    browser = _in_browser(entry, [(documents[name], one) for one in accords.values()])

    assert dict(zip(accords, browser, strict=True)) == python
    assert python["true"][0] == "held"
    assert python["other keys"][0] == "checkpoint"


def _forged(body: bytes, kind: str = "act_sent", content_id: str = "x") -> Document:
    """Return a proof that this journal's own node makes of any content whatever."""
    salt = bytes(16)
    digest = hashlib.sha256(salt + body).hexdigest()
    leaf = merkle.leaf_hash(leaf_input(kind, content_id, bytes.fromhex(digest)))
    checkpoint = notes.Checkpoint(notes.name_of("jingjinji", SECOND), 1, leaf)
    return {
        "format": "tongcheng/proof/1",
        "leaf": {"index": 0, "kind": kind, "id": content_id, "digest": digest},
        "content": {"salt": salt.hex(), "body": base64.b64encode(body).decode()},
        "path": [],
        "checkpoint": notes.sign(ring_of(SECOND).signing, checkpoint).encoded(),
        "batch": None,
    }


ENVELOPE = (
    b'{"accord":"a","attachments":[],"body":{"n":1},"case":null,"dst":"b","id":"x","made_at":1,'
    b'"not_after":null,"reply_to":null,"rulebooks":[],"seq":1,"src":"c","type":"t"}'
)
CONTENTS: dict[str, tuple[bytes, str]] = {
    "an envelope": (ENVELOPE, "held"),
    "not JSON": (b"{", "envelope"),
    "not UTF-8": (ENVELOPE.replace(b'"a"', b'"\xff"'), "envelope"),
    "with a mark before it": (b"\xef\xbb\xbf" + ENVELOPE, "envelope"),
    "a list": (b"[]", "envelope"),
    "white space": (ENVELOPE.replace(b":1", b": 1", 1), "envelope"),
    "another order": (ENVELOPE.replace(b'"accord":"a",', b"")[:-1] + b',"accord":"a"}', "envelope"),
    "a key twice": (ENVELOPE.replace(b'"n":1', b'"n":1,"n":1'), "envelope"),
    "a key in capitals": (ENVELOPE.replace(b'"n"', b'"N"'), "envelope"),
    "a fraction": (ENVELOPE.replace(b'"n":1', b'"n":0.5'), "envelope"),
    "a whole number as a fraction": (ENVELOPE.replace(b'"n":1', b'"n":1.0'), "envelope"),
    "minus nothing": (ENVELOPE.replace(b'"n":1', b'"n":-0'), "envelope"),
    "a number too large": (ENVELOPE.replace(b'"n":1', b'"n":9007199254740993'), "envelope"),
    "an escape for a letter": (ENVELOPE.replace(b'"n":1', b'"n":"\\u0061"'), "envelope"),
    "a control character": (ENVELOPE.replace(b'"n":1', b'"n":"\\u001f\\n"'), "held"),
    "a nul": (ENVELOPE.replace(b'"n":1', b'"n":"\\u0000"'), "envelope"),
    "half a pair": (ENVELOPE.replace(b'"n":1', b'"n":"\\ud800"'), "envelope"),
    "Chinese": (ENVELOPE.replace(b'"n":1', '"n":"结算\u2028"'.encode()), "held"),
    "deep": (ENVELOPE.replace(b'"n":1', b'"n":' + b"[" * 30 + b"]" * 30), "held"),
    "too deep": (ENVELOPE.replace(b'"n":1', b'"n":' + b"[" * 31 + b"]" * 31), "envelope"),
    "a field more": (ENVELOPE.replace(b'"seq"', b'"sea":1,"seq"'), "envelope"),
    "a field less": (ENVELOPE.replace(b'"seq":1,', b""), "envelope"),
    "a field that may be left out": (ENVELOPE.replace(b'"case":null,', b""), "held"),
    "no list of books": (ENVELOPE.replace(b'"rulebooks":[]', b'"rulebooks":null'), "envelope"),
    "another id": (ENVELOPE.replace(b'"id":"x"', b'"id":"y"'), "envelope"),
}


def test_both_read_the_same_contents_as_envelopes(entry: Page) -> None:
    """A node that signs nonsense into its own journal convinces neither reader."""
    forged = {name: _forged(body) for name, (body, _part) in CONTENTS.items()}
    python = {name: _by_python(document, [ACCORD]) for name, document in forged.items()}

    browser = _in_browser(entry, [(document, [ACCORD]) for document in forged.values()])

    assert dict(zip(forged, browser, strict=True)) == python
    assert {name: verdict[0] for name, verdict in python.items()} == {
        name: part for name, (_body, part) in CONTENTS.items()
    }


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
    text.fill(before.replace(salt, _flipped(salt)))
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
