"""`tongcheng settlement shadow`: where our engine would have decided otherwise than the agency."""

from pathlib import Path
from typing import Any

import click
import msgspec

from tongcheng.cli import options
from tongcheng.cli.audit_words import CAUSE_WORDS
from tongcheng.cli.counted import counted
from tongcheng.cli.faults import language
from tongcheng.kernel.home import Home
from tongcheng.kernel.money import format_yuan
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot
from tongcheng.services.settlement.port import shadow_content
from tongcheng.services.settlement.store import SHADOWS


@click.command()
@options.data
@options.passphrase_file
@options.as_json
def shadow(folder: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """List the decisions of the agency's own system that our engine would have taken otherwise.

    They are kept while the setting `benefit` is "shadow". One line a figure, theirs and ours, and
    the causes as `settlement audit` names them. Exit code 1 when there is any.
    """
    directory = files.node_directory(folder)
    passphrase = files.read_passphrase(passphrase_file)
    found = read_snapshot(directory, _read, passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        for each in found:
            _print(each)
        click.echo(counted(len(found), "decision differs", "decisions differ"))
    if found:
        raise SystemExit(1)


def _read(snapshot: Snapshot, home: Home) -> list[dict[str, Any]]:
    del home
    rows = sorted(snapshot.select(SHADOWS), key=lambda row: row.decision_no)
    return [shadow_content(row) for row in rows]


def _print(each: dict[str, Any]) -> None:
    click.echo(f"decision {each['decision_no']}  {each['visited_member']}  {each['settlement_id']}")
    for figure in each["differences"]:
        theirs, ours = (format_yuan(figure[name]) for name in ("theirs_fen", "ours_fen"))
        click.echo(f"    {figure['figure']}: theirs {theirs}, ours {ours}")
    for cause in each["causes"].split("|") if each["causes"] else ():
        click.echo(f"    {cause}: {CAUSE_WORDS[cause][language()]}")
    if each["code"]:
        click.echo(f"    not computed: {each['code']}")
