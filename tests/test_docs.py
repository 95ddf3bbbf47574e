"""What the documents say is there is there: links, make targets, commands and options."""

import re
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from tests import documents, tidy

PAGES = tidy.files(".md")
PUBLICCODE_DEMANDS = [
    "publiccodeYmlVersion",
    "name",
    "url",
    "platforms",
    "categories",
    "developmentStatus",
    "softwareType",
    "description",
    "legal",
    "maintenance",
    "localisation",
]
SHOWING = [p for p in PAGES if p.parent == tidy.ROOT or p.is_relative_to(tidy.ROOT / "docs")]


def _root() -> click.Group:
    """The command tree, imported late so that a broken one fails these tests and no other."""
    from tongcheng.cli import main  # noqa: PLC0415

    return main


def _expect_none(faults: list[str]) -> None:
    if faults:
        pytest.fail("\n".join(faults), pytrace=False)


def _name(path: Path) -> str:
    return str(path.relative_to(tidy.ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file in the tree and, after #, a heading in it."""
    _expect_none(documents.links_broken(page, page.read_text("utf-8")))


def test_make_targets_exist() -> None:
    """Every `make X` a page names is in the Makefile, and make help describes it."""
    targets = documents.make_targets((tidy.ROOT / "Makefile").read_text("utf-8"))
    named = {
        (_name(page), word)
        for page in PAGES
        for word in documents.make_words(page.read_text("utf-8"))
    }

    assert named, "no page names a make target: the pattern no longer matches"
    _expect_none([f"{page}: make {word}" for page, word in sorted(named) if word not in targets])


def test_make_targets_are_short() -> None:
    """No target is longer than five lines; what is longer belongs into the package."""
    blocks = (tidy.ROOT / "Makefile").read_text("utf-8").split("\n\n")
    lengths = {b.split(":")[0]: sum(li.startswith("\t") for li in b.split("\n")) for b in blocks}
    del lengths[next(name for name in lengths if name.startswith("PYTHON"))]

    assert {name: length for name, length in lengths.items() if length > 5} == {}


def test_command_lines_are_taken() -> None:
    """Every `tongcheng …` line of a fenced block would be taken by the command it calls."""
    lines = [
        (_name(page), words)
        for page in SHOWING
        for words in documents.command_lines(page.read_text("utf-8"))
    ]

    assert lines, "no page shows a command line: the pattern no longer matches"
    _expect_none(
        [
            f"{page}: tongcheng {' '.join(words)}: {fault}"
            for page, words in lines
            for fault in documents.command_line_faults(_root(), words)
        ]
    )


def test_commands_explain_themselves() -> None:
    """Every command and option has a help text; the list of commands repeats the command's own."""
    from tongcheng.cli.reference import help_of, walk  # noqa: PLC0415

    commands = dict(walk(_root(), ("tongcheng",)))
    faults = [name for name, command in commands.items() if not (command.help or "").strip()]
    faults += [
        f"{name} {parameter.name}"
        for name, command in commands.items()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not help_of(parameter).strip()
    ]
    faults += [
        f"{group} {name} is listed as {entry.short_help!r}"
        for group, command in commands.items()
        for name, entry in getattr(command, "entries", {}).items()
        if commands[f"{group} {name}"].get_short_help_str(200) != entry.short_help
    ]

    _expect_none(faults)


def test_command_page_is_up_to_date() -> None:
    """docs/commands.md is what the code says; write it with `tongcheng docs commands`."""
    from tongcheng.cli.reference import commands_page  # noqa: PLC0415

    assert (tidy.ROOT / "docs" / "commands.md").read_text("utf-8") == commands_page(_root())


def test_pages_named_in_source_exist() -> None:
    """A docstring or comment that sends the reader to a page under docs/ sends him to one."""
    named = {
        (_name(path), page)
        for path in tidy.files(".py", ".toml", ".yaml", ".yml")
        for page in re.findall(r"docs/[\w/.-]+\.md", path.read_text("utf-8"))
    }

    _expect_none([f"{p}: {page}" for p, page in sorted(named) if not (tidy.ROOT / page).exists()])


def test_publiccode_is_valid() -> None:
    """The keys that publiccode.yml 0.4 demands are there, within its lengths; versions agree."""
    code = yaml.safe_load((tidy.ROOT / "publiccode.yml").read_text("utf-8"))
    project = tomllib.loads((tidy.ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    languages = code["description"]

    assert set(PUBLICCODE_DEMANDS) <= set(code)
    assert set(languages) == set(code["localisation"]["availableLanguages"]) == {"zh", "en"}
    assert code["softwareVersion"] == project["version"]
    assert code["legal"]["license"] == project["license"]
    for text in languages.values():
        assert len(text["genericName"]) <= 35
        assert len(text["shortDescription"]) <= 150
        assert 150 <= len(text["longDescription"]) <= 10_000
        assert text["features"]


@click.group()
def _sample() -> None:
    """A group to try the checks on."""


@_sample.command()
@click.argument("file")
@click.option("--seed", type=int, required=True)
@click.option("--serve/--no-serve")
def settle(file: str, seed: int, serve: bool) -> None:  # noqa: FBT001
    """A command to try the checks on."""
    del file, seed, serve


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        ("settle --seed N --no-serve FILE", 0),
        ("--help", 0),
        ("", 1),
        ("unsettle", 1),
        ("settle --seed 7", 1),
        ("settle FILE", 1),
        ("settle FILE --seed 7 --sede 8", 1),
        ("settle FILE --seed 7 OTHER", 1),
    ],
)
def test_command_check_sees_faults(line: str, faults: int) -> None:
    """Unknown commands and options, and missing or superfluous words are seen."""
    assert len(documents.command_line_faults(_sample, line.split())) == faults


def test_link_check_sees_faults() -> None:
    """A file or a heading that is not there is seen; fenced links and other hosts are let be."""
    page = tidy.ROOT / "README.md"
    text = "# One two\n[a](nowhere.md) [b](#three) [c](#one-two) [d](https://e.example)\n"

    assert len(documents.links_broken(page, text + "```\n[e](nowhere.md)\n```\n")) == 2
