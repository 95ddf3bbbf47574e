"""A synthetic book whose second covers pay at discharge: every layer, from decision to message."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.services.settlement.books import figure
from tests.services.settlement.hospital import Hospital, fen, on_two_nodes, taking_back
from tests.services.settlement.test_periods import findings, mirrored, run
from tests.services.settlement.two_cities import INSURED, SCHEME, VISITED, TwoCities
from tongcheng.kernel.accord import PurseTerms
from tongcheng.kernel.ledger import ACCOUNTS
from tongcheng.kernel.rulebook import RuleBook, Shelf, from_document
from tongcheng.services.settlement import purses
from tongcheng.services.settlement.store import YEARS

LAYERS = ("pool", "large", "catastrophic", "assistance")
Json = dict[str, Any]


def _paying(book: RuleBook) -> RuleBook:
    """Return the employees' book of Beijing with both covers made up and paid at discharge."""
    if book.book_id != "beijing-employee-inpatient":
        return book
    rules: Json = {**msgspec.to_builtins(book.document["rules"])}
    rules["funds"] = [
        {**one, "layer": one["fund"], "paid_at": figure("discharge")} for one in rules["funds"]
    ]
    for layer, deductible, ratio in (("catastrophic", "100", "0.6"), ("assistance", "10", "0.5")):
        terms = {
            "deductible": figure(deductible),
            "steps": [{"ratio": figure(ratio)}],
            "cap": figure("none"),
        }
        rules[layer] = {"title": {"zh": layer, "en": layer}, "terms": [terms]}
    sources: Json = {"synthetic": {"what": "made up for a test"}}
    sources |= msgspec.to_builtins(book.document["sources"])
    return from_document({**book.document, "rules": rules, "sources": sources})


def _all_pay(cities: TwoCities) -> None:
    """Let every fund of the book pay at discharge, and the accord clear it."""
    cities.beijing.home.shelf = Shelf(map(_paying, cities.beijing.home.shelf), allow_drafts=True)
    for node in (cities.beijing, cities.tianjin):
        terms = [PurseTerms(SCHEME, layer) for layer in LAYERS]
        node.home.accord_in_force = msgspec.structs.replace(node.home.accord, purses=terms)


@pytest.mark.parametrize("days", [30, 4_000])
def test_every_layer_is_booked_and_taken_back(tmp_path: Path, days: int) -> None:
    """The ledgers of both sides, the year and the verification hold for all four funds."""

    async def work(cities: TwoCities) -> None:
        _all_pay(cities)
        claim = await cities.settled(0, days=days)
        paid = [
            next(
                row.balance_fen
                for row in await cities.beijing.read(lambda s: s.select(ACCOUNTS))
                if row.account_id == purses.due_to(VISITED, f"beijing/{SCHEME}/{layer}")
            )
            for layer in LAYERS
            if layer != "large" or days > 30
        ]
        assert await findings(cities.beijing) == []
        await mirrored(cities)
        await cities.desk.void(cities.caller, claim.settlement_id)
        await cities.quiet()
        years = await cities.beijing.read(lambda s: s.select(YEARS))
        owed = await cities.tianjin.read(lambda s: s.select(ACCOUNTS))

        assert all(paid)
        assert abs(sum(paid)) == claim.fund_fen
        assert [(one.catastrophic_paid_fen, one.assistance_paid_fen) for one in years] == [(0, 0)]
        assert {row.balance_fen for row in owed if INSURED in row.account_id} == {0}

    run(tmp_path, work)


def test_the_national_answer_names_every_layer(tmp_path: Path) -> None:
    """Each amount stands in one field, their sum is the funds'; a void is the exact negative."""

    async def work(cities: TwoCities, hospital: Hospital) -> None:
        _all_pay(cities)
        given = await hospital.discharged(days=4_000)
        estimate = await hospital.call("2303", given)
        settled = await hospital.call("2304", given)
        info, details = settled["output"]["setlinfo"], settled["output"]["setldetail"]
        voided = (await hospital.call("2305", taking_back(info)))["output"]["setlinfo"]
        fields = ("hifp_pay", "hifob_pay", "maf_pay", "oth_pay")
        amounts = [fen(info[name]) for name in fields]

        assert all(amounts)
        assert sum(amounts) == fen(info["fund_pay_sumamt"])
        assert amounts == [fen(one["fund_payamt"]) for one in (details[at] for at in (0, 1, 3, 2))]
        assert amounts == [fen(estimate["output"]["setlinfo"][name]) for name in fields]
        assert amounts == [-fen(voided[name]) for name in fields]
        assert fen(info["medfee_sumamt"]) == sum(
            fen(info[name]) for name in ("fund_pay_sumamt", "psn_part_amt", "hosp_part_amt")
        )

    on_two_nodes(tmp_path, work)
