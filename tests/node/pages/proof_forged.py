"""Proofs that a journal's own node makes of any content whatever: only their signatures are true.

Lists of transfers, and transfers, that no node would write: both readers refuse the same ones.
"""

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from tests.node.pages.region import SECOND
from tests.toy import ring_of
from tongcheng.kernel import canonical, merkle
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.leaves import leaf_input
from tongcheng.kernel.ledger import TransferContent
from tongcheng.kernel.ledger_batch import Listed

Document = dict[str, Any]
Spelling = Callable[[bytes], bytes]

TRANSFER_ID = "0a" * 16
SALT = bytes(16)


def forged(
    body: bytes,
    kind: str = "act_sent",
    content_id: str = "x",
    transfer: dict[str, str] | None = None,
) -> Document:
    """Return a proof of this content under a checkpoint of the second member's own making."""
    digest = hashlib.sha256(SALT + body).hexdigest()
    leaf = merkle.leaf_hash(leaf_input(kind, content_id, bytes.fromhex(digest)))
    checkpoint = notes.Checkpoint(notes.name_of("jingjinji", SECOND), 1, leaf)
    return {
        "format": "tongcheng/proof/1",
        "leaf": {"index": 0, "kind": kind, "id": content_id, "digest": digest},
        "content": {"salt": SALT.hex(), "body": base64.b64encode(body).decode()},
        "path": [],
        "checkpoint": notes.sign(ring_of(SECOND).signing, checkpoint).encoded(),
        "batch": None,
        "transfer": transfer,
    }


def forged_list(
    content: bytes, spelled: Spelling = lambda body: body, salt: bytes = SALT
) -> Document:  # fmt: skip
    """Return a proof that opens a transfer among two; `spelled` changes the leaf's list."""
    entries = [
        TRANSFER_ID + hashlib.sha256(salt + content).hexdigest(),
        "0c" * 16 + "1d" * 32,
    ]
    listed = canonical.encode(Listed(2, "".join(entries)))
    shown = {
        "id": TRANSFER_ID,
        "salt": salt.hex(),
        "body": base64.b64encode(content).decode(),
    }
    return forged(spelled(listed), "transfers", TRANSFER_ID, shown)


def _replaced(old: bytes, new: bytes) -> Spelling:
    def spelled(body: bytes) -> bytes:
        assert old in body
        return body.replace(old, new, 1)

    return spelled


LISTS: dict[str, tuple[Spelling, str]] = {
    "as written": (lambda body: body, "held"),
    "not JSON": (lambda _body: b"{", "transfer"),
    "a text": (lambda _body: b'"x"', "transfer"),
    "nothing listed": (lambda _body: b'{"count":0,"entries":""}', "transfer"),
    "white space": (_replaced(b":2", b": 2"), "transfer"),
    "one more than there are": (_replaced(b":2", b":3"), "transfer"),
    "one less": (_replaced(b":2", b":1"), "transfer"),
    "below nothing": (_replaced(b":2", b":-2"), "transfer"),
    "far more": (_replaced(b":2", b":9007199254740991"), "transfer"),
    "a fraction": (_replaced(b":2", b":2.0"), "transfer"),
    "a number as text": (_replaced(b":2", b':"2"'), "transfer"),
    "a field more": (_replaced(b"}", b',"more":1}'), "transfer"),
    "a field less": (_replaced(b'"count":2,', b""), "transfer"),
    "another in capitals": (_replaced(b"0c0c", b"0C0C"), "transfer"),
    "another that is no hex": (_replaced(b"0c0c", b"0x0c"), "transfer"),
    "a blank": (_replaced(b"0c0c", b"0c 0c"), "transfer"),
    "a digit less": (_replaced(b"0c0c", b"0c0"), "transfer"),
    "two digits more": (_replaced(b"0c0c", b"0c0c0c"), "transfer"),
    "a line more": (_replaced(b'"}', b'\\n"}'), "transfer"),
    "the same id twice": (_replaced(b"0c" * 16, b"0a" * 16), "transfer"),
    "another id": (_replaced(b"0a" * 16, b"0b" * 16), "transfer"),
    "another digest of the other": (_replaced(b"1d1d", b"1e1d"), "held"),
}
"""What the list of a leaf can be spelled like."""

TRANSFER = canonical.encode(
    TransferContent(
        10_150, 1, "due_to/x/y", -7, 3, "benefit/y", 9_007_199_254_740_991, 2, 0, None, "direct",
        "2026-11", "130100/employee/pool", "stay", TRANSFER_ID,
    )
)  # fmt: skip
TRANSFERS: dict[str, tuple[Spelling, str]] = {
    "as written": (lambda body: body, "held"),
    "nothing": (lambda _body: b"", "transfer"),
    "null": (lambda _body: b"null", "transfer"),
    "a list": (lambda _body: b"[]", "transfer"),
    "white space": (_replaced(b":10150", b": 10150"), "transfer"),
    "another order": (
        lambda body: b'{"at":1,' + body.replace(b'"at":1,', b"")[1:],
        "transfer",
    ),
    "a key twice": (_replaced(b'"at":1', b'"at":1,"at":1'), "transfer"),
    "a field more": (_replaced(b'"kind"', b'"k":1,"kind"'), "transfer"),
    "a field less": (_replaced(b'"month":"2026-11",', b""), "transfer"),
    "no hold": (_replaced(b'"hold_id":null,', b""), "transfer"),
    "a hold": (_replaced(b'"hold_id":null', b'"hold_id":"00"'), "held"),
    "a number for a hold": (_replaced(b'"hold_id":null', b'"hold_id":0'), "transfer"),
    "a number as text": (_replaced(b":10150", b':"10150"'), "transfer"),
    "a word for a number": (_replaced(b'"at":1', b'"at":true'), "transfer"),
    "nothing for a number": (_replaced(b'"at":1', b'"at":null'), "transfer"),
    "a fraction": (_replaced(b":10150", b":10150.0"), "transfer"),
    "a number too large": (_replaced(b"9007199254740991", b"9007199254740992"), "transfer"),
    "less than nothing": (_replaced(b":10150", b":-5"), "held"),
    "a number for a name": (_replaced(b'"stay"', b"7"), "transfer"),
    "Chinese": (_replaced(b'"stay"', '"住院\u2028"'.encode()), "held"),
    "a nul": (_replaced(b'"stay"', b'"\\u0000"'), "transfer"),
    "an escape for a letter": (_replaced(b'"stay"', b'"\\u0073tay"'), "transfer"),
    "not UTF-8": (_replaced(b'"stay"', b'"\xff"'), "transfer"),
    "an unknown kind": (_replaced(b'"direct"', b'"x"'), "held"),
    "another id": (_replaced(TRANSFER_ID.encode(), b"0b" * 16), "transfer"),
    "the id in capitals": (_replaced(TRANSFER_ID.encode(), b"0A" * 16), "transfer"),
}
"""What a transfer can be spelled like, in a leaf of its own or among many."""
