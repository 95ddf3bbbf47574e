"""Checkpoints as signed notes: the text that a log signs and its witnesses co-sign.

The forms are C2SP's, byte for byte: `signed-note` (text, empty line, one line a signature),
`tlog-checkpoint` (origin, size, root) and `tlog-cosignature` v1 (a witness signs the time, in Unix
seconds, with the text). So any witness and any monitor that speaks C2SP can take part. Pure: keys
and instants are handed in.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple, NoReturn

from tongcheng.kernel.accord import Accord, AccordKey
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import SigningKey, VerifyKey
from tongcheng.kernel.merkle import HASH_BYTES

LOG_SIGNATURE = 0x01
COSIGNATURE = 0x04
SIGNATURES_MAX = 64
"""C2SP asks for at least 16; a region has one a member, and some of rotated keys."""

_SIZE_DIGITS_MAX = 18
"""Below 2**63, whatever the digits."""

_KEY_ID_BYTES = 4
_TIME_BYTES = 8
_SIGNATURE_BYTES = 64
DASH = "\u2014"
"""How a signature line begins."""


class SignatureLine(NamedTuple):
    """One signature under a note: the signer's name, the id of its key, the bytes."""

    name: str
    key_id: bytes
    signature: bytes

    def encoded(self) -> str:
        """Return the line, with its newline."""
        blob = base64.b64encode(self.key_id + self.signature).decode()
        return f"{DASH} {self.name} {blob}\n"


class Checkpoint(NamedTuple):
    """The head of a tree: whose journal, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note's text, the bytes that are signed."""
        return f"{self.origin}\n{self.size}\n{encode_hash(self.root)}\n"


class Note(NamedTuple):
    """A checkpoint and the signatures gathered so far; the log's own comes first."""

    checkpoint: Checkpoint
    lines: tuple[SignatureLine, ...]

    def encoded(self) -> str:
        """Return the whole note as it travels."""
        return self.checkpoint.text() + "\n" + "".join(line.encoded() for line in self.lines)

    def with_line(self, line: SignatureLine) -> "Note":
        """Return the note with one more signature; the first of a key stays."""
        if any((one.name, one.key_id) == (line.name, line.key_id) for one in self.lines):
            return self
        return Note(self.checkpoint, (*self.lines, line))


def name_of(region: str, member_id: str) -> str:
    """Return what a member is called in notes, as a log (its origin) and as a witness."""
    name = f"tongcheng/{region}/{member_id}"
    assert not any(char.isspace() or char == "+" for char in name), name
    return name


def member_of(accord: Accord, name: str) -> str | None:
    """Return the member of that name, or None for a stranger."""
    members = (member.member_id for member in accord.members)
    return next((one for one in members if name_of(accord.region, one) == name), None)


# reading


def parse(text: str) -> Note:
    """Read one note that holds a checkpoint; refuses CHECKPOINT_MALFORMED."""
    body, separator, signatures = text.rpartition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) != 3:  # noqa: PLR2004 origin, size, root
        malformed("a checkpoint is origin, size, root, an empty line and signatures")
    origin, size, root = lines
    checkpoint = Checkpoint(origin, parse_size(size), parse_hash(root))
    if not origin or any(ord(char) < ord(" ") for char in text if char != "\n"):
        malformed("control character or no origin")
    given = signatures.removesuffix("\n").split("\n")
    if not signatures.endswith("\n") or len(given) > SIGNATURES_MAX:
        malformed(f"up to {SIGNATURES_MAX} signature lines, each with its newline")
    return Note(checkpoint, tuple(parse_line(line) for line in given))


def parse_size(text: str) -> int:
    """Read a tree size: decimal, no leading zero; refuses CHECKPOINT_MALFORMED."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _SIZE_DIGITS_MAX
    if not is_number or str(int(text)) != text:
        malformed("a size is a decimal number without leading zeros")
    return int(text)


def parse_hash(text: str) -> bytes:
    """Read one hash in base64; refuses CHECKPOINT_MALFORMED."""
    value = _base64(text)
    if len(value) != HASH_BYTES:
        malformed("a hash has 32 bytes")
    return value


def encode_hash(value: bytes) -> str:
    """Write one hash in base64."""
    return base64.b64encode(value).decode()


def parse_line(line: str) -> SignatureLine:
    """Read one signature line, without its newline; refuses CHECKPOINT_MALFORMED."""
    words = line.split(" ")
    if len(words) != 3 or words[0] != DASH or not words[1]:  # noqa: PLR2004 dash, name, bytes
        malformed("a signature line is a dash, a name and base64")
    blob = _base64(words[2])
    if len(blob) <= _KEY_ID_BYTES:
        malformed("a signature line without a signature")
    return SignatureLine(words[1], blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:])


def _base64(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        malformed("not base64")
    if base64.b64encode(value).decode() != text:
        malformed("not the one way to write these bytes in base64")
    return value


def malformed(detail: str) -> NoReturn:
    """Refuse what is not a checkpoint, a request or a proof in the forms above."""
    raise Refused("CHECKPOINT_MALFORMED", detail=detail)


# signing


def key_id(name: str, signature_type: int, public: bytes) -> bytes:
    """Return the four bytes that name a key in a signature line."""
    message = name.encode() + b"\n" + bytes((signature_type,)) + public
    return hashlib.sha256(message).digest()[:_KEY_ID_BYTES]


def sign(key: SigningKey, checkpoint: Checkpoint) -> Note:
    """Return the checkpoint as a note with its log's signature."""
    identity = key_id(checkpoint.origin, LOG_SIGNATURE, key.public)
    line = SignatureLine(checkpoint.origin, identity, key.sign(checkpoint.text().encode()))
    return Note(checkpoint, (line,))


def cosign(key: SigningKey, name: str, checkpoint: Checkpoint, now_at: int) -> SignatureLine:
    """Return a witness's line: at this instant (Unix ms) the largest tree it has seen."""
    seconds = now_at // 1_000
    identity = key_id(name, COSIGNATURE, key.public)
    signature = key.sign(_cosigned(checkpoint, seconds))
    return SignatureLine(name, identity, seconds.to_bytes(_TIME_BYTES, "big") + signature)


def _cosigned(checkpoint: Checkpoint, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{checkpoint.text()}".encode()


# verifying


def signed_by_log(note: Note, keys: Iterable[AccordKey]) -> bool:
    """Say whether one of these keys made the log's signature; a broken one is False."""
    origin = note.checkpoint.origin
    text = note.checkpoint.text().encode()
    for key in keys:
        identity = key_id(origin, LOG_SIGNATURE, bytes.fromhex(key.public))
        for line in note.lines:
            if (line.name, line.key_id) == (origin, identity):
                return _verifies(key, text, line.signature)
    return False


def of_log(note: Note) -> Note:
    """Return the note with the log's own signatures alone."""
    own = (line for line in note.lines if line.name == note.checkpoint.origin)
    return Note(note.checkpoint, tuple(own))


def cosigned_at(
    checkpoint: Checkpoint, line: SignatureLine, keys: Iterable[AccordKey]
) -> int | None:
    """Return the instant (Unix ms) of a witness's line if one of its keys made it then."""
    if len(line.signature) != _TIME_BYTES + _SIGNATURE_BYTES:
        return None
    seconds = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    for key in keys:
        if line.key_id == key_id(line.name, COSIGNATURE, bytes.fromhex(key.public)):
            made = _verifies(key, _cosigned(checkpoint, seconds), line.signature[_TIME_BYTES:])
            return seconds * 1_000 if made and key.valid(seconds * 1_000) else None
    return None


def witnesses(note: Note, accords: Sequence[Accord]) -> list[str]:
    """Return the members, others than the log's own, whose co-signatures on the note hold."""
    found = set()
    for accord in accords:
        for line in note.lines:
            member = member_of(accord, line.name)
            if member is None or line.name == note.checkpoint.origin:
                continue
            keys = accord.member(member).signing_keys
            if cosigned_at(note.checkpoint, line, keys) is not None:
                found.add(member)
    return sorted(found)


def _verifies(key: AccordKey, data: bytes, signature: bytes) -> bool:
    return VerifyKey(key.kid, key.suite, bytes.fromhex(key.public)).verify(data, signature)
