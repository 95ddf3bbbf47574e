"""The desk as its page sees it: made up, on a busy afternoon and on a quiet one."""

from datetime import date

from tests.services.settlement.samples import BEIJING, HOSPITAL, NOW
from tongcheng.kernel.calendar import DAY_MS, MINUTE_MS, SECOND_MS
from tongcheng.kernel.words import Words
from tongcheng.services.settlement.desk_page.model import (
    Ages,
    DeskPage,
    DueCases,
    Flow,
    Kind,
    OneSided,
    Refusals,
    Sums,
    Unsettled,
    Waiting,
    Why,
)


def _waiting(number: int, age_ms: int, why: Why, kind: Kind = "settle") -> Waiting:
    return Waiting(
        stay_id=f"01jd5q8y6m4v0w9k2h3n7r{number:04d}",
        settlement_id=f"01jd5q8y6m4v0w9k2h3n7s{number:04d}",
        kind=kind,
        since_at=NOW - age_ms,
        hospital=HOSPITAL,
        insured_member="beijing-hsb",
        insured_area=BEIJING,
        held_fen=1_234_567,
        why=why,
        why_since=NOW - age_ms,
        code="RULE_UNKNOWN" if why in {"dead", "rejected"} else "",
    )


WAITING = (
    _waiting(1, 3 * DAY_MS, "dead"),
    _waiting(2, 42 * MINUTE_MS, "silent"),
    _waiting(3, 5 * MINUTE_MS, "rejected"),
    _waiting(4, 90 * SECOND_MS, "deciding", "void"),
    _waiting(5, 3 * SECOND_MS, "sending"),
)
UNSETTLED = (Unsettled(WAITING[0].stay_id, NOW - 2 * DAY_MS, HOSPITAL, "beijing-hsb", BEIJING),)
FLOWS = (
    Flow("tianjin-hsb", "beijing-hsb", BEIJING, Sums(38, 98_765_432, 66_543_210, 32_222_222)),
    Flow("beijing-hsb", "tianjin-hsb", Words("天津市", "Tianjin"), Sums(3, 300, 200, 100)),
)
REFUSALS = (
    Refusals("RULE_UNKNOWN", False, 2, "缺少一个数值", "请参保地补充"),  # noqa: FBT003
    Refusals("NEW_AT_THE_PEER", True, 1, "", ""),  # noqa: FBT003
)


def desk(*, busy: bool = True, live: bool = True) -> DeskPage:
    """Return a desk on which everything stands, or nothing."""
    hours = tuple(41 if busy and hour == 17 else 0 for hour in range(24))
    return DeskPage(
        now_at=NOW,
        today=date(2026, 11, 22),
        ages=Ages(1, 2, 62) if busy else Ages(),
        held_fen=5 * 1_234_567 if busy else 0,
        waiting=WAITING if busy else (),
        unsettled=UNSETTLED if busy else (),
        unsettled_count=1 if busy else 0,
        undone_count=3 if busy else 0,
        flows=FLOWS if busy else (),
        hours=hours,
        refusals=REFUSALS if busy else (),
        disputed=1 if busy else 0,
        cases=DueCases(3, 2) if busy else None,
        one_sided=OneSided(0, NOW - MINUTE_MS, 1) if busy else None,
        live=live,
    )
