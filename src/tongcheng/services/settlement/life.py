"""Life cycles, as literal tables: what may follow what (docs/settlement.md is drawn from these)."""

from types import MappingProxyType

STAY_TRANSITIONS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("admitted", "lines"): "admitted",
        ("admitted", "discharge"): "discharged",
        ("admitted", "settle_period"): "admitted_settling",
        ("admitted", "cancel"): "admitted",
        ("admitted_settling", "lines"): "admitted_settling",
        ("admitted_settling", "discharge"): "discharged_settling",
        ("admitted_settling", "settled"): "admitted",
        ("admitted_settling", "refused"): "admitted",
        ("admitted_settling", "cancel"): "admitted",
        ("discharged", "lines"): "discharged",
        ("discharged", "settle"): "settling",
        ("discharged", "settle_period"): "discharged_settling",
        ("discharged", "cancel"): "discharged",
        ("discharged_settling", "lines"): "discharged_settling",
        ("discharged_settling", "settled"): "discharged",
        ("discharged_settling", "refused"): "discharged",
        ("discharged_settling", "cancel"): "discharged",
        ("settling", "settled"): "settled",
        ("settling", "refused"): "discharged",
        ("settling", "cancel"): "discharged",
        ("settled", "cancel"): "discharged",
    }
)
"""(state, event) → state of a stay, as the visited side keeps it (住院登记).

While a period is settled in the middle of a stay (中途结算), lines of the next one come in and the
person may leave: `admitted_settling` and `discharged_settling`. A stay that is `admitted` or
`discharged` can lose its last settled period: `cancel`, and its lines are open again.
"""

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

STATEMENT_TRANSITIONS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("sent", "page"): "sent",
        ("sent", "agreed"): "agreed",
        ("sent", "disputed"): "disputed",
        ("sent", "refused"): "refused",
    }
)
"""(state, event) → state of a month's statement, as the visited side keeps it (对账)."""

RECEIVED_TRANSITIONS: MappingProxyType[tuple[str, str], str] = MappingProxyType(
    {
        ("receiving", "page"): "receiving",
        ("receiving", "agreed"): "agreed",
        ("receiving", "disputed"): "disputed",
    }
)
"""(state, event) → state of a month's statement, as the insured side keeps it."""


def follow(table: MappingProxyType[tuple[str, str], str], state: str, event: str) -> str | None:
    """Return the state that follows, or None when the event is not allowed in this state."""
    return table.get((state, event))
