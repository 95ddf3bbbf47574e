"""Delegations, emergency access and reviews over HTTP, each by whom the table lets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import DAY_MS, Running
from tests.signed_in import Session, cookies, signed_in
from tongcheng.kernel.access import accounts, sessions
from tongcheng.kernel.access.accounts import RoleTerm
from tongcheng.kernel.access.reviews import EMERGENCIES
from tongcheng.kernel.audit import AUDIT
from tongcheng.kernel.calendar import local_date
from tongcheng.kernel.store import Transaction
from tongcheng.node.app import create_app
from tongcheng.node.authority import load_table
from tongcheng.node.console import make_console
from tongcheng.node.core import Node
from tongcheng.node.files import pack_folder

REASON = "患者昏迷，急诊需要核对昨晚的结算"
MINUTE_MS = 60_000
STAY = "settlement.stay.read"


class Office:
    """A node with people who are signed in, and one settled stay."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.node: Node = running.cities.tianjin
        self.app: Litestar = create_app(
            self.node, make_console(self.node), pages=True, run_node=False
        )
        self.stay_id = running.run(running.cities.settled(0)).stay_id

    def hire(self, *roles: str) -> Session:
        """Return somebody with these roles, signed in."""
        return self.running.run(signed_in(self.node, *roles))

    def get(self, who: Session, path: str) -> httpx.Response:
        """Ask for a page."""
        with TestClient(self.app, cookies=cookies(who)) as client:
            return client.get(path, follow_redirects=False)

    def post(self, who: Session, path: str, form: dict[str, str]) -> httpx.Response:
        """Send a form that a page made for them."""
        body = urlencode({**form, "form_token": who.form_token})
        headers = {"content-type": "application/x-www-form-urlencoded"}
        with TestClient(self.app, cookies=cookies(who)) as client:
            return client.post(path, content=body, headers=headers, follow_redirects=False)

    def stay(self, who: Session) -> int:
        """Return the status of asking for the stay."""
        return self.get(who, f"/zh/settlement/stays/{self.stay_id}").status_code

    def break_glass(self, who: Session, **changes: str) -> httpx.Response:
        """Break the glass to the stay."""
        form = {"action": STAY, "subject": self.stay_id, "reason": REASON, **changes}
        return self.post(who, "/zh/access/emergency", form)

    def actors(self, action: str) -> list[str]:
        """Return who did an action, as the audit has it."""
        with self.node.database.snapshot() as snapshot:
            return [row.actor for row in snapshot.select(AUDIT, action=action)]

    def lend(self, giver: Session, taker: Session, **changes: str) -> httpx.Response:
        """Lend the reading of stays for today."""
        today = local_date(self.node.clock.now(), "Asia/Shanghai").isoformat()
        form = {
            "role": "clerk",
            "to": taker.account_id,
            "from_on": today,
            "to_on": today,
            "reason": "年假，由同事代办结算",
            f"do.{STAY}": "1",
            **changes,
        }
        return self.post(giver, "/zh/access/delegations", form)


@contextmanager
def opened(folder: Path) -> Iterator[Office]:
    """Open such a node."""
    with two_cities.running(folder) as running:
        yield Office(running)


async def _with_other_roles(node: Node, who: Session, *roles: str) -> Session:
    """Give somebody other roles, and sign them in again."""
    table = load_table(pack_folder(node.home.region.id), node.home.region)
    terms = tuple(RoleTerm(role, date(2020, 1, 1)) for role in roles)

    def command(tx: Transaction) -> Session:
        row = accounts.set_roles(tx, table, accounts.OPERATOR, who.account_id, terms)
        return msgspec.structs.replace(who, secret=sessions.start(tx, row))

    session: Session = await node.run(command)
    return session


def test_what_is_lent_opens_and_names_both(tmp_path: Path) -> None:
    """The page opens for the delegate, the audit has both accounts, and the end closes it."""
    with opened(tmp_path) as office:
        clerk, temp = office.hire("clerk"), office.hire("policy-officer")
        before = office.stay(temp)
        assert office.lend(clerk, temp).status_code == 303
        during = office.stay(temp)
        theirs, mine = (office.get(who, "/zh/access/delegations").text for who in (temp, clerk))
        found = re.search(r"/access/delegations/([0-9a-z]{26})/end", theirs)
        assert found is not None
        ended = office.post(temp, f"/zh/access/delegations/{found[1]}/end", {})

        assert (before, during, office.stay(temp)) == (403, 200, 403)
        assert ended.status_code == 303
        assert office.actors("stay.read") == [
            f"account/{temp.account_id} for account/{clerk.account_id}"
        ]
        assert "<h1>今天您代测试clerk办理</h1>" in theirs
        assert "<h1>今天由测试policy-officer代您办理</h1>" in mine


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reason": "忙"}, 422),
        ({"from_on": "yesterday"}, 422),
        ({"to_on": "2027-12-31"}, 422),
        ({"do.access.break_glass": "1"}, 422),
        ({"role": "auditor"}, 403),
        ({"to": "nobody"}, 404),
    ],
)
def test_a_form_that_cannot_be_lent(tmp_path: Path, changes: dict[str, str], status: int) -> None:
    """An honest mistake shows the form again with what was typed; the rest is refused."""
    with opened(tmp_path) as office:
        answer = office.lend(office.hire("clerk"), office.hire("clerk"), **changes)

    assert answer.status_code == status
    if status == 422:
        assert 'role="alert"' in answer.text
        assert "checked" in answer.text


def test_glass_is_offered_to_whom_the_table_lets(tmp_path: Path) -> None:
    """A duty operator is refused with an offer, an accountant without."""
    with opened(tmp_path) as office:
        path = f"/zh/settlement/stays/{office.stay_id}"
        duty = office.get(office.hire("duty-operator"), path)
        accountant = office.get(office.hire("fund-accountant"), path)
        lists = office.get(office.hire("duty-operator"), "/zh/settlement/stays")

    offer = f"/zh/access/emergency?action={STAY}&amp;subject="
    assert (duty.status_code, accountant.status_code, lists.status_code) == (403, 403, 403)
    assert offer in duty.text
    assert "/access/emergency" not in accountant.text
    assert "/access/emergency" not in lists.text


def test_broken_glass_opens_one_stay_for_half_an_hour(tmp_path: Path) -> None:
    """That stay, no other, with a banner, under its own name in the audit, and not longer."""
    with opened(tmp_path) as office:
        duty, other = office.hire("duty-operator"), office.hire("duty-operator")
        answer = office.break_glass(duty)
        page = office.get(duty, f"/zh/settlement/stays/{office.stay_id}")
        second = office.running.run(office.running.cities.settled(1)).stay_id
        closed = office.get(duty, f"/zh/settlement/stays/{second}").status_code
        stranger = office.stay(other)
        office.running.cities.clock.advance(29 * MINUTE_MS)
        late = office.stay(duty)
        office.running.cities.clock.advance(MINUTE_MS)
        over = office.stay(duty)
        with office.node.database.snapshot() as snapshot:
            row = snapshot.select(EMERGENCIES)[0]

        assert answer.status_code == 303
        assert answer.headers["location"] == f"/zh/settlement/stays/{office.stay_id}"
        assert "紧急查阅：这一条 18:30:00 自动关闭" in page.text
        assert (page.status_code, closed, stranger, late, over) == (200, 403, 403, 200, 403)
        assert office.actors("stay.read") == [row.actor] * 2


def test_broken_glass_closes_with_the_role(tmp_path: Path) -> None:
    """Whoever loses the right to break the glass reads no more by it, with another role either."""
    with opened(tmp_path) as office:
        duty = office.hire("duty-operator", "policy-officer")
        office.break_glass(duty)
        before = office.stay(duty)
        again = office.running.run(_with_other_roles(office.node, duty, "policy-officer"))

        assert (before, office.stay(again)) == (200, 403)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"reason": "急"}, 422),
        ({"subject": "../../accounts"}, 422),
        ({"subject": ""}, 422),
        ({"action": "settlement.stays.read"}, 422),
        ({"action": "account.manage"}, 422),
    ],
)
def test_what_no_glass_opens(tmp_path: Path, changes: dict[str, str], status: int) -> None:
    """No list, no page without personal data, no address of the asker's own making."""
    with opened(tmp_path) as office:
        answer = office.break_glass(office.hire("duty-operator"), **changes)
        with office.node.database.snapshot() as snapshot:
            rows = snapshot.select(EMERGENCIES)

    assert answer.status_code == status
    assert rows == []


def test_who_may_read_it_anyway_breaks_nothing(tmp_path: Path) -> None:
    """A clerk is sent to the page, and there is nothing to review."""
    with opened(tmp_path) as office:
        answer = office.break_glass(office.hire("clerk"))
        with office.node.database.snapshot() as snapshot:
            rows = snapshot.select(EMERGENCIES)

    assert answer.status_code == 303
    assert rows == []


def test_somebody_else_reviews_it(tmp_path: Path) -> None:
    """The reader is shown that it is not theirs; an auditor sees what was read, and decides."""
    with opened(tmp_path) as office:
        duty, judge = office.hire("duty-operator", "leader"), office.hire("auditor")
        office.break_glass(duty)
        office.stay(duty)
        with office.node.database.snapshot() as snapshot:
            name = snapshot.select(EMERGENCIES)[0].emergency_id
        own = office.get(duty, "/zh/access/reviews").text
        form = {"finding": "justify", "words": "急诊记录可以证明当时确有必要"}
        refused = office.post(duty, f"/zh/access/reviews/{name}", form)
        waiting = office.get(judge, "/zh/access/reviews").text
        wrong = office.post(judge, f"/zh/access/reviews/{name}", {**form, "words": "好"})
        decided = office.post(judge, f"/zh/access/reviews/{name}", form)
        again = office.post(judge, f"/zh/access/reviews/{name}", form)
        after = office.get(judge, "/zh/access/reviews").text

    assert "须由别人审查" in own
    assert "<h1>1 次紧急查阅待审查</h1>" in waiting
    assert REASON in waiting
    assert "查看住院记录" in waiting
    assert [one.status_code for one in (refused, wrong, decided, again)] == [403, 422, 303, 409]
    assert "<h1>没有待审查的紧急查阅</h1>" in after
    assert form["words"] in after


def test_overdue_reviews_stand_in_red(tmp_path: Path) -> None:
    """On the page of reviews and above the audit, from the first instant after the deadline."""
    with opened(tmp_path) as office:
        office.break_glass(office.hire("duty-operator"))
        early = office.get(office.hire("auditor"), "/zh/audit").text
        office.running.cities.clock.advance(8 * DAY_MS)
        judge = office.hire("auditor")
        pages = [office.get(judge, path).text for path in ("/zh/audit", "/zh/access/reviews")]

    assert "逾期" not in early
    assert "1 次紧急查阅的审查已逾期" in pages[0]
    assert '<h1 class="grant-late">1 次紧急查阅的审查已逾期</h1>' in pages[1]
