"""A hospital's system and a person's browser, for tests of the bill: over HTTP, both of them.

Everything is synthetic: the persons and hospitals of `two_cities`, items of the sample catalogue.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import msgspec

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import (
    DAY_MS,
    FIRST_HOSPITAL,
    SCHEME,
    Running,
    TwoCities,
    id_number,
)
from tongcheng.kernel.audit import AUDIT, AuditRow
from tongcheng.kernel.store import Transaction
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.services.settlement import kept_lines
from tongcheng.services.settlement.api_caller import PATH
from tongcheng.services.settlement.lines import amount_of
from tongcheng.services.settlement.store import STAYS

Json = dict[str, Any]
PATIENT = "000T"
"""The last four of person 0's id number."""
ITEMS = tuple(
    f"SAMPLE-TJ-{code}"
    for code in ("X0001", "X0003", "X0005", "X0007", "X0012", "X0013", "X0014", "F0002")
)
"""Classes A, B and C; drugs with ceilings, one wholly self-paid, a bed."""


def bill_lines(now_at: int, count: int, *, refund_each: int = 10) -> list[Json]:
    """Return `count` lines as a hospital's system uploads them; every tenth is a refund."""
    lines: list[Json] = []
    for number in range(1, count + 1):
        item = ITEMS[number % len(ITEMS)]
        quantity, price, original = 2 + number % 5, 12_345_000 * (1 + number % 7), None
        if refund_each and number % refund_each == 0:
            before = lines[-1]
            item, original = before["item_code"], before["line_id"]
            quantity, price = -1, int(before["price_e6"])
        lines.append(
            {
                "line_id": f"L{number}",
                "item_code": item,
                "hospital_code": f"HIS-{item}",
                "quantity": str(quantity),
                "unit_price": f"{price // 10**6}.{price % 10**6:06d}",
                "amount_fen": amount_of(quantity * 10_000, price),
                "charged_at": now_at - 4 * DAY_MS + number * 60_000,
                "original_line_id": original,
                "price_e6": price,
            }
        )
    return [{key: value for key, value in line.items() if key != "price_e6"} for line in lines]


class Ward:
    """A hospital's system over REST, and what a person's browser would send."""

    def __init__(
        self, running: Running, http: httpx.AsyncClient, institution: str = FIRST_HOSPITAL
    ) -> None:
        self.running = running
        self.http = http
        self.headers = {"Authorization": f"Bearer {self.cities.tokens[institution]}"}

    @property
    def cities(self) -> TwoCities:
        """The two nodes."""
        return self.running.cities

    def send(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Send one request on the nodes' own loop, so that they answer each other meanwhile."""
        return self.running.run(self.http.request(method, path, **given))

    def get(self, path: str, **given: Any) -> httpx.Response:
        """Open an address as a browser does."""
        return self.send("GET", path, **given)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as a browser does; no redirect is followed."""
        return self.send("POST", path, data=fields)

    def call(self, method: str, path: str, body: Json | None = None, **headers: str) -> Any:
        """Call one operation of the REST interface and return the response."""
        return self.send(method, PATH + path, json=body, headers={**self.headers, **headers})

    def ok(self, method: str, path: str, body: Json | None = None, **headers: str) -> Json:
        """Call one operation that must succeed and return its body."""
        response = self.call(method, path, body, **headers)
        assert response.status_code in {200, 201}, response.text
        found: Json = response.json()
        return found

    def settled(self, number: int = 0, *, count: int = 12) -> Json:
        """Bring a stay to its settlement, every step as JSON over REST; return the settlement."""
        person = self.ok("POST", "/persons/identify", {"id_number": id_number(number)})
        now_at = self.cities.clock.now()
        stay = {
            "person_id": person["person_id"],
            "scheme": SCHEME,
            "inpatient_no": f"ZY{number:06d}",
            "admitted_at": now_at - 5 * DAY_MS,
        }
        stay_id = self.ok("POST", "/stays", stay)["stay_id"]
        lines = bill_lines(now_at, count)
        split = self.ok("POST", f"/stays/{stay_id}/lines", {"lines": lines})
        self.ok("POST", f"/stays/{stay_id}/discharge", {"discharged_at": now_at - 1_000})
        total = sum(line["amount_fen"] for line in split["lines"])
        key = {"Idempotency-Key": f"stay-{number:06d}"}
        return self.ok("POST", f"/stays/{stay_id}/settlement", {"total_fen": total}, **key)

    def link(self, settlement_id: str, **given: Any) -> Json:
        """Make a link; `path` becomes the page's in Chinese, `token` is in it."""
        made = self.ok("POST", f"/settlements/{settlement_id}/bill-link", given)
        token = made["path"].removeprefix("/b/")
        return {**made, "token": token, "page": f"/zh/bill/{token}"}

    def open(self, page: str, characters: str = PATIENT) -> httpx.Response:
        """Type the last characters into the question."""
        return self.post(page, characters=characters)

    def audited(self) -> list[AuditRow]:
        """Return what the visited node's audit has so far."""
        with self.cities.tianjin.database.snapshot() as snapshot:
            return snapshot.select(AUDIT)


def delegate(**changes: str) -> dict[str, str]:
    """Return a delegate as the staff record one, with `changes`."""
    given = {
        "name": "测试女儿",
        "id_number": "990101197501010021",
        "relationship": "child",
        "to_on": "2027-12-31",
    }
    return {**given, **changes}


def form_of(html: str) -> str:
    """Return the token of a page's forms."""
    return html.split('name="form" value="')[1].split('"', maxsplit=1)[0]


@contextmanager
def ward(folder: Path, *, bill_pages: bool = True) -> Iterator[Ward]:
    """Open a node with closed console, and a hospital that calls it."""
    with two_cities.running(folder) as running:
        node = running.cities.tianjin
        app = create_app(
            node, make_console(node, synthetic=True), bill_pages=bill_pages, run_node=False
        )
        transport = httpx.ASGITransport(cast("Any", app))
        http = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        yield Ward(running, http)
        running.run(http.aclose())


def rename_lines(tx: Transaction, **words: str) -> None:
    """Let every line that is kept say other words of its item."""
    for stay in tx.select(STAYS):
        kept = kept_lines.of_stay(tx, stay.stay_id)
        lines = kept_lines.by_id(kept).values()
        changed = [msgspec.structs.replace(line, **words) for line in lines]
        kept_lines.put(tx, stay.stay_id, kept, changed)
