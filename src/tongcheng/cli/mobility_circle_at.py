"""`tongcheng mobility circle --at`: the people within some times of a place, by county."""

import time
from pathlib import Path
from typing import Any

from tongcheng.cli.claims_run import running
from tongcheng.cli.mobility_asking import MINUTE_S, asked_of, question_within, spot_of
from tongcheng.cli.mobility_counts import Counted, Done, show_asked
from tongcheng.cli.mobility_extra import extra_needed


def circle_at(at: str, out: Path, given: dict[str, Any], *, as_json: bool) -> None:
    """Write the table of one place, and show the most of it."""
    with extra_needed():
        from tongcheng.services.mobility.output.files import write_table
        from tongcheng.services.mobility.study import asking, circle
        from tongcheng.services.mobility.study.compare import ask
    question, minutes, arrive = (
        question_within(given["minutes"], given),
        given["minutes"],
        given["arrive"],
    )
    started = time.monotonic()
    asked = asked_of(given)
    name, spot = spot_of(asked, at)
    world = asked.world
    side = world.make(world.base, "car" if given["mode"] == "car" else "transit")
    reading_s = time.monotonic() - started
    within_s = [each * MINUTE_S for each in minutes]
    with running(out):
        answer = ask(side, spot, question, deadlines=arrive)
        counts = circle.circle(answer, world.people, world.areas, within_s)
        method = asking.asked_method(
            "circle", side, question, deadlines=arrive, spot=spot,
            parameters={"minutes": list(minutes)},
        )  # fmt: skip
        write_table(out, circle.count_table(counts, within_s), method)
    done = Done(
        str(out), method.digest, name, spot.lon, spot.lat, side.assumed,
        Counted.of(counts, minutes), round(reading_s, 3),
        round(time.monotonic() - started - reading_s, 3),
    )  # fmt: skip
    show_asked(done, "who reaches" if arrive else "who is reached from", as_json=as_json)
