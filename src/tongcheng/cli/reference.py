"""The page docs/commands.md, written from the commands themselves."""

from collections.abc import Iterator

import click

HEADER = """# Commands

Written by `tongcheng docs commands` from the code; a test fails when it is not up to date.
"""


def walk(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name ("tongcheng journal verify"), groups before members.

    Hidden commands are left out. `path` holds the words that call `command`.
    """
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path[-1])
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            if member is not None and not member.hidden:
                yield from walk(member, (*path, name))


def help_of(parameter: click.Parameter) -> str:
    """The help text of an option; an argument is explained by its command, so it has none."""
    return (parameter.help or "") if isinstance(parameter, click.Option) else ""


def _option_rows(command: click.Command) -> list[str]:
    return [
        f"- `{', '.join((*option.opts, *option.secondary_opts))}`: {help_of(option)}"
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    usage = " ".join((name, *command.collect_usage_pieces(context)))
    text = (command.help or "").strip()
    parts = [f"## {name}", text, f"`{usage}`", "\n".join(_option_rows(command))]
    return "\n\n".join(part for part in parts if part) + "\n"


def commands_page(root: click.Command) -> str:
    """The whole page as Markdown, ending in one newline."""
    sections = [_section(name, command) for name, command in walk(root, ("tongcheng",))]
    return "\n".join([HEADER, *sections])
