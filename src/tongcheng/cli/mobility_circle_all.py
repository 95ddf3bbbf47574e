"""`tongcheng mobility circle --measure`: what every place of a study reaches."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click
import msgspec

from tongcheng.cli.claims_run import result_console, running
from tongcheng.cli.mobility_asking import MINUTE_S, is_own, question_within
from tongcheng.cli.mobility_counts import show_assumed
from tongcheng.cli.mobility_extra import extra_needed
from tongcheng.cli.mobility_study import question_of, study_of
from tongcheng.kernel.canonical import Json

if TYPE_CHECKING:
    from tongcheng.services.mobility.numbers import Int64
    from tongcheng.services.mobility.places.model import Places
    from tongcheng.services.mobility.study.access import Measured

PEOPLE: Final = "people"
_BY_MINUTES: Final = ("within", "catchment")
Kind = Literal["within", "gravity", "kth", "catchment"]


class Done(msgspec.Struct):
    """What came of it, for a machine."""

    out: str
    method: str
    measure: str
    of: str
    columns: list[str]
    places: int
    assumed: dict[str, str | int]
    reading_s: float
    asking_s: float


def circle_all(measure: Kind, out: Path, given: dict[str, Any], *, as_json: bool) -> None:
    """Write a figure or a few for every place of a study."""
    with extra_needed():
        from tongcheng.services.mobility.output.files import write_table
        from tongcheng.services.mobility.output.tables import cell_table
        from tongcheng.services.mobility.study import access, asking
        from tongcheng.services.mobility.study.circle import people_of, said_of
        from tongcheng.services.mobility.study.preparing import prepare
    if not is_own(given) or given["day"] is None or given["places_file"] is None:
        message = "--measure is of a study of one's own: it needs --feed, --places and --on"
        raise click.UsageError(message)
    question = question_of(given)
    if measure in _BY_MINUTES:
        question = question_within(given["minutes"], given)
    started = time.monotonic()
    ready = prepare(study_of(given), threads=given["threads"])
    ready = ready._replace(assumed={**ready.assumed, **said_of(ready.places)})
    people = people_of(ready.places)
    of = given["of"] or PEOPLE
    opportunities = people if given["of"] is None else _column(ready.places, of)
    measured, parameters = _measured(measure, given)
    reading_s = time.monotonic() - started
    with running(out) as progress:
        columns = access.access(
            ready, question, measured, opportunities, people,
            threads=given["threads"], progress=progress,
        )  # fmt: skip
        method = asking.asked_method(
            measure, ready, question, deadlines=False, parameters={**parameters, "of": of}
        )
        write_table(out, cell_table(ready.places.ids, columns), method)
    done = Done(
        str(out), method.digest, measure, of, list(columns), len(ready.places.ids), ready.assumed,
        round(reading_s, 3), round(time.monotonic() - started - reading_s, 3),
    )  # fmt: skip
    if as_json:
        click.echo(msgspec.json.encode(done).decode())
        return
    console = result_console()
    console.print(f"{measure} of {of}, from each of {done.places} places: {', '.join(columns)}")
    show_assumed(console, done.assumed)
    console.print(f"{done.out}; method {done.method}")


def _measured(measure: Kind, given: dict[str, Any]) -> tuple["Measured", dict[str, Json]]:
    """Return the measure of the options, and its parameters as a method has them."""
    from tongcheng.services.mobility.measures.decay import Exponential, within
    from tongcheng.services.mobility.study import access

    within_s = tuple(each * MINUTE_S for each in given["minutes"])
    if measure == "within":
        return access.WithinTimes(within_s), {"within_s": list(within_s)}
    if measure == "gravity":
        scale_s = given["scale"] * MINUTE_S
        return access.ByGravity(Exponential(scale_s)), {"decay": "exponential", "scale_s": scale_s}
    if measure == "kth":
        return access.ToKth(given["kth"]), {"kth": list(given["kth"])}
    return access.Catchment(within(within_s[-1])), {"within_s": within_s[-1]}


def _column(places: "Places", name: str) -> "Int64":
    found = places.of(name)
    if found is None:
        known = ", ".join(each for each, _ in places.opportunities) or "none"
        message = f"--of {name}: the places have no such column of whole numbers, but {known}"
        raise click.UsageError(message)
    return found
