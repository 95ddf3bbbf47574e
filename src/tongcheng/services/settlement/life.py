"""Life cycles, as literal tables: what may follow what (docs/settlement.md is drawn from these)."""

from types import MappingProxyType

STAY_TRANSITIONS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("admitted", "lines"): "admitted",
        ("admitted", "discharge"): "discharged",
        ("discharged", "lines"): "discharged",
        ("discharged", "settle"): "settling",
        ("settling", "settled"): "settled",
        ("settling", "refused"): "discharged",
        ("settling", "cancel"): "discharged",
        ("settled", "cancel"): "discharged",
    }
)
"""(state, event) → state of a stay, as the visited side keeps it (住院登记)."""

CLAIM_TRANSITIONS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("pending", "settled"): "settled",
        ("pending", "refused"): "refused",
        ("pending", "cancel"): "cancelling",
        ("cancelling", "settled"): "voiding",
        ("cancelling", "refused"): "voiding",
        ("cancelling", "voided"): "voided",
        ("settled", "cancel"): "voiding",
        ("voiding", "voided"): "voided",
        ("voiding", "void_refused"): "disputed",
        ("cancelling", "void_refused"): "disputed",
    }
)
"""(state, event) → state of one settlement, as the visited side keeps it (结算).

A void follows its settle on the same ordered channel, so the answer to the settle always comes
before the answer to the void: `cancelling` has not heard of the settle yet, `voiding` has. Only
where the answer to the settle was not acceptable here is a cancelled claim voided without it. A
void cannot be refused; a peer that does so all the same leaves the claim `disputed`, for people.
"""

POSTED = frozenset({"settled", "voiding", "disputed"})
"""States of a claim in which its amounts stand in the ledger: a void gives back when answered."""

DECISION_TRANSITIONS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("settled", "void"): "voided",
        ("voided", "void"): "voided",
    }
)
"""(state, event) → state of one decision, as the insured side keeps it."""


def follow(table: MappingProxyType[tuple[str, str], str], state: str, event: str) -> str | None:
    """Return the state that follows, or None when the event is not allowed in this state."""
    return table.get((state, event))
