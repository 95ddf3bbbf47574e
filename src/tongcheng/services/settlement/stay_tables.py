"""The parts of one stay's page: boxes that add up, bands, both sides' records, the chain."""

import msgspec
from markupsafe import Markup

from tongcheng.services.settlement.views import (
    DIGEST_SHOWN,
    Amounts,
    BandKind,
    ChainStep,
    Record,
    Signature,
    StayPage,
    StayState,
    StepKind,
)
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Step, Table, Tone
from tongcheng.web.charts import Stretch, band_bar
from tongcheng.web.console import ENTRIES_PATH
from tongcheng.web.voice import Voice

STATE_KEYS: dict[StayState, str] = {
    "admitted": "settlement.state.admitted",
    "discharged": "settlement.state.discharged",
    "pending": "settlement.state.pending",
    "settled": "settlement.state.settled",
    "refused": "settlement.state.refused",
    "voiding": "settlement.state.voiding",
    "voided": "settlement.state.voided",
    "disputed": "settlement.state.disputed",
}
STATE_TONES: dict[StayState, Tone] = {
    "admitted": "quiet",
    "discharged": "waiting",
    "pending": "waiting",
    "settled": "good",
    "refused": "bad",
    "voiding": "waiting",
    "voided": "quiet",
    "disputed": "bad",
}
BAND_KEYS: dict[BandKind, str] = {
    "deductible": "settlement.band.deductible",
    "pool": "settlement.band.pool",
    "large": "settlement.band.large",
    "over_cap": "settlement.band.over_cap",
    "first_self_pay": "settlement.band.first_self_pay",
    "over_ceiling": "settlement.band.over_ceiling",
    "self_paid": "settlement.band.self_paid",
}
STEP_KEYS: dict[StepKind, str] = {
    "settle": "settlement.step.settle",
    "settled": "settlement.step.settled",
    "refused": "settlement.step.refused",
    "void": "settlement.step.void",
    "voided": "settlement.step.voided",
}
SIGNATURE_BADGES: dict[Signature, tuple[str, Tone]] = {
    "own": ("settlement.signature.own", "good"),
    "verified": ("settlement.signature.verified", "good"),
    "waiting": ("settlement.signature.waiting", "waiting"),
}
# What both sides hold of a stay, in the order of the page. "between" is what one city owes the
# other: due_from at the visited side, due_to at the insured side, equal to the fen.
RECORD_KEYS: dict[str, str] = {
    "settlement_id": "settlement.record.settlement_id",
    "decision_no": "settlement.record.decision_no",
    "total": "settlement.record.total",
    "funds": "settlement.record.funds",
    "hospital_part": "settlement.record.hospital_part",
    "person": "settlement.record.person",
    "between": "settlement.record.between",
    "payable": "settlement.record.payable",
    "benefit": "settlement.record.benefit",
    "answer": "settlement.record.answer",
    "books": "settlement.record.books",
}


class Box(msgspec.Struct, frozen=True):
    """One box of a sum: `sign` stands before it ("=", "+", or "" for the sum itself)."""

    sign: str
    title: str
    amount: str
    note: str = ""
    tone: str = ""


def state_badge(page: Page, state: StayState) -> Badge:
    """Return a stay's state in words with its sign."""
    return Badge(page.t(STATE_KEYS[state]), STATE_TONES[state])


def boxes_of_payers(voice: Voice, amounts: Amounts) -> tuple[Box, ...]:
    """Return the bill = the funds + the hospital + the person."""
    funds = [
        Box("+", voice.of(fund.name), voice.amount(fund.amount_fen), tone="fund")
        for fund in amounts.funds
    ]
    split = voice.t(
        "settlement.who.person.split",
        account=voice.amount(amounts.account_fen),
        cash=voice.amount(amounts.cash_fen),
    )
    hospital = Box("+", voice.t("settlement.who.hospital"), voice.amount(amounts.hospital_part_fen))
    parts = [
        *funds,
        *([hospital] if amounts.hospital_part_fen else []),
        Box("+", voice.t("settlement.who.person"), voice.amount(amounts.person_fen), split, "own"),
    ]
    return _sum(voice, amounts, parts)


def boxes_of_scopes(voice: Voice, amounts: Amounts) -> tuple[Box, ...]:
    """Return the bill = in scope + first self-pay + over the ceiling + not covered."""
    scopes = (
        ("settlement.what.in_scope", amounts.in_scope_fen),
        ("settlement.what.first_self_pay", amounts.first_self_pay_fen),
        ("settlement.what.over_ceiling", amounts.over_ceiling_fen),
        ("settlement.what.self_paid", amounts.self_paid_fen),
    )
    return _sum(voice, amounts, [Box("+", voice.t(key), voice.amount(fen)) for key, fen in scopes])


def _sum(voice: Voice, amounts: Amounts, parts: list[Box]) -> tuple[Box, ...]:
    total = Box("", voice.t("settlement.who.total"), voice.amount(amounts.total_fen), tone="total")
    return (total, msgspec.structs.replace(parts[0], sign="="), *parts[1:])


def bands_picture(voice: Voice, view: StayPage) -> Markup:
    """Draw the bar from 0 to the bill."""
    assert view.amounts is not None, "bands without amounts"
    stretches = tuple(
        Stretch(
            label=str(index),
            width=band.amount_fen,
            part=band.fund_fen,
            inside="" if band.rate_bp is None else voice.percent(band.rate_bp),
        )
        for index, band in enumerate(view.bands, 1)
    )
    total = voice.money(view.amounts.total_fen)
    return band_bar(stretches, voice.t("settlement.bands.picture", total=total))


def bands_table(voice: Voice, view: StayPage) -> Table:
    """Return the bar's table: the same bands with their figures and their rule."""
    rows = tuple(
        Row(
            key=f"band-{index}",
            cells=(
                Cell(
                    voice.t(
                        "settlement.band.numbered", index=index, kind=voice.t(BAND_KEYS[band.kind])
                    )
                ),
                Cell(voice.amount(band.amount_fen)),
                Cell("" if band.rate_bp is None else voice.percent(band.rate_bp)),
                Cell(voice.amount(band.fund_fen)),
                Cell(voice.amount(band.person_fen)),
                Cell("" if band.clause is None else voice.of(band.clause)),
            ),
        )
        for index, band in enumerate(view.bands, 1)
    )
    return Table(
        caption=voice.t("settlement.bands.caption"),
        columns=(
            Column(voice.t("settlement.band.column.kind"), main=True),
            Column(voice.t("settlement.band.column.amount"), "money"),
            Column(voice.t("settlement.band.column.rate"), "number"),
            Column(voice.t("settlement.band.column.fund"), "money"),
            Column(voice.t("settlement.band.column.person"), "money"),
            Column(voice.t("settlement.band.column.clause")),
        ),
        rows=rows,
        totals=_band_totals(voice, view) if rows else (),
        empty=Empty(voice.t("settlement.bands.empty"), voice.t("settlement.bands.empty.text")),
    )


def _band_totals(voice: Voice, view: StayPage) -> tuple[Cell, ...]:
    return (
        Cell(voice.t("settlement.band.total")),
        Cell(voice.amount(sum(band.amount_fen for band in view.bands))),
        Cell(),
        Cell(voice.amount(sum(band.fund_fen for band in view.bands))),
        Cell(voice.amount(sum(band.person_fen for band in view.bands))),
        Cell(),
    )


def sides_differ(view: StayPage) -> bool:
    """Tell whether a figure that both sides hold is not the same on both."""
    held = [{each.key: _value(each) for each in side.records} for side in view.sides]
    return any(
        first[key] != second[key]
        for first in held
        for second in held
        for key in first.keys() & second.keys()
    )


def sides_table(page: Page, view: StayPage) -> Table:
    """Return what each side holds, the same item on one line, and whether it is the same."""
    by_role = {side.role: {record.key: record for record in side.records} for side in view.sides}
    visited, insured = by_role.get("visited", {}), by_role.get("insured", {})
    unknown = (visited.keys() | insured.keys()) - RECORD_KEYS.keys()
    assert not unknown, f"records without a name: {sorted(unknown)}"
    rows = tuple(
        Row(
            key=f"record-{key}",
            cells=(
                Cell(page.t(label)),
                _record_cell(page, visited.get(key)),
                _record_cell(page, insured.get(key)),
                Cell(badge=_match(page, visited.get(key), insured.get(key))),
            ),
        )
        for key, label in RECORD_KEYS.items()
        if key in visited or key in insured
    )
    place_of, of = page.console.place_of, page.voice.of
    return Table(
        caption=page.t("settlement.sides.caption"),
        columns=(
            Column(page.t("settlement.sides.item"), main=True),
            Column(
                page.t("settlement.sides.visited", place=of(place_of(view.visited_member).short)),
                "entry",
            ),
            Column(
                page.t("settlement.sides.insured", place=of(place_of(view.insured_member).short)),
                "entry",
            ),
            Column(page.t("settlement.sides.match"), "state"),
        ),
        rows=rows,
        empty=Empty(page.t("settlement.sides.empty"), page.t("settlement.sides.empty.text")),
    )


def _value(record: Record) -> int | str:
    return record.text if record.fen is None else record.fen


def _record_cell(page: Page, record: Record | None) -> Cell:
    if record is None:
        return Cell(page.t("settlement.sides.absent"))
    if record.fen is not None:
        return Cell(page.voice.amount(record.fen))
    return Cell(record.text)


def _match(page: Page, visited: Record | None, insured: Record | None) -> Badge:
    if visited is None or insured is None:
        return Badge(page.t("settlement.sides.alone"), "quiet")
    if _value(visited) == _value(insured):
        return Badge(page.t("settlement.sides.equal"), "good")
    return Badge(page.t("settlement.sides.differ"), "bad")


def chain_steps(page: Page, view: StayPage) -> tuple[Step, ...]:
    """Return the envelopes of the stay as the steps of a timeline."""
    return tuple(_step(page, step) for step in view.chain)


def _step(page: Page, step: ChainStep) -> Step:
    voice, console = page.voice, page.console
    sender, receiver = console.place_of(step.sender), console.place_of(step.receiver)
    way = page.t(
        "settlement.chain.way", sender=voice.of(sender.short), receiver=voice.of(receiver.short)
    )
    badge_key, tone = SIGNATURE_BADGES[step.signature]
    # A sequence number and a leaf are names, not amounts: written without separators.
    leaf = page.t("settlement.chain.leaf.none") if step.leaf is None else str(step.leaf)
    facts = [
        (page.t("settlement.chain.id"), step.envelope_id),
        (page.t("settlement.chain.seq"), str(step.seq)),
        (page.t("settlement.chain.digest"), step.digest[:DIGEST_SHOWN]),
    ]
    if step.kid:
        facts.append((page.t("settlement.chain.kid"), step.kid))
    facts.append((page.t("settlement.chain.leaf"), leaf))
    linked = step.leaf is not None and page.may("journal.entry.read")
    return Step(
        title=page.t(STEP_KEYS[step.kind]),
        when=f"{way} · {voice.moment(step.at)}",
        badge=Badge(page.t(badge_key), tone),
        facts=tuple(facts),
        colour=sender.colour,
        link=page.href(f"{ENTRIES_PATH}/{step.envelope_id}") if linked else "",
        link_text=page.t("settlement.chain.proof", leaf=leaf) if linked else "",
    )


def books_table(page: Page, view: StayPage) -> Table:
    """Return the rule books and catalogues that the decision names."""
    badges: dict[str, Badge] = {
        "draft": Badge(page.t("settlement.books.draft"), "draft"),
        "adopted": Badge(page.t("settlement.books.adopted"), "good"),
    }
    return Table(
        caption=page.t("settlement.books.caption"),
        columns=(
            Column(page.t("settlement.books.name"), main=True),
            Column(page.t("settlement.books.status"), "state"),
            Column(page.t("settlement.books.digest"), "code"),
        ),
        rows=tuple(
            Row(
                key=f"book-{index}",
                link=page.href(book.path) if book.path else "",
                cells=(
                    Cell(page.voice.of(book.name)),
                    Cell(badge=badges[book.status]),
                    Cell(book.digest[:DIGEST_SHOWN]),
                ),
            )
            for index, book in enumerate(view.books)
        ),
        empty=Empty(page.t("settlement.books.empty"), page.t("settlement.books.empty.text")),
    )
