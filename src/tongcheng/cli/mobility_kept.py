"""Studies of what a node keeps: the options of a study, read as names in its bundles."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.home import Home
from tongcheng.kernel.store import Snapshot
from tongcheng.node import files
from tongcheng.node.offline import read_snapshot

if TYPE_CHECKING:
    from tongcheng.services.mobility.bundle.inputs import KeptInputs
    from tongcheng.services.mobility.bundle.records import KeptEntry
    from tongcheng.services.mobility.study.model import Study

MINUTE_S: Final = 60


def kept_study(given_options: dict[str, Any]) -> "Study":
    """Read a study from the node of the options, running or not.

    Refuses as `inputs.kept_study_inputs`, and TIMETABLE_NO_FEED where no feed is kept.
    """
    with extra_needed():
        from tongcheng.services.mobility.bundle import inputs
        from tongcheng.services.mobility.study.model import Study
    kept, home = _kept(given_options["folder"], given_options["passphrase_file"])
    read = _inputs(kept, home, given_options)
    places = inputs.kept_places(kept, home, str(given_options["places_file"]))
    entries = [*read.entries, places.entry]
    streets = None
    if given_options["streets"] is not None:
        streets, entry = inputs.kept_streets(kept, home, str(given_options["streets"]))
        entries.append(entry)
    return Study(
        feeds=read.feeds,
        day=given_options["day"].date(),
        places=places.places,
        places_digest=places.entry.sha256,
        processes=read.processes,
        streets=streets,
        walk_s_max=given_options["walk"] * MINUTE_S,
        said=inputs.said_of(entries),
    )


def kept_feeds(given_options: dict[str, Any]) -> "KeptInputs":
    """Read the feeds and rule books alone; refuses as `kept_study`."""
    with extra_needed():
        kept, home = _kept(given_options["folder"], given_options["passphrase_file"])
    return _inputs(kept, home, given_options)


def _inputs(
    kept: tuple["KeptEntry", ...], home: Home, given_options: dict[str, Any]
) -> "KeptInputs":
    from tongcheng.services.mobility.bundle import inputs

    read = inputs.kept_study_inputs(
        kept,
        home,
        given_options["day"].date(),
        feeds=given_options["feeds"],
        processes=[str(each) for each in given_options["processes"]],
    )
    if not read.feeds:
        raise Refused("TIMETABLE_NO_FEED")
    return read


def _kept(
    folder: Path, passphrase_file: Path | None
) -> tuple[tuple["KeptEntry", ...], Home]:  # fmt: skip
    """Return what a node keeps, and the node; its files never change, so no store is held open."""
    from tongcheng.services.mobility.bundle.records import kept_entries

    def question(snapshot: Snapshot, home: Home) -> tuple[tuple["KeptEntry", ...], Home]:
        return kept_entries(snapshot), home

    passphrase = files.read_passphrase(passphrase_file)
    return read_snapshot(files.node_directory(folder), question, passphrase=passphrase)
