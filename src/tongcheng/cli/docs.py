"""`tongcheng docs …`: write the pages of docs/ that come from the code."""

from pathlib import Path

import click

from tongcheng.cli import access_table, claims_page
from tongcheng.cli.diagrams import PAGES, replaced
from tongcheng.cli.reference import commands_page

_folder = click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path("docs"),
    show_default=True,
    help="The folder of the page.",
)


@click.group()
def docs() -> None:
    """Write the pages of docs/ that come from the code."""


@docs.command()
@_folder
@click.pass_context
def commands(context: click.Context, folder: Path) -> None:
    """Write commands.md: every command, what it does and its options."""
    page = folder / "commands.md"
    page.write_text(commands_page(context.find_root().command), encoding="utf-8")
    click.echo(f"wrote {page}")


@docs.command()
@_folder
def life(folder: Path) -> None:
    """Draw the life cycles in settlement.md and cases.md anew, from the tables in the code."""
    for name in PAGES:
        page = folder / name
        page.write_text(replaced(name, page.read_text("utf-8")), encoding="utf-8")
        click.echo(f"wrote {page}")


@docs.command()
@_folder
def access(folder: Path) -> None:
    """Write the table of authority in access.md anew, from the region's data."""
    page = folder / "access.md"
    page.write_text(access_table.replaced(page.read_text("utf-8")), encoding="utf-8")
    click.echo(f"wrote {page}")


@docs.command()
@_folder
def claims(folder: Path) -> None:
    """Write the tables of claims.md anew: columns of claims and results, and codes."""
    page = folder / "claims.md"
    page.write_text(claims_page.replaced(page.read_text("utf-8")), encoding="utf-8")
    click.echo(f"wrote {page}")


@docs.command()
@_folder
def feeds(folder: Path) -> None:
    """Write the table of mobility-feeds.md anew: what can be found in a timetable feed."""
    from tongcheng.cli import mobility_feed_page

    page = folder / "mobility-feeds.md"
    page.write_text(mobility_feed_page.replaced(page.read_text("utf-8")), encoding="utf-8")
    click.echo(f"wrote {page}")
