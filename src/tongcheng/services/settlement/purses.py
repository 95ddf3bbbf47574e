"""Purses and accounts of settlement: whose money, for whom, held where (专款专用).

A purse is area × scheme × fund. The visited side books what each insured area owes it and what it
owes each hospital; the insured side books its benefit spending and what it owes each visited
member. Per purse and month, due_from on one side is due_to on the other, to the fen.
"""

from tongcheng.kernel.accord import Accord
from tongcheng.kernel.errors import Refused


def check_fund(accord: Accord, scheme: str, fund: str | None = None) -> None:
    """Refuse a scheme, or one fund of it, that the members have not agreed to clear."""
    agreed = {term.fund for term in accord.purses if term.scheme == scheme}
    if not agreed or (fund is not None and fund not in agreed):
        raise Refused("PURSE_NOT_IN_ACCORD", scheme=scheme, fund=fund or "*")


def purse_id(area_id: str, scheme: str, fund: str) -> str:
    """Return the purse of one fund of one scheme in one pooling area."""
    return f"{area_id}/{scheme}/{fund}"


def due_from(insured_member: str, purse: str) -> str:
    """Return the visited side's account of what the insured member owes."""
    return f"due_from/{insured_member}/{purse}"


def payable(institution_id: str, purse: str) -> str:
    """Return the visited side's account of what it owes a hospital."""
    return f"payable/{institution_id}/{purse}"


def due_to(visited_member: str, purse: str) -> str:
    """Return the insured side's account of what it owes the visited member."""
    return f"due_to/{visited_member}/{purse}"


def benefit(purse: str) -> str:
    """Return the insured side's account of what its fund has spent."""
    return f"benefit/{purse}"
