"""`tongcheng node …`: lay out a node."""

from pathlib import Path

import click

from tongcheng.cli import options
from tongcheng.kernel.entropy import SystemEntropy
from tongcheng.node import files
from tongcheng.node.files import CARD_FILE, SETTINGS_FILE, Settings


@click.group()
def node() -> None:
    """Lay out a node: its directory, keys and settings."""


@node.command()
@options.data
@click.option("--member", required=True, help="The member's code in the region pack.")
@click.option("--region", default="jingjinji", show_default=True, help="Region pack, or its path.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8100, show_default=True, help="The port to listen on.")
@click.option("--address", help="Where the other members reach the node [http://HOST:PORT].")
@click.option("--console", is_flag=True, help="Serve pages, without a log-in, on loopback only.")
@click.option("--draft", is_flag=True, help="Settle on rule books that nobody has adopted.")
@click.option("--synthetic", is_flag=True, help="Say on every page that every person is made up.")
@options.passphrase_file
def init(
    folder: Path,
    member: str,
    region: str,
    host: str,
    port: int,
    address: str | None,
    passphrase_file: Path | None,
    **flags: bool,
) -> None:
    """Make new keys, settings and an empty store in a directory that has no node."""
    settings = Settings(
        member_id=member,
        region=str(Path(region).absolute()) if "/" in region else region,
        address=address or f"http://{host}:{port}",
        host=host,
        port=port,
        console="open" if flags["console"] else "closed",
        allow_draft_rulebooks=flags["draft"],
        synthetic=flags["synthetic"],
    )
    passphrase = files.read_passphrase(passphrase_file)
    home = files.create(folder, settings, SystemEntropy(), passphrase)
    click.echo(f"{member}: signing key {home.ring.signing.kid}")
    click.echo(f"settings: {folder / SETTINGS_FILE}")
    click.echo(f"card for the other members: {folder / CARD_FILE}")
