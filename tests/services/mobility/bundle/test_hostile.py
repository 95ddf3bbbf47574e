"""Bundles that somebody made wrong, or wrongly on purpose: each is refused by name, and whole.

The table is in the order in which faults are looked for: of two faults the first is told.
"""

import contextlib
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.mobility.bundle.stage import (
    OWNER,
    TAKER,
    Sender,
    digest,
    lay_out,
    members_of,
    state_of,
    zipped,
)
from tongcheng.kernel.entropy import SeededEntropy
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.keys import KeyRing
from tongcheng.node.offline import Stopped, opened
from tongcheng.services.mobility.bundle import keeping
from tongcheng.services.mobility.bundle.files import FileStore
from tongcheng.services.mobility.bundle.model import SignedManifest


class Stage(NamedTuple):
    """Who sends, and the node that is to take."""

    sender: Sender
    taker: Stopped
    folder: Path

    def take(self, raw: bytes) -> tuple[SignedManifest, bool]:
        """Let the node take an archive of these bytes."""
        path = self.folder / "bundle.zip"
        path.write_bytes(raw)
        return keeping.take(FileStore.of(self.taker.home), self.taker.run, path)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A node that has taken version 2 of the owner's bundle, held open for writing."""
    folder = tmp_path_factory.mktemp("region")
    lay_out(folder)
    sender = Sender(folder)
    with opened(folder / TAKER) as taker:
        found = Stage(sender, taker, folder)
        document, is_new = found.take(_sound(sender))
        assert (document.manifest.version, is_new) == (2, True)
        yield found


def _second(sender: Sender, **changes: Any) -> tuple[SignedManifest, dict[str, bytes]]:
    return sender.sound(**{"version": 2, "previous": "0" * 64, **changes})


def _third(sender: Sender, **changes: Any) -> tuple[SignedManifest, dict[str, bytes]]:
    before, _ = _second(sender)
    return sender.sound(**{"version": 3, "previous": before.manifest.digest(), **changes})


def _sound(sender: Sender) -> bytes:
    return zipped(members_of(*_second(sender)).items())


def _with(sender: Sender, name: str, raw: bytes) -> bytes:
    return zipped([*members_of(*_third(sender)).items(), (name, raw)])


def _signature_of_nothing(sender: Sender) -> bytes:
    document, files = _third(sender)
    forged = msgspec.structs.replace(document, signature="00" * 64)
    return zipped(members_of(forged, files).items())


def _of_another_member(sender: Sender) -> bytes:
    """Signed by the taker's own key, which the accord lists for another member."""
    key = KeyRing.load(sender.folder / TAKER / "keys").signing
    document, files = _third(sender)
    return zipped(members_of(sender.sign(document.manifest, key), files).items())


def _of_a_stranger(sender: Sender) -> bytes:
    """Signed by nobody's key, under the name of the owner's."""
    key = KeyRing.create(SeededEntropy("stranger")).signing
    document, files = _third(sender)
    signed = sender.sign(document.manifest, key)
    forged = msgspec.structs.replace(signed, kid=document.kid)
    return zipped(members_of(forged, files).items())


def _changed_after_signing(sender: Sender) -> bytes:
    document, files = _third(sender)
    manifest = msgspec.structs.replace(document.manifest, signed_at=2_000)
    forged = msgspec.structs.replace(document, manifest=manifest)
    return zipped(members_of(forged, files).items())


def _other_bytes(sender: Sender) -> bytes:
    """A file with one byte changed, its checksums in the archive made to fit."""
    document, files = _third(sender)
    raw = sender.feed
    files[digest(raw)] = raw[:-1] + bytes([raw[-1] ^ 1])
    return zipped(members_of(document, files).items())


def _other_bytes_unnoticed(sender: Sender) -> bytes:
    raw = zipped(members_of(*_third(sender)).items())
    at = raw.index(sender.feed) + 40
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def _shorter(sender: Sender) -> bytes:
    document, files = _third(sender)
    files[digest(sender.feed)] = sender.feed[:-1]
    return zipped(members_of(document, files).items())


def _bomb(sender: Sender) -> bytes:
    """A gigabyte of zeros in a megabyte, were it unpacked."""
    document, files = _third(sender)
    members = members_of(document, files)
    members[next(name for name in members if name.endswith(digest(sender.feed)))] = bytes(1 << 24)
    return zipped(members.items(), method=zipfile.ZIP_DEFLATED)


def _twice(sender: Sender) -> bytes:
    members = list(members_of(*_third(sender)).items())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return zipped([*members, members[-1]])


def _without(sender: Sender, which: int) -> bytes:
    members = list(members_of(*_third(sender)).items())
    del members[which]
    return zipped(members)


def _encrypted(sender: Sender) -> bytes:
    """The flag of encryption set, in the archive's directory."""
    raw = bytearray(zipped(members_of(*_third(sender)).items()))
    (directory,) = struct.unpack("<L", raw[-6:-2])
    assert raw[directory : directory + 4] == b"PK\x01\x02"
    raw[directory + 8] |= 1
    return bytes(raw)


def _counting(sender: Sender, count: int) -> bytes:
    """A directory that says it has so many members."""
    raw = zipped(members_of(*_third(sender)).items())
    return raw[:-14] + struct.pack("<HH", count, count) + raw[-10:]


def _manifest_of(sender: Sender, raw: bytes) -> bytes:
    _, files = _third(sender)
    members = members_of(*_third(sender))
    members["manifest.json"] = raw
    assert len(members) == len(files) + 1
    return zipped(members.items())


def _entry(sender: Sender, **changes: Any) -> bytes:
    entry, files = sender.entry(**changes)
    before, _ = _second(sender)
    manifest = sender.manifest([entry], version=3, previous=before.manifest.digest())
    return zipped(members_of(sender.sign(manifest), files).items())


def _no_feed(sender: Sender) -> bytes:
    return _entry(sender, raw=b"no archive")


def _entries(sender: Sender, *names: str) -> bytes:
    entry, files = sender.entry()
    before, _ = _second(sender)
    entries = [msgspec.structs.replace(entry, id=name) for name in names]
    manifest = sender.manifest(entries, version=3, previous=before.manifest.digest())
    return zipped(members_of(sender.sign(manifest), files).items())


def _of(sender: Sender, **changes: Any) -> bytes:
    return zipped(members_of(*_third(sender, **changes)).items())


def _older(sender: Sender) -> bytes:
    return zipped(members_of(*sender.sound()).items())


def _same_version(sender: Sender) -> bytes:
    return zipped(members_of(*_second(sender, signed_at=5)).items())


def _comment(sender: Sender) -> bytes:
    def change(packed: zipfile.ZipFile) -> None:
        packed.comment = b"PK\x05\x06 and more"

    return zipped(members_of(*_third(sender)).items(), change=change)


FAULTS: dict[str, tuple[Callable[[Sender], bytes], str]] = {
    "nothing": (lambda _: b"", "BUNDLE_ARCHIVE"),
    "no archive": (lambda _: b"no archive, by far not" * 9, "BUNDLE_ARCHIVE"),
    "cut short": (lambda it: _sound(it)[:-1], "BUNDLE_ARCHIVE"),
    "more behind it": (lambda it: _sound(it) + b"\n", "BUNDLE_ARCHIVE"),
    "more before it": (lambda it: b"#!/bin/sh\n" + _sound(it), "BUNDLE_ARCHIVE"),
    "a comment": (_comment, "BUNDLE_ARCHIVE"),
    "more members than may be": (lambda it: _counting(it, 60_000), "BUNDLE_TOO_LARGE"),
    "another number of members": (lambda it: _counting(it, 1), "BUNDLE_ARCHIVE"),
    "packed": (_bomb, "BUNDLE_PACKED"),
    "encrypted": (_encrypted, "BUNDLE_PACKED"),
    "a member twice": (_twice, "BUNDLE_MEMBER"),
    "no manifest": (lambda it: _without(it, 0), "BUNDLE_MEMBER"),
    "a manifest without end": (
        lambda it: _manifest_of(it, b'"' + b"a" * 300_000 + b'"'),
        "BUNDLE_TOO_LARGE",
    ),
    "no JSON": (lambda it: _manifest_of(it, b"{"), "CANONICAL_FORM"),
    "brackets without end": (lambda it: _manifest_of(it, b"[" * 200_000), "CANONICAL_DEPTH"),
    "spaced": (
        lambda it: _manifest_of(it, _third(it)[0].encoded().replace(b":", b": ", 1)),
        "CANONICAL_FORM",
    ),
    "another document": (lambda it: _manifest_of(it, b'{"a":1}'), "SCHEMA_MISMATCH"),
    "version nought": (lambda it: _of(it, version=0), "SCHEMA_MISMATCH"),
    "a name that turns the screen": (lambda it: _entry(it, name="a\x1b[2J"), "SCHEMA_MISMATCH"),
    "a name that turns the line": (lambda it: _entry(it, source="a\u202eb"), "SCHEMA_MISMATCH"),
    "a name that ends the line": (lambda it: _entry(it, source="a\n"), "SCHEMA_MISMATCH"),
    "an id that is a path": (lambda it: _entry(it, id="../x"), "SCHEMA_MISMATCH"),
    "no size": (lambda it: _entry(it, bytes=0), "SCHEMA_MISMATCH"),
    "a size without end": (lambda it: _entry(it, bytes=2**52), "SCHEMA_MISMATCH"),
    "too many entries": (
        lambda it: _entries(it, *(f"m{number:04}" for number in range(257))),
        "SCHEMA_MISMATCH",
    ),
    "a first with one before": (lambda it: _of(it, version=1), "BUNDLE_MALFORMED"),
    "a later with none before": (lambda it: _of(it, previous=None), "BUNDLE_MALFORMED"),
    "entries out of order": (lambda it: _entries(it, "b", "a"), "BUNDLE_MALFORMED"),
    "an entry twice": (lambda it: _entries(it, "a", "a"), "BUNDLE_MALFORMED"),
    "no day": (lambda it: _entry(it, valid_from="2026-02-30"), "BUNDLE_MALFORMED"),
    "days backwards": (lambda it: _entry(it, valid_from="2027-01-01"), "BUNDLE_MALFORMED"),
    "a feed of another form": (lambda it: _entry(it, form="csv"), "BUNDLE_MALFORMED"),
    "a feed without datum": (lambda it: _entry(it, datum=None), "BUNDLE_MALFORMED"),
    "a member that is not named": (lambda it: _with(it, "files/x", b"x"), "BUNDLE_MEMBER"),
    "a name that leads away": (lambda it: _with(it, "../../node.toml", b"x"), "BUNDLE_MEMBER"),
    "a name from the root": (lambda it: _with(it, "/etc/passwd", b"x"), "BUNDLE_MEMBER"),
    "a file missing": (lambda it: _without(it, 1), "BUNDLE_MEMBER"),
    "a file of another size": (_shorter, "BUNDLE_MEMBER"),
    "the taker's own": (lambda it: _of(it, member_id=TAKER), "BUNDLE_OWN"),
    "a stranger's": (lambda it: _of(it, member_id="gansu"), "MEMBER_UNKNOWN"),
    "another member's key": (_of_another_member, "KEY_UNKNOWN"),
    "nobody's key": (_of_a_stranger, "BUNDLE_SIGNATURE"),
    "a signature of nothing": (_signature_of_nothing, "BUNDLE_SIGNATURE"),
    "changed after it was signed": (_changed_after_signing, "BUNDLE_SIGNATURE"),
    "two of one version": (_same_version, "BUNDLE_TWO_OF_ONE_VERSION"),
    "counting back": (_older, "BUNDLE_OLDER"),
    "another past": (lambda it: _of(it, previous="1" * 64), "BUNDLE_OTHER_PAST"),
    "other bytes": (_other_bytes, "BUNDLE_FILE"),
    "other bytes, checksums too": (_other_bytes_unnoticed, "BUNDLE_ARCHIVE"),
    "a feed that is none": (_no_feed, "FEED_ARCHIVE"),
    "days that are not its": (lambda it: _entry(it, valid_to="2027-12-31"), "BUNDLE_ENTRY"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_refused_and_changes_nothing(stage: Stage, fault: str) -> None:
    """By its code; afterwards the node keeps what it kept, rows and files."""
    make, code = FAULTS[fault]
    before = state_of(stage.taker)

    with pytest.raises(Refused) as refused:
        stage.take(make(stage.sender))

    assert refused.value.code == code
    assert state_of(stage.taker) == before


def test_the_same_again_is_taken_once(stage: Stage) -> None:
    """What was taken may come again, and changes nothing."""
    before = state_of(stage.taker)
    document, is_new = stage.take(_sound(stage.sender))

    assert (document.manifest.member_id, is_new) == (OWNER, False)
    assert state_of(stage.taker) == before


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cut=st.integers(0, 4_000), at=st.integers(0, 4_000), to=st.integers(0, 255))
def test_damage_anywhere_is_refused_or_without_effect(
    stage: Stage, cut: int, at: int, to: int
) -> None:
    """Whatever byte is changed, and wherever it ends: a refusal, or the bundle that was signed."""
    raw = bytearray(_sound(stage.sender))
    raw[at % len(raw)] = to
    before = state_of(stage.taker)
    for damaged in (bytes(raw), bytes(raw[: cut % len(raw)])):
        with contextlib.suppress(Refused):
            document, _ = stage.take(damaged)
            assert document == _second(stage.sender)[0]

    assert state_of(stage.taker) == before
