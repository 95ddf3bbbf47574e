"""How large an OpenStreetMap extract (.osm.pbf) is once it is unpacked, without unpacking it.

A PBF file is blobs, each with a header that says its size, and each saying what it unpacks to
(https://wiki.openstreetmap.org/wiki/PBF_Format). Who unpacks one that is larger than it says meets
an error, so the sum bounds what an extract can fill memory with.
"""

from __future__ import annotations

from collections.abc import Iterator
from mmap import mmap
from typing import Final, NamedTuple

_HEADER_DATASIZE: Final = 3
_BLOB_RAW: Final = 1
_BLOB_RAW_SIZE: Final = 2
_VARINT: Final = 0
_BYTES: Final = 2
_VARINT_BYTES_MAX: Final = 10
_LENGTH_BYTES: Final = 4
_HEADER_BYTES_MAX: Final = 65_536


class BlobFault(ValueError):
    """Bytes that are no such file, and where that is seen."""

    def __init__(self, at: int) -> None:
        super().__init__(f"no sound blob at byte {at}")


class _Field(NamedTuple):
    """A field of a message: its number and, of bytes, how many they are; else its value."""

    number: int
    kind: int
    value: int


def unpacked_bytes(raw: bytes | mmap) -> int:
    """Return what the blobs of a file unpack to by their own word; raises BlobFault."""
    at = total = 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + _LENGTH_BYTES], "big")
        begin = at + _LENGTH_BYTES
        if size > _HEADER_BYTES_MAX or begin + size > len(raw):
            raise BlobFault(at)
        header = list(_fields(raw, begin, begin + size))
        sizes = [each.value for each in header if each.number == _HEADER_DATASIZE]
        at = begin + size + sum(sizes)
        if len(sizes) != 1 or at > len(raw):
            raise BlobFault(begin)
        total += sum(
            field.value
            for field in _fields(raw, begin + size, at)
            if (field.number, field.kind) in {(_BLOB_RAW, _BYTES), (_BLOB_RAW_SIZE, _VARINT)}
        )
    return total


def _fields(raw: bytes | mmap, at: int, end: int) -> Iterator[_Field]:
    """Yield the fields of a message; what lies in them is passed over."""
    while at < end:
        key, at = _varint(raw, at, end)
        value, at = _varint(raw, at, end)
        if key & 7 == _BYTES:
            at += value
        elif key & 7 != _VARINT:
            raise BlobFault(at)
        if at > end:
            raise BlobFault(at)
        yield _Field(key >> 3, key & 7, value)


def _varint(raw: bytes | mmap, at: int, end: int) -> tuple[int, int]:
    """Return a number and where it ends: seven bits a byte, the least first."""
    value = 0
    for place in range(_VARINT_BYTES_MAX):
        if at + place >= end:
            break
        byte = raw[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:  # noqa: PLR2004 - the last byte of a number has no eighth bit
            return value, at + place + 1
    raise BlobFault(at)
