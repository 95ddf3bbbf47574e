"""The rule books of the commands over files of claims: those named, else those of the region."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final

import click
import msgspec

from tongcheng.cli import extra
from tongcheng.kernel import region, rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.region import Area, Member, RegionPack
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.kernel.words import Words
from tongcheng.node import given
from tongcheng.services.settlement import overlay, rules

KINDS = (rules.KIND, overlay.KIND)
NO_PACK: Final = "none"
"""In place of a region pack's name: the areas are those of the books of --rulebook alone."""

extra_needed: Final = partial(extra.needed, "CLAIMS_EXTRA")
"""Refuse CLAIMS_EXTRA where what computes in bulk is not installed."""

rulebook_option = click.option(
    "--rulebook",
    "rulebooks",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="A rule book, or a directory of them, in place of the region pack's; may be repeated.",
)
region_option = click.option(
    "--region",
    "pack",
    default="jingjinji",
    show_default=True,
    help="The region pack whose areas, and without --rulebook whose books, apply; `none` for areas"
    " that are those of the books alone.",
)


def read_books(paths: tuple[Path, ...], pack: str) -> list[RuleBook]:
    """Return the benefit and cross-region books of files and directories, else of the region pack.

    A book of another kind is let be in a directory and refused by name (RULE_BOOK_KIND) as a file.
    """
    if not paths:
        paths = (given.pack_folder(pack) / "rulebooks",)
    found: list[RuleBook] = []
    for path in paths:
        if path.is_dir():
            books = [_read(each) for each in sorted(path.glob("*.yaml"))]
            found += [book for book in books if book.kind in KINDS]
            continue
        book = _read(path)
        if book.kind not in KINDS:
            expected = " or ".join(KINDS)
            raise Refused("RULE_BOOK_KIND", book=book.book_id, kind=book.kind, expected=expected)
        found.append(book)
    return list({book.digest: book for book in found}.values())


def areas_for(pack: str, books: Iterable[RuleBook]) -> RegionPack:
    """Return a region in which every benefit book has an area.

    It has the areas of the pack, of NO_PACK none. A book of a division that none of them covers
    makes one: of that division and those within it ("330100" and "330106"; "330000" has all of
    33 but what another area has). Refuses as `region.load`.
    """
    loaded = _NOWHERE if pack == NO_PACK else region.load(pack)
    found = {book.admdvs for book in books if book.kind == rules.KIND}
    more = [division for division in sorted(found) if not _covers(loaded, division)]
    if not more:
        return loaded
    areas = tuple(Area(each, Words(each, each), (_within(each),)) for each in more)
    by_books = Member("rulebooks", "", _NOWHERE.name, ("settlement",), areas)
    return msgspec.structs.replace(loaded, members=(*loaded.members, by_books))


_NOWHERE: Final = RegionPack(NO_PACK, Words("无区域包", "no region pack"), "Asia/Shanghai", (), ())


def _covers(loaded: RegionPack, division: str) -> bool:
    try:
        loaded.area_of(division, "settlement")
    except Refused:
        return False
    return True


def _within(division: str) -> str:
    """Return the prefix of the divisions within one: a pair of zeros stands for all."""
    while division.endswith("00"):
        division = division[:-2]
    return division


def _read(path: Path) -> RuleBook:
    try:
        return rulebook.parse(given.read_bytes(path).decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused("RULE_BOOK_YAML", line=1, fault="not UTF-8") from None


def told(paths: tuple[Path, ...], pack: str) -> str:
    """Say which books apply."""
    if paths:
        return "rule books: those of --rulebook, and no others"
    return f"rule books: those of the region pack {pack}"
