"""Options that several commands share."""

from pathlib import Path

import click

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

data = click.option(
    "--data", "folder", type=FOLDER, required=True, help="The directory of the node."
)
nodes = click.option(
    "--data",
    "folder",
    type=FOLDER,
    required=True,
    help="A node's directory, or one that holds the nodes of a region.",
)
passphrase_file = click.option(
    "--passphrase-file",
    type=FILE,
    help="A file with the passphrase of the keys; else systemd's credential tongcheng-passphrase.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON for a machine.")
workers = click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Divide the work between so many processes; else between threads of this one.",
)
scheduler = click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="Give the work to a Dask scheduler: tcp:// on this machine, or tls://.",
)
