"""Reading our Markdown: links, headings, fenced lines, and command lines held against click."""

import re
import shlex
from pathlib import Path
from urllib.parse import unquote

import click

from tests.tidy import ROOT

FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
CODE = re.compile(r"`[^`\n]+`")
ELSEWHERE = ("http://", "https://", "mailto:")


def prose(text: str) -> str:
    """The text without fenced blocks, inline code and comments."""
    return CODE.sub("", FENCE.sub("", COMMENT.sub("", text)))


def anchors(text: str) -> set[str]:
    """Anchors of the headings, made the way the usual forges make them."""
    headings = (heading.replace("`", "") for heading in HEADING.findall(FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_broken(path: Path, text: str) -> list[str]:
    """Relative links of the page at `path` that lead to no file, or to no heading in it."""
    faults = []
    for link in LINK.findall(prose(text)):
        if link.startswith(ELSEWHERE):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or not target.is_relative_to(ROOT):
            faults.append(f"leads to {link}, which is not there")
        elif anchor and anchor not in anchors(text if not name else target.read_text("utf-8")):
            faults.append(f"leads to {link}, which has no such heading")
    return faults


def make_targets(makefile: str) -> set[str]:
    """Targets a Makefile offers with a ## comment."""
    return set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))


def make_words(text: str) -> set[str]:
    """Targets named as `make X`, inline or at the start of a fenced line."""
    fenced = "\n".join(FENCE.findall(text))
    return set(re.findall(r"`make ([a-z-]+)`", text)) | set(
        re.findall(r"^(?:\$ )?make ([a-z-]+)", fenced, re.MULTILINE)
    )


def command_lines(text: str) -> list[list[str]]:
    """Lines of fenced blocks that call tongcheng, as words after `tongcheng`."""
    joined = "\n".join(FENCE.findall(COMMENT.sub("", text))).replace("\\\n", " ")
    lines = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?tongcheng\b(.*)$", joined, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def command_line_faults(command: click.Command, words: list[str]) -> list[str]:
    """Why click would not take `words`; values are not looked at, for they are examples."""
    context = click.Context(command, info_name=command.name)
    try:
        given, rest, _ = command.make_parser(context).parse_args(list(words))
    except click.UsageError as refusal:
        return [refusal.format_message()]
    if isinstance(command, click.Group):
        if not rest:
            is_whole = command.invoke_without_command or {"--help", "--version"} & set(words)
            return [] if is_whole else [f"{command.name} needs one of its commands"]
        member = command.get_command(context, rest[0])
        return command_line_faults(member, rest[1:]) if member else [f"no command {rest[0]}"]
    missing = [
        f"{command.name} needs {parameter.human_readable_name}"
        for parameter in command.params
        if parameter.required
        and not isinstance(given.get(str(parameter.name)), str | tuple | list | bool)
    ]
    return missing + [f"{command.name} takes no {word}" for word in rest]
