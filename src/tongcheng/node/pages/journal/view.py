"""The journal's list as its template shows it."""

from urllib.parse import quote

import msgspec
from litestar import Response
from markupsafe import Markup

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.leaves import LeafRow
from tongcheng.kernel.journal.reading import Cosigned, Signer
from tongcheng.kernel.journal.witness import ConflictRow
from tongcheng.node.pages import words
from tongcheng.node.pages.journal import pictures
from tongcheng.node.pages.journal.data import Overview
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table
from tongcheng.web.console import ENTRIES_PATH, JOURNAL_PATH

OF_PERSONS = frozenset({"settlement_entry", "settlement_filing"})
"""Kinds whose ids begin with what stands for a person: shown on the entry's own, audited page."""


class Reach(msgspec.Struct, frozen=True):
    """One line of the picture: whose, how far, and what is missing."""

    name: str
    bar: Markup
    size: str
    said: str


class Conflict(msgspec.Struct, frozen=True):
    """Two checkpoints that cannot both be true, in words and as they were signed."""

    code: str
    what: str
    do: str
    shown: str
    known: str


def journal(page: Page, found: Overview, wanted: str) -> Response[str]:
    """Answer with the journal; `wanted` is a name that was looked for and is not there."""
    values = {
        "headline": headline(page, found),
        "found": found,
        "reaches": _reaches(page, found),
        "conflicts": tuple(_conflict(page, one) for one in found.conflicts),
        "note": None if found.checkpoint is None else found.checkpoint.note,
        "signers": signers_table(page, found.signers),
        "table": _table(page, found),
        "kinds": [(kind, words.kind_words(page, kind)) for kind in found.kinds],
        "wanted": wanted,
        "older": _older(page, found),
        "newest": page.href(JOURNAL_PATH) + (f"?kind={quote(found.kind)}" if found.kind else ""),
        "first": page.voice.number(_first_drawn(found)),
    }
    return page.render("node/journal.html", values)


def headline(page: Page, found: Overview) -> str:
    """Say how long the journal is and how far the others vouch for it; a conflict comes first."""
    if found.conflicts:
        names = [words.short(page, one.member_id) for one in found.conflicts]
        return page.t("node.journal.title.conflict", members=words.listed(page, names))
    voice = page.voice
    size = voice.tn("node.journal.size", found.size)
    by_size: dict[int, list[str]] = {}
    for one in found.cosigned:
        by_size.setdefault(one.size, []).append(words.short(page, one.member_id))
    vouched = [
        page.t(
            "node.journal.title.vouched",
            members=words.listed(page, names),
            size=voice.number(reached),
        )
        for reached, names in sorted(by_size.items(), reverse=True)
        if reached
    ]
    if not vouched:
        return page.t("node.journal.title.alone", size=size)
    return page.t(
        "node.journal.title", size=size, vouched=page.t("node.journal.title.then").join(vouched)
    )


def _reaches(page: Page, found: Overview) -> tuple[Reach, ...]:
    if not found.size:
        return ()
    first = _first_drawn(found)
    own = Reach(
        page.voice.of(page.console.place.short),
        pictures.reach_bar(first, found.size, found.size, page.console.place.colour),
        page.voice.number(found.size),
        page.t("node.journal.reach.own"),
    )
    return (own, *(_reach(page, one, first, found.size) for one in found.cosigned))


def _first_drawn(found: Overview) -> int:
    return pictures.first_shown(found.size, [one.size for one in found.cosigned if one.size])


def _reach(page: Page, one: Cosigned, first: int, whole: int) -> Reach:
    said = page.t("node.journal.reach.never")
    if one.at is not None:
        said = page.t("node.journal.reach.all", moment=page.voice.moment(one.at))
        if one.size < whole:
            said = page.voice.tn(
                "node.journal.reach.behind", whole - one.size, moment=page.voice.moment(one.at)
            )
    return Reach(
        words.short(page, one.member_id),
        pictures.reach_bar(first, one.size, whole, words.colour(page, one.member_id)),
        page.voice.number(one.size),
        said,
    )


def _conflict(page: Page, row: ConflictRow) -> Conflict:
    size = row.shown.split("\n", 2)[1]
    known = row.known.split("\n", 2)[1]
    facts = {"member": row.member_id, "size": size, "known": known, "via": row.via}
    said = page.console.errors.render(Refused(row.code, **facts), page.language)
    return Conflict(row.code, said.what, said.do, row.shown, row.known)


def signers_table(page: Page, signers: tuple[Signer, ...]) -> Table:
    """Return who has signed a checkpoint, in which part, when, and whether it holds."""
    return Table(
        caption=page.t("node.journal.signers"),
        columns=(
            Column(page.t("node.journal.signer"), main=True),
            Column(page.t("node.journal.part")),
            Column(page.t("node.journal.when"), "code"),
            Column(page.t("node.journal.signature"), "state"),
        ),
        rows=tuple(_signer(page, index, one) for index, one in enumerate(signers)),
        empty=Empty(page.t("node.journal.unsigned"), page.t("node.journal.unsigned.text")),
    )


def _signer(page: Page, index: int, one: Signer) -> Row:
    name = one.name if one.member_id is None else words.short(page, one.member_id)
    part = page.t("node.journal.part.log" if one.is_log else "node.journal.part.witness")
    badge = Badge(page.t("node.journal.holds"), "good")
    if not one.holds:
        badge = Badge(page.t("node.journal.broken"), "bad")
    when = "" if one.at is None else page.voice.moment(one.at)
    return Row(f"signer-{index}", (Cell(name), Cell(part), Cell(when), Cell(badge=badge)))


def _table(page: Page, found: Overview) -> Table:
    return Table(
        caption=page.t("node.journal.entries"),
        columns=(
            Column(page.t("node.journal.number"), main=True),
            Column(page.t("node.journal.what")),
            Column(page.t("node.journal.id"), "code"),
            Column(page.t("node.journal.written")),
            Column(page.t("node.journal.state"), "state"),
        ),
        rows=tuple(_row(page, row, found) for row in found.entries),
        empty=Empty(page.t("node.journal.empty"), page.t("node.journal.empty.text")),
    )


def _row(page: Page, row: LeafRow, found: Overview) -> Row:
    envelope_type = found.types.get(row.content_id, "") if words.is_act(row.kind) else ""
    badge = Badge(page.t("node.journal.covered"), "good")
    if row.leaf_index >= found.covered:
        badge = Badge(page.t("node.journal.uncovered"), "waiting")
    identity = "" if row.kind in OF_PERSONS else row.content_id
    opens = page.may("journal.entry.read")
    return Row(
        key=f"entry-{row.leaf_index}",
        link=page.href(f"{ENTRIES_PATH}/{row.leaf_index}") if opens else "",
        cells=(
            # A number that names an entry is no amount: written without separators.
            Cell(str(row.leaf_index)),
            Cell(
                words.kind_words(page, row.kind),
                note=words.type_words(page, envelope_type) if envelope_type else "",
            ),
            Cell(_shortened(identity)),
            Cell(page.voice.moment(row.at)),
            Cell(badge=badge),
        ),
    )


def _shortened(identity: str) -> str:
    """Return an id as far as a line has room: what tells ids apart stands at their end."""
    return identity if len(identity) <= 44 else f"{identity[:12]}…{identity[-28:]}"  # noqa: PLR2004


def _older(page: Page, found: Overview) -> str:
    if found.older is None:
        return ""
    kind = f"&kind={quote(found.kind)}" if found.kind else ""
    return page.href(JOURNAL_PATH) + f"?before={found.older}{kind}"
