"""Delegations, emergency accesses and their reviews, held against their leaves in the journal."""

from collections.abc import Iterator
from typing import Any

from tongcheng.kernel import canonical
from tongcheng.kernel.access import grants, reviews
from tongcheng.kernel.access.grants import DELEGATIONS, LEAF_KIND
from tongcheng.kernel.access.reviews import EMERGENCIES, REVIEWS
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import JOURNAL_CONTENTS, JOURNAL_LEAVES
from tongcheng.kernel.service import Finding

_LEAVES = "SELECT content_id FROM journal_leaves WHERE kind = ? ORDER BY leaf_index"
_DIFFERS = "the row differs from what the journal has"


def _look(view: View) -> Iterator[Finding]:
    """Every row is as its last leaf says, and no leaf is without its row."""
    expected: set[str] = set()
    for delegation in view.snapshot.select(DELEGATIONS):
        last = 1 if delegation.ended_at is None else 2
        name = f"delegation/{delegation.delegation_id}"
        expected |= {f"{name}/{number}" for number in range(1, last + 1)}
        if not _says(view, f"{name}/{last}", grants.kept(delegation)):
            yield of_row(DELEGATIONS, delegation, _DIFFERS)
    for emergency in view.snapshot.select(EMERGENCIES):
        review = view.snapshot.get(REVIEWS, emergency.emergency_id)
        if review is None:
            yield of_row(EMERGENCIES, emergency, "its review is missing")
            continue
        name = f"emergency/{emergency.emergency_id}"
        expected.add(f"{name}/1")
        if not _says(view, f"{name}/1", reviews.kept(emergency, review.due_at)):
            yield of_row(EMERGENCIES, emergency, _DIFFERS)
        if review.state != "open":
            expected.add(f"{name}/2")
            if not _says(view, f"{name}/2", reviews.kept_finding(review)):
                yield of_row(REVIEWS, review, _DIFFERS)
    for key in view.keys_without(_LEAVES, LEAF_KIND):
        if key not in expected:
            yield finding(JOURNAL_LEAVES, key, "the journal has what its row does not say")


def _says(view: View, content_id: str, kept: dict[str, Any]) -> bool:
    """Tell whether a leaf says this, whatever the digest of its words."""
    content = view.content(LEAF_KIND, content_id)
    said = None if content is None else canonical.decode(content)
    if not isinstance(said, dict):
        return False
    return {name: value for name, value in said.items() if name != grants.WORDS_DIGEST} == kept


GRANTED = Check(
    "delegations and emergency access",
    (DELEGATIONS, EMERGENCIES, REVIEWS, JOURNAL_CONTENTS, JOURNAL_LEAVES),
    _look,
)
