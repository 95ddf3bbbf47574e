"""A click group that knows its commands by name and imports each one only when it is needed.

`tongcheng --help` then costs what click costs, whatever the services import.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Entry(NamedTuple):
    """Where a command is ("package.module:attribute") and its one line in the list of commands."""

    where: str
    short_help: str


class LazyGroup(click.Group):
    """A group whose commands are named in a literal table `entries`, command name to Entry."""

    def __init__(self, *, entries: Mapping[str, Entry], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, sorted, without importing any."""
        del ctx
        return sorted(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now; None when there is none."""
        del ctx
        if cmd_name not in self.entries:
            return None
        module_name, attribute = self.entries[cmd_name].where.split(":")
        command = getattr(import_module(module_name), attribute)
        assert isinstance(command, click.Command), f"{self.entries[cmd_name].where} is no command"
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a refusal is a message and exit code 1, never a traceback."""
        try:
            return super().invoke(ctx)
        except Exception as fault:
            message = _message(fault)
            if message is None:
                raise
            click.echo(message, err=True)
            ctx.exit(1)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, so that --help imports none of them."""
        del ctx
        rows = [(name, self.entries[name].short_help) for name in sorted(self.entries)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _message(fault: Exception) -> str | None:
    """Put a fault into words; None for what is click's own or a bug of ours."""
    from tongcheng.cli.faults import message

    return message(fault)
