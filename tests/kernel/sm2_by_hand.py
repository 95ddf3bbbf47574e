"""SM2 signatures a second time, as the standard writes them: slow, of whole numbers, by hand.

GB/T 32918.2 on the curve of GB/T 32918.5; it shares nothing with the suite but the hash function.
"""

from tongcheng.kernel.suites_sm import sm3

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
Point = tuple[int, int] | None
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)


def add(left: Point, right: Point) -> Point:
    """Add two points of the curve; None is the point at infinity."""
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    slope = (
        (3 * x1 * x1 + A) * pow(2 * y1, -1, P) if left == right else (y2 - y1) * pow(x2 - x1, -1, P)
    )
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(number: int, point: Point) -> Point:
    """Add a point to itself so often."""
    result: Point = None
    for bit in f"{number:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def point(public: bytes) -> tuple[int, int]:
    """Read 04, x, y."""
    assert (len(public), public[0]) == (65, 4)
    return int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")


def digest(public: bytes, signer: bytes, data: bytes) -> int:
    """Return e: the hash of who signs, of the curve, of the key and of the data."""
    curve = b"".join(each.to_bytes(32, "big") for each in (A, B, *G))
    length = (8 * len(signer)).to_bytes(2, "big")
    return int.from_bytes(sm3(sm3(length + signer + curve + public[1:]) + data), "big")


def sign(private: int, public: bytes, signer: bytes, data: bytes, chance: int) -> tuple[int, int]:
    """Sign with a number that should be random (6.1)."""
    shown = times(chance, G)
    assert shown is not None
    r = (digest(public, signer, data) + shown[0]) % N
    return r, pow(1 + private, -1, N) * (chance - r * private) % N


def verify(public: bytes, signer: bytes, data: bytes, r: int, s: int) -> bool:
    """Verify (7.1)."""
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N and t):
        return False
    found = add(times(s, G), times(t, point(public)))
    return found is not None and (digest(public, signer, data) + found[0]) % N == r


def der(r: int, s: int) -> bytes:
    """Write (r, s) as a signature travels."""
    parts = b""
    for number in (r, s):
        raw = number.to_bytes(number.bit_length() // 8 + 1, "big")
        parts += bytes((2, len(raw))) + raw
    return bytes((0x30, len(parts))) + parts


def read(signature: bytes) -> tuple[int, int]:
    """Read (r, s) from a signature."""
    length = signature[3]
    r = int.from_bytes(signature[4 : 4 + length], "big")
    s = int.from_bytes(signature[6 + length :], "big")
    assert der(r, s) == signature
    return r, s
