"""Calls that are ready to be sent: whole stays of 60 lines, each of another person, as HTTP bytes.

The bills are of the sample catalogue: every class, prices at and above the ceiling, a few refunds.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from benchmarks.in_process import HOST, PACK
from benchmarks.two_nodes import INSURED_ADMDVS, id_number
from tongcheng.kernel.calendar import DAY_MS
from tongcheng.node import files
from tongcheng.services.settlement import catalogue
from tongcheng.services.settlement.api_caller import PATH
from tongcheng.services.settlement.catalogue import Item
from tongcheng.services.settlement.lines import amount_of

LINES = 60
DAYS = 8
CATALOGUE = "tianjin-sample.csv"
ONE = 10_000
PLAIN_PRICE_E6 = 25_000_000
REFUND_EVERY = 15
HOUR_MS = 3_600_000


def items() -> list[Item]:
    """Return what the sample catalogue knows a first self-paid share of."""
    raw = files.read_datasets(files.pack_folder(PACK))[CATALOGUE]
    known = [versions[-1] for versions in catalogue.parse(raw.decode()).items.values()]
    return [one for one in known if one.item_class == "C" or one.first_self_pay is not None]


def bill(known: Sequence[Item], number: int, admitted_at: int) -> list[dict[str, object]]:
    """Return the 60 lines of one stay; every fifteenth is a refund of the one before it."""
    lines: list[dict[str, object]] = []
    for at in range(LINES):
        if at % REFUND_EVERY == REFUND_EVERY - 1:
            before = lines[-1]
            lines.append(
                before
                | {
                    "line_id": f"{at + 1:04d}",
                    "quantity": f"-{before['quantity']}",
                    "amount_fen": -int(str(before["amount_fen"])),
                    "original_line_id": before["line_id"],
                }
            )
            continue
        item = known[(number * 7 + at) % len(known)]
        price_e6 = (item.price_ceiling or PLAIN_PRICE_E6) * (12 if at % 10 == 0 else 10) // 10
        quantity = 1 + (number + at) % 4
        lines.append(
            {
                "line_id": f"{at + 1:04d}",
                "item_code": item.code,
                "hospital_code": f"HIS-{item.code.rpartition('-')[2]}",
                "quantity": str(quantity),
                "unit_price": f"{price_e6 // 1_000_000}.{price_e6 % 1_000_000:06d}",
                "amount_fen": amount_of(quantity * ONE, price_e6),
                "charged_at": admitted_at + at % DAYS * DAY_MS + HOUR_MS,
            }
        )
    return lines


def bodies(persons: range, now_at: int) -> Iterator[bytes]:
    """Yield one call's JSON for each person, discharged within the last day."""
    known = items()
    for number in persons:
        discharged_at = now_at - HOUR_MS - number % 20 * HOUR_MS
        admitted_at = discharged_at - DAYS * DAY_MS
        lines = bill(known, number, admitted_at)
        body = {
            "patient": {"id_number": id_number(number), "admdvs": INSURED_ADMDVS},
            "inpatient_no": f"B{number:07d}",
            "admitted_at": admitted_at,
            "discharged_at": discharged_at,
            "lines": lines,
            "total_fen": sum(int(str(line["amount_fen"])) for line in lines),
        }
        yield msgspec.json.encode(body)


def request(
    port: int, token: str, key: str, body: bytes, path: str = f"{PATH}/settlements"
) -> bytes:
    """Return one call as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def write(path: Path, requests: Iterator[bytes]) -> None:
    """Write requests for `settling.lua`: before each its length and a line feed."""
    with path.open("wb") as into:
        for one in requests:
            into.write(b"%d\n" % len(one))
            into.write(one)
