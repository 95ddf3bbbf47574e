"""The kernel's tables in one literal tuple, so that every node's database has all of them."""

from typing import Any

from tongcheng.kernel.access.accounts import STAFF, STAFF_PASSWORDS
from tongcheng.kernel.access.grants import DELEGATIONS
from tongcheng.kernel.access.reviews import EMERGENCIES, REVIEWS
from tongcheng.kernel.access.sessions import SESSIONS
from tongcheng.kernel.adoption import ACCORDS
from tongcheng.kernel.audit import AUDIT, AUDIT_HEAD
from tongcheng.kernel.authority import CREDENTIALS
from tongcheng.kernel.cases.tables import CASE_TABLES
from tongcheng.kernel.exchange.tables import CHANNELS, SENT, TAKEN, TROUBLES
from tongcheng.kernel.journal import (
    CHECKPOINTS,
    CONFLICTS,
    HEARD,
    JOURNAL_CONTENTS,
    JOURNAL_HEAD,
    JOURNAL_LEAVES,
    WITNESSED,
)
from tongcheng.kernel.ledger import ACCOUNTS, HOLDS, TRANSFERS
from tongcheng.kernel.ledger_totals import TOTALS
from tongcheng.kernel.officers import OFFICERS
from tongcheng.kernel.rulebook_record import ADOPTIONS, RULE_BOOKS
from tongcheng.kernel.store.one_writer import WRITER_LEASE
from tongcheng.kernel.store.records import Records

KERNEL_TABLES: tuple[Records[Any], ...] = (
    ACCORDS,
    ACCOUNTS,
    ADOPTIONS,
    AUDIT,
    AUDIT_HEAD,
    CHANNELS,
    CHECKPOINTS,
    CONFLICTS,
    *CASE_TABLES,
    CREDENTIALS,
    DELEGATIONS,
    EMERGENCIES,
    HEARD,
    HOLDS,
    JOURNAL_CONTENTS,
    JOURNAL_HEAD,
    JOURNAL_LEAVES,
    OFFICERS,
    REVIEWS,
    RULE_BOOKS,
    SENT,
    SESSIONS,
    STAFF,
    STAFF_PASSWORDS,
    TAKEN,
    TOTALS,
    TRANSFERS,
    TROUBLES,
    WITNESSED,
    WRITER_LEASE,
)
