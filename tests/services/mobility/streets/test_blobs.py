"""How large an extract is once unpacked, by its blobs' own word."""

import struct

import pytest

from tongcheng.services.mobility.streets.blobs import BlobFault, unpacked_bytes


def varint(value: int) -> bytes:
    """Return a number as protocol buffers write it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: int | bytes) -> bytes:
    """Return a field of a number or of bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def blob(*fields: bytes) -> bytes:
    """Return a blob with its header."""
    body = b"".join(fields)
    header = field(1, b"OSMData") + field(2, b"index") + field(3, len(body))
    return struct.pack(">I", len(header)) + header + body


PACKED = blob(field(2, 300_000), field(3, b"zlib"))
PLAIN = blob(field(1, b"as it is"))


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        (b"", 0),
        (PLAIN, 8),
        (PACKED, 300_000),
        (blob(field(3, b"zlib"), field(2, 7)), 7),
        (PACKED * 2 + PLAIN, 600_008),
    ],
)
def test_blobs_say_what_they_unpack_to(raw: bytes, size: int) -> None:
    """Packed or plain, in whatever order of fields."""
    assert unpacked_bytes(raw) == size


@pytest.mark.parametrize(
    "raw",
    [
        PACKED[:3],
        PACKED[:10],
        PACKED[:-1],
        PACKED + b"\0",
        b"\xff" * 100,
        struct.pack(">I", 3) + varint(3 << 3) + b"\xff\xff",
        struct.pack(">I", 2) + field(3, 0)[:1] + b"\x80",
        struct.pack(">I", 4) + field(3, 0) * 2,
        blob(varint(1 << 3 | 5) + b"1234"),
        blob(varint(1 << 3 | 2) + varint(99)),
    ],
)
def test_what_is_no_such_file_is_a_fault(raw: bytes) -> None:
    """Cut anywhere, or of another kind; and it ends."""
    with pytest.raises(BlobFault, match="byte"):
        unpacked_bytes(raw)
