"""Signing in and out (签到 9001, 签退 9002): a number for the day, bound to one institution.

It proves nothing that the credential does not prove; real systems carry it in every message, and
a profile may demand it. It ends with the day in the region's zone, as the cashiers' day does.
"""

import msgspec

from tongcheng.kernel import ids
from tongcheng.kernel.authority import Caller
from tongcheng.kernel.calendar import local_date, parse_local
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Reading, Records, Transaction


class SignInRow(msgspec.Struct, frozen=True):
    """One sign-in: good from `signed_at` until before `until_at` (UTC ms)."""

    sign_no: str
    institution_id: str
    signed_at: int
    until_at: int


SIGN_INS = Records("settlement_sign_ins", SignInRow, key=("sign_no",))


def sign_in(tx: Transaction, caller: Caller) -> SignInRow:
    """Give the caller a number for the rest of the day."""
    zone = tx.home.region.zone
    last_second = parse_local(f"{local_date(tx.now_at, zone).isoformat()} 23:59:59", zone)
    row = SignInRow(
        sign_no=ids.random_short(tx.home.entropy),
        institution_id=caller.institution_id,
        signed_at=tx.now_at,
        until_at=last_second + 1_000,
    )
    tx.add(SIGN_INS, row)
    return row


def check(reading: Reading, caller: Caller, sign_no: str, now_at: int) -> SignInRow:
    """Return a sign-in of the caller's that is still good, or refuse."""
    row = reading.get(SIGN_INS, sign_no)
    if row is None or row.institution_id != caller.institution_id or row.until_at <= now_at:
        raise Refused("SIGN_IN_NEEDED")
    return row


def sign_out(tx: Transaction, caller: Caller, sign_no: str) -> None:
    """End a sign-in now."""
    row = check(tx, caller, sign_no, tx.now_at)
    tx.put(SIGN_INS, msgspec.structs.replace(row, until_at=tx.now_at))
