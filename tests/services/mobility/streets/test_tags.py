"""What tags say: a table of ways, what one may do there, and how fast."""

import pytest

from tongcheng.services.mobility.streets.tags import CAR_KM_PER_H, Passable, Profile, passable

WALK = Passable(forward=True, backward=True, speed_km_per_h=0)


def drive(speed: int, *, forward: bool = True, backward: bool = True) -> Passable:
    """Return a way for cars."""
    return Passable(forward, backward, speed)


@pytest.mark.parametrize(
    ("tags", "profile", "expected"),
    [
        ("highway=footway", "foot", WALK),
        ("highway=residential", "foot", WALK),
        ("highway=residential oneway=yes", "foot", WALK),
        ("highway=primary", "foot", WALK),
        ("highway=primary foot=no", "foot", None),
        ("highway=service access=private", "foot", None),
        ("highway=service access=private foot=yes", "foot", WALK),
        ("highway=service access=customers", "foot", WALK),
        ("highway=cycleway foot=use_sidepath", "foot", None),
        ("highway=motorway", "foot", None),
        ("highway=trunk", "foot", None),
        ("highway=trunk sidewalk=both", "foot", WALK),
        ("highway=trunk sidewalk=both foot=no", "foot", None),
        ("highway=motorway foot=designated", "foot", WALK),
        ("highway=construction", "foot", None),
        ("highway=proposed foot=yes", "foot", None),
        ("railway=platform", "foot", None),
        ("highway=footway", "car", None),
        ("highway=residential", "car", drive(30)),
        ("highway=residential maxspeed=40", "car", drive(40)),
        ("highway=residential maxspeed=25 mph", "car", drive(40)),
        ("highway=residential maxspeed=walk", "car", drive(30)),
        ("highway=residential maxspeed=0", "car", drive(30)),
        ("highway=motorway maxspeed=999", "car", drive(130, backward=False)),
        ("highway=motorway", "car", drive(100, backward=False)),
        ("highway=motorway oneway=no", "car", drive(100)),
        ("highway=primary junction=roundabout", "car", drive(60, backward=False)),
        ("highway=primary oneway=-1", "car", drive(60, forward=False)),
        ("highway=primary oneway=yes", "car", drive(60, backward=False)),
        ("highway=service access=private", "car", None),
        ("highway=service access=private motor_vehicle=yes", "car", drive(20)),
        ("highway=primary motor_vehicle=no access=yes", "car", None),
        ("highway=primary access=bus", "car", None),
        ("highway=residential area=yes", "car", None),
    ],
)
def test_passable(tags: str, profile: Profile, expected: Passable | None) -> None:
    """A word about walking goes before one about all; by car, the narrower before the wider."""
    # Spaces part tags, but for the unit of a speed.
    given = dict(each.split("=") for each in tags.replace(" mph", "_mph").split())
    values = {key: value.replace("_mph", " mph") for key, value in given.items()}

    assert passable(values.get, profile) == expected


def test_faster_roads_have_higher_design_speeds() -> None:
    """The table descends as roads do."""
    ladder = ("motorway", "trunk", "primary", "secondary", "tertiary", "residential",
              "living_street")  # fmt: skip
    speeds = [CAR_KM_PER_H[each] for each in ladder]

    assert speeds == sorted(speeds, reverse=True)
