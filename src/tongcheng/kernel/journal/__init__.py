"""The journal: what this node did and was told, append-only, provable to anyone (RFC 6962)."""

from tongcheng.kernel.journal.leaves import (
    JOURNAL_CONTENTS,
    JOURNAL_HEAD,
    JOURNAL_LEAVES,
    ContentRow,
    HeadRow,
    LeafRow,
    append,
    content,
    head,
    leaf_input,
    leaf_of,
)

__all__ = [
    "JOURNAL_CONTENTS",
    "JOURNAL_HEAD",
    "JOURNAL_LEAVES",
    "ContentRow",
    "HeadRow",
    "LeafRow",
    "append",
    "content",
    "head",
    "leaf_input",
    "leaf_of",
]
