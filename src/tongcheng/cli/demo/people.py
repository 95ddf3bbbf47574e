"""Made-up people with accounts in every node of a demonstration: one for each role.

Anybody may sign in as one of them on the demonstration's own machine; their passwords, random and
kept beside the hospitals' credentials, are for whoever wants to try the form.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec

from tongcheng.kernel.access import accounts, passwords
from tongcheng.kernel.access.accounts import NewAccount, RoleTerm
from tongcheng.kernel.access.table import AuthorityTable, Role
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.kernel.home import Home
from tongcheng.kernel.region import RegionPack
from tongcheng.kernel.store import Snapshot, Transaction
from tongcheng.node import files
from tongcheng.node.authority import load_table
from tongcheng.node.offline import read_snapshot, run_command

ACCOUNTS_FILE: Final = "demo-accounts.json"
SURNAMES: Final = "李王张刘陈杨赵黄周吴"

Passwords = dict[str, dict[str, str]]
"""Member → sign-in name → password."""


def enrol_people(
    folder: Path, directories: Sequence[Path], pack_folder: Path, pack: RegionPack
) -> None:
    """Give each role of each node a made-up person who has none yet."""
    path = folder / ACCOUNTS_FILE
    kept: Passwords = {}
    if path.exists():
        kept = msgspec.json.decode(path.read_bytes(), type=Passwords)
    for directory in directories:
        member_id = files.read_settings(directory).member_id
        table = load_table(pack_folder, pack)
        missing = _missing(directory, table)
        given = {role.id: passwords.one_time(SystemEntropy()) for role in missing}
        # Hashing lets other threads go on, and takes a tenth of a second apiece.
        with ThreadPoolExecutor(passwords.SLOTS) as pool:
            digests = list(
                pool.map(lambda each: passwords.digest(each, SystemEntropy()), given.values())
            )
        if missing:
            _add(directory, table, dict(zip(given, digests, strict=True)))
        kept[member_id] = {**kept.get(member_id, {}), **given}
    files.write_file(path, msgspec.json.format(msgspec.json.encode(kept)) + b"\n", 0o600)


def _missing(directory: Path, table: AuthorityTable) -> list[Role]:
    def question(snapshot: Snapshot, _home: Home) -> list[Role]:
        return [role for role in table.staff_roles if accounts.by_name(snapshot, role.id) is None]

    return read_snapshot(directory, question)


def _add(directory: Path, table: AuthorityTable, digests: dict[str, str]) -> None:
    named = {role.id: number for number, role in enumerate(table.staff_roles)}

    def command(tx: Transaction) -> None:
        on = local_date(tx.now_at, tx.home.region.zone)
        for role, digest in digests.items():
            surname = SURNAMES[named[role] % len(SURNAMES)]
            new = NewAccount(role, f"示例·{surname}某", (RoleTerm(role, on),), digest, sample=True)
            accounts.add(tx, table, accounts.OPERATOR, new)

    run_command(directory, command)
