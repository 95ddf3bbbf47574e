"""`tongcheng serve`: run one node."""

from pathlib import Path

import click

from tongcheng.cli import options


@click.command()
@options.data
@options.passphrase_file
@click.option(
    "--until-stdin-closes", is_flag=True, hidden=True, help="Stop when the parent process ends."
)
def serve(folder: Path, passphrase_file: Path | None, *, until_stdin_closes: bool) -> None:
    """Run the node in a directory until Ctrl-C."""
    from tongcheng.node import files
    from tongcheng.node.serve import serve as run

    directory = files.node_directory(folder)
    settings = files.read_settings(directory)

    def announce(url: str) -> None:
        click.echo(f"{settings.member_id} answers at {url}  (Ctrl-C stops it)")

    run(
        directory,
        passphrase=files.read_passphrase(passphrase_file),
        announce=announce,
        until_stdin_closes=until_stdin_closes,
    )
