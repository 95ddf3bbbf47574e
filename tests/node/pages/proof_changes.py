"""What can be changed in a proof, and at which step the change must be found.

One change a row, for whoever reads proofs: each is shown to `check_proof` and to the browser.
"""

import base64
from collections.abc import Callable
from typing import Any

import msgspec

from tests.node.pages.region import FIRST, SECOND
from tests.toy import MEMBERS, ring_of, toy_accord
from tongcheng.kernel.accord import Accord, AccordKey

ACCORD = toy_accord(MEMBERS).accord
Document = dict[str, Any]
Change = Callable[[Document], None]


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


def flipped(text: str) -> str:
    """Return the text with another last digit."""
    return text[:-1] + ("1" if text[-1] == "0" else "0")


def _body(by: Callable[[bytes], bytes]) -> Change:
    return _edit(
        "content",
        "body",
        by=lambda text: base64.b64encode(by(base64.b64decode(text))).decode(),
    )


def _opened(by: Callable[[bytes], bytes]) -> Change:
    return _edit(
        "transfer",
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
    "salt": (_edit("content", "salt", by=flipped), "content"),
    "salt in capitals": (_edit("content", "salt", by=str.upper), "content"),
    "digest": (_edit("leaf", "digest", by=flipped), "content"),
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
    "id": (_edit("leaf", "id", by=flipped), "path"),
    "a step of the path": (_edit("path", 0, by=flipped), "path"),
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
    "the batch's root": (_edit("batch", "statement", "root", by=flipped), "batch path"),
    "the batch's count": (_set("batch", "statement", "count", to=9), "batch path"),
    "the place in the batch": (_set("batch", "index", to=5), "batch path"),
    "a step to the batch's root": (_set("batch", "path", to=["00" * 32]), "batch path"),
    "the batch's signature": (_edit("batch", "signature", by=flipped), "batch signature"),
    "a signature cut short": (_set("batch", "signature", to="00"), "batch signature"),
    "the batch's key": (_edit("batch", "statement", "kid", by=flipped), "batch signature"),
    "the batch's instant": (_set("batch", "statement", "sent_at", to=1), "batch signature"),
    "the batch's version": (_set("batch", "statement", "version", to=2), "batch signature"),
    "a transfer where none is": (
        _set("transfer", to={"id": "00" * 16, "salt": "00" * 16, "body": ""}),
        "transfer",
    ),
}

TRANSFER_CHANGES: dict[str, tuple[Change, str]] = {
    "nothing": (lambda _document: None, "held"),
    "nothing shown": (_set("transfer", to=None), "held"),
    "no such field": (_without("transfer"), "held"),
    "a field more": (_set("transfer", "index", to=1), "form"),
    "a field less": (_without("transfer", "salt"), "form"),
    "a list": (_set("transfer", to=[]), "form"),
    "nought": (_set("transfer", to=0), "form"),
    "nothing at all": (_set("transfer", to={}), "form"),
    "a number for the id": (_set("transfer", "id", to=1), "form"),
    "the leaf's salt": (_edit("content", "salt", by=flipped), "content"),
    "the leaf's kind": (_set("leaf", "kind", to="transfer"), "path"),
    "another id": (_edit("transfer", "id", by=flipped), "transfer"),
    "the id in capitals": (_edit("transfer", "id", by=str.upper), "transfer"),
    "the id cut short": (_edit("transfer", "id", by=lambda text: text[:-2]), "transfer"),
    "no id": (_set("transfer", "id", to=""), "transfer"),
    "salt": (_edit("transfer", "salt", by=flipped), "transfer"),
    "salt in capitals": (_edit("transfer", "salt", by=str.upper), "transfer"),
    "salt that is no hex": (_set("transfer", "salt", to="xy" * 16), "transfer"),
    "no salt": (_set("transfer", "salt", to=""), "transfer"),
    "the amount": (_opened(lambda body: body.replace(b":101,", b":201,")), "transfer"),
    "a byte more": (_opened(lambda body: body + b" "), "transfer"),
    "no content": (_set("transfer", "body", to=""), "transfer"),
    "loose base64": (_edit("transfer", "body", by=lambda text: text + "\n"), "transfer"),
    "content that is no base64": (
        _edit("transfer", "body", by=lambda text: text + "?"),
        "transfer",
    ),
}
"""Of a proof that shows one transfer of a leaf that lists many."""


def accords() -> dict[str, list[Accord]]:
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
    "a long name of rare characters": (
        ENVELOPE.replace(b'"t"', f'"{"𠀀" * 128}"'.encode()),
        "held",
    ),
    "a longer one": (ENVELOPE.replace(b'"t"', f'"{"𠀀" * 129}"'.encode()), "envelope"),
}


def _spelled(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda file: file.replace(old.encode(), new.encode(), 1)


FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "as written": (lambda file: file, "held"),
    "white space around": (lambda file: b"\n\t " + file + b"\r\n", "held"),
    "a mark before it": (lambda file: b"\xef\xbb\xbf" + file, "form"),
    "UTF-16": (lambda file: file.decode().encode("utf-16"), "form"),
    "a byte that is no UTF-8": (lambda file: file.replace(b"else", b"\xff"), "form"),
    "half a pair": (_spelled("else", "\\ud800"), "form"),
    "an escape for a letter": (_spelled('"format"', '"\\u0066ormat"'), "held"),
    "a format before the format": (_spelled("{", '{"format":"no",'), "held"),
    "a format after the format": (_spelled('"batch":null', '"batch":null,"format":"no"'), "form"),
    "a prototype": (_spelled("{", '{"__proto__":{},'), "form"),
    "an index with a fraction": (_spelled('"index":0', '"index":0.0'), "form"),
    "an index with an exponent": (_spelled('"index":0', '"index":0e0'), "form"),
    "an index in capitals": (_spelled('"index":0', '"index":0E0'), "form"),
    "minus nothing": (_spelled('"index":0', '"index":-0'), "held"),
    "two noughts": (_spelled('"index":0', '"index":00'), "form"),
    "endless": (_spelled('"index":0', '"index":1e400'), "form"),
    "no number": (_spelled('"index":0', '"index":NaN'), "form"),
    "a word for a number": (_spelled('"index":0', '"index":false'), "form"),
    "nothing": (lambda _file: b"", "form"),
    "null": (lambda _file: b"null", "form"),
    "too deep for anybody": (lambda _file: b"[" * 200_000, "form"),
    "twelve million digits": (_spelled('"path":[]', f'"path":["{"0" * 12_000_000}"]'), "path"),
    "a hundred thousand steps": (
        _spelled('"path":[]', '"path":["' + '","'.join(["00" * 32] * 100_000) + '"]'),
        "path",
    ),
}
"""What a file of a proof can be spelled like: bytes that JSON's readers do not all take alike.

They are done to the file of an entry whose checkpoint has a second line, of a stranger "else".
"""
