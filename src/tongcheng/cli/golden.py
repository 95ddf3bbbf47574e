"""`tongcheng settlement golden`: run settlements whose result is known through the engine."""

import json
from pathlib import Path

import click
import msgspec

from tongcheng.cli import options
from tongcheng.node import files
from tongcheng.services.settlement import golden as cases
from tongcheng.services.settlement import golden_form
from tongcheng.services.settlement.golden import Outcome

MEANING = {
    "policy": "inputs and result published",
    "derived": "derived = computed by us",
    "formula": "a published example under a rule of its own",
    "message": "a real message; its equations",
    golden_form.UNREADABLE: "not of the format",
}

DRAFTS = "by the region pack's rule books as drafts; what a node has adopted is not looked at"


@click.command()
@click.argument("file", required=False, type=options.FILE)
@click.option(
    "--region", default="jingjinji", show_default=True, help="The region pack whose books apply."
)
@click.option("--schema", is_flag=True, help="Write the JSON Schema of such a file, and run none.")
@options.as_json
def golden(file: Path | None, region: str, *, schema: bool, as_json: bool) -> None:
    """Run the golden cases of FILE, or the repository's own, and compare to the fen.

    One line a case; below it every difference, and every published figure that no derivation
    gives, beside ours. Exit code 1 when a case fails. A draft book is run as what it is: a draft.
    docs/golden.md explains the format.
    """
    if schema:
        click.echo(json.dumps(golden_form.schema(), ensure_ascii=False, indent=2))
        return
    folder = files.pack_folder(region)
    shelf = files.read_shelf(folder, allow_drafts=True)
    paths = [file] if file is not None else sorted((folder / "golden").glob("*.yaml"))
    outcomes = [outcome for path in paths for outcome in cases.run(_read(path), shelf)]
    if as_json:
        click.echo(msgspec.json.encode(outcomes).decode())
    else:
        _print(outcomes)
    if any(outcome.status == "failed" for outcome in outcomes):
        raise SystemExit(1)


def _read(path: Path) -> tuple[golden_form.Case | golden_form.Broken, ...]:
    try:
        text = files.read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise golden_form.form(str(path), "not UTF-8") from None
    return golden_form.read_cases(text)


def _print(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        click.echo(f"{outcome.case_id:<5} {outcome.status:<8} {outcome.title}".rstrip())
        for line in outcome.lines:
            click.echo(f"      {line}")
    for kind, counts in cases.summary(outcomes).items():
        if any(counts.values()):
            told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
            click.echo(f"{kind}: {told} ({MEANING[kind]})")
    passed = sum(outcome.status == "passed" for outcome in outcomes)
    failed = sum(outcome.status == "failed" for outcome in outcomes)
    click.echo(DRAFTS)
    click.echo(f"{passed} passed, {failed} failed")
