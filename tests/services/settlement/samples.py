"""Stays as the pages see them: made up, except that the large one has the amounts of golden G01."""

from datetime import date

import msgspec

from tongcheng.kernel.words import Words
from tongcheng.services.settlement.views import (
    Amounts,
    Band,
    BookRef,
    ChainStep,
    Choice,
    Fund,
    Record,
    RefusalView,
    SideRecord,
    StayPage,
    StayRow,
    StaysPage,
    StaysQuery,
    StayState,
)

NOW = 1_795_341_605_000  # 2026-11-22 18:00:05 in Asia/Shanghai
HOSPITAL = Words("演示医院（天津河西）", "Sample Hospital, Hexi")
BEIJING = Words("北京市", "Beijing")
POOL = Fund(Words("基本统筹基金", "Pooled fund"), 9_175_951)
LARGE = Fund(Words("大额医疗互助", "Large-amount fund"), 5_363_171)

AMOUNTS = Amounts(
    total_fen=18_908_585,
    self_paid_fen=1_500_000,
    over_ceiling_fen=120_000,
    first_self_pay_fen=847_404,
    in_scope_fen=16_441_181,
    funds=(POOL, LARGE),
    hospital_part_fen=0,
    person_fen=4_369_463,
    account_fen=1_200_000,
    cash_fen=3_169_463,
    rounding_residual_fen=-1,
)
ART_36 = Words("规定第三十六条", "Art. 36")
BANDS = (
    Band("deductible", 65_000, 0, 65_000, None, Words("起付标准", "Deductible rule")),
    Band("pool", 2_935_000, 2_670_850, 264_150, 9_100, ART_36),
    Band("pool", 1_000_000, 940_000, 60_000, 9_400, ART_36),
    Band("pool", 5_737_218, 5_565_101, 172_117, 9_700, ART_36),
    Band("large", 6_703_963, 5_363_171, 1_340_792, 8_000, Words("大额互助办法", "Large fund")),
    Band("first_self_pay", 847_404, 0, 847_404),
    Band("over_ceiling", 120_000, 0, 120_000),
    Band("self_paid", 1_500_000, 0, 1_500_000),
)
DIGEST = "9f2b6c01d4e7a83355c1c3c8f0a1e2b4d6f8091a2b3c4d5e6f708192a3b4c5d6"
BOOKS = (
    BookRef(
        Words("北京职工住院待遇 2025", "Beijing employee inpatient benefits 2025"), DIGEST, "draft"
    ),
    BookRef(Words("天津三目录（样例）", "Tianjin catalogues (sample)"), DIGEST[::-1], "draft"),
)
SHARED = (
    Record("settlement_id", text="01jd5q8y6m4v0w9k2h3n7r5t1b"),
    Record("decision_no", text="117"),
    Record("total", fen=18_908_585),
    Record("funds", fen=14_539_122),
    Record("hospital_part", fen=0),
    Record("person", fen=4_369_463),
    Record("between", fen=14_539_122),
    Record("answer", text=DIGEST[:12]),
)
SIDES = (
    SideRecord(
        "tianjin-hsb", "visited", own=True, records=(*SHARED, Record("payable", fen=14_539_122))
    ),
    SideRecord(
        "beijing-hsb", "insured", own=False, records=(*SHARED, Record("benefit", fen=14_539_122))
    ),
)


def _step(kind: str, sender: str, receiver: str, seq: int, after: int) -> ChainStep:
    return ChainStep(
        kind=kind,  # type: ignore[arg-type]
        envelope_id=f"019e0b5c-7a31-7c44-9d2e-5b0c1f8e{seq:04d}",
        sender=sender,
        receiver=receiver,
        seq=seq,
        digest=DIGEST,
        at=NOW - 600_000 + after,
        signature="own" if sender == "tianjin-hsb" else "verified",
        kid="ed25519:5f0c1ab29e77d430",
        leaf=4000 + seq,
    )


CHAIN = (
    _step("settle", "tianjin-hsb", "beijing-hsb", 232, 590_000),
    _step("settled", "beijing-hsb", "tianjin-hsb", 231, 590_700),
)


def stay(state: StayState = "settled") -> StayPage:
    """Return one stay in a given state."""
    settled = state in {"settled", "voiding", "voided", "disputed"}
    refused = msgspec.structs.replace(CHAIN[1], kind="refused")
    waiting = ChainStep(
        "settle", CHAIN[0].envelope_id, "tianjin-hsb", "beijing-hsb", 232, DIGEST, NOW, "waiting"
    )
    refusal = RefusalView(
        "RULE_UNKNOWN",
        "参保地规则缺少一个数值，不能结算。",
        "规则 beijing-employee 中“大额互助封顶线”尚未填写。",
        "请参保地经办机构补充该数值后重新发送。",
    )
    return StayPage(
        stay_id="01jd5q8y6m4v0w9k2h3n7r5t1a",
        state=state,
        hospital=HOSPITAL,
        visited_member="tianjin-hsb",
        insured_member="beijing-hsb",
        insured_area=BEIJING,
        scheme="310",
        person_type="retired",
        admitted_on=date(2026, 11, 9),
        discharged_on=None if state == "admitted" else date(2026, 11, 22),
        settled_at=NOW if settled else None,
        pending_since=NOW - 180_000 if state in {"pending", "voiding"} else None,
        settlement_id="01jd5q8y6m4v0w9k2h3n7r5t1b" if settled else "",
        amounts=AMOUNTS if settled else None,
        bands=BANDS if settled else (),
        sides=SIDES if settled else (),
        chain={
            "admitted": (),
            "discharged": (),
            "pending": (waiting,),
            "refused": (CHAIN[0], refused),
        }.get(state, CHAIN),
        books=BOOKS if settled else (),
        refusal=refusal if state == "refused" else None,
    )


def _row(number: int) -> StayRow:
    states: tuple[StayState, ...] = ("settled",) * 7 + ("pending", "admitted", "refused", "voided")
    state = states[number % len(states)] if number else "pending"
    known = state == "settled"
    total = 120_000 + number * 7_919_37 % 6_000_000
    hebei = number % 3 == 0
    return StayRow(
        stay_id=f"01jd5q8y6m4v0w9k2h3n7r{number:04d}",
        at=NOW - number * 1_300,
        state=state,
        hospital=Words(f"演示医院{number % 5 + 1}（天津）", f"Sample Hospital {number % 5 + 1}"),
        visited_member="tianjin-hsb",
        insured_member="hebei-hsb" if hebei else "beijing-hsb",
        insured_area=Words("廊坊市", "Langfang") if hebei else BEIJING,
        total_fen=total if state in {"settled", "pending", "voided"} else None,
        fund_fen=total * 7 // 10 if known else None,
        person_fen=total - total * 7 // 10 if known else None,
        draft=known,
        waits_since=NOW - 725_000 if state == "pending" else None,
    )


def stays(count: int = 12, query: StaysQuery | None = None) -> StaysPage:
    """Return a list of stays as a busy afternoon has them."""
    asked = query or StaysQuery()
    rows = tuple(row for row in map(_row, range(count)) if asked.state in {None, row.state})
    return StaysPage(
        rows=rows,
        counts={"settled": 187, "pending": 3, "admitted": 12, "refused": 2, "voided": 1}
        if count
        else {},
        query=asked,
        next_before=(rows[-1].at, rows[-1].stay_id) if rows else None,
        hospitals=(Choice("H12010100001", HOSPITAL),),
        areas=(Choice("beijing", BEIJING),),
        now_at=NOW,
    )
