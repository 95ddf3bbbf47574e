"""The pages of rule books: the list, and one book as a policy."""

from itertools import pairwise
from typing import Final

import msgspec
from litestar import Response

from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.rulebook_adoption import doubts_of
from tongcheng.services.settlement import management, overlay, rules
from tongcheng.services.settlement.policy import build
from tongcheng.services.settlement.policy.links import BOOKS_PATH, book_path
from tongcheng.services.settlement.readings import other_readings
from tongcheng.web import Badge, Cell, Column, Empty, Page, Row, Table

DIGEST_SHOWN: Final = 12
KINDS: Final = {
    rules.KIND: "settlement.policy.kind.benefit",
    overlay.KIND: "settlement.policy.kind.cross_region",
    management.KIND: "settlement.policy.kind.visited_management",
}


class Adopted(msgspec.Struct, frozen=True):
    """How a version was adopted: by how many officers, and when. Who they are is not shown."""

    officers: int
    at: int


class Version(msgspec.Struct, frozen=True):
    """One version of a book; `in_force` is False where another took its place altogether."""

    book: RuleBook
    adopted: Adopted | None
    in_force: bool = True


def place_name(page: Page, prefix: str) -> str:
    """Return the short name of the place of a division's prefix, else the prefix."""
    region = page.console.region
    for member in region.members:
        if any(each.startswith(prefix) for area in member.areas for each in area.prefixes):
            return page.voice.of(region.jurisdiction_of(member).short)
    return prefix


def _area(page: Page, book: RuleBook) -> str:
    """Return the name of the area that a book is of; a wide book is of its places together."""
    region: RegionPack = page.console.region
    try:
        return page.voice.of(region.area_of(book.admdvs, "settlement").name)
    except Refused:
        owners = region.owners_of(book.admdvs)
    places = list(dict.fromkeys(region.jurisdiction_of(owner) for owner in owners))
    if len(places) == 1:
        return page.voice.of(places[0].name)
    return page.voice.of(region.name) if places else book.admdvs


def _colour(page: Page, book: RuleBook) -> str:
    """Return the colour of the place that a book is of; a book of several places has none."""
    region = page.console.region
    places = {region.jurisdiction_of(owner).colour for owner in region.owners_of(book.admdvs)}
    return places.pop() if len(places) == 1 else ""


def badge(page: Page, version: Version) -> Badge:
    """Return whether a version is law here."""
    if version.book.status == "adopted":
        return Badge(page.t("settlement.books.adopted"), "good")
    return Badge(page.t("settlement.books.draft"), "draft")


def _adopted_said(page: Page, version: Version) -> str:
    if version.adopted is None:
        return ""
    return page.voice.tn(
        "settlement.policy.adopted",
        version.adopted.officers,
        at=page.voice.moment(version.adopted.at),
    )


# the list


def books(page: Page, versions: tuple[Version, ...]) -> Response[str]:
    """Answer with every book, by its kind, its area and its first day."""
    drafts = sum(each.book.status == "draft" for each in versions)
    headline = page.voice.tn("settlement.policy.list.headline", len(versions))
    if drafts:
        headline = page.t(
            "settlement.policy.list.drafts",
            count=page.voice.number(len(versions)),
            drafts=page.voice.number(drafts),
        )
    kinds = dict.fromkeys([*KINDS, *(each.book.kind for each in versions)])
    tables = [
        (
            page.t(KINDS[kind]) if kind in KINDS else kind,
            _books_table(page, tuple(each for each in versions if each.book.kind == kind)),
        )
        for kind in kinds
        if any(each.book.kind == kind for each in versions)
    ]
    return page.render("settlement/rulebooks.html", {"headline": headline, "tables": tables})


def _books_table(page: Page, versions: tuple[Version, ...]) -> Table:
    return Table(
        caption=page.t("settlement.policy.list.caption"),
        columns=(
            Column(page.t("settlement.policy.list.book"), main=True),
            Column(page.t("settlement.policy.list.days")),
            Column(page.t("settlement.policy.list.figures"), "number"),
            Column(page.t("settlement.policy.list.doubtful"), "number"),
            Column(page.t("settlement.policy.list.unknown"), "number"),
            Column(page.t("settlement.policy.list.conflict"), "number"),
            Column(page.t("settlement.books.status"), "state"),
        ),
        rows=tuple(_book_row(page, each) for each in versions),
        empty=Empty(page.t("settlement.books.empty"), page.t("settlement.books.empty.text")),
    )


def _book_row(page: Page, version: Version) -> Row:
    book, doubts = version.book, doubts_of(version.book)
    disputed = doubts.conflicting + other_readings(book)
    counts = (doubts.figures, doubts.doubtful, doubts.unknown, disputed)
    return Row(
        key=book.digest[:DIGEST_SHOWN],
        link=page.href(book_path(book.digest)),
        cells=(
            Cell(book.title.get(page.language, book.book_id), colour=_colour(page, book)),
            Cell(build.days(page.voice, book)),
            *(Cell(page.voice.number(each)) for each in counts),
            Cell(badge=badge(page, version), note=_adopted_said(page, version)),
        ),
    )


# one book


def book(page: Page, versions: tuple[Version, ...], chosen: Version) -> Response[str]:
    """Answer with one version as a policy; `versions` are all of its id, by their first day."""

    def explain(refused: Refused) -> str:
        return page.console.errors.render(refused, page.language).what

    def place(prefix: str) -> str:
        return place_name(page, prefix)

    shown = build.policy(page.voice, chosen.book, explain, place)
    return page.render(
        "settlement/rulebook.html",
        {
            "policy": shown,
            "badge": badge(page, chosen),
            "adopted": _adopted_said(page, chosen),
            "draft": chosen.book.status == "draft",
            "area": _area(page, chosen.book),
            "timeline": _timeline(page, versions, chosen),
            "list_path": page.href(BOOKS_PATH),
        },
    )


def _timeline(
    page: Page, versions: tuple[Version, ...], chosen: Version
) -> tuple[dict[str, object], ...]:
    """Return every version with its days, and where it is compared with the one before it."""
    before = {later.book.digest: earlier.book for earlier, later in pairwise(versions)}
    found: list[dict[str, object]] = []
    for each in versions:
        earlier = before.get(each.book.digest)
        found.append(
            {
                "days": build.days(page.voice, each.book)
                if each.in_force
                else page.t("settlement.policy.replaced"),
                "digest": each.book.digest[:DIGEST_SHOWN],
                "badge": badge(page, each),
                "adopted": _adopted_said(page, each),
                "link": page.href(book_path(each.book.digest)),
                "here": each.book.digest == chosen.book.digest,
                "diff": "" if earlier is None else _diff_path(page, earlier, each.book),
            }
        )
    return tuple(found)


def _diff_path(page: Page, before: RuleBook, after: RuleBook) -> str:
    path = page.href(f"{book_path(after.book_id)}/diff")
    return f"{path}?from={before.digest}&to={after.digest}"
