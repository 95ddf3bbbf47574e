"""One entry of the journal as its template shows it: what it is, and how anybody can check it."""

import json
from typing import Any, get_args

import msgspec
from litestar import Response

from tongcheng.kernel.ledger import Kind, TransferContent
from tongcheng.kernel.merkle import Rung
from tongcheng.node.pages import words
from tongcheng.node.pages.journal import pictures
from tongcheng.node.pages.journal.data import EntryPage, Ladder
from tongcheng.node.pages.journal.view import signers_table
from tongcheng.web import Badge, Page
from tongcheng.web.console import ENTRIES_PATH, PROOFS_PATH

CONTENT_SHOWN_MAX = 24_000
"""Characters; a longer content is in the download. A page weighs less than 100 KB."""

STEPS = (
    "form",
    "content",
    "note",
    "path",
    "checkpoint",
    "witnesses",
    "transfer",
    "envelope",
    "batch",
    "batch path",
    "batch signature",
)
"""What the check goes through, as `proof.js` and `check_proof` name it."""

ACT_STEPS = frozenset({"envelope", "batch", "batch path", "batch signature"})
TAKEN_STEPS = ACT_STEPS - {"envelope"}


def entry(page: Page, found: EntryPage) -> Response[str]:
    """Answer with one entry, its proof, and the means to check it."""
    text = content_text(found.body)
    values = {
        "headline": _headline(page, found),
        "found": found,
        "facts": _facts(page, found),
        "content": text[:CONTENT_SHOWN_MAX],
        "is_cut": len(text) > CONTENT_SHOWN_MAX,
        "among": _among(page, found),
        "ladder": found.ladder,
        "held": Badge(page.t("node.entry.outcome.held"), "good"),
        "failed": Badge(page.t("node.entry.outcome.failed"), "bad"),
    }
    if found.ladder is not None and found.document is not None:
        values |= _proof(page, found, found.ladder, found.document)
    return page.render("node/journal_entry.html", values)


def _proof(
    page: Page, found: EntryPage, ladder: Ladder, document: dict[str, Any]
) -> dict[str, object]:
    proof_file = proof_file_name(found)
    accord_files = [f"accord-{version}.json" for version in found.versions]
    named = " ".join(f"--accord {name}" for name in accord_files)
    readable = page.may("accord.read")
    return {
        "picture": pictures.ladder(
            ladder.leaf_hash, ladder.rungs, page.t("node.entry.ladder.alt", count=len(ladder.rungs))
        ),
        "rungs": tuple(_rung(page, rung) for rung in ladder.rungs),
        "signers": signers_table(page, ladder.signers),
        "steps": _steps(page, found),
        "parts": tuple((step.replace(" ", ""), _step_key(step)) for step in STEPS),
        "kinds": tuple((kind, words.transfer_words(page, kind)) for kind in get_args(Kind)),
        "proof": proof_text(document),
        "proof_path": page.href(f"{PROOFS_PATH}/{found.name}"),
        "proof_file": proof_file,
        "accords": tuple(
            (name, page.href(f"/accord/documents/{version}"))
            for name, version in zip(accord_files, found.versions, strict=True)
            if readable
        ),
        "command": f"tongcheng journal check {proof_file} {named}",
    }


def proof_text(document: dict[str, Any]) -> str:
    """Return a proof as it is handed out and as the page lets people change it."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def proof_file_name(found: EntryPage) -> str:
    """Return what a proof's file is called: never what stands for a person."""
    # A leaf of many has one proof for each of them.
    number = found.content_id if found.is_among_many else found.leaf.leaf_index
    return f"proof-{found.kind}-{number}.json"


def content_text(body: bytes) -> str:
    """Return a content as people read it: JSON laid out, anything else as it stands."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _headline(page: Page, found: EntryPage) -> str:
    what = words.kind_words(page, found.kind)
    if found.envelope is not None:
        what = words.type_words(page, found.envelope.type)
    number = str(found.leaf.leaf_index)
    if found.ladder is None:
        return page.t("node.entry.title.early", number=number, what=what)
    names = [
        words.short(page, one.member_id)
        for one in found.ladder.signers
        if one.holds and not one.is_log and one.member_id is not None
    ]
    if not names:
        return page.t("node.entry.title.alone", number=number, what=what)
    members = words.listed(page, names)
    return page.t("node.entry.title", number=number, what=what, members=members)


def _facts(page: Page, found: EntryPage) -> list[tuple[str, str]]:
    facts = [
        (page.t("node.entry.kind"), words.kind_words(page, found.kind)),
        (page.t("node.entry.id"), found.content_id),
        (page.t("node.entry.written"), page.voice.moment(found.leaf.at)),
    ]
    if found.transfer is not None:
        facts += _transfer(page, found.transfer)
    envelope = found.envelope
    if envelope is None:
        return facts
    facts += [
        (page.t("node.entry.type"), _type(page, envelope.type)),
        (page.t("node.entry.from"), words.short(page, envelope.src)),
        (page.t("node.entry.to"), words.short(page, envelope.dst)),
        (page.t("node.entry.made"), page.voice.moment(envelope.made_at)),
        (page.t("node.entry.seq"), str(envelope.seq)),
    ]
    if envelope.case is not None:
        facts.append((page.t("node.entry.case"), envelope.case))
    return facts


def _among(page: Page, found: EntryPage) -> str:
    """Return where the whole leaf is shown that this transfer is one of, or nothing."""
    leaf = found.leaf
    whole = f"{ENTRIES_PATH}/{leaf.kind}/{leaf.content_id}"
    return page.href(whole) if found.is_among_many else ""


def _transfer(page: Page, transfer: TransferContent) -> list[tuple[str, str]]:
    return [
        (page.t("node.transfer.amount"), page.voice.money(transfer.amount_fen)),
        (page.t("node.transfer.kind"), words.transfer_words(page, transfer.kind)),
        (page.t("node.transfer.debit"), transfer.debit_account),
        (page.t("node.transfer.credit"), transfer.credit_account),
        (page.t("node.transfer.purse"), transfer.purse),
        (page.t("node.transfer.month"), transfer.month),
    ]


def _type(page: Page, envelope_type: str) -> str:
    said = words.type_words(page, envelope_type)
    if said == envelope_type:
        return said
    return page.t("node.entry.type.said", said=said, type=envelope_type)


def _rung(page: Page, rung: Rung) -> tuple[str, str, str]:
    side = page.t("node.entry.left" if rung.on_left else "node.entry.right")
    return side, rung.sibling.hex(), rung.result.hex()


def _steps(page: Page, found: EntryPage) -> tuple[tuple[str, str, str], ...]:
    """Return the steps of this entry's check: its name, what it shows, how."""
    left_out = frozenset[str]() if found.transfer is not None else frozenset({"transfer"})
    if found.envelope is None:
        left_out |= ACT_STEPS
    elif found.document is not None and found.document["batch"] is None:
        left_out |= TAKEN_STEPS
    return tuple(
        (step, page.t(_step_key(step)), page.t(f"{_step_key(step)}.how"))
        for step in STEPS
        if step not in left_out
    )


def _step_key(step: str) -> str:
    return f"node.entry.step.{step.replace(' ', '_')}"
