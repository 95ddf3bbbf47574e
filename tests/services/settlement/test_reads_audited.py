"""Who looks at somebody's stay stands in the audit before the answer is given."""

from pathlib import Path

from litestar.testing import TestClient

from tests.services.settlement import two_cities
from tests.services.settlement.two_cities import FIRST_HOSPITAL, OTHER_HOSPITAL
from tests.signed_in import cookies, signed_in
from tongcheng.kernel.audit import AUDIT
from tongcheng.node.app import create_app
from tongcheng.node.console import make_console
from tongcheng.node.core import Node

API = "/api/settlement/v1"


def _reads(node: Node) -> list[tuple[str, str, str]]:
    with node.database.snapshot() as snapshot:
        rows = snapshot.select(AUDIT)
    return [(row.actor, row.action, row.subject) for row in rows if row.action.endswith(".read")]


def test_reads_of_a_stay_are_audited(tmp_path: Path) -> None:
    """Each interface and the console name the reader and the stay; a refused read shows nothing."""
    with two_cities.running(tmp_path) as running:
        cities = running.cities
        claim = running.run(cities.settled(0))
        node = cities.tianjin
        app = create_app(node, make_console(node), pages=True, run_node=False)
        own = {"Authorization": f"Bearer {cities.tokens[FIRST_HOSPITAL]}"}
        other = {"Authorization": f"Bearer {cities.tokens[OTHER_HOSPITAL]}"}
        stay, settlement = claim.stay_id, claim.settlement_id
        reader = running.run(signed_in(node, "clerk"))
        with TestClient(app, cookies=cookies(reader)) as client:
            assert client.get(f"{API}/stays/{stay}", headers=own).status_code == 200
            assert client.get(f"{API}/stays/{stay}/lines", headers=own).status_code == 200
            assert client.get(f"{API}/settlements/{settlement}", headers=own).status_code == 200
            assert client.get(f"{API}/stays/{stay}", headers=other).status_code == 404
            told = client.get(f"{API}/settlements/{settlement}/explanation", headers=own)
            assert told.status_code == 200
            assert client.get(f"/zh/settlement/stays/{stay}").status_code == 200

        assert _reads(node) == [
            (FIRST_HOSPITAL, "stay.read", stay),
            (FIRST_HOSPITAL, "lines.read", stay),
            (FIRST_HOSPITAL, "settlement.read", settlement),
            (FIRST_HOSPITAL, "explanation.read", settlement),
            (f"account/{reader.account_id}", "stay.read", stay),
        ]
