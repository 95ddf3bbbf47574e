"""The journal: what this node did and was told, append-only, provable to anyone (RFC 6962)."""

from tongcheng.kernel.journal.checkpoint import CHECKPOINTS
from tongcheng.kernel.journal.leaves import (
    JOURNAL_CONTENTS,
    JOURNAL_HEAD,
    JOURNAL_LEAVES,
    SALT_BYTES,
    ContentRow,
    HeadRow,
    LeafRow,
    append,
    content,
    head,
    leaf_input,
    leaf_of,
    salted,
)
from tongcheng.kernel.journal.witness import CONFLICTS, HEARD, WITNESSED

__all__ = [
    "CHECKPOINTS",
    "CONFLICTS",
    "HEARD",
    "JOURNAL_CONTENTS",
    "JOURNAL_HEAD",
    "JOURNAL_LEAVES",
    "SALT_BYTES",
    "WITNESSED",
    "ContentRow",
    "HeadRow",
    "LeafRow",
    "append",
    "content",
    "head",
    "leaf_input",
    "leaf_of",
    "salted",
]
