"""The same benefit in OpenFisca-core or PolicyEngine-core, as their users write rules.

Run by the peer's own Python, never imported by ours: `python benefit.py openfisca_core FOLDER`.
FOLDER holds the claims as .npy and the figures in terms.json; the amounts are written beside them,
with the seconds that the best of several simulations took. What a year stood at is given with each
claim: neither peer has a state that one claim hands to the next. Both are forks of one program, so
one file serves.
"""

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

PEER, FOLDER = sys.argv[1], Path(sys.argv[2])
YEAR = "2025"
ROUNDS, SECONDS = 5, 1.0

api: Any = importlib.import_module(f"{PEER}.model_api")
entities: Any = importlib.import_module(f"{PEER}.entities")
parameters_api: Any = importlib.import_module(f"{PEER}.parameters")
simulations: Any = importlib.import_module(f"{PEER}.simulations")
systems: Any = importlib.import_module(f"{PEER}.taxbenefitsystems")

terms = json.loads((FOLDER / "terms.json").read_text("utf-8"))
LEVELS = sorted(terms["bands"])
BANDS = len(terms["bands"][LEVELS[0]])

Claim = entities.build_entity(key="claim", plural="claims", label="A settlement", is_person=True)


def figure(value: float) -> dict[str, Any]:
    """Return a parameter that holds from the year's beginning."""
    return {"values": {f"{YEAR}-01-01": {"value": value}}}


def node() -> Any:
    """Return the parameters as a country package has them: a tree of dated figures."""
    bands = {
        f"level_{level}": {
            f"band_{at}": {"from": figure(band["from"]), "rate": figure(band["rate"])}
            for at, band in enumerate(terms["bands"][level])
        }
        for level in LEVELS
    }
    deductible = {
        name: {f"level_{level}": figure(terms[name][level]) for level in LEVELS}
        for name in ("first", "later")
    }
    names = ("retired_share", "pool_cap", "large_cap", "large_active", "large_retired")
    data = {"bands": bands, "deductible": deductible, **{n: figure(terms[n]) for n in names}}
    return parameters_api.ParameterNode("", data=data)


def by_level(claim: Any, period: Any, of: Any) -> Any:
    """Return what holds at the hospital's level."""
    level = claim("level", period)
    return np.select([level == int(each) for each in LEVELS], [of(f"level_{e}") for e in LEVELS])


def variable(name: str, formula: Any = None, value_type: type = float) -> Any:
    """Return a variable of a claim: an input, or one with a formula."""
    body = {
        "value_type": value_type,
        "entity": Claim,
        "definition_period": api.YEAR,
        "label": name,
    }
    return type(name, (api.Variable,), {**body, **({"formula": formula} if formula else {})})


def deductible(claim: Any, period: Any, parameters: Any) -> Any:
    """Return what the person bears first."""
    figures = parameters(period).deductible
    first = by_level(claim, period, lambda level: figures.first[level])
    later = by_level(claim, period, lambda level: figures.later[level])
    amount = np.where(claim("admission", period) == 1, first, later)
    return np.minimum(amount, claim("in_scope", period))


def stretches(claim: Any, period: Any, parameters: Any) -> Any:
    """Yield the part of each band that lies between deductible and bill, and the pool's ratio."""
    bands, share = parameters(period).bands, parameters(period).retired_share
    begin, end = claim("deductible", period), claim("in_scope", period)
    for at in range(BANDS):
        low = by_level(claim, period, lambda level, at=at: bands[level][f"band_{at}"]["from"])
        rate = by_level(claim, period, lambda level, at=at: bands[level][f"band_{at}"].rate)
        high = end
        if at + 1 < BANDS:
            top = by_level(
                claim, period, lambda level, at=at: bands[level][f"band_{at + 1}"]["from"]
            )
            high = np.minimum(end, top)
        ratio = np.where(claim("retired", period), 1 - (1 - rate) * share, rate)
        yield np.maximum(high - np.maximum(begin, low), 0), ratio


def pool(claim: Any, period: Any, parameters: Any) -> Any:
    """Return what the pool pays: by bands, up to what is left of the year's cap."""
    full = sum(part * ratio for part, ratio in stretches(claim, period, parameters))
    return np.minimum(full, np.maximum(0, parameters(period).pool_cap - claim("pool_paid", period)))


def beyond(claim: Any, period: Any, parameters: Any) -> Any:
    """Return how much of the bill lies beyond the point where the cap is reached."""
    left, rest = claim("pool", period), 0.0
    for part, ratio in stretches(claim, period, parameters):
        carried = np.minimum(part, left / ratio)
        left = np.maximum(left - carried * ratio, 0)
        rest = rest + part - carried
    capped = claim("pool_paid", period) + claim("pool", period) >= parameters(period).pool_cap
    return np.where(capped, rest, 0)


def large(claim: Any, period: Any, parameters: Any) -> Any:
    """Return what the large-amount fund pays."""
    figures = parameters(period)
    ratio = np.where(claim("retired", period), figures.large_retired, figures.large_active)
    left = np.maximum(0, figures.large_cap - claim("large_paid", period))
    return np.minimum(claim("beyond", period) * ratio, left)


def burden(claim: Any, period: Any, _parameters: Any) -> Any:
    """Return what the person bears in scope."""
    return claim("in_scope", period) - claim("pool", period) - claim("large", period)


INPUTS = {
    "in_scope": float,
    "pool_paid": float,
    "large_paid": float,
    "level": int,
    "admission": int,
    "retired": bool,
}
FORMULAS = (deductible, pool, beyond, large, burden)
ASKED = ("deductible", "pool", "large", "burden")


def system() -> Any:
    """Return the rules as a system of the peer."""
    made = systems.TaxBenefitSystem([Claim])
    made.parameters = node()
    made.add_variables(*(variable(name, value_type=kind) for name, kind in INPUTS.items()))
    made.add_variables(*(variable(formula.__name__, formula) for formula in FORMULAS))
    return made


def main() -> None:
    """Compute several times; the claims are set before the clock starts."""
    rules = system()
    given = {name: np.load(FOLDER / f"{name}.npy") for name in INPUTS}
    times: list[float] = []
    found: dict[str, Any] = {}
    while len(times) < ROUNDS or sum(times) < SECONDS:
        count = len(given["level"])
        simulation = simulations.SimulationBuilder().build_default_simulation(rules, count=count)
        for name, values in given.items():
            simulation.set_input(name, YEAR, values)
        begun = time.perf_counter()
        found = {name: simulation.calculate(name, YEAR) for name in ASKED}
        times.append(time.perf_counter() - begun)
    for name, amounts in found.items():
        # Yuan of whatever width the peer has; the nearest fen of each.
        np.save(FOLDER / f"{name}.out.npy", np.rint(np.asarray(amounts, np.float64) * 100))
    kind = str(np.asarray(found["pool"]).dtype)
    (FOLDER / "told.json").write_text(json.dumps({"seconds": min(times), "kind": kind}), "utf-8")


if __name__ == "__main__":
    main()
