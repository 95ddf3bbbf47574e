"""The estimate before admission: the decision there would be, what would change it, no guesses."""

import html
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec
import pytest
from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import Running
from tongcheng.kernel.home import Home
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement.estimate.compute import estimate
from tongcheng.services.settlement.estimate.form import DEFAULTS
from tongcheng.services.settlement.estimate.model import Estimate, Question, Unknown, WhatIf

DAY = date(2026, 11, 22)
WORKER = Question(
    area="beijing",
    scheme="310",
    person_type="retired",
    tier=None,
    category="general",
    hospital_level=3,
    hospital_subtype=None,
    visited="tianjin",
    filing="other",
    on=DAY,
    in_scope_fen=12_000_000,
)
RESIDENT = msgspec.structs.replace(
    WORKER,
    area="tianjin",
    scheme="390",
    person_type="resident",
    tier="low",
    visited="beijing",
    in_scope_fen=900_000,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two cities; nothing here changes them."""
    folder: Path = tmp_path_factory.mktemp("cities")
    with two_cities.running(folder) as started:
        yield started


@pytest.fixture(scope="module")
def home(running: Running) -> Home:
    """The node of the visited city, with the region's books."""
    return running.cities.tianjin.home


def _found(home: Home, question: Question) -> dict[tuple[str, str], WhatIf]:
    found = estimate(home, question)
    assert isinstance(found, Estimate)
    return {(each.kind, each.value): each for each in found.what_ifs}


# Beijing, level 3, retired: 1,300 first; 91, 94 and 97 %; the pool's cap of 100,000 is reached at
# 106,546.39, beyond it 80 %. Level 1 has 94, 97 and 98.2 %, level 2 92.2, 95.2 and 98.2 %.
def test_the_share_and_what_would_change_it(home: Home) -> None:
    """The person's share by hand, other levels, a later admission, and the other source's cap."""
    found = estimate(home, WORKER)
    assert isinstance(found, Estimate)
    # 1300 + 28700×9% + 10000×6% + 66546.39×3% ... to the cap, then 20 % of what is beyond.
    reached = 4_000_000 + (10_000_000 - 2_611_700 - 940_000) * 100 // 97
    own = 130_000 + 258_300 + 60_000 + (reached - 4_000_000) * 3 // 100
    beyond = (12_000_000 - reached) * 20 // 100

    assert abs(found.result.person_fen - own - beyond) <= 2
    others = _found(home, WORKER)
    assert others["level", "0"].refused is not None
    assert others["level", "0"].person_fen is None
    assert others["level", "1"].difference_fen == -159_571
    assert others["admission", "2"].difference_fen == -48_784
    cap = others["reading", "rules.pool_cap"]
    assert (cap.stated, cap.person_fen) == ("500000", 130_000 + 258_300 + 60_000 + 240_000)
    assert cap.difference_fen == 688_300 - found.result.person_fen


def test_filing_matters_only_outside_the_agreement(home: Home) -> None:
    """Within the region everybody counts as filed; elsewhere each way of filing has its share."""
    within = estimate(home, WORKER)
    outside = _found(home, msgspec.structs.replace(WORKER, visited="elsewhere"))
    at_home = estimate(home, msgspec.structs.replace(WORKER, visited="beijing"))

    assert isinstance(within, Estimate)
    assert isinstance(at_home, Estimate)
    assert (within.filing_matters, within.result.filing) == (False, "deemed")
    assert (at_home.filing_matters, at_home.result.filing) == (False, "local")
    assert not [each for each in within.what_ifs if each.kind == "filing"]
    shares = {value: each.person_fen for (kind, value), each in outside.items() if kind == "filing"}
    assert shares["long_stay"] == within.result.person_fen
    assert shares["referral"] == shares["emergency"]
    assert shares["referral"] is not None
    assert shares["referral"] > within.result.person_fen


def test_another_source_is_read_with_the_same_filing(home: Home) -> None:
    """The cut for a stay elsewhere holds in every reading: 71, 74 and 77 %, and no cap here."""
    question = msgspec.structs.replace(WORKER, visited="elsewhere", in_scope_fen=20_000_000)

    cap = _found(home, question)["reading", "rules.pool_cap"]

    assert cap.person_fen == 130_000 + 832_300 + 260_000 + 3_680_000


def test_an_unknown_figure_is_named_and_never_a_number(home: Home) -> None:
    """A tier that nobody knows the ratio of: no estimate, and which figure it is."""
    found = estimate(home, msgspec.structs.replace(RESIDENT, tier="middle"))

    assert isinstance(found, Unknown)
    assert found.refused.code == "RULE_UNKNOWN"
    assert found.rule is not None
    assert found.rule.section == "bands"
    assert [each.value for each in found.rule.conflicts] == ["0.70"]


def test_other_readings_that_change_nothing_are_counted(home: Home) -> None:
    """Tianjin's disputed figures are about the catastrophic cover, which is not in the bill."""
    found = estimate(home, RESIDENT)

    assert isinstance(found, Estimate)
    assert found.silent_readings > 0
    assert found.result.person_fen == 50_000 + (900_000 - 50_000) * 35 // 100


def _page(running: Running, address: str) -> tuple[int, str, str]:
    node = running.cities.tianjin
    app = create_app(node, make_console(node), pages=True, run_node=False)
    with TestClient(app) as client:
        answer = client.get(address)
    text = re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]+>", " ", answer.text)))
    return answer.status_code, answer.text, text


BEIJING = "area=beijing&scheme=310&person=retired&visited=tianjin&level=3&amount=120,000"
AWAY = BEIJING.replace("tianjin", "elsewhere")
HOME = BEIJING.replace("tianjin", "beijing")

SAID = (
    ("/zh/estimate", "住院大约要自己付多少"),
    (f"/zh/estimate?{BEIJING}", "医保范围内的 120,000 元，您大约要付 9,181.86 元"),
    (f"/en/estimate?{BEIJING}", "Of ¥120,000 that the insurance covers, you would pay about"),
    (f"/zh/estimate?{BEIJING}", "按规则草案估算，不能作为待遇依据"),
    (f"/zh/estimate?{BEIJING}", "备案不备案没有差别：您的参保地和就医地之间视同已备案"),
    (f"/zh/estimate?{BEIJING}", "统筹基金年度最高支付限额按另一来源的 500,000 元算"),
    (f"/en/estimate?{BEIJING}", "You go to a township or community health centre not known"),
    (f"/en/estimate?{AWAY}", "The stay is filed as: referral"),
    (f"/en/estimate?{HOME}", "At home no filing is needed."),
    ("/en/estimate?area=tianjin&scheme=390&person=resident&tier=middle&amount=9000", "What is not"),
)


@pytest.mark.parametrize(("address", "said"), SAID)
def test_the_page_answers_in_its_title_and_says_what_it_rests_on(
    running: Running, address: str, said: str
) -> None:
    """Without scripts, from the address alone."""
    status, _, text = _page(running, address)

    assert status == 200
    assert said in text
    assert not re.search(r"rules\.[a-z]|_fen|RULE_", text)


FAULTS = (
    ("amount=abc", "amount", "Give an amount"),
    ("amount=-1", "amount", "Give an amount"),
    ("amount=9999999999999", "amount", "Give an amount"),
    ("amount=1&on=2026-02-30", "on", "Give a day"),
    ("amount=1&on=1990-01-01", "on", "no rules in force on this day"),
    ("amount=1&number=0", "number", "from 1 to 99"),
    ("amount=1&number=٣", "number", "from 1 to 99"),
    ("amount=1&used=x", "used", "Give an amount"),
    ("amount=1&level=9", "level", "Choose one"),
    ("amount=1&area=atlantis", "area", "Choose one"),
    ("amount=1&area=tianjin&scheme=390&person=active", "person", "no such persons"),
    ("amount=1&area=tianjin&scheme=390&person=resident", "tier", "contribution tier matters"),
    ("amount=1&area=hebei-langfang&scheme=390&person=resident", "subtype", "who runs"),
)


@pytest.mark.parametrize(("query", "field", "said"), FAULTS)
def test_what_is_wrong_stands_beside_its_field(
    running: Running, query: str, field: str, said: str
) -> None:
    """The field is marked, points to its words, and keeps what was filled in."""
    status, source, text = _page(running, f"/en/estimate?{query}")

    assert status == 200
    assert "Some fields need another answer" in text
    found = re.search(rf'id="{field}-fault">([^<]+)<', source)
    assert found is not None
    assert said in found.group(1)
    assert f'aria-describedby="{field}-fault"' in source
    assert source.count('aria-invalid="true"') == 1


def test_every_field_has_a_label_and_is_kept(running: Running) -> None:
    """The form holds what was asked, so that one answer can be changed and asked again."""
    _, source, _ = _page(running, f"/en/estimate?{BEIJING}&number=3")

    for name in DEFAULTS:
        assert f'<label for="{name}">' in source
    assert 'id="number" name="number" value="3"' in source
    assert '<option value="retired" selected>' in source
