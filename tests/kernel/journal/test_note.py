"""Notes are C2SP's, byte for byte: published examples, and what is not a checkpoint."""

import base64

import pytest

from tests.toy import MEMBERS, NOW_AT, ring_of, toy_accord
from tongcheng.kernel.accord import AccordKey
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal import note as notes
from tongcheng.kernel.journal.note import Checkpoint, Note
from tongcheng.kernel.keys import VerifyKey

FIRST, SECOND, THIRD = MEMBERS

LOG_LINE = (
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5"
    "/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
WITNESS_LINE = (
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJs"
    "X3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
PUBLISHED = f"{TEXT}\n{LOG_LINE}{WITNESS_LINE}"
"""The example of C2SP tlog-cosignature."""

GO_TEXT = b"""If you think cryptography is the answer to your problem,
then you don't know what your problem is.
"""
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngot"
    "pRZb6KE6RyyBwJnAM="
)
"""The example of Go's package sumdb/note, whose format signed-note writes down."""

CHECKPOINT = Checkpoint("tongcheng/jingjinji/beijing-hsb", 3, b"\7" * 32)
ACCORD = toy_accord(MEMBERS).accord


def _keys(member: str) -> list[AccordKey]:
    return ACCORD.member(member).signing_keys


def _signed() -> Note:
    return notes.sign(ring_of(FIRST).signing, CHECKPOINT)


def test_published_checkpoint_round_trips() -> None:
    """C2SP's own example is read and written as it stands."""
    note = notes.parse(PUBLISHED)

    sofa, witness = "example.com/behind-the-sofa", "witness.example.com/w1"
    assert (note.checkpoint.origin, note.checkpoint.size) == (sofa, 20852163)
    assert [line.name for line in note.lines] == [sofa, witness]
    assert int.from_bytes(note.lines[1].signature[:8], "big") == 1679315147
    assert note.encoded() == PUBLISHED


def test_published_signature_verifies() -> None:
    """The id of Go's published key is computed as published, and its signature verifies."""
    name, identity, encoded = GO_KEY.split("+", 2)
    public = base64.b64decode(encoded)[1:]
    line = notes.parse_line(GO_LINE)
    key = VerifyKey("", "ed25519-sha256-aes256gcm", public)

    assert notes.key_id(name, notes.LOG_SIGNATURE, public).hex() == identity
    assert line.key_id.hex() == identity
    assert key.verify(GO_TEXT, line.signature)


def test_own_signature() -> None:
    """The log's line verifies with its own key and no other, and only over this text."""
    note = _signed()

    assert notes.signed_by_log(note, _keys(FIRST))
    assert not notes.signed_by_log(note, _keys(SECOND))
    other = note._replace(checkpoint=CHECKPOINT._replace(size=4))
    assert not notes.signed_by_log(other, _keys(FIRST))
    assert notes.parse(note.encoded()) == note


def test_cosignature_is_timed() -> None:
    """A witness signs the second in which it looked; the key must have been valid then."""
    name = notes.name_of("jingjinji", SECOND)
    line = notes.cosign(ring_of(SECOND).signing, name, CHECKPOINT, NOW_AT + 999)
    [key] = _keys(SECOND)
    ended = AccordKey(key.kid, key.suite, key.public, 0, to_at=NOW_AT)

    assert notes.cosigned_at(CHECKPOINT, line, [key]) == NOW_AT
    assert notes.cosigned_at(CHECKPOINT, line, [ended]) is None
    assert notes.cosigned_at(CHECKPOINT._replace(size=4), line, [key]) is None
    later = line._replace(signature=(NOW_AT // 1_000 + 1).to_bytes(8, "big") + line.signature[8:])
    assert notes.cosigned_at(CHECKPOINT, later, [key]) is None


def test_witnesses_are_members_that_signed() -> None:
    """Strangers, the log itself and lines that do not verify are no witnesses; each counts once."""
    note = _signed()
    for member, named in ((SECOND, SECOND), (SECOND, SECOND), (FIRST, FIRST), (FIRST, THIRD)):
        name = notes.name_of("jingjinji", named)
        note = note.with_line(notes.cosign(ring_of(member).signing, name, CHECKPOINT, NOW_AT))
    stranger = notes.cosign(ring_of("x").signing, "example.com/w", CHECKPOINT, NOW_AT)

    assert notes.witnesses(note.with_line(stranger), [ACCORD]) == [SECOND]
    assert [line.name for line in notes.of_log(note).lines] == [CHECKPOINT.origin] * 2
    assert notes.of_log(note).lines[0] == _signed().lines[0]


NOT_CHECKPOINTS = [
    ("empty", ""),
    ("no signatures", PUBLISHED[: PUBLISHED.index("\n\n") + 2]),
    ("no final newline", PUBLISHED[:-1]),
    ("extension line", PUBLISHED.replace("\n\n", "\nmore\n\n")),
    ("no size", PUBLISHED.replace("20852163\n", "")),
    ("leading zero", PUBLISHED.replace("20852163", "020852163")),
    ("negative", PUBLISHED.replace("20852163", "-1")),
    ("other digits", PUBLISHED.replace("20852163", "٢")),
    ("too large", PUBLISHED.replace("20852163", "9" * 30)),
    ("short root", PUBLISHED.replace("CsUYapGG", "")),
    ("not base64", PUBLISHED.replace("CsUYapGG", "CsUY pGG")),
    ("padding bits", PUBLISHED.replace("j2jxq2I=", "j2jxq2J=")),
    ("control character", PUBLISHED.replace("sofa", "so\tfa")),
    ("hyphen for dash", PUBLISHED.replace("—", "-")),
    ("key id alone", PUBLISHED + "— x AAAAAA==\n"),
    ("too many", PUBLISHED + "— x AAAAAAA=\n" * 64),
]


@pytest.mark.parametrize(("_name", "text"), NOT_CHECKPOINTS)
def test_what_is_no_checkpoint(_name: str, text: str) -> None:
    """Whatever is not exactly the form is refused, never guessed."""
    with pytest.raises(Refused) as refused:
        notes.parse(text)

    assert refused.value.code == "CHECKPOINT_MALFORMED"
