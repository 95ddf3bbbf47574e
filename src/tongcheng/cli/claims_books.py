"""The rule books of the commands over files of claims: those named, else those of the region."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tongcheng.kernel import rulebook
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.rulebook import RuleBook
from tongcheng.node import files
from tongcheng.services.settlement import overlay, rules

KINDS = (rules.KIND, overlay.KIND)


def read_books(paths: tuple[Path, ...], pack: str) -> list[RuleBook]:
    """Return the benefit and cross-region books of files and directories, else of the region pack.

    A book of another kind is let be in a directory and refused by name (RULE_BOOK_KIND) as a file.
    """
    if not paths:
        paths = (files.pack_folder(pack) / "rulebooks",)
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


def _read(path: Path) -> RuleBook:
    try:
        return rulebook.parse(files.read_bytes(path).decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused("RULE_BOOK_YAML", line=1, fault="not UTF-8") from None


def told(paths: tuple[Path, ...], pack: str) -> str:
    """Say which books apply."""
    if paths:
        return "rule books: those of --rulebook, and no others"
    return f"rule books: those of the region pack {pack}"


@contextmanager
def extra_needed() -> Iterator[None]:
    """Refuse CLAIMS_EXTRA where what computes in bulk is not installed."""
    try:
        yield
    except ImportError as missing:
        if missing.name is None or missing.name.partition(".")[0] == "tongcheng":
            raise
        raise Refused("CLAIMS_EXTRA", package=missing.name) from None
