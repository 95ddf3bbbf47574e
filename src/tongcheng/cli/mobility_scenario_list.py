"""`tongcheng mobility scenario list`: what a region pack brings and what a node keeps."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tongcheng.cli import faults, options
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_scenario_check import GEOGRAPHY, read_file
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files, given
from tongcheng.node.offline import read_snapshot

if TYPE_CHECKING:
    from tongcheng.services.mobility.scenario.model import Scenario

SCENARIOS = "scenarios"


class Listed(msgspec.Struct):
    """A scenario; `version` is that of a kept one, None of one that the pack brings."""

    scenario_id: str
    title: dict[str, str]
    status: str
    mode: str
    base_on: str | None
    changes: int
    digest: str
    version: int | None


@click.command("list")
@click.option(
    "--region",
    "pack",
    default="jingjinji",
    show_default=True,
    help="The region pack whose scenarios are listed.",
)
@click.option(
    "--data",
    "folder",
    type=options.FOLDER,
    help="The directory of a node whose kept scenarios are listed too.",
)
@options.passphrase_file
@options.as_json
def list_(
    pack: str, folder: Path | None, passphrase_file: Path | None, *, as_json: bool
) -> None:  # fmt: skip
    """List the scenarios of a region pack, and those that a node keeps.

    The node may be running. Of a kept scenario the newest version is listed.
    """
    with extra_needed():
        tables = given.pack_folder(pack) / GEOGRAPHY / SCENARIOS
        listed = [_listed(read_file(path), None) for path in sorted(tables.glob("*.yaml"))]
    if folder is not None:
        passphrase = files.read_passphrase(passphrase_file)
        listed += read_snapshot(files.node_directory(folder), _kept, passphrase=passphrase)
    if as_json:
        click.echo(msgspec.json.encode(listed).decode())
        return
    for each in listed:
        kept = "pack" if each.version is None else f"kept, version {each.version}"
        title = each.title[faults.language()]
        base = each.base_on or "-"
        click.echo(f"{each.scenario_id}: {title} ({each.status}, {each.mode}, {base}, {kept})")


def _kept(snapshot: Snapshot, home: Home) -> list[Listed]:
    from tongcheng.services.mobility.scenario.kept import kept

    del home
    return [_listed(each.scenario, each.version) for each in kept(snapshot)]


def _listed(scenario: "Scenario", version: int | None) -> Listed:
    return Listed(
        scenario.scenario_id,
        {"zh": scenario.title.zh, "en": scenario.title.en},
        scenario.status.value,
        scenario.mode,
        None if scenario.base_on is None else scenario.base_on.isoformat(),
        len(scenario.changes),
        scenario.digest,
        version,
    )
