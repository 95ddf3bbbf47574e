"""The officers, and the rule books that they adopted."""

from collections.abc import Iterator

from tongcheng.kernel import canonical, officers, rulebook_record
from tongcheng.kernel import rulebook_adoption as adoptions
from tongcheng.kernel.access.accounts import LEAF_PREFIX
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import JOURNAL_CONTENTS, JOURNAL_LEAVES
from tongcheng.kernel.officers import AUTHORITY_KIND, OFFICERS
from tongcheng.kernel.rulebook_record import ADOPTION_KIND, ADOPTIONS, RULE_BOOKS
from tongcheng.kernel.service import Finding

_LEAVES = "SELECT content_id FROM journal_leaves WHERE kind = ? ORDER BY leaf_index"


def _look(view: View) -> Iterator[Finding]:
    yield from _look_at_officers(view)
    yield from _look_at_books(view)
    yield from _look_at_adoptions(view)


def _look_at_officers(view: View) -> Iterator[Finding]:
    """Hold every appointment against the journal, and the journal against the appointments."""
    expected: set[str] = set()
    for row in view.snapshot.select(OFFICERS):
        said = {officers.appointed_id(row.kid): officers.appointed_content(row)}
        if row.revoked_at is not None:
            said[officers.dismissed_id(row.kid)] = officers.dismissed_content(row)
        expected |= said.keys()
        if any(view.content(AUTHORITY_KIND, key) != content for key, content in said.items()):
            yield of_row(OFFICERS, row, "the appointment differs from what the journal has")
    for key in view.keys_without(_LEAVES, AUTHORITY_KIND):
        if key not in expected and not key.startswith(LEAF_PREFIX):
            kid, _, what = key.rpartition("/")
            yield finding(OFFICERS, kid, f"the journal says {what}, the row does not")


def _look_at_books(view: View) -> Iterator[Finding]:
    """Compute every stored book's digest anew, and look for the adoption it was kept for."""
    named = {row.digest for row in view.snapshot.select(ADOPTIONS)}
    kept = view.snapshot.select(RULE_BOOKS)
    for row in kept:
        if canonical.digest(row.document) != row.digest:
            yield of_row(RULE_BOOKS, row, "the document is not the one of this digest")
        elif rulebook_record.book_of(row).book_id != row.book_id:
            yield of_row(RULE_BOOKS, row, "the row differs from its document")
        if row.digest not in named:
            yield of_row(RULE_BOOKS, row, "no adoption names it")
    for digest in sorted(named - {row.digest for row in kept}):
        yield finding(RULE_BOOKS, digest, "is missing; it was adopted")


def _look_at_adoptions(view: View) -> Iterator[Finding]:
    """Check each adoption's signatures as of its day, its place after the others, and its leaf."""
    appointed = officers.by_kid(view.snapshot)
    kept = view.snapshot.select(ADOPTIONS)
    for key in view.keys_without(_LEAVES, ADOPTION_KIND):
        if int(key) not in {row.adoption_no for row in kept}:
            yield finding(ADOPTIONS, key, "is missing; the journal has it")
    terms: rulebook_record.Terms = {}
    for row in kept:
        content = view.content(ADOPTION_KIND, str(row.adoption_no))
        if content != rulebook_record.content_of(row):
            yield of_row(ADOPTIONS, row, "the adoption differs from what the journal has")
        document = adoptions.parse(row.document)
        said = document.adoption
        if (row.book_id, row.digest) != (said.book_id, said.digest):
            yield of_row(ADOPTIONS, row, "the row differs from its document")
        try:
            adoptions.check_signatures(document, appointed, row.adopted_at)
            terms = rulebook_record.follow(terms, said)
        except Refused as refusal:
            yield of_row(ADOPTIONS, row, str(refusal))


RULEBOOKS = Check(
    "rule books",
    (ADOPTIONS, OFFICERS, RULE_BOOKS, JOURNAL_CONTENTS, JOURNAL_LEAVES),
    _look,
)
