"""A void cannot be refused; a peer that refuses one all the same is named, not passed over."""

from pathlib import Path

from tests.services.settlement import two_cities
from tongcheng.kernel.envelope import Envelope
from tongcheng.kernel.errors import Refused
from tongcheng.kernel.store import Transaction
from tongcheng.services.settlement import claims
from tongcheng.services.settlement.model import VOID
from tongcheng.services.settlement.store import CLAIMS


def test_a_refused_void_leaves_the_claim_disputed(tmp_path: Path) -> None:
    """The money stands and the hospital was told it does not: nobody may call that in flight."""
    with two_cities.running(tmp_path) as running:
        cities = running.cities
        claim = running.run(cities.settled(0))
        cities.wire.cut = True
        running.run(cities.desk.void(cities.caller, claim.settlement_id))

        def refuse(tx: Transaction) -> str:
            row = tx.need(CLAIMS, claim.settlement_id)
            assert row.void_id is not None
            original = Envelope(
                id=row.void_id,
                src=two_cities.VISITED,
                dst=two_cities.INSURED,
                seq=2,
                type=VOID,
                made_at=tx.now_at,
                accord="0" * 64,
                body={"settlement_id": claim.settlement_id},
            )
            claims.void_refused(tx, original, Refused("SCHEMA_MISMATCH", what="x", where="y"))
            return tx.need(CLAIMS, claim.settlement_id).state

        assert running.run(cities.tianjin.run(refuse)) == "disputed"
