"""The accounts of people, held against what the journal has of their last change."""

from collections.abc import Iterator

import msgspec

from tongcheng.kernel import canonical
from tongcheng.kernel.access.accounts import LEAF_PREFIX, STAFF, STAFF_PASSWORDS, leaf_id
from tongcheng.kernel.journal.checks.view import Check, View, finding, of_row
from tongcheng.kernel.journal.leaves import JOURNAL_CONTENTS, JOURNAL_LEAVES
from tongcheng.kernel.officers import AUTHORITY_KIND
from tongcheng.kernel.service import Finding

_LEAVES = "SELECT content_id FROM journal_leaves WHERE kind = ? ORDER BY leaf_index"


def _look(view: View) -> Iterator[Finding]:
    """Every account is as its last leaf says, and every leaf belongs to an account's past."""
    changes: dict[str, int] = {}
    for row in view.snapshot.select(STAFF):
        changes[row.account_id] = row.change_no
        content = view.content(AUTHORITY_KIND, leaf_id(row))
        said = None if content is None else canonical.decode(content)
        if not isinstance(said, dict) or said.get("account") != msgspec.to_builtins(row):
            yield of_row(STAFF, row, "the account differs from what the journal has")
        if view.snapshot.get(STAFF_PASSWORDS, row.account_id) is None:
            yield of_row(STAFF, row, "its password is missing")
    for key in view.keys_without(_LEAVES, AUTHORITY_KIND):
        if key.startswith(LEAF_PREFIX):
            account_id, _, number = key.removeprefix(LEAF_PREFIX).rpartition("/")
            if int(number) > changes.get(account_id, 0):
                yield finding(STAFF, account_id, f"the journal has change {number}, the row not")


ACCOUNTS = Check("accounts", (STAFF, STAFF_PASSWORDS, JOURNAL_CONTENTS, JOURNAL_LEAVES), _look)
